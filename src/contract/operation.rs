//! One operation of the document: parameters, body, answers.

use serde_json::{Map, Value, json};

/// Builds an operation object.
pub(super) struct Operation {
    object: Map<String, Value>,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
}

/// Failures every signed-in operation can answer.
const ALWAYS: [&str; 10] = ["400", "401", "403", "404", "405", "414", "421", "429", "431", "503"];
/// Failures of an operation that reads a body.
const WITH_BODY: [&str; 4] = ["408", "413", "415", "422"];

impl Operation {
    pub(super) fn new(id: &str, tag: &str, summary: &str) -> Self {
        let mut object = Map::new();
        object.insert("operationId".into(), id.into());
        object.insert("tags".into(), json!([tag]));
        object.insert("summary".into(), summary.into());
        Self { object, parameters: Vec::new(), responses: Map::new() }
    }

    pub(super) fn describe(mut self, text: &str) -> Self {
        self.object.insert("description".into(), text.into());
        self
    }

    pub(super) fn path(mut self, name: &str, schema: Value, description: &str) -> Self {
        self.parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema, "description": description }));
        self
    }

    pub(super) fn query(mut self, name: &str, schema: Value, description: &str) -> Self {
        self.parameters.push(json!({ "name": name, "in": "query", "required": false, "schema": schema, "description": description }));
        self
    }

    /// A parameter of `components.parameters`.
    pub(super) fn shared(mut self, name: &str) -> Self {
        self.parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        self
    }

    /// A JSON body of these media types.
    pub(super) fn body(mut self, media_types: &[&str], schema: Value, example: Option<Value>) -> Self {
        let mut one = json!({ "schema": schema });
        if let Some(example) = example {
            one["examples"] = json!({ "example": { "value": example } });
        }
        let content: Map<String, Value> = media_types.iter().map(|media_type| ((*media_type).to_owned(), one.clone())).collect();
        self.object.insert("requestBody".into(), json!({ "required": true, "content": content }));
        self.fails(&WITH_BODY)
    }

    /// A JSON body that may be left out.
    pub(super) fn optional_body(mut self, media_types: &[&str], schema: Value) -> Self {
        self = self.body(media_types, schema, None);
        if let Some(body) = self.object.get_mut("requestBody") {
            body["required"] = false.into();
        }
        self
    }

    /// An answer with a JSON body.
    pub(super) fn answers(self, status: &str, description: &str, schema: Value) -> Self {
        self.answers_with(status, description, schema, &[])
    }

    /// An answer with a JSON body and headers of `components.headers`.
    pub(super) fn answers_with(mut self, status: &str, description: &str, schema: Value, headers: &[&str]) -> Self {
        let mut answer = json!({ "description": description, "content": { "application/json": { "schema": schema } } });
        add_headers(&mut answer, headers);
        self.responses.insert(status.to_owned(), answer);
        self
    }

    /// An answer without a body.
    pub(super) fn answers_empty(mut self, status: &str, description: &str, headers: &[&str]) -> Self {
        let mut answer = json!({ "description": description });
        add_headers(&mut answer, headers);
        self.responses.insert(status.to_owned(), answer);
        self
    }

    /// Any answer object.
    pub(super) fn answers_raw(mut self, status: &str, answer: Value) -> Self {
        self.responses.insert(status.to_owned(), answer);
        self
    }

    /// What a client can ask next with the id it got.
    pub(super) fn links(mut self, status: &str, links: Value) -> Self {
        if let Some(answer) = self.responses.get_mut(status) {
            answer["links"] = links;
        }
        self
    }

    pub(super) fn fails(mut self, statuses: &[&str]) -> Self {
        for status in statuses {
            self.responses.insert((*status).to_owned(), json!({ "$ref": format!("#/components/responses/Problem{status}") }));
        }
        self
    }

    /// The operation without security and without the failures that come with it.
    pub(super) fn build_open(mut self) -> Value {
        self.object.insert("security".into(), json!([]));
        self.finish()
    }

    pub(super) fn build(self) -> Value {
        self.fails(&ALWAYS).finish()
    }

    fn finish(mut self) -> Value {
        if !self.parameters.is_empty() {
            self.object.insert("parameters".into(), Value::Array(self.parameters));
        }
        let mut sorted: Vec<(String, Value)> = self.responses.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        self.object.insert("responses".into(), Value::Object(sorted.into_iter().collect()));
        Value::Object(self.object)
    }
}

fn add_headers(answer: &mut Value, names: &[&str]) {
    if !names.is_empty() {
        let headers: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))).collect();
        answer["headers"] = Value::Object(headers);
    }
}

/// A reference to a schema of the components.
pub(super) fn schema_ref(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
