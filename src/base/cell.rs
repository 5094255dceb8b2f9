//! What one database column holds, the same for both databases.

/// One stored scalar. How it is bound (SQLite `TEXT` date, PostgreSQL `date`, …) is decided by the
/// column's kind in `store`: a date is `Int` days since 1970-01-01, a date-time `Int` microseconds
/// since 1970-01-01T00:00Z, a time `Int` seconds since midnight, a decimal `Int` units of its scale.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Cell {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

impl Cell {
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Cell::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Cell::Int(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Cell::Bool(flag)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}
