//! What the command line asks of an open workspace, the same whether this process opened it or a running server did.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{AppError, Workspace};
use crate::access::Actor;
use crate::auth::{Invitation, NewToken, NewUser};
use crate::base::RecordId;
use crate::cli::{AuditFormat, exit};
use crate::deploy;
use crate::proof::what_if::{Question, what_if};
use crate::record::{LONGEST_REASON, is_reason};
use crate::schema::{DataKind, SourceFile};
use crate::store::audit;
use crate::transfer::{self, Import, Mapping, Progress, Table, TableOptions};

/// One thing to do. Serialised as JSON on the socket of a running server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    Plan { files: Vec<File> },
    Apply { files: Vec<File>, plan_id: Option<String>, accept: Vec<String> },
    WhatIf { automation: Option<String>, definition: Option<File>, days: u32, with_others: bool, limit: usize, events: u32 },
    LoadSample { files: Vec<File> },
    Import(Box<ImportOrder>),
    TokenCreate { user: Option<String>, name: String, days: u32, scopes: Vec<String>, networks: Vec<String> },
    TokenList,
    TokenRevoke { id: i64 },
    UserAdd { email: String, name: String, password: String, admin: bool },
    UserPassword { email: String, password: String },
    UserLink { email: String },
    UserList,
    UserInvite { email: String, name: String, roles: Vec<String> },
    UserDeactivate { email: String, reassign_to: Option<String> },
    UserReactivate { email: String },
    UserResetSecondFactor { email: String },
    SecondFactorRoles { roles: Option<Vec<String>> },
    AccessWhy { email: String, record: String },
    AccessWho { what: String },
    AccessAs { email: String },
    Backup { to: PathBuf },
    Subject { record: String },
    Erase { record: String },
    KeyRotate,
    AuditVerify { anchors: Vec<String> },
    AuditAnchor,
    AuditExport { format: AuditFormat, since: Option<String> },
}

/// A definition file read by the caller.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl From<SourceFile> for File {
    fn from(file: SourceFile) -> Self {
        Self { path: file.path, text: file.text }
    }
}

/// An import with its file's bytes as text (base64), read by the caller.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportOrder {
    /// The CSV, base64.
    pub content: String,
    /// The mapping document.
    pub mapping: Option<Json>,
    pub into: Option<String>,
    pub match_fields: Vec<String>,
    pub encoding: Option<String>,
    pub delimiter: Option<char>,
    pub dry_run: bool,
    pub without_scripts: bool,
    /// Why rows pass over the gates of a pipeline.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub allow_duplicates: bool,
}

/// The result: for a person and for programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    pub object: Json,
    #[serde(default)]
    pub exit: i32,
}

impl Answer {
    pub fn new(text: impl Into<String>, object: Json) -> Self {
        Self { text: text.into(), object, exit: exit::OK }
    }
}

/// The files as `deploy` wants them.
pub fn sources(files: Vec<File>) -> Vec<SourceFile> {
    files.into_iter().map(|file| SourceFile::new(file.path, file.text)).collect()
}

/// Does it.
///
/// # Errors
/// What the rooms refuse.
pub async fn perform(workspace: &Workspace, operation: Operation, progress: &(dyn Fn(Progress) + Sync)) -> Result<Answer, AppError> {
    let here = audit::Here::new("command line", "");
    here.is_asked_by(0, "system");
    audit::within(Arc::new(here), work(workspace, operation, progress)).await
}

async fn work(workspace: &Workspace, operation: Operation, progress: &(dyn Fn(Progress) + Sync)) -> Result<Answer, AppError> {
    let auth = &workspace.auth;
    match operation {
        Operation::Plan { files } => {
            let plan = deploy::plan(&workspace.store, &sources(files)).await?;
            super::audit::note_plan(workspace, &plan).await?;
            Ok(plan_answer(&plan))
        }
        Operation::Apply { files, plan_id, accept } => {
            let files = sources(files);
            let applied = workspace.apply(&files, plan_id.as_deref(), &accept, 0).await?;
            let text = if applied.changes == 0 {
                applied.text
            } else {
                format!("{}Applied: the workspace is at version {}.\n", applied.text, applied.version)
            };
            let object = json!({"ok": true, "version": applied.version, "changes": applied.changes, "seed_records": applied.seeded});
            Ok(Answer::new(text, object))
        }
        Operation::WhatIf { automation, definition, days, with_others, limit, events } => {
            let definition = definition.map(|file| (file.path, file.text));
            let question = Question { automation, definition, with_others, most_events: events, lines: limit, ..Question::of(days) };
            let answer = what_if(&workspace.records, &workspace.automation, &question).await?;
            Ok(Answer::new(answer.text(), answer.to_json()))
        }
        Operation::LoadSample { files } => {
            let files = sources(files);
            let loaded = deploy::check(&files, &crate::schema::Bindings::default()).map_err(deploy::DeployError::Faults)?;
            let done = transfer::load_data(&workspace.records, &Actor::system(), &loaded.data, DataKind::Sample).await?;
            Ok(Answer::new(
                format!("{} sample records loaded, {} were there", done.created, done.known),
                json!({"ok": true, "created": done.created, "known": done.known}),
            ))
        }
        Operation::Import(order) => import(workspace, *order, progress).await,
        Operation::TokenCreate { user, name, days, scopes, networks } => {
            let email = match user {
                Some(email) => email,
                None => only_administrator(workspace).await?,
            };
            let limits = auth.token_limits(&scopes, &networks.join(","))?;
            let token = auth.create_limited_token(NewToken { email, name, days: Some(days) }, limits).await?;
            Ok(Answer::new(
                token.secret.clone(),
                json!({"ok": true, "token": token.secret, "id": token.id, "expires_at": token.expires_at.map(|at| at.to_string())}),
            ))
        }
        Operation::TokenList => {
            let tokens = auth.list_tokens(None).await?;
            let emails: HashMap<RecordId, String> = auth.list_users().await?.into_iter().map(|user| (user.id, user.email)).collect();
            let lines: Vec<String> = tokens
                .iter()
                .map(|t| {
                    let until = t.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("until {at}"));
                    let scopes = t.scopes.words().join(",");
                    format!("{}  {}…  {}  {}  {scopes}  {}", t.id, t.hint, emails.get(&t.user).map_or("?", String::as_str), t.name, until)
                })
                .collect();
            let object: Vec<Json> = tokens
                .iter()
                .map(|t| {
                    json!({
                        "id": t.id, "hint": t.hint, "email": emails.get(&t.user), "name": t.name, "created_at": t.created_at.to_string(),
                        "expires_at": t.expires_at.map(|at| at.to_string()), "last_used_at": t.used_at.map(|at| at.to_string()),
                        "revoked_at": t.revoked_at.map(|at| at.to_string()), "scopes": t.scopes.words(),
                        "networks": t.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    })
                })
                .collect();
            Ok(Answer::new(lines.join("\n"), json!({"ok": true, "tokens": object})))
        }
        Operation::TokenRevoke { id } => {
            auth.revoke_token(id).await?;
            Ok(Answer::new(format!("token {id} is ended"), json!({"ok": true})))
        }
        Operation::UserAdd { email, name, password, admin } => {
            let id = auth.create_user(NewUser { name, email: email.clone(), password, locale: None, admin }).await?;
            let shown = user_id(workspace, id);
            Ok(Answer::new(format!("{email} can sign in"), json!({"ok": true, "id": shown, "email": email})))
        }
        Operation::UserPassword { email, password } => {
            auth.set_password(&email, &password).await?;
            Ok(Answer::new(format!("the password of {email} is set; all sessions ended"), json!({"ok": true})))
        }
        Operation::UserLink { email } => {
            let path = auth.create_sign_in_link(&email).await?;
            Ok(Answer::new(path.clone(), json!({"ok": true, "path": path})))
        }
        Operation::UserInvite { email, name, roles } => {
            let invited = auth.invite(&Actor::system(), Invitation { name, email, roles }).await?;
            Ok(Answer::new(invited.path.clone(), json!({"ok": true, "id": user_id(workspace, invited.user), "path": invited.path})))
        }
        Operation::UserDeactivate { email, reassign_to } => {
            let heir = match reassign_to {
                Some(heir) => Some(auth.find_user(&heir).await?),
                None => None,
            };
            let user = auth.find_user(&email).await?;
            let held: i64 = auth.records_of(&Actor::system(), user).await?.iter().map(|held| held.count).sum();
            let done = auth.deactivate(&Actor::system(), user, heir).await?;
            let text = format!(
                "{email} can no longer sign in; {held} records named them, {} handed over, {} refused by rules",
                done.moved, done.left
            );
            Ok(Answer::new(text, json!({"ok": true, "records": held, "moved": done.moved, "refused": done.left})))
        }
        Operation::UserReactivate { email } => {
            auth.reactivate(&Actor::system(), auth.find_user(&email).await?).await?;
            Ok(Answer::new(format!("{email} can sign in again"), json!({"ok": true})))
        }
        Operation::UserResetSecondFactor { email } => {
            auth.reset_second_factor(&email).await?;
            Ok(Answer::new(format!("{email} has no second factor now; all sessions ended"), json!({"ok": true})))
        }
        Operation::SecondFactorRoles { roles } => {
            if let Some(roles) = roles {
                auth.set_second_factor_roles(roles.into_iter().collect()).await?;
            }
            let roles = auth.second_factor_roles().await?;
            let names: Vec<&str> = roles.iter().map(String::as_str).collect();
            let text = if names.is_empty() {
                "nobody must have a second factor".to_owned()
            } else {
                format!("must have a second factor: {}", names.join(", "))
            };
            Ok(Answer::new(text, json!({"ok": true, "roles": names})))
        }
        Operation::UserList => {
            let users = auth.list_users().await?;
            let lines: Vec<String> = users
                .iter()
                .map(|u| {
                    format!(
                        "{}  {}{}{}",
                        u.email,
                        u.name,
                        if u.roles.iter().any(|role| role == "admin") { "  administrator" } else { "" },
                        if u.active { "" } else { "  inactive" }
                    )
                })
                .collect();
            let object: Vec<Json> = users
                .iter()
                .map(|u| json!({"id": user_id(workspace, u.id), "email": u.email, "name": u.name, "roles": u.roles, "active": u.active}))
                .collect();
            Ok(Answer::new(lines.join("\n"), json!({"ok": true, "users": object})))
        }
        Operation::AccessWhy { email, record } => super::access::why(workspace, &email, &record).await,
        Operation::AccessWho { what } => super::access::who(workspace, &what).await,
        Operation::AccessAs { email } => super::access::seen(workspace, &email).await,
        Operation::Subject { record } => {
            let catalog = workspace.catalog.load_full();
            let document = transfer::subject(&workspace.records, &catalog, &Actor::system(), &record).await?;
            Ok(Answer::new(format!("{document:#}"), document))
        }
        Operation::Erase { record } => {
            let catalog = workspace.catalog.load_full();
            let found = RecordId::parse(&record).and_then(|(prefix, id)| Some((*catalog.by_prefix.get(prefix)?, id)));
            let (entity, id) = found.ok_or_else(|| AppError::Input {
                message: format!("`{record}` is no id of a record"),
                hint: "ids are written like contact_0aknk4r000004".into(),
            })?;
            let erased = workspace.records.erase(&Actor::system(), entity, id).await?;
            workspace.store.scrub().await?;
            let text = format!("erased: personal values of {} records, {} files", erased.records, erased.files);
            Ok(Answer::new(text, json!({"ok": true, "records": erased.records, "files": erased.files})))
        }
        Operation::KeyRotate => {
            let (number, keys) = crate::store::vault::rotate(&workspace.store).await?;
            audit::note(&workspace.store, audit::Entry::new("key.rotate").fact("number", number).fact("keys", keys)).await?;
            let text = format!("master key {number} protects the keys of {keys} records; keep the former ones for backups taken before");
            Ok(Answer::new(text, json!({"ok": true, "number": number, "keys": keys})))
        }
        Operation::AuditVerify { anchors } => super::audit::verify(workspace, &anchors).await,
        Operation::AuditAnchor => super::audit::anchor(workspace).await,
        Operation::AuditExport { format, since } => super::audit::export(workspace, format, since.as_deref()).await,
        Operation::Backup { to } => {
            audit::note(&workspace.store, audit::Entry::new("backup.take")).await?;
            let manifest = crate::store::backup::take(&workspace.store, &to).await?;
            let manifest: Json = serde_json::from_str(&manifest.to_json()).unwrap_or_default();
            Ok(Answer::new(format!("backup written to {}", to.display()), json!({"ok": true, "folder": to, "manifest": manifest})))
        }
    }
}

/// Whom a token acts for when nobody is named.
async fn only_administrator(workspace: &Workspace) -> Result<String, AppError> {
    let users = workspace.auth.list_users().await?;
    let mut able = users.into_iter().filter(|user| user.active && user.roles.iter().any(|role| role == "admin"));
    match (able.next(), able.next()) {
        (Some(one), None) => Ok(one.email),
        (Some(_), Some(_)) => Err(AppError::Input {
            message: "there are several administrators".into(),
            hint: "say whom the token acts for: --user EMAIL".into(),
        }),
        (None, _) => Err(AppError::Input {
            message: "there is no administrator yet".into(),
            hint: "make one: relata user add EMAIL --name NAME --admin (the password is read from standard input)".into(),
        }),
    }
}

fn user_id(workspace: &Workspace, id: crate::base::RecordId) -> String {
    let catalog = workspace.catalog.load();
    id.display(catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str()))
}

/// A plan as an answer.
pub fn plan_answer(plan: &deploy::Plan) -> Answer {
    let mut text = plan.text();
    if !plan.warnings().is_empty() {
        text.push_str(&crate::schema::diagnostic::render_text(plan.warnings()));
    }
    Answer::new(text, plan.to_json())
}

async fn import(workspace: &Workspace, order: ImportOrder, progress: &(dyn Fn(Progress) + Sync)) -> Result<Answer, AppError> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(order.content).map_err(|error| AppError::Input {
        message: format!("the file was not passed whole: {error}"),
        hint: "run the command again".into(),
    })?;
    let table = Table::read(&bytes, &TableOptions { encoding: order.encoding, delimiter: order.delimiter })?;
    let catalog = workspace.catalog.load_full();
    let mapping = match (&order.mapping, &order.into) {
        (Some(document), _) => Mapping::read(document, &catalog, &table.header)?,
        (None, Some(into)) => {
            let entity = catalog.find_entity(into).ok_or_else(|| {
                let near = crate::schema::diagnostic::nearest(into, catalog.entities.iter().map(|entity| entity.id.as_str()));
                AppError::Input {
                    message: format!("no entity `{into}`"),
                    hint: near.map_or_else(
                        || "entities are written `package.entity` or by their short name".into(),
                        |near| format!("did you mean `{near}`?"),
                    ),
                }
            })?;
            Mapping::guess(&catalog, entity, &order.match_fields, &table.header)?
        }
        (None, None) => {
            return Err(AppError::Input {
                message: "neither a mapping nor an entity is given".into(),
                hint: "say --mapping FILE or --into ENTITY".into(),
            });
        }
    };
    let header = table.header.clone();
    let zone = catalog.settings.time_zone.clone();
    let reason = order.reason.as_deref().map(|reason| reason.trim().to_owned());
    if reason.as_deref().is_some_and(|reason| !is_reason(reason)) {
        return Err(AppError::Input {
            message: "--reason says nothing, or too much".into(),
            hint: format!("say in at most {LONGEST_REASON} characters why rows pass over a gate, or leave it out"),
        });
    }
    let job = Import {
        table,
        mapping,
        zone,
        dry_run: order.dry_run,
        without_hooks: order.without_scripts,
        reason,
        allow_duplicates: order.allow_duplicates,
    };
    let report = transfer::import(&workspace.records, &Actor::system(), job, progress).await?;
    if !order.dry_run {
        let mut entry = audit::Entry::new("records.import");
        for (name, count) in [("created", report.created), ("updated", report.updated), ("failed", report.failed.len() as u64)] {
            entry = entry.fact(name, count);
        }
        audit::note(&workspace.store, if let Some(into) = &order.into { entry.of(into) } else { entry }).await?;
    }
    let mut object = report.to_json();
    object["ok"] = json!(report.failed.is_empty());
    object["dry_run"] = json!(order.dry_run);
    if !report.failed.is_empty() {
        object["failed_csv"] = json!(String::from_utf8_lossy(&report.failed_csv(&header)));
    }
    Ok(Answer { text: report_text(&report, order.dry_run), object, exit: if report.failed.is_empty() { exit::OK } else { exit::ERROR } })
}

fn report_text(report: &transfer::Report, dry_run: bool) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} rows: {} created, {} updated, {} unchanged, {} failed{}",
        report.rows,
        report.created,
        report.updated,
        report.unchanged,
        report.failed.len(),
        if dry_run { " (dry run: nothing was kept)" } else { "" }
    );
    for (entity, count) in &report.linked {
        let _ = writeln!(text, "  {count} {entity} made");
    }
    if !report.unused.is_empty() {
        let _ = writeln!(text, "  columns not used: {}", report.unused.join(", "));
    }
    let mut keys: Vec<(&str, &str, &str)> =
        report.differences.iter().map(|d| (d.entity.as_str(), d.key.as_str(), d.field.as_str())).collect();
    keys.sort_unstable();
    keys.dedup();
    if !keys.is_empty() {
        let _ = writeln!(text, "  {} values of kept records differ in the file:", keys.len());
        for difference in report.differences.iter().take(50) {
            let _ = writeln!(
                text,
                "    line {}: {} {} {}: kept `{}`, file says `{}`",
                difference.line, difference.entity, difference.key, difference.field, difference.kept, difference.found
            );
        }
        if report.differences.len() > 50 {
            let _ = writeln!(text, "    … {} more (all with --json)", report.differences.len() - 50);
        }
    }
    for row in report.failed.iter().take(20) {
        let _ = writeln!(text, "  line {}: {}", row.line, row.reason);
    }
    if report.failed.len() > 20 {
        let _ = writeln!(text, "  … {} more failed rows", report.failed.len() - 20);
    }
    text
}
