//! Doing an operation: through the running server's socket, or by opening the workspace here.

use super::operation::{Answer, Operation, perform, plan_answer, sources};
use super::{AppError, Config, Options, Workspace, control};
use crate::deploy;
use crate::store::{Store, Target};
use crate::transfer::Progress;

impl Config {
    /// How this configuration opens its workspace.
    pub fn options(&self) -> Options {
        let mut options = Options::new(self.target.clone(), self.folders.clone());
        options.files = Some(self.files());
        options.keys = Some(self.keys.clone());
        options.postgres_connections = self.postgres_connections;
        options.longest_read = self.longest_read;
        options.job_workers = self.job_workers;
        options.events_kept = self.events_kept;
        options.egress = self.egress.clone();
        options.mail = self.mail.clone();
        options.public_url = self.web.public_url.join("");
        options.provider = self.provider.clone();
        options.sessions = self.sessions;
        options
    }
}

/// Does it wherever the workspace is.
///
/// # Errors
/// As [`perform`].
pub async fn run(config: &Config, operation: Operation, progress: &(dyn Fn(Progress) + Sync)) -> Result<Answer, AppError> {
    if matches!(config.target, Target::Sqlite { .. })
        && let Some(answer) = control::ask(&config.data, &operation, progress).await?
    {
        return Ok(answer);
    }
    if let Target::Sqlite { path } = &config.target
        && needs_workspace(&operation)
        && !path.join("relata.db").is_file()
    {
        // Opening would make an empty one: a backup of nothing in the wrong folder must not look like a backup.
        return Err(AppError::Input {
            message: format!("there is no workspace in {}", path.display()),
            hint: "go to its folder, or name the data folder with --data; `relata serve` makes a new one".into(),
        });
    }
    let options = config.options();
    if let Operation::Plan { files } = operation {
        // A plan writes nothing, so the workspace is not opened: its first opening applies.
        let store = Store::open(options.store()).await?;
        let plan = deploy::plan(&store, &sources(files)).await;
        store.close().await?;
        return Ok(plan_answer(&plan?));
    }
    let workspace = match &operation {
        Operation::Apply { files, .. } => Workspace::open_for_apply(&options, &sources(files.clone())).await?,
        _ => Workspace::open(&options).await?,
    };
    let answer = perform(&workspace, operation, progress).await;
    // Whatever was queued is done by the next server; a command does not wait for it.
    workspace.store.close().await?;
    answer
}

/// Whether the operation is about something that must be there already.
fn needs_workspace(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::TokenList
            | Operation::TokenRevoke { .. }
            | Operation::UserList
            | Operation::UserPassword { .. }
            | Operation::UserLink { .. }
            | Operation::AccessWhy { .. }
            | Operation::AccessWho { .. }
            | Operation::AccessAs { .. }
            | Operation::Backup { .. }
    )
}
