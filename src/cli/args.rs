//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A CRM that you describe.
#[derive(Debug, Parser)]
#[command(name = "relata", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    /// One JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say less.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Folder of the embedded database, files and keys.
    #[arg(long, global = true, env = "RELATA_DATA", value_name = "DIR", help_heading = "Workspace")]
    pub data: Option<PathBuf>,
    /// PostgreSQL instead of the embedded database: postgres://user@host/database
    #[arg(long, global = true, env = "DATABASE_URL", value_name = "URL", hide_env_values = true, help_heading = "Workspace")]
    pub database_url: Option<String>,
    /// Configuration file (default: relata-server.yaml, if there is one).
    #[arg(long, global = true, env = "RELATA_CONFIG", value_name = "FILE", help_heading = "Workspace")]
    pub config: Option<PathBuf>,
    /// error, warn, info, debug or trace, also by room: info,relata::store=debug
    #[arg(long, global = true, env = "RELATA_LOG", value_name = "LEVEL", help_heading = "Log")]
    pub log: Option<String>,
    #[arg(long, global = true, env = "RELATA_LOG_FORMAT", help_heading = "Log")]
    pub log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// How the log is written.
#[derive(Debug, Clone)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a workspace in this folder: settings, templates, plugins.
    Init(InitArgs),
    /// Check all definitions without a database.
    Check(CheckArgs),
    /// Format definition files; comments stay.
    Fmt(FmtArgs),
    /// Show what applying the definitions would change.
    Plan(PlanArgs),
    /// Change the workspace to what the definitions say.
    Apply(ApplyArgs),
    /// Serve the workspace.
    Serve(ServeArgs),
    /// Serve, and apply definitions as they are saved.
    Dev(ServeArgs),
    /// Serve a complete example with sample data; prints a sign-in link.
    Demo(DemoArgs),
    /// Import a CSV file.
    Import(ImportArgs),
    /// Run the tests beside the definitions.
    Test(TestArgs),
    /// Run an automation over the last days in a copy, and tell what it would have done. Nothing is changed or sent.
    WhatIf(WhatIfArgs),
    /// Write JSON Schemas for editors.
    Schema(SchemaArgs),
    /// Print the OpenAPI document.
    Openapi(OpenapiArgs),
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// People who can sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Who may see and do what, and why.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Copy the database and its files while the server runs.
    Backup(BackupArgs),
    /// Verify a backup and put it in the place of the data folder.
    Restore(RestoreArgs),
    /// Who did what: verify, anchor and export the audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Remove the personal values of a record and of those that belong to it, for good.
    Erase(EraseArgs),
    /// The keys of encrypted values.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print everything that is kept about one record: for a person who asks what is known about them.
    Subject(SubjectArgs),
    /// Look at configuration, database and definitions, and say what is wrong.
    Doctor(Definitions),
    /// Print the completion script of a shell.
    Completions(CompletionsArgs),
}

/// Where definitions are read.
#[derive(Debug, Clone, Default, Args)]
pub struct Definitions {
    /// Folder of definitions (default: ./definitions).
    #[arg(long, env = "RELATA_DEFINITIONS", value_name = "DIR")]
    pub definitions: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Folder of the workspace.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// Shipped templates to start from, for example crm or crm,retail.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub template: Vec<String>,
    /// Shipped plugins to install; `all` takes those that fit.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub plugins: Vec<String>,
    /// Name of the workspace.
    #[arg(long)]
    pub name: Option<String>,
    /// Currency of the workspace.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// Language of the workspace: en, zh-CN or zh-TW.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
    /// Time zone of the workspace, for example Asia/Shanghai.
    #[arg(long, value_name = "NAME")]
    pub time_zone: Option<String>,
    /// Ask nothing.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub definitions: Definitions,
}

#[derive(Debug, Clone, Args)]
pub struct FmtArgs {
    /// Files to format (default: all of the definitions folder).
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub definitions: Definitions,
    /// Change nothing; exit with 3 when a file is not formatted.
    #[arg(long)]
    pub check: bool,
    /// Write a `uid` where there is none, so that names can be changed freely.
    #[arg(long)]
    pub pin: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub definitions: Definitions,
    /// Write the plan to a file that `apply` takes.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// A plan written by `plan --out`: exactly this plan is applied, or none.
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub definitions: Definitions,
    /// Confirm a step by its name, for example hides:fld_m2.
    #[arg(long, value_name = "RISK:UID")]
    pub accept: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "RELATA_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
    /// The address people use, for links and cookies.
    #[arg(long, env = "RELATA_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies whose forwarding headers are believed, for example 10.0.0.0/8.
    #[arg(long, env = "RELATA_BEHIND_PROXY", value_delimiter = ',', value_name = "NETWORKS")]
    pub behind_proxy: Vec<String>,
    /// Certificate with its chain (PEM): serves HTTPS itself.
    #[arg(long, env = "RELATA_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, env = "RELATA_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub definitions: Definitions,
}

#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Folder to make the example in.
    #[arg(default_value = "relata-demo")]
    pub folder: PathBuf,
    /// Template to show.
    #[arg(long, default_value = "crm")]
    pub template: String,
    /// Address to listen on.
    #[arg(long, env = "RELATA_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// CSV file; `-` reads standard input.
    pub file: PathBuf,
    /// Mapping file (columns to fields). Without it columns are matched by name or label.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Entity the rows become, when there is no mapping file.
    #[arg(long, value_name = "ENTITY", required_unless_present = "mapping")]
    pub into: Option<String>,
    /// Unique fields by which records that are there are found, when there is no mapping file.
    #[arg(long = "match", value_delimiter = ',', value_name = "FIELDS")]
    pub match_fields: Vec<String>,
    /// utf-8, gbk, big5, … (default: found out).
    #[arg(long)]
    pub encoding: Option<String>,
    /// Separator of cells (default: found out).
    #[arg(long)]
    pub delimiter: Option<char>,
    /// Where rows that failed are written, with the reason (default: FILE.failed.csv).
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Check everything, keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Run no scripts for these records.
    #[arg(long)]
    pub without_scripts: bool,
    /// Why rows pass over the order and the gates of a pipeline; kept with each of these moves.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Keep rows also where a rule warns of a duplicate.
    #[arg(long)]
    pub allow_duplicates: bool,
}

#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub definitions: Definitions,
    /// Only cases whose name contains this.
    pub filter: Option<String>,
    /// Change the definitions on purpose and tell which changes no case notices.
    #[arg(long, conflicts_with = "filter")]
    pub mutate: bool,
    /// Change those of this package only; may be given several times.
    #[arg(long, requires = "mutate", value_name = "PACKAGE")]
    pub package: Vec<String>,
    /// So many changes of each package.
    #[arg(long, requires = "mutate", value_name = "NUMBER")]
    pub limit: Option<usize>,
    /// Chooses which ones.
    #[arg(long, requires = "limit", default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// Fail where fewer of a package's changes are noticed, in percent.
    #[arg(long, requires = "mutate", default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub at_least: u8,
}

#[derive(Debug, Clone, Args)]
pub struct WhatIfArgs {
    /// A file with automations, new or changed; or the id of an automation in force, for example crm.welcome.
    #[arg(value_name = "FILE|AUTOMATION")]
    pub what: String,
    /// How many of the last days are played again.
    #[arg(long, default_value_t = 30, value_name = "NUMBER")]
    pub days: u32,
    /// Run all other automations once more too, instead of taking what they did as it was.
    #[arg(long)]
    pub with_others: bool,
    /// Changes and runs that are listed; all are counted.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub limit: usize,
    /// Events that are played again at most: of more, the latest.
    #[arg(long, default_value_t = 200_000, value_name = "NUMBER")]
    pub events: u32,
}

#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    #[command(flatten)]
    pub definitions: Definitions,
    /// Folder to write to.
    #[arg(long, default_value = ".relata/schema", value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct OpenapiArgs {
    #[command(flatten)]
    pub definitions: Definitions,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Print a new API token. It is shown once.
    Create {
        /// E-mail of the person it acts for (default: the only administrator).
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it expires; 0 for never.
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// What it may do of what the person may: admin (all but erase people: that wants admin,erase), read, write, or for one entity read:crm.deal, write:crm.deal.
        #[arg(long, value_name = "SCOPES", value_delimiter = ',', default_value = "admin")]
        scope: Vec<String>,
        /// Addresses it may be used from (default: everywhere).
        #[arg(long, value_name = "NETWORKS", value_delimiter = ',')]
        from: Vec<String>,
    },
    /// List tokens (never their secret).
    List,
    /// End a token at once.
    Revoke {
        /// Its number, as `token list` shows.
        id: i64,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum AccessCommand {
    /// Why a person may or may not read, change or delete a record: each role with what it says.
    Why {
        email: String,
        /// The record's id, `deal_…`.
        record: String,
    },
    /// Who reads an entity, or a field of it: `deal`, `deal.margin`.
    Who { what: String },
    /// What a person sees: entities, records, hidden fields.
    As { email: String },
}

#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// Add a person; the password is read from standard input.
    Add {
        email: String,
        #[arg(long)]
        name: String,
        /// May manage the workspace.
        #[arg(long)]
        admin: bool,
    },
    /// Set a new password, read from standard input; all sessions of the person end.
    Password { email: String },
    /// Print a link that signs the person in once, within ten minutes.
    Link { email: String },
    /// Add a person with roles and print the link by which they choose a password: it works once and for seven days.
    Invite {
        email: String,
        #[arg(long, default_value = "")]
        name: String,
        /// Roles of the person.
        #[arg(long, value_delimiter = ',', default_value = "user")]
        role: Vec<String>,
    },
    /// Shut a person out at once; their records can go to someone else.
    Deactivate {
        email: String,
        /// Who takes over the records.
        #[arg(long, value_name = "EMAIL")]
        reassign_to: Option<String>,
    },
    /// Let a deactivated person in again.
    Reactivate { email: String },
    /// Take the second factor of a person away who lost their phone; all their sessions end.
    ResetSecondFactor { email: String },
    /// Say whose roles must have a second factor: admin,user. Without roles, show them; `none` asks nobody.
    RequireSecondFactor {
        #[arg(value_delimiter = ',')]
        roles: Vec<String>,
    },
    /// List people.
    List,
}

#[derive(Debug, Clone, Args)]
pub struct SubjectArgs {
    /// The record, for example contact_0c5zt3k9v2m1a.
    pub record: String,
}

#[derive(Debug, Clone, Args)]
pub struct EraseArgs {
    /// Id of the record, for example contact_0aknk4r000004.
    pub record: String,
    /// Erase it: nothing brings the values back.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Make a new master key and wrap the keys of all records with it. Values stay as they are.
    Rotate,
}

#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Follow the chain of signatures from the first entry to the last; says where it breaks.
    Verify {
        /// File of anchors that were put down elsewhere (default: `audit_anchors` of the configuration).
        #[arg(long, value_name = "FILE")]
        anchors: Option<PathBuf>,
    },
    /// Print the last entry's signature, to be kept elsewhere.
    Anchor,
    /// Print entries, newest first.
    Export {
        #[arg(long, default_value = "csv")]
        format: AuditFormat,
        /// Only entries from this day on, for example 2026-01-31.
        #[arg(long, value_name = "DAY")]
        since: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    Csv,
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// New folder for the backup.
    pub to: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// Folder of a backup.
    pub from: PathBuf,
    /// Verify only.
    #[arg(long)]
    pub verify: bool,
}

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}
