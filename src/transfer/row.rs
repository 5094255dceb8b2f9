//! The texts of one row: read as values, compared with what a record holds, or why they cannot be.

use std::borrow::Cow;

use super::mapping::{Column, Node};
use super::report::Difference;
use super::rows::Job;
use super::table::Row;
use crate::base::decimal::pow10;
use crate::base::sealed::HIDDEN;
use crate::base::text::fold;
use crate::base::{Decimal, FieldIx, Value};
use crate::record::{FieldFault, Input, RecordError};
use crate::schema::catalog::{Catalog, Entity, FieldType};

/// Why a row (or everything) failed.
pub(super) enum RowFault {
    Row(Reason),
    Fatal(RecordError),
}

/// Why nothing of a row is kept.
pub(super) struct Reason {
    pub text: String,
    pub faults: Vec<FieldFault>,
}

impl RowFault {
    pub fn row(text: impl Into<String>) -> Self {
        Self::Row(Reason { text: text.into(), faults: Vec::new() })
    }
}

impl From<RecordError> for RowFault {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Invalid(faults) => faults.into(),
            RecordError::Duplicate { .. } => error.faults().into(),
            RecordError::Store(_) | RecordError::Busy | RecordError::TooLong | RecordError::StaleCatalog => Self::Fatal(error),
            RecordError::Access(refused) => {
                let text = refused.to_string();
                Self::Row(Reason { faults: vec![FieldFault::whole("not_allowed", text.as_str())], text })
            }
            other => Self::row(other.to_string()),
        }
    }
}

impl From<Vec<FieldFault>> for RowFault {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::Row(Reason { text: sentence(&faults), faults })
    }
}

/// `name: is required; email: is no e-mail address`.
fn sentence(faults: &[FieldFault]) -> String {
    let parts: Vec<String> = faults
        .iter()
        .map(|fault| match fault.path.trim_start_matches('/') {
            "" => fault.message.clone(),
            path => format!("{}: {}", path.replace('/', "."), fault.message),
        })
        .collect();
    parts.join("; ")
}

/// Reads the texts of a row.
#[derive(Clone, Copy)]
pub(super) struct RowReader<'a> {
    pub job: &'a Job,
    pub catalog: &'a Catalog,
    pub row: &'a Row,
}

impl RowReader<'_> {
    /// The values the row gives one record, without its links.
    pub fn values(&self, node: &Node) -> Result<Input, RowFault> {
        let entity = self.catalog.entity(node.entity);
        let mut texts = Vec::with_capacity(node.columns.len());
        for column in &node.columns {
            texts.push((column.field.as_str(), self.cell(entity, column)?));
        }
        Ok(Input::from_texts(self.catalog, entity, &texts, &self.job.zone)?)
    }

    /// Notes where the row says something else than a record that is kept.
    pub fn compare(&self, node: &Node, key: &str, held: &[(FieldIx, Value)], input: &Input, differences: &mut Vec<Difference>) {
        let entity = self.catalog.entity(node.entity);
        for (field, found) in &input.values {
            let kept = held.iter().find(|(known, _)| known == field).map_or(&Value::Null, |(_, value)| value);
            let field = entity.field(*field);
            if same(kept, found) || matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. }) {
                continue;
            }
            // A report lies about in folders and mailboxes.
            let is_shown = !(field.encrypted || field.is_secret() || field.is_sensitive());
            let text = |value: &Value| if is_shown { plain(value) } else { HIDDEN.to_owned() };
            differences.push(Difference {
                line: self.row.line(),
                entity: entity.id.clone(),
                key: key.to_owned(),
                field: field.name.clone(),
                kept: text(kept),
                found: text(found),
            });
        }
    }

    /// The text of a column, made fit for its field: labels of options become keys, a factor is applied.
    fn cell(&self, entity: &Entity, column: &Column) -> Result<Cow<'_, str>, RowFault> {
        let text = self.row.cell(column.position).trim();
        if text.is_empty() {
            return Ok(Cow::Borrowed(""));
        }
        if let Some(factor) = column.multiply {
            let product = multiplied(text, factor).ok_or_else(|| RowFault::row(format!("{}: `{text}` is no number", column.field)))?;
            return Ok(Cow::Owned(product));
        }
        let options = match entity.find_field(&column.field).map(|field| &field.ty) {
            Some(FieldType::Select(options) | FieldType::MultiSelect { options, .. }) => &options.list.options,
            _ => return Ok(Cow::Borrowed(text)),
        };
        if options.iter().any(|option| option.key == text) {
            return Ok(Cow::Borrowed(text));
        }
        let wanted = fold(text);
        let by_label = options.iter().find(|option| option.label.0.values().any(|label| fold(label) == wanted));
        Ok(by_label.map_or(Cow::Borrowed(text), |option| Cow::Owned(option.key.clone())))
    }
}

pub(super) fn is_empty(node: &Node, row: &Row) -> bool {
    node.columns.iter().all(|column| row.cell(column.position).trim().is_empty())
        && node.links.iter().all(|(_, inner)| is_empty(inner, row))
}

/// The values of a unique, none of them empty.
pub(super) fn key_values(entity: &Entity, fields: &[FieldIx], input: &Input) -> Result<Vec<Value>, RowFault> {
    fields
        .iter()
        .map(|field| match input.get(*field) {
            Some(value) if !value.is_empty() => Ok(value.clone()),
            _ => {
                let fault = FieldFault::at(&entity.field(*field).name, "match_empty", "is empty, but records are matched by it");
                Err(vec![fault].into())
            }
        })
        .collect()
}

pub(super) fn key_text(key: &[Value]) -> String {
    let parts: Vec<String> = key.iter().map(|value| fold(&plain(value))).collect();
    parts.join("\u{1f}")
}

/// Equal as far as a person sees: nothing and an empty text are one, composite values are compared by the parts given.
fn same(kept: &Value, found: &Value) -> bool {
    match (kept, found) {
        (Value::Map(kept), Value::Map(found)) => found.iter().all(|(name, value)| {
            let held = kept.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value);
            same(held, value)
        }),
        (Value::Money(kept), Value::Money(found)) => kept.amount == found.amount && kept.currency == found.currency,
        _ => kept == found || (kept.is_empty() && found.is_empty()),
    }
}

/// A value as plain text, for keys and reports.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Money(money) => money.to_string(),
        Value::Link(id) => id.to_string(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Map(parts) => parts.iter().map(|(_, part)| plain(part)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "),
        Value::Json(json) => json.to_string(),
    }
}

/// `0.45` times 100 is `45.00`: exact, with the digits it was written with.
fn multiplied(text: &str, factor: i64) -> Option<String> {
    let number = Decimal::parse_any(text).ok()?;
    let units = i128::from(number.units).checked_mul(i128::from(factor))?;
    let mut product = Decimal { units: i64::try_from(units).ok()?, scale: number.scale };
    while product.scale > 0 && product.units % pow10(1) == 0 {
        product = product.normalised();
    }
    Some(product.to_string())
}
