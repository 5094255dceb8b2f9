//! Pages of records.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::Cell;
use crate::expr::EvalContext;
use crate::query::{COUNT_CAP, Count, Deleted, ListRequest, Paging};
use crate::schema::catalog::{Catalog, ColumnKind, Entity};
use crate::store::{Dialect, Sql, Statement};

use super::branches::{Branches, branches, ids_of_branches, of_branches};
use super::columns::{Columns, column_sql, deleted_column, id_column};
use super::constant::is_constant;
use super::cursor::{after, after_in_range};
use super::expr::{self, ExprSql};
use super::found::found;
use super::order::{SortSql, Sorting, is_delivered, order_by, sort_columns};
use super::other::Other;
use super::shape::{PartPlan, RowPlan};
use super::window::Window;

/// The statements of a list request.
#[derive(Debug)]
pub struct ListPlan {
    /// Gives up to `limit + 1` rows; the last one only tells that there are more.
    pub page: Statement,
    /// Gives one number, at most [`crate::query::COUNT_CAP`] + 1.
    pub count: Option<Statement>,
    pub rows: Arc<RowPlan>,
    pub limit: u32,
    /// In the order of ids, the highest one first. The statement may leave it to the reader to make sure of it.
    pub by_id: bool,
    /// Cells of the page's rows with the sort values, for the cursor.
    pub sort_cells: Vec<usize>,
    /// See [`ListRequest::digest`].
    pub digest: [u8; 8],
    /// False when the statement depends on the moment or the actor (`now()`, `me()`).
    pub is_constant: bool,
    /// Another way to the same page.
    pub other: Option<Other>,
    /// A nearer way to the first page.
    pub window: Option<Window>,
}

/// Compiles a list request.
pub fn list<T: AsRef<ListRequest>>(catalog: &Catalog, dialect: Dialect, request: &Authorised<T>, context: &EvalContext<'_>) -> ListPlan {
    let asked = request.request().as_ref();
    let with = ExprSql { catalog, dialect, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut conditions = conditions(with, entity, asked);
    let branches = branches(with, entity, asked);
    let rule = rule_of_list(with, entity);
    let way = branches.map_or(Way::Free, |branches| Way::Branches(branches, conditions.clone()));
    conditions.extend(rule);
    let count = (asked.count != Count::None).then(|| count(dialect, entity, &conditions));
    let (page, rows, sort_cells) = page(with, entity, asked, conditions, way);
    let is_constant = !request.rows().is_personal() && is_constant(catalog, asked);
    let (rows, by_id) = (Arc::new(rows), is_in_order(asked));
    ListPlan { page, count, rows, limit: asked.limit, by_id, sort_cells, digest: asked.digest, is_constant, other: None, window: None }
}

/// Whether the list is in the order of ids.
pub(super) fn is_in_order(asked: &ListRequest) -> bool {
    asked.sort.is_empty()
}

/// Every expansion has made its part.
pub(super) fn made(parts: Vec<Option<PartPlan>>) -> Vec<PartPlan> {
    parts.into_iter().flatten().collect()
}

/// All that a record must meet to be in the list, paging and the access rule apart.
pub(super) fn conditions(with: ExprSql<'_>, entity: &Entity, asked: &ListRequest) -> Vec<Sql> {
    let mut conditions = bin(entity, asked.deleted);
    conditions.extend(asked.filter.as_ref().map(|filter| expr::condition(with, "t", filter)));
    conditions.extend(found(with, entity, asked.search.as_deref()));
    conditions
}

/// In or out of the recycle bin.
pub(super) fn bin(entity: &Entity, deleted: Deleted) -> Vec<Sql> {
    let Some(column) = deleted_column(entity) else { return Vec::new() };
    let mut sql = column_sql("t", column);
    match deleted {
        Deleted::Live => sql.push(" IS NULL"),
        Deleted::Deleted => sql.push(" IS NOT NULL"),
        Deleted::All => return Vec::new(),
    };
    vec![sql]
}

/// The access rule of the entity.
pub(super) fn rule(with: ExprSql<'_>, entity: &Entity) -> Option<Sql> {
    with.rows.of(entity.ix).map(|rule| expr::condition(with.open().about(entity.ix), "t", rule))
}

/// The access rule of the entity, for many of its records.
pub(super) fn rule_of_list(with: ExprSql<'_>, entity: &Entity) -> Option<Sql> {
    with.rows.of(entity.ix).map(|rule| expr::rule_of_list(with.open().about(entity.ix), "t", rule))
}

pub(super) fn where_all(sql: &mut Sql, before: &'static str, conditions: impl IntoIterator<Item = Sql>) {
    for (position, condition) in conditions.into_iter().enumerate() {
        sql.push(if position == 0 { before } else { " AND " }).append(condition);
    }
}

fn count(dialect: Dialect, entity: &Entity, conditions: &[Sql]) -> Statement {
    let mut sql = Sql::new("SELECT count(*)\nFROM (SELECT 1 FROM ");
    sql.ident(&entity.table).push(" AS \"t\"");
    where_all(&mut sql, " WHERE ", conditions.iter().cloned());
    sql.push(" LIMIT ").number(i64::from(COUNT_CAP) + 1).push(") AS \"c\"");
    sql.statement(dialect, &[ColumnKind::Int])
}

/// How the access rule is met.
pub(super) enum Way {
    /// By a condition among others, if there is a rule.
    Free,
    /// Each part of the rule by itself; with the other conditions.
    Branches(Branches, Vec<Sql>),
    /// By a condition, records being read in the order of their ids (SQLite).
    InOrder,
    /// All records that it lets be read are looked up (SQLite).
    Few(Branches),
}

/// How the rows of a page are found.
enum Form {
    /// In one go: an index gives them in order.
    Flat,
    /// Likewise, among the records without a first sort value, which come last.
    Nulls,
    /// Ids first, everything else for those ids only.
    IdsFirst,
    /// Ids first, records with a first sort value and records without one each on their own, so that an index gives both.
    Segments,
    /// Ids first, the first ones of each owner on their own, so that an index gives them however many there are.
    Branches,
}

pub(super) fn page(
    with: ExprSql<'_>,
    entity: &Entity,
    asked: &ListRequest,
    mut conditions: Vec<Sql>,
    way: Way,
) -> (Statement, RowPlan, Vec<usize>) {
    let mut sort = sort_columns(with, entity, &asked.sort);
    let newest_first = sort.keys.is_empty() || sort.keys.last().is_some_and(|key| key.descending);
    sort.keys.push(SortSql::id(column_sql("t", id_column(entity)), newest_first));
    let cursor = match &asked.paging {
        Paging::After(cursor) => {
            let mut values = cursor.values.clone();
            values.push(Cell::Int(cursor.id));
            Some(values)
        }
        _ => None,
    };
    let is_live = asked.deleted == Deleted::Live;
    let delivered = is_delivered(entity, asked.filter.as_ref(), &sort.keys, is_live);
    let first = &sort.keys[0];
    // The database is told the way.
    let is_told = !matches!(way, Way::Free);
    let form = match &cursor {
        _ if matches!(way, Way::Branches(..)) => Form::Branches,
        _ if matches!(way, Way::Few(_)) => Form::IdsFirst,
        _ if !delivered => Form::IdsFirst,
        Some(values) if first.nullable && values[0].is_null() => Form::Nulls,
        Some(_) if first.nullable => Form::Segments,
        None if first.nullable && first.descending && with.dialect == Dialect::Postgres => Form::Segments,
        _ => Form::Flat,
    };
    match (&cursor, &form) {
        (Some(values), Form::Flat) => conditions.push(after_in_range(&sort.keys, values)),
        (Some(values), Form::Nulls | Form::IdsFirst) => conditions.push(after(&sort.keys, values)),
        _ => {}
    }
    let mut parts = Vec::new();
    let mut columns = Columns::new(with, &mut parts, None);
    let shape = columns.shape("t", &asked.select, None);
    let take = Take { rows: i64::from(asked.limit) + 1, skip: if let Paging::Offset(skip) = asked.paging { i64::from(skip) } else { 0 } };
    let (sql, sort_cells) = match form {
        Form::Flat | Form::Nulls => {
            let sort_cells = columns_with_sort(&mut columns, &sort);
            let order = if matches!(form, Form::Nulls) { &sort.keys[1..] } else { &sort.keys[..] };
            (flat(entity, &columns, &sort.joins, order, conditions, &take, matches!(way, Way::InOrder)), sort_cells)
        }
        Form::IdsFirst => {
            let ids = match &way {
                Way::Few(branches) => {
                    let seen = ids_of_branches(entity, branches, &bin(entity, asked.deleted));
                    ids_among(entity, &sort, seen, conditions, &take)
                }
                _ => ids(entity, &sort, conditions, &take),
            };
            by_ids(entity, ids, &mut columns, &sort.keys, false)
        }
        Form::Branches => {
            let (each, mut beside) = if let Way::Branches(each, beside) = way { (each, beside) } else { Default::default() };
            beside.extend(cursor.as_deref().map(|values| after_in_range(&sort.keys, values)));
            let ids = of_branches(with.dialect, entity, &sort, each, &beside, &take);
            match with.dialect {
                Dialect::Sqlite => (one_by_one(entity, ids, &columns), Vec::new()),
                Dialect::Postgres => by_ids(entity, ids, &mut columns, &sort.keys, false),
            }
        }
        Form::Segments => {
            let ids = segments(entity, &sort, conditions, cursor.as_deref(), &take);
            by_ids(entity, ids, &mut columns, &sort.keys, true)
        }
    };
    let kinds = columns.kinds();
    let statement = if is_told { sql.statement_planned_once(with.dialect, &kinds) } else { sql.statement(with.dialect, &kinds) };
    (statement, RowPlan { shape, parts: made(parts) }, sort_cells)
}

pub(super) struct Take {
    pub rows: i64,
    pub skip: i64,
}

impl Take {
    pub fn write(&self, sql: &mut Sql) {
        sql.push("LIMIT ").number(self.rows);
        if self.skip > 0 {
            // Bound, so that the pages share one text.
            sql.push(" OFFSET ").bind(ColumnKind::Int, Cell::Int(self.skip));
        }
    }
}

/// The cells of the sort values in the answer itself.
fn columns_with_sort(columns: &mut Columns<'_, '_>, sort: &Sorting) -> Vec<usize> {
    let (_, keys) = sort.keys.split_last().expect("the id is always there");
    let mut cells = Vec::new();
    for key in keys {
        let known =
            columns.found.iter().position(|(sql, _)| sql.binds().is_empty() && sql.text(Dialect::Sqlite) == key.sql.text(Dialect::Sqlite));
        cells.push(known.unwrap_or_else(|| columns.push(key.sql.clone(), key.kind)));
    }
    cells
}

fn flat(
    entity: &Entity,
    columns: &Columns<'_, '_>,
    sort_joins: &Sql,
    order: &[SortSql],
    conditions: Vec<Sql>,
    take: &Take,
    in_order: bool,
) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM ").ident(&entity.table).push(" AS \"t\"");
    // SQLite would gather all records of the owners of a rule by their index, and sort them.
    sql.push(if in_order { " NOT INDEXED" } else { "" });
    sql.append(columns.joins.clone()).append(sort_joins.clone());
    where_all(&mut sql, "\nWHERE ", conditions);
    sql.push("\nORDER BY ").append(order_by(order)).push("\n");
    take.write(&mut sql);
    sql
}

/// `SELECT id, s0, s1 … ORDER BY … LIMIT`.
pub(super) fn ids(entity: &Entity, sort: &Sorting, conditions: Vec<Sql>, take: &Take) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(sort_list(sort)).push("\n  FROM ").ident(&entity.table).push(" AS \"t\"").append(sort.joins.clone());
    where_all(&mut sql, "\n  WHERE ", conditions);
    sql.push("\n  ORDER BY ").append(order_by(&sort.keys)).push(" ");
    take.write(&mut sql);
    sql
}

/// Records with a value of the first key before those without, each found by an index.
fn segments(entity: &Entity, sort: &Sorting, conditions: Vec<Sql>, cursor: Option<&[Cell]>, take: &Take) -> Sql {
    let inner = Take { rows: take.rows + take.skip, skip: 0 };
    let first = &sort.keys[0];
    let mut valued = Sorting { keys: sort.keys.clone(), joins: sort.joins.clone() };
    valued.keys[0].nullable = false;
    let mut with_value = conditions.clone();
    let mut has_value = first.sql.clone();
    has_value.push(" IS NOT NULL");
    with_value.push(has_value);
    with_value.extend(cursor.map(|values| after_in_range(&valued.keys, values)));
    let mut without_value = conditions;
    let mut has_none = first.sql.clone();
    has_none.push(" IS NULL");
    without_value.push(has_none);

    let mut sql = Sql::new("SELECT * FROM (");
    segment(&mut sql, entity, &valued, 0, with_value, &valued.keys, &inner);
    sql.push(") AS \"v\"\n  UNION ALL\n  SELECT * FROM (");
    segment(&mut sql, entity, sort, 1, without_value, &sort.keys[1..], &inner);
    sql.push(") AS \"n\"\n  ORDER BY ").append(outer_order(None, &sort.keys, true)).push(" ");
    take.write(&mut sql);
    sql
}

fn segment(sql: &mut Sql, entity: &Entity, sort: &Sorting, number: i64, conditions: Vec<Sql>, order: &[SortSql], take: &Take) {
    sql.push("SELECT ").append(sort_list(sort)).push(", ").number(number).push(" AS \"seg\"\n    FROM ");
    sql.ident(&entity.table).push(" AS \"t\"").append(sort.joins.clone());
    where_all(sql, "\n    WHERE ", conditions);
    sql.push("\n    ORDER BY ").append(order_by(order)).push(" ");
    take.write(sql);
}

/// `t.id AS id, <key> AS s0, …`.
pub(super) fn sort_list(sort: &Sorting) -> Sql {
    let (id, keys) = sort.keys.split_last().expect("the id is always there");
    let mut sql = id.sql.clone();
    sql.push(" AS \"id\"");
    for (position, key) in keys.iter().enumerate() {
        sql.push(", ").append(key.sql.clone()).push(" AS ").ident(&format!("s{position}"));
    }
    sql
}

/// [`ids`] among a few that are known. (`CROSS JOIN` keeps SQLite to this order.)
fn ids_among(entity: &Entity, sort: &Sorting, known: Sql, conditions: Vec<Sql>, take: &Take) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(sort_list(sort)).push("\n  FROM (").append(known).push(") AS \"b\" CROSS JOIN ").ident(&entity.table);
    sql.push(" AS \"t\"").append(sort.joins.clone());
    let mut linked = column_sql("t", id_column(entity));
    linked.push(" = \"b\".\"id\"");
    where_all(&mut sql, "\n  WHERE ", std::iter::once(linked).chain(conditions));
    sql.push("\n  ORDER BY ").append(order_by(&sort.keys)).push(" ");
    take.write(&mut sql);
    sql
}

/// The order told by the columns of [`sort_list`].
pub(super) fn outer_order(alias: Option<&str>, keys: &[SortSql], segmented: bool) -> Sql {
    let name = |name: &str| match alias {
        Some(alias) => column_sql(alias, name),
        None => {
            let mut sql = Sql::default();
            sql.ident(name);
            sql
        }
    };
    let last = keys.len() - 1;
    let mut outer: Vec<SortSql> = keys.to_vec();
    for (position, key) in outer.iter_mut().enumerate() {
        key.sql = if position == last { name("id") } else { name(&format!("s{position}")) };
    }
    let mut sql = Sql::default();
    if segmented {
        sql.append(name("seg")).push(" ASC, ");
    }
    sql.append(order_by(&outer));
    sql
}

/// The rows for ids in the order of ids. SQLite reads them in it (`CROSS JOIN` keeps it to that), and would sort whole rows were it
/// told to; see [`ListPlan::by_id`].
pub(super) fn one_by_one(entity: &Entity, ids: Sql, columns: &Columns<'_, '_>) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM (").append(ids).push(") AS \"p\"\nCROSS JOIN ");
    sql.ident(&entity.table).push(" AS \"t\" ON ").append(column_sql("t", id_column(entity))).push(" = \"p\".\"id\"");
    sql.append(columns.joins.clone());
    sql
}

/// The rows for ids already in order.
fn by_ids(entity: &Entity, ids: Sql, columns: &mut Columns<'_, '_>, keys: &[SortSql], segmented: bool) -> (Sql, Vec<usize>) {
    let cells =
        keys[..keys.len() - 1].iter().enumerate().map(|(position, key)| columns.push(column_sql("p", &format!("s{position}")), key.kind));
    let sort_cells = cells.collect();
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM (").append(ids).push(") AS \"p\"\nJOIN ");
    sql.ident(&entity.table).push(" AS \"t\" ON ").append(column_sql("t", id_column(entity))).push(" = \"p\".\"id\"");
    sql.append(columns.joins.clone()).push("\nORDER BY ").append(outer_order(Some("p"), keys, segmented));
    (sql, sort_cells)
}
