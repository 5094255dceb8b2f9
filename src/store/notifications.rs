//! What people are told inside the program: a line for each person, read or not. The texts are those of definitions, with
//! places for values that are filled in when somebody reads them: no value of a record is kept here.

use serde_json::{Map, Value as Json, json};

use super::jobs::{self, NewJob};
use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{DateTime, Labels};
use crate::schema::catalog::ColumnKind;

/// The kind of job that tells people.
pub const TELL: &str = "tell";

/// The source of what the program itself tells.
pub const PROGRAM: &str = "relata";

/// Longest list that is read at once.
const MOST_AT_ONCE: u32 = 200;

/// What somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Texts by language; `{fld_7}` stands for the value of the record's field with this uid.
    Texts(Labels),
    /// A message of the program, with what stands in it.
    Message { key: String, facts: Vec<(String, String)> },
}

impl Said {
    fn to_json(&self) -> Json {
        match self {
            Said::Texts(labels) => json!({ "texts": labels.0 }),
            Said::Message { key, facts } => {
                let facts: Map<String, Json> = facts.iter().map(|(name, fact)| (name.clone(), fact.as_str().into())).collect();
                json!({ "key": key, "facts": facts })
            }
        }
    }

    fn from_json(json: &Json) -> Self {
        let pairs = |name: &str| {
            let found = json.get(name).and_then(Json::as_object).into_iter().flatten();
            found.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect::<Vec<_>>()
        };
        match json.get("key").and_then(Json::as_str) {
            Some(key) => Said::Message { key: key.to_owned(), facts: pairs("facts") },
            None => Said::Texts(Labels(pairs("texts").into_iter().collect())),
        }
    }
}

/// Something that people shall be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// People, teams and roles (by name); everybody is told once.
    pub people: Vec<i64>,
    pub teams: Vec<i64>,
    pub roles: Vec<String>,
    /// What tells it: the id of an automation, or [`PROGRAM`].
    pub source: String,
    pub said: Said,
    /// Uid of an entity and id of its record: who may not read it is told nothing.
    pub about: Option<(String, i64)>,
    /// The run of an automation and its step, whose log says how many were told.
    pub step: Option<(i64, String)>,
}

impl Telling {
    /// Reads a job's payload; `None` for one that is none.
    pub fn from_json(payload: &Json) -> Option<Self> {
        let ids = |name: &str| payload.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_i64).collect();
        let roles = payload.get("roles").and_then(Json::as_array).into_iter().flatten();
        let entity = payload.get("entity").and_then(Json::as_str).map(str::to_owned);
        Some(Self {
            people: ids("people"),
            teams: ids("teams"),
            roles: roles.filter_map(|role| role.as_str().map(str::to_owned)).collect(),
            source: payload.get("source")?.as_str()?.to_owned(),
            said: Said::from_json(payload.get("said")?),
            about: entity.zip(payload.get("record").and_then(Json::as_i64)),
            step: payload.get("run").and_then(Json::as_i64).zip(payload.get("step").and_then(Json::as_str).map(str::to_owned)),
        })
    }

    fn to_json(&self) -> Json {
        json!({
            "people": self.people, "teams": self.teams, "roles": self.roles, "source": self.source, "said": self.said.to_json(),
            "entity": self.about.as_ref().map(|(entity, _)| entity), "record": self.about.as_ref().map(|(_, record)| record),
            "run": self.step.as_ref().map(|(run, _)| run), "step": self.step.as_ref().map(|(_, step)| step),
        })
    }
}

/// Has people told once this transaction is committed: the one door for all who have something to say.
///
/// # Errors
/// The database.
pub async fn tell(tx: &mut Tx, telling: &Telling) -> Result<(), StoreError> {
    let job = NewJob { handler: TELL.to_owned(), payload_json: telling.to_json().to_string(), ..NewJob::default() };
    jobs::enqueue(tx, &job).await.map(|_| ())
}

/// A line that a person finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub id: i64,
    pub source: String,
    pub said: Said,
    pub about: Option<(String, i64)>,
    pub at: DateTime,
    pub read_at: Option<DateTime>,
}

/// Writes down what these people are told.
pub async fn add(tx: &mut Tx, telling: &Telling, people: &[i64]) -> Result<(), StoreError> {
    let (now, said) = (tx.now(), telling.said.to_json().to_string());
    for person in people {
        let id = tx.mint().next().0;
        tx.run(Sql::template(
            "INSERT INTO sys_notification (id, person, source, said, entity, record, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                int(id),
                int(*person),
                text(telling.source.as_str()),
                text(said.as_str()),
                text(telling.about.as_ref().map(|(entity, _)| entity.as_str())),
                int(telling.about.as_ref().map(|(_, record)| *record)),
                at(now),
            ],
        ))
        .await?;
    }
    Ok(())
}

const LINE: &str = "SELECT id, source, said, entity, record, at, read_at FROM sys_notification ";
const COLUMNS: [ColumnKind; 7] = [INT, TEXT, TEXT, TEXT, INT, AT, AT];

/// What a person was told before the line `before`, newest first; with `unread` only what they have not read.
pub async fn list(store: &Store, person: i64, unread: bool, before: i64, limit: u32) -> Result<Vec<Notification>, StoreError> {
    let mut sql = Sql::new(LINE);
    sql.append(Sql::template("WHERE person = ? AND id < ? ", [int(person), int(before)]));
    if unread {
        sql.push("AND read_at IS NULL ");
    }
    sql.append(Sql::template("ORDER BY id DESC LIMIT ?", [int(i64::from(limit.min(MOST_AT_ONCE + 1)))]));
    let line = |row: &[crate::base::Cell]| Notification {
        id: read::int(row, 0),
        source: read::text(row, 1),
        said: Said::from_json(&serde_json::from_str(&read::text(row, 2)).unwrap_or_default()),
        about: read::opt_text(row, 3).zip(read::opt_int(row, 4)),
        at: read::at(row, 5),
        read_at: read::opt_at(row, 6),
    };
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(line).collect())
}

/// How many lines a person has not read, counted up to 100.
pub async fn unread(store: &Store, person: i64) -> Result<i64, StoreError> {
    let sql = Sql::template(
        "SELECT count(*) FROM (SELECT 1 AS one FROM sys_notification WHERE person = ? AND read_at IS NULL LIMIT 100) AS few",
        [int(person)],
    );
    Ok(store.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// A person has read a line (all, where none is named), or wants it back as unread. `false`: it is none of theirs.
pub async fn mark(tx: &mut Tx, person: i64, id: Option<i64>, is_read: bool) -> Result<bool, StoreError> {
    let now = tx.now();
    let Some(id) = id else {
        tx.run(Sql::template("UPDATE sys_notification SET read_at = ? WHERE person = ? AND read_at IS NULL", [at(now), int(person)]))
            .await?;
        return Ok(true);
    };
    let set = match is_read {
        true => Sql::template("UPDATE sys_notification SET read_at = COALESCE(read_at, ?) ", [at(now)]),
        false => Sql::new("UPDATE sys_notification SET read_at = NULL "),
    };
    let mut sql = set;
    sql.append(Sql::template("WHERE person = ? AND id = ?", [int(person), int(id)]));
    Ok(tx.run(sql).await? == 1)
}

/// Deletes lines older than a moment, read or not; at most `limit`. Gives how many.
pub async fn prune(tx: &mut Tx, before: DateTime, limit: u32) -> Result<u64, StoreError> {
    let sql = Sql::template(
        "DELETE FROM sys_notification WHERE id IN (SELECT id FROM sys_notification WHERE at < ? ORDER BY at, id LIMIT ?)",
        [at(before), int(i64::from(limit))],
    );
    tx.run(sql).await
}

/// How many lines there are, by what told them.
pub async fn counts(store: &Store) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = store.rows(Sql::new("SELECT source, count(*) FROM sys_notification GROUP BY source ORDER BY source"), &[TEXT, INT]).await?;
    Ok(rows.iter().map(|row| (read::text(row, 0), u64::try_from(read::int(row, 1)).unwrap_or(0))).collect())
}
