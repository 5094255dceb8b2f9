//! One function for each command.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::operation::{Answer, File, ImportOrder, Operation};
use super::serve::{Mode, serve};
use super::{AppError, Config, Workspace, demo, init, local};
use crate::cli::print::{Bar, Printer, confirm, is_interactive};
use crate::cli::{
    self, AccessCommand, ApplyArgs, AuditCommand, CheckArgs, Cli, Command, Definitions, DemoArgs, EraseArgs, FmtArgs, Globals, ImportArgs,
    InitArgs, KeyCommand, OpenapiArgs, PlanArgs, RestoreArgs, SchemaArgs, ServeArgs, TestArgs, TokenCommand, UserCommand, WhatIfArgs, exit,
};
use crate::deploy::{self, DeployError, Folders};
use crate::proof::Mutations;
use crate::schema::{self, Bindings, SourceFile};
use crate::store::{Store, Target, audit};
use crate::transfer::Progress;

/// Runs the command; gives the exit code.
///
/// # Errors
/// What stops it; the caller shows it.
pub async fn run(cli: Cli, printer: Printer) -> Result<i32, AppError> {
    let Cli { globals, command } = cli;
    match command {
        Command::Init(args) => init(&args, printer),
        Command::Check(args) => check(&globals, &args, printer),
        Command::Fmt(args) => fmt(&globals, &args, printer),
        Command::Plan(args) => plan(&globals, &args, printer).await,
        Command::Apply(args) => apply(&globals, &args, printer).await,
        Command::Serve(args) => run_server(&globals, args, Mode::Serve, printer).await,
        Command::Dev(args) => run_server(&globals, args, Mode::Dev, printer).await,
        Command::Demo(args) => run_demo(globals, &args, printer).await,
        Command::Import(args) => import(&globals, &args, printer).await,
        Command::Test(args) => test(&globals, &args, printer).await,
        Command::WhatIf(args) => what_if(&globals, args, printer).await,
        Command::Schema(args) => write_schemas(&globals, &args, printer),
        Command::Openapi(args) => openapi(&globals, &args, printer),
        Command::Token(command) => token(&globals, command, printer).await,
        Command::Subject(args) => operate(&globals, Operation::Subject { record: args.record }, printer).await,
        Command::Erase(args) => erase(&globals, args, printer).await,
        Command::Key(KeyCommand::Rotate) => operate(&globals, Operation::KeyRotate, printer).await,
        Command::Audit(command) => audit(&globals, command, printer).await,
        Command::User(command) => user(&globals, command, printer).await,
        Command::Access(command) => access(&globals, command, printer).await,
        Command::Backup(args) if args.to.exists() => Err(AppError::Input {
            message: format!("{} exists already", args.to.display()),
            hint: "name a folder that is not there yet; a backup never writes over another".into(),
        }),
        Command::Backup(args) => operate(&globals, Operation::Backup { to: absolute(&args.to) }, printer).await,
        Command::Restore(args) => restore(&globals, &args, printer).await,
        Command::Doctor(args) => super::doctor::doctor(&globals, &args, printer).await,
        Command::Completions(args) => {
            cli::completions(&args);
            Ok(exit::OK)
        }
    }
}

fn show(printer: Printer, answer: &Answer) -> i32 {
    printer.result(&answer.text, &answer.object);
    answer.exit
}

async fn operate(globals: &Globals, operation: Operation, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, &Definitions::default())?;
    let answer = local::run(&config, operation, &|_| ()).await?;
    Ok(show(printer, &answer))
}

fn init(args: &InitArgs, printer: Printer) -> Result<i32, AppError> {
    let made = init::init(args)?;
    let place = if args.folder == Path::new(".") { String::new() } else { format!("cd {} && ", args.folder.display()) };
    let text = format!(
        "{} files written to {}\n\nNext:\n  {place}relata check      look whether all definitions are right\n  {place}relata serve      serve; prints a link to make the first administrator\n  {place}relata dev        serve, and apply definitions as you save them",
        made.files,
        args.folder.display()
    );
    printer.result(&text, &json!({"ok": true, "files": made.files, "templates": made.templates, "plugins": made.plugins}));
    Ok(exit::OK)
}

/// Folders and files of the definitions that the command names.
fn definitions(globals: &Globals, args: &Definitions) -> Result<(Folders, Vec<SourceFile>), AppError> {
    let config = Config::load(globals, None, args)?;
    let files = deploy::read(&config.folders)?;
    if !files.iter().any(|file| !file.path.starts_with("definitions/core/")) && !config.folders.definitions.is_dir() {
        return Err(AppError::Input {
            message: format!("there are no definitions in {}", config.folders.definitions.display()),
            hint: "make a workspace with `relata init --template crm`, or name the folder with --definitions".into(),
        });
    }
    Ok((config.folders, files))
}

fn check(globals: &Globals, args: &CheckArgs, printer: Printer) -> Result<i32, AppError> {
    let watch = crate::base::Stopwatch::start();
    let (_, files) = definitions(globals, &args.definitions)?;
    match deploy::check(&files, &Bindings::default()) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() && !printer.is_json() {
                printer.diagnostics(&loaded.warnings);
            }
            let catalog = &loaded.catalog;
            let text = format!(
                "{} files are right: {} packages, {} entities, {} fields, {} scripts ({} ms)",
                files.len(),
                catalog.packages.len(),
                catalog.entities.len(),
                catalog.entities.iter().map(|entity| entity.fields.iter().filter(|field| !field.is_system).count()).sum::<usize>(),
                catalog.scripts.len(),
                watch.elapsed().as_millis()
            );
            printer.result(&text, &json!({"ok": true, "files": files.len(), "diagnostics": schema::diagnostic::to_json(&loaded.warnings)}));
            Ok(exit::OK)
        }
        Err(faults) => Err(DeployError::Faults(faults).into()),
    }
}

fn fmt(globals: &Globals, args: &FmtArgs, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, &args.definitions)?;
    let files: Vec<(PathBuf, String)> = if args.files.is_empty() {
        let own =
            |file: &SourceFile| file.path.starts_with("definitions/") || file.path.starts_with("plugins/") || file.path == "relata.yaml";
        let shipped_core = !config.folders.definitions.join("core").is_dir();
        deploy::read(&config.folders)?
            .into_iter()
            .filter(|file| own(file) && !(shipped_core && file.path.starts_with("definitions/core/")))
            .filter(|file| !file.path.ends_with(".rhai") && !file.path.ends_with(".json"))
            .map(|file| (config.folders.resolve(&file.path), file.text))
            .collect()
    } else {
        args.files.iter().map(|path| Ok((path.clone(), read_text(path)?))).collect::<Result<_, AppError>>()?
    };
    // Uids are written for definitions that are right as a whole: a faulty one may name another thing tomorrow.
    let loaded = match args.pin {
        true => Some(deploy::check(&deploy::read(&config.folders)?, &Bindings::default()).map_err(DeployError::Faults)?),
        false => None,
    };
    let mut changed = Vec::new();
    let mut faults = Vec::new();
    for (path, text) in &files {
        let source = SourceFile::new(path.display().to_string(), text.clone());
        let formatted = match &loaded {
            Some(loaded) => schema::fmt::pin(&source.path, &source.text, loaded),
            None => schema::fmt::format(&source.path, &source.text),
        };
        match formatted {
            Ok(formatted) if formatted == *text => {}
            Ok(formatted) => {
                changed.push(path.display().to_string());
                if !args.check {
                    std::fs::write(path, formatted)
                        .map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })?;
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(DeployError::Faults(faults).into());
    }
    let verb = if args.check { "would be formatted" } else { "formatted" };
    let text =
        if changed.is_empty() { format!("{} files are formatted", files.len()) } else { format!("{verb}:\n  {}", changed.join("\n  ")) };
    printer.result(&text, &json!({"ok": !args.check || changed.is_empty(), "changed": changed}));
    Ok(if args.check && !changed.is_empty() { exit::FAULTS } else { exit::OK })
}

async fn plan(globals: &Globals, args: &PlanArgs, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, &args.definitions)?;
    let (_, files) = definitions(globals, &args.definitions)?;
    let answer = local::run(&config, Operation::Plan { files: files.into_iter().map(File::from).collect() }, &|_| ()).await?;
    if let Some(path) = &args.out {
        write_text(path, &format!("{:#}\n", answer.object))?;
        printer.note(&format!("plan written to {}", path.display()));
    }
    show(printer, &answer);
    let has_changes = answer.object["changes"].as_array().is_some_and(|changes| !changes.is_empty());
    Ok(if has_changes && args.detailed_exitcode { exit::CHANGES } else { exit::OK })
}

async fn apply(globals: &Globals, args: &ApplyArgs, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, &args.definitions)?;
    let (_, files) = definitions(globals, &args.definitions)?;
    let files: Vec<File> = files.into_iter().map(File::from).collect();
    let mut plan_id = match &args.plan {
        Some(path) => Some(plan_id_of(path)?),
        None => None,
    };
    if plan_id.is_none() && !args.yes && is_interactive() {
        let answer = local::run(&config, Operation::Plan { files: files.clone() }, &|_| ()).await?;
        printer.note(&answer.text);
        if answer.object["changes"].as_array().is_none_or(Vec::is_empty) {
            return Ok(exit::OK);
        }
        if !confirm("Apply?") {
            printer.note("nothing was changed");
            return Ok(exit::OK);
        }
        plan_id = answer.object["id"].as_str().map(str::to_owned);
    }
    let answer = local::run(&config, Operation::Apply { files, plan_id, accept: args.accept.clone() }, &|_| ()).await?;
    Ok(show(printer, &answer))
}

fn plan_id_of(path: &Path) -> Result<String, AppError> {
    let document: Json = serde_json::from_str(&read_text(path)?).map_err(|error| DeployError::NotAPlan(error.to_string()))?;
    match (document["format"].as_str(), document["id"].as_str()) {
        (Some("relata/plan/v1"), Some(id)) => Ok(id.to_owned()),
        _ => Err(DeployError::NotAPlan("it lacks `format: relata/plan/v1` or `id`".into()).into()),
    }
}

async fn run_server(globals: &Globals, args: ServeArgs, mode: Mode, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, Some(&args), &args.definitions)?;
    super::log::start(&config.log);
    let workspace = Workspace::open(&config.options()).await?;
    if !config.folders.definitions.is_dir() {
        let folder = config.folders.definitions.display();
        printer.note(&format!("there are no definitions in {folder}: only people, teams, tasks, notes, activities and files are served; `relata init --template crm` makes a workspace"));
    }
    serve(&config, workspace, mode, move |text| printer.note(text)).await?;
    Ok(exit::OK)
}

async fn run_demo(mut globals: Globals, args: &DemoArgs, printer: Printer) -> Result<i32, AppError> {
    demo::write_files(&args.folder, &args.template)?;
    if globals.data.is_none() {
        globals.data = Some(args.folder.join("relata-data"));
    }
    let serve_args = ServeArgs {
        listen: args.listen.clone(),
        public_url: None,
        behind_proxy: Vec::new(),
        tls_certificate: None,
        tls_key: None,
        definitions: Definitions::default(),
    };
    let mut config = Config::load(&globals, Some(&serve_args), &Definitions::default())?;
    config.folders = Folders::new(&args.folder, None);
    super::log::start(&config.log);
    let workspace = Workspace::open(&config.options()).await?;
    demo::fill(&workspace).await?;
    printer.note(&format!("the workspace is in {}: change its definitions and run `relata apply` there", args.folder.display()));
    serve(&config, workspace, Mode::Demo, move |text| printer.note(text)).await?;
    Ok(exit::OK)
}

async fn import(globals: &Globals, args: &ImportArgs, printer: Printer) -> Result<i32, AppError> {
    use base64::Engine as _;
    let config = Config::load(globals, None, &Definitions::default())?;
    let is_stdin = args.file == Path::new("-");
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| AppError::File { path: "standard input".into(), reason: error.to_string() })?;
        bytes
    } else {
        std::fs::read(&args.file).map_err(|error| AppError::File { path: args.file.display().to_string(), reason: error.to_string() })?
    };
    let mapping = match &args.mapping {
        None => None,
        Some(path) => {
            let source = SourceFile::new(path.display().to_string(), read_text(path)?);
            let documents = schema::read_documents(&source).map_err(DeployError::Faults)?;
            documents.into_iter().next().map(|(document, _)| document)
        }
    };
    let order = ImportOrder {
        content: base64::engine::general_purpose::STANDARD.encode(&bytes),
        mapping,
        into: args.into.clone(),
        match_fields: args.match_fields.clone(),
        encoding: args.encoding.clone(),
        delimiter: args.delimiter,
        dry_run: args.dry_run,
        without_scripts: args.without_scripts,
        reason: args.reason.clone(),
        allow_duplicates: args.allow_duplicates,
    };
    let bar = Bar::new(0, globals.quiet || globals.json);
    let mut answer = local::run(&config, Operation::Import(Box::new(order)), &|p: Progress| bar.set(p.done, p.total, p.failed)).await?;
    bar.finish();
    let failed = answer.object.as_object_mut().and_then(|object| object.shift_remove("failed_csv"));
    if let Some(Json::String(csv)) = failed {
        let path = args
            .failed
            .clone()
            .unwrap_or_else(|| if is_stdin { PathBuf::from("import.failed.csv") } else { args.file.with_extension("failed.csv") });
        write_text(&path, &csv)?;
        printer.note(&format!("rows that failed are in {}: mend them and import that file", path.display()));
        answer.object["failed_file"] = json!(path);
    }
    Ok(show(printer, &answer))
}

async fn test(globals: &Globals, args: &TestArgs, printer: Printer) -> Result<i32, AppError> {
    let (_, files) = definitions(globals, &args.definitions)?;
    if args.mutate {
        let options = Mutations { packages: args.package.clone(), limit: args.limit, seed: args.seed };
        let mutation = crate::proof::mutate(&files, &options).await?;
        let at_least = usize::from(args.at_least);
        printer.result(&mutation.text(), &mutation.to_json(at_least));
        return Ok(if mutation.is_ok(at_least) { exit::OK } else { exit::FAULTS });
    }
    let report = crate::proof::run(&files, args.filter.as_deref()).await?;
    printer.result(&report.text(), &report.to_json());
    Ok(if report.is_ok() { exit::OK } else { exit::FAULTS })
}

async fn what_if(globals: &Globals, args: WhatIfArgs, printer: Printer) -> Result<i32, AppError> {
    let WhatIfArgs { what, days, with_others, limit, events } = args;
    let path = Path::new(&what);
    // An id of an automation is no path of a file.
    let definition = match path.is_file() || what.contains('/') {
        true => {
            let text = std::fs::read_to_string(path).map_err(|error| AppError::File { path: what.clone(), reason: error.to_string() })?;
            Some(File { path: what.clone(), text })
        }
        false => None,
    };
    let automation = definition.is_none().then_some(what);
    operate(globals, Operation::WhatIf { automation, definition, days, with_others, limit, events }, printer).await
}

fn write_schemas(globals: &Globals, args: &SchemaArgs, printer: Printer) -> Result<i32, AppError> {
    let (_, files) = definitions(globals, &args.definitions)?;
    // Faulty definitions still get the schemas that need no names of the workspace.
    let loaded = deploy::check(&files, &Bindings::default()).ok();
    let mut written = Vec::new();
    for (name, document) in schema::json_schema::json_schema(loaded.as_ref().map(|loaded| &loaded.catalog)) {
        let path = args.out.join(format!("{name}.json"));
        write_text(&path, &format!("{document:#}\n"))?;
        written.push(path.display().to_string());
    }
    let text = format!("{} schemas written to {}", written.len(), args.out.display());
    printer.result(&text, &json!({"ok": true, "files": written}));
    Ok(exit::OK)
}

fn openapi(globals: &Globals, args: &OpenapiArgs, printer: Printer) -> Result<i32, AppError> {
    let (_, files) = definitions(globals, &args.definitions)?;
    let loaded = deploy::check(&files, &Bindings::default()).map_err(DeployError::Faults)?;
    let config = Config::load(globals, None, &args.definitions)?;
    let document = crate::contract::openapi(&loaded.catalog, &config.web.public_url.join(""));
    match &args.out {
        Some(path) => {
            write_text(path, &format!("{document:#}\n"))?;
            printer.result(&format!("written to {}", path.display()), &json!({"ok": true, "file": path}));
        }
        None => printer.result(&format!("{document:#}"), &document),
    }
    Ok(exit::OK)
}

async fn token(globals: &Globals, command: TokenCommand, printer: Printer) -> Result<i32, AppError> {
    let operation = match command {
        TokenCommand::Create { user, name, days, scope, from } => {
            Operation::TokenCreate { user, name, days, scopes: scope, networks: from }
        }
        TokenCommand::List => Operation::TokenList,
        TokenCommand::Revoke { id } => Operation::TokenRevoke { id },
    };
    operate(globals, operation, printer).await
}

async fn erase(globals: &Globals, args: EraseArgs, printer: Printer) -> Result<i32, AppError> {
    if !args.yes {
        return Err(AppError::Input {
            message: format!("erasing {} cannot be undone, and older backups are erased again when they are put back", args.record),
            hint: "look with `relata subject`, then say --yes".into(),
        });
    }
    operate(globals, Operation::Erase { record: args.record }, printer).await
}

async fn access(globals: &Globals, command: AccessCommand, printer: Printer) -> Result<i32, AppError> {
    let operation = match command {
        AccessCommand::Why { email, record } => Operation::AccessWhy { email, record },
        AccessCommand::Who { what } => Operation::AccessWho { what },
        AccessCommand::As { email } => Operation::AccessAs { email },
    };
    operate(globals, operation, printer).await
}

async fn audit(globals: &Globals, command: AuditCommand, printer: Printer) -> Result<i32, AppError> {
    let operation = match command {
        AuditCommand::Verify { anchors } => {
            let named = anchors.is_some();
            let config = Config::load(globals, None, &Definitions::default())?;
            let lines = match anchors.or(config.audit_anchors) {
                Some(path) if named || path.exists() => {
                    let text = std::fs::read_to_string(&path)
                        .map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })?;
                    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            Operation::AuditVerify { anchors: lines }
        }
        AuditCommand::Anchor => Operation::AuditAnchor,
        AuditCommand::Export { format, since } => Operation::AuditExport { format, since },
    };
    operate(globals, operation, printer).await
}

async fn user(globals: &Globals, command: UserCommand, printer: Printer) -> Result<i32, AppError> {
    let operation = match command {
        UserCommand::Add { email, name, admin } => Operation::UserAdd { email, name, password: password(printer)?, admin },
        UserCommand::Password { email } => Operation::UserPassword { email, password: password(printer)? },
        UserCommand::Link { email } => {
            let config = Config::load(globals, None, &Definitions::default())?;
            let mut answer = local::run(&config, Operation::UserLink { email }, &|_| ()).await?;
            answer.text = match answer.object.get("url").and_then(Json::as_str) {
                Some(url) => url.to_owned(),
                None => config.web.public_url.join(&answer.text),
            };
            answer.object["url"] = json!(answer.text);
            return Ok(show(printer, &answer));
        }
        UserCommand::Invite { email, name, role } => Operation::UserInvite { email, name, roles: role },
        UserCommand::Deactivate { email, reassign_to } => Operation::UserDeactivate { email, reassign_to },
        UserCommand::Reactivate { email } => Operation::UserReactivate { email },
        UserCommand::ResetSecondFactor { email } => Operation::UserResetSecondFactor { email },
        UserCommand::RequireSecondFactor { roles } => Operation::SecondFactorRoles {
            roles: match roles.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                [] => None,
                ["none"] => Some(Vec::new()),
                _ => Some(roles),
            },
        },
        UserCommand::List => Operation::UserList,
    };
    operate(globals, operation, printer).await
}

/// Reads a password from standard input: never from an argument, which others can see.
fn password(printer: Printer) -> Result<String, AppError> {
    if is_interactive() {
        printer.note("New password (it is shown while you type; pipe it in to hide it):");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| AppError::File { path: "standard input".into(), reason: error.to_string() })?;
    let password = line.trim_end_matches(['\n', '\r']).to_owned();
    if password.is_empty() {
        return Err(AppError::Input { message: "no password was given".into(), hint: "write it on one line of standard input".into() });
    }
    Ok(password)
}

async fn restore(globals: &Globals, args: &RestoreArgs, printer: Printer) -> Result<i32, AppError> {
    let config = Config::load(globals, None, &Definitions::default())?;
    if args.verify {
        let manifest = crate::store::backup::verify(&args.from).await?;
        printer.result("the backup is whole", &json!({"ok": true, "manifest": manifest_json(&manifest)}));
        return Ok(exit::OK);
    }
    let (manifest, former) = crate::store::backup::restore(&args.from, &config.data).await?;
    if let Target::Sqlite { .. } = config.target {
        // The restored workspace says so itself: what its audit tells ends with the backup and goes on here.
        let store = Store::open(config.options().store()).await?;
        let entry = audit::Entry::new("backup.restore").fact("taken_at", manifest.taken_at.as_str());
        let here = audit::Here::new("command line", "");
        here.is_asked_by(0, "system");
        let noted = audit::within(here.into(), audit::note(&store, entry)).await;
        store.close().await?;
        noted?;
    }
    let kept = former.as_ref().map(|path| format!("; the former data is in {}", path.display())).unwrap_or_default();
    let text = format!("restored to {}{kept}", config.data.display());
    printer.result(&text, &json!({"ok": true, "data": config.data, "former": former, "manifest": manifest_json(&manifest)}));
    Ok(exit::OK)
}

fn manifest_json(manifest: &crate::store::backup::Manifest) -> Json {
    serde_json::from_str(&manifest.to_json()).unwrap_or_default()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn read_text(path: &Path) -> Result<String, AppError> {
    std::fs::read_to_string(path).map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })
}

fn write_text(path: &Path, text: &str) -> Result<(), AppError> {
    let fault = |error: std::io::Error| AppError::File { path: path.display().to_string(), reason: error.to_string() };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(fault)?;
    }
    std::fs::write(path, text).map_err(fault)
}
