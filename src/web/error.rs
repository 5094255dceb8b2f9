//! Every error as a problem document (RFC 9457), and the one place where an error's status is decided.
//!
//! A handler returns a [`Problem`]; the outermost layer writes it as JSON for the API and as a page for browsers, so that
//! request id and language are added in one place.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::base::Explain;

/// What went wrong, before it is written down for a reader.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    /// Three letters and three digits; see `docs/errors.md`.
    pub code: &'static str,
    pub detail: String,
    pub hint: Option<String>,
    /// One entry for each fault, each at its place in the request.
    pub errors: Vec<Fault>,
    /// Further members of the document (`version`, `changed`, …).
    pub more: Map<String, Value>,
    /// Seconds to wait, for 429 and 503.
    pub retry_after: Option<u64>,
    /// Methods of the path, for 405.
    pub allow: Option<HeaderValue>,
}

/// A fault at one place of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// JSON pointer into the body (`/lines/0/qty`) or the name of a query parameter.
    pub path: String,
    /// Stable word (`required`, `too_long`, …) or code.
    pub code: String,
    pub message: String,
    pub params: Value,
}

impl Fault {
    pub fn to_json(&self) -> Value {
        json!({ "path": self.path, "code": self.code, "message": self.message, "params": self.params })
    }
}

/// Left in a response's extensions for the outermost layer.
#[derive(Debug, Clone)]
pub(crate) struct Unwritten(pub Arc<Problem>);

impl Problem {
    /// A problem with the status that belongs to `code`.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: status_of(code),
            code,
            detail: detail.into(),
            hint: None,
            errors: Vec::new(),
            more: Map::new(),
            retry_after: None,
            allow: None,
        }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn with_fault(mut self, path: impl Into<String>, code: &str, message: impl Into<String>, params: Value) -> Self {
        self.errors.push(Fault { path: path.into(), code: code.to_owned(), message: message.into(), params });
        self
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    /// The one answer for what is missing and what may not be seen.
    pub fn not_found() -> Self {
        Self::new("WEB404", "there is nothing here")
    }

    pub fn sign_in_needed() -> Self {
        Self::new("ATH001", "sign in first").with_hint("send `Authorization: Bearer rl_…`; `relata token create` prints a token")
    }

    pub fn method_not_allowed(allow: &'static str) -> Self {
        let mut problem = Self::new("WEB405", format!("this path answers {allow}"));
        problem.allow = Some(HeaderValue::from_static(allow));
        problem
    }

    /// An unexpected fault of ours: logged with its cause, told without it.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str(": ");
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(error.causes = %causes, "a request failed");
        Self::new("WEB500", "something went wrong on our side").with_hint("the log has the cause under this request id")
    }

    /// The document. `request_id` lets the operator find the log lines.
    pub fn to_json(&self, request_id: &str) -> Value {
        let mut document = Map::with_capacity(8 + self.more.len());
        document.insert("type".into(), format!("/docs/errors#{}", self.code).into());
        document.insert("code".into(), self.code.into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("detail".into(), self.detail.clone().into());
        document.insert("hint".into(), self.hint.clone().map_or(Value::Null, Value::String));
        document.insert("errors".into(), self.errors.iter().map(Fault::to_json).collect());
        for (member, value) in &self.more {
            document.insert(member.clone(), value.clone());
        }
        document.insert("request_id".into(), request_id.into());
        Value::Object(document)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = &self.allow {
            headers.insert(ALLOW, allow.clone());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(axum::http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"relata\""));
        }
        response.extensions_mut().insert(Unwritten(Arc::new(self)));
        response
    }
}

/// Any error of a lower room: its code decides the status, its `details` become members of the document. `details.errors`
/// in the shape of [`Fault`] become its faults.
impl<E: Explain> From<E> for Problem {
    fn from(error: E) -> Self {
        let code = error.code();
        if status_of(code).is_server_error() && status_of(code) != StatusCode::SERVICE_UNAVAILABLE {
            return Self::internal(&error);
        }
        let mut problem = Self::new(code, error.to_string());
        problem.hint = error.hint();
        if let Some(Value::Object(details)) = error.details() {
            for (member, value) in details {
                match (member.as_str(), value) {
                    ("errors", Value::Array(faults)) => problem.errors.extend(faults.iter().filter_map(fault_from_json)),
                    ("type" | "code" | "status" | "detail" | "hint" | "request_id" | "errors", _) => {}
                    (_, value) => {
                        problem.more.insert(member, value);
                    }
                }
            }
        }
        if problem.status == StatusCode::SERVICE_UNAVAILABLE || problem.status == StatusCode::TOO_MANY_REQUESTS {
            problem.retry_after = problem.more.get("retry_after").and_then(Value::as_u64).or(Some(1));
        }
        problem
    }
}

fn fault_from_json(fault: &Value) -> Option<Fault> {
    let text = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Fault {
        path: text("path"),
        code: text("code"),
        message: text("message"),
        params: fault.get("params").cloned().filter(|params| !params.is_null()).unwrap_or_else(|| json!({})),
    })
    .filter(|_| fault.is_object())
}

/// The status of every code. A code that is not named takes its room's usual status.
pub fn status_of(code: &str) -> StatusCode {
    match code {
        // web: the number is the status, or named here
        "WEB400" | "WEB401" | "WEB402" => StatusCode::BAD_REQUEST,
        "WEB403" => StatusCode::FORBIDDEN,
        "WEB404" => StatusCode::NOT_FOUND,
        "WEB405" => StatusCode::METHOD_NOT_ALLOWED,
        "WEB408" => StatusCode::REQUEST_TIMEOUT,
        "WEB413" => StatusCode::PAYLOAD_TOO_LARGE,
        "WEB415" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "WEB421" => StatusCode::MISDIRECTED_REQUEST,
        "WEB422" => StatusCode::UNPROCESSABLE_ENTITY,
        "WEB429" => StatusCode::TOO_MANY_REQUESTS,
        "WEB503" => StatusCode::SERVICE_UNAVAILABLE,
        "WEB500" => StatusCode::INTERNAL_SERVER_ERROR,
        // auth
        "ATH001" | "ATH002" => StatusCode::UNAUTHORIZED,
        "ATH003" => StatusCode::TOO_MANY_REQUESTS,
        "ATH404" => StatusCode::NOT_FOUND,
        _ => match code.get(..3) {
            Some("QRY" | "EXP") => StatusCode::BAD_REQUEST,
            Some("REC" | "TRF" | "DEF" | "AUT" | "GAT" | "ATH" | "DEP") => StatusCode::UNPROCESSABLE_ENTITY,
            Some("ACL") => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

/// Whether a method changes nothing (RFC 9110, 9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
