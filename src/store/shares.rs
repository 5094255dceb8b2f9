//! Records shared with a person, a team or a role. Access rules look here (`compile::expr::shared`).

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::access::ShareWith;
use crate::base::{Cell, DateTime, RecordId};

/// More shares of one record than this are not listed and not made.
pub const MOST: usize = 200;

/// A share of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub id: RecordId,
    pub with: ShareWith,
    /// To change the record too; else to read it.
    pub may_edit: bool,
    /// From this moment on it is none any more.
    pub ends_at: Option<DateTime>,
    pub created_at: DateTime,
    /// User who shared it, 0 for the program itself.
    pub created_by: i64,
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 6] = [INT, TEXT, INT, AT, AT, INT];

fn of_record(entity_uid: &str, record: RecordId, now: DateTime) -> Sql {
    Sql::template(
        "SELECT id, holder, may_edit, ends_at, created_at, created_by FROM sys_share \
         WHERE entity = ? AND record = ? AND (ends_at IS NULL OR ends_at > ?) ORDER BY id LIMIT 201",
        [text(entity_uid), int(record.0), at(now)],
    )
}

/// The shares of a record that have not ended, oldest first.
pub async fn list(store: &Store, entity_uid: &str, record: RecordId, now: DateTime) -> Result<Vec<Share>, StoreError> {
    let rows = store.rows(of_record(entity_uid, record, now), &COLUMNS).await?;
    Ok(rows.iter().filter_map(share).collect())
}

/// [`list`] inside a unit of work.
pub async fn list_in(tx: &mut Tx, entity_uid: &str, record: RecordId) -> Result<Vec<Share>, StoreError> {
    let now = tx.now();
    let rows = tx.rows(of_record(entity_uid, record, now), &COLUMNS).await?;
    Ok(rows.iter().filter_map(share).collect())
}

/// Writes a share, in place of one with the same person, team or role. What has ended goes.
pub async fn put(tx: &mut Tx, entity_uid: &str, record: RecordId, share: &Share) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template(
        "DELETE FROM sys_share WHERE entity = ? AND record = ? AND (holder = ? OR ends_at <= ?)",
        [text(entity_uid), int(record.0), text(share.with.key().as_str()), at(now)],
    ))
    .await?;
    tx.run(Sql::template(
        "INSERT INTO sys_share (id, entity, record, holder, may_edit, ends_at, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(share.id.0),
            text(entity_uid),
            int(record.0),
            text(share.with.key().as_str()),
            int(i64::from(share.may_edit)),
            at(share.ends_at),
            at(share.created_at),
            int(share.created_by),
        ],
    ))
    .await?;
    Ok(())
}

/// Ends a share of a record.
pub async fn end(tx: &mut Tx, entity_uid: &str, record: RecordId, id: RecordId) -> Result<(), StoreError> {
    let binds = [text(entity_uid), int(record.0), int(id.0)];
    tx.run(Sql::template("DELETE FROM sys_share WHERE entity = ? AND record = ? AND id = ?", binds)).await?;
    Ok(())
}

/// Forgets the shares of a record that is gone for good.
pub async fn forget_record(tx: &mut Tx, entity_uid: &str, record: RecordId) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_share WHERE entity = ? AND record = ?", [text(entity_uid), int(record.0)])).await
}

/// Ends all that was shared with somebody who is gone.
pub async fn forget_with(tx: &mut Tx, with: &ShareWith) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_share WHERE holder = ?", [text(with.key().as_str())])).await
}

fn share(row: &[Cell]) -> Option<Share> {
    Some(Share {
        id: RecordId(read::int(row, 0)),
        with: ShareWith::of_key(&read::text(row, 1))?,
        may_edit: read::int(row, 2) == 1,
        ends_at: read::opt_at(row, 3),
        created_at: read::at(row, 4),
        created_by: read::int(row, 5),
    })
}
