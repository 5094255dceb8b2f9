//! To-many expansions: one statement for the rows below all records of a level, limited for each record.

use crate::base::{EntityIx, FieldIx};
use crate::query::Expand;
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::store::Sql;

use super::columns::{Columns, aggregate, column_sql, id_column, unmasked, visible};
use super::expr::{self, ExprSql};
use super::order::{SortSql, order_by, sort_columns};
use super::shape::PartPlan;

/// Makes the part of a children or links field; its position. `id` is the cell of the owner's id in the outer row.
pub(super) fn part(
    outer: &mut Columns<'_, '_>,
    parent: Option<usize>,
    id: usize,
    entity: &Entity,
    field: &Field,
    expand: &Expand,
) -> usize {
    let position = outer.parts.len();
    outer.parts.push(None);
    let with = outer.with;
    let Some(target) = expand.targets.first() else { return position };
    let child = with.catalog.entity(target.entity);
    let rows = RowsOf::new(with, entity, field, child);
    let mut columns = Columns::new(with, outer.parts, Some(position));
    let owner_cell = columns.push(column_sql("p", "owner"), crate::schema::catalog::ColumnKind::Int);
    let shape = columns.shape("t", target, rows.junction.map(|(junction, ..)| ("j", junction)));

    let mut conditions = visible(with, child, "t");
    conditions.extend(rows.junction.into_iter().flat_map(|(junction, ..)| visible(with, junction, "j")));
    conditions.extend(rows.links.iter().filter_map(|(alias, entity, link)| unmasked(with, alias, *entity, *link)));
    conditions.extend(expand.filter.as_ref().map(|filter| expr::condition(with.about(child.ix), "t", filter)));
    let mut sort = sort_columns(with, child, &expand.sort);
    let tie = SortSql::id(column_sql(rows.row_alias(), "id"), sort.keys.last().is_some_and(|key| key.descending));
    sort.keys.push(tie);

    let mut before = Sql::new("SELECT ");
    before.append(columns.list());
    before.push("\nFROM (SELECT ").append(column_sql(rows.row_alias(), "id")).push(" AS \"id\", ");
    before.append(rows.owner.clone()).push(" AS \"owner\", row_number() OVER (PARTITION BY ").append(rows.owner.clone());
    before.push(" ORDER BY ").append(order_by(&sort.keys)).push(") AS \"rank\"");
    before.push("\n  FROM ").append(rows.from.clone()).append(sort.joins);
    before.push("\n  WHERE ").append(rows.owner.clone()).push(" IN ");
    let mut after = Sql::default();
    for condition in conditions {
        after.push(" AND ").append(condition);
    }
    after.push(") AS \"p\"\nJOIN ").append(rows.again).append(columns.joins.clone());
    after.push("\nWHERE \"p\".\"rank\" <= ").number(i64::from(expand.limit));
    after.push("\nORDER BY \"p\".\"owner\", \"p\".\"rank\"");
    let kinds = columns.kinds().into();
    let part = PartPlan { parent, parent_cell: id, before, after, columns: kinds, owner_cell, shape };
    outer.parts[position] = Some(part);
    position
}

/// Where the rows of a to-many field come from. The child stands under `t`, the junction's row under `j`.
struct RowsOf<'a> {
    /// Tables after the inner `FROM`.
    from: Sql,
    /// The column with the owner's id.
    owner: Sql,
    /// Tables after the outer `JOIN`, found again by `p.id`.
    again: Sql,
    junction: Option<(&'a Entity, FieldIx, FieldIx)>,
    /// The links that tie the rows together: alias, entity and field.
    links: Vec<(&'static str, EntityIx, FieldIx)>,
}

impl<'a> RowsOf<'a> {
    fn new(with: ExprSql<'a>, _entity: &Entity, field: &Field, child: &Entity) -> Self {
        let mut from = Sql::default();
        let mut again = Sql::default();
        match &field.ty {
            FieldType::Links { through, near, far, .. } => {
                let junction = with.catalog.entity(*through);
                let far_column = first_column(junction, *far);
                from.ident(&junction.table).push(" AS \"j\"");
                again.ident(&junction.table).push(" AS \"j\" ON \"j\".\"id\" = \"p\".\"id\"");
                for sql in [&mut from, &mut again] {
                    sql.push(" JOIN ").ident(&child.table).push(" AS \"t\" ON ").append(column_sql("t", id_column(child)));
                    sql.push(" = ").append(column_sql("j", far_column));
                }
                let owner = column_sql("j", first_column(junction, *near));
                let links = vec![("j", *through, *near), ("j", *through, *far)];
                Self { from, owner, again, junction: Some((junction, *near, *far)), links }
            }
            FieldType::Children { by, .. } => {
                from.ident(&child.table).push(" AS \"t\"");
                again.ident(&child.table).push(" AS \"t\" ON \"t\".\"id\" = \"p\".\"id\"");
                Self { from, owner: column_sql("t", first_column(child, *by)), again, junction: None, links: vec![("t", child.ix, *by)] }
            }
            _ => Self { from, owner: Sql::new("NULL"), again, junction: None, links: Vec::new() },
        }
    }

    /// Whose id says which row it is.
    fn row_alias(&self) -> &'static str {
        if self.junction.is_some() { "j" } else { "t" }
    }
}

pub(super) fn first_column(entity: &Entity, field: FieldIx) -> &str {
    entity.field(field).columns.first().map_or("id", |column| column.name.as_str())
}

/// The ids a links field leads to as one JSON array, in the order in which they were added.
pub(super) fn link_ids(with: ExprSql<'_>, alias: &str, to: EntityIx, through: EntityIx, near: FieldIx, far: FieldIx) -> Sql {
    let (target, junction) = (with.catalog.entity(to), with.catalog.entity(through));
    let far_column = column_sql("x", first_column(junction, far));
    let mut sql = Sql::new("(SELECT ");
    sql.push(aggregate(with.dialect)).push("(").append(far_column.clone()).push(" ORDER BY \"x\".\"id\") FROM ");
    sql.ident(&junction.table).push(" AS \"x\" JOIN ").ident(&target.table).push(" AS \"y\" ON ");
    sql.append(column_sql("y", id_column(target))).push(" = ").append(far_column);
    sql.push(" WHERE ").append(column_sql("x", first_column(junction, near))).push(" = ").append(column_sql(alias, "id"));
    let ties = [near, far].into_iter().filter_map(|link| unmasked(with, "x", through, link));
    for condition in visible(with, junction, "x").into_iter().chain(visible(with, target, "y")).chain(ties) {
        sql.push(" AND ").append(condition);
    }
    sql.push(")");
    sql
}
