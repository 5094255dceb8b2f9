//! Comparisons, arithmetic, membership.

use super::super::ast::{Ast, AstKind, HasWord};
use super::super::error::ExprErrorKind;
use super::super::tree::{ArithmeticOp, CompareOp, HasKind, MatchKind, Node, Span, Type, Typed};
use super::coerce::{amount_of, date_of, is_null, literal_text, rescale};
use super::{Checked, Checker, as_path};

/// What can be asked of an encrypted field.
const ONLY_EQUAL: &str = "an encrypted field can be compared with a written text by `=`, `!=` and `in`, and be `null`";

/// Decimal places a division keeps.
pub const DIVISION_SCALE: u8 = 9;

impl Checker<'_> {
    pub(super) fn compare(&mut self, op: CompareOp, left: Checked, right: Checked, span: Span) -> Option<Typed> {
        let (left, right) = self.comparable(left, right, op, &span)?;
        if let Some(list) = [&left, &right].into_iter().find(|side| matches!(side.node, Node::Mine(_))) {
            let hint = Some("it is a list: write `in` in front of it".to_owned());
            let found = "a list".to_owned();
            return self.fault(ExprErrorKind::Mismatch { wanted: "one record".to_owned(), found, hint }, &list.span.clone());
        }
        Some(Typed::new(Type::Bool, Node::Compare { op, left: Box::new(left), right: Box::new(right) }, span))
    }

    /// Both sides as types that can be compared.
    fn comparable(&mut self, left: Checked, right: Checked, op: CompareOp, span: &Span) -> Option<(Typed, Typed)> {
        if is_null(&left.typed) || is_null(&right.typed) {
            return self.fault(ExprErrorKind::CompareNull, span);
        }
        let (left_options, right_options) = (left.options, right.options);
        let left_literal = literal_text(&left.typed).is_some();
        let right_literal = literal_text(&right.typed).is_some();
        let (mut left, mut right) = (left.typed, right.typed);
        if right_literal && !left_literal {
            right = self.literal(right, &left.ty, left_options.as_ref())?;
        } else if left_literal && !right_literal {
            left = self.literal(left, &right.ty, right_options.as_ref())?;
        }
        match (&left.ty, &right.ty) {
            (Type::Money(_), Type::Int | Type::Decimal(_)) => left = amount_of(left),
            (Type::Int | Type::Decimal(_), Type::Money(_)) => right = amount_of(right),
            (Type::DateTime, Type::Date) => left = date_of(left),
            (Type::Date, Type::DateTime) => right = date_of(right),
            _ => {}
        }
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        let fits = match (&left.ty, &right.ty) {
            (Type::Int | Type::Decimal(_), Type::Int | Type::Decimal(_))
            | (Type::Text, Type::Text)
            | (Type::Date, Type::Date)
            | (Type::DateTime, Type::DateTime)
            | (Type::Time, Type::Time)
            | (Type::Money(_), Type::Money(_))
            | (Type::Duration, Type::Duration | Type::Int)
            | (Type::Int, Type::Duration) => true,
            (Type::Bool, Type::Bool) => equality,
            (Type::Sealed(..), Type::Sealed(..)) => equality && left.ty == right.ty,
            (Type::Link(left), Type::Link(right)) => equality && left.iter().any(|entity| right.contains(entity)),
            _ => false,
        };
        if fits {
            return Some((left, right));
        }
        let hint = match (&left.ty, &right.ty) {
            (Type::Secret, _) | (_, Type::Secret) => Some("a secret can only be `null` or not".to_owned()),
            (Type::Sealed(..), _) | (_, Type::Sealed(..)) => Some(ONLY_EQUAL.to_owned()),
            (Type::Set, _) | (_, Type::Set) => Some("use `has`, `has_any` or `has_all`".to_owned()),
            (Type::Int | Type::Decimal(_) | Type::Money(_), Type::Text) => Some("write a number without quotes".to_owned()),
            (Type::Bool, Type::Text | Type::Int) => Some("write `true` or `false`".to_owned()),
            _ => None,
        };
        let verb = if equality { "compared" } else { "put in order" };
        let kind = ExprErrorKind::Incompatible { left: left.ty.name().to_owned(), right: right.ty.name().to_owned(), verb, hint };
        self.fault(kind, span)
    }

    /// `item in (…)`. Where an element needs the item in another form, it is a disjunction of comparisons.
    pub(super) fn membership(&mut self, item: &Ast, list: &[Ast], span: Span) -> Option<Typed> {
        let mut plain = Vec::with_capacity(list.len());
        let mut compares = Vec::with_capacity(list.len());
        let mut is_plain = true;
        let mut whole: Option<Typed> = None;
        for element in list {
            let (left, right) = (self.expression(item)?, self.expression(element)?);
            let before = left.typed.clone();
            let (left, right) = self.comparable(left, right, CompareOp::Eq, &element.span)?;
            is_plain &= left == before;
            plain.push(right.clone());
            compares.push(Typed::new(
                Type::Bool,
                Node::Compare { op: CompareOp::Eq, left: Box::new(left), right: Box::new(right) },
                element.span.clone(),
            ));
            whole.get_or_insert(before);
        }
        let node = match whole {
            Some(item) if is_plain && !matches!(item.ty, Type::Money(_)) => Node::In { item: Box::new(item), list: plain },
            _ => Node::Or(compares),
        };
        Some(Typed::new(Type::Bool, node, span))
    }

    pub(super) fn between(&mut self, item: &Ast, low: &Ast, high: &Ast, span: Span) -> Option<Typed> {
        let first = self.expression(item)?;
        let low = self.expression(low);
        let low = low.and_then(|low| self.compare(CompareOp::Ge, first, low, span.clone()));
        let (second, high) = (self.expression(item), self.expression(high));
        let high = self.compare(CompareOp::Le, second?, high?, span.clone());
        Some(Typed::new(Type::Bool, Node::And(vec![low?, high?]), span))
    }

    pub(super) fn text_match(&mut self, kind: MatchKind, item: &Ast, pattern: &Ast, span: Span) -> Option<Typed> {
        let (item, pattern) = (self.expression(item), self.expression(pattern));
        let (item, pattern) = (item?, pattern?);
        if matches!(item.typed.ty, Type::Sealed(..)) {
            let error = ExprErrorKind::Mismatch {
                wanted: "a text".to_owned(),
                found: item.typed.ty.name().to_owned(),
                hint: Some(ONLY_EQUAL.to_owned()),
            };
            return self.fault(error, &item.typed.span);
        }
        if item.typed.ty == Type::Set {
            let hint = Some("use `has`, `has_any` or `has_all`".to_owned());
            let error = ExprErrorKind::Mismatch { wanted: "a text".to_owned(), found: item.typed.ty.name().to_owned(), hint };
            return self.fault(error, &item.typed.span);
        }
        for side in [&item, &pattern] {
            if side.typed.ty != Type::Text {
                let found = side.typed.ty.name().to_owned();
                let error = ExprErrorKind::Mismatch { wanted: "a text".to_owned(), found, hint: None };
                return self.fault(error, &side.typed.span);
            }
        }
        if !item.is_foldable {
            return self.fault(ExprErrorKind::NotFoldable, &item.typed.span);
        }
        if !pattern.typed.is_constant() && (kind == MatchKind::Like || !pattern.is_foldable) {
            let error = if kind == MatchKind::Like { ExprErrorKind::NotConstant } else { ExprErrorKind::NotFoldable };
            return self.fault(error, &pattern.typed.span);
        }
        let node = Node::Match { kind, item: Box::new(item.typed), pattern: Box::new(pattern.typed) };
        Some(Typed::new(Type::Bool, node, span))
    }

    pub(super) fn has(&mut self, word: HasWord, item: &Ast, keys: &[Ast], span: Span) -> Option<Typed> {
        let set = self.expression(item)?.typed;
        let (Type::Set, Some(path), AstKind::Path(names)) = (&set.ty, as_path(&set), &item.kind) else {
            let hint = Some("`has` is for multi_select and tags fields; compare others with `=` or `in`".to_owned());
            let kind = ExprErrorKind::Mismatch { wanted: "a set of options".to_owned(), found: set.ty.name().to_owned(), hint };
            return self.fault(kind, &item.span);
        };
        let options = self.set_keys(path, names).map(|keys| (names[names.len() - 1].text.clone(), keys));
        let mut checked = Vec::with_capacity(keys.len());
        for key in keys {
            let typed = self.expression(key)?.typed;
            if typed.ty != Type::Text {
                let found = typed.ty.name().to_owned();
                return self.fault(ExprErrorKind::Mismatch { wanted: "an option's key".to_owned(), found, hint: None }, &key.span);
            }
            if !typed.is_constant() {
                return self.fault(ExprErrorKind::NotConstant, &key.span);
            }
            checked.push(self.literal(typed, &Type::Text, options.as_ref())?);
        }
        let kind = if word == HasWord::HasAny { HasKind::Any } else { HasKind::All };
        Some(Typed::new(Type::Bool, Node::Has { kind, set: path.clone(), keys: checked }, span))
    }

    pub(super) fn negate(&mut self, inner: &Ast, span: Span) -> Option<Typed> {
        let typed = self.expression(inner)?.typed;
        match typed.ty {
            Type::Int | Type::Decimal(_) | Type::Money(_) | Type::Duration => {
                Some(Typed::new(typed.ty.clone(), Node::Negate(Box::new(typed)), span))
            }
            _ => {
                let kind = ExprErrorKind::Mismatch { wanted: "a number".to_owned(), found: typed.ty.name().to_owned(), hint: None };
                self.fault(kind, &typed.span)
            }
        }
    }

    pub(super) fn arithmetic(&mut self, op: ArithmeticOp, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        use ArithmeticOp::{Add, Div, Mod, Mul, Sub};
        let (mut left, mut right) = (left, right);
        if op == Sub {
            match (&left.ty, &right.ty) {
                (Type::DateTime, Type::Date) => left = date_of(left),
                (Type::Date, Type::DateTime) => right = date_of(right),
                _ => {}
            }
        }
        let ty = match (op, &left.ty, &right.ty) {
            (Add | Sub | Mod, Type::Int, Type::Int) | (Mul, Type::Int, Type::Int) => Type::Int,
            (Div, Type::Int | Type::Decimal(_), Type::Int | Type::Decimal(_)) => Type::Decimal(DIVISION_SCALE),
            (_, Type::Int | Type::Decimal(_), Type::Int | Type::Decimal(_)) => {
                let scales = (left.ty.number_scale().unwrap_or(0), right.ty.number_scale().unwrap_or(0));
                if op == Mul {
                    Type::Decimal((scales.0 + scales.1).min(DIVISION_SCALE))
                } else {
                    let ty = Type::Decimal(scales.0.max(scales.1));
                    left = rescale(left, &ty);
                    right = rescale(right, &ty);
                    ty
                }
            }
            (Add | Sub, Type::Money(a), Type::Money(b)) => {
                let ty = Type::Money(*a.max(b));
                left = rescale(left, &ty);
                right = rescale(right, &ty);
                ty
            }
            (Mul | Div, Type::Money(scale), Type::Int | Type::Decimal(_)) => Type::Money(*scale),
            (Mul, Type::Int | Type::Decimal(_), Type::Money(scale)) => {
                let ty = Type::Money(*scale);
                std::mem::swap(&mut left, &mut right);
                ty
            }
            (Div, Type::Money(_), Type::Money(_)) => Type::Decimal(DIVISION_SCALE),
            (Add | Sub, Type::Date, Type::Int) => Type::Date,
            (Add, Type::Int, Type::Date) => {
                std::mem::swap(&mut left, &mut right);
                Type::Date
            }
            (Sub, Type::Date, Type::Date) => Type::Int,
            (Add | Sub, Type::DateTime, Type::Duration) => Type::DateTime,
            (Add, Type::Duration, Type::DateTime) => {
                std::mem::swap(&mut left, &mut right);
                Type::DateTime
            }
            (Sub, Type::DateTime, Type::DateTime) | (Sub, Type::Time, Type::Time) | (Add | Sub, Type::Duration, Type::Duration) => {
                Type::Duration
            }
            (Mul, Type::Duration, Type::Int) | (Mul, Type::Int, Type::Duration) => Type::Duration,
            (Div, Type::Duration, Type::Duration) => Type::Decimal(DIVISION_SCALE),
            _ => return self.no_arithmetic(op, &left, &right, &span),
        };
        Some(Typed::new(ty, Node::Arithmetic { op, left: Box::new(left), right: Box::new(right) }, span))
    }

    fn no_arithmetic(&mut self, op: ArithmeticOp, left: &Typed, right: &Typed, span: &Span) -> Option<Typed> {
        let hint = match (&left.ty, &right.ty) {
            (Type::Text, _) | (_, Type::Text) => Some("join texts with `concat(a, b)`"),
            (Type::Money(_), Type::Int | Type::Decimal(_)) | (Type::Int | Type::Decimal(_), Type::Money(_)) => {
                Some("a number has no currency: take `.amount` or `.base` of the money")
            }
            (Type::DateTime, Type::Int) | (Type::Int, Type::DateTime) => Some("say `days(2)` or `hours(2)`"),
            (Type::Date, Type::Duration) => Some("add whole days to a date: `close_on + 2`"),
            _ => None,
        };
        let verb = match op {
            ArithmeticOp::Add => "added",
            ArithmeticOp::Sub => "subtracted",
            ArithmeticOp::Mul => "multiplied",
            ArithmeticOp::Div | ArithmeticOp::Mod => "divided",
        };
        let kind = ExprErrorKind::Incompatible {
            left: left.ty.name().to_owned(),
            right: right.ty.name().to_owned(),
            verb,
            hint: hint.map(str::to_owned),
        };
        self.fault(kind, span)
    }
}
