//! The two databases.

use crate::schema::catalog::ColumnKind;

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// `sqlite` or `postgres`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// The column type in DDL.
    pub fn column_type(self, kind: ColumnKind) -> &'static str {
        match (self, kind) {
            (Dialect::Sqlite, ColumnKind::Int | ColumnKind::Bool | ColumnKind::DateTime) => "integer",
            (Dialect::Sqlite, ColumnKind::Text | ColumnKind::Date | ColumnKind::Json) => "text",
            (Dialect::Postgres, ColumnKind::Int) => "bigint",
            // Text orders by code point on both sides.
            (Dialect::Postgres, ColumnKind::Text) => "text collate \"C\"",
            (Dialect::Postgres, ColumnKind::Bool) => "boolean",
            (Dialect::Postgres, ColumnKind::Date) => "date",
            (Dialect::Postgres, ColumnKind::DateTime) => "timestamptz",
            (Dialect::Postgres, ColumnKind::Json) => "jsonb",
        }
    }
}
