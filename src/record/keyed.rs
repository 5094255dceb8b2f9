//! A save as it was asked for, and its answer as it is kept for a request that is repeated under the same idempotency key.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::error::RecordError;
use super::options::{Saved, WriteOptions};
use super::read::same_entity;
use crate::base::{EntityIx, RecordId};
use crate::schema::catalog::Catalog;

/// A save as it was asked for.
pub(super) struct Request {
    pub catalog: Arc<Catalog>,
    pub entity: EntityIx,
    /// One row, nothing before it and nothing that could refuse behind it.
    pub is_plain: bool,
    /// Tells requests with one idempotency key apart.
    pub digest: String,
}

impl Request {
    pub fn new(
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        kind: &str,
        target: String,
        options: &WriteOptions,
        body: impl FnOnce() -> String,
    ) -> Self {
        let digest = if options.idempotency_key.is_some() {
            let text = format!("{kind} {} {target} {:?} {}", catalog.entity(entity).uid, options.if_match, body());
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
        } else {
            String::new()
        };
        Self { catalog: catalog.clone(), entity, is_plain: false, digest }
    }
}

/// What is kept of an answer.
pub(super) fn remember(catalog: &Catalog, entity: EntityIx, saved: &Saved) -> String {
    let changed: Vec<&str> = saved.changed.iter().map(|ix| catalog.entity(entity).field(*ix).name.as_str()).collect();
    json!({ "id": saved.id.0, "version": saved.version, "created": saved.created, "changed": changed, "warnings": saved.warnings, "stale": saved.stale })
        .to_string()
}

/// The answer that was kept.
pub(super) fn replay(catalog: &Catalog, request: &Request, body: &str) -> Result<Saved, RecordError> {
    let kept: Json = serde_json::from_str(body).map_err(|fault| RecordError::Store(fault.to_string()))?;
    let texts = |name: &str| -> Vec<String> {
        kept.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let entity = same_entity(request.catalog.entity(request.entity), catalog);
    let changed = texts("changed").iter().filter_map(|name| Some(entity?.find_field(name)?.ix)).collect();
    Ok(Saved {
        id: RecordId(kept.get("id").and_then(Json::as_i64).unwrap_or(0)),
        version: kept.get("version").and_then(Json::as_i64).unwrap_or(0),
        created: kept.get("created") == Some(&Json::Bool(true)),
        changed,
        warnings: texts("warnings"),
        stale: texts("stale"),
        replayed: true,
        written: None,
    })
}
