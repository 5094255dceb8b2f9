//! What the operations share: schemas, failures, parameters, headers, security.

use serde_json::{Map, Value, json};

use super::entity::{create_schema, full_record_schema, patch_schema, record_schema};
use super::operation::schema_ref;
use super::small::object;
use crate::schema::catalog::Catalog;

pub(super) fn all(catalog: &Catalog) -> Value {
    json!({
        "schemas": schemas(catalog),
        "responses": failures(),
        "parameters": parameters(),
        "headers": headers(),
        "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer", "bearerFormat": "rl_…", "description": "`relata token create` prints one" },
        },
    })
}

fn schemas(catalog: &Catalog) -> Value {
    let mut schemas = Map::new();
    for entity in catalog.known_entities() {
        let slug = &entity.slug;
        schemas.insert(slug.clone(), record_schema(catalog, entity));
        schemas.insert(format!("{slug}.record"), full_record_schema(entity));
        schemas.insert(format!("{slug}.new"), create_schema(catalog, entity));
        schemas.insert(format!("{slug}.patch"), patch_schema(catalog, entity));
        schemas.insert(format!("{slug}.page"), page(slug));
    }
    schemas.insert("Problem".into(), problem());
    schemas.insert("Fault".into(), fault());
    schemas.insert("Saved".into(), saved());
    schemas.insert("Result".into(), result());
    schemas.insert("File".into(), file());
    schemas.insert("Expanded".into(), json!({ "type": "object", "description": "another record with the fields that were selected" }));
    schemas.insert("Share".into(), super::shares::schema());
    if super::approvals::is_used(catalog.known_entities()) {
        schemas.insert("Approval".into(), super::approvals::schema());
    }
    if super::registrations::is_used(catalog.known_entities()) {
        schemas.insert("Claim".into(), super::registrations::schema());
    }
    schemas.insert("HistoryPage".into(), history_page());
    schemas.insert("ChangesPage".into(), changes_page());
    Value::Object(schemas)
}

fn page(slug: &str) -> Value {
    let total = object(&[
        ("value", json!({ "type": "integer", "minimum": 0 })),
        ("exact", json!({ "type": "boolean", "description": "false: there are more than `value`" })),
    ]);
    json!({
        "type": "object",
        "properties": {
            "data": { "type": "array", "items": schema_ref(slug) },
            "next_cursor": { "type": ["string", "null"] },
            "total": total,
        },
        "required": ["data", "next_cursor"],
        "additionalProperties": false,
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457. `code` is stable; further members depend on it.",
        "properties": {
            "type": { "type": "string" },
            "code": { "type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string" },
            "hint": { "type": ["string", "null"] },
            "errors": { "type": "array", "items": schema_ref("Fault") },
            "request_id": { "type": "string" },
        },
        "required": ["type", "code", "status", "detail", "hint", "errors", "request_id"],
    })
}

fn fault() -> Value {
    object(&[
        ("path", json!({ "type": "string", "description": "JSON pointer into the body, or a parameter's or header's name" })),
        ("code", json!({ "type": "string" })),
        ("message", json!({ "type": "string" })),
        ("params", json!({ "type": "object" })),
    ])
}

fn saved() -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    object(&[
        ("id", json!({ "type": "string" })),
        ("version", json!({ "type": "integer" })),
        ("created", json!({ "type": "boolean" })),
        ("changed", texts.clone()),
        ("warnings", texts.clone()),
        ("stale", texts),
    ])
}

fn result() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["saved", "failed"] },
            "op": { "type": "string", "enum": ["create", "update", "delete", "restore", "upsert"] },
            "entity": { "type": "string" },
            "id": { "type": "string" },
            "version": { "type": "integer" },
            "created": { "type": "boolean" },
            "changed": { "type": "array", "items": { "type": "string" } },
            "warnings": { "type": "array", "items": { "type": "string" } },
            "stale": { "type": "array", "items": { "type": "string" } },
            "error": schema_ref("Problem"),
        },
        "required": ["status", "entity"],
        "additionalProperties": false,
    })
}

fn file() -> Value {
    object(&[
        ("id", json!({ "type": "string" })),
        ("name", json!({ "type": "string" })),
        ("size", json!({ "type": "integer", "minimum": 0 })),
        ("type", json!({ "type": "string" })),
        ("url", json!({ "type": "string" })),
    ])
}

fn history_page() -> Value {
    let change = object(&[
        ("field", json!({ "type": "string" })),
        ("old", json!({})),
        ("new", json!({})),
        ("by_script", json!({ "type": "boolean" })),
    ]);
    let entry = object(&[
        ("version", json!({ "type": "integer" })),
        ("kind", json!({ "type": "string" })),
        ("at", json!({ "type": "string", "format": "date-time" })),
        ("by", json!({ "type": ["string", "null"] })),
        ("source", json!({ "type": "string" })),
        ("changes", json!({ "type": "array", "items": change })),
    ]);
    object(&[("data", json!({ "type": "array", "items": entry })), ("next_cursor", json!({ "type": ["string", "null"] }))])
}

fn changes_page() -> Value {
    let event = object(&[
        ("seq", json!({ "type": "integer" })),
        ("at", json!({ "type": "string", "format": "date-time" })),
        ("kind", json!({ "type": "string" })),
        ("entity", json!({ "type": "string" })),
        ("id", json!({ "type": "string" })),
        ("version", json!({ "type": "integer" })),
        ("changed", json!({ "type": "array", "items": { "type": "string" } })),
        ("by", json!({ "type": ["string", "null"] })),
    ]);
    object(&[
        ("data", json!({ "type": "array", "items": event })),
        ("next", json!({ "type": "integer" })),
        ("more", json!({ "type": "boolean" })),
    ])
}

/// One response for each status a request can fail with.
fn failures() -> Value {
    let told = [
        ("400", "the request cannot be read: address, header, parameter or JSON"),
        ("401", "not signed in, or the token is not valid"),
        ("403", "not allowed"),
        ("404", "there is nothing here, or it may not be seen"),
        ("405", "the path does not answer this method"),
        ("408", "the body did not arrive in time"),
        (
            "409",
            "it does not fit the present state: a value that must be unique is taken, records still refer to this one, a plan is stale",
        ),
        ("410", "events after `since` are no longer kept; `oldest` is where what is kept begins"),
        ("412", "the record has another version than `If-Match` says"),
        ("413", "the body is too large"),
        ("415", "the body has another media type"),
        ("421", "the `Host` is not this site"),
        ("422", "the values are not valid; `errors` tells each fault with its place"),
        ("428", "this entity is changed only with `If-Match`"),
        ("429", "too many attempts; see `Retry-After`"),
        ("503", "busy or not ready; see `Retry-After`"),
    ];
    // Refused by the HTTP layer before it is a request: without a body.
    let bare = [("414", "the address is longer than 64 KB"), ("431", "the head is longer than 64 KB or has more than 64 headers")];
    told.iter()
        .map(|(status, description)| {
            let answer =
                json!({ "description": description, "content": { "application/problem+json": { "schema": schema_ref("Problem") } } });
            (format!("Problem{status}"), answer)
        })
        .chain(bare.iter().map(|(status, description)| (format!("Problem{status}"), json!({ "description": description }))))
        .collect::<Map<_, _>>()
        .into()
}

fn parameters() -> Value {
    let header = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "header", "required": false, "schema": schema, "description": description });
    json!({
        "IfMatch": header("If-Match", json!({ "type": "string", "pattern": "^\"v[0-9]{1,18}\"$" }), "the version the change is based on"),
        "IfNoneMatch": header("If-None-Match", json!({ "type": "string", "pattern": "^\"v[0-9]{1,18}\"$" }), "the version the client has"),
        "IdempotencyKey": header(
            "Idempotency-Key",
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" }),
            "the same key within 24 hours gives the first answer again"
        ),
        "Prefer": header("Prefer", json!({ "type": "string", "enum": ["return=minimal", "return=representation", "dry-run", "allow-duplicates"] }), "RFC 7240; `allow-duplicates` saves also where a rule warns of a duplicate"),
    })
}

fn headers() -> Value {
    json!({
        "ETag": { "description": "`\"v<version>\"`", "schema": { "type": "string" } },
        "Location": { "description": "the record's address", "schema": { "type": "string" } },
    })
}
