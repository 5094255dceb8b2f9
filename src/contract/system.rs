//! Operations beside records: batches, changes, schemas, files, definitions, health.

use serde_json::{Map, Value, json};

use super::MAX_OPERATIONS;
use super::operation::{Operation, schema_ref};
use super::small::object;
use crate::schema::catalog::Catalog;

const JSON: &[&str] = &["application/json"];
const TAG: &str = "workspace";

pub(super) fn add(catalog: &Catalog, paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/batch".into(), json!({ "post": batch(catalog) }));
    paths.insert("/api/v1/changes".into(), json!({ "get": changes() }));
    paths.insert("/api/v1/schema".into(), json!({ "get": schemas() }));
    paths.insert("/api/v1/schema/{entity}".into(), json!({ "get": schema(catalog) }));
    paths.insert("/api/v1/openapi.json".into(), json!({ "get": openapi() }));
    paths.insert("/api/v1/files".into(), json!({ "post": upload(catalog) }));
    paths.insert("/api/v1/files/{id}".into(), json!({ "get": download() }));
    paths.insert("/api/v1/definitions/check".into(), json!({ "post": check() }));
    paths.insert("/api/v1/definitions/plan".into(), json!({ "post": plan() }));
    paths.insert("/api/v1/definitions/apply".into(), json!({ "post": apply() }));
    paths.insert("/api/v1/definitions/versions".into(), json!({ "get": versions() }));
    paths.insert("/healthz".into(), json!({ "get": health() }));
    paths.insert("/readyz".into(), json!({ "get": ready() }));
}

fn slugs(catalog: &Catalog) -> Vec<&str> {
    catalog.known_entities().map(|entity| entity.slug.as_str()).collect()
}

fn batch(catalog: &Catalog) -> Value {
    let operation = json!({
        "type": "object",
        "properties": {
            "op": { "type": "string", "enum": ["create", "update", "delete", "restore", "upsert"] },
            "entity": { "type": "string", "enum": slugs(catalog) },
            "id": { "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": { "$ref": { "type": ["string", "integer"] } }, "required": ["$ref"], "additionalProperties": false },
            ] },
            "version": { "type": ["integer", "null"], "minimum": 1, "maximum": i64::MAX },
            "values": { "type": "object", "description": "fields; `{\"$ref\": \"name\"}` stands for the id an earlier operation gave" },
            "unique": { "type": "string", "description": "the unique of an upsert" },
            "as": { "type": "string", "description": "a name for later references" },
        },
        "required": ["op", "entity"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "atomic": { "type": "boolean", "default": true, "description": "all or nothing" },
            "operations": { "type": "array", "maxItems": MAX_OPERATIONS, "items": operation },
        },
        "required": ["operations"],
        "additionalProperties": false,
    });
    let answer = object(&[
        ("results", json!({ "type": "array", "items": schema_ref("Result") })),
        ("failed", json!({ "type": "integer", "minimum": 0 })),
    ]);
    Operation::new("batch", TAG, "Many operations in one request")
        .shared("IdempotencyKey")
        .shared("Prefer")
        .body(JSON, schema, Some(json!({ "atomic": true, "operations": [] })))
        .answers("200", "what became of each operation", answer)
        .fails(&["409", "412", "428"])
        .build()
}

fn changes() -> Value {
    Operation::new("changes", TAG, "The feed of all changes")
        .describe(
            "With `Accept: text/event-stream` it is a stream of server-sent events (`id`, `event: change`, `data` as in `data` here): from now \
             on, after `since`, or after `Last-Event-ID`. Rights are those of the moment of each event; the stream ends with `event: end` when \
             whoever listens is no longer let in.",
        )
        .query(
            "since",
            json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX }),
            "`next` of the answer before; without it the feed begins with the oldest event that is kept",
        )
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 }), "events of an answer")
        .answers("200", "events, oldest first", schema_ref("ChangesPage"))
        .fails(&["410"])
        .build()
}

fn schemas() -> Value {
    let item = object(&[
        ("entity", json!({ "type": "string" })),
        ("id", json!({ "type": "string" })),
        ("prefix", json!({ "type": "string" })),
        ("label", json!({ "type": "string" })),
        ("label_plural", json!({ "type": "string" })),
        ("junction", json!({ "type": "boolean" })),
        ("schema", json!({ "type": "string" })),
        ("records", json!({ "type": "string" })),
    ]);
    Operation::new("list_entities", TAG, "The entities there are")
        .answers(
            "200",
            "the entities",
            object(&[("data", json!({ "type": "array", "items": item })), ("version", json!({ "type": "integer" }))]),
        )
        .build()
}

fn schema(catalog: &Catalog) -> Value {
    Operation::new("entity_schema", TAG, "JSON Schema of an entity with its fields' metadata")
        .path("entity", json!({ "type": "string", "enum": slugs(catalog) }), "the entity's slug")
        .answers("200", "a JSON Schema (draft 2020-12)", json!({ "type": "object", "required": ["$schema", "properties"] }))
        .build()
}

fn openapi() -> Value {
    Operation::new("openapi", TAG, "This document")
        .answers("200", "OpenAPI 3.1", json!({ "type": "object", "required": ["openapi", "info", "paths"] }))
        .build()
}

fn upload(catalog: &Catalog) -> Value {
    let mut operation = Operation::new("upload_file", TAG, "Upload a file")
        .describe("The raw bytes. The answer's id is then written into a file or image field. The type is found by content.")
        .query(
            "name",
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-z0-9]+\\.txt$", "examples": ["notes.txt"] }),
            "the file's name",
        )
        .query("entity", json!({ "type": "string", "enum": slugs(catalog) }), "the entity whose records it is for")
        .body(&["application/octet-stream"], json!({ "type": "string", "format": "binary" }), None)
        .answers_raw("201", json!({ "description": "stored", "content": { "application/json": { "schema": schema_ref("File") } } }));
    operation =
        operation.links("201", json!({ "download": { "operationId": "download_file", "parameters": { "id": "$response.body#/id" } } }));
    operation.build()
}

fn download() -> Value {
    let any = json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } });
    Operation::new("download_file", TAG, "Download a file")
        .path("id", json!({ "type": "string", "pattern": "^file_[0-9a-hjkmnp-tv-z]{13}$" }), "the file's id")
        .query(
            "preview",
            json!({ "type": "integer", "enum": [64, 256, 1024] }),
            "a smaller picture of an image, at most this wide and high",
        )
        .answers_raw("200", json!({ "description": "the content", "content": any }))
        .answers_empty("304", "the client has it", &[])
        .build()
}

fn files_schema(more: &[(&str, Value)]) -> Value {
    let file = object(&[("path", json!({ "type": "string", "maxLength": 300 })), ("text", json!({ "type": "string" }))]);
    let mut properties = Map::new();
    properties.insert(
        "files".into(),
        json!({ "type": ["array", "null"], "items": file, "description": "without it the server's own definitions are taken" }),
    );
    for (name, schema) in more {
        properties.insert((*name).to_owned(), schema.clone());
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn check() -> Value {
    Operation::new("check_definitions", TAG, "Check definitions")
        .body(JSON, files_schema(&[]), Some(json!({})))
        .answers("200", "all faults and warnings", json!({ "type": "object" }))
        .fails(&["409"])
        .build()
}

fn plan() -> Value {
    Operation::new("plan_definitions", TAG, "What applying definitions would do")
        .body(JSON, files_schema(&[]), Some(json!({})))
        .answers("200", "the plan; nothing was changed", json!({ "type": "object" }))
        .fails(&["409"])
        .build()
}

fn apply() -> Value {
    let more = [
        ("plan", json!({ "type": ["string", "null"], "description": "refused (409) when this is no longer the plan" })),
        (
            "accept",
            json!({ "type": ["array", "null"], "items": { "type": "string" }, "description": "confirmations such as `lossy:fld_s2`" }),
        ),
    ];
    Operation::new("apply_definitions", TAG, "Apply definitions")
        .body(JSON, files_schema(&more), Some(json!({})))
        .answers("200", "what was applied", json!({ "type": "object" }))
        .fails(&["409"])
        .build()
}

fn versions() -> Value {
    Operation::new("definition_versions", TAG, "Versions of the definitions")
        .answers("200", "newest first", object(&[("data", json!({ "type": "array", "items": { "type": "object" } }))]))
        .build()
}

fn health() -> Value {
    let answer = object(&[
        ("status", json!({ "type": "string", "enum": ["ok"] })),
        ("version", json!({ "type": "string" })),
        ("panics", json!({ "type": "integer", "minimum": 0 })),
    ]);
    Operation::new("health", TAG, "Whether the process answers").answers("200", "it does", answer).fails(&["405"]).build_open()
}

fn ready() -> Value {
    let answer = object(&[("status", json!({ "type": "string", "enum": ["ready"] })), ("catalog", json!({ "type": "integer" }))]);
    Operation::new("ready", TAG, "Whether it can serve").answers("200", "it can", answer).fails(&["405", "503"]).build_open()
}
