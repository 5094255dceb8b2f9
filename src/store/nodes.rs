//! Node numbers (10 bits of every id), leased so that no two processes mint with the same one.

use std::time::Duration;

use super::read::{self, AT, INT, TEXT};
use super::sql::{int, text};
use super::{Dialect, Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// A process that holds a node number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub node: u16,
    pub holder: String,
    /// Version of the definitions it serves.
    pub catalog_version: i64,
    pub started_at: DateTime,
    pub leased_until: DateTime,
}

/// Takes the smallest number that is free or whose lease is over. Leases are counted by the database's clock on
/// PostgreSQL, because the clocks of processes differ; the embedded database has one process, whose number is 0.
///
/// # Errors
/// [`StoreError::NoFreeNode`] when all 1,024 are held.
pub async fn lease(tx: &mut Tx, holder: &str, lease: Duration) -> Result<u16, StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        tx.run(Sql::new("DELETE FROM sys_node")).await?;
    }
    let mut sql = Sql::new("SELECT node FROM sys_node WHERE leased_until > ");
    sql.append(moment(tx, Duration::ZERO));
    sql.push(" ORDER BY node");
    let rows = tx.rows(sql, &[INT]).await?;
    let held: Vec<i64> = rows.iter().map(|row| read::int(row, 0)).collect();
    for node in (0..1024_u16).filter(|node| !held.contains(&i64::from(*node))) {
        let mut sql = Sql::template(
            "INSERT INTO sys_node (node, holder, catalog_version, started_at, leased_until) VALUES (?, ?, 0, ",
            [int(i64::from(node)), text(holder)],
        );
        sql.append(moment(tx, Duration::ZERO)).push(", ").append(moment(tx, lease));
        sql.push(
            ") ON CONFLICT (node) DO UPDATE SET holder = excluded.holder, catalog_version = 0, started_at = excluded.started_at, \
             leased_until = excluded.leased_until WHERE sys_node.leased_until <= ",
        );
        sql.append(moment(tx, Duration::ZERO));
        if tx.run(sql).await? == 1 {
            return Ok(node);
        }
    }
    Err(StoreError::NoFreeNode)
}

/// Prolongs a lease and tells which definitions the process serves. `false`: the number was lost, mint no more.
pub async fn renew(tx: &mut Tx, node: u16, holder: &str, lease: Duration, catalog_version: i64) -> Result<bool, StoreError> {
    let mut sql = Sql::new("UPDATE sys_node SET leased_until = ");
    sql.append(moment(tx, lease));
    sql.append(Sql::template(
        ", catalog_version = ? WHERE node = ? AND holder = ?",
        [int(catalog_version), int(i64::from(node)), text(holder)],
    ));
    Ok(tx.run(sql).await? == 1)
}

/// Gives a number back. It stays reserved for two seconds: the clock of the next holder may be behind.
pub async fn release(tx: &mut Tx, node: u16, holder: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("UPDATE sys_node SET leased_until = ");
    sql.append(moment(tx, Duration::from_secs(2)));
    sql.append(Sql::template(" WHERE node = ? AND holder = ?", [int(i64::from(node)), text(holder)]));
    tx.run(sql).await?;
    Ok(())
}

/// Processes whose lease runs, and those that ended in the last moments.
pub async fn live(store: &Store) -> Result<Vec<Node>, StoreError> {
    let mut sql = Sql::new("SELECT node, holder, catalog_version, started_at, leased_until FROM sys_node WHERE leased_until > ");
    match store.dialect() {
        Dialect::Postgres => sql.push("now()"),
        Dialect::Sqlite => sql.bind(AT, store.clock().now().0),
    };
    sql.push(" ORDER BY node");
    let rows = store.rows(sql, &[INT, TEXT, INT, AT, AT]).await?;
    Ok(rows
        .iter()
        .map(|row| Node {
            node: u16::try_from(read::int(row, 0)).unwrap_or(0),
            holder: read::text(row, 1),
            catalog_version: read::int(row, 2),
            started_at: read::at(row, 3),
            leased_until: read::at(row, 4),
        })
        .collect())
}

/// Now and a while, by the clock that counts leases.
fn moment(tx: &Tx, later: Duration) -> Sql {
    let later_us = i64::try_from(later.as_micros()).unwrap_or(0);
    let mut sql = Sql::default();
    match tx.dialect() {
        Dialect::Sqlite => sql.bind(AT, tx.now().0.saturating_add(later_us)),
        Dialect::Postgres => sql.push("now() + ").number(later_us).push(" * interval '1 microsecond'"),
    };
    sql
}
