//! The socket of a running server in its data folder: other commands of the same machine work through it.
//!
//! One request a connection: a line of JSON ([`Operation`]); answered by lines, `{"progress": …}` any number of times and at
//! last `{"answer": …}` or `{"error": …}`. The socket file is readable by its owner alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};

use super::operation::{Answer, Operation, perform};
use super::{AppError, Workspace};
use crate::base::Explain;
use crate::deploy::DeployError;
use crate::schema::diagnostic;
use crate::transfer::Progress;
use crate::web::PublicUrl;

/// Name of the socket in the data folder.
const SOCKET: &str = "control.sock";
/// Longest request: an import travels whole.
const MAX_LINE_BYTES: u64 = 1_500_000_000;

fn path(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// Listens until shutdown.
///
/// # Errors
/// When the socket cannot be made.
pub async fn listen(workspace: Workspace, url: PublicUrl, data: &Path, mut shutdown: watch::Receiver<bool>) -> std::io::Result<()> {
    let path = path(data);
    // The lock on the data folder is held: a socket that is still there belongs to a process that is gone.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = shutdown.changed() => break,
            };
            if let Ok((stream, _)) = accepted {
                let (workspace, url) = (workspace.clone(), url.clone());
                tokio::spawn(async move {
                    if let Err(error) = answer(&workspace, &url, stream).await {
                        tracing::debug!(error = %error, "a command went away");
                    }
                });
            }
        }
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn answer(workspace: &Workspace, url: &PublicUrl, stream: UnixStream) -> std::io::Result<()> {
    use tokio::io::AsyncReadExt;
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(MAX_LINE_BYTES)).read_line(&mut line).await?;
    let operation: Operation = match serde_json::from_str(&line) {
        Ok(operation) => operation,
        Err(error) => {
            let fault = json!({"error": {"code": "APP006", "message": format!("the running server does not know this command: {error}"), "hint": "run the same version of the program as the server", "exit": 1}});
            return writer.write_all(format!("{fault}\n").as_bytes()).await;
        }
    };
    let gives_link = matches!(operation, Operation::UserLink { .. });
    let (sender, mut receiver) = mpsc::unbounded_channel::<Progress>();
    let work = async {
        let tell = move |progress: Progress| {
            // Whoever asked may have gone; the work goes on.
            let _ = sender.send(progress);
        };
        perform(workspace, operation, &tell).await
    };
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            Some(progress) = receiver.recv() => {
                let line = json!({"progress": {"done": progress.done, "total": progress.total, "failed": progress.failed}});
                writer.write_all(format!("{line}\n").as_bytes()).await?;
            }
        }
    };
    let line = match result {
        Ok(mut answer) => {
            if gives_link {
                // This server knows where it is reached; the command that asks may be configured otherwise.
                answer.object["url"] = url.join(&answer.text).into();
            }
            json!({"answer": answer})
        }
        Err(error) => json!({"error": fault(&error)}),
    };
    writer.write_all(format!("{line}\n").as_bytes()).await
}

fn fault(error: &AppError) -> Json {
    let diagnostics = match error {
        AppError::Deploy(DeployError::Faults(faults)) => Some(diagnostic::render_text(faults)),
        _ => None,
    };
    let document = match error {
        AppError::Deploy(DeployError::Faults(faults)) => json!({"ok": false, "diagnostics": diagnostic::to_json(faults)}),
        _ => crate::cli::print::refusal(error),
    };
    json!({"document": document, "code": error.code(), "message": error.to_string(), "hint": error.hint(), "exit": error.exit_code(), "diagnostics": diagnostics})
}

/// Has a running server do it; `None` when none listens.
///
/// # Errors
/// What the server refuses, or a connection that breaks.
pub async fn ask(data: &Path, operation: &Operation, progress: &(dyn Fn(Progress) + Sync)) -> Result<Option<Answer>, AppError> {
    let Ok(stream) = UnixStream::connect(path(data)).await else {
        return Ok(None);
    };
    let broken = |reason: String| AppError::Remote {
        code: "APP006".into(),
        message: format!("the running server stopped answering: {reason}"),
        hint: Some("look at its log; whether the command was done is not known".into()),
        exit: 1,
        diagnostics: None,
        document: None,
    };
    let request = serde_json::to_string(operation).map_err(|error| broken(error.to_string()))?;
    let (reader, mut writer) = stream.into_split();
    writer.write_all(request.as_bytes()).await.map_err(|error| broken(error.to_string()))?;
    writer.write_all(b"\n").await.map_err(|error| broken(error.to_string()))?;
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await.map_err(|error| broken(error.to_string()))? {
        let mut message: Json = serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
        if let Some(step) = message.get("progress") {
            let number = |key: &str| step.get(key).and_then(Json::as_u64).unwrap_or(0);
            progress(Progress { done: number("done"), total: number("total"), failed: number("failed") });
        } else if let Some(answer) = message.get_mut("answer") {
            let answer = serde_json::from_value(answer.take()).map_err(|error| broken(error.to_string()))?;
            return Ok(Some(answer));
        } else if let Some(error) = message.get("error") {
            let text = |key: &str| error.get(key).and_then(Json::as_str).map(str::to_owned);
            return Err(AppError::Remote {
                code: text("code").unwrap_or_default(),
                message: text("message").unwrap_or_default(),
                hint: text("hint"),
                exit: error.get("exit").and_then(Json::as_i64).and_then(|code| i32::try_from(code).ok()).unwrap_or(1),
                diagnostics: text("diagnostics"),
                document: error.get("document").cloned(),
            });
        }
    }
    Err(broken("the connection ended".into()))
}

/// Whether a server listens on the socket of this data folder.
pub async fn is_running(data: &Path) -> bool {
    UnixStream::connect(path(data)).await.is_ok()
}
