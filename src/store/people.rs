//! Who belongs to whom: the teams of a person and the people below one, whatever the depth, in one statement each.

use crate::base::{Cell, RecordId};
use crate::schema::catalog::{Catalog, ColumnKind, Entity, FieldType};

use super::{Sql, Store, StoreError};

/// The teams a person is in or leads, and all teams below those.
pub async fn teams_of(store: &Store, catalog: &Catalog, user: RecordId) -> Result<Vec<RecordId>, StoreError> {
    let (Some(people), Some(teams)) = (catalog.find_entity("core.user"), catalog.find_entity("core.team")) else {
        return Ok(Vec::new());
    };
    let mut sql = own_teams(catalog, people, teams, user);
    if let Some(parent) = column(teams, "parent") {
        sql.push("\nUNION SELECT \"t\".\"id\" FROM ").ident(&teams.table).push(" AS \"t\" JOIN \"mine\" AS \"m\" ON \"t\".").ident(parent);
        sql.push(" = \"m\".\"id\" WHERE TRUE");
        live(&mut sql, teams, "t");
    }
    sql.push("\n) SELECT \"id\" FROM \"mine\" ORDER BY \"id\"");
    ids(store, sql).await
}

/// The live teams a person is in or leads, and all live teams above those.
pub async fn above_of(store: &Store, catalog: &Catalog, user: RecordId) -> Result<Vec<RecordId>, StoreError> {
    let (Some(people), Some(teams)) = (catalog.find_entity("core.user"), catalog.find_entity("core.team")) else {
        return Ok(Vec::new());
    };
    let mut sql = own_teams(catalog, people, teams, user);
    if let Some(parent) = column(teams, "parent") {
        sql.push("\nUNION SELECT \"t\".").ident(parent).push(" FROM ").ident(&teams.table).push(" AS \"t\" JOIN \"mine\" AS \"m\" ON ");
        sql.push("\"t\".\"id\" = \"m\".\"id\" WHERE \"t\".").ident(parent).push(" IS NOT NULL");
        live(&mut sql, teams, "t");
    }
    sql.push("\n) SELECT \"t\".\"id\" FROM \"mine\" AS \"m\" JOIN ")
        .ident(&teams.table)
        .push(" AS \"t\" ON \"t\".\"id\" = \"m\".\"id\" WHERE TRUE");
    live(&mut sql, teams, "t");
    sql.push(" ORDER BY \"t\".\"id\"");
    ids(store, sql).await
}

/// The beginning of a recursive `mine`: the teams a person is in or leads.
fn own_teams(catalog: &Catalog, people: &Entity, teams: &Entity, user: RecordId) -> Sql {
    let me = || Cell::Int(user.0);
    let mut sql = Sql::new("WITH RECURSIVE \"mine\"(\"id\") AS (\nSELECT \"t\".\"id\" FROM ");
    sql.ident(&teams.table).push(" AS \"t\" WHERE FALSE");
    if let Some(team) = column(people, "team") {
        sql.push("\nUNION SELECT \"u\".").ident(team).push(" FROM ").ident(&people.table).push(" AS \"u\" WHERE \"u\".\"id\" = ");
        sql.bind(ColumnKind::Int, me()).push(" AND \"u\".").ident(team).push(" IS NOT NULL");
    }
    for field in &people.fields {
        let FieldType::Links { to, through, near, far } = &field.ty else { continue };
        let between = catalog.entity(*through);
        let ends = [*near, *far].map(|end| between.field(end).columns.first().map(|column| column.name.as_str()));
        if let ([Some(near), Some(far)], true) = (ends, *to == teams.ix) {
            sql.push("\nUNION SELECT \"j\".").ident(far).push(" FROM ").ident(&between.table).push(" AS \"j\" WHERE \"j\".").ident(near);
            sql.push(" = ").bind(ColumnKind::Int, me());
        }
    }
    if let Some(lead) = column(teams, "lead") {
        sql.push("\nUNION SELECT \"t\".\"id\" FROM ").ident(&teams.table).push(" AS \"t\" WHERE \"t\".").ident(lead).push(" = ");
        sql.bind(ColumnKind::Int, me());
        live(&mut sql, teams, "t");
    }
    sql
}

/// More people than this are not named one by one in a rule.
const MOST_MEMBERS: usize = 500;

/// The people whose team is one of these, unless they are too many to be named one by one.
pub async fn members_of(store: &Store, catalog: &Catalog, teams: &[RecordId]) -> Result<Option<Vec<RecordId>>, StoreError> {
    let Some(people) = catalog.find_entity("core.user") else { return Ok(Some(Vec::new())) };
    let (Some(team), false) = (column(people, "team"), teams.is_empty()) else { return Ok(Some(Vec::new())) };
    let mut sql = Sql::new("SELECT \"u\".\"id\" FROM ");
    sql.ident(&people.table).push(" AS \"u\" WHERE \"u\".").ident(team).push(" IN ");
    sql.bind_list(ColumnKind::Int, teams.iter().map(|team| Cell::Int(team.0)));
    live(&mut sql, people, "u");
    sql.push(" ORDER BY \"u\".\"id\" LIMIT ").number(501);
    let found = ids(store, sql).await?;
    Ok((found.len() <= MOST_MEMBERS).then_some(found))
}

/// A person and everyone who reports to them, directly or over others.
pub async fn reports_of(store: &Store, catalog: &Catalog, user: RecordId) -> Result<Vec<RecordId>, StoreError> {
    let Some(people) = catalog.find_entity("core.user") else { return Ok(vec![user]) };
    let mut sql = Sql::new("WITH RECURSIVE \"mine\"(\"id\") AS (\nSELECT \"u\".\"id\" FROM ");
    sql.ident(&people.table).push(" AS \"u\" WHERE \"u\".\"id\" = ").bind(ColumnKind::Int, Cell::Int(user.0));
    if let Some(manager) = column(people, "manager") {
        sql.push("\nUNION SELECT \"u\".\"id\" FROM ")
            .ident(&people.table)
            .push(" AS \"u\" JOIN \"mine\" AS \"m\" ON \"u\".")
            .ident(manager);
        sql.push(" = \"m\".\"id\" WHERE TRUE");
        live(&mut sql, people, "u");
    }
    sql.push("\n) SELECT \"id\" FROM \"mine\" ORDER BY \"id\"");
    ids(store, sql).await
}

/// Active people who have a role.
pub async fn with_role(store: &Store, catalog: &Catalog, role: &str, most: u32) -> Result<Vec<RecordId>, StoreError> {
    let Some(people) = catalog.find_entity("core.user") else { return Ok(Vec::new()) };
    let mut sql = Sql::new("SELECT \"u\".\"id\" FROM ");
    sql.ident(&people.table).push(" AS \"u\" WHERE ");
    match (people.find_field("roles").and_then(|field| field.side_table.as_deref()), column(people, "role")) {
        (Some(side), _) => {
            sql.push("\"u\".\"id\" IN (SELECT \"rec\" FROM ").ident(side).push(" WHERE \"opt\" = ");
            sql.bind(ColumnKind::Text, Cell::from(role)).push(")");
        }
        (None, Some(one)) => {
            sql.push("\"u\".").ident(one).push(" = ").bind(ColumnKind::Text, Cell::from(role));
        }
        (None, None) => return Ok(Vec::new()),
    }
    if let Some(active) = column(people, "active") {
        sql.push(" AND (\"u\".").ident(active).push(" IS NULL OR \"u\".").ident(active).push(" = ");
        sql.bind(ColumnKind::Bool, Cell::Bool(true)).push(")");
    }
    live(&mut sql, people, "u");
    sql.push(" ORDER BY \"u\".\"id\" LIMIT ").number(i64::from(most));
    ids(store, sql).await
}

/// Active people who are in a team or lead it.
pub async fn in_team(store: &Store, catalog: &Catalog, team: RecordId, most: u32) -> Result<Vec<RecordId>, StoreError> {
    let (Some(people), Some(teams)) = (catalog.find_entity("core.user"), catalog.find_entity("core.team")) else {
        return Ok(Vec::new());
    };
    let it = || Cell::Int(team.0);
    let mut sql = Sql::new("SELECT \"u\".\"id\" FROM ");
    sql.ident(&people.table).push(" AS \"u\" WHERE (FALSE");
    if let Some(own) = column(people, "team") {
        sql.push(" OR \"u\".").ident(own).push(" = ").bind(ColumnKind::Int, it());
    }
    for field in &people.fields {
        let FieldType::Links { to, through, near, far } = &field.ty else { continue };
        let between = catalog.entity(*through);
        let ends = [*near, *far].map(|end| between.field(end).columns.first().map(|column| column.name.as_str()));
        if let ([Some(near), Some(far)], true) = (ends, *to == teams.ix) {
            sql.push(" OR \"u\".\"id\" IN (SELECT ").ident(near).push(" FROM ").ident(&between.table).push(" WHERE ").ident(far);
            sql.push(" = ").bind(ColumnKind::Int, it()).push(")");
        }
    }
    if let Some(lead) = column(teams, "lead") {
        sql.push(" OR \"u\".\"id\" IN (SELECT ").ident(lead).push(" FROM ").ident(&teams.table).push(" WHERE \"id\" = ");
        sql.bind(ColumnKind::Int, it()).push(")");
    }
    sql.push(")");
    if let Some(active) = column(people, "active") {
        sql.push(" AND (\"u\".").ident(active).push(" IS NULL OR \"u\".").ident(active).push(" = ");
        sql.bind(ColumnKind::Bool, Cell::Bool(true)).push(")");
    }
    live(&mut sql, people, "u");
    sql.push(" ORDER BY \"u\".\"id\" LIMIT ").number(i64::from(most));
    ids(store, sql).await
}

/// The roles in a person's record.
pub async fn roles_of(store: &Store, catalog: &Catalog, user: RecordId) -> Result<Vec<String>, StoreError> {
    let Some(people) = catalog.find_entity("core.user") else { return Ok(Vec::new()) };
    let mut sql = Sql::new("SELECT ");
    match (people.find_field("roles").and_then(|field| field.side_table.as_deref()), column(people, "role")) {
        (Some(side), _) => sql.push("\"opt\" FROM ").ident(side).push(" WHERE \"rec\" = "),
        (None, Some(one)) => sql.ident(one).push(" FROM ").ident(&people.table).push(" WHERE \"id\" = "),
        (None, None) => return Ok(Vec::new()),
    };
    sql.bind(ColumnKind::Int, Cell::Int(user.0));
    let rows = store.query(&sql.statement(store.dialect(), &[ColumnKind::Text])).await?;
    Ok(rows.cells.iter().filter_map(|cell| cell.as_text().map(str::to_owned)).collect())
}

async fn ids(store: &Store, sql: Sql) -> Result<Vec<RecordId>, StoreError> {
    let rows = store.query(&sql.statement(store.dialect(), &[ColumnKind::Int])).await?;
    Ok(rows.cells.iter().filter_map(|cell| cell.as_int().map(RecordId)).collect())
}

fn column<'e>(entity: &'e Entity, field: &str) -> Option<&'e str> {
    entity.find_field(field)?.columns.first().map(|column| column.name.as_str())
}

fn live(sql: &mut Sql, entity: &Entity, alias: &'static str) {
    if let Some(deleted) = column(entity, "deleted_at").filter(|_| entity.features.soft_delete) {
        sql.push(" AND ").ident(alias).push(".").ident(deleted).push(" IS NULL");
    }
}
