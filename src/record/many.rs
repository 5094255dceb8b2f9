//! Many records in one request: requests and answers.

use serde_json::Value as Json;

use super::error::RecordError;
use super::input::Input;
use super::options::Saved;
use crate::base::{EntityIx, RecordId};
use crate::query::ListRequest;

/// Most operations of one request.
pub const MAX_OPERATIONS: usize = 500;

/// `PATCH` on an entity.
#[derive(Debug, Clone)]
pub enum ManyUpdate {
    /// Different values for different records.
    Each(Vec<OneUpdate>),
    /// The same values for all that the filter finds. Refused when it finds more than `max_affected`.
    Where { request: Box<ListRequest>, set: Input, max_affected: u64 },
}

#[derive(Debug, Clone)]
pub struct OneUpdate {
    pub id: RecordId,
    /// As `If-Match`.
    pub version: Option<i64>,
    pub set: Input,
}

/// What became of each one, in the order of the request (by id for a filter).
#[derive(Debug, Clone)]
pub struct ManyResult {
    pub results: Vec<(RecordId, Result<Saved, RecordError>)>,
}

impl ManyResult {
    pub fn changed(&self) -> usize {
        self.results.iter().filter(|(_, result)| result.as_ref().is_ok_and(|saved| !saved.changed.is_empty())).count()
    }

    pub fn failed(&self) -> usize {
        self.results.iter().filter(|(_, result)| result.is_err()).count()
    }
}

/// `POST /batch`.
#[derive(Debug, Clone)]
pub struct Batch {
    pub operations: Vec<Operation>,
    /// All or nothing; otherwise each operation stands alone.
    pub atomic: bool,
}

/// One operation as it came: values are read when it is its turn, because they may refer to earlier results.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub kind: OperationKind,
    /// Slug.
    pub entity: String,
    /// `deal_…` or a reference (`{"$ref": 0}`, `{"$ref": "name"}`).
    pub id: Option<Json>,
    pub version: Option<i64>,
    /// A JSON object of values; anywhere in it `{"$ref": …}` stands for the id an earlier operation gave.
    pub values: Json,
    /// The unique and the key values of an upsert.
    pub unique: Option<String>,
    /// A name for later references.
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    Create,
    Update,
    Delete,
    Restore,
    Upsert,
}

#[derive(Debug, Clone)]
pub struct Done {
    pub entity: EntityIx,
    pub kind: OperationKind,
    pub saved: Saved,
}

#[derive(Debug, Clone)]
pub struct BatchResult {
    /// One for each operation.
    pub results: Vec<Result<Done, RecordError>>,
}

impl Batch {
    /// Reads `{"atomic": true, "operations": [{"op": "create", "entity": "deal", "values": {…}, "as": "d"}, …]}`.
    ///
    /// # Errors
    /// `REC050` for a shape that is none, `REC032` for more than 500 operations.
    pub fn from_json(json: &Json) -> Result<Self, RecordError> {
        let bad = |message: String| RecordError::BadRequest {
            message,
            hint: Some("send {\"atomic\": true, \"operations\": [{\"op\": \"create\", \"entity\": …, \"values\": {…}}]}".to_owned()),
        };
        let Json::Object(map) = json else {
            return Err(bad("a batch is a JSON object".to_owned()));
        };
        if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "atomic" | "operations")) {
            return Err(bad(format!("a batch has no property `{name}`")));
        }
        let atomic = match map.get("atomic") {
            None => true,
            Some(Json::Bool(flag)) => *flag,
            Some(_) => return Err(bad("`atomic` must be true or false".to_owned())),
        };
        let Some(Json::Array(list)) = map.get("operations") else {
            return Err(bad("`operations` must be a list".to_owned()));
        };
        if list.len() > MAX_OPERATIONS {
            return Err(RecordError::TooMany { what: "operations".to_owned(), got: list.len() as u64, limit: MAX_OPERATIONS as u64 });
        }
        let operations = list
            .iter()
            .enumerate()
            .map(|(index, item)| Operation::from_json(item).map_err(|message| bad(format!("operation {index}: {message}"))))
            .collect::<Result<_, _>>()?;
        Ok(Self { operations, atomic })
    }
}

impl Operation {
    fn from_json(json: &Json) -> Result<Self, String> {
        let Json::Object(map) = json else {
            return Err("must be a JSON object".to_owned());
        };
        if let Some(name) =
            map.keys().find(|name| !matches!(name.as_str(), "op" | "entity" | "id" | "version" | "values" | "unique" | "as"))
        {
            return Err(format!("has no property `{name}`"));
        }
        let text = |name: &str| match map.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{name}` must be a text")),
        };
        let kind = match text("op")?.as_deref() {
            Some("create") => OperationKind::Create,
            Some("update") => OperationKind::Update,
            Some("delete") => OperationKind::Delete,
            Some("restore") => OperationKind::Restore,
            Some("upsert") => OperationKind::Upsert,
            _ => return Err("`op` must be create, update, delete, restore or upsert".to_owned()),
        };
        let entity = text("entity")?.ok_or("`entity` is missing")?;
        let version = match map.get("version") {
            None | Some(Json::Null) => None,
            Some(number) => Some(number.as_i64().ok_or("`version` must be an integer")?),
        };
        let id = map.get("id").filter(|id| !id.is_null()).cloned();
        match kind {
            OperationKind::Create | OperationKind::Upsert if id.is_some() => return Err("has no `id`: it is made here".to_owned()),
            OperationKind::Update | OperationKind::Delete | OperationKind::Restore if id.is_none() => {
                return Err("`id` is missing".to_owned());
            }
            _ => {}
        }
        let values = match map.get("values") {
            None => Json::Object(serde_json::Map::new()),
            Some(values @ Json::Object(_)) => values.clone(),
            Some(_) => return Err("`values` must be an object".to_owned()),
        };
        let unique = text("unique")?;
        if (kind == OperationKind::Upsert) != unique.is_some() {
            return Err("`unique` names the unique of an upsert, and of nothing else".to_owned());
        }
        Ok(Self { kind, entity, id, version, values, unique, name: text("as")? })
    }
}
