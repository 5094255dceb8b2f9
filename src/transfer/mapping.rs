//! Which column of a file fills which field, and how linked records are found or made.

use serde_json::Value as Json;

use super::TransferError;
use crate::base::text::fold;
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::schema::diagnostic::nearest;

/// A checked mapping for one file header.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    pub root: Node,
    /// Columns of the file that fill nothing.
    pub unused: Vec<String>,
}

/// How one record is made from a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub entity: EntityIx,
    /// The unique whose fields find a record that is there (its name); `None` always creates.
    pub unique: Option<(String, Vec<FieldIx>)>,
    pub existing: Existing,
    pub columns: Vec<Column>,
    pub links: Vec<(FieldIx, Node)>,
}

/// What becomes of a record that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Its fields take the row's values.
    Update,
    /// It stays; values that differ are reported.
    Keep,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Position in the file's header.
    pub position: usize,
    /// API name, or `address.city` for a part.
    pub field: String,
    /// The text is a number to be multiplied (a share into percent).
    pub multiply: Option<i64>,
}

impl Mapping {
    /// Reads a mapping document (`kind: import`, already parsed) against the catalog and a file's header.
    ///
    /// # Errors
    /// The first name that is unknown, with its path inside the document and what was likely meant.
    pub fn read(document: &Json, catalog: &Catalog, header: &[String]) -> Result<Self, TransferError> {
        let reader = Reader { catalog, header };
        let map = reader.object(document, "")?;
        reader.known_keys(map, "", &["kind", "into", "match", "existing", "columns", "links", "format", "label"])?;
        let into = map
            .get("into")
            .and_then(Json::as_str)
            .ok_or_else(|| fault("into", "is missing", "name the entity the rows become: `into: crm.account`"))?;
        let entity = catalog.find_entity(into).ok_or_else(|| {
            let near = nearest(into, catalog.entities.iter().map(|entity| entity.id.as_str()));
            fault("into", format!("no entity `{into}`"), did_you_mean(near, "entities are written `package.entity`"))
        })?;
        let root = reader.node(entity, map, "")?;
        Ok(Self { unused: reader.unused(&root), root })
    }

    /// Without a document: each column goes to the field of the same name or label (in any language).
    ///
    /// # Errors
    /// No column fits, or `unique_fields` are not a unique of the entity.
    pub fn guess(catalog: &Catalog, entity: &Entity, unique_fields: &[String], header: &[String]) -> Result<Self, TransferError> {
        let reader = Reader { catalog, header };
        let mut columns = Vec::new();
        for (position, name) in header.iter().enumerate() {
            if let Some(field) = guess_field(entity, name) {
                columns.push(Column { position, field, multiply: None });
            }
        }
        if columns.is_empty() {
            return Err(fault("columns", "no column has the name or label of a field", "write a mapping file and give it with --mapping"));
        }
        let unique = if unique_fields.is_empty() { None } else { Some(reader.unique(entity, unique_fields, "match")?) };
        let root = Node { entity: entity.ix, unique, existing: Existing::Update, columns, links: Vec::new() };
        Ok(Self { unused: reader.unused(&root), root })
    }
}

fn guess_field(entity: &Entity, column: &str) -> Option<String> {
    let wanted = fold(column);
    let spelled = wanted.replace([' ', '-'], "_");
    let (name, part) = spelled.split_once('.').unwrap_or((&spelled, ""));
    let is_open = |field: &&Field| !field.read_only && !field.is_hidden;
    let by_name = entity.find_field(name).filter(is_open);
    let field =
        by_name.or_else(|| entity.fields.iter().filter(is_open).find(|field| field.label.0.values().any(|label| fold(label) == wanted)))?;
    Some(if part.is_empty() { field.name.clone() } else { format!("{}.{part}", field.name) })
}

struct Reader<'a> {
    catalog: &'a Catalog,
    header: &'a [String],
}

type Map = serde_json::Map<String, Json>;

impl Reader<'_> {
    fn object<'j>(&self, json: &'j Json, path: &str) -> Result<&'j Map, TransferError> {
        json.as_object().ok_or_else(|| fault(path, "must be a mapping of names", "write `name: value` lines"))
    }

    fn known_keys(&self, map: &Map, path: &str, known: &[&str]) -> Result<(), TransferError> {
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let near = nearest(key, known.iter().copied());
                Err(fault(
                    &join(path, key),
                    format!("unknown key `{key}`"),
                    did_you_mean(near, &format!("known keys: {}", known.join(", "))),
                ))
            }
        }
    }

    fn node(&self, entity: &Entity, map: &Map, path: &str) -> Result<Node, TransferError> {
        let unique = match map.get("match") {
            None => None,
            Some(json) => Some(self.unique(entity, &names(json, &join(path, "match"))?, &join(path, "match"))?),
        };
        let existing = match map.get("existing").and_then(Json::as_str) {
            None | Some("update") => Existing::Update,
            Some("keep") => Existing::Keep,
            Some(other) => return Err(fault(&join(path, "existing"), format!("unknown value `{other}`"), "write `update` or `keep`")),
        };
        let mut columns = Vec::new();
        if let Some(json) = map.get("columns") {
            let place = join(path, "columns");
            for (name, target) in self.object(json, &place)? {
                columns.push(self.column(entity, name, target, &join(&place, name))?);
            }
        }
        let mut links = Vec::new();
        if let Some(json) = map.get("links") {
            let place = join(path, "links");
            for (name, inner) in self.object(json, &place)? {
                links.push(self.link(entity, name, inner, &join(&place, name))?);
            }
        }
        Ok(Node { entity: entity.ix, unique, existing, columns, links })
    }

    fn column(&self, entity: &Entity, name: &str, target: &Json, path: &str) -> Result<Column, TransferError> {
        let position = self.header.iter().position(|known| known == name).ok_or_else(|| {
            let near = nearest(name, self.header.iter().map(String::as_str));
            fault(path, format!("the file has no column `{name}`"), did_you_mean(near, &format!("its columns: {}", self.header.join(", "))))
        })?;
        let (field, multiply) = match target {
            Json::String(field) => (field.clone(), None),
            Json::Object(map) => {
                self.known_keys(map, path, &["field", "multiply"])?;
                let field = map
                    .get("field")
                    .and_then(Json::as_str)
                    .ok_or_else(|| fault(path, "lacks `field`", "name the field: `{field: discount, multiply: 100}`"))?;
                let multiply = match map.get("multiply") {
                    None => None,
                    Some(json) => {
                        Some(json.as_i64().ok_or_else(|| fault(path, "`multiply` must be an integer", "for example `multiply: 100`"))?)
                    }
                };
                (field.to_owned(), multiply)
            }
            _ => return Err(fault(path, "must be a field name", "for example `Order Date: ordered_on`")),
        };
        let base = field.split('.').next().unwrap_or(&field);
        let known = entity.find_field(base).ok_or_else(|| {
            let near = nearest(base, entity.fields.iter().map(|field| field.name.as_str()));
            fault(path, format!("`{}` has no field `{base}`", entity.id), did_you_mean(near, "fields are written by their API names"))
        })?;
        if known.read_only {
            return Err(fault(path, format!("`{base}` cannot be imported: the system makes its value"), "leave the column out"));
        }
        Ok(Column { position, field, multiply })
    }

    fn link(&self, entity: &Entity, name: &str, inner: &Json, path: &str) -> Result<(FieldIx, Node), TransferError> {
        let field = entity.find_field(name).ok_or_else(|| {
            let near = nearest(name, entity.fields.iter().map(|field| field.name.as_str()));
            fault(path, format!("`{}` has no field `{name}`", entity.id), did_you_mean(near, "links are written by their API names"))
        })?;
        let (FieldType::Link { to, .. } | FieldType::User { to, .. }) = &field.ty else {
            return Err(fault(path, format!("`{name}` is no link"), "put it under `columns`"));
        };
        let map = self.object(inner, path)?;
        self.known_keys(map, path, &["match", "existing", "columns", "links"])?;
        let node = self.node(self.catalog.entity(*to), map, path)?;
        if node.unique.is_none() {
            return Err(fault(path, "lacks `match`", "name the unique field by which the linked record is found: `match: [number]`"));
        }
        Ok((field.ix, node))
    }

    fn unique(&self, entity: &Entity, names: &[String], path: &str) -> Result<(String, Vec<FieldIx>), TransferError> {
        let mut fields = Vec::new();
        for name in names {
            let field = entity.find_field(name).ok_or_else(|| {
                let near = nearest(name, entity.fields.iter().map(|field| field.name.as_str()));
                fault(path, format!("`{}` has no field `{name}`", entity.id), did_you_mean(near, "fields are written by their API names"))
            })?;
            fields.push(field.ix);
        }
        let same = |known: &[FieldIx]| known.len() == fields.len() && known.iter().all(|field| fields.contains(field));
        let unique = entity.uniques.iter().find(|unique| unique.filter.is_none() && same(&unique.fields)).ok_or_else(|| {
            fault(
                path,
                format!("`{}` has no unique over {}", entity.id, names.join(", ")),
                format!("say `unique: true` at the field, or list it under `unique:` of {}", entity.id),
            )
        })?;
        Ok((unique.name.clone(), unique.fields.clone()))
    }

    fn unused(&self, root: &Node) -> Vec<String> {
        let mut used = vec![false; self.header.len()];
        mark_used(root, &mut used);
        self.header.iter().zip(used).filter(|(_, used)| !used).map(|(name, _)| name.clone()).collect()
    }
}

fn mark_used(node: &Node, used: &mut [bool]) {
    for column in &node.columns {
        used[column.position] = true;
    }
    for (_, inner) in &node.links {
        mark_used(inner, used);
    }
}

fn names(json: &Json, path: &str) -> Result<Vec<String>, TransferError> {
    match json {
        Json::String(name) => Ok(vec![name.clone()]),
        Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_string) => {
            Ok(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
        }
        _ => Err(fault(path, "must be a list of field names", "for example `match: [number]`")),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn did_you_mean(near: Option<String>, otherwise: &str) -> String {
    near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

fn fault(path: &str, message: impl Into<String>, hint: impl Into<String>) -> TransferError {
    let place = if path.is_empty() { "mapping".to_owned() } else { format!("mapping `{path}`") };
    TransferError::Mapping { place, message: message.into(), hint: hint.into() }
}
