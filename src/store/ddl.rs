//! DDL of entities: create table, add nullable column, create and drop index, view. Nothing is ever renamed or retyped.
//!
//! Foreign keys are `NO ACTION`: what happens to the records that point to a deleted one is the engine's work, so that
//! rules, history and permissions see it. Texts carry no bound values, so a plan can show them as they are.

use sha2::{Digest, Sha256};

use super::compile::expr::{ExprSql, condition};
use super::files::hex;
use super::{Dialect, Sql};
use crate::access::RowRules;
use crate::base::{DateTime, EntityIx};
use crate::expr::{EvalContext, Typed, Zone};
use crate::schema::catalog::{Catalog, Column, ColumnKind, Entity, Field, FieldType, Index, Unique};

/// Tables of several new entities, which may point to one another: all tables, then links, uniques, indexes and views.
pub fn create_entities(dialect: Dialect, catalog: &Catalog, entities: &[&Entity]) -> Vec<Sql> {
    let mut list = Vec::new();
    for entity in entities {
        list.extend(create_entity(dialect, catalog, entity));
    }
    for entity in entities {
        let fields: Vec<&Field> = entity.fields.iter().collect();
        list.extend(create_links(dialect, catalog, entity, &fields));
        for unique in &entity.uniques {
            list.extend(create_unique(dialect, catalog, entity, unique));
        }
        for index in &entity.indexes {
            list.extend(create_index(dialect, entity, index));
        }
        list.extend(views(dialect, entity));
    }
    list
}

/// Table of an entity with its side tables. On PostgreSQL the foreign keys are made by [`create_links`], once all
/// tables are there; on SQLite they stand in the table and may point to a table that comes later.
pub fn create_entity(dialect: Dialect, catalog: &Catalog, entity: &Entity) -> Vec<Sql> {
    let mut sql = Sql::new("CREATE TABLE ");
    sql.ident(&entity.table).push(" (\n    ");
    let mut columns = Vec::new();
    for field in &entity.fields {
        for (position, column) in field.columns.iter().enumerate() {
            let mut definition = column_definition(dialect, catalog, field, position, column);
            definition.push(system_constraint(field));
            columns.push(definition);
        }
        columns.extend(fold_definition(dialect, field));
    }
    sql.join(",\n    ", columns);
    sql.push(if dialect == Dialect::Sqlite { "\n) STRICT" } else { "\n)" });
    let mut list = vec![sql];
    if entity.find_field("deleted_at").is_some() {
        // The recycle bin is small: its list must not read the live records.
        let mut sql = Sql::new("CREATE INDEX ");
        sql.ident(&index_name("ix", &entity.uid, "deleted_at")).push(" ON ").ident(&entity.table);
        sql.push(" (\"deleted_at\") WHERE \"deleted_at\" IS NOT NULL");
        list.push(sql);
    }
    for field in &entity.fields {
        list.extend(create_side_table(dialect, entity, field));
    }
    list
}

/// Columns and side tables of fields added to an existing table; [`create_links`] follows.
pub fn add_columns(dialect: Dialect, catalog: &Catalog, entity: &Entity, fields: &[&Field]) -> Vec<Sql> {
    let mut list = Vec::new();
    for field in fields {
        for (position, column) in field.columns.iter().enumerate() {
            list.push(add_definition(&entity.table, column_definition(dialect, catalog, field, position, column)));
        }
        list.extend(fold_definition(dialect, field).map(|definition| add_definition(&entity.table, definition)));
        list.extend(create_side_table(dialect, entity, field));
    }
    list
}

/// A single column that a changed type needs besides those it has; [`create_links`] follows when it is a link's.
pub fn add_column(dialect: Dialect, table: &str, column: &Column) -> Vec<Sql> {
    let mut sql = Sql::new("ALTER TABLE ");
    sql.ident(table).push(" ADD COLUMN ").ident(&column.name).push(" ").push(dialect.column_type(column.kind));
    vec![sql]
}

/// The folded shadow column of a text that had none.
pub fn add_fold(dialect: Dialect, table: &str, fold_column: &str) -> Vec<Sql> {
    add_column(dialect, table, &Column { name: fold_column.to_owned(), kind: ColumnKind::Text, part: "" })
}

/// Foreign keys (PostgreSQL) and the index of every link that has no declared one, for new fields of an entity. The tables they point to
/// must be there.
pub fn create_links(dialect: Dialect, catalog: &Catalog, entity: &Entity, fields: &[&Field]) -> Vec<Sql> {
    let mut list = Vec::new();
    for field in fields {
        for (position, column) in field.columns.iter().enumerate() {
            if let Some(target) = target_of(field, position) {
                list.extend(create_link(dialect, catalog, entity, field, column, target));
            }
        }
    }
    list
}

fn create_link(dialect: Dialect, catalog: &Catalog, entity: &Entity, field: &Field, column: &Column, target: EntityIx) -> Vec<Sql> {
    let mut list = Vec::new();
    if dialect == Dialect::Postgres {
        let mut sql = Sql::new("ALTER TABLE ");
        sql.ident(&entity.table).push(" ADD CONSTRAINT ").ident(&index_name("fk", &field.uid, &column.name));
        sql.push(" FOREIGN KEY (").ident(&column.name).push(") REFERENCES ").ident(&catalog.entity(target).table).push(" (\"id\")");
        list.push(sql);
    }
    let is_first = field.columns.first() == Some(column);
    if !(is_first && entity.indexes.iter().any(|index| is_link_index(entity, index) && index.fields[0] == field.ix)) {
        let mut sql = Sql::new("CREATE INDEX ");
        sql.ident(&index_name("ix", &field.uid, &column.name)).push(" ON ").ident(&entity.table);
        sql.push(" (").ident(&column.name).push(")");
        list.push(sql);
    }
    list
}

/// A declared index over one link and nothing else: it is the link's own.
fn is_link_index(entity: &Entity, index: &Index) -> bool {
    matches!(index.fields.as_slice(), [field] if target_of(entity.field(*field), 0).is_some())
}

/// A declared index, over live records where there are others, with the id as the last column for paging. The index of a
/// link covers deleted records too: the database looks there when the record it points to is purged.
pub fn create_index(dialect: Dialect, entity: &Entity, index: &Index) -> Vec<Sql> {
    let mut sql = Sql::new("CREATE INDEX ");
    sql.ident(&index.index).push(" ON ").ident(&entity.table).push(" (");
    // Of an encrypted field the blind index is what filters ask.
    let column = |field: &Field| {
        let blind = field.fold_column.clone().filter(|_| field.encrypted);
        blind.or_else(|| field.columns.first().map(|column| column.name.clone()))
    };
    let mut names: Vec<Sql> = index.fields.iter().filter_map(|field| column(entity.field(*field))).map(|name| ident(&name)).collect();
    let has_bin = entity.find_field("deleted_at").is_some();
    match dialect {
        Dialect::Postgres => names.push(ident("id")),
        // SQLite ends each entry with the row's number, which is the id. Whether a record is live is told without looking at it.
        Dialect::Sqlite if has_bin && is_link_index(entity, index) => names.push(ident("deleted_at")),
        Dialect::Sqlite => {}
    }
    sql.join(", ", names).push(")");
    if has_bin && !is_link_index(entity, index) {
        sql.push(" WHERE \"deleted_at\" IS NULL");
    }
    vec![sql]
}

/// A unique index over live records, texts folded. Its own filter, if any, narrows it.
pub fn create_unique(dialect: Dialect, catalog: &Catalog, entity: &Entity, unique: &Unique) -> Vec<Sql> {
    let mut sql = Sql::new("CREATE UNIQUE INDEX ");
    sql.ident(&unique.index).push(" ON ").ident(&entity.table).push(" (");
    let names = unique.fields.iter().flat_map(|field| unique_columns(entity.field(*field)));
    sql.join(", ", names.map(|name| ident(&name)));
    sql.push(")");
    let mut conditions = Vec::new();
    if entity.find_field("deleted_at").is_some() {
        conditions.push(Sql::new("\"deleted_at\" IS NULL"));
    }
    conditions.extend(unique.filter.as_ref().map(|filter| index_condition(dialect, catalog, entity, filter)));
    if !conditions.is_empty() {
        sql.push(" WHERE ").join(" AND ", conditions);
    }
    vec![sql]
}

/// A condition over the entity's own columns as an index has it: bare column names, literals for values.
fn index_condition(dialect: Dialect, catalog: &Catalog, entity: &Entity, filter: &Typed) -> Sql {
    const ALIAS: &str = "indexed_record";
    let zone = Zone::named(&catalog.settings.time_zone_name).unwrap_or_else(Zone::utc);
    let context = EvalContext { now: DateTime(0), zone, me: None, old: None };
    let with = ExprSql { catalog, dialect, entity: entity.ix, rows: &RowRules::default(), context: &context };
    condition(with, ALIAS, filter).with_literals().without_alias(ALIAS)
}

/// Drops an index by its physical name.
pub fn drop_index(_dialect: Dialect, index: &str) -> Vec<Sql> {
    let mut sql = Sql::new("DROP INDEX IF EXISTS ");
    sql.ident(index);
    vec![sql]
}

/// The view `v_<slug>` with the current names, live records only; replaces the former one. For reading with other tools.
pub fn views(dialect: Dialect, entity: &Entity) -> Vec<Sql> {
    let mut list = drop_view(dialect, &entity.slug);
    let mut sql = Sql::new("CREATE VIEW ");
    sql.ident(&view_name(&entity.slug)).push(" AS SELECT ");
    let mut columns = Vec::new();
    for field in &entity.fields {
        for (position, column) in field.columns.iter().enumerate() {
            let mut definition = ident(&column.name);
            definition.push(" AS ").ident(&view_column(field, position, column));
            columns.push(definition);
        }
    }
    sql.join(", ", columns);
    sql.push(" FROM ").ident(&entity.table);
    if entity.find_field("deleted_at").is_some() {
        sql.push(" WHERE \"deleted_at\" IS NULL");
    }
    list.push(sql);
    list
}

/// Drops a view that is no longer current (the entity was renamed or retired).
pub fn drop_view(_dialect: Dialect, slug: &str) -> Vec<Sql> {
    let mut sql = Sql::new("DROP VIEW IF EXISTS ");
    sql.ident(&view_name(slug));
    vec![sql]
}

fn view_name(slug: &str) -> String {
    format!("v_{slug}")
}

fn view_column(field: &Field, position: usize, column: &Column) -> String {
    match column.part {
        "" if position == 0 => field.name.clone(),
        "" => column.name.clone(),
        part => format!("{}_{part}", field.name),
    }
}

fn ident(name: &str) -> Sql {
    let mut sql = Sql::default();
    sql.ident(name);
    sql
}

fn add_definition(table: &str, definition: Sql) -> Sql {
    let mut sql = Sql::new("ALTER TABLE ");
    sql.ident(table).push(" ADD COLUMN ").append(definition);
    sql
}

fn column_definition(dialect: Dialect, catalog: &Catalog, field: &Field, position: usize, column: &Column) -> Sql {
    let mut sql = ident(&column.name);
    sql.push(" ").push(dialect.column_type(column.kind));
    if let (Dialect::Sqlite, Some(target)) = (dialect, target_of(field, position)) {
        sql.push(" REFERENCES ").ident(&catalog.entity(target).table).push(" (\"id\")");
    }
    sql
}

fn fold_definition(dialect: Dialect, field: &Field) -> Option<Sql> {
    let mut sql = ident(field.fold_column.as_deref()?);
    sql.push(" ").push(dialect.column_type(ColumnKind::Text));
    Some(sql)
}

/// `required` is the engine's rule; only what the engine itself writes is never null.
fn system_constraint(field: &Field) -> &'static str {
    match field.name.as_str() {
        "id" if field.is_system => " PRIMARY KEY",
        "version" if field.is_system => " NOT NULL DEFAULT 1",
        "created_at" | "updated_at" if field.is_system => " NOT NULL",
        _ => "",
    }
}

/// The entity that a link's column points to. Who created or changed a record is no foreign key: it may be a token of
/// a user who is gone, or nobody.
fn target_of(field: &Field, position: usize) -> Option<EntityIx> {
    if field.is_system && field.name != "owner" {
        return None;
    }
    match &field.ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } if position == 0 => Some(*to),
        FieldType::AnyLink { to, .. } => to.get(position).copied(),
        _ => None,
    }
}

/// `rec, opt, pos` of a field with several values. Rows go with their record.
fn create_side_table(dialect: Dialect, entity: &Entity, field: &Field) -> Vec<Sql> {
    let Some(table) = &field.side_table else { return Vec::new() };
    let is_file = matches!(field.ty, FieldType::File { .. } | FieldType::Image { .. });
    let number = dialect.column_type(ColumnKind::Int);
    let mut sql = Sql::new("CREATE TABLE ");
    sql.ident(table).push(" (\n    \"rec\" ").push(number).push(" NOT NULL REFERENCES ").ident(&entity.table);
    sql.push(" (\"id\") ON DELETE CASCADE,\n    \"opt\" ");
    match is_file {
        true => sql.push(number).push(" NOT NULL REFERENCES \"sys_file\" (\"id\")"),
        false => sql.push(dialect.column_type(ColumnKind::Text)).push(" NOT NULL"),
    };
    sql.push(",\n    \"pos\" ").push(number).push(" NOT NULL,\n    PRIMARY KEY (\"rec\", \"opt\")\n)");
    sql.push(if dialect == Dialect::Sqlite { " STRICT, WITHOUT ROWID" } else { "" });
    let mut index = Sql::new("CREATE INDEX ");
    index.ident(&index_name("ix", &field.uid, "opt")).push(" ON ").ident(table).push(" (\"opt\", \"rec\")");
    vec![sql, index]
}

/// The columns that make two values equal: folded text, amount and currency, all targets of an any_link.
fn unique_columns(field: &Field) -> Vec<String> {
    if let Some(fold) = &field.fold_column {
        return vec![fold.clone()];
    }
    field.columns.iter().filter(|column| !matches!(column.part, "base" | "seq")).map(|column| column.name.clone()).collect()
}

/// `ix_1a2b3c4d_account`: short, the same on every installation, and no longer than PostgreSQL's 63 bytes.
pub fn index_name(kind: &str, uid: &str, name: &str) -> String {
    let digest = hex(&Sha256::digest(uid.as_bytes()));
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
    format!("{kind}_{}_{name}", &digest[..8])
}
