//! Pages and single records.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::{Cell, RecordId};
use crate::expr::{EvalContext, Node, Path, Root, Typed, needs};
use crate::query::{COUNT_CAP, Count, Deleted, GetRequest, Item, ListRequest, Paging, Select, SortBy, SortKey};
use crate::schema::catalog::{Catalog, ColumnKind, Entity, FieldType};
use crate::store::{Dialect, Sql, Statement};

use super::columns::{Columns, column_sql, deleted_column, id_column};
use super::cursor::{after, after_in_range};
use super::expr::{self, ExprSql};
use super::found::found;
use super::order::{SortSql, Sorting, is_delivered, order_by, sort_columns};
use super::shape::{PartPlan, RowPlan};

/// The statements of a list request.
#[derive(Debug)]
pub struct ListPlan {
    /// Gives up to `limit + 1` rows; the last one only tells that there are more.
    pub page: Statement,
    /// Gives one number, at most [`crate::query::COUNT_CAP`] + 1.
    pub count: Option<Statement>,
    pub rows: Arc<RowPlan>,
    pub limit: u32,
    /// Cells of the page's rows with the sort values, for the cursor.
    pub sort_cells: Vec<usize>,
    /// See [`ListRequest::digest`].
    pub digest: [u8; 8],
    /// False when the statement depends on the moment or the actor (`now()`, `me()`).
    pub is_constant: bool,
}

/// The statement of a single record, to be run with any id.
#[derive(Debug)]
pub struct GetPlan {
    statement: Statement,
    /// Position of the id among the bound values.
    id_bind: usize,
    pub rows: Arc<RowPlan>,
    pub is_constant: bool,
}

impl GetPlan {
    /// The statement for one record.
    pub fn statement(&self, id: RecordId) -> Statement {
        let mut statement = self.statement.clone();
        if let Some((_, cell)) = statement.binds.get_mut(self.id_bind) {
            *cell = Cell::Int(id.0);
        }
        statement
    }
}

/// Compiles a list request.
pub fn list<T: AsRef<ListRequest>>(catalog: &Catalog, dialect: Dialect, request: &Authorised<T>, context: &EvalContext<'_>) -> ListPlan {
    let asked = request.request().as_ref();
    let with = ExprSql { catalog, dialect, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut conditions = conditions(with, entity, asked);
    let branches = branches(with, entity, asked);
    let rule = rule_of_list(with, entity);
    let beside_rule = branches.as_ref().map(|_| conditions.clone());
    conditions.extend(rule);
    let count = (asked.count != Count::None).then(|| count(dialect, entity, &conditions));
    let (page, rows, sort_cells) = page(with, entity, asked, conditions, branches.zip(beside_rule));
    let is_constant = !request.rows().is_personal() && is_constant(catalog, asked);
    ListPlan { page, count, rows: Arc::new(rows), limit: asked.limit, sort_cells, digest: asked.digest, is_constant }
}

/// Compiles a request for one record.
pub fn get(catalog: &Catalog, dialect: Dialect, request: &Authorised<GetRequest>, context: &EvalContext<'_>) -> GetPlan {
    let asked = request.request();
    let with = ExprSql { catalog, dialect, entity: asked.entity, rows: request.rows(), context };
    let entity = catalog.entity(asked.entity);
    let mut parts = Vec::new();
    let mut columns = Columns::new(with, &mut parts, None);
    let shape = columns.shape("t", &asked.select, None);
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM ").ident(&entity.table).push(" AS \"t\"").append(columns.joins.clone());
    sql.push("\nWHERE ").append(column_sql("t", id_column(entity))).push(" = ");
    let id_bind = sql.bound();
    sql.bind(ColumnKind::Int, Cell::Int(asked.id.0));
    for condition in bin(entity, asked.deleted).into_iter().chain(rule(with, entity)) {
        sql.push(" AND ").append(condition);
    }
    let kinds = columns.kinds();
    let rows = Arc::new(RowPlan { shape, parts: made(parts) });
    let is_constant = !request.rows().is_personal() && is_constant_select(catalog, &asked.select);
    GetPlan { statement: sql.statement(dialect, &kinds), id_bind, rows, is_constant }
}

/// Every expansion has made its part.
pub(super) fn made(parts: Vec<Option<PartPlan>>) -> Vec<PartPlan> {
    parts.into_iter().flatten().collect()
}

/// All that a record must meet to be in the list, paging and the access rule apart.
fn conditions(with: ExprSql<'_>, entity: &Entity, asked: &ListRequest) -> Vec<Sql> {
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

fn page(
    with: ExprSql<'_>,
    entity: &Entity,
    asked: &ListRequest,
    mut conditions: Vec<Sql>,
    branches: Option<(Branches, Vec<Sql>)>,
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
    let form = match &cursor {
        _ if branches.is_some() => Form::Branches,
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
            (flat(entity, &columns, &sort.joins, order, conditions, &take), sort_cells)
        }
        Form::IdsFirst => {
            let ids = ids(entity, &sort, conditions, &take);
            by_ids(entity, ids, &mut columns, &sort.keys, false)
        }
        Form::Branches => {
            let (each, mut beside) = branches.unwrap_or_default();
            beside.extend(cursor.as_deref().map(|values| after_in_range(&sort.keys, values)));
            let ids = of_branches(entity, &sort, each, &beside, &take);
            by_ids(entity, ids, &mut columns, &sort.keys, false)
        }
        Form::Segments => {
            let ids = segments(entity, &sort, conditions, cursor.as_deref(), &take);
            by_ids(entity, ids, &mut columns, &sort.keys, true)
        }
    };
    let kinds = columns.kinds();
    let statement = sql.statement(with.dialect, &kinds);
    (statement, RowPlan { shape, parts: made(parts) }, sort_cells)
}

struct Take {
    rows: i64,
    skip: i64,
}

impl Take {
    fn write(&self, sql: &mut Sql) {
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

fn flat(entity: &Entity, columns: &Columns<'_, '_>, sort_joins: &Sql, order: &[SortSql], conditions: Vec<Sql>, take: &Take) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM ").ident(&entity.table).push(" AS \"t\"");
    sql.append(columns.joins.clone()).append(sort_joins.clone());
    where_all(&mut sql, "\nWHERE ", conditions);
    sql.push("\nORDER BY ").append(order_by(order)).push("\n");
    take.write(&mut sql);
    sql
}

/// `SELECT id, s0, s1 … ORDER BY … LIMIT`.
fn ids(entity: &Entity, sort: &Sorting, conditions: Vec<Sql>, take: &Take) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.append(sort_list(sort)).push("\n  FROM ").ident(&entity.table).push(" AS \"t\"").append(sort.joins.clone());
    where_all(&mut sql, "\n  WHERE ", conditions);
    sql.push("\n  ORDER BY ").append(order_by(&sort.keys)).push(" ");
    take.write(&mut sql);
    sql
}

/// Owners a rule may name so that each is looked up by itself.
const MOST_BRANCHES: usize = 64;

/// What a rule lets somebody read, in parts that an index answers each.
#[derive(Default)]
struct Branches {
    /// No record is in two of them.
    apart: Vec<Sql>,
    /// Sets of ids, which may have records that others have too.
    sets: Vec<Sql>,
    /// Shares, each with somebody else, under `x`; likewise.
    shares: Vec<Sql>,
}

/// Where the access rule says no more than `owner in (…)`, what was shared and other sets of ids (records with a row of somebody),
/// and the list is in the order of ids: the condition of each owner, of each it was shared with, and of each set. An index of the
/// link then gives the first records of each in order, whether there are few of them or nearly all.
fn branches(with: ExprSql<'_>, entity: &Entity, asked: &ListRequest) -> Option<Branches> {
    if !asked.sort.is_empty() || asked.deleted != Deleted::Live || asked.search.is_some() {
        return None;
    }
    let rule = with.rows.of(entity.ix)?;
    let parts = match &rule.node {
        Node::Or(parts) => &parts[..],
        _ => std::slice::from_ref(rule),
    };
    let mut found = Branches::default();
    for part in parts {
        if let Some(shares) = expr::shares_of_each(with.open().about(entity.ix), "t", part) {
            found.shares.extend(shares);
            continue;
        }
        match expr::in_set(with.open().about(entity.ix), "t", part) {
            Some(set) => found.sets.push(set),
            None if found.apart.is_empty() => found.apart = owners(with, entity, part)?,
            None => return None,
        }
    }
    let has_any = !(found.apart.is_empty() && found.sets.is_empty() && found.shares.is_empty());
    has_any.then_some(found)
}

/// `owner in (…)` as a condition for each owner.
fn owners(with: ExprSql<'_>, entity: &Entity, part: &Typed) -> Option<Vec<Sql>> {
    let Node::In { item, list } = &part.node else { return None };
    let Node::Path(Path { root: Root::Record, hops, field, part: None }) = &item.node else { return None };
    let is_indexed = entity.indexes.iter().any(|index| index.fields.first() == Some(field));
    if !hops.is_empty() || !is_indexed || list.len() > MOST_BRANCHES || entity.field(*field).columns.len() != 1 {
        return None;
    }
    let column = entity.field(*field).columns.first()?;
    let mut cells: Vec<i64> =
        list.iter().filter_map(|element| crate::expr::eval::constant(element, with.context).as_link()).map(|id| id.0).collect();
    cells.sort_unstable();
    cells.dedup();
    if cells.is_empty() {
        return None;
    }
    let each = cells.into_iter().map(|id| {
        let mut sql = column_sql("t", &column.name);
        sql.push(" = ").bind(ColumnKind::Int, Cell::Int(id));
        sql
    });
    Some(each.collect())
}

/// The first ids of all branches together.
fn of_branches(entity: &Entity, sort: &Sorting, branches: Branches, beside: &[Sql], take: &Take) -> Sql {
    let inner = Take { rows: take.rows + take.skip, skip: 0 };
    let mut sql = Sql::new("SELECT \"id\" FROM (");
    let of_table = |branch: Sql| ids(entity, sort, std::iter::once(branch).chain(beside.iter().cloned()).collect(), &inner);
    let apart = branches.apart.into_iter().map(|branch| ("\n  UNION ALL SELECT * FROM (", of_table(branch)));
    // Without `ALL` the answer holds each id once, whatever stands before.
    let sets = branches.sets.into_iter().map(|branch| ("\n  UNION SELECT * FROM (", of_table(branch)));
    let shares = branches.shares.into_iter().map(|branch| ("\n  UNION SELECT * FROM (", shared_ids(entity, sort, branch, beside, &inner)));
    for (position, (joined, branch)) in apart.chain(sets).chain(shares).enumerate() {
        sql.push(if position == 0 { "SELECT * FROM (" } else { joined });
        sql.append(branch).push(") AS \"b\"");
    }
    sql.push(") AS \"u\"\n  ORDER BY ").append(outer_order(None, &sort.keys, false)).push(" ");
    take.write(&mut sql);
    sql
}

/// The first ids of what was shared with one: the shares are read in the order of their records, and each record is looked at
/// for itself, so that it ends where enough are found. (`CROSS JOIN` keeps SQLite to this order.)
fn shared_ids(entity: &Entity, sort: &Sorting, shares: Sql, beside: &[Sql], take: &Take) -> Sql {
    let record = || column_sql("x", "record");
    let mut linked = column_sql("t", id_column(entity));
    linked.push(" = ").append(record());
    let newest_first = sort.keys.last().is_some_and(|key| key.descending);
    let mut sql = Sql::new("SELECT ");
    sql.append(sort_list(sort)).push("\n  FROM \"sys_share\" AS \"x\" CROSS JOIN ").ident(&entity.table).push(" AS \"t\"");
    where_all(&mut sql, "\n  WHERE ", [linked, shares].into_iter().chain(beside.iter().cloned()));
    sql.push("\n  ORDER BY ").append(order_by(&[SortSql::id(record(), newest_first)])).push(" ");
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
fn sort_list(sort: &Sorting) -> Sql {
    let (id, keys) = sort.keys.split_last().expect("the id is always there");
    let mut sql = id.sql.clone();
    sql.push(" AS \"id\"");
    for (position, key) in keys.iter().enumerate() {
        sql.push(", ").append(key.sql.clone()).push(" AS ").ident(&format!("s{position}"));
    }
    sql
}

/// The order told by the columns of [`sort_list`].
fn outer_order(alias: Option<&str>, keys: &[SortSql], segmented: bool) -> Sql {
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

fn is_constant(catalog: &Catalog, asked: &ListRequest) -> bool {
    asked.filter.as_ref().is_none_or(is_constant_expression) && are_constant(&asked.sort) && is_constant_select(catalog, &asked.select)
}

fn are_constant(sort: &[SortKey]) -> bool {
    sort.iter().all(|key| match &key.by {
        SortBy::Value(typed) => is_constant_expression(typed),
        _ => true,
    })
}

/// Neither the moment nor the actor nor a zone has a part in it.
pub(super) fn is_constant_expression(typed: &Typed) -> bool {
    fn constant(needs: &crate::expr::Needs) -> bool {
        let own = !(needs.uses_now || needs.uses_me || needs.uses_zone);
        own && needs.children.iter().all(|child| constant(&child.needs))
    }
    constant(&needs(typed))
}

/// A virtual field reads the moment or the actor, or may do so through another one: its statement is not kept.
fn is_constant_select(catalog: &Catalog, select: &Select) -> bool {
    let entity = catalog.entity(select.entity);
    select.items.iter().all(|item| match item {
        Item::Field(field) => is_constant_field(entity, *field),
        Item::Title => entity.title.parts.iter().all(|part| match part {
            crate::schema::catalog::TitlePart::Field(field) => is_constant_field(entity, *field),
            crate::schema::catalog::TitlePart::Text(_) => true,
        }),
        Item::Own(_) => true,
        Item::Expand(expand) => {
            expand.filter.as_ref().is_none_or(is_constant_expression)
                && are_constant(&expand.sort)
                && expand.targets.iter().all(|target| is_constant_select(catalog, target))
        }
    })
}

fn is_constant_field(entity: &Entity, field: crate::base::FieldIx) -> bool {
    match &entity.field(field).ty {
        FieldType::Formula { expr, stored: false, .. } => is_constant_expression(expr),
        FieldType::Rollup { aggregate, stored: false, .. } => is_constant_expression(aggregate),
        _ => true,
    }
}
