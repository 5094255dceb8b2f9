//! Comparisons, membership, text matches.

use crate::base::text::fold;
use crate::base::{Cell, DateTime, Value};
use crate::expr::eval::constant;
use crate::expr::text::{after_prefix, normal_pattern};
use crate::expr::{CompareOp, Function, HasKind, MatchKind, Node, Path, Type, Typed, number};
use crate::schema::catalog::ColumnKind;
use crate::store::Sql;

use super::money::Part;
use super::{Compiler, call, digits, kind_of, scale_of, strict, wrapped};

impl Compiler<'_> {
    pub(super) fn compare(&self, op: CompareOp, left: &Typed, right: &Typed, loose: bool) -> Sql {
        if let (Type::Money(_), Type::Money(_)) = (&left.ty, &right.ty) {
            return self.compare_money(op, left, right, loose);
        }
        let is_number = left.ty.number_scale().is_some() && right.ty.number_scale().is_some();
        if is_number && scale_of(&left.ty) != scale_of(&right.ty) {
            return self.compare_numbers(op, left, right, loose);
        }
        if left.ty == Type::Date
            && let Some(sql) = self.compare_day(op, left, right, loose)
        {
            return sql;
        }
        if right.ty == Type::Date
            && let Some(sql) = self.compare_day(flipped(op), right, left, loose)
        {
            return sql;
        }
        if left.ty == Type::Bool && op != CompareOp::Ne {
            // PostgreSQL and SQLite both compare booleans, but conditions in value position are made two-valued first.
            return plain(self.value(left), op, self.value(right), loose, "");
        }
        let order = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        let collation = if order && left.ty == Type::Text && !self.is_sqlite() { " COLLATE \"C\"" } else { "" };
        plain(self.value(left), op, self.value(right), loose, collation)
    }

    /// Numbers of different scales. With a constant on one side the column stays plain: the constant is brought to the
    /// column's scale, with the operator mended where digits are lost.
    fn compare_numbers(&self, op: CompareOp, left: &Typed, right: &Typed, loose: bool) -> Sql {
        if Self::is_constant(right) {
            return self.compare_constant(op, left, right, loose);
        }
        if Self::is_constant(left) {
            return self.compare_constant(flipped(op), right, left, loose);
        }
        let (a, b) = (scale_of(&left.ty), scale_of(&right.ty));
        let order = call("rl_cmp(", [self.value(left), digits(a), self.value(right), digits(b)]);
        if op == CompareOp::Ne {
            return self.distinct_numbers(left, right, order);
        }
        plain(order, op, Sql::new("0"), loose, "")
    }

    fn distinct_numbers(&self, left: &Typed, right: &Typed, order: Sql) -> Sql {
        let mut sql = Sql::new("(COALESCE(");
        sql.append(order).push(", 1) <> 0 AND NOT (").append(self.value(left)).push(" IS NULL AND ");
        sql.append(self.value(right)).push(" IS NULL))");
        sql
    }

    fn compare_constant(&self, op: CompareOp, column: &Typed, fixed: &Typed, loose: bool) -> Sql {
        let scale = scale_of(&column.ty);
        let given = match constant(fixed, self.with.context) {
            Value::Int(units) => Some((units, 0)),
            Value::Decimal(number) => Some((number.units, number.scale)),
            _ => None,
        };
        let Some((units, own_scale)) = given else {
            return plain(self.value(column), op, self.literal(&Value::Null, &Type::Int), loose, "");
        };
        // floor(units * 10^(scale - own_scale)) and whether nothing was lost.
        let (floor, exact) = if own_scale <= scale {
            (i128::from(units) * number::pow10(scale - own_scale), true)
        } else {
            let step = number::pow10(own_scale - scale);
            (i128::from(units).div_euclid(step), i128::from(units).rem_euclid(step) == 0)
        };
        let column_sql = self.value(column);
        let Ok(bound) = i64::try_from(floor) else {
            // Beyond every value of the column.
            let holds = match op {
                CompareOp::Eq => false,
                CompareOp::Ne => return Sql::new(if self.is_sqlite() { "1" } else { "TRUE" }),
                CompareOp::Lt | CompareOp::Le => floor > 0,
                CompareOp::Gt | CompareOp::Ge => floor < 0,
            };
            let mut sql = wrapped(column_sql);
            sql.push(if holds { " IS NOT NULL" } else { " IS NULL AND 1 = 0" });
            return wrapped(sql);
        };
        let op = match (op, exact) {
            (op, true) => op,
            (CompareOp::Gt | CompareOp::Ge, false) => CompareOp::Gt,
            (CompareOp::Lt | CompareOp::Le, false) => CompareOp::Le,
            (CompareOp::Eq, false) => return Sql::new(if self.is_sqlite() { "0" } else { "FALSE" }),
            (CompareOp::Ne, false) => return Sql::new(if self.is_sqlite() { "1" } else { "TRUE" }),
        };
        let mut fixed = Sql::default();
        fixed.bind(ColumnKind::Int, bound);
        plain(column_sql, op, fixed, loose, "")
    }

    /// The day of a date-time column against a fixed day is a range of moments, so that an index of the column serves.
    fn compare_day(&self, op: CompareOp, day: &Typed, fixed: &Typed, loose: bool) -> Option<Sql> {
        let Node::Call { function: Function::Date, args } = &day.node else { return None };
        let moment = args.first().filter(|moment| matches!(moment.node, Node::Path(_)))?;
        if !Self::is_constant(fixed) || Self::is_constant(moment) {
            return None;
        }
        let Value::Date(date) = constant(fixed, self.with.context) else { return None };
        let zone = &self.with.context.zone;
        let begin = zone.threshold(date)?;
        let end = zone.threshold(date.plus_days(1)?)?;
        let column = || self.value(moment);
        let bound = |at: DateTime| self.literal(&Value::DateTime(at), &Type::DateTime);
        Some(match op {
            CompareOp::Lt => plain(column(), CompareOp::Lt, bound(begin), loose, ""),
            CompareOp::Le => plain(column(), CompareOp::Lt, bound(end), loose, ""),
            CompareOp::Gt => plain(column(), CompareOp::Ge, bound(end), loose, ""),
            CompareOp::Ge => plain(column(), CompareOp::Ge, bound(begin), loose, ""),
            CompareOp::Eq | CompareOp::Ne => {
                let mut sql = plain(column(), CompareOp::Ge, bound(begin), true, "");
                sql.push(" AND ").append(plain(column(), CompareOp::Lt, bound(end), true, ""));
                if op == CompareOp::Eq {
                    return Some(strict(wrapped(sql), loose));
                }
                let mut not = Sql::new("NOT ");
                not.append(strict(wrapped(sql), false));
                wrapped(not)
            }
        })
    }

    fn compare_money(&self, op: CompareOp, left: &Typed, right: &Typed, loose: bool) -> Sql {
        let amounts = |op, loose| {
            let (a, b) = (scale_of(&left.ty), scale_of(&right.ty));
            let (left, right) = (self.money(left, Part::Amount), self.money(right, Part::Amount));
            if a == b {
                plain(left, op, right, loose, "")
            } else {
                plain(call("rl_cmp(", [left, digits(a), right, digits(b)]), op, Sql::new("0"), loose, "")
            }
        };
        let mut same = wrapped(self.same_currency(left, right));
        same.push(" IS NOT NULL");
        if op != CompareOp::Ne {
            same.push(" AND ").append(amounts(op, true));
            return strict(wrapped(same), loose);
        }
        // Distinct: not the same money, and not both absent.
        same.push(" AND ").append(amounts(CompareOp::Eq, true));
        let mut sql = Sql::new("NOT ");
        sql.append(strict(wrapped(same), false)).push(" AND NOT (").append(self.money(left, Part::Amount));
        sql.push(" IS NULL AND ").append(self.money(right, Part::Amount)).push(" IS NULL)");
        wrapped(sql)
    }

    /// `IN` where the list is constant and of the item's own scale, else comparisons joined by `OR`.
    pub(super) fn membership(&self, item: &Typed, list: &[Typed], loose: bool) -> Sql {
        let is_plain = list.iter().all(|element| Self::is_constant(element) && scale_of(&element.ty) == scale_of(&item.ty));
        if !is_plain || list.len() == 1 {
            let mut sql = Sql::default();
            sql.join(" OR ", list.iter().map(|element| self.compare(CompareOp::Eq, item, element, loose)));
            return wrapped(sql);
        }
        let cells: Vec<Cell> =
            list.iter().map(|element| self.cell(&constant(element, self.with.context), &item.ty)).filter(|cell| !cell.is_null()).collect();
        if cells.is_empty() {
            return Sql::new(if self.is_sqlite() { "0" } else { "FALSE" });
        }
        let mut sql = self.value(item);
        sql.push(" IN ").bind_list(kind_of(&item.ty), cells);
        strict(wrapped(sql), loose)
    }

    pub(super) fn is_null(&self, inner: &Typed) -> Sql {
        if let (Type::Set, Node::Path(path)) = (&inner.ty, &inner.node) {
            let alias = self.alias();
            let Some((table, belongs)) = self.side_rows(path, &alias) else { return Sql::new("(1 = 1)") };
            let mut sql = Sql::new("NOT EXISTS (SELECT 1 FROM ");
            sql.append(table).push(" WHERE ").append(belongs).push(")");
            return wrapped(sql);
        }
        let mut sql = if inner.ty == Type::Bool && !matches!(inner.node, Node::Path(_) | Node::Case { .. } | Node::Coalesce(_)) {
            self.condition(inner, false)
        } else {
            self.value(inner)
        };
        sql.push(" IS NULL");
        wrapped(sql)
    }

    pub(super) fn has(&self, kind: HasKind, set: &Path, keys: &[Typed]) -> Sql {
        let wanted = keys.iter().map(|key| super::cell(&constant(key, self.with.context), &Type::Text));
        let exists = |cells: Vec<Cell>| {
            let alias = self.alias();
            let Some((table, belongs)) = self.side_rows(set, &alias) else { return Sql::new("(1 = 0)") };
            let mut sql = Sql::new("EXISTS (SELECT 1 FROM ");
            sql.append(table).push(" WHERE ").append(belongs).push(" AND ").ident(&alias).push(".\"opt\"");
            match &cells[..] {
                [one] => sql.push(" = ").bind(ColumnKind::Text, one.clone()),
                _ => sql.push(" IN ").bind_list(ColumnKind::Text, cells),
            };
            sql.push(")");
            sql
        };
        match kind {
            HasKind::Any => exists(wanted.collect()),
            HasKind::All => {
                let mut sql = Sql::default();
                sql.join(" AND ", wanted.map(|key| exists(vec![key])));
                wrapped(sql)
            }
        }
    }

    pub(super) fn text_match(&self, kind: MatchKind, item: &Typed, pattern: &Typed, loose: bool) -> Sql {
        let Node::Path(path) = &item.node else { return Sql::new("(1 = 0)") };
        let column = self.folded(path);
        if !Self::is_constant(pattern) {
            let Node::Path(other) = &pattern.node else { return Sql::new("(1 = 0)") };
            return self.match_folded(kind, column, self.folded(other), loose);
        }
        let Value::Text(text) = constant(pattern, self.with.context) else {
            return Sql::new(if self.is_sqlite() { "0" } else { "FALSE" });
        };
        let folded = fold(&text);
        if kind == MatchKind::StartsWith && !folded.is_empty() {
            // A range, so that an index of the folded column serves.
            let mut sql = at_least(&column, &folded, self.is_sqlite());
            if let Some(end) = after_prefix(&folded) {
                sql.push(" AND ").append(column).push(if self.is_sqlite() { " < " } else { " COLLATE \"C\" < " });
                sql.bind(ColumnKind::Text, end);
            }
            return strict(wrapped(sql), loose);
        }
        let folded = if kind == MatchKind::Like { normal_pattern(&folded) } else { folded };
        let mut fixed = Sql::default();
        fixed.bind(ColumnKind::Text, folded);
        self.match_folded(kind, column, fixed, loose)
    }

    fn match_folded(&self, kind: MatchKind, column: Sql, pattern: Sql, loose: bool) -> Sql {
        let sql = match kind {
            MatchKind::Contains => {
                let mut sql = call(if self.is_sqlite() { "instr(" } else { "strpos(" }, [column, pattern]);
                sql.push(" > 0");
                sql
            }
            MatchKind::StartsWith => call("rl_starts_with(", [column, pattern]),
            MatchKind::EndsWith => call("rl_ends_with(", [column, pattern]),
            MatchKind::Like => call("rl_like(", [column, pattern]),
        };
        strict(wrapped(sql), loose)
    }
}

fn at_least(column: &Sql, text: &str, is_sqlite: bool) -> Sql {
    let mut sql = column.clone();
    sql.push(if is_sqlite { " >= " } else { " COLLATE \"C\" >= " }).bind(ColumnKind::Text, text);
    sql
}

/// The comparison as it is written; `!=` is never null, the others are made so unless null may stand for false.
fn plain(left: Sql, op: CompareOp, right: Sql, loose: bool, collation: &'static str) -> Sql {
    let mut sql = left;
    sql.push(collation);
    sql.push(match op {
        CompareOp::Eq => " = ",
        CompareOp::Ne => " IS DISTINCT FROM ",
        CompareOp::Lt => " < ",
        CompareOp::Le => " <= ",
        CompareOp::Gt => " > ",
        CompareOp::Ge => " >= ",
    });
    sql.append(right);
    if op == CompareOp::Ne { wrapped(sql) } else { strict(sql, loose) }
}

/// The operator with the sides exchanged.
fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}
