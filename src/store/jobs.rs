//! The queue of work to be done later: leases, retries, dead letters.

use std::time::Duration;

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Dialect, Sql, Store, StoreError, Tx};
use crate::base::{DateTime, Random};

/// Of what is due, jobs of a higher priority are claimed first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    Low,
    #[default]
    Usual,
    High,
}

impl Priority {
    /// -1, 0 or 1, as it is kept and told.
    pub const fn number(self) -> i64 {
        match self {
            Self::Low => -1,
            Self::Usual => 0,
            Self::High => 1,
        }
    }

    const fn of(number: i64) -> Self {
        match number {
            ..=-1 => Self::Low,
            0 => Self::Usual,
            1.. => Self::High,
        }
    }
}

/// Work to be queued.
#[derive(Debug, Clone, Default)]
pub struct NewJob {
    /// Who does it.
    pub handler: String,
    pub payload_json: String,
    /// Not before; at once when `None`.
    pub run_at: Option<DateTime>,
    /// At most one job that is not done may have this key.
    pub key: Option<String>,
    /// Jobs of one lane run in order, one at a time.
    pub lane: Option<String>,
    /// Attempts before it is a dead letter; 0 means 8.
    pub max_attempts: u32,
    pub priority: Priority,
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    pub handler: String,
    pub payload_json: String,
    pub key: Option<String>,
    pub lane: Option<String>,
    /// 1 for the first.
    pub attempt: u32,
    pub max_attempts: u32,
    /// Proves that this claim is the latest: [`complete`] and [`fail`] of an older one do nothing.
    pub fence: i64,
    pub run_at: DateTime,
    pub created_at: DateTime,
    pub priority: Priority,
}

/// How a failed job goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    Retry {
        at: DateTime,
    },
    Dead,
    /// Another process has claimed it since.
    Lost,
}

/// A line of the list of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLine {
    pub job: Job,
    /// `ready`, `running` or `dead`.
    pub state: String,
    /// Of a running one: until when its holder has it without a sign of life.
    pub lease_until: Option<DateTime>,
    pub last_error: Option<String>,
}

/// The states a job can be in.
pub const STATES: [&str; 3] = ["ready", "running", "dead"];

/// Queues a job; `None` when one with the same key waits already. Wakes [`Store::signals`] after the commit.
pub async fn enqueue(tx: &mut Tx, new: &NewJob) -> Result<Option<i64>, StoreError> {
    let (id, now) = (tx.mint().next().0, tx.now());
    let attempts = if new.max_attempts == 0 { 8 } else { i64::from(new.max_attempts) };
    let touched = tx
        .run(Sql::template(
            "INSERT INTO sys_job (id, handler, payload, key, lane, state, run_at, attempts, max_attempts, fence, created_at, priority) \
             VALUES (?, ?, ?, ?, ?, 'ready', ?, 0, ?, 0, ?, ?) ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING",
            [
                int(id),
                text(new.handler.as_str()),
                text(new.payload_json.as_str()),
                text(new.key.as_deref()),
                text(new.lane.as_deref()),
                at(new.run_at.unwrap_or(now)),
                int(attempts),
                at(now),
                int(new.priority.number()),
            ],
        ))
        .await?;
    tx.wake();
    Ok((touched == 1).then_some(id))
}

/// When the next job is due.
pub async fn next_due(store: &Store) -> Result<Option<DateTime>, StoreError> {
    let rows = store.rows(Sql::new("SELECT min(run_at) FROM sys_job WHERE state = 'ready'"), &[AT]).await?;
    Ok(rows.first().and_then(|row| read::opt_at(row, 0)))
}

/// Whether a job of this handler waits that nobody has begun.
pub async fn waits(tx: &mut Tx, handler: &str) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT id FROM sys_job WHERE state = 'ready' AND handler = ? LIMIT 1", [text(handler)]);
    Ok(!tx.rows(sql, &[INT]).await?.is_empty())
}

/// Jobs that can be claimed, in the order in which they are.
#[derive(Debug, Clone, Copy)]
enum Claimable {
    /// The lease of their holder ran out.
    Left,
    /// Those of a priority that are due.
    Ready(Priority),
}

impl Claimable {
    const ALL: [Self; 4] = [Self::Left, Self::Ready(Priority::High), Self::Ready(Priority::Usual), Self::Ready(Priority::Low)];

    fn condition(self, now: DateTime) -> Sql {
        match self {
            Self::Left => Sql::template("job.state = 'running' AND job.lease_until <= ?", [at(now)]),
            Self::Ready(priority) => {
                Sql::template("job.state = 'ready' AND job.priority = ? AND job.run_at <= ?", [int(priority.number()), at(now)])
            }
        }
    }

    /// The order of an index, so that only those are read that are claimed.
    const fn order(self) -> &'static str {
        match self {
            Self::Left => " ORDER BY job.lease_until",
            Self::Ready(_) => " ORDER BY job.run_at, job.id",
        }
    }
}

/// Nobody is at work in the job's lane, and none of it comes before.
const IS_FREE: &str = " AND (job.lane IS NULL OR NOT EXISTS (SELECT 1 FROM sys_job AS other WHERE other.lane = job.lane \
     AND ((other.id < job.id AND other.state <> 'dead') OR (other.id > job.id AND other.state = 'running'))))";

/// Takes up to `limit` due jobs for `lease`; also those whose former holder's lease ran out. Safe beside other processes.
pub async fn claim(store: &Store, limit: u32, lease: Duration) -> Result<Vec<Job>, StoreError> {
    // An idle worker asks often: it must not take the writer's time.
    let now = store.clock().now();
    let mut sql = Sql::new("SELECT ");
    let there = Claimable::ALL.map(|some| {
        let mut sql = Sql::new("CASE WHEN EXISTS (SELECT 1 FROM sys_job AS job WHERE ");
        sql.append(some.condition(now)).push(IS_FREE).push(") THEN 1 ELSE 0 END");
        sql
    });
    sql.join(", ", there);
    let found = store.rows(sql, &[INT; 4]).await?;
    let is_there = |at: usize| found.first().and_then(|row| row.get(at)?.as_int()) == Some(1);
    let some: Vec<Claimable> = Claimable::ALL.into_iter().enumerate().filter(|(at, _)| is_there(*at)).map(|(_, some)| some).collect();
    if some.is_empty() {
        return Ok(Vec::new());
    }
    store.write(move |tx| Box::pin(async move { claim_in(tx, &some, limit as usize, lease).await })).await
}

async fn claim_in(tx: &mut Tx, some: &[Claimable], limit: usize, lease: Duration) -> Result<Vec<Job>, StoreError> {
    let now = tx.now();
    let until = after(now, lease);
    let mut jobs: Vec<Job> = Vec::new();
    for some in some {
        if jobs.len() >= limit {
            break;
        }
        let mut sql = Sql::template(
            "UPDATE sys_job SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = ? WHERE id ",
            [at(until)],
        );
        // Once, whatever PostgreSQL makes of it: a join could run it for each row, and claim more each time.
        let (before, behind) = match tx.dialect() {
            Dialect::Postgres => ("= ANY (ARRAY(", " FOR UPDATE OF job SKIP LOCKED))"),
            Dialect::Sqlite => ("IN (", ")"),
        };
        sql.push(before).push("SELECT job.id FROM sys_job AS job WHERE ").append(some.condition(now)).push(IS_FREE);
        sql.push(some.order()).push(" LIMIT ").number(i64::try_from(limit - jobs.len()).unwrap_or(i64::MAX));
        sql.push(behind).push(" RETURNING id, handler, payload, key, lane, attempts, max_attempts, fence, run_at, created_at, priority");
        let mut claimed: Vec<Job> = tx.rows(sql, &JOB_COLUMNS).await?.iter().map(job).collect();
        claimed.sort_by_key(|job| (job.run_at, job.id));
        jobs.append(&mut claimed);
    }
    Ok(jobs)
}

/// Takes the jobs of a former process from it, on SQLite, where only one works at a time. Those that were begun more than once may
/// be what it died of: their leases run out, so that it does not happen again and again at once.
pub async fn take_over(store: &Store) -> Result<(), StoreError> {
    if store.dialect() != Dialect::Sqlite {
        return Ok(());
    }
    store
        .write(|tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.run(Sql::template("UPDATE sys_job SET lease_until = ? WHERE state = 'running' AND attempts < 2", [at(now)])).await?;
                tx.wake();
                Ok(())
            })
        })
        .await
}

fn after(now: DateTime, lease: Duration) -> DateTime {
    DateTime(now.0.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX)))
}

const JOB_COLUMNS: [crate::schema::catalog::ColumnKind; 11] = [INT, TEXT, TEXT, TEXT, TEXT, INT, INT, INT, AT, AT, INT];

/// The job is done, in the same transaction as its effects. `false` when another process holds it by now: undo.
pub async fn complete(tx: &mut Tx, job: &Job) -> Result<bool, StoreError> {
    let sql = Sql::template("DELETE FROM sys_job WHERE id = ? AND fence = ? AND state = 'running'", [int(job.id), int(job.fence)]);
    tx.wake();
    Ok(tx.run(sql).await? == 1)
}

/// Prolongs the lease of a long job; `false` when it was lost.
pub async fn extend(tx: &mut Tx, job: &Job, lease: Duration) -> Result<bool, StoreError> {
    let until = after(tx.now(), lease);
    let sql = Sql::template(
        "UPDATE sys_job SET lease_until = ? WHERE id = ? AND fence = ? AND state = 'running'",
        [at(until), int(job.id), int(job.fence)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Puts a job back that goes on later, with all its attempts. `false` when another process holds it by now: undo.
pub async fn put_back(tx: &mut Tx, job: &Job, until: DateTime) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "UPDATE sys_job SET state = 'ready', attempts = 0, run_at = ?, lease_until = NULL WHERE id = ? AND fence = ? AND state = 'running'",
        [at(until), int(job.id), int(job.fence)],
    );
    tx.wake();
    Ok(tx.run(sql).await? == 1)
}

/// Has a waiting job done now.
pub async fn rouse(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_job SET run_at = ? WHERE id = ? AND state = 'ready' AND run_at > ?", [at(now), int(id), at(now)]))
        .await?;
    tx.wake();
    Ok(())
}

/// The job failed: it is tried again later, or is a dead letter after its last attempt.
pub async fn fail(tx: &mut Tx, job: &Job, error: &str) -> Result<AfterFailure, StoreError> {
    let dead = job.attempt >= job.max_attempts;
    let retry_at = DateTime(tx.now().0.saturating_add(backoff_us(job.attempt, tx.random().as_ref())));
    let sql = Sql::template(
        "UPDATE sys_job SET state = ?, run_at = ?, lease_until = NULL, last_error = ? WHERE id = ? AND fence = ? AND state = 'running'",
        [text(if dead { "dead" } else { "ready" }), at(retry_at), text(error), int(job.id), int(job.fence)],
    );
    if tx.run(sql).await? == 0 {
        return Ok(AfterFailure::Lost);
    }
    if dead {
        // Its key is free again: a dead letter must not stop the same work from being queued anew.
        tx.run(Sql::template("UPDATE sys_job SET key = NULL WHERE id = ?", [int(job.id)])).await?;
        return Ok(AfterFailure::Dead);
    }
    Ok(AfterFailure::Retry { at: retry_at })
}

/// 10 s, 30 s, 90 s, … at most 6 hours, give or take a quarter.
fn backoff_us(attempt: u32, random: &dyn Random) -> i64 {
    let seconds = 10_i64.saturating_mul(3_i64.saturating_pow(attempt.saturating_sub(1).min(12))).min(6 * 3600);
    let jitter = i64::try_from(random.next_u64() % 501).unwrap_or(250) - 250;
    seconds * 1_000 * (1_000 + jitter)
}

const LINE: &str = "SELECT id, handler, payload, key, lane, attempts, max_attempts, fence, run_at, created_at, priority, state, \
    last_error, lease_until FROM sys_job ";
const LINE_COLUMNS: [crate::schema::catalog::ColumnKind; 14] = [INT, TEXT, TEXT, TEXT, TEXT, INT, INT, INT, AT, AT, INT, TEXT, TEXT, AT];

/// Jobs in a state (one of [`STATES`]), newest first.
pub async fn list(store: &Store, state: &str, limit: u32) -> Result<Vec<JobLine>, StoreError> {
    list_before(store, Some(state), i64::MAX, limit).await
}

/// Jobs with an id below `before`, in a state or in all, newest first.
pub async fn list_before(store: &Store, state: Option<&str>, before: i64, limit: u32) -> Result<Vec<JobLine>, StoreError> {
    let mut sql = Sql::new(LINE);
    sql.append(match state {
        Some(state) => Sql::template("WHERE state = ? AND id < ? ", [text(state), int(before)]),
        None => Sql::template("WHERE id < ? ", [int(before)]),
    });
    sql.append(Sql::template("ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &LINE_COLUMNS).await?.iter().map(line).collect())
}

/// One job; `None` when it is done or there was none.
pub async fn get(store: &Store, id: i64) -> Result<Option<JobLine>, StoreError> {
    let mut sql = Sql::new(LINE);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(store.rows(sql, &LINE_COLUMNS).await?.iter().map(line).next())
}

fn line(row: &[crate::base::Cell]) -> JobLine {
    JobLine { job: job(row), state: read::text(row, 11), last_error: read::opt_text(row, 12), lease_until: read::opt_at(row, 13) }
}

/// Gives a dead letter another chance, with all its attempts; one that waits for its next attempt does not wait longer.
/// `false` when it runs already or is gone.
pub async fn replay(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_job SET state = 'ready', attempts = 0, run_at = ? WHERE id = ? AND state <> 'running'",
        [at(now), int(id)],
    );
    tx.wake();
    Ok(tx.run(sql).await? == 1)
}

/// Throws a job away. One that runs is taken from its holder: what that has not committed by now is undone.
pub async fn discard(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    tx.wake();
    Ok(tx.run(Sql::template("DELETE FROM sys_job WHERE id = ?", [int(id)])).await? == 1)
}

/// Number of jobs in each state.
pub async fn counts(store: &Store) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = store.rows(Sql::new("SELECT state, count(*) FROM sys_job GROUP BY state ORDER BY state"), &[TEXT, INT]).await?;
    Ok(rows.iter().map(|row| (read::text(row, 0), read::int(row, 1))).collect())
}

fn job(row: &[crate::base::Cell]) -> Job {
    Job {
        id: read::int(row, 0),
        handler: read::text(row, 1),
        payload_json: read::text(row, 2),
        key: read::opt_text(row, 3),
        lane: read::opt_text(row, 4),
        attempt: u32::try_from(read::int(row, 5)).unwrap_or(u32::MAX),
        max_attempts: u32::try_from(read::int(row, 6)).unwrap_or(u32::MAX),
        fence: read::int(row, 7),
        run_at: read::at(row, 8),
        created_at: read::at(row, 9),
        priority: Priority::of(read::int(row, 10)),
    }
}
