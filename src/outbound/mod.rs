//! Requests to other servers: single sign-on, webhooks, whatever a person names by an address; and e-mail.
//!
//! Callers hold an [`HttpClient`]; [`Egress`] is the real one, [`Recorder`] stands in its place in tests. Nothing else in
//! the program opens a connection to a host that a definition, a person or another server named.

mod address;
mod allow;
mod egress;
mod error;
pub mod mail;
mod network;
mod recorder;
pub mod webhook;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use address::is_public;
pub use allow::Allow;
pub use egress::{Egress, EgressOptions, check_address};
pub use error::OutboundError;
pub use network::Network;
pub use recorder::Recorder;

/// What a request leads to, some time later.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<HttpAnswer, OutboundError>> + Send + 'a>>;

/// Sends requests to other servers.
pub trait HttpClient: Send + Sync + Debug {
    /// Sends one request. A redirect is an answer like any other: its `location` is not followed.
    ///
    /// # Errors
    /// `OUT001` to `OUT006`; an answer of any status is no error.
    fn send(&self, request: HttpRequest) -> Sending<'_>;
}

/// The methods that leave the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// A request on its way out.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: HttpMethod,
    /// `https://host[:port]/path?query`; a user name or fragment is refused.
    pub url: String,
    /// Names in lower case. `host`, `content-length`, `connection` and `transfer-encoding` are the client's own.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Longest answer taken, bytes.
    pub longest_answer: usize,
    /// From looking up the name to the last byte.
    pub time: Duration,
}

impl HttpRequest {
    /// Reads an address: at most a megabyte, at most ten seconds.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Get, url)
    }

    /// [`HttpRequest::get`] with another method and nothing to say yet.
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new(), longest_answer: 1 << 20, time: Duration::from_secs(10) }
    }

    /// Posts a form (`application/x-www-form-urlencoded`), as OAuth's token endpoints want it.
    pub fn post_form(url: impl Into<String>, pairs: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mut request = Self::new(HttpMethod::Post, url).header("content-type", "application/x-www-form-urlencoded");
        request.body = body.into_bytes();
        request
    }

    /// Posts JSON.
    pub fn post_json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        let mut request = Self::new(HttpMethod::Post, url).header("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        request
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }
}

/// Neither headers nor body nor query are shown: they carry secrets.
impl Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bare = self.url.split(['?', '#']).next().unwrap_or("");
        write!(f, "HttpRequest({:?} {bare}, {} bytes)", self.method, self.body.len())
    }
}

/// What the other server said.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// An answer with a JSON body, for tests.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, headers: vec![("content-type".into(), "application/json".into())], body: body.to_string().into_bytes() }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The body may be anybody's data.
impl Debug for HttpAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpAnswer({}, {} bytes)", self.status, self.body.len())
    }
}
