//! Statements of a unit of work: load, insert, update, delete.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::access::{Authorised, RowRules, Write};
use crate::base::{Cell, DateTime, FieldIx, RecordId, Sealed, Value};
use crate::expr::{EvalContext, Zone};
use crate::query::{Item, Select};
use crate::schema::catalog::{Catalog, ColumnKind, Entity, Field, FieldType, Unique};
use crate::schema::field_type;
use crate::store::{Dialect, Sql, Statement};

use super::columns::{Columns, column_sql, deleted_column, id_column};
use super::expr::{self, ExprSql};
use super::select::made;
use super::shape::RowPlan;

/// The statements of one record's update.
#[derive(Debug)]
pub struct Update {
    /// Touches one row, or none when the version is not the expected one. `None` when only side tables change.
    pub row: Option<Statement>,
    /// Rewrites the side tables of the changed fields.
    pub sides: Vec<Statement>,
}

/// Texts of the updates of one entity, by the fields they write and whether they name a version: forms and programs send the
/// same few sets of fields again and again.
#[derive(Debug, Default)]
pub struct UpdateTexts(RwLock<HashMap<TextKey, Arc<str>>>);

/// The fields in order, and whether a version is named.
type TextKey = (Box<[FieldIx]>, bool);

impl UpdateTexts {
    /// Kept of an entity; what comes later is made each time.
    const MOST: usize = 64;

    fn get_or(&self, fields: Box<[FieldIx]>, names_version: bool, make: impl FnOnce() -> Arc<str>) -> Arc<str> {
        let key = (fields, names_version);
        if let Some(text) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return text.clone();
        }
        let text = make();
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < Self::MOST {
            kept.insert(key, text.clone());
        }
        text
    }
}

/// What others may not do with loaded records until the transaction ends (PostgreSQL; SQLite has one writer).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// They may do anything.
    None,
    /// Not change them, but link to them: a row that refers to this one holds a key share lock on it until it commits, and
    /// two units that each added a child and then compute its parent would wait for each other with more than that.
    Change,
    /// Not link to them either: they are going. Asked for from the start, because a lock that grows while others wait for
    /// the smaller one is a deadlock.
    Remove,
}

/// Loads records with all stored values, side tables and the ids of links included (formulas without a column are
/// not), in the order of their ids. Records in the recycle bin are loaded too. Run it with [`super::fetch_rows`].
pub fn load(catalog: &Catalog, dialect: Dialect, request: &Authorised<Write>, ids: &[RecordId], lock: Lock) -> (Statement, Arc<RowPlan>) {
    let entity = catalog.entity(request.request().entity);
    let mut condition = column_sql("t", id_column(entity));
    condition.push(" IN ").bind_list(ColumnKind::Int, ids.iter().map(|id| Cell::Int(id.0)));
    loading(catalog, dialect, request, condition, false, None, lock)
}

/// The ids (one column) of those of `ids` that are live records: whether a link leads somewhere.
pub fn live(catalog: &Catalog, dialect: Dialect, request: &Authorised<Write>, ids: &[RecordId]) -> Statement {
    let entity = catalog.entity(request.request().entity);
    let mut sql = Sql::new("SELECT ");
    sql.append(column_sql("t", id_column(entity))).push("\nFROM ").ident(&entity.table).push(" AS \"t\"\nWHERE ");
    sql.append(column_sql("t", id_column(entity))).push(" IN ").bind_list(ColumnKind::Int, ids.iter().map(|id| Cell::Int(id.0)));
    if let Some(column) = deleted_column(entity) {
        sql.push(" AND ").append(column_sql("t", column)).push(" IS NULL");
    }
    if let Some(rule) = request.rows().of(entity.ix) {
        let context = no_context();
        let with = ExprSql { catalog, dialect, entity: entity.ix, rows: request.rows(), context: &context };
        sql.push(" AND ").append(expr::condition(with, "t", rule));
    }
    if dialect == Dialect::Postgres {
        // What is about to be linked must not go before this unit ends.
        sql.push("\nFOR KEY SHARE OF \"t\"");
    }
    sql.statement(dialect, &[ColumnKind::Int])
}

/// Loads the live records whose link `field` points to one of `targets`, like [`load`], at most `limit`.
pub fn load_by(
    catalog: &Catalog,
    dialect: Dialect,
    request: &Authorised<Write>,
    field: FieldIx,
    targets: &[RecordId],
    limit: u32,
    lock: Lock,
) -> (Statement, Arc<RowPlan>) {
    let entity = catalog.entity(request.request().entity);
    let ids = || targets.iter().map(|id| Cell::Int(id.0));
    // An any_link has a column for each target; ids are unique in the workspace, so that any of them may match.
    let mut condition = Sql::new("(");
    for (position, column) in entity.field(field).columns.iter().enumerate() {
        if position > 0 {
            condition.push(" OR ");
        }
        condition.append(column_sql("t", &column.name)).push(" IN ").bind_list(ColumnKind::Int, ids());
    }
    condition.push(")");
    loading(catalog, dialect, request, condition, true, Some(limit), lock)
}

fn loading(
    catalog: &Catalog,
    dialect: Dialect,
    request: &Authorised<Write>,
    condition: Sql,
    only_live: bool,
    limit: Option<u32>,
    lock: Lock,
) -> (Statement, Arc<RowPlan>) {
    let context = no_context();
    let with = ExprSql { catalog, dialect, entity: request.request().entity, rows: request.rows(), context: &context };
    let entity = catalog.entity(request.request().entity);
    let mut parts = Vec::new();
    let mut columns = Columns::new(with, &mut parts, None).with_plain_files();
    let shape = columns.shape("t", &stored_select(entity), None);
    let mut sql = Sql::new("SELECT ");
    sql.append(columns.list()).push("\nFROM ").ident(&entity.table).push(" AS \"t\"\nWHERE ").append(condition);
    if let Some(column) = deleted_column(entity).filter(|_| only_live) {
        sql.push(" AND ").append(column_sql("t", column)).push(" IS NULL");
    }
    if let Some(rule) = with.rows.of(entity.ix) {
        sql.push(" AND ").append(expr::condition(with, "t", rule));
    }
    sql.push("\nORDER BY ").append(column_sql("t", id_column(entity)));
    if let Some(limit) = limit {
        sql.push(" LIMIT ").number(i64::from(limit));
    }
    if dialect == Dialect::Postgres {
        sql.push(match lock {
            Lock::None => "",
            Lock::Change => "\nFOR NO KEY UPDATE OF \"t\"",
            Lock::Remove => "\nFOR UPDATE OF \"t\"",
        });
    }
    let kinds = columns.kinds();
    (sql.statement(dialect, &kinds), Arc::new(RowPlan { shape, parts: made(parts) }))
}

/// Everything the table and the tables beside it hold.
fn stored_select(entity: &Entity) -> Select {
    let is_stored = |field: &&Field| !field.columns.is_empty() || field.side_table.is_some() || matches!(field.ty, FieldType::Links { .. });
    Select { entity: entity.ix, items: entity.fields.iter().filter(is_stored).map(|field| Item::Field(field.ix)).collect() }
}

/// Nothing a write compiles asks for the moment or the actor.
fn no_context() -> EvalContext<'static> {
    EvalContext { now: DateTime(0), zone: Zone::utc(), me: None, old: None }
}

/// The id (one column) of the live record with these values of a unique, texts folded. `values` stand in the order of
/// `unique.fields`; a null among them finds nothing.
pub fn by_unique(catalog: &Catalog, dialect: Dialect, request: &Authorised<Write>, unique: &Unique, values: &[Value]) -> Statement {
    let entity = catalog.entity(request.request().entity);
    let mut sql = Sql::new("SELECT ");
    sql.append(column_sql("t", id_column(entity))).push("\nFROM ").ident(&entity.table).push(" AS \"t\"\nWHERE ");
    match deleted_column(entity) {
        Some(column) => sql.append(column_sql("t", column)).push(" IS NULL"),
        None => sql.push("TRUE"),
    };
    for (field, value) in unique.fields.iter().zip(values) {
        for (column, kind, cell) in unique_cells(catalog, entity.field(*field), value) {
            sql.push(" AND ").append(column_sql("t", column)).push(" = ").bind(kind, cell);
        }
    }
    if let Some(filter) = &unique.filter {
        let rows = RowRules::default();
        let context = no_context();
        let with = ExprSql { catalog, dialect, entity: request.request().entity, rows: &rows, context: &context };
        sql.push(" AND ").append(expr::condition(with, "t", filter));
    }
    sql.statement(dialect, &[ColumnKind::Int])
}

/// The columns a unique compares: the folded one of a text, amount and currency, all targets of an any_link.
fn unique_cells<'a>(catalog: &Catalog, field: &'a Field, value: &Value) -> Vec<(&'a str, ColumnKind, Cell)> {
    if let Some(fold) = &field.fold_column {
        return vec![(fold, ColumnKind::Text, field_type::fold_cell(catalog, field, value))];
    }
    let mut cells = Vec::new();
    field_type::to_cells(catalog, field, value, &mut cells);
    let compared = field.columns.iter().zip(cells).filter(|(column, _)| !matches!(column.part, "base" | "seq"));
    compared.map(|(column, cell)| (column.name.as_str(), column.kind, cell)).collect()
}

/// Inserts a record: `values` by field position, system fields included. First the row, then its side tables. Every
/// column is named, so that all inserts of an entity share one text: it is kept in `text`, which belongs to that entity.
pub fn insert(
    catalog: &Catalog,
    dialect: Dialect,
    request: &Authorised<Write>,
    values: &[Value],
    text: &OnceLock<Arc<str>>,
) -> Vec<Statement> {
    let entity = catalog.entity(request.request().entity);
    let mut binds: Vec<(ColumnKind, Cell)> = Vec::with_capacity(entity.fields.len() + 8);
    let mut cells = Vec::new();
    for field in &entity.fields {
        let value = values.get(field.ix.0 as usize).unwrap_or(&Value::Null);
        stored_cells(catalog, field, value, &mut cells);
        binds.extend(field.columns.iter().zip(cells.drain(..)).map(|(column, cell)| (column.kind, cell)));
        if field.fold_column.is_some() {
            binds.push((ColumnKind::Text, field_type::fold_cell(catalog, field, value)));
        }
    }
    let sql = text.get_or_init(|| insert_text(entity, dialect)).clone();
    let mut statements = vec![Statement { sql, binds, columns: Arc::default() }];
    let id = values.get(super::columns::id_field(entity).0 as usize).and_then(id_of).unwrap_or(RecordId(0));
    for field in &entity.fields {
        let value = values.get(field.ix.0 as usize).unwrap_or(&Value::Null);
        statements.extend(side_rows(field, id, value).map(|sql| sql.statement(dialect, &[])));
    }
    statements
}

/// Columns in the order in which [`insert`] binds them.
fn insert_text(entity: &Entity, dialect: Dialect) -> Arc<str> {
    let mut sql = Sql::new("INSERT INTO ");
    sql.ident(&entity.table).push(" (");
    let mut slots = Sql::default();
    for field in &entity.fields {
        let columns = field.columns.iter().map(|column| (column.name.as_str(), column.kind));
        for (name, kind) in columns.chain(field.fold_column.as_deref().map(|fold| (fold, ColumnKind::Text))) {
            if !slots.is_empty() {
                sql.push(", ");
                slots.push(", ");
            }
            sql.ident(name);
            slots.bind(kind, Cell::Null);
        }
    }
    sql.push(")\nVALUES (").append(slots).push(")");
    sql.statement(dialect, &[]).sql
}

/// Writes the changed fields of a record (system fields such as `version` and `updated_at` are given among them).
/// Deleting to the recycle bin and restoring are updates of `deleted_at`.
pub fn update(
    catalog: &Catalog,
    dialect: Dialect,
    request: &Authorised<Write>,
    id: RecordId,
    expected_version: Option<i64>,
    changes: &[(FieldIx, Value)],
    texts: &UpdateTexts,
) -> Update {
    let entity = catalog.entity(request.request().entity);
    let mut cells = Vec::with_capacity(changes.len() + 4);
    let mut sides = Vec::new();
    for (field, value) in changes {
        let field = entity.field(*field);
        cells.extend(row_cells(catalog, field, value));
        if let Some(table) = &field.side_table {
            sides.push(clear_side(table, id).statement(dialect, &[]));
            sides.extend(side_rows(field, id, value).map(|sql| sql.statement(dialect, &[])));
        }
    }
    if cells.is_empty() {
        return Update { row: None, sides };
    }
    let version = entity.find_field("version").and_then(|field| field.columns.first());
    let expected = version.zip(expected_version);
    let fields = changes.iter().map(|(field, _)| *field).collect();
    let sql = texts.get_or(fields, expected.is_some(), || {
        let mut sql = Sql::new("UPDATE ");
        sql.ident(&entity.table);
        for (position, (column, kind, _)) in cells.iter().enumerate() {
            sql.push(if position == 0 { "\nSET " } else { ", " }).ident(column).push(" = ").bind(*kind, Cell::Null);
        }
        sql.push("\nWHERE ").ident(id_column(entity)).push(" = ").bind(ColumnKind::Int, Cell::Null);
        if let Some((column, _)) = expected {
            sql.push(" AND ").ident(&column.name).push(" = ").bind(ColumnKind::Int, Cell::Null);
        }
        sql.statement(dialect, &[]).sql
    });
    let mut binds: Vec<(ColumnKind, Cell)> = cells.into_iter().map(|(_, kind, cell)| (kind, cell)).collect();
    binds.push((ColumnKind::Int, Cell::Int(id.0)));
    binds.extend(expected.map(|(_, expected)| (ColumnKind::Int, Cell::Int(expected))));
    Update { row: Some(Statement { sql, binds, columns: Arc::default() }), sides }
}

/// Deletes a record for good, its side tables first.
pub fn delete(catalog: &Catalog, dialect: Dialect, request: &Authorised<Write>, id: RecordId) -> Vec<Statement> {
    let entity = catalog.entity(request.request().entity);
    let mut statements: Vec<Statement> = entity
        .fields
        .iter()
        .filter_map(|field| field.side_table.as_deref())
        .map(|table| clear_side(table, id).statement(dialect, &[]))
        .collect();
    let mut sql = Sql::new("DELETE FROM ");
    sql.ident(&entity.table).push(" WHERE ").ident(id_column(entity)).push(" = ").bind(ColumnKind::Int, Cell::Int(id.0));
    statements.push(sql.statement(dialect, &[]));
    statements
}

/// The cells of a value as they are written.
fn stored_cells(catalog: &Catalog, field: &Field, value: &Value, cells: &mut Vec<Cell>) {
    field_type::to_cells(catalog, field, value, cells);
    cells.resize(field.columns.len(), Cell::Null);
    // Whoever forgot to encrypt it: the plain text reaches no column.
    if field.encrypted && value.as_text().is_none_or(|text| Sealed::parse(text).is_none()) {
        cells.fill(Cell::Null);
    }
}

/// The columns of a field with their cells, the folded shadow last.
fn row_cells<'a>(catalog: &Catalog, field: &'a Field, value: &Value) -> Vec<(&'a str, ColumnKind, Cell)> {
    let mut cells = Vec::with_capacity(field.columns.len());
    stored_cells(catalog, field, value, &mut cells);
    let mut all: Vec<(&str, ColumnKind, Cell)> =
        field.columns.iter().zip(cells).map(|(column, cell)| (column.name.as_str(), column.kind, cell)).collect();
    if let Some(fold) = &field.fold_column {
        all.push((fold, ColumnKind::Text, field_type::fold_cell(catalog, field, value)));
    }
    all
}

fn clear_side(table: &str, id: RecordId) -> Sql {
    let mut sql = Sql::new("DELETE FROM ");
    sql.ident(table).push(" WHERE \"rec\" = ").bind(ColumnKind::Int, Cell::Int(id.0));
    sql
}

/// Inserts the items of a list value into the side table of its field; nothing for an empty list.
fn side_rows(field: &Field, id: RecordId, value: &Value) -> Option<Sql> {
    let table = field.side_table.as_deref()?;
    let Value::List(items) = value else { return None };
    let mut sql = Sql::new("INSERT INTO ");
    sql.ident(table).push(" (\"rec\", \"opt\", \"pos\")\nVALUES ");
    let mut position = 0;
    for item in items {
        let (kind, cell) = match (item, id_of(item)) {
            (Value::Text(text), _) => (ColumnKind::Text, Cell::Text(text.clone())),
            (_, Some(file)) => (ColumnKind::Int, Cell::Int(file.0)),
            _ => continue,
        };
        sql.push(if position == 0 { "(" } else { ", (" }).bind(ColumnKind::Int, Cell::Int(id.0)).push(", ");
        sql.bind(kind, cell).push(", ").number(position).push(")");
        position += 1;
    }
    (position > 0).then_some(sql)
}

/// The id a link, or a file as the API shows it, holds.
fn id_of(value: &Value) -> Option<RecordId> {
    match value {
        Value::Link(id) => Some(*id),
        Value::Map(parts) => parts.iter().find(|(name, _)| name == "id").and_then(|(_, id)| id.as_link()),
        _ => None,
    }
}
