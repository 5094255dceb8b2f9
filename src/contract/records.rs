//! The operations of one entity's records.

use serde_json::{Map, Value, json};

use super::MAX_OPERATIONS;
use super::entity::is_in_default_selection;
use super::fields::{id_schema, write_schema};
use super::operation::{Operation, schema_ref};
use super::shares;
use super::small::object;
use crate::base::Locale;
use crate::query::{MAX_LIMIT, MAX_MEASURES};
use crate::schema::catalog::{Catalog, Entity, FieldType, Unique};

const JSON: &[&str] = &["application/json"];
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

pub(super) fn add(catalog: &Catalog, entity: &Entity, paths: &mut Map<String, Value>) {
    let slug = &entity.slug;
    let base = format!("/api/v1/records/{slug}");
    paths.insert(base.clone(), json!({ "get": list(entity), "post": create(catalog, entity), "patch": many(entity) }));
    paths.insert(format!("{base}/query"), json!({ "post": query(entity) }));
    paths.insert(format!("{base}/aggregate"), json!({ "post": aggregate(entity) }));
    paths.insert(format!("{base}/{{id}}"), json!({ "get": get(entity), "patch": update(catalog, entity), "delete": delete(entity) }));
    if entity.features.soft_delete {
        paths.insert(format!("{base}/{{id}}/restore"), json!({ "post": restore(entity) }));
    }
    if entity.fields.iter().any(|field| field.class.is_some() || field.encrypted) {
        paths.insert(format!("{base}/{{id}}/erase"), json!({ "post": erase(entity) }));
    }
    paths.insert(format!("{base}/{{id}}/history"), json!({ "get": history(entity) }));
    if !entity.pipelines.is_empty() && entity.may.read {
        super::moves::add(entity, &base, paths);
    }
    if !entity.approvals.is_empty() && entity.may.read {
        super::approvals::of_entity(entity, &base, paths);
    }
    if !entity.registrations.is_empty() && entity.may.read {
        super::registrations::of_entity(entity, &base, paths);
    }
    if !entity.pools.is_empty() && entity.may.read {
        super::pools::of_entity(entity, &base, paths);
    }
    if entity.may.read {
        super::surveys::of_entity(catalog, entity, &base, paths);
    }
    if !entity.duplicates.is_empty() && (entity.may.read || entity.may.create) {
        super::duplicates::add(entity, &base, paths);
    }
    if !entity.conversions.is_empty() && entity.may.read {
        super::conversions::add(catalog, entity, &base, paths);
    }
    if entity.is_mergeable() && entity.may.read {
        super::merge::add(entity, &base, paths);
    }
    if entity.may.export {
        paths.insert(format!("{base}/export"), json!({ "get": export(entity) }));
    }
    if entity.may.import {
        paths.insert(format!("{base}/import"), json!({ "post": import(catalog, entity) }));
    }
    if (entity.may.share || entity.may.admin) && entity.is_shareable() {
        shares::add(entity, &base, paths);
    }
    if !entity.buttons.is_empty() {
        for button in &entity.buttons {
            paths.insert(
                format!("{base}/{{id}}/actions/{}", button.id),
                json!({ "post": action(entity, &button.id, button.label.get(Locale::En)) }),
            );
        }
    }
    for unique in entity.uniques.iter().filter(|unique| is_addressable(entity, unique)) {
        let path = format!("{base}/by/{}/{{value}}", unique.name);
        paths.insert(path, json!({ "put": upsert(catalog, entity, unique) }));
    }
}

/// A unique whose values can be written in an address.
fn is_addressable(entity: &Entity, unique: &Unique) -> bool {
    unique
        .fields
        .iter()
        .all(|field| !matches!(entity.field(*field).ty, FieldType::Json { .. } | FieldType::Address | FieldType::PersonName))
}

pub(super) fn name(entity: &Entity) -> &str {
    entity.label.get(Locale::En)
}

fn plural(entity: &Entity) -> &str {
    entity.label_plural.get(Locale::En)
}

pub(super) fn id_of(operation: Operation, entity: &Entity) -> Operation {
    operation.path("id", id_schema(entity), "the record's id")
}

fn some_field(entity: &Entity) -> &str {
    entity.known_fields().find(|field| !field.is_system && is_in_default_selection(field)).map_or("id", |field| field.name.as_str())
}

fn list(entity: &Entity) -> Value {
    Operation::new(&format!("list_{}", entity.slug), &entity.slug, &format!("List {}", plural(entity)))
        .query(
            "filter",
            json!({ "type": "string", "maxLength": 8192, "examples": [format!("{} is not null", some_field(entity))] }),
            "a condition; see docs/expressions.md",
        )
        .query(
            "select",
            json!({ "type": "string", "maxLength": 4096, "examples": ["id,version,_title"] }),
            "fields and expansions: `id,account(name),lines(total;limit=20)`",
        )
        .query("sort", json!({ "type": "string", "maxLength": 1024, "examples": ["-created_at"] }), "fields, `-` before one for descending")
        .query("cursor", json!({ "type": "string", "maxLength": 16384 }), "`next_cursor` of the page before")
        .query("page", json!({ "type": "integer", "minimum": 1, "maximum": 10000 }), "instead of a cursor, within the first 10,000 records")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50 }), "records of a page")
        .query("count", json!({ "type": "string", "enum": ["none", "estimated", "exact"], "default": "none" }), "whether `total` is told")
        .query("q", json!({ "type": "string", "maxLength": 256 }), "words to find")
        .query("deleted", json!({ "type": "string", "enum": ["live", "deleted", "all"], "default": "live" }), "records of the recycle bin")
        .answers("200", &format!("a page of {}", plural(entity)), schema_ref(&format!("{}.page", entity.slug)))
        .build()
}

fn export(entity: &Entity) -> Value {
    let file = json!({ "description": "the file", "content": {
        "text/csv": { "schema": { "type": "string" } },
        "application/x-ndjson": { "schema": { "type": "string" } },
    } });
    Operation::new(&format!("export_{}", entity.slug), &entity.slug, &format!("Take {} out as a file", plural(entity)))
        .describe("Every record the list finds, as far as the roles of the asker let it be read and exported.")
        .query(
            "filter",
            json!({ "type": "string", "maxLength": 8192, "examples": [format!("{} is not null", some_field(entity))] }),
            "a condition",
        )
        .query("select", json!({ "type": "string", "maxLength": 4096, "examples": ["id,version,_title"] }), "fields and expansions")
        .query("sort", json!({ "type": "string", "maxLength": 1024, "examples": ["-created_at"] }), "fields, `-` before one for descending")
        .query("q", json!({ "type": "string", "maxLength": 256 }), "words to find")
        .query("deleted", json!({ "type": "string", "enum": ["live", "deleted", "all"], "default": "live" }), "records of the recycle bin")
        .query(
            "format",
            json!({ "type": "string", "enum": ["csv", "jsonl"], "default": "csv" }),
            "a table for people, or a JSON object a line",
        )
        .answers_raw("200", file)
        .build()
}

fn import(catalog: &Catalog, entity: &Entity) -> Value {
    let names = |unique: &Unique| unique.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>().join(",");
    let (count, text) = (|| json!({ "type": "integer", "minimum": 0 }), || json!({ "type": "string" }));
    let list = |item: Value| json!({ "type": "array", "items": item });
    let difference =
        object(&[("line", count()), ("entity", text()), ("key", text()), ("field", text()), ("kept", text()), ("found", text())]);
    let report = object(&[
        ("rows", count()),
        ("created", count()),
        ("updated", count()),
        ("unchanged", count()),
        ("failed", count()),
        ("failures", list(object(&[("line", count()), ("reason", text())]))),
        ("linked", json!({ "type": "object", "additionalProperties": count() })),
        ("differences", list(difference)),
        ("unused_columns", list(text())),
        ("dry_run", json!({ "type": "boolean" })),
    ]);
    let mut matched = json!({ "type": "string", "maxLength": 200 });
    if let Some(first) = entity.uniques.first() {
        matched["examples"] = json!([names(first)]);
    }
    let optional = || entity.known_fields().find(|field| !field.is_system && !field.read_only).map_or("id", |field| field.name.as_str());
    let file = example_csv(&example(catalog, entity)).unwrap_or_else(|| format!("{}\n", optional()));
    Operation::new(&format!("import_{}", entity.slug), &entity.slug, &format!("Bring {} in from a file", plural(entity)))
        .describe(
            "A header line names fields or their labels; each row is kept whole or not at all, and told with its reason where it is not.",
        )
        .query("match", matched, "fields of a unique, by which records are found; without it each row is a new record")
        .query(
            "existing",
            json!({ "type": "string", "enum": ["update", "keep"], "default": "update" }),
            "what becomes of a record that is found",
        )
        .query(
            "reason",
            json!({ "type": "string", "maxLength": 1000 }),
            "why rows pass over the order and the gates of pipelines, where a role of yours may; kept with each of these moves",
        )
        .shared("Prefer")
        .body(&["text/csv"], text(), Some(file.into()))
        .answers("200", "what became of the rows", report)
        .build()
}

fn query(entity: &Entity) -> Value {
    let texts = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let schema = json!({
        "type": "object",
        "properties": {
            "filter": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
            "select": texts,
            "sort": texts,
            "cursor": { "type": "string" },
            "page": { "type": "integer", "minimum": 1 },
            "limit": { "type": "integer", "minimum": 1, "maximum": MAX_LIMIT },
            "count": { "type": "string", "enum": ["none", "estimated", "exact"] },
            "q": { "type": "string", "maxLength": 256 },
            "deleted": { "type": "string", "enum": ["live", "deleted", "all"] },
        },
        "additionalProperties": false,
    });
    let example =
        json!({ "filter": format!("{} is not null", some_field(entity)), "sort": ["-created_at"], "limit": 10, "count": "exact" });
    Operation::new(&format!("query_{}", entity.slug), &entity.slug, &format!("List {} by a JSON body", plural(entity)))
        .body(JSON, schema, Some(example))
        .answers("200", &format!("a page of {}", plural(entity)), schema_ref(&format!("{}.page", entity.slug)))
        .build()
}

fn aggregate(entity: &Entity) -> Value {
    let schema = json!({
        "type": "object",
        "properties": {
            "filter": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
            "group": { "type": "array", "maxItems": 4, "items": { "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "by": { "type": "string" },
                        "bucket": { "type": "string", "enum": ["day", "week", "month", "quarter", "year"] },
                        "zone": { "type": "string", "examples": ["Asia/Shanghai"] },
                        "as": { "type": "string" },
                    },
                    "required": ["by"],
                    "additionalProperties": false,
                },
            ] } },
            "measures": { "type": "object", "maxProperties": MAX_MEASURES, "additionalProperties": { "type": "string", "examples": ["count()"] } },
            "having": { "type": "string" },
            "sort": { "type": "string" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 5000 },
            "q": { "type": "string", "maxLength": 256 },
            "deleted": { "type": "string", "enum": ["live", "deleted", "all"] },
        },
        "additionalProperties": false,
    });
    let rows = json!({ "type": "array", "items": { "type": "object", "description": "one value for each group and measure, by name" } });
    Operation::new(&format!("aggregate_{}", entity.slug), &entity.slug, &format!("Groups and measures over {}", plural(entity)))
        .body(JSON, schema, Some(json!({ "group": [{ "by": "created_at", "bucket": "month", "as": "month" }], "measures": { "n": "count()" }, "sort": "-n" })))
        .answers("200", "the groups", object(&[("data", rows)]))
        .build()
}

fn get(entity: &Entity) -> Value {
    let operation = id_of(Operation::new(&format!("get_{}", entity.slug), &entity.slug, &format!("Read one {}", name(entity))), entity)
        .query("select", json!({ "type": "string", "maxLength": 4096, "examples": ["id,version,_title"] }), "fields and expansions")
        .query("deleted", json!({ "type": "string", "enum": ["live", "deleted", "all"], "default": "live" }), "records of the recycle bin")
        .shared("IfNoneMatch")
        .answers_with("200", "the record", schema_ref(&entity.slug), &["ETag"])
        .answers_empty("304", "the version the client has is the current one", &["ETag"]);
    if !entity.is_mergeable() {
        return operation.build();
    }
    let elsewhere = object(&[("merged_into", id_schema(entity))]);
    operation.answers_with("301", "it was merged into another one", elsewhere, &["Location"]).build()
}

fn create(catalog: &Catalog, entity: &Entity) -> Value {
    let id = "$response.body#/id";
    let linked = |operation: &str| json!({ "operationId": format!("{operation}_{}", entity.slug), "parameters": { "id": id } });
    Operation::new(&format!("create_{}", entity.slug), &entity.slug, &format!("Create one {}", name(entity)))
        .shared("IdempotencyKey")
        .shared("Prefer")
        .body(JSON, schema_ref(&format!("{}.new", entity.slug)), Some(example(catalog, entity)))
        .answers_with("201", "created", schema_ref(&format!("{}.record", entity.slug)), &["Location", "ETag"])
        .links("201", json!({ "get": linked("get"), "update": linked("update"), "history": linked("history"), "delete": linked("delete") }))
        .answers("200", "a dry run: nothing was written", schema_ref("Saved"))
        .answers_empty("204", "created; the client asked for no body", &["Location", "ETag"])
        .fails(&["409"])
        .build()
}

fn update(_catalog: &Catalog, entity: &Entity) -> Value {
    let answer = json!({ "anyOf": [schema_ref(&format!("{}.record", entity.slug)), schema_ref("Saved")] });
    let operation =
        id_of(Operation::new(&format!("update_{}", entity.slug), &entity.slug, &format!("Change one {}", name(entity))), entity)
            .describe("A JSON merge patch (RFC 7396): fields that are not named stay, null clears one.")
            .shared("IfMatch")
            .shared("IdempotencyKey")
            .shared("Prefer")
            .body(PATCH, schema_ref(&format!("{}.patch", entity.slug)), None)
            .answers_with("200", "the record as it is now, or what a dry run would do", answer, &["ETag"])
            .answers_empty("204", "changed; the client asked for no body", &["ETag"])
            .fails(&["409", "412"]);
    if entity.requires_if_match { operation.fails(&["428"]).build() } else { operation.build() }
}

fn delete(entity: &Entity) -> Value {
    let operation =
        id_of(Operation::new(&format!("delete_{}", entity.slug), &entity.slug, &format!("Delete one {}", name(entity))), entity)
            .shared("IfMatch")
            .shared("IdempotencyKey")
            .shared("Prefer")
            .answers("200", "a dry run: nothing was deleted", schema_ref("Saved"))
            .answers_empty("204", "deleted", &[])
            .fails(&["409", "412", "422"]);
    if entity.requires_if_match { operation.fails(&["428"]).build() } else { operation.build() }
}

fn restore(entity: &Entity) -> Value {
    let answer = json!({ "anyOf": [schema_ref(&format!("{}.record", entity.slug)), schema_ref("Saved")] });
    id_of(Operation::new(&format!("restore_{}", entity.slug), &entity.slug, &format!("Bring one {} back", name(entity))), entity)
        .shared("IfMatch")
        .shared("IdempotencyKey")
        .shared("Prefer")
        .answers_with("200", "the record, live again, or what a dry run would do", answer, &["ETag"])
        .answers_empty("204", "restored; the client asked for no body", &["ETag"])
        .fails(&["409", "412", "422", "428"])
        .build()
}

fn erase(entity: &Entity) -> Value {
    let answer = object(&[("records", json!({ "type": "integer" })), ("files", json!({ "type": "integer" }))]);
    id_of(
        Operation::new(&format!("erase_{}", entity.slug), &entity.slug, &format!("Erase what one {} says of a person", name(entity))),
        entity,
    )
    .describe("Personal values leave the record, those that belong to it, history, search, files and queue for good. For administrators; a token needs the scopes `admin` and `erase`.")
    .answers("200", "how many records and files lost values", answer)
    .fails(&["403", "409"])
    .build()
}

fn history(entity: &Entity) -> Value {
    id_of(Operation::new(&format!("history_{}", entity.slug), &entity.slug, &format!("What became of one {}", name(entity))), entity)
        .query("cursor", json!({ "type": "string", "maxLength": 1024 }), "`next_cursor` of the page before")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "saves of a page")
        .answers("200", "saves, newest first", schema_ref("HistoryPage"))
        .build()
}

fn action(entity: &Entity, button: &str, label: &str) -> Value {
    let record = json!({ "anyOf": [schema_ref(&format!("{}.record", entity.slug)), { "type": "null" }] });
    let answer = object(&[
        ("answer", json!({ "description": "what the script returned" })),
        ("warnings", json!({ "type": "array", "items": { "type": "string" } })),
        ("record", record),
    ]);
    id_of(Operation::new(&format!("action_{}_{button}", entity.slug), &entity.slug, &format!("{label} ({})", name(entity))), entity)
        .optional_body(JSON, json!({ "type": "object", "description": "seen by the script as `ctx.payload`" }))
        .answers("200", "what the script did, and the record as it is now", answer)
        .fails(&["409", "412"])
        .build()
}

fn upsert(catalog: &Catalog, entity: &Entity, unique: &Unique) -> Value {
    let schema = match unique.fields.as_slice() {
        [one] => write_schema(catalog, entity.field(*one))
            .filter(|schema| schema["type"] == "string")
            .unwrap_or_else(|| json!({ "type": "string" })),
        _ => json!({ "type": "string", "description": "values in order with `~` between them" }),
    };
    let answer = json!({ "anyOf": [schema_ref(&format!("{}.record", entity.slug)), schema_ref("Saved")] });
    Operation::new(
        &format!("upsert_{}_by_{}", entity.slug, unique.name),
        &entity.slug,
        &format!("Create or change one {} by {}", name(entity), unique.name),
    )
    .path("value", schema, "the value of the unique; its fields need not be repeated in the body")
    .shared("IfMatch")
    .shared("IdempotencyKey")
    .shared("Prefer")
    .body(JSON, schema_ref(&format!("{}.patch", entity.slug)), None)
    .answers_with("200", "it existed and is as asked for, or what a dry run would do", answer, &["ETag"])
    .answers_with("201", "created", schema_ref(&format!("{}.record", entity.slug)), &["Location", "ETag"])
    .answers_empty("204", "done; the client asked for no body", &["ETag"])
    .fails(&["409", "412", "428"])
    .build()
}

fn many(entity: &Entity) -> Value {
    let patch = schema_ref(&format!("{}.patch", entity.slug));
    let each = json!({
        "type": "array",
        "maxItems": MAX_OPERATIONS,
        "items": {
            "type": "object",
            "properties": { "id": id_schema(entity), "version": { "type": ["integer", "null"], "minimum": 1, "maximum": i64::MAX }, "set": patch },
            "required": ["id", "set"],
            "additionalProperties": false,
        },
    });
    let by_filter = json!({
        "type": "object",
        "properties": {
            "filter": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
            "set": patch,
            "max_affected": { "type": "integer", "minimum": 1, "maximum": 10000 },
        },
        "required": ["filter", "set", "max_affected"],
        "additionalProperties": false,
    });
    let answer = object(&[
        ("results", json!({ "type": "array", "items": schema_ref("Result") })),
        ("changed", json!({ "type": "integer", "minimum": 0 })),
        ("failed", json!({ "type": "integer", "minimum": 0 })),
    ]);
    Operation::new(&format!("update_many_{}", entity.slug), &entity.slug, &format!("Change many {}", plural(entity)))
        .describe("Each record on its own: one that fails does not keep the others from being saved.")
        .shared("IdempotencyKey")
        .shared("Prefer")
        .body(PATCH, json!({ "anyOf": [each, by_filter] }), None)
        .answers("200", "what became of each", answer)
        .fails(&["409"])
        .build()
}

/// A small body that can be created, as far as the definitions alone tell.
fn example(catalog: &Catalog, entity: &Entity) -> Value {
    let mut values = Map::new();
    for field in entity.known_fields().filter(|field| field.required && field.default.is_none() && !field.read_only) {
        let value = match &field.ty {
            FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::RichText { .. } => json!(format!("Example {}", field.name)),
            FieldType::Email => json!("someone@example.com"),
            FieldType::Phone => json!("+86 10 1234 5678"),
            FieldType::Url => json!("https://example.com/"),
            FieldType::Color => json!("#336699"),
            FieldType::Integer { min, .. } | FieldType::Duration { min, .. } => json!(min.unwrap_or(1).max(1)),
            FieldType::Decimal { .. } | FieldType::Percent { .. } => json!("1"),
            FieldType::Money { .. } => json!({ "amount": "100" }),
            FieldType::Rating { .. } => json!(1),
            FieldType::Boolean => json!(true),
            FieldType::Date { .. } => json!("2026-11-21"),
            FieldType::DateTime => json!("2026-11-21T08:00:00Z"),
            FieldType::Time => json!("08:00:00"),
            FieldType::Select(options) => match options.list.options.iter().find(|option| !option.retired) {
                Some(option) => json!(option.key),
                None => continue,
            },
            FieldType::Link { to, .. } | FieldType::User { to, .. } => json!(format!("{}_0000000000001", catalog.entity(*to).prefix)),
            FieldType::PersonName => json!({ "given": "Wei", "family": "Li" }),
            _ => continue,
        };
        values.insert(field.name.clone(), value);
    }
    Value::Object(values)
}

/// The same as a file with one row; `None` where nothing has to be given.
fn example_csv(body: &Value) -> Option<String> {
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut columns: Vec<(String, String)> = Vec::new();
    for (name, value) in body.as_object()? {
        match value {
            Value::Object(parts) => columns.extend(parts.iter().map(|(part, value)| (format!("{name}.{part}"), cell(value)))),
            value => columns.push((name.clone(), cell(value))),
        }
    }
    let (names, cells): (Vec<String>, Vec<String>) = columns.into_iter().unzip();
    (!names.is_empty()).then(|| format!("{}\n{}\n", names.join(","), cells.join(",")))
}
