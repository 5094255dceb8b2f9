//! What a request wants written: values by field, and nested records.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::error::{FieldFault, pointer};
use crate::base::text::fold;
use crate::base::{FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};

/// The wanted values of one record. A field that is not named stays as it is (or takes its default on create);
/// [`Value::Null`] clears it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    pub values: Vec<(FieldIx, Value)>,
    /// Nested records below children and links fields.
    pub children: Vec<(FieldIx, Nested)>,
    /// For composite values and money: the object as written. On an update the parts it does not name keep what they hold.
    pub(super) partial: Vec<(FieldIx, Json)>,
    /// Values were checked against their fields' limits when they were read.
    pub(super) is_checked: bool,
}

/// What shall become of the records below a children or links field.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// In the order of the request: the place names the fault (`/lines/0`).
    pub items: Vec<NestedItem>,
    /// Records that are there and not named: kept (merge) or removed (the list is the whole).
    pub others: Others,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    Keep,
    Remove,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NestedItem {
    /// A new child, or for links a new junction record with its own fields: `id` is the record linked to.
    Create(Input),
    /// An existing child changed (children), or a linked record with the junction's own fields (links).
    Update { id: RecordId, input: Input },
    /// `{"id": …, "_delete": true}`: the child is deleted, the link removed.
    Remove(RecordId),
}

impl Input {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a value.
    pub fn set(&mut self, field: FieldIx, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        match self.values.iter_mut().find(|(known, _)| *known == field) {
            Some(place) => place.1 = value,
            None => self.values.push((field, value)),
        }
        self
    }

    pub fn get(&self, field: FieldIx) -> Option<&Value> {
        self.values.iter().find(|(known, _)| *known == field).map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.is_empty()
    }

    /// Reads a JSON object by API names.
    ///
    /// # Errors
    /// Every fault found: unknown fields (with a suggestion), read-only fields, values of the wrong type.
    pub fn from_json(catalog: &Catalog, entity: &Entity, json: &Json) -> Result<Self, Vec<FieldFault>> {
        let Json::Object(map) = json else {
            return Err(vec![FieldFault::whole("not_an_object", "must be a JSON object of field names and values")]);
        };
        let mut input = Self { is_checked: true, ..Self::default() };
        let mut faults = Vec::new();
        for (name, value) in map {
            let Some(field) = entity.find_field(name) else {
                faults.push(unknown_field(entity, name));
                continue;
            };
            if let Err(found) = read_field(catalog, field, name, value, &mut input) {
                faults.extend(found);
            }
        }
        if faults.is_empty() { Ok(input) } else { Err(faults) }
    }

    /// Reads texts by API name, as a form or a line of CSV gives them: an empty text clears the field. Parts of composite
    /// fields come as `address.city`, several values of one field as repeated pairs. Fields that are not named are not touched.
    /// A line editor posts `lines.0.qty`, `lines.0.id`, `lines.0._delete`. A date-time without offset is read in `zone`.
    ///
    /// # Errors
    /// Every fault found.
    pub fn from_text(catalog: &Catalog, entity: &Entity, pairs: &[(String, String)], zone: &TimeZone) -> Result<Self, Vec<FieldFault>> {
        super::input_text::read(catalog, entity, pairs, zone)
    }

    /// [`Input::from_text`] for texts of a table, in which most names are of plain fields.
    ///
    /// # Errors
    /// Every fault found.
    pub fn from_texts(
        catalog: &Catalog,
        entity: &Entity,
        texts: &[(&str, Cow<'_, str>)],
        zone: &TimeZone,
    ) -> Result<Self, Vec<FieldFault>> {
        super::input_text::read_texts(catalog, entity, texts, zone)
    }
}

/// Reads one named value into `input`.
fn read_field(catalog: &Catalog, field: &Field, name: &str, value: &Json, input: &mut Input) -> Result<(), Vec<FieldFault>> {
    refuse_read_only(field, name)?;
    match &field.ty {
        FieldType::Children { of, by } => {
            let nested = read_children(catalog, catalog.entity(*of), Some(*by), name, value)?;
            input.children.push((field.ix, nested));
        }
        FieldType::Links { to, through, .. } => match link_list(catalog, *to, value) {
            Some(ids) => {
                input.set(field.ix, Value::List(ids.into_iter().map(Value::Link).collect()));
            }
            None => {
                let nested = read_links(catalog, catalog.entity(*to), catalog.entity(*through), name, value)?;
                input.children.push((field.ix, nested));
            }
        },
        _ => {
            let json = value;
            let value = super::convert::from_json(catalog, field, json).map_err(|fault| vec![fault.below(&pointer(name))])?;
            input.set(field.ix, value);
            if let Some(object) = super::convert::partial(&field.ty, json) {
                input.partial.push((field.ix, object));
            }
        }
    }
    Ok(())
}

pub(super) fn refuse_read_only(field: &Field, name: &str) -> Result<(), Vec<FieldFault>> {
    if !field.read_only || is_writable_system(field) {
        return Ok(());
    }
    if field.is_locked {
        return Err(vec![FieldFault::at(name, "not_writable", format!("you may not set `{name}`")).with("field", name)]);
    }
    Err(vec![FieldFault::at(name, "read_only", format!("`{name}` cannot be set: its value is made by the system")).with("field", name)])
}

/// `owner` is a system field that a request may set.
fn is_writable_system(field: &Field) -> bool {
    field.is_system && field.name == "owner" && !field.is_locked
}

pub(super) fn unknown_field(entity: &Entity, name: &str) -> FieldFault {
    let near = nearest(name, entity.known_fields().map(|field| field.name.as_str()));
    let mut message = format!("`{}` has no field `{name}`", entity.slug);
    if let Some(near) = &near {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    let fault = FieldFault::at(name, "unknown_field", message).with("field", name);
    match near {
        Some(near) => fault.with("near", near),
        None => fault,
    }
}

/// The known name that is most like `name`, if any is like it.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let wanted = fold(name);
    known
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// A plain list of ids; `None` when it is something richer.
fn link_list(catalog: &Catalog, to: crate::base::EntityIx, value: &Json) -> Option<Vec<RecordId>> {
    match value {
        Json::Null => Some(Vec::new()),
        Json::Array(items) => items.iter().map(|item| item.as_str().and_then(|text| parse_id(catalog, to, text))).collect(),
        _ => None,
    }
}

/// Reads `deal_…` as an id of `entity`.
pub fn parse_id(catalog: &Catalog, entity: crate::base::EntityIx, text: &str) -> Option<RecordId> {
    let (prefix, id) = RecordId::parse(text)?;
    (catalog.by_prefix.get(prefix) == Some(&entity)).then_some(id)
}

fn read_children(catalog: &Catalog, of: &Entity, by: Option<FieldIx>, name: &str, value: &Json) -> Result<Nested, Vec<FieldFault>> {
    let (items, others) = nested_list(name, value)?;
    let mut nested = Nested { items: Vec::with_capacity(items.len()), others };
    let mut faults = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let place = format!("{}/{position}", pointer(name));
        match read_item(catalog, of, of, by, item) {
            Ok(item) => nested.items.push(item),
            Err(found) => faults.extend(found.into_iter().map(|fault| fault.below(&place))),
        }
    }
    if faults.is_empty() { Ok(nested) } else { Err(faults) }
}

fn read_links(catalog: &Catalog, to: &Entity, through: &Entity, name: &str, value: &Json) -> Result<Nested, Vec<FieldFault>> {
    let (items, others) = nested_list(name, value)?;
    let mut nested = Nested { items: Vec::with_capacity(items.len()), others };
    let mut faults = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let place = format!("{}/{position}", pointer(name));
        let read = match item {
            Json::String(text) => match parse_id(catalog, to.ix, text) {
                Some(id) => Ok(NestedItem::Update { id, input: Input::default() }),
                None => {
                    Err(vec![FieldFault::whole("bad_id", format!("`{text}` is no id of a {}", to.slug)).with("entity", to.slug.as_str())])
                }
            },
            other => read_item(catalog, to, through, None, other).and_then(|item| match item {
                NestedItem::Create(_) => Err(vec![
                    FieldFault::at("id", "required", format!("name the {} to link by its `id`", to.slug)).with("entity", to.slug.as_str()),
                ]),
                item => Ok(item),
            }),
        };
        match read {
            Ok(item) => nested.items.push(item),
            Err(found) => faults.extend(found.into_iter().map(|fault| fault.below(&place))),
        }
    }
    if faults.is_empty() { Ok(nested) } else { Err(faults) }
}

/// A list is the whole; `{"set": […]}` likewise; `{"merge": […]}` leaves what it does not name.
fn nested_list<'a>(name: &str, value: &'a Json) -> Result<(&'a [Json], Others), Vec<FieldFault>> {
    const LIMIT: usize = 500;
    let (items, others) = match value {
        Json::Null => (&[][..], Others::Remove),
        Json::Array(items) => (items.as_slice(), Others::Remove),
        Json::Object(map) if map.len() == 1 => match (map.get("merge"), map.get("set")) {
            (Some(Json::Array(items)), None) => (items.as_slice(), Others::Keep),
            (None, Some(Json::Array(items))) => (items.as_slice(), Others::Remove),
            _ => return Err(vec![not_a_list(name)]),
        },
        _ => return Err(vec![not_a_list(name)]),
    };
    if items.len() > LIMIT {
        return Err(vec![FieldFault::at(name, "too_many", format!("has more than {LIMIT} entries")).with("limit", LIMIT)]);
    }
    Ok((items, others))
}

fn not_a_list(name: &str) -> FieldFault {
    FieldFault::at(name, "not_a_list", "must be a list, or `{\"merge\": […]}` to leave what is not named")
}

/// One nested object: `id` names a record of `target`, the rest are fields of `fields_of`.
fn read_item(
    catalog: &Catalog,
    target: &Entity,
    fields_of: &Entity,
    by: Option<FieldIx>,
    item: &Json,
) -> Result<NestedItem, Vec<FieldFault>> {
    let Json::Object(map) = item else {
        return Err(vec![FieldFault::whole("not_an_object", "must be an object")]);
    };
    let id = match map.get("id") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => match parse_id(catalog, target.ix, text) {
            Some(id) => Some(id),
            None => {
                return Err(vec![
                    FieldFault::at("id", "bad_id", format!("`{text}` is no id of a {}", target.slug)).with("entity", target.slug.as_str()),
                ]);
            }
        },
        Some(_) => return Err(vec![FieldFault::at("id", "bad_id", "must be a text such as `deal_…`")]),
    };
    if map.get("_delete") == Some(&Json::Bool(true)) {
        return match id {
            Some(id) => Ok(NestedItem::Remove(id)),
            None => Err(vec![FieldFault::at("id", "required", "`_delete` needs an `id`")]),
        };
    }
    let mut input = Input { is_checked: true, ..Input::default() };
    let mut faults = Vec::new();
    for (name, value) in map {
        if name == "id" || name == "_delete" {
            continue;
        }
        let Some(field) = fields_of.find_field(name) else {
            faults.push(unknown_field(fields_of, name));
            continue;
        };
        if Some(field.ix) == by {
            faults.push(FieldFault::at(name, "read_only", format!("`{name}` is set by the record around it")).with("field", name.as_str()));
            continue;
        }
        if let Err(found) = read_field(catalog, field, name, value, &mut input) {
            faults.extend(found);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(match id {
        Some(id) => NestedItem::Update { id, input },
        None => NestedItem::Create(input),
    })
}
