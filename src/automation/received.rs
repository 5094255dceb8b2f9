//! Messages of other programs that begin automations: whether one is what it says, the record that it becomes, and the run that
//! follows. One transaction with the note of the message's id, so that a message counts once however often it is sent.

use serde_json::{Map, Value as Json, json};

use super::begin::call;
use super::steps::{compare, find};
use crate::base::{DateTime, RecordId, Value};
use crate::expr::CompareOp;
use crate::outbound::webhook;
use crate::record::{Delivery, FieldFault, Input, RecordError, RecordTx, Records, Source, WriteOptions};
use crate::schema::catalog::{Automation, Catalog, Received, RunAs, Start, Taken, TakenFrom};
use crate::store::audit::{self, Entry};
use crate::store::idempotency::{self, Seen};
use crate::store::{Store, StoreError, settings};

/// Tells the secrets of receivers from anything else that the key makes.
const SECRET: &str = "relata received/1";
/// How far the clock of a sender may be off, in seconds.
const MOST_SECONDS_OFF: u64 = 300;
/// For how long a former secret counts.
const FORMER_US: i64 = 86_400_000_000;

/// What a message was signed with, from its headers.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: i64,
    /// `v1,…`, several with spaces between them.
    pub signatures: &'a str,
    pub body: &'a str,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Taking {
    /// `{"record": …, "created": …, "run": …, "not_run": …}`.
    pub answer: Json,
    /// It came before.
    pub is_repeated: bool,
}

/// A secret that was made, and until when the one before counts.
#[derive(Clone)]
pub struct NewSecret {
    pub secret: String,
    pub former_until: Option<DateTime>,
}

/// What an automation takes from messages, where it does.
pub fn received(automation: &Automation) -> Option<&Received> {
    match &automation.start {
        Start::Received(received) => Some(received),
        _ => None,
    }
}

fn secret_of(catalog: &Catalog, uid: &str, number: i64) -> Option<String> {
    Some(webhook::secret_from(catalog.blind.as_ref()?.of(SECRET, &format!("{uid} {number}")).as_bytes()))
}

/// How many secrets a receiver was given, and when the last one was made; none yet is 0.
async fn given(store: &Store, uid: &str) -> Result<(i64, DateTime), StoreError> {
    let found = settings::get(store, &setting(uid)).await?.unwrap_or_default();
    let (number, at) = found.split_once(' ').unwrap_or(("0", "0"));
    Ok((number.parse().unwrap_or(0), DateTime(at.parse().unwrap_or(0))))
}

fn setting(uid: &str) -> String {
    format!("received:{uid}")
}

/// Gives a receiver another secret. It is kept nowhere: it follows from the key of the workspace and how many there were.
///
/// # Errors
/// The database.
pub async fn new_secret(store: &Store, catalog: &Catalog, automation: &Automation) -> Result<Option<NewSecret>, StoreError> {
    let (number, _) = given(store, &automation.uid).await?;
    let Some(secret) = secret_of(catalog, &automation.uid, number + 1) else { return Ok(None) };
    let (uid, id) = (automation.uid.clone(), automation.id.clone());
    let now = store
        .write(move |tx| {
            Box::pin(async move {
                settings::set(tx, &setting(&uid), &format!("{} {}", number + 1, tx.now().0)).await?;
                audit::append(tx, Entry::new("automation.secret").fact("automation", id)).await?;
                Ok::<_, StoreError>(tx.now())
            })
        })
        .await?;
    Ok(Some(NewSecret { secret, former_until: (number > 0).then(|| DateTime(now.0 + FORMER_US)) }))
}

/// Whether a message was signed with the secret of a receiver, a short time ago.
///
/// # Errors
/// The database.
pub async fn is_signed(records: &Records, catalog: &Catalog, automation: &Automation, message: &Signed<'_>) -> Result<bool, RecordError> {
    let (number, made_at) = given(records.store(), &automation.uid).await?;
    let now = records.clock().now();
    if number == 0 || now.0.div_euclid(1_000_000).abs_diff(message.timestamp) > MOST_SECONDS_OFF {
        return Ok(false);
    }
    let former = (number > 1 && now.0 - made_at.0 < FORMER_US).then_some(number - 1);
    let secrets = [Some(number), former].into_iter().flatten().filter_map(|number| secret_of(catalog, &automation.uid, number));
    Ok(secrets.into_iter().any(|secret| webhook::verify(&secret, message.id, message.timestamp, message.body, message.signatures)))
}

/// Takes a message: its record is made or changed with the rights of the automation, which then begins for it.
///
/// # Errors
/// What the record writer refuses; `REC010` where the message does not have what it should.
pub async fn receive(records: &Records, automation: &Automation, id: &str, digest: &str, body: &Json) -> Result<Taking, RecordError> {
    let roles = match &automation.run_as {
        RunAs::Roles(roles) => roles.clone(),
        RunAs::Caller => Vec::new(),
    };
    let actor = records.actor_with(&roles);
    let (name, key, digest, body) = (automation.id.clone(), format!("{} {id}", setting(&automation.uid)), digest.to_owned(), body.clone());
    let shared = std::sync::Arc::new((name, key, digest, body));
    let unit = records.unit(&actor, Source::Automation, Vec::new(), move |tx| {
        let shared = std::sync::Arc::clone(&shared);
        Box::pin(async move {
            let (name, key, digest, body) = shared.as_ref();
            match idempotency::begin(tx.store(), 0, key, digest).await? {
                Seen::New => {}
                Seen::Done { body, .. } => {
                    return Ok(Taking { answer: serde_json::from_str(&body).unwrap_or(Json::Null), is_repeated: true });
                }
                Seen::Mismatch => return Err(RecordError::KeyReused),
            }
            let answer = take(tx, name, body).await?;
            idempotency::finish(tx.store(), 0, key, 202, &answer.to_string()).await?;
            Ok(Taking { answer, is_repeated: false })
        })
    });
    unit.await
}

async fn take(tx: &mut RecordTx<'_>, name: &str, body: &Json) -> Result<Json, RecordError> {
    let catalog = tx.catalog().clone();
    let missing = || RecordError::State { message: format!("there is no automation `{name}` that takes messages") };
    let automation = catalog.automations.find(name).ok_or_else(missing)?;
    let what = received(automation).ok_or_else(missing)?;
    let entity = catalog.entity(automation.entity);
    let mut values = Map::new();
    for one in what.matching.iter().chain(&what.values) {
        if let Some(value) = found_in(body, one) {
            values.insert(entity.field(one.field).name.clone(), value);
        }
    }
    let input = Input::from_json(&catalog, entity, &Json::Object(values)).map_err(RecordError::Invalid)?;
    let known = match what.matching.is_empty() {
        true => None,
        false => matched(tx, automation, what, &input).await?,
    };
    let options = WriteOptions::from(Source::Automation);
    let saved = match known {
        Some(id) => tx.update(automation.entity, id, input, &options).await?,
        None => tx.create(automation.entity, input, &options).await?,
    };
    let begun = call(tx, &Delivery { version: saved.version, ..Delivery::about(&entity.slug, saved.id) }, name).await?;
    Ok(json!({
        "record": saved.id.display(&entity.prefix), "created": saved.created,
        "run": begun.as_ref().ok().map(i64::to_string), "not_run": begun.err(),
    }))
}

/// The record that holds what the message says of its keys.
async fn matched(tx: &mut RecordTx<'_>, automation: &Automation, what: &Received, input: &Input) -> Result<Option<RecordId>, RecordError> {
    let catalog = tx.catalog().clone();
    let entity = catalog.entity(automation.entity);
    let mut parts = Vec::new();
    for one in &what.matching {
        let value = input.values.iter().find(|(field, _)| *field == one.field).map_or(Value::Null, |(_, value)| value.clone());
        if value.is_null() {
            let message = format!("the message does not have `{}`, by which its record is found", one.path_text());
            return Err(RecordError::fault(FieldFault::at(&entity.field(one.field).name, "required", message)));
        }
        parts.push(compare(one.field, &one.ty, CompareOp::Eq, value));
    }
    Ok(find(tx, automation.entity, parts, 1).await?.pop())
}

/// A value of the message, or what is written in the definition.
fn found_in(body: &Json, one: &Taken) -> Option<Json> {
    match &one.from {
        TakenFrom::Plain(value) => Some(value.clone()),
        TakenFrom::Path(path) => path
            .iter()
            .try_fold(body, |at, part| match at {
                Json::Object(map) => map.get(part),
                Json::Array(items) => items.get(part.parse::<usize>().ok()?),
                _ => None,
            })
            .cloned(),
    }
}
