//! Webhooks: events of the outbox become messages to the endpoints that want them, and messages are sent, at least once, with
//! the same id each time. An endpoint that does not answer is left alone for a growing time, and stopped after days.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::endpoints::EVENTS;
use super::handler::{Job, JobContext, JobError, JobHandler, Outcome};
use super::sent::{self, Sent};
use crate::access::ADMINISTRATOR;
use crate::base::{DateTime, Stopwatch};
use crate::outbound::{HttpClient, webhook};
use crate::schema::catalog::Catalog;
use crate::store::audit::{self, Entry};
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::outbox::{self, Event};
use crate::store::webhooks::{self, Attempt, Delivery, READER, SEND, Webhook};
use crate::store::{BoxFuture, Store, StoreError, Tx};

/// Events that are read in one unit, and units of one look.
const AT_ONCE: u32 = 200;
const MOST_LOOKS: u32 = 50;
const SECOND_US: i64 = 1_000_000;
/// How long an endpoint is left alone after its first failure, and at most.
const FIRST_HOLD_S: i64 = 5;
const LONGEST_HOLD_S: i64 = 3_600;
/// An endpoint that failed for so long is stopped.
const GIVEN_UP_S: i64 = 5 * 86_400;
/// Longest text of an answer or error in the log.
const LONGEST_ERROR: usize = 300;

/// The id of a message outside: `msg_` and 13 characters.
pub fn message_id(id: i64) -> String {
    crate::base::RecordId(id).display("msg")
}

/// The body of a message.
pub fn body(kind: &str, at: DateTime, data: &Json) -> String {
    json!({ "type": kind, "timestamp": at.to_string(), "data": data }).to_string()
}

/// Turns events into messages. Where nobody listens nothing is read and nothing written.
pub(super) async fn feed(store: &Store, catalog: &Arc<Catalog>) -> Result<(), StoreError> {
    let listening = webhooks::listening(store).await?;
    if listening.is_empty() {
        return Ok(());
    }
    let listening = Arc::new(listening);
    for _ in 0..MOST_LOOKS {
        let Some(position) = outbox::position(store, READER).await? else { return Ok(()) };
        if outbox::since(store, position, 1).await?.is_empty() {
            return Ok(());
        }
        let (catalog, listening) = (catalog.clone(), listening.clone());
        let read = store.write(move |tx| {
            Box::pin(async move {
                let from = outbox::cursor(tx, READER).await?;
                let events = outbox::since_in(tx, from, AT_ONCE).await?;
                for event in &events {
                    let Some(word) = word(&event.event) else { continue };
                    let Some((kind, data)) = told(&catalog, event, word) else { continue };
                    for endpoint in listening.iter().filter(|endpoint| wants(endpoint, event, word)) {
                        webhooks::send(tx, endpoint.id, &kind, &body(&kind, event.at, &data), None).await?;
                    }
                }
                if let Some(last) = events.last() {
                    outbox::set_cursor(tx, READER, last.seq).await?;
                }
                Ok::<_, StoreError>(events.len())
            })
        });
        if read.await? < AT_ONCE as usize {
            return Ok(());
        }
    }
    Ok(())
}

/// What an event is called outside; what is none of a record's life is not told.
fn word(event: &str) -> Option<&'static str> {
    let kinds = ["create", "update", "delete", "restore"].into_iter().zip(EVENTS);
    kinds.into_iter().find(|(kind, _)| *kind == event).map(|(_, word)| word)
}

/// What happened before somebody listened is none of their business.
fn wants(endpoint: &Webhook, event: &Event, word: &str) -> bool {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
    event.at >= endpoint.made_at && endpoint.events.iter().any(|(entity, kind)| fits(entity, &event.entity_uid) && fits(kind, word))
}

/// The type and the data of an event: which record, and what changed; no values.
fn told(catalog: &Catalog, event: &Event, word: &str) -> Option<(String, Json)> {
    let entity = catalog.entities.iter().find(|entity| entity.uid == event.entity_uid)?;
    let changed: Vec<String> = serde_json::from_str(&event.changed_json).unwrap_or_default();
    let changed: Vec<&str> =
        changed.iter().filter_map(|uid| entity.fields.iter().find(|field| field.uid == *uid)).map(|field| field.name.as_str()).collect();
    let people = catalog.find_entity("core.user").map(|entity| entity.prefix.as_str()).filter(|_| event.actor != 0);
    let data = json!({
        "entity": entity.slug, "id": event.record.display(&entity.prefix), "version": event.version, "changed": changed,
        "by": people.map(|prefix| crate::base::RecordId(event.actor).display(prefix)),
    });
    Some((format!("{}.{}", entity.slug, word), data))
}

/// Sends messages.
pub struct WebhookJobs {
    http: Arc<dyn HttpClient>,
}

impl WebhookJobs {
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self { http }
    }
}

impl JobHandler for WebhookJobs {
    fn kinds(&self) -> &[&'static str] {
        &[SEND]
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            let store = &context.store;
            let id = job.payload.get("delivery").and_then(Json::as_i64).unwrap_or_default();
            // A message that is gone went with its endpoint.
            let Some(message) = webhooks::delivery(store, id).await? else { return Ok(Outcome::Done) };
            let Some(endpoint) = webhooks::get(store, message.webhook).await? else { return Ok(Outcome::Done) };
            let now = store.clock().now();
            if !endpoint.is_active {
                let attempt = Attempt { state: "failed", status: None, error: Some("the endpoint is stopped".to_owned()), took_ms: 0 };
                self.settle(context, job, message, attempt).await?;
                return Ok(Outcome::Finished);
            }
            if let Some(until) = endpoint.hold_until.filter(|until| *until > now) {
                let (held, job) = (context.clone(), job.clone());
                store.write(move |tx| Box::pin(async move { held.put_back(tx, &job, until).await })).await?;
                return Ok(Outcome::Finished);
            }
            let secrets = webhooks::secrets(store, endpoint.id).await?;
            let request = webhook::request(&endpoint.url, &secrets, &message_id(id), now, &message.body);
            let watch = Stopwatch::start();
            let answer = self.http.send(request).await;
            let took_ms = i64::try_from(watch.elapsed().as_millis()).unwrap_or(i64::MAX);
            let (status, error) = match &answer {
                Ok(answer) if answer.is_success() => {
                    let attempt = Attempt { state: "delivered", status: Some(i64::from(answer.status)), error: None, took_ms };
                    let (held, job) = (context.clone(), job.clone());
                    let end = store.write(move |tx| {
                        Box::pin(async move {
                            webhooks::note(tx, id, &attempt).await?;
                            webhooks::succeeded(tx, endpoint.id).await?;
                            log(tx, message.step.as_ref(), &attempt).await?;
                            held.finish(tx, &job).await
                        })
                    });
                    end.await?;
                    return Ok(Outcome::Finished);
                }
                Ok(answer) => (Some(i64::from(answer.status)), format!("answered {}", answer.status)),
                Err(error) => (None, error.to_string()),
            };
            let error: String = error.chars().take(LONGEST_ERROR).collect();
            let is_over = job.is_last_try() || status == Some(410);
            let attempt = Attempt { state: if is_over { "failed" } else { "waiting" }, status, error: Some(error.clone()), took_ms };
            refused(store, &endpoint, message, attempt).await?;
            if is_over { Err(JobError::Fatal(error)) } else { Err(JobError::Retry(error)) }
        })
    }
}

impl WebhookJobs {
    async fn settle(&self, context: &JobContext, job: &Job, message: Delivery, attempt: Attempt) -> Result<(), StoreError> {
        let (held, job, id, step) = (context.clone(), job.clone(), message.id, message.step);
        let end = context.store.write(move |tx| {
            Box::pin(async move {
                webhooks::note(tx, id, &attempt).await?;
                log(tx, step.as_ref(), &attempt).await?;
                held.finish(tx, &job).await
            })
        });
        end.await
    }
}

/// Says in the log of an automation's run what became of its message, once it is over.
async fn log(tx: &mut Tx, step: Option<&(i64, String)>, attempt: &Attempt) -> Result<(), StoreError> {
    let sent = Sent {
        act: "webhook",
        is_done: attempt.state == "delivered",
        output: json!({ "status": attempt.status }),
        error: attempt.error.as_deref(),
    };
    sent::log(tx, step.filter(|_| attempt.state != "waiting"), sent).await
}

/// Notes an attempt that failed; the endpoint is left alone for a while, or stopped.
async fn refused(store: &Store, endpoint: &Webhook, message: Delivery, attempt: Attempt) -> Result<(), StoreError> {
    let endpoint = endpoint.clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let is_gone = attempt.status == Some(410);
                webhooks::note(tx, message.id, &attempt).await?;
                log(tx, message.step.as_ref(), &attempt).await?;
                let seconds = (FIRST_HOLD_S << endpoint.failures.clamp(0, 12)).min(LONGEST_HOLD_S);
                webhooks::failed(tx, endpoint.id, DateTime(now.0.saturating_add(seconds * SECOND_US))).await?;
                let is_hopeless = endpoint.failing_since.is_some_and(|since| now.0.saturating_sub(since.0) > GIVEN_UP_S * SECOND_US);
                let why = if is_gone { "gone" } else { "failing" };
                if (is_gone || is_hopeless) && webhooks::stop(tx, endpoint.id, why).await? {
                    webhooks::follow(tx).await?;
                    audit::append(tx, Entry::new("webhook.stop").by(0, "system").fact("webhook", endpoint.name.as_str()).fact("why", why))
                        .await?;
                    let telling = Telling {
                        people: Vec::new(),
                        teams: Vec::new(),
                        roles: vec![ADMINISTRATOR.to_owned()],
                        source: PROGRAM.to_owned(),
                        said: Said::Message {
                            key: format!("notification-webhook-{why}"),
                            facts: vec![("name".to_owned(), endpoint.name.clone())],
                        },
                        about: None,
                        step: None,
                    };
                    notifications::tell(tx, &telling).await?;
                }
                Ok(())
            })
        })
        .await
}
