//! The command line: arguments to a [`Command`], results to text or JSON. It runs nothing itself.
//!
//! Results go to standard output, everything else to standard error. Exit codes are in [`exit`].

mod args;
pub mod exit;
pub mod print;

pub use args::{
    AccessCommand, ApplyArgs, AuditCommand, AuditFormat, BackupArgs, CheckArgs, Cli, Command, CompletionsArgs, Definitions, DemoArgs,
    EraseArgs, FmtArgs, Globals, ImportArgs, InitArgs, KeyCommand, Log, LogFormat, OpenapiArgs, PlanArgs, RestoreArgs, SchemaArgs,
    ServeArgs, SubjectArgs, TestArgs, TokenCommand, UserCommand, WhatIfArgs,
};

use clap::{CommandFactory, Parser};

/// Reads the process's arguments. On `--help`, `--version` and faulty arguments it prints and ends the process (exit code 0 or 1).
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        let code = if error.use_stderr() { exit::ERROR } else { exit::OK };
        // A closed pipe is no reason to complain.
        let _ = error.print();
        std::process::exit(code);
    })
}

/// Writes the completion script of a shell to standard output.
pub fn completions(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "relata", &mut script);
    // A closed pipe is no reason to complain.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
}
