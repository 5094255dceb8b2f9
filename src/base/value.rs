//! A field's value in memory.

use super::{Date, DateTime, Decimal, Money, RecordId, Time};

/// A value of any field type. Percent and decimal are `Decimal`, a duration is `Int` seconds, select is
/// `Text` (the option's key), multi-select, tags and `links` are `List`, composite types (address,
/// person_name, geo) are `Map` in their parts' order, the json type is `Json`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Text(String),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    Money(Money),
    /// A reference to another record (link, user, and `id` itself). An any_link is the public id as `Text`.
    Link(RecordId),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Json(serde_json::Value),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Null, an empty text or an empty list: what `required` refuses.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(parts) => parts.iter().all(|(_, part)| part.is_empty()),
            _ => false,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub fn as_link(&self) -> Option<RecordId> {
        match self {
            Value::Link(id) => Some(*id),
            _ => None,
        }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<RecordId> for Value {
    fn from(id: RecordId) -> Self {
        Value::Link(id)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Value::Decimal(number)
    }
}
