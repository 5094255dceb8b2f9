//! E-mail that is to go out or went out. Who is written to, and what, lies here encrypted with a key of the message; an address
//! that takes nothing is known by a keyed hash alone.

use serde_json::{Value as Json, json};

use super::compile::Source;
use super::jobs::{self, NewJob, Priority};
use super::read::{self, AT, BOOL, INT, TEXT};
use super::sql::{at, flag, int, text};
use super::{Sql, Store, StoreError, Tx, vault};
use crate::base::{DateTime, RecordId, Sealed};
use crate::schema::catalog::ColumnKind;

/// The kind of job that sends one message.
pub const SEND: &str = "mail";
/// Attempts of one message: over about fifteen hours.
pub const ATTEMPTS: u32 = 10;
/// The states of a message. `held`: its address takes nothing.
pub const STATES: [&str; 4] = ["waiting", "sent", "failed", "held"];
/// What encrypted contents, and hashes of addresses, belong to.
const SEALED_FOR: &str = "mail";
const ADDRESS: &str = "mail address";

/// Who is written to, and what.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Empty where only the address is known.
    pub name: String,
    pub address: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

/// Nothing of it is shown in a log.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(…)")
    }
}

impl Content {
    fn to_json(&self) -> Json {
        json!({ "name": self.name, "to": self.address, "subject": self.subject, "text": self.text, "html": self.html })
    }

    fn from_json(json: &Json) -> Self {
        let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let html = json.get("html").and_then(Json::as_str).map(str::to_owned);
        Self { name: text("name"), address: text("to"), subject: text("subject"), text: text("text"), html }
    }
}

/// A message about to be sent.
#[derive(Debug, Clone, Default)]
pub struct NewMail {
    /// What stands behind the `@` of its `Message-ID`.
    pub domain: String,
    /// Id of an automation, or a word of the program: `test`, `invitation`.
    pub source: String,
    pub template: Option<String>,
    /// Uid of the entity and number of the record it is about.
    pub about: Option<(String, i64)>,
    /// The record that the address belongs to: whoever erases it erases the message.
    pub holder: Option<i64>,
    /// The run of an automation that sends it, and its step.
    pub step: Option<(i64, String)>,
    /// It lets somebody in: forgotten once it is sent, and never sent again.
    pub is_secret: bool,
    pub content: Content,
}

/// A message, without who is written to and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub id: i64,
    /// `Message-ID` without brackets.
    pub message: String,
    pub source: String,
    pub template: Option<String>,
    pub about: Option<(String, i64)>,
    pub is_secret: bool,
    pub state: String,
    pub attempts: i64,
    /// What the server answered last, where it refused.
    pub status: Option<i64>,
    pub error: Option<String>,
    pub step: Option<(i64, String)>,
    pub made_at: DateTime,
    pub sent_at: Option<DateTime>,
    /// Keyed hash of its address.
    pub address: String,
}

/// How an address is known here: a keyed hash.
///
/// # Errors
/// A missing key.
pub fn hash(store: &Store, address: &str) -> Result<String, StoreError> {
    Ok(store.blind().ok_or(StoreError::NoKey)?.of(ADDRESS, &address.trim().to_lowercase()))
}

/// Writes down a message and has it sent after the commit; gives its id. The `Message-ID` is made here, once for all attempts.
///
/// # Errors
/// The database, a missing key.
pub async fn add(tx: &mut Tx, new: &NewMail) -> Result<i64, StoreError> {
    let (id, now) = (tx.mint().next().0, tx.now());
    let blind = tx.vault().ok_or(StoreError::NoKey)?.blind().clone();
    let key = vault::key_for(tx, id).await?;
    let content = new.content.to_json().to_string();
    let sealed = key.close(tx.random().as_ref(), &blind, SEALED_FOR, id, &content).ok_or(StoreError::NoKey)?;
    let address = blind.of(ADDRESS, &new.content.address.trim().to_lowercase());
    tx.run(Sql::template(
        "INSERT INTO sys_mail (id, message, source, template, entity, record, holder, address, sealed, is_secret, state, attempts, run, \
         step, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?, ?)",
        [
            int(id),
            text(format!("{}@{}", RecordId(id).display("mail"), new.domain).as_str()),
            text(new.source.as_str()),
            text(new.template.as_deref()),
            text(new.about.as_ref().map(|(entity, _)| entity.as_str())),
            int(new.about.as_ref().map(|(_, record)| *record)),
            int(new.holder),
            text(address.as_str()),
            text(sealed.as_str()),
            flag(new.is_secret),
            int(new.step.as_ref().map(|(run, _)| *run)),
            text(new.step.as_ref().map(|(_, step)| step.as_str())),
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
        payload_json: json!({ "mail": id }).to_string(),
        key: Some(format!("{SEND}:{id}")),
        max_attempts: ATTEMPTS,
        // What people wait for goes first.
        priority: Priority::Low,
        ..NewJob::default()
    };
    Ok(jobs::enqueue(tx, &job).await?.is_some())
}

/// Has a message sent once more, with the same `Message-ID`. `Some(false)`: it is on its way already; `None`: there is none that
/// could be.
///
/// # Errors
/// The database.
pub async fn send_again(tx: &mut Tx, id: i64) -> Result<Option<bool>, StoreError> {
    let sql = Sql::template(
        "UPDATE sys_mail SET state = 'waiting' WHERE id = ? AND sealed IS NOT NULL AND is_secret = ?",
        [int(id), flag(false)],
    );
    if tx.run(sql).await? == 0 {
        return Ok(None);
    }
    enqueue(tx, id).await.map(Some)
}

const MAIL: &str = "SELECT id, message, source, template, entity, record, is_secret, state, attempts, status, error, run, step, made_at, \
    sent_at, address FROM sys_mail ";
const COLUMNS: [ColumnKind; 16] = [INT, TEXT, TEXT, TEXT, TEXT, INT, BOOL, TEXT, INT, INT, TEXT, INT, TEXT, AT, AT, TEXT];

fn mail(row: &[crate::base::Cell]) -> Mail {
    Mail {
        id: read::int(row, 0),
        message: read::text(row, 1),
        source: read::text(row, 2),
        template: read::opt_text(row, 3),
        about: read::opt_text(row, 4).zip(read::opt_int(row, 5)),
        is_secret: read::flag(row, 6),
        state: read::text(row, 7),
        attempts: read::int(row, 8),
        status: read::opt_int(row, 9),
        error: read::opt_text(row, 10),
        step: read::opt_int(row, 11).zip(read::opt_text(row, 12)),
        made_at: read::at(row, 13),
        sent_at: read::opt_at(row, 14),
        address: read::text(row, 15),
    }
}

pub async fn get(store: &Store, id: i64) -> Result<Option<Mail>, StoreError> {
    let mut sql = Sql::new(MAIL);
    sql.append(Sql::template("WHERE id = ?", [int(id)]));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(mail).next())
}

/// Messages before the one `before`, newest first.
pub async fn list(store: &Store, state: Option<&str>, before: i64, limit: u32) -> Result<Vec<Mail>, StoreError> {
    let mut sql = Sql::new(MAIL);
    sql.append(Sql::template("WHERE id < ? ", [int(before)]));
    if let Some(state) = state {
        sql.append(Sql::template("AND state = ? ", [text(state)]));
    }
    sql.append(Sql::template("ORDER BY id DESC LIMIT ?", [int(i64::from(limit))]));
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(mail).collect())
}

/// Who messages go to and what they say, by id; what was forgotten is not there.
///
/// # Errors
/// The database, a missing key.
pub async fn contents(store: &Store, ids: &[i64]) -> Result<Vec<(i64, Content)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT id, sealed FROM sys_mail WHERE sealed IS NOT NULL AND id IN ");
    sql.bind_long_list(store.dialect(), ids);
    let rows = store.rows(sql, &[INT, TEXT]).await?;
    let keys = vault::keys_of(&mut Source::Store(store), ids).await?;
    let open = |row: &[crate::base::Cell]| {
        let id = read::int(row, 0);
        let plain = keys.get(&id)?.open(SEALED_FOR, &Sealed::parse(&read::text(row, 1))?)?;
        Some((id, Content::from_json(&serde_json::from_str(&plain).ok()?)))
    };
    Ok(rows.iter().filter_map(open).collect())
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub state: &'static str,
    pub status: Option<i64>,
    pub error: Option<String>,
}

/// Notes an attempt; what lets somebody in is forgotten once it is over.
pub async fn note(tx: &mut Tx, id: i64, attempt: &Attempt) -> Result<(), StoreError> {
    let sql = Sql::template(
        "UPDATE sys_mail SET state = ?, attempts = attempts + 1, status = ?, error = ?, sent_at = ? WHERE id = ?",
        [text(attempt.state), int(attempt.status), text(attempt.error.as_deref()), at(tx.now()), int(id)],
    );
    tx.run(sql).await?;
    if attempt.state == "waiting" {
        return Ok(());
    }
    let sql = Sql::template("UPDATE sys_mail SET sealed = NULL WHERE id = ? AND is_secret = ?", [int(id), flag(true)]);
    if tx.run(sql).await? == 1 {
        vault::destroy(tx, id).await?;
    }
    Ok(())
}

/// Attempts since a moment, of all processes.
pub async fn tried_since(store: &Store, since: DateTime) -> Result<i64, StoreError> {
    let sql = Sql::template("SELECT count(*) FROM sys_mail WHERE sent_at > ?", [at(since)]);
    Ok(store.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// An address that takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The message that it refused.
    pub mail: i64,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub made_at: DateTime,
}

/// Writes nothing to an address any more.
pub async fn stop(tx: &mut Tx, mail: &Mail, attempt: &Attempt) -> Result<(), StoreError> {
    let sql = Sql::template(
        "INSERT INTO sys_mail_stop (address, mail, status, error, made_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) DO NOTHING",
        [text(mail.address.as_str()), int(mail.id), int(attempt.status), text(attempt.error.as_deref()), at(tx.now())],
    );
    tx.run(sql).await.map(|_| ())
}

/// Whether nothing is written to an address, known by its hash.
pub async fn is_stopped(store: &Store, hash: &str) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT mail FROM sys_mail_stop WHERE address = ?", [text(hash)]);
    Ok(!store.rows(sql, &[INT]).await?.is_empty())
}

/// Addresses that take nothing, the newest first.
pub async fn stops(store: &Store, limit: u32) -> Result<Vec<Stop>, StoreError> {
    let sql = Sql::template(
        "SELECT mail, status, error, made_at FROM sys_mail_stop ORDER BY made_at DESC, mail DESC LIMIT ?",
        [int(i64::from(limit))],
    );
    let stop = |row: &[crate::base::Cell]| Stop {
        mail: read::int(row, 0),
        status: read::opt_int(row, 1),
        error: read::opt_text(row, 2),
        made_at: read::at(row, 3),
    };
    Ok(store.rows(sql, &[INT, INT, TEXT, AT]).await?.iter().map(stop).collect())
}

/// Lets an address, known by its hash, be written to again. `false`: it could be all the time.
pub async fn release(tx: &mut Tx, hash: &str) -> Result<bool, StoreError> {
    Ok(tx.run(Sql::template("DELETE FROM sys_mail_stop WHERE address = ?", [text(hash)])).await? == 1)
}

/// Removes messages about a record, or to an address that belongs to it.
pub async fn forget(tx: &mut Tx, record: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM sys_data_key WHERE record IN (SELECT id FROM sys_mail WHERE record = ? OR holder = ?)",
        "DELETE FROM sys_mail WHERE record = ? OR holder = ?",
    ] {
        tx.run(Sql::template(sql, [int(record), int(record)])).await?;
    }
    Ok(())
}

/// Deletes messages made before a moment, at most `limit`; gives how many.
pub async fn prune(tx: &mut Tx, before: DateTime, limit: u32) -> Result<u64, StoreError> {
    let old = "SELECT id FROM sys_mail WHERE made_at < ? AND state <> 'waiting' ORDER BY made_at, id LIMIT ?";
    let binds = || [at(before), int(i64::from(limit))];
    let mut ids = Vec::new();
    for row in tx.rows(Sql::template(old, binds()), &[INT]).await?.iter() {
        ids.push(read::int(row, 0));
    }
    for id in &ids {
        vault::destroy(tx, *id).await?;
        tx.run(Sql::template("DELETE FROM sys_mail WHERE id = ?", [int(*id)])).await?;
    }
    Ok(ids.len() as u64)
}
