//! Money as three columns: each part of a money expression is an expression of its own.
//!
//! A part is only meaningful where the amount is not null; the evaluator has no money without an amount.

use crate::expr::eval::{constant, part as part_of_value};
use crate::expr::{ArithmeticOp, Node, Path, Type, Typed};
use crate::schema::catalog::ColumnKind;
use crate::store::Sql;

use super::{Compiler, call, digits, rescaled, scale_of};

/// A part of a money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Amount,
    Currency,
    Base,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Amount => "amount",
            Part::Currency => "currency",
            Part::Base => "base",
        }
    }
}

impl Compiler<'_> {
    pub(super) fn money(&self, typed: &Typed, part: Part) -> Sql {
        if Self::is_constant(typed) {
            let value = part_of_value(constant(typed, self.with.context), Some(part.name()));
            let mut sql = Sql::default();
            let kind = if part == Part::Currency { ColumnKind::Text } else { ColumnKind::Int };
            sql.bind(kind, super::cell(&value, &typed.ty));
            return sql;
        }
        match &typed.node {
            Node::Path(path) => self.path(&Path { part: Some(part.name()), ..path.clone() }),
            Node::Negate(inner) => match part {
                Part::Currency => self.money(inner, part),
                _ => call("rl_neg(", [self.money(inner, part)]),
            },
            Node::Rescale(inner) => match part {
                Part::Currency => self.money(inner, part),
                _ => rescaled(self.money(inner, part), scale_of(&inner.ty), scale_of(&typed.ty)),
            },
            Node::Arithmetic { op, left, right } => self.money_arithmetic(*op, left, right, part),
            Node::Case { arms, otherwise } => self.case(arms, otherwise, |value| self.money(value, part)),
            Node::Coalesce(items) => self.first_money(items, part),
            Node::Aggregate { over, filter, value: Some(value), .. } => self.money_sum(over, filter.as_deref(), value, part),
            _ => Sql::new("NULL"),
        }
    }

    fn money_arithmetic(&self, op: ArithmeticOp, left: &Typed, right: &Typed, part: Part) -> Sql {
        if let Type::Money(_) = right.ty {
            let same = self.same_currency(left, right);
            if part == Part::Currency {
                return same;
            }
            let name = if op == ArithmeticOp::Add { "rl_add(" } else { "rl_sub(" };
            let sum = call(name, [self.money(left, part), self.money(right, part)]);
            return when_same(same, sum);
        }
        if part == Part::Currency {
            return self.money(left, part);
        }
        let name = if op == ArithmeticOp::Mul { "rl_mul(" } else { "rl_div(" };
        call(name, [self.money(left, part), self.value(right), digits(scale_of(&right.ty))])
    }

    /// One money divided by another: a plain number.
    pub(super) fn money_ratio(&self, left: &Typed, right: &Typed) -> Sql {
        let up = 9 + scale_of(&right.ty) - scale_of(&left.ty);
        let ratio = call("rl_div(", [self.money(left, Part::Amount), self.money(right, Part::Amount), digits(up)]);
        when_same(self.same_currency(left, right), ratio)
    }

    /// The currency of both, null when they differ.
    pub(super) fn same_currency(&self, left: &Typed, right: &Typed) -> Sql {
        call("rl_same(", [self.money(left, Part::Currency), self.money(right, Part::Currency)])
    }

    /// All parts come from the first that has an amount.
    fn first_money(&self, items: &[Typed], part: Part) -> Sql {
        let mut sql = Sql::new("CASE");
        for item in items {
            sql.push(" WHEN ").append(self.money(item, Part::Amount)).push(" IS NOT NULL THEN ").append(self.money(item, part));
        }
        sql.push(" END");
        sql
    }
}

fn when_same(same: Sql, value: Sql) -> Sql {
    let mut sql = Sql::new("CASE WHEN ");
    sql.append(same).push(" IS NOT NULL THEN ").append(value).push(" END");
    sql
}
