//! E-mail on its way out: each message is one job, sent at least once with the same `Message-ID`. An address that its server
//! knows nothing of is written to no more, until an administrator says so.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::handler::{Job, JobContext, JobError, JobHandler, Outcome};
use super::sent::{self, Sent};
use crate::base::DateTime;
use crate::outbound::mail::{Letter, MailFault, Mailer, is_address};
use crate::store::audit::{self, Entry};
use crate::store::mails::{self, Attempt, Content, Mail, NewMail, SEND};
use crate::store::{BoxFuture, Store, StoreError, Tx};

const SECOND_US: i64 = 1_000_000;
/// How long a message waits where as many as may be went out within the last minute.
const PAUSE_S: i64 = 5;

/// What a message that an administrator tries says where there is no template.
pub const TEST: &str = "test";

/// Sends messages.
pub struct MailJobs {
    /// `None`: no server is named.
    mailer: Option<Arc<Mailer>>,
}

impl MailJobs {
    pub fn new(mailer: Option<Arc<Mailer>>) -> Self {
        Self { mailer }
    }
}

impl JobHandler for MailJobs {
    fn kinds(&self) -> &[&'static str] {
        &[SEND]
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            let store = &context.store;
            let id = job.payload.get("mail").and_then(Json::as_i64).unwrap_or_default();
            // What is gone was forgotten with somebody.
            let Some(mail) = mails::get(store, id).await? else { return Ok(Outcome::Done) };
            let Some((_, content)) = mails::contents(store, &[id]).await?.pop() else { return Ok(Outcome::Done) };
            let Some(mailer) = &self.mailer else {
                let error = "no mail server is named (`mail_host` in the configuration)".to_owned();
                return self.failed(context, job, mail, MailFault::Later { code: None, text: error }).await;
            };
            if mails::is_stopped(store, &mail.address).await? {
                let error = Some("the address takes nothing: an earlier message came back".to_owned());
                settle(context, job, mail, Attempt { state: "held", status: None, error }).await?;
                return Ok(Outcome::Finished);
            }
            let now = store.clock().now();
            if mails::tried_since(store, after(now, -60)).await? >= i64::from(mailer.per_minute()) {
                let (held, job) = (context.clone(), job.clone());
                let until = after(now, PAUSE_S);
                store.write(move |tx| Box::pin(async move { held.put_back(tx, &job, until).await })).await?;
                return Ok(Outcome::Finished);
            }
            match mailer.send(&letter(&mail, content)).await {
                Ok(()) => {
                    settle(context, job, mail, Attempt { state: "sent", status: None, error: None }).await?;
                    Ok(Outcome::Finished)
                }
                Err(fault) => self.failed(context, job, mail, fault).await,
            }
        })
    }
}

fn after(at: DateTime, seconds: i64) -> DateTime {
    DateTime(at.0.saturating_add(seconds * SECOND_US))
}

fn letter(mail: &Mail, content: Content) -> Letter {
    let Content { name, address, subject, text, html } = content;
    Letter { id: mail.message.clone(), written_at: mail.made_at, name, address, subject, text, html }
}

impl MailJobs {
    /// Notes an attempt that failed: it is tried again, or over.
    async fn failed(&self, context: &JobContext, job: &Job, mail: Mail, fault: MailFault) -> Result<Outcome, JobError> {
        let is_over = job.is_last_try() || !matches!(fault, MailFault::Later { .. });
        let text = fault.to_string();
        let attempt =
            Attempt { state: if is_over { "failed" } else { "waiting" }, status: fault.code().map(i64::from), error: Some(text.clone()) };
        let is_refused = matches!(fault, MailFault::Address { .. });
        let end = context.store.write(move |tx| {
            Box::pin(async move {
                mails::note(tx, mail.id, &attempt).await?;
                if is_refused {
                    mails::stop(tx, &mail, &attempt).await?;
                }
                log(tx, mail.step.as_ref(), &attempt).await
            })
        });
        end.await?;
        if is_over { Err(JobError::Fatal(text)) } else { Err(JobError::Retry(text)) }
    }
}

/// Notes what came of a message together with the end of its job.
async fn settle(context: &JobContext, job: &Job, mail: Mail, attempt: Attempt) -> Result<(), StoreError> {
    let (held, job) = (context.clone(), job.clone());
    let end = context.store.write(move |tx| {
        Box::pin(async move {
            mails::note(tx, mail.id, &attempt).await?;
            log(tx, mail.step.as_ref(), &attempt).await?;
            held.finish(tx, &job).await
        })
    });
    end.await
}

/// Says in the log of an automation's run what became of its message, once it is over.
async fn log(tx: &mut Tx, step: Option<&(i64, String)>, attempt: &Attempt) -> Result<(), StoreError> {
    let sent = Sent {
        act: "email",
        is_done: attempt.state == "sent",
        output: json!({ "mail": attempt.state, "status": attempt.status }),
        error: attempt.error.as_deref(),
    };
    sent::log(tx, step.filter(|_| attempt.state != "waiting"), sent).await
}

/// Sends a message that an administrator tries; gives its id. `None`: nobody can be written to at this address.
///
/// # Errors
/// The database, a missing key.
pub async fn send(store: &Store, new: NewMail) -> Result<Option<i64>, StoreError> {
    if !is_address(&new.content.address) {
        return Ok(None);
    }
    store.write(move |tx| Box::pin(async move { mails::add(tx, &new).await })).await.map(Some)
}

/// Sends a message once more, with the same `Message-ID`. `Some(false)`: it is on its way; `None`: there is none that could be.
///
/// # Errors
/// The database.
pub async fn send_again(store: &Store, id: i64) -> Result<Option<bool>, StoreError> {
    store.write(move |tx| Box::pin(async move { mails::send_again(tx, id).await })).await
}

/// Lets an address be written to again. Audited. `false`: it could be all the time.
///
/// # Errors
/// The database, a missing key.
pub async fn release(store: &Store, address: &str) -> Result<bool, StoreError> {
    let hash = mails::hash(store, address)?;
    store
        .write(move |tx| {
            Box::pin(async move {
                let done = mails::release(tx, &hash).await?;
                if done {
                    audit::append(tx, Entry::new("mail.release")).await?;
                }
                Ok(done)
            })
        })
        .await
}
