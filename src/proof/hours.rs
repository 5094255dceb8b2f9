//! What a server does by the clock, in a workspace of a proof.

use crate::jobs::{CLOCKS, Job, JobContext, JobError, JobHandler, Outcome};
use crate::record::{APPROVAL, Records};
use crate::store::{BoxFuture, mails};

/// Does by the clock what a server does: clocks that run out, approvals whose time is over. E-mails stay where they are written.
pub(super) struct Hours {
    pub records: Records,
}

impl JobHandler for Hours {
    fn kinds(&self) -> &[&'static str] {
        &[CLOCKS, APPROVAL, mails::SEND]
    }

    fn run<'a>(&'a self, _: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            let done = match job.kind.as_str() {
                CLOCKS => self.records.look_at_clocks().await,
                mails::SEND => return Ok(Outcome::Done),
                _ => self.records.look_after_approvals(&job.payload).await,
            };
            done.map(|_| Outcome::Done).map_err(|error| JobError::Retry(error.to_string()))
        })
    }
}
