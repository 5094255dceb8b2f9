//! A complete example: template, sample data, an administrator.

use std::path::Path;

use super::{AppError, Workspace, init};
use crate::access::{Actor, ActorKind};
use crate::auth::NewUser;
use crate::cli::InitArgs;
use crate::schema::DataKind;
use crate::transfer;

/// The demo's administrator.
pub const ADMIN: &str = "admin@example.com";
/// What is said of the password: none is ever built in.
pub const PASSWORD_NOTE: &str = "you set with `relata user password admin@example.com`";

/// Writes the workspace's files where there are none.
///
/// # Errors
/// Files that cannot be written, an unknown template.
pub fn write_files(folder: &Path, template: &str) -> Result<(), AppError> {
    if folder.join("relata.yaml").exists() {
        return Ok(());
    }
    let args = InitArgs {
        folder: folder.to_owned(),
        template: vec![template.to_owned()],
        plugins: Vec::new(),
        name: Some("Relata demo".into()),
        currency: None,
        language: None,
        time_zone: None,
        yes: true,
    };
    init::init(&args)?;
    Ok(())
}

/// Makes the administrator and loads the sample data, once.
///
/// # Errors
/// What the rooms refuse.
pub async fn fill(workspace: &Workspace) -> Result<(), AppError> {
    if workspace.auth.setup_is_open().await? {
        let mut secret = [0_u8; 18];
        workspace.random.fill(&mut secret);
        let password = crate::base::text::hex(&secret);
        workspace.auth.create_user(NewUser { name: "Admin".into(), email: ADMIN.into(), password, locale: None, admin: true }).await?;
    }
    // The administrator owns what is loaded, so that "my deals" has some.
    let users = workspace.auth.list_users().await?;
    let admin = users.iter().find(|user| user.email == ADMIN).map(|user| user.id);
    let actor = match admin {
        Some(admin) => workspace.records.actor_of(admin).await?,
        None => None,
    };
    let actor = actor.map_or_else(Actor::system, |actor| Actor { kind: ActorKind::Person, ..actor });
    transfer::load_data(&workspace.records, &actor, &workspace.data_sets()?, DataKind::Sample).await?;
    Ok(())
}
