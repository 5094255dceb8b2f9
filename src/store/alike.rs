//! Pairs of records that a look through an entity found alike, and pairs of which somebody said that they are not the same. The
//! lower id stands first.

use super::read::{self, AT, INT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{DateTime, RecordId};

/// Two records that are alike, from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub one: RecordId,
    pub other: RecordId,
    pub likeness: u8,
}

impl Pair {
    /// In the order in which pairs are kept.
    pub fn of(one: RecordId, other: RecordId, likeness: u8) -> Self {
        Self { one: one.min(other), other: one.max(other), likeness }
    }
}

/// A look through the records of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub begun_at: DateTime,
    /// None while it goes on.
    pub ended_at: Option<DateTime>,
}

/// Notes that records are alike.
pub async fn put(tx: &mut Tx, entity_uid: &str, pairs: &[Pair]) -> Result<(), StoreError> {
    for part in pairs.chunks(100) {
        let mut sql = Sql::new("INSERT INTO sys_alike (one, other, entity, likeness) VALUES ");
        let row = |pair: &Pair| {
            Sql::template("(?, ?, ?, ?)", [int(pair.one.0), int(pair.other.0), text(entity_uid), int(i64::from(pair.likeness))])
        };
        sql.join(", ", part.iter().map(row));
        sql.push(" ON CONFLICT (one, other) DO UPDATE SET likeness = excluded.likeness");
        tx.run(sql).await?;
    }
    Ok(())
}

/// Forgets the pairs of an entity.
pub async fn clear(tx: &mut Tx, entity_uid: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_alike WHERE entity = ?", [text(entity_uid)])).await?;
    Ok(())
}

/// Pairs of an entity of which nobody said that they are not the same, likest first, behind `after`.
pub async fn list(store: &Store, entity_uid: &str, after: Option<Pair>, limit: u32) -> Result<Vec<Pair>, StoreError> {
    let after = after.unwrap_or(Pair { one: RecordId(0), other: RecordId(0), likeness: u8::MAX });
    let likeness = i64::from(after.likeness);
    let sql = Sql::template(
        "SELECT one, other, likeness FROM sys_alike AS a WHERE entity = ? \
         AND (likeness < ? OR likeness = ? AND (one > ? OR one = ? AND other > ?)) \
         AND NOT EXISTS (SELECT 1 FROM sys_unlike AS u WHERE u.one = a.one AND u.other = a.other) \
         ORDER BY likeness DESC, one, other LIMIT ?",
        [text(entity_uid), int(likeness), int(likeness), int(after.one.0), int(after.one.0), int(after.other.0), int(i64::from(limit))],
    );
    let rows = store.rows(sql, &[INT, INT, INT]).await?;
    let pair = |row: &[crate::base::Cell]| Pair {
        one: RecordId(read::int(row, 0)),
        other: RecordId(read::int(row, 1)),
        likeness: u8::try_from(read::int(row, 2)).unwrap_or(100),
    };
    Ok(rows.iter().map(pair).collect())
}

/// Notes that two records are not the same.
pub async fn part(tx: &mut Tx, (one, other): (RecordId, RecordId), by: i64) -> Result<(), StoreError> {
    let (pair, now) = (Pair::of(one, other, 0), tx.now());
    let binds = [int(pair.one.0), int(pair.other.0), at(now), int(by)];
    tx.run(Sql::template("INSERT INTO sys_unlike (one, other, at, actor) VALUES (?, ?, ?, ?) ON CONFLICT (one, other) DO NOTHING", binds))
        .await?;
    Ok(())
}

/// Takes back that two records are not the same.
pub async fn rejoin(tx: &mut Tx, (one, other): (RecordId, RecordId)) -> Result<(), StoreError> {
    let pair = Pair::of(one, other, 0);
    tx.run(Sql::template("DELETE FROM sys_unlike WHERE one = ? AND other = ?", [int(pair.one.0), int(pair.other.0)])).await?;
    Ok(())
}

/// Records of which somebody said that they are not the same as this one.
pub async fn unlike(tx: &mut Tx, record: RecordId) -> Result<Vec<RecordId>, StoreError> {
    let sql = Sql::template(
        "SELECT other FROM sys_unlike WHERE one = ? UNION ALL SELECT one FROM sys_unlike WHERE other = ?",
        [int(record.0), int(record.0)],
    );
    Ok(tx.rows(sql, &[INT]).await?.iter().map(|row| RecordId(read::int(row, 0))).collect())
}

/// Notes that a look has begun; `false` where one goes on already that was begun after `since`.
pub async fn begin(tx: &mut Tx, entity_uid: &str, since: DateTime, by: i64) -> Result<bool, StoreError> {
    let now = tx.now();
    let touched = tx
        .run(Sql::template(
            "INSERT INTO sys_alike_look (entity, begun_at, ended_at, actor) VALUES (?, ?, NULL, ?) ON CONFLICT (entity) DO UPDATE \
             SET begun_at = excluded.begun_at, ended_at = NULL, actor = excluded.actor \
             WHERE sys_alike_look.ended_at IS NOT NULL OR sys_alike_look.begun_at < ?",
            [text(entity_uid), at(now), int(by), at(since)],
        ))
        .await?;
    Ok(touched == 1)
}

/// Notes that a look has ended.
pub async fn end(tx: &mut Tx, entity_uid: &str) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_alike_look SET ended_at = ? WHERE entity = ?", [at(now), text(entity_uid)])).await?;
    Ok(())
}

/// The last look through an entity.
pub async fn look(store: &Store, entity_uid: &str) -> Result<Option<Look>, StoreError> {
    let sql = Sql::template("SELECT begun_at, ended_at FROM sys_alike_look WHERE entity = ?", [text(entity_uid)]);
    let rows = store.rows(sql, &[AT, AT]).await?;
    Ok(rows.iter().next().map(|row| Look { begun_at: read::at(row, 0), ended_at: read::opt_at(row, 1) }))
}
