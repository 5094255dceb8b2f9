//! A client that sends nothing: it remembers what was asked and answers what a test says.

use std::sync::{Mutex, PoisonError};

use super::{HttpAnswer, HttpClient, HttpRequest, OutboundError, Sending};

type Respond = Box<dyn Fn(&HttpRequest) -> Result<HttpAnswer, OutboundError> + Send + Sync>;

/// Stands in the place of [`super::Egress`].
pub struct Recorder {
    respond: Respond,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Recorder {
    /// Answers each request with what `respond` says.
    pub fn new(respond: impl Fn(&HttpRequest) -> Result<HttpAnswer, OutboundError> + Send + Sync + 'static) -> Self {
        Self { respond: Box::new(respond), seen: Mutex::new(Vec::new()) }
    }

    /// All requests so far, oldest first.
    pub fn seen(&self) -> Vec<HttpRequest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({} requests)", self.seen().len())
    }
}

impl HttpClient for Recorder {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        let answer = (self.respond)(&request);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Box::pin(std::future::ready(answer))
    }
}
