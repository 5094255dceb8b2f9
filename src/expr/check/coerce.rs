//! Brings values to the type their place needs.

use crate::base::{Date, DateTime, EntityIx, RecordId, Time, Value};

use super::super::error::ExprErrorKind;
use super::super::tree::{Function, Node, Type, Typed};
use super::names::nearest;
use super::{Checked, Checker, Expected, as_path};

impl Checker<'_> {
    /// The outermost value for the place of the expression.
    pub(super) fn expect(&mut self, checked: Checked, expected: &Expected) -> Option<Typed> {
        match expected {
            Expected::Any => Some(checked.typed),
            Expected::Condition => {
                if checked.typed.ty == Type::Bool {
                    return Some(checked.typed);
                }
                let kind =
                    ExprErrorKind::Mismatch { wanted: "a condition".to_owned(), found: checked.typed.ty.name().to_owned(), hint: None };
                self.fault(kind, &checked.typed.span)
            }
            Expected::Value(ty) => self.fit(checked.typed, ty),
        }
    }

    fn fit(&mut self, typed: Typed, target: &Type) -> Option<Typed> {
        let span = typed.span.clone();
        if is_null(&typed) || typed.ty == Type::Null {
            return Some(Typed { ty: target.clone(), ..typed });
        }
        let typed = match literal_text(&typed) {
            Some(_) if *target != Type::Text => self.literal(typed, target, None)?,
            _ => typed,
        };
        match (&typed.ty, target) {
            (from, to) if from == to => return Some(typed),
            (Type::Int | Type::Decimal(_), Type::Int | Type::Decimal(_)) | (Type::Money(_), Type::Money(_)) => {
                return Some(rescale(typed, target));
            }
            (Type::DateTime, Type::Date) => return Some(date_of(typed)),
            (Type::Int, Type::Duration) => {
                return Some(Typed::new(Type::Duration, Node::Call { function: Function::Seconds, args: vec![typed] }, span));
            }
            (Type::Link(from), Type::Link(to)) if from.iter().all(|entity| to.contains(entity)) => return Some(typed),
            _ => {}
        }
        let hint = match (&typed.ty, target) {
            (Type::Money(_), Type::Int | Type::Decimal(_)) => Some("take `.amount` or `.base` of it".to_owned()),
            (Type::Date, Type::DateTime) => Some("`now()` is a date-time".to_owned()),
            (Type::Sealed(..) | Type::Secret, _) => Some("what is computed from an encrypted value would hold it in the open".to_owned()),
            (_, Type::Text) => Some("`text(…)` writes a number or a date as text".to_owned()),
            _ => None,
        };
        let kind =
            ExprErrorKind::Mismatch { wanted: format!("a value of type {}", target.name()), found: typed.ty.name().to_owned(), hint };
        self.fault(kind, &span)
    }

    /// A text written in the expression as a value of `target`: a date, an option, an id.
    pub(super) fn literal(&mut self, typed: Typed, target: &Type, options: Option<&(String, Vec<String>)>) -> Option<Typed> {
        let Some(text) = literal_text(&typed) else { return Some(typed) };
        let span = typed.span.clone();
        if let Some((field, keys)) = options {
            if keys.iter().any(|key| key == text) {
                return Some(typed);
            }
            let near = nearest(text, keys.iter().cloned());
            let kind = ExprErrorKind::UnknownOption { field: field.clone(), key: text.to_owned(), near, options: keys.clone() };
            return self.fault(kind, &span);
        }
        let text = text.trim();
        let (ty, value, what) = match target {
            Type::Date => (Type::Date, Date::parse(text).map(Value::Date), "date such as 2026-11-21"),
            Type::DateTime => match Date::parse(text) {
                Some(date) => (Type::Date, Some(Value::Date(date)), ""),
                None => (Type::DateTime, DateTime::parse(text).map(Value::DateTime), "date-time such as 2026-11-21T08:00:00Z"),
            },
            Type::Time => (Type::Time, Time::parse(text).map(Value::Time), "time such as 08:30"),
            Type::Link(targets) => return self.id(&typed, text, targets),
            Type::Sealed(..) => return Some(Typed::new(target.clone(), typed.node, span)),
            _ => return Some(typed),
        };
        match value {
            Some(value) => Some(Typed::new(ty, Node::Literal(value), span)),
            None => self.fault(ExprErrorKind::BadLiteral { text: text.to_owned(), what }, &span),
        }
    }

    fn id(&mut self, typed: &Typed, text: &str, targets: &[EntityIx]) -> Option<Typed> {
        let Some((prefix, id)) = RecordId::parse(text) else {
            return self.fault(ExprErrorKind::BadLiteral { text: text.to_owned(), what: "id of a record" }, &typed.span);
        };
        let entity = self.scope.entity_of_prefix(prefix).filter(|entity| targets.contains(entity));
        let Some(entity) = entity else {
            let wanted = targets.first().map(|entity| self.scope.entity_name(*entity)).unwrap_or_default();
            return self.fault(ExprErrorKind::WrongId { id: text.to_owned(), wanted }, &typed.span);
        };
        Some(Typed::new(Type::Link(vec![entity]), Node::Literal(Value::Link(id)), typed.span.clone()))
    }

    /// Brings the alternatives of `if`, `case` and `coalesce` to one type.
    pub(super) fn unify(&mut self, items: Vec<Checked>) -> Option<(Type, Vec<Typed>)> {
        let mut target: Option<Type> = None;
        for item in items.iter().filter(|item| item.typed.ty != Type::Null && literal_text(&item.typed).is_none()) {
            target = match target {
                None => Some(item.typed.ty.clone()),
                Some(known) => match joined(&known, &item.typed.ty) {
                    Some(ty) => Some(ty),
                    None => {
                        let kind = ExprErrorKind::Incompatible {
                            left: known.name().to_owned(),
                            right: item.typed.ty.name().to_owned(),
                            verb: "alternatives of one value",
                            hint: None,
                        };
                        return self.fault(kind, &item.typed.span);
                    }
                },
            };
        }
        let has_text = items.iter().any(|item| literal_text(&item.typed).is_some());
        let target = target.unwrap_or(if has_text { Type::Text } else { Type::Null });
        let mut fitted = Vec::with_capacity(items.len());
        for item in items {
            fitted.push(
                if let Type::Link(_) = &target
                    && let Type::Link(_) = &item.typed.ty
                {
                    item.typed
                } else {
                    self.fit(item.typed, &target)?
                },
            );
        }
        Some((target, fitted))
    }
}

/// The type both can be brought to.
fn joined(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (left, right) if left == right => Some(left.clone()),
        (Type::Money(left), Type::Money(right)) => Some(Type::Money(*left.max(right))),
        (Type::Link(left), Type::Link(right)) => {
            let mut all = left.clone();
            all.extend(right.iter().filter(|entity| !left.contains(entity)));
            Some(Type::Link(all))
        }
        _ => Some(Type::Decimal(left.number_scale()?.max(right.number_scale()?))),
    }
}

/// The same number (or money) as another type.
pub(super) fn rescale(typed: Typed, target: &Type) -> Typed {
    if typed.ty == *target {
        return typed;
    }
    let span = typed.span.clone();
    Typed::new(target.clone(), Node::Rescale(Box::new(typed)), span)
}

/// The day of a date-time in the zone; a date stays.
pub(super) fn date_of(typed: Typed) -> Typed {
    if typed.ty == Type::Date {
        return typed;
    }
    let span = typed.span.clone();
    if matches!(typed.node, Node::Now) {
        return Typed::new(Type::Date, Node::Today, span);
    }
    Typed::new(Type::Date, Node::Call { function: Function::Date, args: vec![typed] }, span)
}

/// The amount of a money as a decimal.
pub(super) fn amount_of(typed: Typed) -> Typed {
    let Type::Money(scale) = typed.ty else { return typed };
    let span = typed.span.clone();
    if let Some(path) = as_path(&typed) {
        let path = super::Path { part: Some("amount"), ..path.clone() };
        return Typed::new(Type::Decimal(scale), Node::Path(path), span);
    }
    Typed::new(Type::Decimal(scale), Node::Call { function: Function::Amount, args: vec![typed] }, span)
}

/// The text, if this is one written in the expression.
pub(super) fn literal_text(typed: &Typed) -> Option<&str> {
    match &typed.node {
        Node::Literal(Value::Text(text)) => Some(text),
        _ => None,
    }
}

pub(super) fn is_null(typed: &Typed) -> bool {
    matches!(typed.node, Node::Literal(Value::Null))
}
