//! Runs of automations: how far each has come, what its steps did, and which automations are paused. Values of records are
//! not kept here but in the job of a run, where erasing finds them.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, flag, int, text};
use super::{Rows, Sql, Store, StoreError, Tx};
use crate::base::DateTime;
use crate::schema::catalog::ColumnKind;

/// The states of a run. `waiting` goes on later, by itself or after a change of its record. `skipped` never began: its condition did not hold, it would have gone round in a circle, or the
/// automation is paused.
pub const STATES: [&str; 6] = ["running", "waiting", "done", "failed", "cancelled", "skipped"];

/// A run about to be written.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Uid of the automation, and its id at that time.
    pub automation: String,
    pub name: String,
    /// Slug of the record's entity.
    pub entity: String,
    pub record: i64,
    /// `created`, `updated`, `deleted`, `stage`.
    pub event: String,
    pub state: &'static str,
    pub reason: Option<String>,
    /// Id of the first step.
    pub step: Option<String>,
    /// JSON array of what led here.
    pub chain: String,
    pub actor: i64,
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: i64,
    pub automation: String,
    pub name: String,
    pub entity: String,
    pub record: i64,
    pub event: String,
    pub state: String,
    pub reason: Option<String>,
    /// The step that comes next; `None` when there is none.
    pub step: Option<String>,
    pub chain: String,
    pub actor: i64,
    pub began_at: DateTime,
    pub ended_at: Option<DateTime>,
    /// Until when it waits, or waited when it failed.
    pub wake_at: Option<DateTime>,
}

impl Run {
    /// Until when it waits; `None` where it does not.
    pub fn waits_until(&self) -> Option<DateTime> {
        self.wake_at.filter(|_| self.state == "waiting")
    }
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLine {
    pub seq: i64,
    pub step: String,
    /// `set`, `create` and so on.
    pub act: String,
    /// `done` or `failed`.
    pub state: String,
    /// JSON.
    pub input: String,
    pub output: String,
    pub reason: Option<String>,
    pub at: DateTime,
}

/// How often an automation began lately, and whether it is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    pub uid: String,
    pub paused_at: Option<DateTime>,
    pub reason: Option<String>,
    /// Events that passed while it was paused.
    pub passed: i64,
}

const RUN: &str = "SELECT id, automation, name, entity, record, event, state, reason, step, chain, actor, began_at, ended_at, wake_at \
    FROM sys_run ";
const RUN_COLUMNS: [ColumnKind; 14] = [INT, TEXT, TEXT, TEXT, INT, TEXT, TEXT, TEXT, TEXT, TEXT, INT, AT, AT, AT];

fn run(row: &[crate::base::Cell]) -> Run {
    Run {
        id: read::int(row, 0),
        automation: read::text(row, 1),
        name: read::text(row, 2),
        entity: read::text(row, 3),
        record: read::int(row, 4),
        event: read::text(row, 5),
        state: read::text(row, 6),
        reason: read::opt_text(row, 7),
        step: read::opt_text(row, 8),
        chain: read::text(row, 9),
        actor: read::int(row, 10),
        began_at: read::at(row, 11),
        ended_at: read::opt_at(row, 12),
        wake_at: read::opt_at(row, 13),
    }
}

fn first(rows: &Rows) -> Option<Run> {
    rows.iter().map(run).next()
}

/// Notes a run, or that there was none. A run has the id of the job that does it, another note one of its own.
pub async fn begin(tx: &mut Tx, job: Option<i64>, new: &NewRun) -> Result<i64, StoreError> {
    let id = job.unwrap_or_else(|| tx.mint().next().0);
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_run (id, automation, name, entity, record, event, state, reason, step, chain, actor, began_at, ended_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(id),
            text(new.automation.as_str()),
            text(new.name.as_str()),
            text(new.entity.as_str()),
            int(new.record),
            text(new.event.as_str()),
            text(new.state),
            text(new.reason.as_deref()),
            text(new.step.as_deref()),
            text(new.chain.as_str()),
            int(new.actor),
            at(now),
            at((new.state != "running").then_some(now)),
        ],
    ))
    .await?;
    Ok(id)
}

/// The run, inside the transaction of its next step.
pub async fn load(tx: &mut Tx, id: i64) -> Result<Option<Run>, StoreError> {
    let mut sql = Sql::new(RUN);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(first(&tx.rows(sql, &RUN_COLUMNS).await?))
}

pub async fn get(store: &Store, id: i64) -> Result<Option<Run>, StoreError> {
    let mut sql = Sql::new(RUN);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(first(&store.rows(sql, &RUN_COLUMNS).await?))
}

/// What runs are asked for; all that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Id of an automation.
    pub name: Option<String>,
    pub state: Option<String>,
    pub record: Option<i64>,
    /// Runs that began before this one.
    pub before: Option<i64>,
}

/// Newest first.
pub async fn list(store: &Store, filter: &Filter, limit: u32) -> Result<Vec<Run>, StoreError> {
    let mut sql = Sql::new(RUN);
    sql.append(Sql::template("WHERE id < ?", [int(filter.before.unwrap_or(i64::MAX))]));
    if let Some(name) = &filter.name {
        sql.append(Sql::template(" AND name = ?", [text(name.as_str())]));
    }
    if let Some(state) = &filter.state {
        sql.append(Sql::template(" AND state = ?", [text(state.as_str())]));
    }
    if let Some(record) = filter.record {
        sql.append(Sql::template(" AND record = ?", [int(record)]));
    }
    sql.append(Sql::template(" ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &RUN_COLUMNS).await?.iter().map(run).collect())
}

/// The steps of a run in order.
pub async fn steps(store: &Store, run: i64) -> Result<Vec<StepLine>, StoreError> {
    let sql =
        Sql::template("SELECT seq, step, act, state, input, output, reason, at FROM sys_run_step WHERE run = ? ORDER BY seq", [int(run)]);
    let rows = store.rows(sql, &[INT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, AT]).await?;
    let line = |row: &[crate::base::Cell]| StepLine {
        seq: read::int(row, 0),
        step: read::text(row, 1),
        act: read::text(row, 2),
        state: read::text(row, 3),
        input: read::text(row, 4),
        output: read::text(row, 5),
        reason: read::opt_text(row, 6),
        at: read::at(row, 7),
    };
    Ok(rows.iter().map(line).collect())
}

/// Writes down a step; gives how many steps the run has now.
pub async fn note(tx: &mut Tx, run: i64, line: &StepLine) -> Result<i64, StoreError> {
    let now = tx.now();
    let rows = tx
        .rows(
            Sql::template(
                "INSERT INTO sys_run_step (run, seq, step, act, state, input, output, reason, at) \
                 VALUES (?, (SELECT COALESCE(max(seq), 0) + 1 FROM sys_run_step WHERE run = ?), ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
                [
                    int(run),
                    int(run),
                    text(line.step.as_str()),
                    text(line.act.as_str()),
                    text(line.state.as_str()),
                    text(line.input.as_str()),
                    text(line.output.as_str()),
                    text(line.reason.as_deref()),
                    at(now),
                ],
            ),
            &[INT],
        )
        .await?;
    Ok(rows.one_int().unwrap_or(0))
}

/// Moves a run on to its next step.
pub async fn go_on(tx: &mut Tx, run: i64, step: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("UPDATE sys_run SET step = ?, state = 'running', wake_at = NULL WHERE id = ?", [text(step), int(run)])).await?;
    Ok(())
}

/// Lets a run wait at its step until a moment.
pub async fn wait(tx: &mut Tx, run: i64, until: DateTime) -> Result<(), StoreError> {
    tx.run(Sql::template("UPDATE sys_run SET state = 'waiting', wake_at = ? WHERE id = ?", [at(until), int(run)])).await?;
    Ok(())
}

/// Runs that wait, on one record.
pub async fn waiting(tx: &mut Tx, record: i64) -> Result<Vec<i64>, StoreError> {
    let rows =
        tx.rows(Sql::template("SELECT id FROM sys_run WHERE record = ? AND state = 'waiting' ORDER BY id", [int(record)]), &[INT]).await?;
    Ok(rows.iter().map(|row| read::int(row, 0)).collect())
}

/// Ends a run. One that failed remembers until when it waited: tried again, it does not wait anew.
pub async fn end(tx: &mut Tx, run: i64, state: &'static str, reason: Option<&str>) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_run SET state = ?, reason = ?, ended_at = ?, wake_at = CASE WHEN ? THEN wake_at END WHERE id = ?",
        [text(state), text(reason), at(now), flag(state == "failed"), int(run)],
    );
    tx.run(sql).await?;
    Ok(())
}

/// Has a run that failed go on with the step that failed.
pub async fn reopen(tx: &mut Tx, run: i64) -> Result<(), StoreError> {
    let sql =
        Sql::template("UPDATE sys_run SET state = 'running', reason = NULL, ended_at = NULL WHERE id = ? AND state = 'failed'", [int(run)]);
    tx.run(sql).await?;
    Ok(())
}

/// The job of a run was cancelled.
pub async fn cancel(tx: &mut Tx, run: i64) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_run SET state = 'cancelled', ended_at = ? WHERE id = ? AND state IN ('running', 'waiting', 'failed')",
        [at(now), int(run)],
    );
    tx.run(sql).await?;
    Ok(())
}

/// How many runs there are of each automation, by its id and state.
pub async fn counts(store: &Store) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows = store
        .rows(Sql::new("SELECT name, state, count(*) FROM sys_run GROUP BY name, state ORDER BY name, state"), &[TEXT, TEXT, INT])
        .await?;
    Ok(rows.iter().map(|row| (read::text(row, 0), read::text(row, 1), read::int(row, 2))).collect())
}

const BREAKER: &str = "SELECT uid, paused_at, reason, passed FROM sys_automation ";
const BREAKER_COLUMNS: [ColumnKind; 4] = [TEXT, AT, TEXT, INT];

fn breaker(row: &[crate::base::Cell]) -> Breaker {
    Breaker { uid: read::text(row, 0), paused_at: read::opt_at(row, 1), reason: read::opt_text(row, 2), passed: read::int(row, 3) }
}

/// Automations that are paused.
pub async fn paused(store: &Store) -> Result<Vec<Breaker>, StoreError> {
    let mut sql = Sql::new(BREAKER);
    sql.push("WHERE paused_at IS NOT NULL ORDER BY uid");
    Ok(store.rows(sql, &BREAKER_COLUMNS).await?.iter().map(breaker).collect())
}

/// Whether an automation is paused; the event that would have started it is counted then.
pub async fn passes(tx: &mut Tx, uid: &str) -> Result<bool, StoreError> {
    Ok(tx.run(Sql::template("UPDATE sys_automation SET passed = passed + 1 WHERE uid = ? AND paused_at IS NOT NULL", [text(uid)])).await?
        == 1)
}

/// Counts a run that begins; gives how many began in this minute.
pub async fn count(tx: &mut Tx, uid: &str) -> Result<i64, StoreError> {
    let minute = tx.now().0.div_euclid(60_000_000);
    let sql = Sql::template(
        "INSERT INTO sys_automation (uid, minute, runs, passed) VALUES (?, ?, 1, 0) ON CONFLICT (uid) DO UPDATE SET \
         runs = CASE WHEN sys_automation.minute = excluded.minute THEN sys_automation.runs + 1 ELSE 1 END, minute = excluded.minute \
         RETURNING runs",
        [text(uid), int(minute)],
    );
    Ok(tx.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// Pauses an automation. `false`: it is paused already.
pub async fn pause(tx: &mut Tx, uid: &str, reason: &str) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "INSERT INTO sys_automation (uid, minute, runs, paused_at, reason, passed) VALUES (?, 0, 0, ?, ?, 0) ON CONFLICT (uid) DO UPDATE SET \
         paused_at = excluded.paused_at, reason = excluded.reason, passed = 0 WHERE sys_automation.paused_at IS NULL",
        [text(uid), at(now), text(reason)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Lets an automation begin again. `false`: it is not paused.
pub async fn resume(tx: &mut Tx, uid: &str) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "UPDATE sys_automation SET paused_at = NULL, reason = NULL, runs = 0 WHERE uid = ? AND paused_at IS NOT NULL",
        [text(uid)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Deletes runs that ended before a moment, at most `limit`; gives how many.
pub async fn prune(tx: &mut Tx, before: DateTime, limit: u32) -> Result<u64, StoreError> {
    // A run that failed is kept as long as its job, which may be tried again.
    const OLD: &str = "(SELECT id FROM sys_run WHERE began_at < ? AND ended_at < ? AND NOT EXISTS \
        (SELECT 1 FROM sys_job WHERE sys_job.id = sys_run.id) ORDER BY began_at, id LIMIT ?)";
    let binds = || [at(before), at(before), int(i64::from(limit))];
    let mut lines = Sql::new("DELETE FROM sys_run_step WHERE run IN ");
    lines.append(Sql::template(OLD, binds()));
    tx.run(lines).await?;
    let mut runs = Sql::new("DELETE FROM sys_run WHERE id IN ");
    runs.append(Sql::template(OLD, binds()));
    tx.run(runs).await
}
