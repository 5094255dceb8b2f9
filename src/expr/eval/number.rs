//! Arithmetic.

use crate::base::{Date, Value};

use super::super::number as exact;
use super::super::time;
use super::super::tree::{ArithmeticOp, Type, Typed};
use super::{Evaluator, Row, number, units};

impl Evaluator<'_> {
    pub(super) fn arithmetic(&self, op: ArithmeticOp, typed: &Typed, left: &Typed, right: &Typed, rows: &[&dyn Row]) -> Value {
        if matches!(left.ty, Type::Money(_)) {
            return self.money_arithmetic(op, typed, left, right, rows);
        }
        let (a, b) = (self.value(left, rows), self.value(right, rows));
        match (&a, &b) {
            (Value::Date(date), Value::Int(days)) => {
                let days = if op == ArithmeticOp::Sub { days.checked_neg() } else { Some(*days) };
                days.and_then(|days| date.plus_days(days)).map_or(Value::Null, Value::Date)
            }
            (Value::Date(Date(later)), Value::Date(Date(earlier))) => Value::Int(i64::from(*later) - i64::from(*earlier)),
            (Value::DateTime(at), Value::Int(seconds)) => {
                let seconds = if op == ArithmeticOp::Sub { seconds.checked_neg() } else { Some(*seconds) };
                seconds.and_then(|seconds| time::plus_seconds(*at, seconds)).map_or(Value::Null, Value::DateTime)
            }
            (Value::DateTime(later), Value::DateTime(earlier)) => Value::Int(time::seconds_between(*earlier, *later)),
            (Value::Time(later), Value::Time(earlier)) => Value::Int(i64::from(later.0) - i64::from(earlier.0)),
            _ => {
                let (Some(a), Some(b)) = (units(&a, &left.ty), units(&b, &right.ty)) else { return Value::Null };
                number(arithmetic(op, a, &left.ty, b, &right.ty, &typed.ty), &typed.ty)
            }
        }
    }

    pub(super) fn negate(&self, typed: &Typed, inner: &Typed, rows: &[&dyn Row]) -> Value {
        if matches!(typed.ty, Type::Money(_)) {
            return self.money_map(typed, inner, rows, |units, _| units.checked_neg());
        }
        let value = self.value(inner, rows);
        number(units(&value, &inner.ty).and_then(i64::checked_neg), &typed.ty)
    }

    pub(super) fn rescale(&self, typed: &Typed, inner: &Typed, rows: &[&dyn Row]) -> Value {
        if let Type::Money(to) = typed.ty {
            return self.money_map(typed, inner, rows, |units, from| exact::rescale(units, from, to));
        }
        let value = self.value(inner, rows);
        let (from, to) = (inner.ty.number_scale().unwrap_or(0), typed.ty.number_scale().unwrap_or(0));
        number(units(&value, &inner.ty).and_then(|units| exact::rescale(units, from, to)), &typed.ty)
    }
}

/// On units; the operands of a sum have the scale of the result already.
fn arithmetic(op: ArithmeticOp, a: i64, a_type: &Type, b: i64, b_type: &Type, ty: &Type) -> Option<i64> {
    let scale = |ty: &Type| ty.number_scale().unwrap_or(0);
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Sub => a.checked_sub(b),
        ArithmeticOp::Mul => exact::multiply(a, b, scale(a_type) + scale(b_type) - scale(ty)),
        ArithmeticOp::Div => exact::divide(a, b, scale(ty) + scale(b_type) - scale(a_type)),
        ArithmeticOp::Mod => exact::remainder(a, b),
    }
}
