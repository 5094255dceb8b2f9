//! Operations of administrators on e-mail.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{moment, object, plain_id, text, text_or_null};

const TAG: &str = "workspace";
const WHO: &str = "For administrators.";
const JSON: &[&str] = &["application/json"];

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/mails".into(), json!({ "get": list() }));
    paths.insert("/api/v1/mails/templates".into(), json!({ "get": templates() }));
    paths.insert("/api/v1/mails/preview".into(), json!({ "post": preview() }));
    paths.insert("/api/v1/mails/test".into(), json!({ "post": test() }));
    paths.insert("/api/v1/mails/stops".into(), json!({ "get": stops() }));
    paths.insert("/api/v1/mails/stops/release".into(), json!({ "post": release() }));
    paths.insert("/api/v1/mails/{id}".into(), json!({ "get": get() }));
    paths.insert("/api/v1/mails/{id}/send".into(), json!({ "post": send_again() }));
}

fn state() -> Value {
    json!({ "type": "string", "enum": ["waiting", "sent", "failed", "held"], "description": "`held`: the address takes nothing" })
}

fn language() -> Value {
    json!({ "type": "string", "enum": ["en", "zh-CN", "zh-TW"] })
}

fn status() -> Value {
    json!({ "type": ["integer", "null"], "description": "what the mail server answered, where it refused" })
}

fn fields() -> Vec<(&'static str, Value)> {
    vec![
        ("id", plain_id()),
        ("message", json!({ "type": "string", "description": "its `Message-ID`, the same in each attempt" })),
        ("source", json!({ "type": "string", "description": "the automation that sends it, `test`, `invitation`" })),
        ("template", text_or_null()),
        ("entity", text_or_null()),
        ("record", text_or_null()),
        ("state", state()),
        ("attempts", json!({ "type": "integer" })),
        ("status", status()),
        ("error", text_or_null()),
        ("run", json!({ "type": ["string", "null"], "description": "the run of the automation that sends it" })),
        ("made_at", moment()),
        ("sent_at", json!({ "type": ["string", "null"], "format": "date-time", "description": "of the last attempt" })),
    ]
}

fn content_fields() -> Value {
    object(&[("name", text()), ("to", text()), ("subject", text()), ("text", text()), ("html", text_or_null())])
}

fn list() -> Value {
    let answer = object(&[
        ("data", json!({ "type": "array", "items": object(&fields()) })),
        ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" })),
    ]);
    Operation::new("list_mails", TAG, "What was sent by e-mail")
        .describe(WHO)
        .query("state", state(), "only e-mail in this state")
        .query("before", plain_id(), "only e-mail older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "e-mails of an answer")
        .answers("200", "newest first, without who they are to and what they say", answer)
        .fails(&["422"])
        .build()
}

fn get() -> Value {
    let mut fields = fields();
    let mut content = content_fields();
    content["type"] = json!(["object", "null"]);
    content["description"] = "null where it is not kept".into();
    fields.push(("content", content));
    Operation::new("get_mail", TAG, "One e-mail with what it says")
        .describe(WHO)
        .path("id", plain_id(), "the e-mail's id")
        .answers("200", "the e-mail", object(&fields))
        .build()
}

fn send_again() -> Value {
    Operation::new("send_mail_again", TAG, "Send an e-mail once more, with the same Message-ID")
        .describe(WHO)
        .path("id", plain_id(), "the e-mail's id")
        .answers_empty("202", "it is on its way", &[])
        .build()
}

fn templates() -> Value {
    let item = object(&[
        ("id", text()),
        ("label", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("entity", text()),
        ("languages", json!({ "type": "array", "items": { "type": "string" } })),
        ("html", json!({ "type": "boolean", "description": "it is sent as HTML too" })),
    ]);
    Operation::new("list_mail_templates", TAG, "The templates of e-mails")
        .describe(WHO)
        .answers("200", "in the order of the definitions", object(&[("data", json!({ "type": "array", "items": item }))]))
        .build()
}

fn asked(required: &[&str], more: Option<(&str, Value)>) -> Value {
    let mut properties = Map::new();
    properties.extend(more.map(|(name, schema)| (name.to_owned(), schema)));
    properties.insert("template".into(), json!({ "type": "string", "maxLength": 200 }));
    properties
        .insert("record".into(), json!({ "type": "string", "maxLength": 100, "description": "the id of a record the template is about" }));
    properties.insert("language".into(), language());
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn preview() -> Value {
    Operation::new("preview_mail", TAG, "What a template says about a record")
        .describe("For administrators. Nothing is sent.")
        .body(JSON, asked(&["template", "record"], None), None)
        .answers("200", "the e-mail", content_fields())
        .fails(&["404", "409"])
        .build()
}

fn test() -> Value {
    let to = json!({ "type": "string", "maxLength": 254, "format": "email" });
    Operation::new("test_mail", TAG, "Send a test")
        .describe("For administrators. Without a template it says nothing.")
        .body(JSON, asked(&["to"], Some(("to", to))), Some(json!({ "to": "ada@example.com" })))
        .answers("202", "it is on its way", object(&[("id", plain_id())]))
        .fails(&["404", "409"])
        .build()
}

fn stops() -> Value {
    let item = object(&[
        ("address", json!({ "type": ["string", "null"], "description": "as long as the e-mail that it refused is kept" })),
        ("mail", plain_id()),
        ("status", status()),
        ("error", text_or_null()),
        ("made_at", moment()),
    ]);
    Operation::new("list_mail_stops", TAG, "Addresses that take nothing")
        .describe("For administrators. Their server refused them for good: nothing more is written to them.")
        .answers("200", "newest first", object(&[("data", json!({ "type": "array", "items": item }))]))
        .build()
}

fn release() -> Value {
    let body = json!({
        "type": "object", "properties": { "address": { "type": "string", "maxLength": 254 } }, "required": ["address"],
        "additionalProperties": false,
    });
    Operation::new("release_mail_address", TAG, "Write to an address again")
        .describe(WHO)
        .body(JSON, body, Some(json!({ "address": "ada@example.com" })))
        .answers("200", "whether it was held back", object(&[("released", json!({ "type": "boolean" }))]))
        .build()
}
