//! Dated exchange rates kept in the database, beside those of `relata.yaml`.

use super::read::{self, DATE, INT, TEXT};
use super::sql::{int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, Currency, Date};

/// One unit of `currency` is worth `rate_nano` / 10^9 units of the workspace currency from `from` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRate {
    pub currency: Currency,
    pub from: Date,
    pub rate_nano: i64,
}

/// All rates, by currency and date.
pub async fn list(store: &Store) -> Result<Vec<StoredRate>, StoreError> {
    let rows =
        store.rows(Sql::new("SELECT currency, from_date, rate FROM sys_rate ORDER BY currency, from_date"), &[TEXT, DATE, INT]).await?;
    let rate = |row: &[Cell]| {
        Some(StoredRate {
            currency: Currency::parse(&read::text(row, 0))?,
            from: Date(i32::try_from(read::int(row, 1)).ok()?),
            rate_nano: read::int(row, 2),
        })
    };
    Ok(rows.iter().filter_map(rate).collect())
}

/// Writes a rate; the one of the same currency and day is replaced.
pub async fn save(tx: &mut Tx, rate: &StoredRate) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_rate (currency, from_date, rate) VALUES (?, ?, ?) \
         ON CONFLICT (currency, from_date) DO UPDATE SET rate = excluded.rate",
        [text(rate.currency.code()), (DATE, Cell::Int(i64::from(rate.from.0))), int(rate.rate_nano)],
    ))
    .await?;
    Ok(())
}
