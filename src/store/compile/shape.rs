//! Which cells of a row make which value of a record.

use std::sync::Arc;

use crate::base::{Currency, EntityIx, FieldIx};
use crate::schema::catalog::ColumnKind;
use crate::store::Sql;

/// What the rows of a plan hold: the shape of the page's rows and of the rows of each to-many expansion.
#[derive(Debug)]
pub struct RowPlan {
    pub shape: Shape,
    /// To-many expansions in an order in which each parent stands before its children.
    pub parts: Vec<PartPlan>,
}

/// The rows of one to-many expansion, below all rows of the page (or of another part) at once.
#[derive(Debug)]
pub struct PartPlan {
    /// Whose rows these stand under: another part, or the page for `None`.
    pub parent: Option<usize>,
    /// Cell of the parent's row with the id of the record they belong to.
    pub parent_cell: usize,
    /// The statement up to the list of ids, its end, and the kinds of its columns.
    pub before: Sql,
    pub after: Sql,
    pub columns: Arc<[ColumnKind]>,
    /// Cell of these rows with the id of the record they belong to.
    pub owner_cell: usize,
    pub shape: Shape,
}

/// The record in one row, or a part of the row: a to-one expansion has the cells of its own in the same row.
#[derive(Debug, Clone)]
pub struct Shape {
    pub entity: EntityIx,
    /// Id prefix of the entity.
    pub prefix: Arc<str>,
    /// Cell of the record's id; null in it means that there is no record.
    pub id: usize,
    pub outputs: Vec<Output>,
}

/// One value of a record.
#[derive(Debug, Clone)]
pub struct Output {
    pub name: String,
    /// `"name":` as it stands in JSON.
    pub key: String,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// Cells from `at` on.
    Value { field: FieldIx, at: usize, codec: Codec },
    /// An own field of the junction a links field leads over.
    Own { entity: EntityIx, field: FieldIx, at: usize, codec: Codec },
    /// The title, from literal text and other cells.
    Title(Vec<TitleBit>),
    /// The record a link leads to; the first whose id is there. `is_any` for an any_link, whose value is the id as text.
    One { field: FieldIx, targets: Vec<Shape>, is_any: bool },
    /// The rows of a part that belong to the record.
    Many { field: FieldIx, part: usize },
}

#[derive(Debug, Clone)]
pub enum TitleBit {
    Text(String),
    Value {
        at: usize,
        codec: Codec,
    },
    /// The title of the record a link leads to.
    Linked(Vec<TitleBit>),
}

/// How cells are read. The number of cells is [`Codec::width`]; offsets of parts count from the value's first cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    Int,
    Bool,
    Text,
    Date,
    DateTime,
    Time,
    /// JSON text.
    Json,
    Decimal {
        scale: u8,
    },
    /// Amount, then currency and base amount where there are columns for them.
    Money {
        scale: u8,
        fixed: Option<Currency>,
        currency: Option<usize>,
        base: Option<usize>,
        width: usize,
    },
    /// An id of the entity with this prefix.
    Id {
        prefix: Arc<str>,
    },
    /// One cell per target, at most one of them not null.
    AnyId {
        prefixes: Arc<[Arc<str>]>,
    },
    /// Parts by name: address, person_name, geo.
    Parts(Arc<[(&'static str, Codec)]>),
    /// An average in nine decimal places of values with fewer.
    Average {
        scale: u8,
    },
    /// A JSON array of texts: multi_select, tags.
    Keys,
    /// A JSON array of integers: the ids of links.
    Ids {
        prefix: Arc<str>,
    },
    /// A JSON array of `[id, name, size_bytes, media_type]`.
    Files {
        prefix: Arc<str>,
    },
    /// An encrypted text of the field with this uid; null until it is opened ([`super::RowSet::sealed_cells`]).
    Sealed {
        field: Arc<str>,
        is_secret: bool,
    },
}

impl Codec {
    /// Number of cells.
    pub fn width(&self) -> usize {
        match self {
            Codec::Money { width, .. } => *width,
            Codec::AnyId { prefixes } => prefixes.len(),
            Codec::Parts(parts) => parts.iter().map(|(_, codec)| codec.width()).sum(),
            _ => 1,
        }
    }
}

impl Shape {
    /// The output of that field, expanded or not.
    pub fn output_of(&self, wanted: FieldIx) -> Option<&Output> {
        self.outputs.iter().find(|output| match &output.what {
            What::Value { field, .. } | What::One { field, .. } | What::Many { field, .. } => *field == wanted,
            What::Title(_) | What::Own { .. } => false,
        })
    }
}
