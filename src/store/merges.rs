//! Which records were merged into which, and what was moved for it. Links are moved by a few statements for each field that
//! leads to the record, however many records have it.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};

/// Merges of one record that are listed.
const MOST: i64 = 200;
/// Where the shares of a record stand among what was moved.
pub const SHARES: &str = "shares";

/// One record merged into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    pub id: RecordId,
    pub entity_uid: String,
    pub survivor: RecordId,
    pub loser: RecordId,
    pub at: DateTime,
    /// User who merged them, 0 for the program itself.
    pub actor: i64,
    /// `{"<field uid>": [before, after]}` of the record that stayed.
    pub taken_json: String,
    pub undone_at: Option<DateTime>,
}

/// A link of the records of one table that is led elsewhere. The names are those of columns.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    pub field_uid: &'a str,
    pub table: &'a str,
    pub column: &'a str,
    pub version: Option<&'a str>,
    pub updated_at: Option<&'a str>,
    pub updated_by: Option<&'a str>,
}

pub async fn put(tx: &mut Tx, merge: &Merge) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_merge (id, entity, survivor, loser, at, actor, taken) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            int(merge.id.0),
            text(merge.entity_uid.as_str()),
            int(merge.survivor.0),
            int(merge.loser.0),
            at(merge.at),
            int(merge.actor),
            text(merge.taken_json.as_str()),
        ],
    ))
    .await?;
    Ok(())
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 8] = [INT, TEXT, INT, INT, AT, INT, TEXT, AT];

/// The merges into a record, newest first.
pub async fn list(store: &Store, survivor: RecordId) -> Result<Vec<Merge>, StoreError> {
    let sql = Sql::template(
        "SELECT id, entity, survivor, loser, at, actor, taken, undone_at FROM sys_merge WHERE survivor = ? ORDER BY id DESC LIMIT ?",
        [int(survivor.0), int(MOST)],
    );
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(merge).collect())
}

pub async fn find(tx: &mut Tx, id: RecordId) -> Result<Option<Merge>, StoreError> {
    let sql = Sql::template("SELECT id, entity, survivor, loser, at, actor, taken, undone_at FROM sys_merge WHERE id = ?", [int(id.0)]);
    Ok(tx.rows(sql, &COLUMNS).await?.iter().next().map(merge))
}

const INTO: &str = "SELECT survivor FROM sys_merge WHERE loser = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1";

/// The record that this one was merged into.
pub async fn into(store: &Store, loser: RecordId) -> Result<Option<RecordId>, StoreError> {
    Ok(store.rows(Sql::template(INTO, [int(loser.0)]), &[INT]).await?.one_int().map(RecordId))
}

/// [`into`] inside a unit of work.
pub async fn into_in(tx: &mut Tx, loser: RecordId) -> Result<Option<RecordId>, StoreError> {
    Ok(tx.rows(Sql::template(INTO, [int(loser.0)]), &[INT]).await?.one_int().map(RecordId))
}

pub async fn note_undone(tx: &mut Tx, id: RecordId) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_merge SET undone_at = ? WHERE id = ?", [at(now), int(id.0)])).await?;
    tx.run(Sql::template("DELETE FROM sys_merge_moved WHERE merge = ?", [int(id.0)])).await?;
    Ok(())
}

/// Takes values out of what is told of a record's merges.
pub async fn forget_values(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    let binds = [int(record.0), int(record.0)];
    tx.run(Sql::template("UPDATE sys_merge SET taken = '{}' WHERE survivor = ? OR loser = ?", binds)).await?;
    Ok(())
}

/// Notes whose links will be led from one record to another: all but `but`, and but those that `twin` says are there already
/// for the other one (rows between two records: the column of the far end). Gives their number.
pub async fn mark(
    tx: &mut Tx,
    merge: RecordId,
    link: Link<'_>,
    (from, to): (RecordId, RecordId),
    twin: Option<(&str, Option<&str>)>,
) -> Result<u64, StoreError> {
    let mut sql = Sql::new("INSERT INTO sys_merge_moved (merge, field, record) SELECT ");
    sql.bind(INT, Cell::Int(merge.0)).push(", ").bind(TEXT, Cell::from(link.field_uid)).push(", t.id FROM ").ident(link.table);
    sql.push(" AS t WHERE t.").ident(link.column).push(" = ").bind(INT, Cell::Int(from.0)).push(" AND t.id <> ").bind(INT, Cell::Int(to.0));
    if let Some((far, deleted)) = twin {
        sql.push(" AND NOT EXISTS (SELECT 1 FROM ").ident(link.table).push(" AS o WHERE o.").ident(link.column).push(" = ");
        sql.bind(INT, Cell::Int(to.0)).push(" AND o.").ident(far).push(" = t.").ident(far);
        if let Some(deleted) = deleted {
            sql.push(" AND o.").ident(deleted).push(" IS NULL");
        }
        sql.push(")");
    }
    tx.run(sql).await
}

/// Leads the marked links from one record to the other; those that lead elsewhere by now stay. Gives their number.
pub async fn lead(tx: &mut Tx, merge: RecordId, link: Link<'_>, (from, to): (RecordId, RecordId), by: i64) -> Result<u64, StoreError> {
    let now = tx.now();
    let mut sql = Sql::new("UPDATE ");
    sql.ident(link.table).push(" SET ").ident(link.column).push(" = ").bind(INT, Cell::Int(to.0));
    if let Some(version) = link.version {
        sql.push(", ").ident(version).push(" = ").ident(version).push(" + 1");
    }
    if let Some(updated_at) = link.updated_at {
        let (kind, cell) = at(now);
        sql.push(", ").ident(updated_at).push(" = ").bind(kind, cell);
    }
    if let Some(updated_by) = link.updated_by {
        sql.push(", ").ident(updated_by).push(" = ").bind(INT, if by == 0 { Cell::Null } else { Cell::Int(by) });
    }
    sql.push(" WHERE id IN (SELECT record FROM sys_merge_moved WHERE merge = ").bind(INT, Cell::Int(merge.0)).push(" AND field = ");
    sql.bind(TEXT, Cell::from(link.field_uid)).push(") AND ").ident(link.column).push(" = ").bind(INT, Cell::Int(from.0));
    tx.run(sql).await
}

/// Writes into the history of the records led to `to` what changed in them.
pub async fn trace(tx: &mut Tx, merge: RecordId, link: Link<'_>, to: RecordId, entry: &super::history::Entry) -> Result<(), StoreError> {
    let Some(version) = link.version else { return Ok(()) };
    let mut sql = Sql::new("INSERT INTO sys_history (record, version, entity, action, at, actor, actor_kind, changes) SELECT t.id, t.");
    sql.ident(version)
        .push(", ")
        .bind(TEXT, Cell::from(entry.entity_uid.as_str()))
        .push(", ")
        .bind(TEXT, Cell::from(entry.action.as_str()));
    let (kind, cell) = at(entry.at);
    sql.push(", ").bind(kind, cell).push(", ").bind(INT, Cell::Int(entry.actor));
    sql.push(", ").bind(TEXT, Cell::from(entry.actor_kind.as_str())).push(", ").bind(TEXT, Cell::from(entry.changes_json.as_str()));
    sql.push(" FROM ").ident(link.table).push(" AS t WHERE ").append(led(merge, link, to));
    tx.run(sql).await?;
    Ok(())
}

/// The records that were led to `to`, with their versions.
pub async fn moved(tx: &mut Tx, merge: RecordId, link: Link<'_>, to: RecordId) -> Result<Vec<(RecordId, i64)>, StoreError> {
    let mut sql = Sql::new("SELECT t.id, ");
    match link.version {
        Some(version) => sql.push("t.").ident(version),
        None => sql.push("1"),
    };
    sql.push(" FROM ").ident(link.table).push(" AS t WHERE ").append(led(merge, link, to)).push(" ORDER BY t.id");
    let rows = tx.rows(sql, &[INT, INT]).await?;
    Ok(rows.iter().map(|row| (RecordId(read::int(row, 0)), read::int(row, 1))).collect())
}

fn led(merge: RecordId, link: Link<'_>, to: RecordId) -> Sql {
    let mut sql = Sql::new("t.id IN (SELECT record FROM sys_merge_moved WHERE merge = ");
    sql.bind(INT, Cell::Int(merge.0)).push(" AND field = ").bind(TEXT, Cell::from(link.field_uid)).push(") AND t.").ident(link.column);
    sql.push(" = ").bind(INT, Cell::Int(to.0));
    sql
}

/// How many of the marked records one of these approvals is being decided about.
pub async fn decided_on(tx: &mut Tx, merge: RecordId, field_uid: &str, approvals: &[&str]) -> Result<i64, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM sys_approval WHERE state = 'running' AND approval IN ");
    sql.bind_list(TEXT, approvals.iter().map(|id| Cell::from(*id)));
    sql.push(" AND record IN (SELECT record FROM sys_merge_moved WHERE merge = ").bind(INT, Cell::Int(merge.0));
    sql.push(" AND field = ").bind(TEXT, Cell::from(field_uid)).push(")");
    Ok(tx.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// How many links of a merge were marked in all.
pub async fn count(tx: &mut Tx, merge: RecordId) -> Result<u64, StoreError> {
    let sql = Sql::template("SELECT count(*) FROM sys_merge_moved WHERE merge = ? AND field <> ?", [int(merge.0), text(SHARES)]);
    Ok(tx.rows(sql, &[INT]).await?.one_int().and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// The records one of whose columns holds one of these ids, deleted ones too: whose values may read them.
pub async fn holding(tx: &mut Tx, table: &str, column: &str, ids: &[RecordId]) -> Result<Vec<RecordId>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut sql = Sql::new("SELECT id FROM ");
    sql.ident(table).push(" WHERE ").ident(column).push(" IN ").bind_long_list(tx.dialect(), &ids);
    Ok(tx.rows(sql, &[INT]).await?.iter().map(|row| RecordId(read::int(row, 0))).collect())
}

/// What one column of these records holds, each once.
pub async fn held(tx: &mut Tx, table: &str, column: &str, ids: &[RecordId]) -> Result<Vec<RecordId>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut sql = Sql::new("SELECT DISTINCT ");
    sql.ident(column).push(" FROM ").ident(table).push(" WHERE ").ident(column).push(" IS NOT NULL AND id IN ");
    sql.bind_long_list(tx.dialect(), &ids);
    Ok(tx.rows(sql, &[INT]).await?.iter().map(|row| RecordId(read::int(row, 0))).collect())
}

/// Gives the shares of one record to another, but those with somebody who has one there.
pub async fn lead_shares(tx: &mut Tx, merge: RecordId, entity_uid: &str, (from, to): (RecordId, RecordId)) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO sys_merge_moved (merge, field, record) SELECT ");
    sql.bind(INT, Cell::Int(merge.0)).push(", ").bind(TEXT, Cell::from(SHARES));
    sql.push(", s.id FROM sys_share AS s WHERE s.entity = ").bind(TEXT, Cell::from(entity_uid)).push(" AND s.record = ");
    sql.bind(INT, Cell::Int(from.0)).push(" AND s.holder NOT IN (SELECT holder FROM sys_share WHERE entity = ");
    sql.bind(TEXT, Cell::from(entity_uid)).push(" AND record = ").bind(INT, Cell::Int(to.0)).push(")");
    tx.run(sql).await?;
    lead_shares_back(tx, merge, (from, to)).await
}

/// Gives the shares that were marked from one record to another.
pub async fn lead_shares_back(tx: &mut Tx, merge: RecordId, (from, to): (RecordId, RecordId)) -> Result<(), StoreError> {
    let binds = [int(to.0), int(from.0), int(merge.0), text(SHARES)];
    tx.run(Sql::template(
        "UPDATE sys_share SET record = ? WHERE record = ? AND id IN (SELECT record FROM sys_merge_moved WHERE merge = ? AND field = ?)",
        binds,
    ))
    .await?;
    Ok(())
}

fn merge(row: &[Cell]) -> Merge {
    Merge {
        id: RecordId(read::int(row, 0)),
        entity_uid: read::text(row, 1),
        survivor: RecordId(read::int(row, 2)),
        loser: RecordId(read::int(row, 3)),
        at: read::at(row, 4),
        actor: read::int(row, 5),
        taken_json: read::text(row, 6),
        undone_at: read::opt_at(row, 7),
    }
}
