//! Columns that a changed field needs besides those it has.

use super::{Dialect, Sql};
use crate::schema::catalog::{Column, ColumnKind};

/// Adds one nullable column.
pub fn add_column(dialect: Dialect, table: &str, column: &Column) -> Vec<Sql> {
    vec![alter(dialect, table, &column.name, column.kind)]
}

/// Adds the folded shadow column of a text.
pub fn add_fold(dialect: Dialect, table: &str, fold_column: &str) -> Vec<Sql> {
    vec![alter(dialect, table, fold_column, ColumnKind::Text)]
}

fn alter(dialect: Dialect, table: &str, column: &str, kind: ColumnKind) -> Sql {
    let mut sql = Sql::new("ALTER TABLE ");
    sql.ident(table).push(" ADD COLUMN ").ident(column).push(" ").push(dialect.column_type(kind));
    sql
}
