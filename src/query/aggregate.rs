//! The checked request for groups and measures.

use crate::base::{Decimal, EntityIx};
use crate::expr::{Type, Typed, Zone};

use super::request::Deleted;

/// Measures over one entity's records, by groups.
#[derive(Debug, Clone)]
pub struct AggregateRequest {
    pub entity: EntityIx,
    pub filter: Option<Typed>,
    pub group: Vec<Group>,
    pub measures: Vec<Measure>,
    /// All must hold.
    pub having: Vec<Having>,
    /// Empty means the groups' own order.
    pub sort: Vec<(OutputRef, bool)>,
    /// 1 to [`super::MAX_GROUP_ROWS`].
    pub limit: u32,
    pub search: Option<String>,
    pub deleted: Deleted,
}

#[derive(Debug, Clone)]
pub struct Group {
    /// The key in the answer.
    pub name: String,
    pub by: GroupBy,
}

#[derive(Debug, Clone)]
pub enum GroupBy {
    /// A field, a path or any other expression.
    Value(Typed),
    /// The period a date or date-time falls in, told by its first day. Without a zone the one of the context counts.
    Period { first_day: Typed, bucket: Bucket, zone: Option<Zone> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    Day,
    /// Weeks start on Monday.
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone)]
pub struct Measure {
    /// The key in the answer.
    pub name: String,
    pub function: Function,
    /// None only for `count` of records.
    pub of: Option<Typed>,
}

impl Measure {
    /// Its values are numbers (or money, compared by its amount).
    pub fn is_number(&self) -> bool {
        match (self.function, &self.of) {
            (Function::Count | Function::CountDistinct, _) | (_, None) => true,
            (_, Some(of)) => matches!(of.ty, Type::Int | Type::Decimal(_) | Type::Duration | Type::Money(_)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Count,
    CountDistinct,
    Sum,
    /// With nine digits, half-even.
    Avg,
    Min,
    Max,
}

/// `measure op value`.
#[derive(Debug, Clone)]
pub struct Having {
    /// Position in `measures`.
    pub measure: usize,
    pub compare: Compare,
    pub value: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A column of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputRef {
    Group(usize),
    Measure(usize),
}
