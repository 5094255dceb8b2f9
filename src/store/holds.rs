//! Who holds which record of a public pool, how many each person holds, and who held what before.
//!
//! The number somebody holds is a row of its own that is changed with each record they get or lose, in the same transaction: who
//! wants one more waits for that row, so a cap is exact however many ask at once, and nothing is ever counted.

use super::read::{self, AT, BOOL, INT, TEXT};
use super::sql::{at, flag, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};
use crate::schema::catalog::ColumnKind;

/// A record somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub record: RecordId,
    /// Uid of the entity, and the pool's id in it.
    pub entity: String,
    pub pool: String,
    pub person: RecordId,
    pub since: DateTime,
    /// When the holder last did something that counts.
    pub active_at: DateTime,
    /// Until when nobody takes it away.
    pub kept_until: DateTime,
    /// The holder was told that it goes back soon.
    pub warned: bool,
}

/// What somebody holds of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub person: RecordId,
    pub held: i64,
    /// Claimed today.
    pub claimed: i64,
    /// When something was last handed out to them.
    pub given_at: Option<DateTime>,
}

/// Somebody held it once, or still does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub id: i64,
    pub pool: String,
    pub person: RecordId,
    pub from_at: DateTime,
    /// `claimed`, `handed_out`, `assigned`, `made`, `restored`, `came` (the record came to belong to the pool).
    pub got: String,
    /// 0: the program.
    pub got_by: i64,
    pub until_at: Option<DateTime>,
    /// `returned`, `reclaimed`, `taken_back`, `handed_over`, `left` (it belongs to the pool no more), `deleted`.
    pub lost: Option<String>,
    pub lost_by: i64,
    pub reason: Option<String>,
}

/// How much somebody may hold, and claim on one day.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    pub cap: Option<i64>,
    /// Where they claim it: the day, and how many on one.
    pub claiming: Option<(&'a str, Option<i64>)>,
    /// The day it is.
    pub today: &'a str,
}

const HOLD: &str = "SELECT record, entity, pool, person, since, active_at, kept_until, warned FROM sys_hold ";
const HOLD_COLUMNS: [ColumnKind; 8] = [INT, TEXT, TEXT, INT, AT, AT, AT, BOOL];

fn hold(row: &[Cell]) -> Hold {
    Hold {
        record: RecordId(read::int(row, 0)),
        entity: read::text(row, 1),
        pool: read::text(row, 2),
        person: RecordId(read::int(row, 3)),
        since: read::at(row, 4),
        active_at: read::at(row, 5),
        kept_until: read::at(row, 6),
        warned: read::flag(row, 7),
    }
}

fn holds(more: Sql) -> Sql {
    let mut sql = Sql::new(HOLD);
    sql.append(more);
    sql
}

pub async fn get(store: &Store, record: RecordId) -> Result<Option<Hold>, StoreError> {
    let sql = holds(Sql::template("WHERE record = ?", [int(record.0)]));
    Ok(store.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).next())
}

pub async fn get_in(tx: &mut Tx, record: RecordId) -> Result<Option<Hold>, StoreError> {
    let sql = holds(Sql::template("WHERE record = ?", [int(record.0)]));
    Ok(tx.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).next())
}

/// Those of an entity among these records.
pub async fn among_in(tx: &mut Tx, records: &[RecordId]) -> Result<Vec<Hold>, StoreError> {
    let mut sql = Sql::new(HOLD);
    sql.push("WHERE record IN ").bind_list(INT, records.iter().map(|record| Cell::Int(record.0)));
    Ok(tx.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).collect())
}

/// What somebody holds, that which goes back first before the others.
pub async fn of_person(store: &Store, entity: &str, pool: &str, person: RecordId, limit: u32) -> Result<Vec<Hold>, StoreError> {
    let sql = holds(Sql::template(
        "WHERE person = ? AND entity = ? AND pool = ? ORDER BY active_at, record LIMIT ?",
        [int(person.0), text(entity), text(pool), int(i64::from(limit))],
    ));
    Ok(store.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).collect())
}

/// Those of a pool without activity since `before` that nothing keeps, the oldest first.
pub async fn silent(
    store: &Store,
    (entity, pool): (&str, &str),
    before: DateTime,
    kept: DateTime,
    limit: u32,
) -> Result<Vec<Hold>, StoreError> {
    let sql = holds(Sql::template(
        "WHERE entity = ? AND pool = ? AND active_at <= ? AND kept_until <= ? ORDER BY active_at LIMIT ?",
        [text(entity), text(pool), at(before), at(kept), int(i64::from(limit))],
    ));
    Ok(store.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).collect())
}

/// [`silent`] whose holders were not told yet.
pub async fn untold(
    store: &Store,
    (entity, pool): (&str, &str),
    before: DateTime,
    kept: DateTime,
    limit: u32,
) -> Result<Vec<Hold>, StoreError> {
    let sql = holds(Sql::template(
        "WHERE NOT warned AND entity = ? AND pool = ? AND active_at <= ? AND kept_until <= ? ORDER BY active_at LIMIT ?",
        [text(entity), text(pool), at(before), at(kept), int(i64::from(limit))],
    ));
    Ok(store.rows(sql, &HOLD_COLUMNS).await?.iter().map(hold).collect())
}

/// Notes that the holder was told; `false` where somebody else did meanwhile, or it is held no more.
pub async fn warn(tx: &mut Tx, known: &Hold) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "UPDATE sys_hold SET warned = ? WHERE record = ? AND person = ? AND active_at = ? AND NOT warned",
        [flag(true), int(known.record.0), int(known.person.0), at(known.active_at)],
    );
    Ok(tx.run(sql).await? > 0)
}

/// The holder did something that counts.
pub async fn touch(tx: &mut Tx, entity: &str, pool: &str, record: RecordId, person: RecordId) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_hold SET active_at = ?, warned = ? WHERE record = ? AND person = ? AND entity = ? AND pool = ?",
        [at(now), flag(false), int(record.0), int(person.0), text(entity), text(pool)],
    );
    tx.run(sql).await.map(|_| ())
}

/// Keeps it where it is for a while.
pub async fn keep(tx: &mut Tx, record: RecordId, until: DateTime) -> Result<(), StoreError> {
    let sql = Sql::template("UPDATE sys_hold SET kept_until = ? WHERE record = ?", [at(until), int(record.0)]);
    tx.run(sql).await.map(|_| ())
}

/// Somebody holds it from now on.
pub async fn begin(tx: &mut Tx, new: &Hold, got: &str, by: i64) -> Result<(), StoreError> {
    let place = || [int(new.record.0), text(&*new.entity), text(&*new.pool), int(new.person.0), at(new.since)];
    let mut binds = place().to_vec();
    binds.extend([at(new.active_at), at(new.kept_until), flag(new.warned)]);
    let sql = "INSERT INTO sys_hold (record, entity, pool, person, since, active_at, kept_until, warned) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    tx.run(Sql::template(sql, binds)).await?;
    let mut binds = vec![int(tx.mint().next().0)];
    binds.extend(place());
    binds.extend([text(got), int(by)]);
    let sql = "INSERT INTO sys_hold_past (id, record, entity, pool, person, from_at, got, got_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    tx.run(Sql::template(sql, binds)).await.map(|_| ())
}

/// Nobody holds it any more.
pub async fn end(tx: &mut Tx, record: RecordId, lost: &str, by: i64, reason: Option<&str>) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_hold WHERE record = ?", [int(record.0)])).await?;
    let now = tx.now();
    let sql = "UPDATE sys_hold_past SET until_at = ?, lost = ?, lost_by = ?, reason = ? WHERE record = ? AND until_at IS NULL";
    tx.run(Sql::template(sql, [at(now), text(lost), int(by), text(reason), int(record.0)])).await.map(|_| ())
}

/// Counts one more for somebody; `false` where they hold or took as many as they may.
pub async fn count_up(tx: &mut Tx, (entity, pool): (&str, &str), person: RecordId, limits: &Limits<'_>) -> Result<bool, StoreError> {
    let cap = limits.cap.unwrap_or(i64::MAX);
    if cap < 1 {
        return Ok(false);
    }
    let claimed = i64::from(limits.claiming.is_some());
    let per_day = limits.claiming.and_then(|(_, most)| most).unwrap_or(i64::MAX);
    let sql = Sql::template(
        "INSERT INTO sys_hold_count (entity, pool, person, held, day, claimed) VALUES (?, ?, ?, 1, ?, ?) \
         ON CONFLICT (entity, pool, person) DO UPDATE SET held = sys_hold_count.held + 1, day = excluded.day, \
         claimed = CASE WHEN sys_hold_count.day = excluded.day THEN sys_hold_count.claimed + excluded.claimed ELSE excluded.claimed END \
         WHERE sys_hold_count.held < ? AND (excluded.claimed = 0 OR sys_hold_count.day <> excluded.day OR sys_hold_count.claimed < ?)",
        [text(entity), text(pool), int(person.0), text(limits.today), int(claimed), int(cap), int(per_day)],
    );
    Ok(tx.run(sql).await? > 0)
}

/// Counts one less.
pub async fn count_down(tx: &mut Tx, entity: &str, pool: &str, person: RecordId) -> Result<(), StoreError> {
    let sql = Sql::template(
        "UPDATE sys_hold_count SET held = held - 1 WHERE entity = ? AND pool = ? AND person = ? AND held > 0",
        [text(entity), text(pool), int(person.0)],
    );
    tx.run(sql).await.map(|_| ())
}

/// Something was handed out to somebody.
pub async fn note_given(tx: &mut Tx, entity: &str, pool: &str, person: RecordId, moment: DateTime) -> Result<(), StoreError> {
    let sql = Sql::template(
        "UPDATE sys_hold_count SET given_at = ? WHERE entity = ? AND pool = ? AND person = ?",
        [at(moment), text(entity), text(pool), int(person.0)],
    );
    tx.run(sql).await.map(|_| ())
}

const COUNT: &str = "SELECT person, held, CASE WHEN day = ? THEN claimed ELSE 0 END, given_at FROM sys_hold_count ";
const COUNT_COLUMNS: [ColumnKind; 4] = [INT, INT, INT, AT];

fn count(row: &[Cell]) -> Count {
    Count { person: RecordId(read::int(row, 0)), held: read::int(row, 1), claimed: read::int(row, 2), given_at: read::opt_at(row, 3) }
}

fn counts(today: &str, more: Sql) -> Sql {
    let mut sql = Sql::template(COUNT, [text(today)]);
    sql.append(more);
    sql
}

/// What somebody holds of a pool.
pub async fn count_of(store: &Store, (entity, pool): (&str, &str), person: RecordId, today: &str) -> Result<Count, StoreError> {
    let more = Sql::template("WHERE entity = ? AND pool = ? AND person = ?", [text(entity), text(pool), int(person.0)]);
    let found = store.rows(counts(today, more), &COUNT_COLUMNS).await?.iter().map(count).next();
    Ok(found.unwrap_or(Count { person, held: 0, claimed: 0, given_at: None }))
}

/// [`count_of`] inside a unit of work.
pub async fn count_in(tx: &mut Tx, (entity, pool): (&str, &str), person: RecordId, today: &str) -> Result<Count, StoreError> {
    let more = Sql::template("WHERE entity = ? AND pool = ? AND person = ?", [text(entity), text(pool), int(person.0)]);
    let found = tx.rows(counts(today, more), &COUNT_COLUMNS).await?.iter().map(count).next();
    Ok(found.unwrap_or(Count { person, held: 0, claimed: 0, given_at: None }))
}

/// What everybody holds of a pool.
pub async fn counts_in(tx: &mut Tx, (entity, pool): (&str, &str), today: &str) -> Result<Vec<Count>, StoreError> {
    let more = Sql::template("WHERE entity = ? AND pool = ?", [text(entity), text(pool)]);
    Ok(tx.rows(counts(today, more), &COUNT_COLUMNS).await?.iter().map(count).collect())
}

/// When these records were last lost by each who had them. What went with the record itself does not count.
pub async fn lost_in(tx: &mut Tx, records: &[RecordId]) -> Result<Vec<(RecordId, RecordId, DateTime)>, StoreError> {
    let mut sql = Sql::new("SELECT record, person, max(until_at) FROM sys_hold_past WHERE lost NOT IN ('left', 'deleted') AND record IN ");
    sql.bind_list(INT, records.iter().map(|record| Cell::Int(record.0))).push(" GROUP BY record, person");
    let rows = tx.rows(sql, &[INT, INT, AT]).await?;
    Ok(rows.iter().map(|row| (RecordId(read::int(row, 0)), RecordId(read::int(row, 1)), read::at(row, 2))).collect())
}

/// Who held a record, newest first.
pub async fn past(store: &Store, record: RecordId, limit: u32) -> Result<Vec<Past>, StoreError> {
    let sql = Sql::template(
        "SELECT id, pool, person, from_at, got, got_by, until_at, lost, lost_by, reason FROM sys_hold_past WHERE record = ? \
         ORDER BY id DESC LIMIT ?",
        [int(record.0), int(i64::from(limit))],
    );
    let rows = store.rows(sql, &[INT, TEXT, INT, AT, TEXT, INT, AT, TEXT, INT, TEXT]).await?;
    let past = |row: &[Cell]| Past {
        id: read::int(row, 0),
        pool: read::text(row, 1),
        person: RecordId(read::int(row, 2)),
        from_at: read::at(row, 3),
        got: read::text(row, 4),
        got_by: read::int(row, 5),
        until_at: read::opt_at(row, 6),
        lost: read::opt_text(row, 7),
        lost_by: read::int(row, 8),
        reason: read::opt_text(row, 9),
    };
    Ok(rows.iter().map(past).collect())
}

/// Removes what people wrote about a record.
pub async fn empty(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template("UPDATE sys_hold_past SET reason = NULL WHERE record = ?", [int(record.0)])).await.map(|_| ())
}

/// Removes who held a record.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_hold_past WHERE record = ?", [int(record.0)])).await.map(|_| ())
}

/// Entities of which something is held, by uid, with the pool.
pub async fn pools(store: &Store) -> Result<Vec<(String, String)>, StoreError> {
    let rows = store.rows(Sql::new("SELECT DISTINCT entity, pool FROM sys_hold"), &[TEXT, TEXT]).await?;
    Ok(rows.iter().map(|row| (read::text(row, 0), read::text(row, 1))).collect())
}

/// Ends what is held of a pool that the definitions have no more, some at once. Gives how many there were.
pub async fn dissolve(tx: &mut Tx, entity: &str, pool: &str, limit: u32) -> Result<usize, StoreError> {
    let sql = Sql::template(
        "SELECT record FROM sys_hold WHERE entity = ? AND pool = ? ORDER BY record LIMIT ?",
        [text(entity), text(pool), int(i64::from(limit))],
    );
    let records: Vec<RecordId> = tx.rows(sql, &[INT]).await?.iter().map(|row| RecordId(read::int(row, 0))).collect();
    for record in &records {
        end(tx, *record, "left", 0, None).await?;
    }
    if records.len() < limit as usize {
        let sql = "DELETE FROM sys_hold_count WHERE entity = ? AND pool = ?";
        tx.run(Sql::template(sql, [text(entity), text(pool)])).await?;
    }
    Ok(records.len())
}
