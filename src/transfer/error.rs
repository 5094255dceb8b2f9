//! What keeps an import from starting.

use crate::base::Explain;
use crate::record::RecordError;

/// A fault of the file, the mapping or the database. A fault of one row is no error: it goes to the report.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{place}: {message}")]
    Mapping { place: String, message: String, hint: String },
    #[error("line {line}: {message}")]
    Csv { line: u64, message: String },
    #[error("unknown encoding `{0}`")]
    UnknownEncoding(String),
    #[error("{place}: {message}")]
    Data { place: String, message: String },
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Explain for TransferError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "TRF001",
            Self::Mapping { .. } => "TRF002",
            Self::Csv { .. } => "TRF003",
            Self::UnknownEncoding(_) => "TRF004",
            Self::Data { .. } => "TRF005",
            Self::Record(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some("look at the path and its permissions".into()),
            Self::Mapping { hint, .. } => Some(hint.clone()),
            Self::Csv { .. } => Some("the file must be CSV with one header line; give another separator with --delimiter".into()),
            Self::UnknownEncoding(_) => Some("use utf-8, gbk, big5, utf-16le, windows-1252 or another name of the WHATWG list".into()),
            Self::Data { .. } => Some("mend the package's data file; nothing of it was loaded".into()),
            Self::Record(error) => error.hint(),
        }
    }
}
