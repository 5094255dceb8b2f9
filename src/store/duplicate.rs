//! State of the program that records rely on, copied from one database into a fresh one, whatever each of them is.

use super::read::{AT, INT, TEXT};
use super::sql::at;
use super::{Sql, Store, StoreError, webhooks};
use crate::base::{Cell, DateTime};
use crate::schema::catalog::ColumnKind;

/// Rows of one unit of work.
const CHUNK: usize = 500;

/// Copies the numbers that were given, who shares what, and when records came into their stages before `moment`. Endpoints are
/// copied by name: they have no address there, and hear of no event by themselves.
///
/// # Errors
/// Either database.
pub async fn duplicate(from: &Store, to: &Store, moment: DateTime) -> Result<(), StoreError> {
    copy(
        (from, to),
        Sql::new("SELECT name, value FROM sys_sequence"),
        "INSERT INTO sys_sequence (name, value) VALUES (?, ?)",
        &[TEXT, INT],
    )
    .await?;
    copy(
        (from, to),
        Sql::new("SELECT id, entity, record, holder, may_edit, ends_at, created_at, created_by FROM sys_share"),
        "INSERT INTO sys_share (id, entity, record, holder, may_edit, ends_at, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        &[INT, TEXT, INT, TEXT, INT, AT, AT, INT],
    )
    .await?;
    copy(
        (from, to),
        Sql::template(
            "SELECT record, version, field, pipeline, from_stage, to_stage, at, actor, reason FROM sys_stage WHERE at < ?",
            [at(moment)],
        ),
        "INSERT INTO sys_stage (record, version, field, pipeline, from_stage, to_stage, at, actor, reason) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[INT, INT, TEXT, TEXT, TEXT, TEXT, AT, INT, TEXT],
    )
    .await?;
    let endpoints = webhooks::list(from).await?;
    to.write(move |tx| {
        Box::pin(async move {
            for endpoint in endpoints {
                let edit = webhooks::Edit { name: endpoint.name, url: String::new(), events: Vec::new(), is_active: endpoint.is_active };
                webhooks::make(tx, &edit, "", 0).await?;
            }
            Ok::<_, StoreError>(())
        })
    })
    .await
}

async fn copy((from, to): (&Store, &Store), select: Sql, insert: &'static str, columns: &'static [ColumnKind]) -> Result<(), StoreError> {
    let rows: Vec<Vec<Cell>> = from.rows(select, columns).await?.iter().map(<[Cell]>::to_vec).collect();
    for chunk in rows.chunks(CHUNK) {
        let chunk = chunk.to_vec();
        to.write(move |tx| {
            Box::pin(async move {
                for row in chunk {
                    let binds: Vec<_> = columns.iter().copied().zip(row).collect();
                    tx.run(Sql::template(insert, binds)).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await?;
    }
    Ok(())
}
