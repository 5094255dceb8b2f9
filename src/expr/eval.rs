//! Evaluates a checked expression on records in memory.
use crate::base::{DateTime, RecordId, Value};

use super::tree::{Over, Path};
use super::{Typed, Zone};

/// A record in memory with what the expression needs of its surroundings (see [`super::needs()`]).
pub trait Row {
    /// The value of the field at the end of `path.hops`, starting at this row; null where a hop leads nowhere (empty
    /// link, missing or deleted record). `path.root` and `path.part` are the evaluator's business: give the whole value.
    fn value(&self, path: &Path) -> Value;

    /// The live rows of a to-many field, starting at this row.
    fn rows<'a>(&'a self, over: &Over) -> Vec<Box<dyn Row + 'a>>;
}

/// What an evaluation knows besides the record.
#[derive(Clone)]
pub struct EvalContext<'a> {
    /// Bound once for everything that belongs to one request.
    pub now: DateTime,
    /// The zone in which date-times have a date; `today()` is the day of `now` in it.
    pub zone: Zone,
    pub me: Option<RecordId>,
    /// The former record; `None` on create, then every `old.` is null.
    pub old: Option<&'a dyn Row>,
}

/// The value of an expression; never fails: what cannot be computed is null.
pub fn eval(_typed: &Typed, _row: &dyn Row, _context: &EvalContext<'_>) -> Value {
    unimplemented!("eval")
}

/// A condition's truth.
pub fn holds(condition: &Typed, row: &dyn Row, context: &EvalContext<'_>) -> bool {
    eval(condition, row, context) == Value::Bool(true)
}
