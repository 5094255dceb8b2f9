//! Inputs from texts: form posts and lines of CSV.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::error::{FieldFault, pointer};
use super::input::{Input, Nested, NestedItem, Others, parse_id, refuse_read_only, unknown_field};
use crate::base::{EntityIx, FieldIx, Value};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::schema::field_type::says_nothing;

/// What the pairs say about one field.
#[derive(Default)]
struct Given<'a> {
    plain: Vec<&'a str>,
    parts: Vec<(&'a str, &'a str)>,
    /// `lines.0.qty` → 0 → (`qty`, text).
    rows: BTreeMap<usize, Vec<(String, String)>>,
}

/// See [`Input::from_text`].
pub(super) fn read(catalog: &Catalog, entity: &Entity, pairs: &[(String, String)], zone: &TimeZone) -> Result<Input, Vec<FieldFault>> {
    let mut by_field: IndexMap<&str, Given<'_>> = IndexMap::new();
    for (name, text) in pairs {
        let (head, tail) = name.split_once('.').map_or((name.as_str(), None), |(head, tail)| (head, Some(tail)));
        let given = by_field.entry(head).or_default();
        match tail.map(|tail| (tail, tail.split_once('.').unwrap_or((tail, "")))) {
            None => given.plain.push(text),
            Some((_, (first, rest))) if !rest.is_empty() && first.parse::<usize>().is_ok() => {
                given.rows.entry(first.parse().unwrap_or(0)).or_default().push((rest.to_owned(), text.clone()));
            }
            Some((tail, _)) => given.parts.push((tail, text)),
        }
    }
    let mut input = Input { is_checked: true, ..Input::default() };
    let mut faults = Vec::new();
    for (name, given) in &by_field {
        let Some(field) = entity.find_field(name) else {
            faults.push(unknown_field(entity, name));
            continue;
        };
        if let Err(found) = refuse_read_only(field, name).and_then(|()| read_field(catalog, field, given, zone, &mut input)) {
            faults.extend(
                found.into_iter().map(|fault| if fault.path.starts_with(&pointer(name)) { fault } else { fault.below(&pointer(name)) }),
            );
        }
    }
    if faults.is_empty() { Ok(input) } else { Err(faults) }
}

/// See [`Input::from_texts`].
pub(super) fn read_texts(
    catalog: &Catalog,
    entity: &Entity,
    texts: &[(&str, Cow<'_, str>)],
    zone: &TimeZone,
) -> Result<Input, Vec<FieldFault>> {
    let plain = |name: &str| entity.find_field(name).filter(|field| !field.read_only && !has_rows(&field.ty) && !is_list(&field.ty));
    let is_plain =
        texts.iter().enumerate().all(|(at, (name, _))| plain(name).is_some() && texts[..at].iter().all(|(other, _)| other != name));
    if !is_plain {
        let pairs: Vec<(String, String)> = texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into_owned())).collect();
        return read(catalog, entity, &pairs, zone);
    }
    let mut input = Input { is_checked: true, values: Vec::with_capacity(texts.len()), ..Input::default() };
    let mut faults = Vec::new();
    for (name, text) in texts {
        let Some(field) = plain(name) else { continue };
        match super::convert::from_text(catalog, field, text, zone) {
            Ok(value) => input.values.push((field.ix, value)),
            Err(fault) => faults.push(fault.below(&pointer(name))),
        }
    }
    if faults.is_empty() { Ok(input) } else { Err(faults) }
}

fn has_rows(ty: &FieldType) -> bool {
    matches!(ty, FieldType::Children { .. } | FieldType::Links { .. })
}

fn read_field(catalog: &Catalog, field: &Field, given: &Given<'_>, zone: &TimeZone, input: &mut Input) -> Result<(), Vec<FieldFault>> {
    match &field.ty {
        FieldType::Children { of, by } => {
            let nested = read_rows(catalog, *of, *of, Some(*by), given, zone)?;
            input.children.push((field.ix, nested));
            return Ok(());
        }
        FieldType::Links { to, through, .. } if !given.rows.is_empty() => {
            let nested = read_rows(catalog, *to, *through, None, given, zone)?;
            input.children.push((field.ix, nested));
            return Ok(());
        }
        _ => {}
    }
    let value = if !given.parts.is_empty() {
        read_parts(catalog, field, given, input)
    } else if is_list(&field.ty) && given.plain.len() > 1 {
        let items = given.plain.iter().filter(|text| !text.trim().is_empty()).map(|text| Json::String((*text).to_owned())).collect();
        super::convert::from_json(catalog, field, &Json::Array(items))
    } else {
        // A check box is a hidden `false` followed by `true`: the last one counts.
        let text = given.plain.last().copied().unwrap_or_default();
        super::convert::from_text(catalog, field, text, zone)
    };
    let mut value = value.map_err(|fault| vec![fault])?;
    if is_list(&field.ty) && value.is_null() {
        value = Value::List(Vec::new());
    }
    input.set(field.ix, value);
    Ok(())
}

/// `address.city`, `amount.currency`: the parts as one JSON object. A money without amount is no money.
fn read_parts(catalog: &Catalog, field: &Field, given: &Given<'_>, input: &mut Input) -> Result<Value, FieldFault> {
    let mut object = Map::new();
    for (part, text) in &given.parts {
        let value = if text.trim().is_empty() { Json::Null } else { Json::String((*text).trim().to_owned()) };
        object.insert((*part).to_owned(), value);
    }
    let main_part = match &field.ty {
        FieldType::Money { .. } => Some("amount"),
        _ => None,
    };
    if let Some(plain) = given.plain.last() {
        object.insert("amount".to_owned(), if plain.trim().is_empty() { Json::Null } else { Json::String(plain.trim().to_owned()) });
    }
    if main_part.is_some_and(|part| object.get(part).is_none_or(Json::is_null)) || object.values().all(Json::is_null) {
        return Ok(Value::Null);
    }
    if main_part.is_some() {
        object.retain(|_, value| !value.is_null());
    }
    let json = Json::Object(object);
    input.partial.push((field.ix, json.clone()));
    super::convert::from_json(catalog, field, &json)
}

fn is_list(ty: &FieldType) -> bool {
    matches!(
        ty,
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } | FieldType::Links { .. } | FieldType::File { .. } | FieldType::Image { .. }
    )
}

/// The rows of a line editor. Rows that are not posted stay as they are; `lines.0._delete` removes one; a new row
/// whose every control is blank is no row.
fn read_rows(
    catalog: &Catalog,
    target: EntityIx,
    fields_of: EntityIx,
    by: Option<FieldIx>,
    given: &Given<'_>,
    zone: &TimeZone,
) -> Result<Nested, Vec<FieldFault>> {
    let mut nested = Nested { items: Vec::new(), others: Others::Keep };
    let mut faults = Vec::new();
    let target = catalog.entity(target);
    let fields_of = catalog.entity(fields_of);
    for (position, pairs) in &given.rows {
        let place = format!("/{position}");
        let text_of =
            |name: &str| pairs.iter().rev().find(|(known, _)| known == name).map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
        let id = match text_of("id") {
            None => None,
            Some(text) => match parse_id(catalog, target.ix, text) {
                Some(id) => Some(id),
                None => {
                    faults.push(FieldFault::at("id", "bad_id", format!("`{text}` is no id of a {}", target.slug)).below(&place));
                    continue;
                }
            },
        };
        let is_deleted = text_of("_delete").is_some_and(|text| text != "false" && text != "0");
        let fields: Vec<(String, String)> = pairs
            .iter()
            .filter(|(name, _)| name != "id" && name != "_delete" && by.is_none_or(|by| fields_of.field(by).name != *name))
            .cloned()
            .collect();
        match (id, is_deleted) {
            (Some(id), true) => nested.items.push(NestedItem::Remove(id)),
            (None, true) => {}
            (None, false) if fields.iter().all(|(part, text)| says_nothing(part, text)) => {}
            (id, false) => match read(catalog, fields_of, &fields, zone) {
                Ok(input) => nested.items.push(match id {
                    Some(id) => NestedItem::Update { id, input },
                    None => NestedItem::Create(input),
                }),
                Err(found) => faults.extend(found.into_iter().map(|fault| fault.below(&place))),
            },
        }
    }
    if faults.is_empty() { Ok(nested) } else { Err(faults) }
}
