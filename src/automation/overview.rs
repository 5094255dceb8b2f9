//! Automations as administrators see them: which are paused and why; pausing and resuming, which are audited.

use crate::schema::catalog::Automation;
use crate::store::audit::{self, Entry};
use crate::store::runs;
use crate::store::{Store, StoreError};

/// Pauses an automation: events that would start it pass, and are counted. `false`: it is paused already.
///
/// # Errors
/// The database.
pub async fn pause(store: &Store, automation: &Automation) -> Result<bool, StoreError> {
    act(store, automation, "automation.pause").await
}

/// Lets an automation begin again with the next event. `false`: it is not paused.
///
/// # Errors
/// The database.
pub async fn resume(store: &Store, automation: &Automation) -> Result<bool, StoreError> {
    act(store, automation, "automation.resume").await
}

async fn act(store: &Store, automation: &Automation, action: &'static str) -> Result<bool, StoreError> {
    let (uid, id) = (automation.uid.clone(), automation.id.clone());
    store
        .write(move |tx| {
            Box::pin(async move {
                let done =
                    if action == "automation.pause" { runs::pause(tx, &uid, "person:").await? } else { runs::resume(tx, &uid).await? };
                if done {
                    audit::append(tx, Entry::new(action).fact("automation", id)).await?;
                }
                Ok::<_, StoreError>(done)
            })
        })
        .await
}

/// A reason of the log: a word, and what it is about (a condition, a chain of causes, a refusal).
pub fn reason(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}
