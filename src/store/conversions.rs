//! Which records were converted, and what they became.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{DateTime, RecordId};

/// A record that was converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    pub record: RecordId,
    pub entity_uid: String,
    /// Its name in the definitions.
    pub conversion: String,
    pub at: DateTime,
    /// User who converted it, 0 for the program itself.
    pub actor: i64,
    /// `[["<target>", "<entity uid>", <record>, <made>]]`.
    pub targets_json: String,
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 6] = [INT, TEXT, TEXT, AT, INT, TEXT];

pub async fn put(tx: &mut Tx, conversion: &Conversion) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_conversion (record, entity, conversion, at, actor, targets) VALUES (?, ?, ?, ?, ?, ?)",
        [
            int(conversion.record.0),
            text(conversion.entity_uid.as_str()),
            text(conversion.conversion.as_str()),
            at(conversion.at),
            int(conversion.actor),
            text(conversion.targets_json.as_str()),
        ],
    ))
    .await?;
    Ok(())
}

fn of(record: RecordId) -> Sql {
    Sql::template("SELECT record, entity, conversion, at, actor, targets FROM sys_conversion WHERE record = ?", [int(record.0)])
}

/// How a record was converted, if it was.
pub async fn find(store: &Store, record: RecordId) -> Result<Option<Conversion>, StoreError> {
    Ok(store.rows(of(record), &COLUMNS).await?.iter().next().map(conversion))
}

/// [`find`] inside a unit of work.
pub async fn find_in(tx: &mut Tx, record: RecordId) -> Result<Option<Conversion>, StoreError> {
    Ok(tx.rows(of(record), &COLUMNS).await?.iter().next().map(conversion))
}

fn conversion(row: &[crate::base::Cell]) -> Conversion {
    Conversion {
        record: RecordId(read::int(row, 0)),
        entity_uid: read::text(row, 1),
        conversion: read::text(row, 2),
        at: read::at(row, 3),
        actor: read::int(row, 4),
        targets_json: read::text(row, 5),
    }
}
