//! Decisions that were asked for: the request, everybody who was asked in it, and who stands in for whom meanwhile.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};
use crate::schema::catalog::ColumnKind;

/// The states of a request.
pub const STATES: [&str; 5] = ["running", "approved", "rejected", "withdrawn", "void"];

/// More requests of one record than this are not looked at.
const MOST: i64 = 200;

/// A decision that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub id: i64,
    /// Id of the approval in its entity, and the entity's uid.
    pub approval: String,
    pub entity: String,
    pub record: RecordId,
    pub state: String,
    /// Id of the step it is in, or ended in; empty where no step was needed.
    pub step: String,
    /// 0: those whom the step names; 1: those it escalates to; 2: administrators.
    pub level: i64,
    /// Who must approve in this step.
    pub need: i64,
    pub asked_by: i64,
    pub asked_at: DateTime,
    pub comment: Option<String>,
    /// JSON: the values that are decided on, by uid of the field.
    pub seen: String,
    pub due_at: Option<DateTime>,
    pub ended_at: Option<DateTime>,
    /// 0: the program.
    pub ended_by: i64,
    /// A word that says why it ended so: `values`, `deleted`, `time`, `definition`, `nobody`.
    pub reason: Option<String>,
    /// The run of an automation that waits for it.
    pub run: Option<i64>,
}

/// One person who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub id: i64,
    pub request: i64,
    pub step: String,
    pub person: RecordId,
    /// `waiting`, `approved`, `rejected`, `handed_on`, `late`, `gone` or `over` (the others have decided).
    pub state: String,
    /// Why this person: `named`, `handed_on`, `escalated`, `nobody` (nobody else may decide).
    pub why: String,
    /// Who handed it on; 0 for nobody.
    pub origin: i64,
    /// Who decided: the person, or who stands in for them.
    pub decided_by: i64,
    pub comment: Option<String>,
    pub asked_at: DateTime,
    pub decided_at: Option<DateTime>,
}

/// Somebody decides for another one, from then until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    pub id: i64,
    pub person: RecordId,
    pub stand_in: RecordId,
    pub from_at: DateTime,
    pub until_at: DateTime,
    pub made_by: i64,
}

const REQUEST: &str = "SELECT id, approval, entity, record, state, step, level, need, asked_by, asked_at, comment, seen, due_at, ended_at, \
    ended_by, reason, run FROM sys_approval ";
const REQUEST_COLUMNS: [ColumnKind; 17] = [INT, TEXT, TEXT, INT, TEXT, TEXT, INT, INT, INT, AT, TEXT, TEXT, AT, AT, INT, TEXT, INT];

fn request(row: &[Cell]) -> Request {
    Request {
        id: read::int(row, 0),
        approval: read::text(row, 1),
        entity: read::text(row, 2),
        record: RecordId(read::int(row, 3)),
        state: read::text(row, 4),
        step: read::text(row, 5),
        level: read::int(row, 6),
        need: read::int(row, 7),
        asked_by: read::int(row, 8),
        asked_at: read::at(row, 9),
        comment: read::opt_text(row, 10),
        seen: read::text(row, 11),
        due_at: read::opt_at(row, 12),
        ended_at: read::opt_at(row, 13),
        ended_by: read::int(row, 14),
        reason: read::opt_text(row, 15),
        run: read::opt_int(row, 16),
    }
}

fn of(more: Sql) -> Sql {
    let mut sql = Sql::new(REQUEST);
    sql.append(more);
    sql
}

fn by_id(id: i64) -> Sql {
    of(Sql::template("WHERE id = ?", [int(id)]))
}

fn by_record(record: RecordId) -> Sql {
    of(Sql::template("WHERE record = ? ORDER BY id DESC LIMIT ?", [int(record.0), int(MOST)]))
}

pub async fn get(store: &Store, id: i64) -> Result<Option<Request>, StoreError> {
    Ok(store.rows(by_id(id), &REQUEST_COLUMNS).await?.iter().map(request).next())
}

pub async fn get_in(tx: &mut Tx, id: i64) -> Result<Option<Request>, StoreError> {
    Ok(tx.rows(by_id(id), &REQUEST_COLUMNS).await?.iter().map(request).next())
}

/// The requests about a record, newest first.
pub async fn of_record(store: &Store, record: RecordId) -> Result<Vec<Request>, StoreError> {
    Ok(store.rows(by_record(record), &REQUEST_COLUMNS).await?.iter().map(request).collect())
}

/// [`of_record`] inside a unit of work.
pub async fn of_record_in(tx: &mut Tx, record: RecordId) -> Result<Vec<Request>, StoreError> {
    Ok(tx.rows(by_record(record), &REQUEST_COLUMNS).await?.iter().map(request).collect())
}

/// Requests about a record that are not decided.
pub async fn running_in(tx: &mut Tx, record: RecordId) -> Result<Vec<Request>, StoreError> {
    let sql = of(Sql::template("WHERE record = ? AND state = 'running' ORDER BY id", [int(record.0)]));
    Ok(tx.rows(sql, &REQUEST_COLUMNS).await?.iter().map(request).collect())
}

/// The request a step of a run waits for.
pub async fn of_run_in(tx: &mut Tx, run: i64, approval: &str) -> Result<Option<Request>, StoreError> {
    let sql = of(Sql::template("WHERE run = ? AND approval = ? ORDER BY id DESC LIMIT 1", [int(run), text(approval)]));
    Ok(tx.rows(sql, &REQUEST_COLUMNS).await?.iter().map(request).next())
}

/// Ids of requests that are not decided, above one, in order.
pub async fn running(store: &Store, after: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
    let sql = Sql::template(
        "SELECT id FROM sys_approval WHERE state = 'running' AND id > ? ORDER BY id LIMIT ?",
        [int(after), int(i64::from(limit))],
    );
    Ok(store.rows(sql, &[INT]).await?.iter().map(|row| read::int(row, 0)).collect())
}

/// Which requests somebody asks for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One of these people is to decide.
    Waiting(Vec<RecordId>),
    AskedBy(RecordId),
    DecidedBy(RecordId),
}

/// Newest first.
pub async fn list(store: &Store, wanted: &Wanted, before: Option<i64>, limit: u32) -> Result<Vec<Request>, StoreError> {
    let before = int(before.unwrap_or(i64::MAX));
    let mut sql = of(Sql::template("WHERE id < ? AND ", [before]));
    match wanted {
        Wanted::Waiting(people) => {
            sql.push("state = 'running' AND id IN (SELECT request FROM sys_approval_part WHERE state = 'waiting' AND person IN ");
            sql.bind_list(INT, people.iter().map(|person| Cell::Int(person.0))).push(")");
        }
        Wanted::AskedBy(person) => {
            sql.append(Sql::template("asked_by = ?", [int(person.0)]));
        }
        Wanted::DecidedBy(person) => {
            let binds = [int(person.0)];
            sql.append(Sql::template("id IN (SELECT request FROM sys_approval_part WHERE decided_by = ? AND decided_by <> 0)", binds));
        }
    }
    sql.append(Sql::template(" ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &REQUEST_COLUMNS).await?.iter().map(request).collect())
}

const PART: &str =
    "SELECT id, request, step, person, state, why, origin, decided_by, comment, asked_at, decided_at FROM sys_approval_part ";
const PART_COLUMNS: [ColumnKind; 11] = [INT, INT, TEXT, INT, TEXT, TEXT, INT, INT, TEXT, AT, AT];

fn part(row: &[Cell]) -> Part {
    Part {
        id: read::int(row, 0),
        request: read::int(row, 1),
        step: read::text(row, 2),
        person: RecordId(read::int(row, 3)),
        state: read::text(row, 4),
        why: read::text(row, 5),
        origin: read::int(row, 6),
        decided_by: read::int(row, 7),
        comment: read::opt_text(row, 8),
        asked_at: read::at(row, 9),
        decided_at: read::opt_at(row, 10),
    }
}

fn parts_of(requests: &[i64]) -> Sql {
    let mut sql = Sql::new(PART);
    sql.push("WHERE request IN ").bind_list(INT, requests.iter().map(|id| Cell::Int(*id))).push(" ORDER BY id");
    sql
}

/// Everybody who was asked in these requests, in order.
pub async fn parts(store: &Store, requests: &[i64]) -> Result<Vec<Part>, StoreError> {
    Ok(store.rows(parts_of(requests), &PART_COLUMNS).await?.iter().map(part).collect())
}

pub async fn parts_in(tx: &mut Tx, requests: &[i64]) -> Result<Vec<Part>, StoreError> {
    Ok(tx.rows(parts_of(requests), &PART_COLUMNS).await?.iter().map(part).collect())
}

/// Writes a request.
pub async fn insert(tx: &mut Tx, new: &Request) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_approval (id, approval, entity, record, state, step, level, need, asked_by, asked_at, comment, seen, due_at, \
         ended_at, ended_by, reason, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(new.id),
            text(new.approval.as_str()),
            text(new.entity.as_str()),
            int(new.record.0),
            text(new.state.as_str()),
            text(new.step.as_str()),
            int(new.level),
            int(new.need),
            int(new.asked_by),
            at(new.asked_at),
            text(new.comment.as_deref()),
            text(new.seen.as_str()),
            at(new.due_at),
            at(new.ended_at),
            int(new.ended_by),
            text(new.reason.as_deref()),
            int(new.run),
        ],
    ))
    .await?;
    Ok(())
}

/// Asks somebody.
pub async fn ask(tx: &mut Tx, request: i64, step: &str, person: RecordId, why: &str, origin: i64) -> Result<(), StoreError> {
    let (id, now) = (tx.mint().next().0, tx.now());
    tx.run(Sql::template(
        "INSERT INTO sys_approval_part (id, request, step, person, state, why, origin, decided_by, asked_at) \
         VALUES (?, ?, ?, ?, 'waiting', ?, ?, 0, ?)",
        [int(id), int(request), text(step), int(person.0), text(why), int(origin), at(now)],
    ))
    .await?;
    Ok(())
}

/// What became of somebody's part; `false` when it was none that waits any more.
pub async fn settle(tx: &mut Tx, part: i64, state: &str, by: i64, comment: Option<&str>) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_approval_part SET state = ?, decided_by = ?, comment = ?, decided_at = ? WHERE id = ? AND state = 'waiting'",
        [text(state), int(by), text(comment), at(now), int(part)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Those who have not decided need not any more.
pub async fn settle_rest(tx: &mut Tx, request: i64, state: &str) -> Result<(), StoreError> {
    let sql = Sql::template("UPDATE sys_approval_part SET state = ? WHERE request = ? AND state = 'waiting'", [text(state), int(request)]);
    tx.run(sql).await?;
    Ok(())
}

/// Where a request stands now.
pub async fn go_on(tx: &mut Tx, id: i64, step: &str, level: i64, need: i64, due_at: Option<DateTime>) -> Result<(), StoreError> {
    let sql = Sql::template(
        "UPDATE sys_approval SET step = ?, level = ?, need = ?, due_at = ? WHERE id = ? AND state = 'running'",
        [text(step), int(level), int(need), at(due_at), int(id)],
    );
    tx.run(sql).await?;
    Ok(())
}

/// Ends a request; `false` when it had ended.
pub async fn end(tx: &mut Tx, id: i64, state: &str, by: i64, reason: Option<&str>) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_approval SET state = ?, ended_at = ?, ended_by = ?, reason = ?, due_at = NULL WHERE id = ? AND state = 'running'",
        [text(state), at(now), int(by), text(reason), int(id)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Forgets what was asked about a record that is gone for good.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_approval_part WHERE request IN (SELECT id FROM sys_approval WHERE record = ?)", [int(record.0)]))
        .await?;
    tx.run(Sql::template("DELETE FROM sys_approval WHERE record = ?", [int(record.0)])).await?;
    Ok(())
}

/// Empties what people wrote freely, and the values that were decided on: nothing that was approved counts any more.
pub async fn empty(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "UPDATE sys_approval_part SET comment = NULL WHERE request IN (SELECT id FROM sys_approval WHERE record = ?)",
        [int(record.0)],
    ))
    .await?;
    tx.run(Sql::template("UPDATE sys_approval SET comment = NULL, seen = '' WHERE record = ?", [int(record.0)])).await?;
    Ok(())
}

const STAND_IN: &str = "SELECT id, person, stand_in, from_at, until_at, made_by FROM sys_stand_in ";
const STAND_IN_COLUMNS: [ColumnKind; 6] = [INT, INT, INT, AT, AT, INT];

fn stand_in(row: &[Cell]) -> StandIn {
    StandIn {
        id: read::int(row, 0),
        person: RecordId(read::int(row, 1)),
        stand_in: RecordId(read::int(row, 2)),
        from_at: read::at(row, 3),
        until_at: read::at(row, 4),
        made_by: read::int(row, 5),
    }
}

fn about(person: RecordId, now: DateTime) -> Sql {
    let mut sql = Sql::new(STAND_IN);
    let binds = [int(person.0), int(person.0), at(now)];
    sql.append(Sql::template("WHERE (person = ? OR stand_in = ?) AND until_at > ? ORDER BY from_at, id LIMIT 200", binds));
    sql
}

/// Who stands in for somebody and for whom they do, now or later.
pub async fn stand_ins(store: &Store, person: RecordId, now: DateTime) -> Result<Vec<StandIn>, StoreError> {
    Ok(store.rows(about(person, now), &STAND_IN_COLUMNS).await?.iter().map(stand_in).collect())
}

pub async fn stand_ins_in(tx: &mut Tx, person: RecordId) -> Result<Vec<StandIn>, StoreError> {
    let now = tx.now();
    Ok(tx.rows(about(person, now), &STAND_IN_COLUMNS).await?.iter().map(stand_in).collect())
}

/// Who stands in for these people now.
pub async fn standing_in(tx: &mut Tx, people: &[RecordId]) -> Result<Vec<i64>, StoreError> {
    let now = tx.now();
    let mut sql =
        Sql::template("SELECT DISTINCT stand_in FROM sys_stand_in WHERE from_at <= ? AND until_at > ? AND person IN ", [at(now), at(now)]);
    sql.bind_list(INT, people.iter().map(|person| Cell::Int(person.0)));
    Ok(tx.rows(sql, &[INT]).await?.iter().map(|row| read::int(row, 0)).collect())
}

pub async fn stand_in_of(tx: &mut Tx, id: i64) -> Result<Option<StandIn>, StoreError> {
    let mut sql = Sql::new(STAND_IN);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(tx.rows(sql, &STAND_IN_COLUMNS).await?.iter().map(stand_in).next())
}

pub async fn add_stand_in(tx: &mut Tx, new: &StandIn) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_stand_in (id, person, stand_in, from_at, until_at, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [int(new.id), int(new.person.0), int(new.stand_in.0), at(new.from_at), at(new.until_at), int(new.made_by), at(now)],
    ))
    .await?;
    Ok(())
}

pub async fn end_stand_in(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    Ok(tx.run(Sql::template("DELETE FROM sys_stand_in WHERE id = ?", [int(id)])).await? == 1)
}
