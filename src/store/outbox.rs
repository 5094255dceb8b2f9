//! Events written with the change they tell of; everything that happens after a commit starts from here.

use super::read::{self, AT, INT, TEXT};
use super::sql::Bind;
use super::sql::{at, int, text};
use super::statement::Fixed;
use super::{Dialect, Rows, Sql, Statement, Store, StoreError, Tx, settings};
use crate::base::{DateTime, RecordId};

/// An event about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Entity's uid.
    pub entity_uid: String,
    pub record: RecordId,
    pub version: i64,
    /// `created`, `updated`, `deleted`, `restored`, `purged`.
    pub event: String,
    /// JSON array of the uids of changed fields.
    pub changed_json: String,
    pub actor: i64,
    /// JSON array: which handler on which record led here.
    pub chain_json: String,
    pub schema_version: i64,
}

/// An event as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Position in the feed: grows, with gaps.
    pub seq: i64,
    pub entity_uid: String,
    pub record: RecordId,
    pub version: i64,
    pub event: String,
    pub changed_json: String,
    pub actor: i64,
    pub chain_json: String,
    pub schema_version: i64,
    pub at: DateTime,
}

static APPEND: Fixed = Fixed::new(
    "INSERT INTO sys_outbox (entity, record, version, event, changed, actor, chain, schema_version, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
);

fn binds(now: DateTime, event: &NewEvent, record: i64) -> Vec<Bind> {
    vec![
        text(event.entity_uid.as_str()),
        int(record),
        int(event.version),
        text(event.event.as_str()),
        text(event.changed_json.as_str()),
        int(event.actor),
        text(event.chain_json.as_str()),
        int(event.schema_version),
        at(now),
    ]
}

/// Writes an event and wakes those who wait for [`Store::signals`] after the commit.
pub async fn append(tx: &mut Tx, event: &NewEvent) -> Result<(), StoreError> {
    let insert = APPEND.statement(tx.dialect(), binds(tx.now(), event, event.record.0));
    tx.execute(&insert).await?;
    tx.wake();
    Ok(())
}

static APPEND_TOGETHER: Fixed = Fixed::new(
    "INSERT INTO sys_outbox (entity, record, version, event, changed, actor, chain, schema_version, at, records, seq) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(max(seq), 0) FROM sys_outbox) + ?)",
);

/// [`append`] for events of different records of one unit. On SQLite those that differ in nothing but the record become
/// one row, which takes a position for each of them.
pub async fn append_all(tx: &mut Tx, events: &[&NewEvent]) -> Result<(), StoreError> {
    let now = tx.now();
    if tx.dialect() == Dialect::Postgres {
        let inserts: Vec<Statement> =
            events.iter().map(|event| APPEND.statement(Dialect::Postgres, binds(now, event, event.record.0))).collect();
        tx.insert_rows(&inserts.iter().collect::<Vec<_>>()).await?;
    } else {
        for (event, records) in alike(events) {
            let list = serde_json::Value::from(records.clone()).to_string();
            let mut binds = binds(now, event, 0);
            binds.extend([text(list.as_str()), int(records.len() as i64)]);
            tx.execute(&APPEND_TOGETHER.statement(Dialect::Sqlite, binds)).await?;
        }
    }
    tx.wake();
    Ok(())
}

/// Events that differ in nothing but the record, in the order in which the first of each kind comes.
fn alike<'e>(events: &[&'e NewEvent]) -> Vec<(&'e NewEvent, Vec<i64>)> {
    let mut kinds: Vec<(&NewEvent, Vec<i64>)> = Vec::new();
    for event in events {
        match kinds.iter_mut().rev().find(|(known, _)| is_alike(known, event)) {
            Some((_, records)) => records.push(event.record.0),
            None => kinds.push((event, vec![event.record.0])),
        }
    }
    kinds
}

/// Only the records differ.
fn is_alike(one: &NewEvent, other: &NewEvent) -> bool {
    let parts = |event: &NewEvent| (event.version, event.actor, event.schema_version);
    fn texts(event: &NewEvent) -> [&str; 4] {
        let NewEvent { changed_json, entity_uid, event, chain_json, .. } = event;
        [changed_json, entity_uid, event, chain_json].map(String::as_str)
    }
    parts(one) == parts(other) && texts(one) == texts(other)
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 11] = [INT, TEXT, INT, INT, TEXT, TEXT, INT, TEXT, INT, AT, TEXT];

/// Events after `since`. `settled` (PostgreSQL) is the transaction before which all of this workspace have ended.
fn select_since(settled: Option<i64>, since: i64, limit: u32) -> Sql {
    let mut sql = Sql::template(
        "SELECT seq, entity, record, version, event, changed, actor, chain, schema_version, at, records FROM sys_outbox WHERE seq > ?",
        [int(since)],
    );
    if let Some(settled) = settled {
        sql.push(" AND ").append(before(settled));
    }
    sql.push(" ORDER BY seq LIMIT ").number(i64::from(limit));
    sql
}

/// Rows of later transactions wait: an older one that still runs may yet commit a smaller seq.
fn before(settled: i64) -> Sql {
    Sql::template("tx < CAST(? AS xid8)", [text(settled.to_string().as_str())])
}

/// The next transaction number, and the smallest one of a unit of work of this workspace that runs. Units hold the
/// advisory lock `lock` from before their first write, so that writers of other workspaces do not matter. Asked in a
/// statement of its own: whatever is over by now is visible to the next statement.
fn running(lock: i64) -> Sql {
    let (high, low) = ((lock >> 32) & 0xffff_ffff, lock & 0xffff_ffff);
    let mut sql = Sql::new(
        "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint), \
         min(CAST(CAST(held.transactionid AS text) AS bigint)) FROM pg_locks AS held \
         WHERE held.locktype = 'transactionid' AND held.granted AND held.mode = 'ExclusiveLock' AND held.pid <> pg_backend_pid() \
         AND held.pid IN (SELECT unit.pid FROM pg_locks AS unit WHERE unit.locktype = 'advisory' AND unit.granted \
         AND unit.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND unit.classid = CAST(",
    );
    sql.number(high).push(" AS oid) AND unit.objid = CAST(").number(low);
    sql.push(" AS oid) AND unit.objsubid = 1)");
    sql
}

/// `pg_locks` has the lower 32 bits of transaction numbers.
fn settled(row: Option<&[crate::base::Cell]>) -> i64 {
    let next = row.map_or(0, |row| read::int(row, 0));
    let Some(oldest) = row.and_then(|row| read::opt_int(row, 1)) else { return next };
    let whole = (next & !0xffff_ffff) | oldest;
    if whole > next { whole - (1 << 32) } else { whole }
}

/// Events after position `since`, oldest first. On PostgreSQL an event appears once no older unit of work runs, so that
/// a reader who remembers the last position misses none.
pub async fn since(store: &Store, since: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
    let settled = match store.advisory_lock() {
        Some(lock) => Some(settled(store.rows(running(lock), &[INT, INT]).await?.first())),
        None => None,
    };
    let rows = store.rows(select_since(settled, since, limit), &COLUMNS).await?;
    Ok(events(&rows, since, limit))
}

/// [`since`] inside a unit of work.
pub async fn since_in(tx: &mut Tx, since: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
    let settled = match tx.advisory_lock() {
        Some(lock) => Some(settled(tx.rows(running(lock), &[INT, INT]).await?.first())),
        None => None,
    };
    let rows = tx.rows(select_since(settled, since, limit), &COLUMNS).await?;
    Ok(events(&rows, since, limit))
}

/// The position of the last event before a moment, 0 when there is none.
pub async fn last_before(store: &Store, moment: DateTime) -> Result<i64, StoreError> {
    let rows = store.rows(Sql::template("SELECT max(seq) FROM sys_outbox WHERE at < ?", [at(moment)]), &[INT]).await?;
    Ok(rows.one_int().unwrap_or(0))
}

/// When the oldest event happened that is kept.
pub async fn oldest(store: &Store) -> Result<Option<DateTime>, StoreError> {
    let rows = store.rows(Sql::new("SELECT at FROM sys_outbox ORDER BY seq LIMIT 1"), &[AT]).await?;
    Ok(rows.first().map(|row| read::at(row, 0)))
}

/// The newest position, 0 when there is none.
pub async fn last_seq(store: &Store) -> Result<i64, StoreError> {
    let rows = store.rows(Sql::new("SELECT max(seq) FROM sys_outbox"), &[INT]).await?;
    Ok(rows.one_int().unwrap_or(0))
}

/// Where a reader begins who wants what happens from now on: no event that comes later has a position up to this one.
pub async fn settled_seq(store: &Store) -> Result<i64, StoreError> {
    let mut newest = Sql::new("SELECT max(seq) FROM sys_outbox");
    if let Some(lock) = store.advisory_lock() {
        let settled = settled(store.rows(running(lock), &[INT, INT]).await?.first());
        newest.push(" WHERE ").append(before(settled));
    }
    match store.rows(newest, &[INT]).await?.one_int() {
        Some(seq) => Ok(seq),
        // All that is settled is no longer kept.
        None => pruned(store).await,
    }
}

/// How many positions the slowest reader is behind the newest event, 0 when nobody reads.
pub async fn behind(store: &Store) -> Result<i64, StoreError> {
    let rows =
        store.rows(Sql::new("SELECT COALESCE((SELECT max(seq) FROM sys_outbox) - (SELECT min(seq) FROM sys_cursor), 0)"), &[INT]).await?;
    Ok(rows.one_int().unwrap_or(0).max(0))
}

/// How far the reader `name` has come (0 at first). Locks the position, so that two processes do not deliver the same events.
pub async fn cursor(tx: &mut Tx, name: &str) -> Result<i64, StoreError> {
    tx.run(Sql::template("INSERT INTO sys_cursor (name, seq) VALUES (?, 0) ON CONFLICT (name) DO NOTHING", [text(name)])).await?;
    let mut sql = Sql::template("SELECT seq FROM sys_cursor WHERE name = ?", [text(name)]);
    if tx.dialect() == Dialect::Postgres {
        sql.push(" FOR UPDATE");
    }
    Ok(tx.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// How far the reader `name` has come; `None` when there is none.
pub async fn position(store: &Store, name: &str) -> Result<Option<i64>, StoreError> {
    Ok(store.rows(Sql::template("SELECT seq FROM sys_cursor WHERE name = ?", [text(name)]), &[INT]).await?.one_int())
}

/// Lets the reader `name` begin with what comes from now on, where it has not begun.
pub async fn begin_reader(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    let newest = tx.rows(Sql::new("SELECT max(seq) FROM sys_outbox"), &[INT]).await?.one_int().unwrap_or(0);
    let sql = Sql::template("INSERT INTO sys_cursor (name, seq) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", [text(name), int(newest)]);
    tx.run(sql).await.map(|_| ())
}

/// The reader `name` reads no more: nothing is kept for it.
pub async fn end_reader(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_cursor WHERE name = ?", [text(name)])).await.map(|_| ())
}

/// Moves the reader `name` on.
pub async fn set_cursor(tx: &mut Tx, name: &str, seq: i64) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_cursor (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
        [text(name), int(seq)],
    ))
    .await?;
    Ok(())
}

/// Deletes events older than `before` that every named reader has passed, never the newest one (its position must not
/// be given again); looks at the `limit` oldest
/// alone: where a clock ran ahead, what comes after waits as well. Gives how many, and remembers up to where ([`pruned`]).
pub async fn prune(tx: &mut Tx, before: DateTime, limit: u32) -> Result<u64, StoreError> {
    let gone = Sql::template(
        "DELETE FROM sys_outbox WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM sys_outbox ORDER BY seq LIMIT ?) AS oldest \
         WHERE at < ? AND seq < (SELECT max(seq) FROM sys_outbox) AND seq <= COALESCE((SELECT min(seq) FROM sys_cursor), ?)) \
         RETURNING seq",
        [int(i64::from(limit)), at(before), int(i64::MAX)],
    );
    let rows = tx.rows(gone, &[INT]).await?;
    let Some(last) = rows.iter().map(|row| read::int(row, 0)).max() else { return Ok(0) };
    let rows_of_mark = tx.rows(mark(), &[TEXT]).await?;
    if read_mark(&rows_of_mark) < last {
        settings::set(tx, PRUNED, &last.to_string()).await?;
    }
    Ok(rows.iter().count() as u64)
}

const PRUNED: &str = "outbox.pruned";

/// The newest position that was deleted, 0 when none was: who has read less far has missed events. Ask after reading.
pub async fn pruned(store: &Store) -> Result<i64, StoreError> {
    Ok(read_mark(&store.rows(mark(), &[TEXT]).await?))
}

fn mark() -> Sql {
    Sql::template("SELECT value FROM sys_setting WHERE key = ?", [text(PRUNED)])
}

fn read_mark(rows: &Rows) -> i64 {
    rows.first().and_then(|row| read::text(row, 0).parse().ok()).unwrap_or(0)
}

/// The events of rows, those after position `since`, at most `limit`.
fn events(rows: &Rows, since: i64, limit: u32) -> Vec<Event> {
    let mut found = Vec::new();
    for row in rows.iter() {
        let event = event(row);
        let Some(records) = read::opt_text(row, 10) else {
            found.push(event);
            continue;
        };
        let records: Vec<i64> = serde_json::from_str(&records).unwrap_or_default();
        let first = event.seq - records.len() as i64 + 1;
        let each = records.into_iter().zip(first..).filter(|(_, seq)| *seq > since);
        let room = (limit as usize).saturating_sub(found.len());
        found.extend(each.take(room).map(|(record, seq)| Event { seq, record: RecordId(record), ..event.clone() }));
    }
    found.truncate(limit as usize);
    found
}

fn event(row: &[crate::base::Cell]) -> Event {
    Event {
        seq: read::int(row, 0),
        entity_uid: read::text(row, 1),
        record: RecordId(read::int(row, 2)),
        version: read::int(row, 3),
        event: read::text(row, 4),
        changed_json: read::text(row, 5),
        actor: read::int(row, 6),
        chain_json: read::text(row, 7),
        schema_version: read::int(row, 8),
        at: read::at(row, 9),
    }
}
