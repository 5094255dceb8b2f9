//! Values as the texts of form controls, and back as lists of texts by control name.
//!
//! A simple field has one control of its name. Parts of a composite are `address.city`, `amount.currency`; rows of a
//! sub-table are `lines.0.product`; fields with several values repeat their name.

use indexmap::IndexMap;

use serde_json::Value as Json;

use super::{Ui, format};
use crate::base::DateTime;
use crate::schema::catalog::{Field, FieldType};
use crate::schema::field_type::says_nothing;

/// Names and texts of a form's controls, in order; a name may have several texts.
#[derive(Debug, Clone, Default)]
pub struct FormTexts(IndexMap<String, Vec<String>>);

impl FormTexts {
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut texts = Self::default();
        for (name, text) in pairs {
            texts.add(name, text);
        }
        texts
    }

    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.entry(name.into()).or_default().push(text.into());
    }

    /// The last text of a name (a checkbox after its hidden twin), empty when there is none.
    pub fn one(&self, name: &str) -> &str {
        self.0.get(name).and_then(|texts| texts.last()).map_or("", String::as_str)
    }

    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The row keys of a sub-table in order of first appearance: `0`, `1`, … or whatever the browser sent.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for name in self.0.keys() {
            let Some((row, _)) = name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')).and_then(|rest| rest.split_once('.'))
            else {
                continue;
            };
            if !rows.iter().any(|known| known == row) {
                rows.push(row.to_owned());
            }
        }
        rows
    }

    /// Whether something was entered into a row.
    pub fn is_row_filled(&self, table: &str, row: &str) -> bool {
        let part = |name: &str| name.strip_prefix(table)?.strip_prefix('.')?.strip_prefix(row)?.strip_prefix('.').map(str::to_owned);
        self.iter().any(|(name, texts)| part(name).is_some_and(|part| texts.iter().any(|text| !says_nothing(&part, text))))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, texts)| (name.as_str(), texts.as_slice()))
    }

    /// Takes over all names of `other`, replacing their texts here.
    pub fn replace_with(&mut self, other: FormTexts) {
        for (name, texts) in other.0 {
            self.0.insert(name, texts);
        }
    }

    /// Writes a value (in the shape of the API) as the texts of its controls under `name`.
    pub fn write(&mut self, field: &Field, name: &str, value: &Json, ui: &Ui) {
        match (value, &field.ty) {
            (Json::Null, _) => {}
            (_, FieldType::Json { .. }) => self.add(name, serde_json::to_string_pretty(value).unwrap_or_default()),
            (Json::Bool(flag), _) => self.add(name, flag.to_string()),
            (Json::Number(seconds), FieldType::Duration { .. }) => {
                self.add(name, seconds.as_i64().map(format::duration).unwrap_or_default())
            }
            (Json::Number(number), _) => self.add(name, number.to_string()),
            (Json::String(text), FieldType::DateTime) => {
                self.add(name, DateTime::parse(text).map_or_else(|| text.clone(), |at| format::datetime_local(at, &ui.zone)));
            }
            (Json::String(text), FieldType::Time) => {
                self.add(name, text.strip_suffix(":00").filter(|rest| rest.len() == 5).unwrap_or(text))
            }
            (Json::String(text), _) => self.add(name, text.clone()),
            (Json::Array(items), FieldType::File { .. } | FieldType::Image { .. }) => {
                for id in items.iter().filter_map(|item| item.get("id").and_then(Json::as_str)) {
                    self.add(name, id);
                }
            }
            (Json::Array(items), _) => {
                for item in items {
                    self.write(field, name, item, ui);
                }
            }
            (Json::Object(parts), FieldType::Money { .. }) => {
                for (part, control) in [("amount", name.to_owned()), ("currency", format!("{name}.currency"))] {
                    if let Some(text) = parts.get(part).and_then(Json::as_str) {
                        self.add(control, text);
                    }
                }
            }
            // A link that was asked for with its title.
            (
                Json::Object(parts),
                FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } | FieldType::Links { .. },
            ) => {
                if let Some(id) = parts.get("id").and_then(Json::as_str) {
                    self.add(name, id);
                }
            }
            (Json::Object(parts), _) => {
                for (part, value) in parts {
                    match value {
                        Json::String(text) => self.add(format!("{name}.{part}"), text.clone()),
                        Json::Number(number) => self.add(format!("{name}.{part}"), number.to_string()),
                        _ => {}
                    }
                }
            }
        }
    }
}
