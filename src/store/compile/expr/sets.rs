//! What of a rule is a set of ids: records that were shared with the asker, records with a row that names them. Looked up by
//! the record where one is asked about, by the asker where many are.

use crate::base::Cell;
use crate::expr::{CompareOp, Node, Over, Path, QuantifierKind, Root, Type, Typed};
use crate::schema::catalog::ColumnKind;
use crate::store::{Dialect, Sql};

use super::rows::reads_outside;
use super::{Compiler, wrapped};
use crate::store::compile::columns::{column_sql, id_column};

/// Those a record may be shared with that are looked up by themselves; more are looked up together.
const MOST_EACH: usize = 24;

impl Compiler<'_> {
    /// Whether the record with the id `item` was shared: one look at its own shares.
    pub(super) fn shared(&self, item: &Typed, may_edit: bool, with: &[String]) -> Sql {
        let Some(entity) = self.uid_of(item).filter(|_| !with.is_empty()) else { return self.known(false) };
        let alias = self.alias();
        let mut sql = Sql::new("EXISTS (SELECT 1 FROM \"sys_share\" AS ");
        sql.ident(&alias).push(" WHERE ").append(column_sql(&alias, "record")).push(" = ").append(self.value(item)).push(" AND ");
        sql.append(self.in_force(&alias, &entity, may_edit, with)).push(")");
        sql
    }

    /// The same about the list's own record, as `id IN (…)`: the set is made once.
    pub(super) fn in_set(&self, part: &Typed) -> Option<Sql> {
        let (column, rest) = match &part.node {
            Node::Shared { item, may_edit, with } => self.ids_shared(item, *may_edit, with)?,
            _ => self.ids_with_row(part)?,
        };
        let frame = &self.frames[0];
        let mut sql = column_sql(&frame.alias, id_column(self.entity(frame)));
        // PostgreSQL uses an index for an id among others beside an `OR` only where these stand in an array.
        let is_array = self.with.dialect == Dialect::Postgres;
        sql.push(if is_array { " = ANY(ARRAY(SELECT " } else { " IN (SELECT " }).append(column).append(rest);
        sql.push(if is_array { "))" } else { ")" });
        Some(sql)
    }

    /// The ids of what was shared: the column, and what stands behind it.
    fn ids_shared(&self, item: &Typed, may_edit: bool, with: &[String]) -> Option<(Sql, Sql)> {
        let entity = self.uid_of(item)?;
        let Node::Path(Path { root: Root::Record, hops, .. }) = &item.node else { return None };
        if !hops.is_empty() || with.is_empty() {
            return None;
        }
        let alias = self.alias();
        let mut rest = Sql::new(" FROM \"sys_share\" AS ");
        rest.ident(&alias).push(" WHERE ").append(self.in_force(&alias, &entity, may_edit, with));
        Some((column_sql(&alias, "record"), rest))
    }

    /// `exists(members where person = me())`: the records that have such a row, where an index finds the rows of somebody.
    fn ids_with_row(&self, part: &Typed) -> Option<(Sql, Sql)> {
        let Node::Quantifier { kind: QuantifierKind::Exists, over, filter: Some(filter) } = &part.node else { return None };
        let is_own = over.root == Root::Record && over.hops.is_empty();
        if !is_own || !self.names_somebody(over, filter) || reads_outside(filter, 0) {
            return None;
        }
        let mut source = self.source(over);
        // The link to the record is what is asked for here.
        let column = source.owner;
        source.conditions.remove(0);
        let mut has_owner = column.clone();
        has_owner.push(" IS NOT NULL");
        source.conditions.push(has_owner);
        source.conditions.push(source.inner.condition(filter, true));
        let mut rest = Sql::new(" FROM ");
        rest.append(source.from).push(" WHERE ").join(" AND ", source.conditions);
        Some((column, rest))
    }

    /// Whether the rows are those of some link to a record that is known beforehand, by an index.
    fn names_somebody(&self, over: &Over, filter: &Typed) -> bool {
        let entity = self.with.catalog.entity(over.rows.entity());
        let is_link = |typed: &Typed| match &typed.node {
            Node::Path(Path { root: Root::Row(0), hops, field, part: None }) if hops.is_empty() => {
                matches!(typed.ty, Type::Link(_)) && entity.indexes.iter().any(|index| index.fields.first() == Some(field))
            }
            _ => false,
        };
        match &filter.node {
            Node::And(items) => items.iter().any(|item| self.names_somebody(over, item)),
            Node::Compare { op: CompareOp::Eq, left, right } => {
                is_link(left) && right.is_constant() || is_link(right) && left.is_constant()
            }
            Node::In { item, list } => is_link(item) && list.iter().all(Typed::is_constant),
            _ => false,
        }
    }

    /// What was shared, for each of those it was shared with by itself: an index gives the shares of one in the order of the
    /// records. They stand under `x`.
    pub(super) fn shares_of_each(&self, part: &Typed) -> Option<Vec<Sql>> {
        let Node::Shared { item, may_edit, with } = &part.node else { return None };
        let entity = self.uid_of(item)?;
        let Node::Path(Path { root: Root::Record, hops, .. }) = &item.node else { return None };
        let is_each = hops.is_empty() && with.len() <= MOST_EACH;
        is_each.then(|| with.iter().map(|one| self.in_force("x", &entity, *may_edit, std::slice::from_ref(one))).collect())
    }

    /// The shares with one of these that have not ended.
    fn in_force(&self, alias: &str, entity: &str, may_edit: bool, with: &[String]) -> Sql {
        let mut sql = column_sql(alias, "entity");
        sql.push(" = ").bind(ColumnKind::Text, Cell::Text(entity.to_owned())).push(" AND ").append(column_sql(alias, "holder"));
        sql.push(" IN ").bind_list(ColumnKind::Text, with.iter().map(|key| Cell::Text(key.clone())));
        if may_edit {
            sql.push(" AND ").append(column_sql(alias, "may_edit")).push(" = 1");
        }
        let mut ends = column_sql(alias, "ends_at");
        ends.push(" IS NULL OR ").append(column_sql(alias, "ends_at")).push(" > ");
        ends.bind(ColumnKind::DateTime, Cell::Int(self.with.context.now.0));
        sql.push(" AND ").append(wrapped(ends));
        sql
    }

    fn uid_of(&self, item: &Typed) -> Option<String> {
        let Type::Link(entities) = &item.ty else { return None };
        let entity = self.with.catalog.entity(*entities.first()?);
        Some(entity.uid.clone()).filter(|uid| !uid.is_empty())
    }
}
