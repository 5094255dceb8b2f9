//! The audit on the command line, and its anchors.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::operation::Answer;
use super::{AppError, Workspace};
use crate::base::{Date, DateTime};
use crate::cli::{AuditFormat, exit};
use crate::deploy::Plan;
use crate::store::Store;
use crate::store::audit::{self, Anchor, Entry, Filter};

/// How often the end of the chain is put down.
const ANCHOR_EVERY: Duration = Duration::from_secs(3600);

/// Follows the chain and compares it with anchors.
pub async fn verify(workspace: &Workspace, anchors: &[String]) -> Result<Answer, AppError> {
    let mut known = Vec::with_capacity(anchors.len());
    for line in anchors {
        let Some(anchor) = Anchor::parse(line) else {
            return Err(AppError::Input {
                message: format!("this is no anchor: {}", line.chars().take(80).collect::<String>()),
                hint: "anchors are lines like `relata-audit/1 42 9f…`, as `relata audit anchor` prints them".into(),
            });
        };
        known.push(anchor);
    }
    let count = known.len();
    Ok(match audit::verify(&workspace.store, known).await? {
        Ok(end) => {
            let entries = end.as_ref().map_or(0, |end| end.seq);
            let told = if count == 0 { "no anchor was compared".to_owned() } else { format!("{count} anchors hold") };
            let anchor = end.map(|end| end.to_string());
            let text = format!("{entries} entries, the chain is whole; {told}\n{}", anchor.as_deref().unwrap_or(""));
            Answer::new(text, json!({"ok": true, "entries": entries, "anchors": count, "anchor": anchor}))
        }
        Err(fault) => Answer {
            text: format!("BROKEN: {fault}"),
            object: json!({"ok": false, "error": {"code": "APP007", "message": fault.to_string(), "hint": null, "details": null}}),
            exit: exit::ERROR,
        },
    })
}

/// The end of the chain, to be kept elsewhere.
pub async fn anchor(workspace: &Workspace) -> Result<Answer, AppError> {
    let anchor = audit::head(&workspace.store).await?.map(|anchor| anchor.to_string());
    Ok(Answer::new(anchor.clone().unwrap_or_default(), json!({"ok": true, "anchor": anchor})))
}

/// Entries as CSV or JSON. The export is an entry itself.
pub async fn export(workspace: &Workspace, format: AuditFormat, since: Option<&str>) -> Result<Answer, AppError> {
    let since = match since {
        None => None,
        Some(day) => Some(
            Date::parse(day)
                .map(|day| DateTime(i64::from(day.0) * 86_400_000_000))
                .ok_or_else(|| AppError::Input { message: format!("`{day}` is no day"), hint: "write it like 2026-01-31".into() })?,
        ),
    };
    audit::note(&workspace.store, Entry::new("audit.export")).await?;
    let lines = audit::list(&workspace.store, &Filter { since, ..Filter::default() }, None, audit::LONGEST_EXPORT).await?;
    let entries = audit::to_json(&lines);
    let text = match format {
        AuditFormat::Csv => audit::to_csv(&lines),
        AuditFormat::Json => format!("{entries:#}"),
    };
    Ok(Answer::new(text, json!({"ok": true, "entries": entries})))
}

/// Someone asked what definitions would change.
pub async fn note_plan(workspace: &Workspace, plan: &Plan) -> Result<(), AppError> {
    let entry = Entry::new("definitions.plan").fact("plan", plan.id.as_str()).fact("changes", plan.steps.len());
    audit::note(&workspace.store, entry).await?;
    Ok(())
}

/// Puts the end of the chain down in a file: now, each hour, and when the server stops.
pub async fn keep_anchors(store: Store, path: PathBuf, mut stopped: watch::Receiver<bool>) {
    let mut last = 0;
    loop {
        if let Err(error) = put_anchor(&store, &path, &mut last).await {
            tracing::error!(error = %error, "the end of the audit could not be put down");
        }
        tokio::select! {
            () = tokio::time::sleep(ANCHOR_EVERY) => {}
            _ = stopped.changed() => break,
        }
    }
    if let Err(error) = put_anchor(&store, &path, &mut last).await {
        tracing::error!(error = %error, "the end of the audit could not be put down");
    }
}

async fn put_anchor(store: &Store, path: &Path, last: &mut i64) -> Result<(), AppError> {
    let Some(anchor) = audit::head(store).await?.filter(|anchor| anchor.seq != *last) else { return Ok(()) };
    let line = format!("{anchor} {}\n", store.clock().now());
    let written = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).and_then(|mut file| {
        file.write_all(line.as_bytes())?;
        file.sync_data()
    });
    written.map_err(|error| AppError::File { path: path.display().to_string(), reason: error.to_string() })?;
    *last = anchor.seq;
    Ok(())
}
