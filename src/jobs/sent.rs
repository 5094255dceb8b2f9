//! What the log of an automation's run says of a message that left.

use serde_json::Value as Json;

use crate::store::runs::{self, StepLine};
use crate::store::{StoreError, Tx};

/// How an attempt ended.
pub(super) struct Sent<'a> {
    /// What the step does: `email`, `webhook`.
    pub act: &'a str,
    pub is_done: bool,
    pub output: Json,
    pub error: Option<&'a str>,
}

/// Notes it beside the step, a run and its path, that made the message.
pub(super) async fn log(tx: &mut Tx, step: Option<&(i64, String)>, sent: Sent<'_>) -> Result<(), StoreError> {
    let Some((run, step)) = step else { return Ok(()) };
    let line = StepLine {
        seq: 0,
        step: step.clone(),
        act: sent.act.to_owned(),
        state: if sent.is_done { "done" } else { "failed" }.to_owned(),
        input: "{}".to_owned(),
        output: sent.output.to_string(),
        reason: sent.error.map(|error| format!("refused:{error}")),
        at: tx.now(),
    };
    runs::note(tx, *run, &line).await.map(|_| ())
}
