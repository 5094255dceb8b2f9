//! The API reference, written from the OpenAPI document.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json};

use super::page::Page;
use crate::contract;
use crate::render::context::{DocsField, DocsGroup, DocsOperation, DocsPage};
use crate::web::Problem;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// `GET /docs/api`
pub(super) async fn api(page: Page) -> Result<Response, Problem> {
    let document = contract::openapi(&page.catalog, &page.state.config.public_url.origin);
    let title = page.say("docs-title", &[]);
    let context = DocsPage {
        shell: page.shell(&title, ":docs", Vec::new()),
        title,
        version: format!("v1 · {}", text(&document["info"], "version")),
        description: text(&document["info"], "description"),
        server: page.state.config.public_url.origin.clone(),
        groups: groups(&page, &document),
    };
    page.html(StatusCode::OK, "page/docs", &context)
}

fn groups(page: &Page, document: &Json) -> Vec<DocsGroup> {
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut groups: Vec<DocsGroup> = tags
        .iter()
        .map(|tag| {
            let name = text(tag, "name");
            let label = page.catalog.find_entity(&name).map(|entity| entity.label_plural.get(page.ui.locale).to_owned());
            DocsGroup {
                id: format!("tag-{name}"),
                label: label.unwrap_or_else(|| page.say("docs-other", &[])),
                description: String::new(),
                operations: Vec::new(),
            }
        })
        .collect();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let tag = operation["tags"][0].as_str().unwrap_or("");
            let id = format!("tag-{tag}");
            let made = describe(document, path, method, item, operation);
            match groups.iter_mut().find(|group| group.id == id) {
                Some(group) => group.operations.push(made),
                None => groups.push(DocsGroup { id, label: tag.to_owned(), description: String::new(), operations: vec![made] }),
            }
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

fn describe(document: &Json, path: &str, method: &str, item: &Json, operation: &Json) -> DocsOperation {
    let parameters = [&item["parameters"], &operation["parameters"]].into_iter().filter_map(Json::as_array).flatten().map(|parameter| {
        let parameter = follow(document, parameter);
        DocsField {
            name: text(parameter, "name"),
            place: text(parameter, "in"),
            ty: type_of(&parameter["schema"]),
            required: parameter["required"].as_bool().unwrap_or(false),
            text: text(parameter, "description"),
        }
    });
    let request = follow(document, &operation["requestBody"]);
    let (media, schema) = content(request);
    let responses = operation["responses"].as_object().into_iter().flatten().map(|(status, answer)| {
        let answer = follow(document, answer);
        let (_, schema) = content(answer);
        DocsField {
            name: status.clone(),
            ty: schema.map(type_of).unwrap_or_default(),
            text: text(answer, "description"),
            ..DocsField::default()
        }
    });
    let example = schema
        .and_then(|schema| schema.get("example").or_else(|| follow(document, schema).get("example")))
        .map(|json| serde_json::to_string_pretty(json).unwrap_or_default());
    DocsOperation {
        id: operation["operationId"].as_str().map_or_else(|| format!("{method}{}", path.replace(['/', '{', '}'], "-")), str::to_owned),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        description: text(operation, "description"),
        parameters: parameters.collect(),
        body: schema.map(|schema| fields(follow(document, schema))).unwrap_or_default(),
        body_note: media.map(str::to_owned).unwrap_or_default(),
        responses: responses.collect(),
        example: example.unwrap_or_default(),
    }
}

/// The first media type of a body and its schema.
fn content(body: &Json) -> (Option<&str>, Option<&Json>) {
    let first = body["content"].as_object().and_then(|content| content.iter().next());
    (first.map(|(media, _)| media.as_str()), first.and_then(|(_, media)| media.get("schema")))
}

fn fields(schema: &Json) -> Vec<DocsField> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    properties
        .iter()
        .map(|(name, property)| DocsField {
            name: name.clone(),
            place: String::new(),
            ty: type_of(property),
            required: required.contains(&name.as_str()),
            text: first_text(property, &["description", "title"]),
        })
        .collect()
}

/// A short name of a schema's type: `string (date)`, `array of string`, the name of a component.
fn type_of(schema: &Json) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or(name).to_owned();
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(several) = schema[key].as_array() {
            return several.iter().map(type_of).filter(|name| name != "null").collect::<Vec<_>>().join(" | ");
        }
    }
    let of_array = |schema: &Json| format!("array of {}", type_of(&schema["items"]));
    let name = match &schema["type"] {
        Json::String(name) if name == "array" => of_array(schema),
        Json::String(name) => name.clone(),
        Json::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Json::as_str).filter(|name| *name != "null").collect();
            if names == ["array"] { of_array(schema) } else { names.join(" | ") }
        }
        _ => "any".to_owned(),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{name} ({format})"),
        None if schema["enum"].is_array() => format!("{name} (choice)"),
        None => name,
    }
}

/// The component a `$ref` names.
fn follow<'a>(document: &'a Json, json: &'a Json) -> &'a Json {
    match json["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Json::Null),
        None => json,
    }
}

fn text(json: &Json, name: &str) -> String {
    json[name].as_str().unwrap_or("").to_owned()
}

fn first_text(json: &Json, names: &[&str]) -> String {
    names.iter().map(|name| text(json, name)).find(|found| !found.is_empty()).unwrap_or_default()
}
