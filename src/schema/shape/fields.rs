//! The keys of a field: those of every type, and those of each type.

use super::KeyType::{Any, Bool, Date, Entity, Expr, Field, Int, Label, List, Many, Name, Number, Object, OneOf, Options, Text};
use super::kinds::DEPENDS_ON;
use super::{KeySpec, key, later, must, with};
use crate::schema::catalog::FieldClass;

/// Keys every field may have.
pub const COMMON: &[KeySpec] = &[
    must("type", Text, "Type of the field."),
    key("uid", Text, "Identity that survives renames."),
    key("was", Name, "Its former name: the values stay, and the API answers the old name too."),
    key("alias_until", Text, "Version up to which the old name is answered."),
    key("label", Label, "What people read; made from the name when left out."),
    key("help", Label, "Help under the label."),
    key("placeholder", Label, "Shown in an empty input."),
    key("widget", Name, "Another widget than the type's."),
    with("required", Bool, "false", "Must have a value."),
    key("required_if", Expr, "Must have a value where this holds."),
    key("readonly_if", Expr, "Cannot be changed where this holds."),
    key("visible_if", Expr, "Shown in forms only where this holds."),
    key("default", Any, "Value of a new record: a value, or `=` and an expression."),
    with("unique", Bool, "false", "No two live records have the same value."),
    with("index", Bool, "false", "Has an index, for filters and sorting."),
    with("search", Bool, "false", "Found by global search."),
    key(
        "class",
        OneOf(&FieldClass::NAMES),
        "What its values say of a person: `personal`, `sensitive` (reading is audited) or `secret` (encrypted, never shown).",
    ),
    with("encrypted", Bool, "false", "Kept encrypted; filters can ask for equality alone. For texts."),
    later("read"),
    later("write"),
];

/// A type of field.
#[derive(Debug, Clone, Copy)]
pub struct TypeSpec {
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: &'static [KeySpec],
}

const ON_DELETE: KeySpec =
    with("on_delete", OneOf(&["restrict", "set_null", "cascade"]), "restrict", "What deleting the linked record does to this one.");
const CURRENCY: KeySpec = with("currency", Text, "record", "`record` (each record says its own) or a code such as `CNY`.");
const STORED: KeySpec =
    key("stored", Bool, "Kept in a column (sortable, indexable); by default where the value depends on this record alone.");
const EXPOSE: KeySpec =
    with("expose", OneOf(&["inherit", "value"]), "inherit", "`value` shows it to people who may not read what it is computed from.");
const RETURNS: &[&str] = &["text", "integer", "decimal", "percent", "money", "boolean", "date", "datetime", "time", "duration"];
const OPTIONS: &[KeySpec] = &[
    must("options", Options, "The choices, or `{ref: picklist}`."),
    key("depends_on", Object(DEPENDS_ON), "Choices allowed for each value of another select."),
];

const fn type_of(name: &'static str, doc: &'static str, keys: &'static [KeySpec]) -> TypeSpec {
    TypeSpec { name, doc, keys }
}

/// All types, in the order of the reference.
pub const TYPES: &[TypeSpec] = &[
    type_of(
        "text",
        "One line of text.",
        &[
            with("max", Int(1, 4000), "255", "Most characters."),
            key("min", Int(1, 4000), "Fewest characters."),
            key("pattern", Text, "Regular expression the whole text must match."),
        ],
    ),
    type_of("long_text", "Text of several lines.", &[with("max", Int(1, 200_000), "20000", "Most characters.")]),
    type_of("rich_text", "Formatted text (HTML, sanitised).", &[with("max", Int(1, 200_000), "20000", "Most characters of HTML.")]),
    type_of("email", "An e-mail address.", &[]),
    type_of("phone", "A phone number.", &[]),
    type_of("url", "A web address (http or https).", &[]),
    type_of(
        "integer",
        "A whole number of 64 bits.",
        &[key("min", Int(i64::MIN, i64::MAX), "Smallest value."), key("max", Int(i64::MIN, i64::MAX), "Largest value.")],
    ),
    type_of(
        "decimal",
        "An exact number.",
        &[with("scale", Int(0, 9), "2", "Decimal places."), key("min", Number, "Smallest value."), key("max", Number, "Largest value.")],
    ),
    type_of(
        "percent",
        "An exact number of hundredths: 15 is 15 %.",
        &[with("scale", Int(0, 9), "2", "Decimal places."), key("min", Number, "Smallest value."), key("max", Number, "Largest value.")],
    ),
    type_of(
        "money",
        "An exact amount with its currency, and its worth in the workspace's currency.",
        &[
            CURRENCY,
            key("scale", Int(0, 6), "Decimal places; those of the currency when left out."),
            key("min", Number, "Smallest amount."),
            key("max", Number, "Largest amount."),
        ],
    ),
    type_of("boolean", "True or false.", &[]),
    type_of("date", "A day.", &[key("min", Date, "First day."), key("max", Date, "Last day.")]),
    type_of("datetime", "An instant, kept in UTC.", &[]),
    type_of("time", "A time of day.", &[]),
    type_of(
        "duration",
        "A length of time in seconds.",
        &[key("min", Int(i64::MIN, i64::MAX), "Shortest, in seconds."), key("max", Int(i64::MIN, i64::MAX), "Longest, in seconds.")],
    ),
    type_of("select", "One of a list of options.", OPTIONS),
    type_of(
        "multi_select",
        "Several of a list of options.",
        &[
            must("options", Options, "The choices, or `{ref: picklist}`."),
            key("max", Int(1, 1000), "Most choices of one record."),
            later("depends_on"),
        ],
    ),
    type_of("tags", "Free words.", &[key("max", Int(1, 1000), "Most words of one record.")]),
    type_of(
        "link",
        "A reference to a record of another entity.",
        &[
            must("to", Entity, "The entity it points to."),
            ON_DELETE,
            key("inverse", Name, "Name of the children field made on the other entity."),
            key("inverse_label", Label, "Its label."),
            key("filter", Expr, "Which records can be chosen: a condition on the other entity."),
        ],
    ),
    type_of(
        "links",
        "References to several records, through an entity that may have fields of its own.",
        &[
            must("to", Entity, "The entity they point to."),
            key("through", Entity, "The entity between; made when left out."),
            key("near", Name, "Its link to this entity, where it has several."),
            key("far", Name, "Its link to the other entity, where it has several."),
        ],
    ),
    type_of(
        "children",
        "The records of another entity whose link points here.",
        &[
            must("of", Entity, "The other entity."),
            must("by", Name, "Its link to this entity."),
            key("on_delete", OneOf(&["restrict", "set_null", "cascade"]), "Says again what the link's `on_delete` says."),
        ],
    ),
    type_of(
        "any_link",
        "A reference to a record of one of several entities.",
        &[must("to", List(&Entity), "The entities it can point to."), ON_DELETE],
    ),
    type_of(
        "user",
        "A person (`core.user`).",
        &[with("on_delete", OneOf(&["restrict", "set_null", "cascade"]), "set_null", "What deleting the person does to this record.")],
    ),
    type_of("address", "Street, street2, city, region, postal_code, country.", &[]),
    type_of("person_name", "Given, family, middle, prefix, suffix.", &[]),
    type_of("geo", "Latitude and longitude.", &[]),
    type_of("rating", "One to five stars.", &[with("max", Int(1, 10), "5", "Number of stars.")]),
    type_of("color", "A color `#rrggbb`.", &[]),
    type_of("json", "Any JSON value.", &[key("schema", Any, "JSON Schema (2020-12) the value must satisfy.")]),
    type_of(
        "auto_number",
        "A number given when the record is created.",
        &[
            with("format", Text, "\"{seq}\"", "Text with `{yyyy}`, `{yy}`, `{mm}`, `{dd}` and `{seq:5}`."),
            with("reset", OneOf(&["never", "yearly", "monthly", "daily"]), "never", "When the counter starts anew."),
        ],
    ),
    type_of(
        "formula",
        "A value computed from the record.",
        &[
            must("expr", Expr, "The expression."),
            must("returns", OneOf(RETURNS), "Type of the result."),
            key("scale", Int(0, 9), "Decimal places of the result."),
            STORED,
            EXPOSE,
        ],
    ),
    type_of(
        "rollup",
        "An aggregate over children or links, kept up to date.",
        &[
            must("of", Field, "The children or links field."),
            must("agg", Expr, "`count()`, `sum(total)`, `max(due where done = false)`."),
            key("returns", OneOf(RETURNS), "Type of the result; that of the aggregate when left out."),
            key("scale", Int(0, 9), "Decimal places of the result."),
            with("stored", Bool, "true", "Kept in a column; else computed when read."),
            EXPOSE,
        ],
    ),
    type_of(
        "lookup",
        "A field of the linked record.",
        &[must("via", Field, "The link."), must("field", Name, "The field of the linked record."), EXPOSE],
    ),
    type_of(
        "file",
        "Uploaded files.",
        &[
            with("max_count", Int(1, 100), "20", "Most files of one record."),
            with("max_size", Int(1, 1024), "25", "Largest file, in MB."),
            key("accept", Many(&Text), "Accepted types, `application/pdf` or `image/*`."),
        ],
    ),
    type_of(
        "image",
        "Uploaded pictures (jpeg, png, webp, gif).",
        &[
            with("max_count", Int(1, 100), "10", "Most pictures of one record."),
            with("max_size", Int(1, 100), "10", "Largest picture, in MB."),
        ],
    ),
];

pub fn find(name: &str) -> Option<&'static TypeSpec> {
    TYPES.iter().find(|spec| spec.name == name)
}
