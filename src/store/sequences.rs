//! Numbers counted in the transaction that uses them, for auto_number.

use super::read::INT;
use super::sql::{int, text};
use super::{Sql, StoreError, Tx};

/// Takes `count` numbers of the sequence `name` and gives the first (1 for a new sequence). A unit that is undone
/// gives its numbers back, so there are no gaps; on PostgreSQL units that take from one sequence wait for one another.
pub async fn take(tx: &mut Tx, name: &str, count: i64) -> Result<i64, StoreError> {
    let sql = Sql::template(
        "INSERT INTO sys_sequence (name, value) VALUES (?, ?) \
         ON CONFLICT (name) DO UPDATE SET value = sys_sequence.value + excluded.value RETURNING value",
        [text(name), int(count)],
    );
    let rows = tx.rows(sql, &[INT]).await?;
    Ok(rows.one_int().unwrap_or(count) - count + 1)
}

/// Makes the next number at least `next` (after an import brought its own numbers).
pub async fn raise(tx: &mut Tx, name: &str, next: i64) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_sequence (name, value) VALUES (?, ?) \
         ON CONFLICT (name) DO UPDATE SET value = CASE WHEN sys_sequence.value > excluded.value \
         THEN sys_sequence.value ELSE excluded.value END",
        [text(name), int(next - 1)],
    ))
    .await?;
    Ok(())
}
