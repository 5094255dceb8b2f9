//! The shape of each kind of document: its keys, their types, which must be there. One table serves the check, the
//! JSON Schemas for editors, the formatter and the reference in `docs/definitions.md`.

mod check;
pub mod fields;
pub mod kinds;
mod process;

pub use check::{TRIGGERS, check_document, identifier};

/// One key of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    pub name: &'static str,
    pub ty: KeyType,
    pub required: bool,
    /// One sentence for editors and the reference.
    pub doc: &'static str,
    /// What holds when the key is left out, as written in YAML; empty for nothing.
    pub default: &'static str,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy)]
pub enum KeyType {
    Text,
    Bool,
    /// A whole number in a range.
    Int(i64, i64),
    /// A number, also as a text (`"0.5"`).
    Number,
    /// A date `YYYY-MM-DD`.
    Date,
    /// Lower-case letters, digits and `_`.
    Name,
    /// `deal` or `crm.deal`.
    Entity,
    Picklist,
    /// `office`, `service.office` or `always`.
    Calendar,
    /// The name of a field of the entity at hand.
    Field,
    /// A field, with `-` in front for descending order.
    SortField,
    /// A text, or a text for each language.
    Label,
    /// An expression.
    Expr,
    /// Exactly one of these.
    OneOf(&'static [&'static str]),
    /// One value or a list of them.
    Many(&'static KeyType),
    List(&'static KeyType),
    Object(&'static [KeySpec]),
    /// A mapping from names to objects or values.
    MapOf(&'static KeyType),
    /// The fields of an entity: names to field definitions, each of the shape of its type.
    Fields,
    /// `[{key: …}]`, plain keys, or `{ref: crm.industry}`.
    Options,
    /// Either a plain name of a field or an object.
    FieldOr(&'static [KeySpec]),
    /// `before_save` and the like, or `{schedule: …, tz: …}`.
    Trigger,
    /// Steps of an automation, with steps inside of them.
    Steps,
    /// Any JSON value.
    Any,
    /// Known, planned, refused for now.
    Later,
}

/// A kind of document.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: &'static [KeySpec],
}

/// A key that may be left out.
pub(crate) const fn key(name: &'static str, ty: KeyType, doc: &'static str) -> KeySpec {
    KeySpec { name, ty, required: false, doc, default: "" }
}

/// A key that must be there.
pub(crate) const fn must(name: &'static str, ty: KeyType, doc: &'static str) -> KeySpec {
    KeySpec { name, ty, required: true, doc, default: "" }
}

/// A key with a default.
pub(crate) const fn with(name: &'static str, ty: KeyType, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec { name, ty, required: false, doc, default }
}

/// A key of a later version.
pub(crate) const fn later(name: &'static str) -> KeySpec {
    KeySpec { name, ty: KeyType::Later, required: false, doc: "Not supported in this version.", default: "" }
}
