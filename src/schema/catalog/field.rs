//! A typed attribute, and the columns that store it.

use super::FieldType;
use crate::base::{FieldIx, Labels, Value};
use crate::expr::Typed;

/// A typed attribute.
#[derive(Debug, Clone)]
pub struct Field {
    pub ix: FieldIx,
    pub uid: String,
    /// API name.
    pub name: String,
    pub label: Labels,
    pub help: Labels,
    pub ty: FieldType,
    /// Physical columns in part order; none for children, links, multi_select, tags, file, virtual formulas.
    pub columns: Vec<Column>,
    /// Folded shadow column (`name_k`) for texts.
    pub fold_column: Option<String>,
    /// Junction table of multi_select, tags, file and image (`j_deal_segments`), with columns `rec, opt, pos`.
    pub side_table: Option<String>,
    pub is_system: bool,
    pub required: bool,
    pub unique: bool,
    pub indexed: bool,
    /// Goes into the record's search text.
    pub search: bool,
    /// Never settable by a request (computed, auto_number, system).
    pub read_only: bool,
    pub required_if: Option<Typed>,
    pub readonly_if: Option<Typed>,
    /// Display only.
    pub visible_if: Option<Typed>,
    pub default: Option<Default>,
    /// Retired: kept in the table, gone from every door. Never present in `fields`; kept for the plan only.
    pub retired: bool,
    /// Old API name, answered until the alias ends.
    pub alias: Option<String>,
    /// Widget chosen by the definition instead of the type's.
    pub widget: Option<String>,
    pub placeholder: Labels,
    /// How sensitive its values are; `None` for those that say nothing of a person.
    pub class: Option<FieldClass>,
    /// Values are kept encrypted with a key of the record; only equality can be asked of them.
    pub encrypted: bool,
    /// A computed value that is shown although its inputs may not be read.
    pub exposes: bool,
    /// In a catalog as some roles see it: not to be known of.
    pub is_hidden: bool,
    /// In a catalog as some roles see it: read, never written.
    pub is_locked: bool,
}

/// What the values of a field say of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldClass {
    /// About a person: told to whom it is about, removed when that person is erased.
    Personal,
    /// Personal, and reading it is audited.
    Sensitive,
    /// A key or password: kept encrypted and never shown.
    Secret,
}

impl FieldClass {
    /// As definitions write it.
    pub const NAMES: [&'static str; 3] = ["personal", "sensitive", "secret"];

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Personal, Self::Sensitive, Self::Secret].into_iter().find(|class| class.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Sensitive => "sensitive",
            Self::Secret => "secret",
        }
    }
}

#[derive(Debug, Clone)]
pub enum Default {
    Value(Value),
    /// Evaluated on create (`=today() + 2`).
    Expr(Typed),
}

/// A physical column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Never renamed, always quoted.
    pub name: String,
    pub kind: ColumnKind,
    /// Part of a composite type (`street`, `currency`, …); empty for the value itself.
    pub part: &'static str,
}

/// How a cell is stored: SQLite STRICT type / PostgreSQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// INTEGER / bigint.
    Int,
    /// TEXT / text.
    Text,
    /// INTEGER 0, 1 / boolean.
    Bool,
    /// TEXT `YYYY-MM-DD` / date; the cell is `Int` days.
    Date,
    /// INTEGER microseconds / timestamptz; the cell is `Int` microseconds.
    DateTime,
    /// TEXT / jsonb; the cell is `Text`.
    Json,
}

impl Field {
    /// Never shown: readers see only that there is a value.
    pub fn is_secret(&self) -> bool {
        self.class == Some(FieldClass::Secret)
    }

    /// Reading it is audited.
    pub fn is_sensitive(&self) -> bool {
        self.class == Some(FieldClass::Sensitive)
    }

    /// Has a folded shadow column, or will have one once it is bound.
    pub fn is_foldable(&self) -> bool {
        !self.encrypted && (self.fold_column.is_some() || crate::schema::field_type::needs_fold(&self.ty))
    }
}
