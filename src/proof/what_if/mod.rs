//! What-if: an automation, new, changed or in force, run over the last days of a workspace, in a copy of it. The records are
//! laid down in a temporary embedded database as they were, and what happened since is done once more, in order, through the
//! record writer, by a clock that is moved from one event to the next. There is nothing in the copy through which anything
//! could leave it, nothing but reads (and a line of the audit) touches the live database, and the copy goes with its process.

mod answer;
mod candidate;
mod gather;
mod ground;
mod replay;
mod time;

use std::time::Duration;

use tokio::sync::Semaphore;

pub use answer::{Answer, Counted, Effect, PassedOver, RunLine, Why};

use crate::automation::Automation;
use crate::base::{DateTime, Explain, Stopwatch};
use crate::deploy::DeployError;
use crate::record::{RecordError, Records};
use crate::store::audit::{self, Entry};
use crate::store::{Store, StoreError, outbox};

/// Days that can be asked for.
pub const MOST_DAYS: u32 = 366;
/// Events that are played again, where nobody says otherwise.
pub const USUAL_EVENTS: u32 = 20_000;
/// Changes and runs that are listed, where nobody says otherwise.
pub const USUAL_LINES: usize = 100;
/// A copy takes room and the time of a processor.
static ALONE: Semaphore = Semaphore::const_new(1);
const DAY_US: i64 = 86_400 * 1_000_000;

/// What somebody wants to know.
#[derive(Debug, Clone)]
pub struct Question {
    /// Full id of an automation in force.
    pub automation: Option<String>,
    /// A definition that is not in force: the file it is said to lie in, and its text.
    pub definition: Option<(String, String)>,
    pub days: u32,
    /// All other automations and the scripts behind the commit run once more, too; else what they did is taken as it was.
    pub with_others: bool,
    /// Events that are played again at most: of more, the latest.
    pub most_events: u32,
    /// Changes and runs that are listed at most; all are counted.
    pub lines: usize,
    /// How long it may take.
    pub longest: Option<Duration>,
}

impl Question {
    /// About the last `days`, with the usual limits.
    pub fn of(days: u32) -> Self {
        Self { automation: None, definition: None, days, with_others: false, most_events: USUAL_EVENTS, lines: USUAL_LINES, longest: None }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    #[error(transparent)]
    Definitions(#[from] DeployError),
    #[error(transparent)]
    Records(#[from] RecordError),
}

impl From<StoreError> for WhatIfError {
    fn from(error: StoreError) -> Self {
        Self::Records(error.into())
    }
}

impl Explain for WhatIfError {
    fn code(&self) -> &'static str {
        match self {
            Self::Definitions(error) => error.code(),
            Self::Records(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Definitions(error) => error.hint(),
            Self::Records(error) => error.hint(),
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Definitions(error) => error.details(),
            Self::Records(error) => error.details(),
        }
    }
}

fn refused(message: impl Into<String>, hint: &str) -> WhatIfError {
    RecordError::BadRequest { message: message.into(), hint: Some(hint.to_owned()) }.into()
}

/// The stretch of the past that is played again.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: DateTime,
    to: DateTime,
    /// Positions in the feed of events: behind the first, up to the second.
    after: i64,
    last: i64,
    /// Why it is shorter than what was asked for.
    why: Option<Why>,
}

/// Answers a question. `records` and `automation` are those of the live workspace, of which nothing is changed.
///
/// # Errors
/// Faults of the definition, an unknown automation, limits, the database.
pub async fn what_if(records: &Records, automation: &Automation, question: &Question) -> Result<Answer, WhatIfError> {
    if question.days == 0 || question.days > MOST_DAYS {
        return Err(refused(format!("`days` must be between 1 and {MOST_DAYS}"), "say how many of the last days are looked at"));
    }
    let watch = Stopwatch::start();
    // One copy at a time: the others wait, and their time counts.
    let _alone = ALONE.acquire().await.map_err(|_| RecordError::Busy)?;
    Store::sweep_temporary();
    let store = records.store();
    let candidate = candidate::find(store, question).await?;
    let stretch = stretch(store, question).await?;
    note(store, &candidate.ids, question.days).await?;
    let laid = ground::Laid { from: stretch.from, with_others: question.with_others, watch, longest: question.longest };
    let ground = ground::Ground::lay(records, automation, candidate, laid).await?;
    let replayed = replay::replay(&ground, stretch, question).await;
    let answer = match replayed {
        Ok(replayed) => gather::gather(&ground, stretch, question, replayed).await,
        Err(error) => Err(error),
    };
    ground.close().await;
    let mut answer = answer?;
    answer.took_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(answer)
}

/// Who asks sees values of records of all kinds: it is in the audit.
async fn note(store: &Store, ids: &[String], days: u32) -> Result<(), StoreError> {
    let entry = Entry::new("automation.what_if").fact("automation", ids.join(", ")).fact("days", days);
    store.write(move |tx| Box::pin(async move { audit::append(tx, entry).await.map(|_| ()) })).await
}

async fn stretch(store: &Store, question: &Question) -> Result<Stretch, WhatIfError> {
    let to = store.clock().now();
    let mut from = DateTime(to.0.saturating_sub(i64::from(question.days) * DAY_US));
    let mut why = None;
    let last = outbox::settled_seq(store).await?;
    let oldest = outbox::oldest(store).await?;
    if outbox::pruned(store).await? > 0
        && let Some(oldest) = oldest.filter(|oldest| *oldest > from)
    {
        (from, why) = (oldest, Some(Why::Kept));
    }
    let mut after = outbox::last_before(store, from).await?;
    // Positions have gaps, so that these are no more events than that.
    let most = i64::from(question.most_events.max(1));
    if last - after > most
        && let Some(first) = outbox::since(store, last - most, 1).await?.first()
    {
        (from, why) = (first.at, Some(Why::Many));
        after = outbox::last_before(store, from).await?;
    }
    Ok(Stretch { from, to, after, last, why })
}
