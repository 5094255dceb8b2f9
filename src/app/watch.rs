//! Watching definition files: what is saved is applied, what is faulty is shown and the last good is served on.

use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::{mpsc, watch};

use super::{AppError, Workspace};
use crate::deploy;
use crate::schema::diagnostic;

/// Editors write a file in several steps: this long nothing must happen before it is read.
const QUIET: Duration = Duration::from_millis(120);

/// Applies on each change until shutdown.
///
/// # Errors
/// When the folders cannot be watched.
pub async fn watch(
    workspace: Workspace,
    mut shutdown: watch::Receiver<bool>,
    tell: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(), AppError> {
    let (sender, mut changes) = mpsc::unbounded_channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| event.kind.is_create() || event.kind.is_modify() || event.kind.is_remove()) {
            let _ = sender.send(());
        }
    })
    .map_err(|error| AppError::Start(format!("files cannot be watched: {error}")))?;
    for folder in [workspace.folders.definitions.clone(), workspace.folders.plugins()] {
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .map_err(|error| AppError::File { path: folder.display().to_string(), reason: error.to_string() })?;
        }
    }
    tokio::spawn(async move {
        let _watcher = watcher;
        loop {
            tokio::select! {
                change = changes.recv() => if change.is_none() { return },
                _ = shutdown.changed() => return,
            }
            while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|more| more.is_some()) {}
            tell(&apply_once(&workspace).await);
        }
    });
    Ok(())
}

/// One round; gives what to show.
async fn apply_once(workspace: &Workspace) -> String {
    let result = match deploy::read(&workspace.folders) {
        Ok(files) => workspace.apply(&files, None, &[], 0).await,
        Err(error) => Err(error.into()),
    };
    let text = match result {
        Ok(applied) if applied.changes == 0 => return "definitions saved, nothing to change".into(),
        Ok(applied) => return format!("{}applied: version {}", applied.text, applied.version),
        Err(AppError::Deploy(deploy::DeployError::Faults(faults))) => diagnostic::render_text(&faults),
        Err(error) => {
            use crate::base::Explain;
            let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{error} [{}]{hint}", error.code())
        }
    };
    workspace.fault.store(Arc::new(Some(text.clone())));
    format!("{text}\nthe last good definitions are served on")
}
