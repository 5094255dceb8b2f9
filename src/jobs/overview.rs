//! The queue as administrators see it: what waits, runs and failed; trying again, cancelling. Both are audited.

use serde_json::Value as Json;

use crate::store::audit::{self, Entry};
use crate::store::jobs::{self, JobLine};
use crate::store::{Store, StoreError, runs};

/// What a job is about, without any value of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The script or automation that it runs; empty for work of the program itself.
    pub handler: String,
    /// The slug of the record's entity, and its id.
    pub record: Option<(String, i64)>,
}

/// What a waiting job is about, told by its payload.
pub fn about(line: &JobLine) -> About {
    let Ok(payload) = serde_json::from_str::<Json>(&line.job.payload_json) else { return About::default() };
    let text = |name: &str| payload.get(name).and_then(Json::as_str);
    let id = payload.get("id").and_then(Json::as_i64);
    About {
        handler: text("automation").or_else(|| text("handler")).or_else(|| text("script")).unwrap_or_default().to_owned(),
        record: text("entity").zip(id).map(|(entity, id)| (entity.to_owned(), id)),
    }
}

/// Has a job that failed, or waits for its next attempt, tried at once. `false`: it runs now, or is gone.
///
/// # Errors
/// The database.
pub async fn retry(store: &Store, id: i64) -> Result<bool, StoreError> {
    act(store, id, "job.retry").await
}

/// Throws a job away. What a running one has not committed is undone. `false`: it is gone.
///
/// # Errors
/// The database.
pub async fn cancel(store: &Store, id: i64) -> Result<bool, StoreError> {
    act(store, id, "job.cancel").await
}

async fn act(store: &Store, id: i64, action: &'static str) -> Result<bool, StoreError> {
    let Some(line) = jobs::get(store, id).await? else { return Ok(false) };
    let about = about(&line);
    let entry = Entry::new(action).fact("job", id.to_string()).fact("kind", line.job.handler).fact("handler", about.handler);
    store
        .write(move |tx| {
            Box::pin(async move {
                let done = if action == "job.retry" { jobs::replay(tx, id).await? } else { jobs::discard(tx, id).await? };
                if done {
                    if action == "job.cancel" {
                        // A run of an automation has the id of its job.
                        runs::cancel(tx, id).await?;
                    }
                    audit::append(tx, entry).await?;
                }
                Ok::<_, StoreError>(done)
            })
        })
        .await
}
