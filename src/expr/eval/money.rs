//! Money: amount and base amount go the same way, currencies must agree.

use crate::base::{Currency, Decimal, Money, Value};

use super::super::number as exact;
use super::super::tree::{ArithmeticOp, Type, Typed};
use super::{Evaluator, Row, number, units};

/// A money in units of its type's scale.
pub(super) struct Units {
    pub amount: i64,
    pub currency: Currency,
    pub base: Option<i64>,
}

impl Evaluator<'_> {
    pub(super) fn money(&self, typed: &Typed, rows: &[&dyn Row]) -> Option<Units> {
        let Value::Money(money) = self.value(typed, rows) else { return None };
        let scale = money_scale(&typed.ty);
        let rescaled = |number: Decimal| exact::rescale(number.units, number.scale, scale);
        Some(Units { amount: rescaled(money.amount)?, currency: money.currency, base: money.base.and_then(rescaled) })
    }

    pub(super) fn money_arithmetic(&self, op: ArithmeticOp, typed: &Typed, left: &Typed, right: &Typed, rows: &[&dyn Row]) -> Value {
        let Some(a) = self.money(left, rows) else { return Value::Null };
        if let Type::Money(right_scale) = right.ty {
            let Some(b) = self.money(right, rows).filter(|b| b.currency == a.currency) else { return Value::Null };
            let both = |combine: fn(i64, i64) -> Option<i64>| {
                let base = a.base.zip(b.base).and_then(|(a, b)| combine(a, b));
                money(combine(a.amount, b.amount), a.currency, base, &typed.ty)
            };
            return match op {
                ArithmeticOp::Add => both(i64::checked_add),
                ArithmeticOp::Sub => both(i64::checked_sub),
                _ => {
                    let up = 9 + right_scale - money_scale(&left.ty);
                    number(exact::divide(a.amount, b.amount, up), &typed.ty)
                }
            };
        }
        let value = self.value(right, rows);
        let Some(factor) = units(&value, &right.ty) else { return Value::Null };
        let digits = right.ty.number_scale().unwrap_or(0);
        let apply = |units: i64| match op {
            ArithmeticOp::Mul => exact::multiply(units, factor, digits),
            _ => exact::divide(units, factor, digits),
        };
        money(apply(a.amount), a.currency, a.base.and_then(apply), &typed.ty)
    }

    /// Changes both amounts; `change` also gets the scale they had.
    pub(super) fn money_map(&self, typed: &Typed, inner: &Typed, rows: &[&dyn Row], change: impl Fn(i64, u8) -> Option<i64>) -> Value {
        let Some(units) = self.money(inner, rows) else { return Value::Null };
        let scale = money_scale(&inner.ty);
        let change = |units: i64| change(units, scale);
        money(change(units.amount), units.currency, units.base.and_then(change), &typed.ty)
    }
}

/// A money of a type from its units; null without an amount.
pub(super) fn money(amount: Option<i64>, currency: Currency, base: Option<i64>, ty: &Type) -> Value {
    let scale = money_scale(ty);
    match amount {
        Some(amount) => {
            let base = base.map(|units| Decimal::new(units, scale));
            Value::Money(Money { amount: Decimal::new(amount, scale), currency, base })
        }
        None => Value::Null,
    }
}

pub(super) fn money_scale(ty: &Type) -> u8 {
    match ty {
        Type::Money(scale) => *scale,
        _ => 0,
    }
}
