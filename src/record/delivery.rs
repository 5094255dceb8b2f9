//! What an after-commit handler is told: the payload of a delivery job.

use serde_json::{Map, Value as Json, json};

use super::hooks::EventKind;
use crate::base::RecordId;

/// The kind of job that delivers one event to one handler after the commit.
pub const DELIVER: &str = "deliver";

/// One event for one handler. Entities and fields are named, because definitions may change before it is delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub handler: String,
    pub kind: EventKind,
    /// Slug.
    pub entity: String,
    pub id: RecordId,
    pub version: i64,
    /// API names.
    pub changed: Vec<String>,
    /// Values before, in the shape of the API: of the changed fields of an update, of all fields of a delete.
    pub old: Map<String, Json>,
    /// Values after, likewise; all fields of a create.
    pub values: Map<String, Json>,
    /// The user on whose behalf it happened, 0 for the system.
    pub by: i64,
    /// (handler, entity, id) of what led here.
    pub chain: Vec<(String, String, i64)>,
}

impl Delivery {
    pub fn to_json(&self) -> Json {
        json!({
            "handler": self.handler,
            "kind": self.kind.as_str(),
            "entity": self.entity,
            "id": self.id.0,
            "version": self.version,
            "changed": self.changed,
            "old": self.old,
            "values": self.values,
            "by": self.by,
            "chain": self.chain,
        })
    }

    /// What a run is told where nothing happened to its record.
    pub fn about(entity: &str, id: RecordId) -> Self {
        Self {
            handler: String::new(),
            kind: EventKind::Update,
            entity: entity.to_owned(),
            id,
            version: 0,
            changed: Vec::new(),
            old: Map::new(),
            values: Map::new(),
            by: 0,
            chain: Vec::new(),
        }
    }

    /// Reads a job's payload; `None` for one that is none.
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        let map = |name: &str| json.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
        let chain = json.get("chain")?.as_array()?.iter();
        Some(Self {
            handler: text("handler")?,
            kind: EventKind::parse(&text("kind")?)?,
            entity: text("entity")?,
            id: RecordId(json.get("id")?.as_i64()?),
            version: json.get("version")?.as_i64()?,
            changed: json.get("changed")?.as_array()?.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            old: map("old"),
            values: map("values"),
            by: json.get("by")?.as_i64()?,
            chain: chain
                .filter_map(|cause| Some((cause.get(0)?.as_str()?.to_owned(), cause.get(1)?.as_str()?.to_owned(), cause.get(2)?.as_i64()?)))
                .collect(),
        })
    }
}
