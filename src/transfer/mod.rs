//! Bringing records in: CSV import with a mapping, seed and sample data of packages; and what is kept about one person out.
//!
//! Everything goes through the record service, with its rules; this room holds no SQL.

mod ahead;
mod data;
mod error;
mod feed;
mod import;
mod mapping;
mod report;
mod row;
mod rows;
mod subject;
mod table;

pub use data::{Loaded, load_data};
pub use error::TransferError;
pub use import::{Import, Progress, import};
pub use mapping::{Existing, Mapping};
pub use report::{Difference, FailedRow, Report};
pub use subject::subject;
pub use table::{Table, TableOptions};
