//! Endpoints that are told over HTTP what happens to records, and what was sent to them. Their secrets lie here encrypted.

use super::compile::Source;
use super::jobs::{self, NewJob, Priority};
use super::read::{self, AT, BOOL, INT, TEXT};
use super::sql::{at, flag, int, text};
use super::{Sql, Store, StoreError, Tx, outbox, vault};
use crate::base::{DateTime, Sealed};
use crate::schema::catalog::ColumnKind;

/// The kind of job that sends one message.
pub const SEND: &str = "webhook";
/// Attempts of one message: over about fifteen hours.
pub const ATTEMPTS: u32 = 10;
/// The name of the reader of the outbox.
pub const READER: &str = "webhooks";
/// What encrypted secrets belong to.
const SEALED_FOR: &str = "webhook";
/// The states of a message.
pub const STATES: [&str; 3] = ["waiting", "delivered", "failed"];

/// Which events: of an entity (by uid; `None` for all), of a kind (`created`, …; `None` for all).
pub type Wanted = (Option<String>, Option<String>);

/// An endpoint, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: i64,
    pub name: String,
    pub url: String,
    /// Empty: only what automations send.
    pub events: Vec<Wanted>,
    pub is_active: bool,
    /// Attempts that failed one after the other, since when, and until when nothing is tried.
    pub failures: i64,
    pub failing_since: Option<DateTime>,
    pub hold_until: Option<DateTime>,
    /// Why it is not active: `person`, `gone` (it said so itself), `failing`.
    pub stopped_why: Option<String>,
    /// Until when messages are signed with the former secret too.
    pub former_until: Option<DateTime>,
    pub made_by: i64,
    pub made_at: DateTime,
}

/// An endpoint about to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub name: String,
    pub url: String,
    pub events: Vec<Wanted>,
    pub is_active: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: i64,
    pub webhook: i64,
    /// `deal.updated`.
    pub kind: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    /// Of the last answer.
    pub status: Option<i64>,
    pub error: Option<String>,
    pub took_ms: Option<i64>,
    /// The run of an automation that sends it, and its step.
    pub step: Option<(i64, String)>,
    pub made_at: DateTime,
    pub sent_at: Option<DateTime>,
}

const HOOK: &str = "SELECT id, name, url, events, is_active, failures, failing_since, hold_until, stopped_why, former_until, made_by, made_at \
    FROM sys_webhook ";
const HOOK_COLUMNS: [ColumnKind; 12] = [INT, TEXT, TEXT, TEXT, BOOL, INT, AT, AT, TEXT, AT, INT, AT];

fn hook(row: &[crate::base::Cell]) -> Webhook {
    Webhook {
        id: read::int(row, 0),
        name: read::text(row, 1),
        url: read::text(row, 2),
        events: serde_json::from_str(&read::text(row, 3)).unwrap_or_default(),
        is_active: read::flag(row, 4),
        failures: read::int(row, 5),
        failing_since: read::opt_at(row, 6),
        hold_until: read::opt_at(row, 7),
        stopped_why: read::opt_text(row, 8),
        former_until: read::opt_at(row, 9),
        made_by: read::int(row, 10),
        made_at: read::at(row, 11),
    }
}

/// All endpoints by name.
pub async fn list(store: &Store) -> Result<Vec<Webhook>, StoreError> {
    let mut sql = Sql::new(HOOK);
    sql.push("ORDER BY name, id");
    Ok(store.rows(sql, &HOOK_COLUMNS).await?.iter().map(hook).collect())
}

/// Those that are told of events.
pub async fn listening(store: &Store) -> Result<Vec<Webhook>, StoreError> {
    let mut sql = Sql::new(HOOK);
    sql.append(Sql::template("WHERE is_active = ? AND events <> '[]' ORDER BY id", [flag(true)]));
    Ok(store.rows(sql, &HOOK_COLUMNS).await?.iter().map(hook).collect())
}

pub async fn get(store: &Store, id: i64) -> Result<Option<Webhook>, StoreError> {
    let mut sql = Sql::new(HOOK);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(store.rows(sql, &HOOK_COLUMNS).await?.iter().map(hook).next())
}

/// The endpoint of this name, inside the transaction of what is sent to it.
pub async fn named(tx: &mut Tx, name: &str) -> Result<Option<Webhook>, StoreError> {
    let mut sql = Sql::new(HOOK);
    sql.append(Sql::template("WHERE name = ?", [text(name)]));
    Ok(tx.rows(sql, &HOOK_COLUMNS).await?.iter().map(hook).next())
}

fn events_json(events: &[Wanted]) -> String {
    serde_json::to_string(events).unwrap_or_else(|_| "[]".to_owned())
}

async fn seal(tx: &mut Tx, id: i64, secret: &str) -> Result<String, StoreError> {
    let key = vault::key_for(tx, id).await?;
    let blind = tx.vault().ok_or(StoreError::NoKey)?.blind().clone();
    key.close(tx.random().as_ref(), &blind, SEALED_FOR, id, secret).ok_or(StoreError::NoKey)
}

/// Makes an endpoint; gives its id. `None`: there is one of this name.
pub async fn make(tx: &mut Tx, edit: &Edit, secret: &str, by: i64) -> Result<Option<i64>, StoreError> {
    let (id, now) = (tx.mint().next().0, tx.now());
    let sealed = seal(tx, id, secret).await?;
    let sql = Sql::template(
        "INSERT INTO sys_webhook (id, name, url, events, secret, is_active, failures, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) \
         ON CONFLICT (name) DO NOTHING",
        [
            int(id),
            text(edit.name.as_str()),
            text(edit.url.as_str()),
            text(events_json(&edit.events).as_str()),
            text(sealed.as_str()),
            flag(edit.is_active),
            int(by),
            at(now),
        ],
    );
    if tx.run(sql).await? == 0 {
        vault::destroy(tx, id).await?;
        return Ok(None);
    }
    Ok(Some(id))
}

/// Changes an endpoint; one that is active again begins anew. `Some(false)`: another one has this name; `None`: it is gone.
pub async fn change(tx: &mut Tx, id: i64, edit: &Edit) -> Result<Option<bool>, StoreError> {
    if named(tx, &edit.name).await?.is_some_and(|other| other.id != id) {
        return Ok(Some(false));
    }
    let why = (!edit.is_active).then_some("person");
    let sql = Sql::template(
        "UPDATE sys_webhook SET name = ?, url = ?, events = ?, is_active = ?, failures = 0, failing_since = NULL, hold_until = NULL, \
         stopped_why = ? WHERE id = ?",
        [
            text(edit.name.as_str()),
            text(edit.url.as_str()),
            text(events_json(&edit.events).as_str()),
            flag(edit.is_active),
            text(why),
            int(id),
        ],
    );
    Ok((tx.run(sql).await? == 1).then_some(true))
}

/// Gives an endpoint another secret; messages are signed with the former one too until a moment.
pub async fn rotate(tx: &mut Tx, id: i64, secret: &str, until: DateTime) -> Result<bool, StoreError> {
    let sealed = seal(tx, id, secret).await?;
    let sql = Sql::template(
        "UPDATE sys_webhook SET former_secret = secret, former_until = ?, secret = ? WHERE id = ?",
        [at(until), text(sealed.as_str()), int(id)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Removes an endpoint with what was sent to it. `false`: it is gone.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    vault::destroy(tx, id).await?;
    tx.run(Sql::template("DELETE FROM sys_delivery WHERE webhook = ?", [int(id)])).await?;
    Ok(tx.run(Sql::template("DELETE FROM sys_webhook WHERE id = ?", [int(id)])).await? == 1)
}

/// The secrets a message is signed with now, the newest first.
pub async fn secrets(store: &Store, id: i64) -> Result<Vec<String>, StoreError> {
    let sql = Sql::template("SELECT secret, former_secret, former_until FROM sys_webhook WHERE id = ?", [int(id)]);
    let rows = store.rows(sql, &[TEXT, TEXT, AT]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let key = vault::keys_of(&mut Source::Store(store), &[id]).await?.remove(&id).ok_or(StoreError::NoKey)?;
    let is_former_good = read::opt_at(row, 2).is_some_and(|until| until > store.clock().now());
    let sealed = [Some(read::text(row, 0)), read::opt_text(row, 1).filter(|_| is_former_good)];
    let open = |text: String| key.open(SEALED_FOR, &Sealed::parse(&text)?);
    sealed.into_iter().flatten().map(|text| open(text).ok_or(StoreError::NoKey)).collect()
}

/// Begins reading events where somebody listens now, and ends it where nobody does: events are kept for a reader.
pub async fn follow(tx: &mut Tx) -> Result<(), StoreError> {
    let listening = Sql::template("SELECT count(*) FROM sys_webhook WHERE is_active = ? AND events <> '[]'", [flag(true)]);
    if tx.rows(listening, &[INT]).await?.one_int() == Some(0) {
        return outbox::end_reader(tx, READER).await;
    }
    outbox::begin_reader(tx, READER).await
}

/// An endpoint took a message.
pub async fn succeeded(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    let sql = Sql::template(
        "UPDATE sys_webhook SET failures = 0, failing_since = NULL, hold_until = NULL WHERE id = ? AND failures > 0",
        [int(id)],
    );
    tx.run(sql).await.map(|_| ())
}

/// An endpoint did not take a message: nothing is tried before a moment.
pub async fn failed(tx: &mut Tx, id: i64, hold_until: DateTime) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_webhook SET failures = failures + 1, failing_since = COALESCE(failing_since, ?), hold_until = ? WHERE id = ?",
        [at(now), at(hold_until), int(id)],
    );
    tx.run(sql).await.map(|_| ())
}

/// Stops an endpoint. `false`: it is stopped already.
pub async fn stop(tx: &mut Tx, id: i64, why: &str) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "UPDATE sys_webhook SET is_active = ?, stopped_why = ? WHERE id = ? AND is_active = ?",
        [flag(false), text(why), int(id), flag(true)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Writes down a message and has it sent; gives its id.
pub async fn send(tx: &mut Tx, webhook: i64, kind: &str, body: &str, step: Option<(i64, &str)>) -> Result<i64, StoreError> {
    let (id, now) = (tx.mint().next().0, tx.now());
    tx.run(Sql::template(
        "INSERT INTO sys_delivery (id, webhook, type, body, state, attempts, run, step, made_at) VALUES (?, ?, ?, ?, 'waiting', 0, ?, ?, ?)",
        [
            int(id),
            int(webhook),
            text(kind),
            text(body),
            int(step.map(|(run, _)| run)),
            text(step.map(|(_, step)| step)),
            at(now),
        ],
    ))
    .await?;
    enqueue(tx, id).await?;
    Ok(id)
}

async fn enqueue(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    let job = NewJob {
        handler: SEND.to_owned(),
        payload_json: serde_json::json!({ "delivery": id }).to_string(),
        key: Some(format!("{SEND}:{id}")),
        max_attempts: ATTEMPTS,
        // What people wait for goes first.
        priority: Priority::Low,
        ..NewJob::default()
    };
    Ok(jobs::enqueue(tx, &job).await?.is_some())
}

/// Has a message sent once more, with the same id. `Some(false)`: it is on its way already; `None`: there is none.
pub async fn send_again(tx: &mut Tx, webhook: i64, id: i64) -> Result<Option<bool>, StoreError> {
    let sql = Sql::template("UPDATE sys_delivery SET state = 'waiting' WHERE id = ? AND webhook = ?", [int(id), int(webhook)]);
    if tx.run(sql).await? == 0 {
        return Ok(None);
    }
    enqueue(tx, id).await.map(Some)
}

const MESSAGE: &str =
    "SELECT id, webhook, type, body, state, attempts, status, error, took_ms, run, step, made_at, sent_at FROM sys_delivery ";
const MESSAGE_COLUMNS: [ColumnKind; 13] = [INT, INT, TEXT, TEXT, TEXT, INT, INT, TEXT, INT, INT, TEXT, AT, AT];

fn message(row: &[crate::base::Cell]) -> Delivery {
    Delivery {
        id: read::int(row, 0),
        webhook: read::int(row, 1),
        kind: read::text(row, 2),
        body: read::text(row, 3),
        state: read::text(row, 4),
        attempts: read::int(row, 5),
        status: read::opt_int(row, 6),
        error: read::opt_text(row, 7),
        took_ms: read::opt_int(row, 8),
        step: read::opt_int(row, 9).zip(read::opt_text(row, 10)),
        made_at: read::at(row, 11),
        sent_at: read::opt_at(row, 12),
    }
}

pub async fn delivery(store: &Store, id: i64) -> Result<Option<Delivery>, StoreError> {
    let mut sql = Sql::new(MESSAGE);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(store.rows(sql, &MESSAGE_COLUMNS).await?.iter().map(message).next())
}

/// Messages of an endpoint before the one `before`, newest first.
pub async fn deliveries(store: &Store, webhook: i64, state: Option<&str>, before: i64, limit: u32) -> Result<Vec<Delivery>, StoreError> {
    let mut sql = Sql::new(MESSAGE);
    sql.append(Sql::template("WHERE webhook = ? AND id < ? ", [int(webhook), int(before)]));
    if let Some(state) = state {
        sql.append(Sql::template("AND state = ? ", [text(state)]));
    }
    sql.append(Sql::template("ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &MESSAGE_COLUMNS).await?.iter().map(message).collect())
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub state: &'static str,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub took_ms: i64,
}

pub async fn note(tx: &mut Tx, id: i64, attempt: &Attempt) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_delivery SET state = ?, attempts = attempts + 1, status = ?, error = ?, took_ms = ?, sent_at = ? WHERE id = ?",
        [text(attempt.state), int(attempt.status), text(attempt.error.as_deref()), int(attempt.took_ms), at(now), int(id)],
    );
    tx.run(sql).await.map(|_| ())
}

/// Deletes messages made before a moment, at most `limit`; gives how many.
pub async fn prune(tx: &mut Tx, before: DateTime, limit: u32) -> Result<u64, StoreError> {
    let sql = Sql::template(
        "DELETE FROM sys_delivery WHERE id IN (SELECT id FROM sys_delivery WHERE made_at < ? AND state <> 'waiting' \
         ORDER BY made_at, id LIMIT ?)",
        [at(before), int(i64::from(limit))],
    );
    tx.run(sql).await
}
