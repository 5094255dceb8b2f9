//! Quantifiers and aggregates over the rows of to-many fields.

use std::cmp::Ordering;

use crate::base::{Currency, Value};

use super::super::number as exact;
use super::super::tree::{AggregateKind, Over, QuantifierKind, Type, Typed};
use super::money::money;
use super::{Evaluator, Row, number, order, units};

impl Evaluator<'_> {
    /// Runs over the rows the filter lets through until `each` says stop (`false`).
    fn each_row(&self, over: &Over, filter: Option<&Typed>, rows: &[&dyn Row], mut each: impl FnMut(&[&dyn Row]) -> bool) {
        let Some(owner) = self.root(over.root, rows) else { return };
        for child in owner.rows(over) {
            let mut inner: Vec<&dyn Row> = rows.to_vec();
            inner.push(&*child);
            if filter.is_none_or(|filter| self.truth(filter, &inner)) && !each(&inner) {
                return;
            }
        }
    }

    pub(super) fn quantifier(&self, kind: QuantifierKind, over: &Over, filter: Option<&Typed>, rows: &[&dyn Row]) -> bool {
        let mut found = false;
        if kind == QuantifierKind::All {
            self.each_row(over, None, rows, |inner| {
                found = filter.is_some_and(|filter| !self.truth(filter, inner));
                !found
            });
            return !found;
        }
        self.each_row(over, filter, rows, |_| {
            found = true;
            false
        });
        found == (kind == QuantifierKind::Exists)
    }

    pub(super) fn aggregate(
        &self,
        kind: AggregateKind,
        typed: &Typed,
        over: &Over,
        filter: Option<&Typed>,
        value: Option<&Typed>,
        rows: &[&dyn Row],
    ) -> Value {
        match (kind, value) {
            (AggregateKind::Sum, Some(value)) if matches!(value.ty, Type::Money(_)) => self.money_sum(typed, over, filter, value, rows),
            (AggregateKind::Sum | AggregateKind::Avg, Some(value)) => {
                let (mut sum, mut count) = (0_i128, 0_i64);
                self.each_row(over, filter, rows, |inner| {
                    if let Some(units) = units(&self.value(value, inner), &value.ty) {
                        sum += i128::from(units);
                        count += 1;
                    }
                    true
                });
                if kind == AggregateKind::Sum {
                    return number(i64::try_from(sum).ok(), &typed.ty);
                }
                let up = typed.ty.number_scale().unwrap_or(0) - value.ty.number_scale().unwrap_or(0);
                number(exact::mean(sum, count, up), &typed.ty)
            }
            (AggregateKind::Min | AggregateKind::Max, Some(value)) => {
                let wanted = if kind == AggregateKind::Min { Ordering::Less } else { Ordering::Greater };
                let mut best = Value::Null;
                self.each_row(over, filter, rows, |inner| {
                    let found = self.value(value, inner);
                    if !found.is_null() && (best.is_null() || order(&found, &best) == Some(wanted)) {
                        best = found;
                    }
                    true
                });
                best
            }
            _ => {
                let mut count = 0;
                self.each_row(over, filter, rows, |_| {
                    count += 1;
                    true
                });
                Value::Int(count)
            }
        }
    }

    /// Null over no rows and over different currencies; the base is known only where every row has one.
    fn money_sum(&self, typed: &Typed, over: &Over, filter: Option<&Typed>, value: &Typed, rows: &[&dyn Row]) -> Value {
        let mut currency: Option<Currency> = None;
        let (mut amount, mut base, mut is_mixed) = (0_i128, Some(0_i128), false);
        self.each_row(over, filter, rows, |inner| {
            if let Some(units) = self.money(value, inner) {
                is_mixed |= currency.is_some_and(|currency| currency != units.currency);
                currency = Some(units.currency);
                amount += i128::from(units.amount);
                base = base.zip(units.base).map(|(sum, units)| sum + i128::from(units));
            }
            true
        });
        let narrow = |number: i128| i64::try_from(number).ok();
        match currency {
            Some(currency) if !is_mixed => money(narrow(amount), currency, base.and_then(narrow), &typed.ty),
            _ => Value::Null,
        }
    }
}
