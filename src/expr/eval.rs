//! Evaluates a checked expression on records in memory. What SQL computes must be the same: every rule here has its
//! twin in `store::compile::expr` and in the `rl_*` functions.

mod call;
mod money;
mod number;
mod rows;

use std::cmp::Ordering;

use crate::base::{DateTime, Money, RecordId, Value, text::fold};

use super::tree::{CompareOp, HasKind, MatchKind, Node, Over, Path, Root, Type, Typed};
use super::{Zone, text};

/// A record in memory with what the expression needs of its surroundings (see [`super::needs()`]).
pub trait Row {
    /// The value of the field at the end of `path.hops`, starting at this row; null where a hop leads nowhere (empty
    /// link, missing or deleted record). `path.root` and `path.part` are the evaluator's business: give the whole value.
    fn value(&self, path: &Path) -> Value;

    /// The live rows of a to-many field, starting at this row. `over.root` is the evaluator's business.
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
pub fn eval(typed: &Typed, row: &dyn Row, context: &EvalContext<'_>) -> Value {
    Evaluator { record: row, context }.value(typed, &[])
}

/// A condition's truth.
pub fn holds(condition: &Typed, row: &dyn Row, context: &EvalContext<'_>) -> bool {
    eval(condition, row, context) == Value::Bool(true)
}

/// The value of a constant expression ([`Typed::is_constant`]).
pub fn constant(typed: &Typed, context: &EvalContext<'_>) -> Value {
    eval(typed, &Nothing, context)
}

/// A record of which nothing is known.
struct Nothing;

impl Row for Nothing {
    fn value(&self, _path: &Path) -> Value {
        Value::Null
    }

    fn rows<'a>(&'a self, _over: &Over) -> Vec<Box<dyn Row + 'a>> {
        Vec::new()
    }
}

fn folded(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(fold(&text)),
        other => other,
    }
}

struct Evaluator<'a> {
    record: &'a dyn Row,
    context: &'a EvalContext<'a>,
}

impl Evaluator<'_> {
    /// `rows` are those of the enclosing quantifiers, outermost first.
    fn value(&self, typed: &Typed, rows: &[&dyn Row]) -> Value {
        match &typed.node {
            // Encrypted texts are equal without regard to case: their index knows nothing else.
            Node::Literal(value) if matches!(typed.ty, Type::Sealed(..)) => folded(value.clone()),
            Node::Path(path) if matches!(typed.ty, Type::Sealed(..)) => folded(self.path(path, rows)),
            Node::Literal(value) => value.clone(),
            Node::Path(path) => self.path(path, rows),
            Node::And(items) => Value::Bool(items.iter().all(|item| self.truth(item, rows))),
            Node::Or(items) => Value::Bool(items.iter().any(|item| self.truth(item, rows))),
            Node::Not(inner) => Value::Bool(!self.truth(inner, rows)),
            Node::Compare { op, left, right } => Value::Bool(compare(*op, &self.value(left, rows), &self.value(right, rows))),
            Node::In { item, list } => {
                let item = self.value(item, rows);
                Value::Bool(list.iter().any(|element| compare(CompareOp::Eq, &item, &self.value(element, rows))))
            }
            Node::IsNull(inner) => Value::Bool(match self.value(inner, rows) {
                Value::List(items) => items.is_empty(),
                value => value.is_null(),
            }),
            Node::Match { kind, item, pattern } => Value::Bool(self.matches(*kind, item, pattern, rows)),
            Node::Has { kind, set, keys } => Value::Bool(self.has(*kind, set, keys, rows)),
            Node::Arithmetic { op, left, right } => self.arithmetic(*op, typed, left, right, rows),
            Node::Negate(inner) => self.negate(typed, inner, rows),
            Node::Rescale(inner) => self.rescale(typed, inner, rows),
            Node::Case { arms, otherwise } => {
                let arm = arms.iter().find(|(condition, _)| self.truth(condition, rows));
                self.value(arm.map_or(otherwise, |(_, value)| value), rows)
            }
            Node::Coalesce(items) => items.iter().map(|item| self.value(item, rows)).find(|value| !value.is_null()).unwrap_or_default(),
            Node::Call { function, args } => self.call(*function, typed, args, rows),
            Node::Quantifier { kind, over, filter } => Value::Bool(self.quantifier(*kind, over, filter.as_deref(), rows)),
            Node::Aggregate { kind, over, filter, value } => self.aggregate(*kind, typed, over, filter.as_deref(), value.as_deref(), rows),
            Node::Me => self.context.me.into(),
            Node::Mine(_) => Value::List(Vec::new()),
            Node::Shared { .. } => Value::Bool(false),
            Node::Now => Value::DateTime(self.context.now),
            Node::Today => Value::Date(self.context.zone.date(self.context.now)),
            Node::Changed(path) => {
                let Some(old) = self.context.old else { return Value::Bool(true) };
                let former = Path { root: Root::Old, ..path.clone() };
                Value::Bool(self.path(path, rows) != part(old.value(&former), path.part))
            }
        }
    }

    /// A null condition does not hold.
    fn truth(&self, condition: &Typed, rows: &[&dyn Row]) -> bool {
        self.value(condition, rows) == Value::Bool(true)
    }

    fn root<'r>(&'r self, root: Root, rows: &[&'r dyn Row]) -> Option<&'r dyn Row> {
        match root {
            Root::Record => Some(self.record),
            Root::Old => self.context.old,
            Root::Row(level) => rows.get(usize::from(level)).copied(),
        }
    }

    fn path(&self, path: &Path, rows: &[&dyn Row]) -> Value {
        match self.root(path.root, rows) {
            Some(row) => part(row.value(path), path.part),
            None => Value::Null,
        }
    }

    fn matches(&self, kind: MatchKind, item: &Typed, pattern: &Typed, rows: &[&dyn Row]) -> bool {
        let (Value::Text(item), Value::Text(pattern)) = (self.value(item, rows), self.value(pattern, rows)) else {
            return false;
        };
        let (item, pattern) = (fold(&item), fold(&pattern));
        match kind {
            MatchKind::Contains => item.contains(&pattern),
            MatchKind::StartsWith => item.starts_with(&pattern),
            MatchKind::EndsWith => item.ends_with(&pattern),
            MatchKind::Like => text::like(&item, &pattern),
        }
    }

    fn has(&self, kind: HasKind, set: &Path, keys: &[Typed], rows: &[&dyn Row]) -> bool {
        let Value::List(items) = self.path(set, rows) else { return false };
        let mut wanted = keys.iter().map(|key| self.value(key, rows));
        match kind {
            HasKind::Any => wanted.any(|key| items.contains(&key)),
            HasKind::All => wanted.all(|key| items.contains(&key)),
        }
    }
}

/// A part of a composite value.
pub fn part(value: Value, name: Option<&str>) -> Value {
    let Some(name) = name else { return value };
    match value {
        Value::Money(Money { amount, currency, base }) => match name {
            "amount" => Value::Decimal(amount),
            "currency" => Value::from(currency.code()),
            "base" => base.into(),
            _ => Value::Null,
        },
        Value::Map(parts) => parts.into_iter().find(|(part, _)| part == name).map_or(Value::Null, |(_, value)| value),
        _ => Value::Null,
    }
}

/// A comparison with null is false; `!=` means "is distinct from".
fn compare(op: CompareOp, left: &Value, right: &Value) -> bool {
    let order = order(left, right);
    match op {
        CompareOp::Eq => order == Some(Ordering::Equal),
        CompareOp::Ne => order != Some(Ordering::Equal) && !(left.is_null() && right.is_null()),
        CompareOp::Lt => order == Some(Ordering::Less),
        CompareOp::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Gt => order == Some(Ordering::Greater),
        CompareOp::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// The order of two values of one type; `None` with null and for moneys of different currencies.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::DateTime(left), Value::DateTime(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Link(left), Value::Link(right)) => Some(left.cmp(right)),
        (Value::Money(left), Value::Money(right)) => (left.currency == right.currency).then(|| left.amount.cmp(&right.amount)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        _ => Some(as_decimal(left)?.cmp(&as_decimal(right)?)),
    }
}

fn as_decimal(value: &Value) -> Option<crate::base::Decimal> {
    match value {
        Value::Int(number) => Some(crate::base::Decimal::new(*number, 0)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// Units of a number with the scale of the type it is used as.
fn units(value: &Value, ty: &Type) -> Option<i64> {
    let number = as_decimal(value)?;
    super::number::rescale(number.units, number.scale, ty.number_scale().unwrap_or(0))
}

/// A number of a type from its units.
fn number(units: Option<i64>, ty: &Type) -> Value {
    match (units, ty) {
        (Some(units), Type::Decimal(scale)) => Value::Decimal(crate::base::Decimal::new(units, *scale)),
        (Some(units), _) => Value::Int(units),
        (None, _) => Value::Null,
    }
}
