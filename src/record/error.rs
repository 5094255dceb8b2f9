//! What a request to the record service can be refused with.

use std::fmt;

use serde_json::{Map, Value as Json, json};

use super::duplicates::Duplicates;
use crate::base::{DateTime, Explain};
use crate::query::QueryError;

/// One fault of one field, as a person or a program reads it.
///
/// `code` and `params` are stable (pages and the API translate them: message `fault-<code>`); `message` is
/// the English text. A rule of the definitions brings its own code and message.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFault {
    /// JSON pointer into the request (`/lines/0/qty`); empty for the record as a whole.
    pub path: String,
    pub code: String,
    pub message: String,
    pub params: Map<String, Json>,
}

impl FieldFault {
    /// A fault at the field `name` of the record itself.
    pub fn at(name: &str, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: pointer(name), code: code.into(), message: message.into(), params: Map::new() }
    }

    /// A fault of the record as a whole.
    pub fn whole(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: String::new(), code: code.into(), message: message.into(), params: Map::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// The same fault seen from further out: `/qty` below `/lines/0` is `/lines/0/qty`.
    pub fn below(mut self, outer: &str) -> Self {
        self.path = format!("{outer}{}", self.path);
        self
    }

    pub fn to_json(&self) -> Json {
        json!({ "path": self.path, "code": self.code, "message": self.message, "params": self.params })
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// One step of a JSON pointer (RFC 6901) with its slash.
pub fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Why the record service refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    /// There is no such entity.
    #[error("unknown entity `{name}`")]
    UnknownEntity { name: String, near: Option<String> },
    /// There is no such record, or the actor may not read it.
    #[error("no {entity} with the id `{id}`")]
    NotFound { entity: String, id: String },
    /// Faults of fields and rules, all of them.
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldFault>),
    /// `If-Match` named another version; `changed` are the fields changed since.
    #[error("the record was changed meanwhile: it is at version {current}")]
    Stale { current: i64, changed: Vec<String> },
    /// The entity asks for `If-Match` and none came.
    #[error("this entity is changed only with the version that was read")]
    PreconditionRequired,
    /// Another live record has the same values.
    #[error("{message}")]
    Unique { entity: String, name: String, fields: Vec<String>, message: String },
    /// Records that are there are taken for the same.
    #[error("{}", told(.entity, .found))]
    Duplicate { entity: String, found: Vec<Duplicates> },
    /// Records that point here stand in the way of deleting.
    #[error("{count} {entity} still refer to this record by `{field}`")]
    Restrict { entity: String, field: String, count: i64 },
    /// A script refused or failed.
    #[error("script `{script}` failed: {message}")]
    Hook { script: String, file: String, line: Option<u32>, message: String },
    /// More records, operations or steps than allowed.
    #[error("{what}: {got} is more than the limit of {limit}")]
    TooMany { what: String, got: u64, limit: u64 },
    /// Hooks that start hooks went too deep.
    #[error("automations started each other {depth} levels deep")]
    TooDeep { depth: u32 },
    /// The same idempotency key was used for a different request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The request with this idempotency key is still running.
    #[error("the first request with this idempotency key is not finished")]
    KeyBusy,
    /// The actor may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// `access` refused.
    #[error(transparent)]
    Access(crate::access::AccessError),
    /// The request cannot be understood: a reference, a cursor, an operation.
    #[error("{message}")]
    BadRequest { message: String, hint: Option<String> },
    /// A filter, selection, sort or aggregate is at fault.
    #[error("{}", .0.first().map_or_else(|| "the request is not readable".to_owned(), ToString::to_string))]
    Query(Vec<QueryError>),
    /// The feed of changes no longer goes back so far.
    #[error("events after {since} are no longer kept")]
    NotKept { since: i64, oldest: i64 },
    /// The record cannot be in this state for the operation (restoring a live record, …).
    #[error("{message}")]
    State { message: String },
    /// Nobody is asked about a record as it stands.
    #[error("`{survey}` is not asked about this {entity} as it stands: its `when` does not hold")]
    NotAsked { survey: String, entity: String },
    /// Whoever would be asked was asked lately.
    #[error("`{survey}` was asked lately: whoever is to be asked is not asked again before {until}")]
    AskedLately { survey: String, until: DateTime },
    /// An operation of an atomic batch failed; nothing was written.
    #[error("operation {index} failed: {error}")]
    Operation { index: usize, error: Box<RecordError> },
    /// The definitions changed under the request; the service runs it again with the new ones, so nobody else sees this.
    #[error("definitions changed meanwhile, try again")]
    StaleCatalog,
    /// The database is busy or the catalog changed twice under the request: try again.
    #[error("the workspace is busy, try again")]
    Busy,
    /// It took longer than a statement or a unit of work may; nothing of it was kept.
    #[error("this took longer than a request may and was stopped")]
    TooLong,
    /// The database failed.
    #[error("the database failed: {0}")]
    Store(String),
}

/// The status class of an error, so that doors (REST, pages, command line) need not list the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    BadRequest,
    Forbidden,
    NotFound,
    Conflict,
    PreconditionFailed,
    PreconditionRequired,
    Invalid,
    Busy,
    Gone,
    Internal,
}

impl RecordError {
    pub fn fault(fault: FieldFault) -> Self {
        RecordError::Invalid(vec![fault])
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            RecordError::UnknownEntity { .. } | RecordError::NotFound { .. } => ErrorKind::NotFound,
            RecordError::Invalid(_) | RecordError::Hook { .. } | RecordError::TooDeep { .. } => ErrorKind::Invalid,
            RecordError::Stale { .. } => ErrorKind::PreconditionFailed,
            RecordError::PreconditionRequired => ErrorKind::PreconditionRequired,
            RecordError::Unique { .. }
            | RecordError::Duplicate { .. }
            | RecordError::Restrict { .. }
            | RecordError::State { .. }
            | RecordError::NotAsked { .. }
            | RecordError::AskedLately { .. }
            | RecordError::KeyBusy => ErrorKind::Conflict,
            RecordError::NotKept { .. } => ErrorKind::Gone,
            RecordError::KeyReused => ErrorKind::Invalid,
            RecordError::TooMany { .. } | RecordError::BadRequest { .. } | RecordError::Query(_) => ErrorKind::BadRequest,
            RecordError::Forbidden(_) | RecordError::Access(_) => ErrorKind::Forbidden,
            RecordError::Operation { error, .. } => error.kind(),
            RecordError::Busy | RecordError::TooLong | RecordError::StaleCatalog => ErrorKind::Busy,
            RecordError::Store(_) => ErrorKind::Internal,
        }
    }

    /// The faults to show at fields: those of `Invalid`, and one for each field of `Unique`.
    pub fn faults(&self) -> Vec<FieldFault> {
        match self {
            RecordError::Invalid(faults) => faults.clone(),
            RecordError::Unique { name, fields, message, .. } => {
                fields.iter().map(|field| FieldFault::at(field, "unique", message.clone()).with("unique", name.as_str())).collect()
            }
            RecordError::Duplicate { found, .. } => found.iter().map(Duplicates::fault).collect(),
            RecordError::Operation { index, error } => error.faults().into_iter().map(|fault| fault.below(&format!("/{index}"))).collect(),
            _ => Vec::new(),
        }
    }

    /// Every fault moved below `outer` (`/lines/0`), for what happened in a nested record.
    pub fn below(self, outer: &str) -> Self {
        match self {
            RecordError::Invalid(faults) => RecordError::Invalid(faults.into_iter().map(|fault| fault.below(outer)).collect()),
            RecordError::Unique { .. } | RecordError::Duplicate { .. } => {
                RecordError::Invalid(self.faults().into_iter().map(|fault| fault.below(outer)).collect())
            }
            other => other,
        }
    }
}

/// A duplicate in one sentence.
fn told(entity: &str, found: &[Duplicates]) -> String {
    let mut said: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    said.dedup();
    format!("records of {entity} are taken for the same: {}", said.join("; "))
}

/// Faults told in one sentence.
const TOLD: usize = 10;

fn summary(faults: &[FieldFault]) -> String {
    if faults.is_empty() {
        return "the record is not valid".to_owned();
    }
    let told = faults.iter().take(TOLD).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if faults.len() > TOLD { format!("{told} (and {} more)", faults.len() - TOLD) } else { told }
}

impl Explain for RecordError {
    fn code(&self) -> &'static str {
        match self {
            RecordError::UnknownEntity { .. } => "REC001",
            RecordError::NotFound { .. } => "REC002",
            RecordError::Invalid(_) => "REC010",
            RecordError::Unique { .. } => "REC011",
            RecordError::Restrict { .. } => "REC012",
            RecordError::State { .. } | RecordError::NotAsked { .. } | RecordError::AskedLately { .. } => "REC013",
            RecordError::Duplicate { .. } => "REC014",
            RecordError::Stale { .. } => "REC020",
            RecordError::PreconditionRequired => "REC021",
            RecordError::KeyReused => "REC022",
            RecordError::KeyBusy => "REC023",
            RecordError::Hook { .. } => "REC030",
            RecordError::TooDeep { .. } => "REC031",
            RecordError::TooMany { .. } => "REC032",
            RecordError::Forbidden(_) => "REC040",
            RecordError::Access(error) => error.code(),
            RecordError::BadRequest { .. } => "REC050",
            RecordError::Query(faults) => faults.first().map_or("QRY001", Explain::code),
            RecordError::Operation { error, .. } => error.code(),
            RecordError::NotKept { .. } => "REC070",
            RecordError::Busy => "REC060",
            RecordError::StaleCatalog => "REC061",
            RecordError::TooLong => "REC062",
            RecordError::Store(_) => "REC099",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            RecordError::UnknownEntity { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            RecordError::Stale { .. } => Some("read the record again and repeat the change on what you find".to_owned()),
            RecordError::PreconditionRequired => Some("send `If-Match: \"v<version>\"` with the version you read".to_owned()),
            RecordError::Duplicate { found, .. } if found.iter().any(|one| one.refuses) => {
                Some("use the record that is there, or change what is the same".to_owned())
            }
            RecordError::Duplicate { .. } => {
                Some("use the record that is there, or save all the same with `Prefer: allow-duplicates`".to_owned())
            }
            RecordError::Restrict { entity, .. } => Some(format!("delete or move those {entity} records first")),
            RecordError::TooLong => Some("narrow the filter, ask for less at once, or give a field you filter by an index".to_owned()),
            RecordError::KeyReused => Some("use a new idempotency key for each different request".to_owned()),
            RecordError::TooMany { limit, .. } => Some(format!("split it into parts of at most {limit}")),
            RecordError::Access(error) => error.hint(),
            RecordError::BadRequest { hint, .. } => hint.clone(),
            RecordError::Query(faults) => faults.first().and_then(Explain::hint),
            RecordError::NotKept { oldest, .. } => {
                Some(format!("read the records anew with lists, then go on with `since={oldest}`, which gives all that is kept"))
            }
            RecordError::Operation { error, .. } => error.hint(),
            _ => None,
        }
    }

    fn details(&self) -> Option<Json> {
        match self {
            RecordError::UnknownEntity { name, near } => Some(json!({ "name": name, "near": near })),
            RecordError::Stale { current, changed } => Some(json!({ "version": current, "changed": changed })),
            RecordError::Unique { entity, name, fields, .. } => Some(json!({ "entity": entity, "unique": name, "fields": fields })),
            RecordError::Duplicate { entity, found } => Some(json!({
                "entity": entity,
                "duplicates": found.iter().map(Duplicates::to_json).collect::<Vec<_>>(),
                "may_save_anyway": !found.iter().any(|one| one.refuses),
            })),
            RecordError::Restrict { entity, field, count } => Some(json!({ "entity": entity, "field": field, "count": count })),
            RecordError::Hook { script, file, line, .. } => Some(json!({ "script": script, "file": file, "line": line })),
            RecordError::TooMany { limit, got, .. } => Some(json!({ "limit": limit, "got": got })),
            RecordError::Query(faults) => faults.first().and_then(Explain::details),
            RecordError::NotKept { oldest, .. } => Some(json!({ "oldest": oldest })),
            RecordError::Operation { index, error } => Some(json!({ "operation": index, "details": error.details() })),
            _ => None,
        }
    }
}

impl From<crate::store::StoreError> for RecordError {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError;
        match error {
            StoreError::StaleCatalog { .. } => RecordError::StaleCatalog,
            StoreError::Busy => RecordError::Busy,
            StoreError::Timeout => RecordError::TooLong,
            other => RecordError::Store(other.to_string()),
        }
    }
}

impl From<crate::access::AccessError> for RecordError {
    fn from(error: crate::access::AccessError) -> Self {
        use crate::access::AccessError;
        use crate::query::error::{Kind, Place};
        match error {
            // Hidden and missing are answered alike.
            AccessError::NoEntity { entity } => RecordError::UnknownEntity { name: entity, near: None },
            AccessError::NoField { entity, field } => {
                let kind = Kind::UnknownField { entity, name: field };
                RecordError::Query(vec![QueryError::new(kind, Place::default())])
            }
            other => RecordError::Access(other),
        }
    }
}

impl From<crate::store::compile::PlanError> for RecordError {
    fn from(error: crate::store::compile::PlanError) -> Self {
        match error {
            crate::store::compile::PlanError::Access(error) => error.into(),
            crate::store::compile::PlanError::Query(faults) => RecordError::Query(faults),
        }
    }
}
