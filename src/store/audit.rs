//! The audit: who did what, from where, to which record. Rows are only ever added, each signed together with the one
//! before it; what changed in a record is told by its history, not here.
//!
//! Others write `audit::append(tx, Entry::new("tokens.create").on("core.user", user)).await?` in the unit of work of the
//! thing itself, as its last statement (on PostgreSQL entries of all processes follow one another from there to the commit).
//! Who asks, from where and in which request is known from [`within`]. A detail never holds a personal value or a secret.

mod chain;
mod here;
mod list;

pub use chain::{Anchor, Break, Follower, Signature, sign};
pub use here::{Here, here, within};
pub use list::{Filter, LONGEST_EXPORT, head, list, to_csv, to_json, verify};

use std::path::Path;

use serde_json::Value as Json;

use super::keys::{self, Key};
use super::read::{INT, TEXT};
use super::sql::{at, int, text};
use super::{Dialect, Sql, Store, StoreError, Tx, settings};
use crate::base::DateTime;
use crate::base::text::{from_hex, hex};

/// The acts that are audited; each has its words in all languages (`act-session-begin`).
pub const ACTIONS: [&str; 55] = [
    "session.begin",
    "session.refuse",
    "session.confirm",
    "session.end",
    "password.set",
    "factor.set",
    "factor.recover",
    "factor.remove",
    "link.create",
    "link.use",
    "token.create",
    "token.revoke",
    "person.change",
    "records.handover",
    "rules.change",
    "share.add",
    "share.change",
    "share.end",
    "view.begin",
    "view.end",
    "definitions.plan",
    "definitions.apply",
    "records.import",
    "records.read",
    "record.erase",
    "stage.override",
    "approval.ask",
    "approval.decide",
    "approval.hand_on",
    "approval.end",
    "pool.take_back",
    "pool.hand_out",
    "registration.file",
    "registration.decide",
    "registration.extend",
    "registration.withdraw",
    "stand_in.add",
    "stand_in.end",
    "records.retain",
    "records.export",
    "subject.export",
    "backup.take",
    "backup.restore",
    "audit.export",
    "key.rotate",
    "job.retry",
    "job.cancel",
    "automation.pause",
    "automation.resume",
    "webhook.make",
    "webhook.change",
    "webhook.rotate",
    "webhook.delete",
    "webhook.stop",
    "mail.release",
];

/// Name of the key's file.
const KEY: &str = "audit";
/// Where the database keeps the key's fingerprint.
const FINGERPRINT: &str = "audit_key";
/// Entries are written one after the other on PostgreSQL; this sets the lock apart from the one of units of work.
const LOCK: i64 = 0x6175_6469_7400_0000;

/// An entry about to be written. What is not said comes from [`within`].
#[derive(Debug, Clone)]
pub struct Entry {
    action: &'static str,
    actor: Option<(i64, &'static str)>,
    entity: Option<String>,
    record: Option<i64>,
    field: Option<String>,
    detail: Json,
}

impl Entry {
    /// `action` is `things.verb`, for example `session.begin`; its words for people are the message `act-session-begin`.
    pub fn new(action: &'static str) -> Self {
        Self { action, actor: None, entity: None, record: None, field: None, detail: Json::Object(serde_json::Map::new()) }
    }

    /// Who, when it is not the one who asked: someone who is just signing in. `kind` is `person`, `token` or `system`.
    pub fn by(mut self, actor: i64, kind: &'static str) -> Self {
        self.actor = Some((actor, kind));
        self
    }

    /// The record it is about; `entity` is the entity's id.
    pub fn on(mut self, entity: &str, record: i64) -> Self {
        self.entity = Some(entity.to_owned());
        self.record = Some(record);
        self
    }

    /// The entity it is about.
    pub fn of(mut self, entity: &str) -> Self {
        self.entity = Some(entity.to_owned());
        self
    }

    /// The field it is about.
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// A fact: a number, a name from the definitions, an id. Never a personal value or a secret.
    pub fn fact(mut self, name: &str, value: impl Into<Json>) -> Self {
        if let Json::Object(facts) = &mut self.detail {
            facts.insert(name.to_owned(), value.into());
        }
        self
    }
}

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub seq: i64,
    pub at: DateTime,
    /// A user's id, 0 for the program itself.
    pub actor: i64,
    /// `person`, `token`, `system` or `nobody`.
    pub actor_kind: String,
    pub action: String,
    /// An entity's id (`core.user`).
    pub entity: Option<String>,
    pub record: Option<i64>,
    pub field: Option<String>,
    /// An address, or `command line`; empty for work of the program itself.
    pub origin: String,
    /// The request's id.
    pub request: String,
    /// A JSON object of facts.
    pub detail: String,
    /// Hex.
    pub mac: String,
}

/// Writes an entry; gives its number. Call it last in the unit.
///
/// # Errors
/// The database, or [`StoreError::NoKey`] when the store was opened without its keys.
pub async fn append(tx: &mut Tx, entry: Entry) -> Result<i64, StoreError> {
    let key = tx.audit_key().ok_or(StoreError::NoKey)?;
    if let (Dialect::Postgres, Some(lock)) = (tx.dialect(), tx.advisory_lock()) {
        let sql = Sql::template("SELECT 1::bigint FROM pg_advisory_xact_lock(CAST(? AS bigint))", [int(lock ^ LOCK)]);
        tx.rows(sql, &[INT]).await?;
    }
    let last = tx.rows(Sql::new("SELECT seq, mac FROM sys_audit ORDER BY seq DESC LIMIT 1"), &[INT, TEXT]).await?;
    let (seq, before) = match last.first() {
        Some(row) => {
            let mac = super::read::text(row, 1);
            // A signature that someone made unreadable breaks the chain there; new entries go on from zero and show it.
            (super::read::int(row, 0), from_hex(&mac).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default())
        }
        None => (0, Signature::default()),
    };
    let here = tx.here().cloned();
    let (actor, kind) = entry.actor.or_else(|| here.as_ref().map(|here| here.actor())).unwrap_or((0, "system"));
    let mut line = Line {
        seq: seq + 1,
        at: tx.now(),
        actor,
        actor_kind: kind.to_owned(),
        action: entry.action.to_owned(),
        entity: entry.entity,
        record: entry.record,
        field: entry.field,
        origin: here.as_ref().map_or_else(String::new, |here| here.origin.clone()),
        request: here.as_ref().map_or_else(String::new, |here| here.request.to_string()),
        detail: entry.detail.to_string(),
        mac: String::new(),
    };
    line.mac = hex(&sign(&key, &before, &line));
    insert(tx, &line).await?;
    Ok(line.seq)
}

async fn insert(tx: &mut Tx, line: &Line) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_audit (seq, at, actor, actor_kind, action, entity, record, field, origin, request, detail, mac) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(line.seq),
            at(line.at),
            int(line.actor),
            text(line.actor_kind.as_str()),
            text(line.action.as_str()),
            text(line.entity.as_deref()),
            int(line.record),
            text(line.field.as_deref()),
            text(line.origin.as_str()),
            text(line.request.as_str()),
            text(line.detail.as_str()),
            text(line.mac.as_str()),
        ],
    ))
    .await?;
    Ok(())
}

/// [`append`] in a unit of its own, for what changes nothing else.
///
/// # Errors
/// As [`append`].
pub async fn note(store: &Store, entry: Entry) -> Result<i64, StoreError> {
    store.write(move |tx| Box::pin(async move { append(tx, entry).await })).await
}

/// The key that signs: made with the workspace, the same for all its processes.
///
/// # Errors
/// [`StoreError::BadKey`] when it is not the one that signed what is there.
pub(super) async fn open_key(store: &Store, folder: &Path) -> Result<Key, StoreError> {
    let known = settings::get(store, FINGERPRINT).await?;
    let path = keys::path(folder, KEY).display().to_string();
    let key = match (keys::read(folder, KEY)?, &known) {
        (Some(key), _) => key,
        (None, None) => keys::read_or_make(folder, KEY, store.random().as_ref())?,
        (None, Some(_)) => {
            let reason = "the audit is signed with a key that is not here; copy it from the workspace's other processes, or from a backup";
            return Err(StoreError::BadKey { path, reason: reason.to_owned() });
        }
    };
    let own = chain::fingerprint(&key);
    let known = match known {
        Some(known) => known,
        None => {
            // Two processes may begin at once: the first one's key stays.
            let shown = own.clone();
            store
                .write::<_, StoreError>(move |tx| {
                    Box::pin(async move {
                        let sql = Sql::template(
                            "INSERT INTO sys_setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
                            [text(FINGERPRINT), text(shown.as_str())],
                        );
                        tx.run(sql).await.map(|_| ())
                    })
                })
                .await?;
            settings::get(store, FINGERPRINT).await?.unwrap_or_default()
        }
    };
    if known != own {
        return Err(StoreError::BadKey { path, reason: "this is not the key that signed the audit".to_owned() });
    }
    Ok(key)
}
