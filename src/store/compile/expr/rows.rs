//! Quantifiers and aggregates as correlated subqueries over live rows.

use crate::expr::{AggregateKind, Node, Over, QuantifierKind, Root, Rows, Type, Typed};
use crate::store::Sql;

use super::money::Part;
use super::{Compiler, Frame, call, digits, row_entities, scale_of};
use crate::store::compile::columns::column_sql;

/// `FROM …` and the conditions of the rows, and a compiler inside which the rows are known.
pub(super) struct Source<'a> {
    pub from: Sql,
    /// The first one is that the rows belong to the record.
    pub conditions: Vec<Sql>,
    /// The link of the rows to the record.
    pub owner: Sql,
    pub inner: Compiler<'a>,
}

impl<'a> Compiler<'a> {
    pub(super) fn source(&self, over: &Over) -> Source<'a> {
        let (entity, far_entity) = row_entities(&over.rows);
        let mut frame = Frame { entity, alias: self.alias(), far: None };
        let owner = self.holder_id(over.root, &over.hops, over.field);
        let mut from = Sql::default();
        from.ident(&self.entity(&frame).table).push(" AS ").ident(&frame.alias);
        let (near, far) = match &over.rows {
            Rows::Children { by, .. } => (*by, None),
            Rows::Links { near, far, .. } => (*near, Some(*far)),
        };
        let owner_entity = over.hops.last().map_or_else(|| self.frame_entity(over), |hop| hop.to);
        let link = self.link_column(&frame, near, owner_entity);
        let mut linked = link.clone();
        linked.push(" = ").append(owner);
        let mut conditions = vec![linked];
        conditions.extend(self.reachable(&frame));
        if let (Some(far), Some(entity)) = (far, far_entity) {
            let target = Frame { entity, alias: self.alias(), far: None };
            from.push(" JOIN ").ident(&self.entity(&target).table).push(" AS ").ident(&target.alias).push(" ON ");
            from.append(column_sql(&target.alias, "id")).push(" = ").append(self.link_column(&frame, far, entity));
            conditions.extend(self.reachable(&target));
            frame.far = Some((far, target.alias));
        }
        let mut frames = self.frames.clone();
        frames.push(frame);
        Source { from, conditions, owner: link, inner: Compiler { with: self.with, frames, aliases: self.aliases } }
    }

    fn frame_entity(&self, over: &Over) -> crate::base::EntityIx {
        match over.root {
            crate::expr::Root::Row(level) => self.frames[(usize::from(level) + 1).min(self.frames.len() - 1)].entity,
            _ => self.frames[0].entity,
        }
    }

    pub(super) fn quantifier(&self, kind: QuantifierKind, over: &Over, filter: Option<&Typed>) -> Sql {
        let mut source = self.source(over);
        if let Some(filter) = filter {
            source.conditions.push(if kind == QuantifierKind::All {
                let mut not = Sql::new("NOT ");
                not.append(source.inner.condition(filter, false));
                not
            } else {
                source.inner.condition(filter, true)
            });
        }
        let mut sql = Sql::new(if kind == QuantifierKind::Exists { "EXISTS (SELECT 1 FROM " } else { "NOT EXISTS (SELECT 1 FROM " });
        sql.append(source.from).push(" WHERE ").join(" AND ", source.conditions).push(")");
        if kind == QuantifierKind::Exists { sql } else { super::wrapped(sql) }
    }

    pub(super) fn aggregate(&self, kind: AggregateKind, typed: &Typed, over: &Over, filter: Option<&Typed>, value: Option<&Typed>) -> Sql {
        let Some(value) = value else { return self.over_rows(over, filter, |_| Sql::new("COUNT(*)")) };
        let answer = |column: Sql| match kind {
            AggregateKind::Count => call("COUNT(", [column]),
            AggregateKind::Sum => self.sum(column),
            AggregateKind::Min => call("MIN(", [self.ordered(column, &value.ty)]),
            AggregateKind::Max => call("MAX(", [self.ordered(column, &value.ty)]),
            AggregateKind::Avg => self.mean(column, scale_of(&typed.ty) - scale_of(&value.ty)),
        };
        if !reads_outside(value, self.frames.len() - 1) {
            return self.over_rows(over, filter, |inner| answer(inner.value(value)));
        }
        // An aggregate of outer columns alone would belong to the outer statement (SQL:2016 10.9): name the value first.
        let rows = self.over_rows(over, filter, |inner| {
            let mut sql = inner.value(value);
            sql.push(" AS \"v\"");
            sql
        });
        let mut sql = Sql::new("(SELECT ");
        sql.append(answer(Sql::new("\"v\""))).push(" FROM ").append(rows).push(" AS ").ident(&self.alias()).push(")");
        sql
    }

    fn over_rows(&self, over: &Over, filter: Option<&Typed>, answer: impl Fn(&Compiler<'a>) -> Sql) -> Sql {
        let mut source = self.source(over);
        let answer = answer(&source.inner);
        source.conditions.extend(filter.map(|filter| source.inner.condition(filter, true)));
        let mut sql = Sql::new("(SELECT ");
        sql.append(answer).push(" FROM ").append(source.from).push(" WHERE ").join(" AND ", source.conditions).push(")");
        sql
    }

    /// 0 over no rows, null beyond 64 bits.
    fn sum(&self, column: Sql) -> Sql {
        if self.is_sqlite() {
            return call("rl_sum(", [column]);
        }
        let mut sql = Sql::new("rl_int(COALESCE(SUM(");
        sql.append(column).push("), 0))");
        sql
    }

    fn mean(&self, column: Sql, up: u8) -> Sql {
        if self.is_sqlite() {
            return call("rl_mean(", [column, digits(up)]);
        }
        let mut sql = Sql::new("rl_mean(SUM(");
        sql.append(column.clone()).push("), COUNT(").append(column).push("), ").number(i64::from(up)).push(")");
        sql
    }

    /// Texts in the order of code points.
    fn ordered(&self, column: Sql, ty: &Type) -> Sql {
        if self.is_sqlite() || *ty != Type::Text {
            return column;
        }
        let mut sql = super::wrapped(column);
        sql.push(" COLLATE \"C\"");
        sql
    }

    /// The sum of moneys: null over none and over different currencies. The base is known where every row has one.
    pub(super) fn money_sum(&self, over: &Over, filter: Option<&Typed>, value: &Typed, part: Part) -> Sql {
        let rows = self.over_rows(over, filter, |inner| {
            let mut sql = inner.money(value, Part::Amount);
            sql.push(" AS \"a\", ").append(inner.money(value, Part::Currency)).push(" AS \"c\", ");
            sql.append(inner.money(value, Part::Base)).push(" AS \"b\"");
            sql
        });
        let amount = || self.sum(Sql::new("\"a\""));
        let mut sql = Sql::new("(SELECT CASE WHEN MIN(\"c\") = MAX(\"c\") AND ");
        sql.append(amount()).push(" IS NOT NULL ");
        match part {
            Part::Amount => sql.push("THEN ").append(amount()),
            Part::Currency => sql.push("THEN MIN(\"c\")"),
            Part::Base => sql.push("AND COUNT(*) = COUNT(\"b\") THEN ").append(self.sum(Sql::new("\"b\""))),
        };
        // Rows without an amount are no moneys.
        sql.push(" END FROM ").append(rows).push(" AS ").ident(&self.alias()).push(" WHERE \"a\" IS NOT NULL)");
        sql
    }
}

/// Whether an expression about rows at `level` reads a record outside of them.
pub(super) fn reads_outside(typed: &Typed, level: usize) -> bool {
    let is_outside = |root: Root| root != Root::Old && root != Root::Row(u8::try_from(level).unwrap_or(u8::MAX));
    let own = match &typed.node {
        Node::Path(path) | Node::Has { set: path, .. } | Node::Changed(path) => is_outside(path.root),
        // What stands inside of them may read anything.
        Node::Quantifier { .. } | Node::Aggregate { .. } => true,
        _ => false,
    };
    own || typed.children().into_iter().any(|child| reads_outside(child, level))
}
