//! OpenAPI and JSON Schema documents from the catalog. Pure: the same catalog gives the same text.

mod access;
mod approvals;
mod automations;
mod components;
mod conversions;
mod duplicates;
mod entity;
mod fields;
mod identity;
mod jobs;
mod merge;
mod moves;
mod notifications;
mod operation;
mod people;
mod pools;
mod records;
mod registrations;
mod shares;
mod small;
mod surveys;
mod system;

mod mails;
#[cfg(test)]
mod tests;
mod webhooks;
mod what_if;

use serde_json::{Map, Value, json};

use crate::schema::catalog::Catalog;

pub use entity::entity_schema;

/// Most operations of a batch and items of an update of many; the same as the record service's (a test holds that).
pub const MAX_OPERATIONS: usize = 500;

/// Records claimed at once; the same as the record service's.
pub const MOST_CLAIMED: usize = 100;

/// The OpenAPI 3.1 document of the whole API for this catalog. `origin` is the site's address (`https://crm.example.com`).
/// Paths come in the order of the catalog's entities, so the text is stable.
pub fn openapi(catalog: &Catalog, origin: &str) -> Value {
    let mut paths = Map::new();
    for entity in catalog.known_entities() {
        records::add(catalog, entity, &mut paths);
    }
    identity::add(&mut paths);
    people::add(catalog, &mut paths);
    access::add(&mut paths);
    let has_approvals = approvals::is_used(catalog.known_entities());
    if has_approvals {
        approvals::add(&mut paths);
    }
    if registrations::is_used(catalog.known_entities()) {
        registrations::add(&mut paths);
    }
    if pools::is_used(catalog.known_entities()) {
        pools::add(&mut paths);
    }
    if catalog.surveys.iter().any(|survey| catalog.entity(survey.answers).may.read) {
        surveys::add(&mut paths);
    }
    automations::add(&mut paths);
    what_if::add(&mut paths);
    jobs::add(&mut paths);
    notifications::add(&mut paths);
    webhooks::add(&mut paths);
    mails::add(&mut paths);
    system::add(catalog, &mut paths);
    let tags: Vec<Value> = catalog
        .known_entities()
        .map(|entity| json!({ "name": entity.slug, "description": entity.label_plural.get(crate::base::Locale::En) }))
        .chain([
            json!({ "name": "identity", "description": "One's own sessions and API tokens" }),
            json!({ "name": "people", "description": "Inviting, deactivating and reactivating people, for administrators" }),
            json!({ "name": "access", "description": "Why somebody may or may not, who reads what" }),
            json!({ "name": "approvals", "description": "Decisions that were asked for, and who stands in for whom" }),
            json!({ "name": "pools", "description": "Public pools of records that people claim" }),
            json!({ "name": "surveys", "description": "What people were asked about records, and what came back" }),
            json!({ "name": "registrations", "description": "Claims that were filed on records" }),
            json!({ "name": "workspace", "description": "Batches, changes, files, definitions and health" }),
        ])
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} API", catalog.settings.name),
            "version": format!("{}", catalog.version),
            "description": "Records of this workspace. Errors are problem documents (RFC 9457); tags are `\"v<version>\"`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": origin }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": components::all(catalog),
    })
}
