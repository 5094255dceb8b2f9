//! Every error as a problem document (RFC 9457), and the one place where an error's status is decided.
//!
//! A handler returns a [`Problem`]; the outermost layer writes it as JSON for the API and as a page for browsers, so that
//! request id and language are added in one place.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::access::AccessError;
use crate::auth::AuthError;
use crate::base::Explain;
use crate::deploy::DeployError;
use crate::proof::what_if::WhatIfError;
use crate::query::QueryError;
use crate::record::{FieldFault, RecordError};

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
    /// Media types the path takes, for 415 (`Accept-Patch` or `Accept-Post`).
    pub accepts: Option<&'static str>,
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
            accepts: None,
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

    /// Makes a problem of an error of a lower room: its code decides the status, its `details` become members of the document.
    pub fn explain(error: &dyn Explain) -> Self {
        let code = error.code();
        let status = status_of(code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Self::internal(&Told(error.to_string()));
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
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            problem.retry_after = problem.more.get("retry_after").and_then(Value::as_u64).or(Some(1));
        }
        problem
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
        if let Some(accepts) = self.accepts {
            headers.insert(axum::http::header::ACCEPT, HeaderValue::from_static(accepts));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(axum::http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"relata\""));
        }
        response.extensions_mut().insert(Unwritten(Arc::new(self)));
        response
    }
}

/// An error known by its text alone.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        Problem::explain(&error)
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        Problem::explain(&error)
    }
}

impl From<WhatIfError> for Problem {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::Records(error) => error.into(),
            WhatIfError::Definitions(DeployError::Faults(faults)) => {
                let mut problem = Problem::explain(&DeployError::Faults(Vec::new()));
                problem.detail = DeployError::Faults(faults.clone()).to_string();
                for fault in faults.iter().filter(|fault| fault.is_error()) {
                    let place = json!({ "file": fault.file, "line": fault.line, "column": fault.column, "hint": fault.hint });
                    problem = problem.with_fault("/definition", fault.code, fault.message.clone(), place);
                }
                problem
            }
            WhatIfError::Definitions(error) => Problem::explain(&error),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        if let RecordError::Query(faults) = error {
            return faults.into();
        }
        let mut problem = Problem::explain(&error);
        problem.errors = error
            .faults()
            .iter()
            .map(|fault| Fault {
                path: fault.path.clone(),
                code: fault.code.clone(),
                message: fault.message.clone(),
                params: Value::Object(fault.params.clone()),
            })
            .collect();
        problem
    }
}

/// All faults of a request's parameters or body; the first one gives the code and the sentence.
impl From<Vec<QueryError>> for Problem {
    fn from(errors: Vec<QueryError>) -> Self {
        let Some(first) = errors.first() else {
            return Problem::new("WEB400", "the request is not readable");
        };
        let mut problem = Problem::explain(first);
        problem.more.clear();
        problem.errors = errors
            .iter()
            .map(|error| {
                let mut params = error.details().unwrap_or_else(|| json!({}));
                if let (Some(offset), Some(params)) = (error.place.offset, params.as_object_mut()) {
                    params.insert("offset".into(), offset.into());
                }
                Fault { path: error.place.at.clone(), code: error.code().to_owned(), message: error.to_string(), params }
            })
            .collect();
        problem
    }
}

impl From<Vec<FieldFault>> for Problem {
    fn from(faults: Vec<FieldFault>) -> Self {
        RecordError::Invalid(faults).into()
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
        // auth and access
        "ATH001" | "ATH002" | "ATH021" | "ACL001" => StatusCode::UNAUTHORIZED,
        "ATH003" => StatusCode::TOO_MANY_REQUESTS,
        "ATH017" => StatusCode::SERVICE_UNAVAILABLE,
        "ATH018" | "ATH020" => StatusCode::FORBIDDEN,
        "ATH404" | "ATH405" | "ATH407" => StatusCode::NOT_FOUND,
        // records
        "REC001" | "REC002" => StatusCode::NOT_FOUND,
        "REC011" | "REC012" | "REC013" | "REC014" | "REC023" => StatusCode::CONFLICT,
        // A plan that is stale, or not the one that was shown.
        "DEP005" | "DEP006" => StatusCode::CONFLICT,
        "REC020" => StatusCode::PRECONDITION_FAILED,
        "REC021" => StatusCode::PRECONDITION_REQUIRED,
        "REC032" | "REC050" => StatusCode::BAD_REQUEST,
        "REC040" => StatusCode::FORBIDDEN,
        "REC060" | "REC062" | "STO004" | "STO005" | "STO006" | "STO007" => StatusCode::SERVICE_UNAVAILABLE,
        "REC070" => StatusCode::GONE,
        "REC099" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => match code.get(..3) {
            Some("QRY" | "EXP") => StatusCode::BAD_REQUEST,
            Some("REC" | "TRF" | "DEF" | "AUT" | "GAT" | "ATH") => StatusCode::UNPROCESSABLE_ENTITY,
            Some("DEP") => StatusCode::UNPROCESSABLE_ENTITY,
            Some("ACL") => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

/// Whether a method changes nothing (RFC 9110, 9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
