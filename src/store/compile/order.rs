//! Sort keys as SQL, and whether an index gives the rows in that order.

use crate::base::FieldIx;
use crate::expr::{CompareOp, Node, Root, Typed};
use crate::query::{SortBy, SortKey};
use crate::schema::catalog::{ColumnKind, Entity, Field, FieldType};
use crate::store::{Dialect, Sql};

use super::columns::{column_sql, masked, type_kind, visible};
use super::expr::{self, ExprSql};

/// One key of an `ORDER BY`.
#[derive(Debug, Clone)]
pub(super) struct SortSql {
    pub sql: Sql,
    pub kind: ColumnKind,
    pub descending: bool,
    /// Nulls may stand in it; they come last in both directions.
    pub nullable: bool,
    /// The column of the record's own table, if it is one.
    pub column: Option<String>,
}

/// The keys of a sort with the joins they need.
#[derive(Debug, Default)]
pub(super) struct Sorting {
    pub keys: Vec<SortSql>,
    pub joins: Sql,
}

impl SortSql {
    /// The tie-break by id.
    pub fn id(sql: Sql, descending: bool) -> Self {
        Self { sql, kind: ColumnKind::Int, descending, nullable: false, column: Some("id".to_owned()) }
    }
}

/// The keys for records standing under `t`.
pub(super) fn sort_columns(with: ExprSql<'_>, entity: &Entity, sort: &[SortKey]) -> Sorting {
    let mut sorting = Sorting::default();
    for key in sort {
        let own = |field: FieldIx, column: Option<&str>| {
            let name = column.unwrap_or("id").to_owned();
            (column_sql("t", &name), kind_of(entity.field(field), &name), !is_never_null(entity.field(field)), Some(name))
        };
        let is_kept_back = |field: FieldIx| with.rows.mask(entity.ix, field).is_some() || with.rows.is_live(entity.ix, field);
        let (sql, kind, nullable, column) = match &key.by {
            // No index holds what only some may read.
            SortBy::Field { field, column } if is_kept_back(*field) => {
                let column = entity.field(*field).columns.get(*column);
                let part = column.map(|column| column.part).filter(|part| !part.is_empty());
                let kind = column.map_or(ColumnKind::Int, |column| column.kind);
                let sql = expr::field(with.about(entity.ix), "t", *field, part);
                (collated(sql, kind, with.dialect), kind, true, None)
            }
            SortBy::Folded { field } if is_kept_back(*field) => {
                let sql = expr::folded(with.about(entity.ix), "t", *field);
                (collated(sql, ColumnKind::Text, with.dialect), ColumnKind::Text, true, None)
            }
            SortBy::Field { field, column } => own(*field, entity.field(*field).columns.get(*column).map(|column| column.name.as_str())),
            SortBy::Folded { field } => own(*field, entity.field(*field).fold_column.as_deref()),
            SortBy::Title { link, field } => {
                let alias = format!("s{}", sorting.keys.len() + 1);
                let (sql, kind) = title_column(with, entity, *link, *field, &alias, &mut sorting.joins);
                (sql, kind, true, None)
            }
            SortBy::Value(typed) => {
                let kind = type_kind(&typed.ty);
                (collated(expr::value(with.about(entity.ix), "t", typed), kind, with.dialect), kind, true, None)
            }
        };
        sorting.keys.push(SortSql { sql, kind, descending: key.descending, nullable, column });
    }
    sorting
}

/// Texts in the order of code points.
fn collated(sql: Sql, kind: ColumnKind, dialect: Dialect) -> Sql {
    if kind != ColumnKind::Text || dialect != Dialect::Postgres {
        return sql;
    }
    let mut ordered = Sql::new("(");
    ordered.append(sql).push(") COLLATE \"C\"");
    ordered
}

/// The title column of the record a link leads to.
fn title_column(with: ExprSql<'_>, entity: &Entity, link: FieldIx, field: FieldIx, alias: &str, joins: &mut Sql) -> (Sql, ColumnKind) {
    let (link_ix, link) = (link, entity.field(link));
    let (FieldType::Link { to, .. } | FieldType::User { to, .. }) = &link.ty else {
        return (Sql::new("NULL"), ColumnKind::Int);
    };
    let target = with.catalog.entity(*to);
    joins.push(" LEFT JOIN ").ident(&target.table).push(" AS ").ident(alias).push(" ON ").append(column_sql(alias, "id")).push(" = ");
    match link.columns.first() {
        Some(column) => joins.append(masked(with, "t", entity.ix, link_ix, column_sql("t", &column.name))),
        None => joins.push("NULL"),
    };
    for condition in visible(with, target, alias) {
        joins.push(" AND ").append(condition);
    }
    let (field_ix, field) = (field, target.field(field));
    // A person is looked up by family name, everything else by its first column.
    let column = field.columns.iter().find(|column| column.part == "family").or(field.columns.first());
    match column {
        Some(column) => (masked(with, alias, target.ix, field_ix, column_sql(alias, &column.name)), column.kind),
        None => (Sql::new("NULL"), ColumnKind::Int),
    }
}

/// `a DESC NULLS LAST, id DESC`. Where no null can be, or where the direction has them last by itself, nothing is said, so
/// that a plain index serves.
pub(super) fn order_by(keys: &[SortSql]) -> Sql {
    let mut sql = Sql::default();
    for (position, key) in keys.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.append(key.sql.clone());
        sql.push(if key.descending { " DESC" } else { " ASC" });
        if key.nullable {
            sql.push(" NULLS LAST");
        }
    }
    sql
}

fn kind_of(field: &Field, column: &str) -> ColumnKind {
    field.columns.iter().find(|known| known.name == column).map_or(ColumnKind::Text, |column| column.kind)
}

/// Columns that the engine always fills.
fn is_never_null(field: &Field) -> bool {
    field.is_system && matches!(field.name.as_str(), "id" | "version" | "created_at" | "updated_at")
}

/// An index (or the primary key) gives the rows of this filter in the order of the first key, so that the first page
/// need not look at all of them.
pub(super) fn is_delivered(entity: &Entity, filter: Option<&Typed>, keys: &[SortSql], is_live: bool) -> bool {
    let Some(first) = keys.first().and_then(|key| key.column.as_deref()) else { return false };
    if first == "id" {
        return true;
    }
    let mut equal = Vec::new();
    if let Some(filter) = filter {
        equal_columns(entity, filter, &mut equal);
    }
    // Indexes hold live records only, where there are others.
    if !is_live && entity.features.soft_delete {
        return false;
    }
    let plain = entity.indexes.iter().map(|index| index_columns(entity, &index.fields, false));
    let unique = entity.uniques.iter().filter(|unique| unique.filter.is_none()).map(|unique| index_columns(entity, &unique.fields, true));
    plain.chain(unique).any(|columns| columns.into_iter().find(|column| !equal.contains(column)) == Some(first))
}

/// The physical columns of an index; unique texts are indexed folded.
fn index_columns<'a>(entity: &'a Entity, fields: &[FieldIx], folded: bool) -> Vec<&'a str> {
    let column = |field: &FieldIx| {
        let field = entity.field(*field);
        let fold = field.fold_column.as_deref().filter(|_| folded);
        fold.or_else(|| field.columns.first().map(|column| column.name.as_str())).unwrap_or("")
    };
    fields.iter().map(column).collect()
}

/// Columns that a filter holds to one value.
fn equal_columns<'a>(entity: &'a Entity, filter: &Typed, found: &mut Vec<&'a str>) {
    match &filter.node {
        Node::And(parts) => parts.iter().for_each(|part| equal_columns(entity, part, found)),
        Node::Compare { op: CompareOp::Eq, left, right } => {
            for (side, other) in [(left, right), (right, left)] {
                let Node::Path(path) = &side.node else { continue };
                let is_own = path.root == Root::Record && path.hops.is_empty() && path.part.is_none();
                if is_own && matches!(other.node, Node::Literal(_) | Node::Me | Node::Today | Node::Now) {
                    found.extend(entity.field(path.field).columns.first().map(|column| column.name.as_str()));
                }
            }
        }
        _ => {}
    }
}
