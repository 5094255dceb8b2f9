//! The composition root: configuration, the rooms put together, the commands, the server. The only place that knows all.

mod access;
mod audit;
mod chores;
mod commands;
mod config;
mod control;
mod demo;
mod doctor;
mod door;
mod error;
mod fill;
mod gauges;
mod init;
mod local;
pub mod log;
mod operation;
mod serve;
mod watch;
mod workspace;

pub use config::Config;
pub use error::AppError;
pub use serve::services;
pub use workspace::{Options, Workspace};

use crate::cli::{self, Cli, exit};

/// Runs one command line; gives the exit code.
pub fn run(cli: Cli) -> i32 {
    let printer = cli::print::Printer::new(&cli.globals);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&AppError::Start(error.to_string()));
            return exit::ERROR;
        }
    };
    let code = match runtime.block_on(commands::run(cli, printer)) {
        Ok(code) => code,
        Err(error) => {
            error.print(printer);
            error.exit_code()
        }
    };
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}
