//! Claims that people filed on records, and what became of them.

use super::read::{self, AT, BOOL, INT, TEXT};
use super::sql::{at, flag, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};
use crate::schema::catalog::ColumnKind;

/// The states of a claim: those behind the second are over.
pub const STATES: [&str; 8] = ["protected", "contested", "refused", "expired", "withdrawn", "lost", "deleted", "void"];

/// More claims of one record than this are not looked at.
const MOST: i64 = 100;

/// A claim on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub id: i64,
    /// Id of the registration in its entity, and the entity's uid.
    pub registration: String,
    pub entity: String,
    pub record: RecordId,
    pub filer: RecordId,
    pub state: String,
    pub filed_at: DateTime,
    /// Until when it is protected, or was.
    pub until_at: Option<DateTime>,
    /// How often it was extended.
    pub extended: i64,
    /// Claims it met when it was filed.
    pub against: Vec<i64>,
    pub comment: Option<String>,
    pub ended_at: Option<DateTime>,
    /// Who decided or ended it; 0 is the program.
    pub ended_by: i64,
    pub reason: Option<String>,
    pub warned: bool,
}

const CLAIM: &str = "SELECT id, registration, entity, record, filer, state, filed_at, until_at, extended, against, comment, ended_at, \
    ended_by, reason, warned FROM sys_registration ";
const COLUMNS: [ColumnKind; 15] = [INT, TEXT, TEXT, INT, INT, TEXT, AT, AT, INT, TEXT, TEXT, AT, INT, TEXT, BOOL];

fn claim(row: &[Cell]) -> Claim {
    Claim {
        id: read::int(row, 0),
        registration: read::text(row, 1),
        entity: read::text(row, 2),
        record: RecordId(read::int(row, 3)),
        filer: RecordId(read::int(row, 4)),
        state: read::text(row, 5),
        filed_at: read::at(row, 6),
        until_at: read::opt_at(row, 7),
        extended: read::int(row, 8),
        against: read::text(row, 9).split(',').filter_map(|id| id.parse().ok()).collect(),
        comment: read::opt_text(row, 10),
        ended_at: read::opt_at(row, 11),
        ended_by: read::int(row, 12),
        reason: read::opt_text(row, 13),
        warned: read::flag(row, 14),
    }
}

fn claims(more: Sql) -> Sql {
    let mut sql = Sql::new(CLAIM);
    sql.append(more);
    sql
}

fn ids_text(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

pub async fn get(store: &Store, id: i64) -> Result<Option<Claim>, StoreError> {
    Ok(store.rows(claims(Sql::template("WHERE id = ?", [int(id)])), &COLUMNS).await?.iter().map(claim).next())
}

pub async fn get_in(tx: &mut Tx, id: i64) -> Result<Option<Claim>, StoreError> {
    Ok(tx.rows(claims(Sql::template("WHERE id = ?", [int(id)])), &COLUMNS).await?.iter().map(claim).next())
}

pub async fn some(store: &Store, ids: &[i64]) -> Result<Vec<Claim>, StoreError> {
    let mut sql = Sql::new(CLAIM);
    sql.push("WHERE id IN ").bind_list(INT, ids.iter().map(|id| Cell::Int(*id)));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

fn claims_on(record: RecordId) -> Sql {
    claims(Sql::template("WHERE record = ? ORDER BY id DESC LIMIT ?", [int(record.0), int(MOST)]))
}

/// The claims on a record, newest first.
pub async fn of_record(store: &Store, record: RecordId) -> Result<Vec<Claim>, StoreError> {
    Ok(store.rows(claims_on(record), &COLUMNS).await?.iter().map(claim).collect())
}

/// The claims on a record, newest first, as the transaction sees them.
pub async fn of_record_in(tx: &mut Tx, record: RecordId) -> Result<Vec<Claim>, StoreError> {
    Ok(tx.rows(claims_on(record), &COLUMNS).await?.iter().map(claim).collect())
}

/// Those on a record that are not over.
pub async fn live_in(tx: &mut Tx, record: RecordId) -> Result<Vec<Claim>, StoreError> {
    let sql = claims(Sql::template("WHERE record = ? AND state IN ('protected', 'contested') ORDER BY id", [int(record.0)]));
    Ok(tx.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

/// Those on some records that are protected now.
pub async fn protected_in(tx: &mut Tx, registration: &str, records: &[RecordId]) -> Result<Vec<Claim>, StoreError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let mut sql = claims(Sql::template(
        "WHERE state = 'protected' AND registration = ? AND until_at > ? AND record IN ",
        [text(registration), at(now)],
    ));
    sql.bind_list(INT, records.iter().map(|record| Cell::Int(record.0))).push(" ORDER BY id");
    Ok(tx.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

/// What somebody filed, newest first.
pub async fn filed_by(store: &Store, person: RecordId, before: Option<i64>, limit: u32) -> Result<Vec<Claim>, StoreError> {
    let binds = [int(person.0), int(before.unwrap_or(i64::MAX)), int(i64::from(limit))];
    let sql = claims(Sql::template("WHERE filer = ? AND id < ? ORDER BY id DESC LIMIT ?", binds));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

/// What waits for a decision in these registrations (uid of the entity, id), newest first.
pub async fn contested(store: &Store, of: &[(String, String)], before: Option<i64>, limit: u32) -> Result<Vec<Claim>, StoreError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = claims(Sql::template("WHERE state = 'contested' AND id < ? AND (", [int(before.unwrap_or(i64::MAX))]));
    sql.join(" OR ", of.iter().map(|(entity, id)| Sql::template("(entity = ? AND registration = ?)", [text(&**entity), text(&**id)])));
    sql.append(Sql::template(") ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

/// Protected ones whose time is over at a moment.
pub async fn ending(store: &Store, moment: DateTime, limit: u32) -> Result<Vec<Claim>, StoreError> {
    let binds = [at(moment), int(i64::from(limit))];
    let sql = claims(Sql::template("WHERE state = 'protected' AND until_at <= ? ORDER BY until_at LIMIT ?", binds));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(claim).collect())
}

/// Protected ones of a registration that end before a moment and whose filers were not told.
pub async fn untold(store: &Store, (entity, id): (&str, &str), moment: DateTime, limit: u32) -> Result<Vec<Claim>, StoreError> {
    let binds = [at(moment), text(entity), text(id), int(i64::from(limit))];
    let sql = "WHERE state = 'protected' AND until_at <= ? AND entity = ? AND registration = ? AND NOT warned ORDER BY until_at LIMIT ?";
    Ok(store.rows(claims(Sql::template(sql, binds)), &COLUMNS).await?.iter().map(claim).collect())
}

pub async fn insert(tx: &mut Tx, new: &Claim) -> Result<(), StoreError> {
    let against = ids_text(&new.against);
    tx.run(Sql::template(
        "INSERT INTO sys_registration (id, registration, entity, record, filer, state, filed_at, until_at, extended, against, comment, \
         ended_at, ended_by, reason, warned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(new.id),
            text(&*new.registration),
            text(&*new.entity),
            int(new.record.0),
            int(new.filer.0),
            text(&*new.state),
            at(new.filed_at),
            at(new.until_at),
            int(new.extended),
            text(&*against),
            text(new.comment.as_deref()),
            at(new.ended_at),
            int(new.ended_by),
            text(new.reason.as_deref()),
            flag(new.warned),
        ],
    ))
    .await
    .map(|_| ())
}

/// It is protected until then.
pub async fn protect(tx: &mut Tx, id: i64, until: DateTime, by: i64, reason: Option<&str>) -> Result<bool, StoreError> {
    let sql = "UPDATE sys_registration SET state = 'protected', until_at = ?, ended_by = ?, reason = ?, warned = ? WHERE id = ? AND state = 'contested'";
    Ok(tx.run(Sql::template(sql, [at(until), int(by), text(reason), flag(false), int(id)])).await? > 0)
}

/// It is protected for longer.
pub async fn extend(tx: &mut Tx, id: i64, until: DateTime) -> Result<bool, StoreError> {
    let sql = "UPDATE sys_registration SET until_at = ?, extended = extended + 1, warned = ? WHERE id = ? AND state = 'protected'";
    Ok(tx.run(Sql::template(sql, [at(until), flag(false), int(id)])).await? > 0)
}

/// Its filer was told that it ends soon.
pub async fn warn(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE sys_registration SET warned = ? WHERE id = ? AND state = 'protected' AND NOT warned";
    Ok(tx.run(Sql::template(sql, [flag(true), int(id)])).await? > 0)
}

/// It is over; `false` where it was already.
pub async fn end(tx: &mut Tx, id: i64, state: &str, by: i64, reason: Option<&str>) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "UPDATE sys_registration SET state = ?, ended_at = ?, ended_by = ?, reason = ? WHERE id = ? AND state IN ('protected', 'contested')";
    Ok(tx.run(Sql::template(sql, [text(state), at(now), int(by), text(reason), int(id)])).await? > 0)
}

/// Removes what people wrote about a record.
pub async fn empty(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    let sql = "UPDATE sys_registration SET comment = NULL, reason = NULL WHERE record = ?";
    tx.run(Sql::template(sql, [int(record.0)])).await.map(|_| ())
}

/// Removes the claims on a record.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_registration WHERE record = ?", [int(record.0)])).await.map(|_| ())
}
