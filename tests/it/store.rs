//! The store on the database of the run: units of work, system tables, leases, migrations, durability.

mod backup;
mod ddl;
mod deadline;
mod durability;
mod parity;
mod processes;
mod speed;
pub mod support;
mod tables;
mod units;
