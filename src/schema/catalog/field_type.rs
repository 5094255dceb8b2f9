//! The types of fields with their options.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Currency, Date, Decimal, EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// A field's type with its options.
#[derive(Debug, Clone)]
pub enum FieldType {
    /// The record's own id.
    Id,
    Text {
        min: Option<u32>,
        max: u32,
        pattern: Option<Pattern>,
    },
    LongText {
        max: u32,
    },
    RichText {
        max: u32,
    },
    Email,
    Phone,
    Url,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Decimal {
        scale: u8,
        min: Option<Decimal>,
        max: Option<Decimal>,
    },
    Percent {
        scale: u8,
        min: Option<Decimal>,
        max: Option<Decimal>,
    },
    /// Columns: amount, `currency`, `base`.
    Money {
        scale: u8,
        currency: MoneyCurrency,
        min: Option<Decimal>,
        max: Option<Decimal>,
    },
    Boolean,
    Date {
        min: Option<Date>,
        max: Option<Date>,
    },
    DateTime,
    Time,
    /// Seconds.
    Duration {
        min: Option<i64>,
        max: Option<i64>,
    },
    Select(Options),
    MultiSelect {
        options: Options,
        max: Option<u32>,
    },
    Tags {
        max: Option<u32>,
    },
    Link {
        to: EntityIx,
        on_delete: OnDelete,
        inverse: Option<String>,
        filter: Option<Typed>,
    },
    /// Many-to-many through a junction entity with links `near` (here) and `far` (there).
    Links {
        to: EntityIx,
        through: EntityIx,
        near: FieldIx,
        far: FieldIx,
    },
    /// Records of `of` whose link `by` points here.
    Children {
        of: EntityIx,
        by: FieldIx,
    },
    /// One column per target, in order.
    AnyLink {
        to: Vec<EntityIx>,
        on_delete: OnDelete,
    },
    /// A link to `core.user`.
    User {
        to: EntityIx,
        on_delete: OnDelete,
    },
    /// Parts street, street2, city, region, postal_code, country.
    Address,
    /// Parts given, family, middle, prefix, suffix.
    PersonName,
    /// Parts lat, lon (decimal, scale 6).
    Geo,
    Rating {
        max: u8,
    },
    Color,
    Json {
        schema: Option<JsonSchema>,
    },
    /// Columns: formatted text, `seq`.
    AutoNumber {
        format: String,
        reset: Reset,
    },
    Formula {
        returns: ScalarType,
        expr: Typed,
        stored: bool,
    },
    Rollup {
        of: FieldIx,
        aggregate: Typed,
        returns: ScalarType,
        stored: bool,
    },
    /// The value of a field of a linked record; always read through the link.
    Lookup {
        via: FieldIx,
        field: FieldIx,
        returns: ScalarType,
    },
    File {
        max_count: u32,
        max_size_bytes: u64,
        accept: Vec<String>,
    },
    Image {
        max_count: u32,
        max_size_bytes: u64,
    },
}

/// A compiled pattern (linear-time regular expression) and its text.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: String,
    pub regex: regex::Regex,
}

/// A compiled JSON Schema without resolvers.
#[derive(Clone)]
pub struct JsonSchema {
    pub text: serde_json::Value,
    pub validator: std::sync::Arc<jsonschema::Validator>,
}

impl std::fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonSchema({})", self.text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyCurrency {
    /// Every value is in this currency.
    Fixed(Currency),
    /// Each record says its own.
    Record,
}

/// The type of a computed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarType {
    Text,
    Integer,
    Decimal { scale: u8 },
    Percent { scale: u8 },
    Money { scale: u8 },
    Boolean,
    Date,
    DateTime,
    Time,
    Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    Restrict,
    SetNull,
    Cascade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Never,
    Yearly,
    Monthly,
    Daily,
}

/// The choices of a select.
#[derive(Debug, Clone)]
pub struct Options {
    pub list: Arc<Picklist>,
    pub depends_on: Option<DependsOn>,
}

#[derive(Debug, Clone)]
pub struct Picklist {
    /// Full id of a shared list, empty for options written in the field.
    pub id: String,
    pub options: Vec<SelectOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectOption {
    /// Immutable.
    pub key: String,
    pub uid: String,
    pub label: Labels,
    /// One of ten hues, 0 to 9.
    pub hue: u8,
    /// Kept for old records, no longer offered.
    pub retired: bool,
}

/// The options allowed for each value of another select of the record.
#[derive(Debug, Clone)]
pub struct DependsOn {
    pub field: FieldIx,
    pub allow: BTreeMap<String, Vec<String>>,
}
