//! The applied definitions and which table and columns each of them is bound to.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime};
use crate::schema::bindings::{Binding, BindingKind, BindingState, Bindings};

/// What was applied last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub digest: String,
    /// The effective definitions, as `deploy` wrote them.
    pub bundle_json: String,
    pub bindings: Bindings,
}

/// One line of the list of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: i64,
    pub digest: String,
    pub at: DateTime,
    /// Who applied it, a user id or 0.
    pub by: i64,
}

/// A version about to be applied.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// The version the plan was made against: another one now is [`StoreError::StaleCatalog`].
    pub base: i64,
    pub digest: String,
    pub bundle_json: String,
    pub plan_json: String,
    /// Bindings that are new or changed; others may be among them.
    pub bindings: Vec<Binding>,
    pub by: i64,
}

/// The definitions in force, `None` before the first apply.
pub async fn load_applied(store: &Store) -> Result<Option<Applied>, StoreError> {
    let version = version(store).await?;
    load_version(store, version).await
}

/// The version in force, 0 before the first apply.
pub async fn version(store: &Store) -> Result<i64, StoreError> {
    let rows = store.rows(Sql::new("SELECT version FROM sys_schema"), &[INT]).await?;
    Ok(rows.one_int().unwrap_or(0))
}

/// A version's bundle, with the bindings as they are now.
pub async fn load_version(store: &Store, version: i64) -> Result<Option<Applied>, StoreError> {
    let sql = Sql::template("SELECT version, digest, bundle_json FROM sys_def_version WHERE version = ?", [int(version)]);
    let rows = store.rows(sql, &[INT, TEXT, TEXT]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let bindings = list_bindings(store).await?;
    Ok(Some(Applied { version: read::int(row, 0), digest: read::text(row, 1), bundle_json: read::text(row, 2), bindings }))
}

/// All bindings, retired ones too.
pub async fn list_bindings(store: &Store) -> Result<Bindings, StoreError> {
    let sql = Sql::new("SELECT uid, kind, parent_uid, name, table_name, column_names, prefix, state, shape FROM sys_catalog ORDER BY uid");
    let rows = store.rows(sql, &[TEXT; 9]).await?;
    let mut bindings = Bindings::default();
    for row in rows.iter() {
        let binding = binding(row).ok_or_else(|| StoreError::Corrupt(format!("binding `{}` is unreadable", read::text(row, 0))))?;
        bindings.by_uid.insert(binding.uid.clone(), binding);
    }
    Ok(bindings)
}

fn binding(row: &[Cell]) -> Option<Binding> {
    let columns = read::text(row, 5);
    Some(Binding {
        uid: read::text(row, 0),
        kind: BindingKind::parse(&read::text(row, 1))?,
        parent: read::opt_text(row, 2),
        name: read::text(row, 3),
        table: read::opt_text(row, 4),
        columns: columns.split(',').filter(|column| !column.is_empty()).map(str::to_owned).collect(),
        prefix: read::opt_text(row, 6),
        state: BindingState::parse(&read::text(row, 7))?,
        shape: read::text(row, 8),
    })
}

/// Versions, newest first.
pub async fn list_versions(store: &Store, limit: u32) -> Result<Vec<Version>, StoreError> {
    let sql =
        Sql::template("SELECT version, digest, at, by_user FROM sys_def_version ORDER BY version DESC LIMIT ?", [int(i64::from(limit))]);
    let rows = store.rows(sql, &[INT, TEXT, AT, INT]).await?;
    let version =
        |row: &[_]| Version { version: read::int(row, 0), digest: read::text(row, 1), at: read::at(row, 2), by: read::int(row, 3) };
    Ok(rows.iter().map(version).collect())
}

/// Records a new version inside [`Store::apply`], after the DDL of the same transaction; gives its number.
///
/// # Errors
/// [`StoreError::StaleCatalog`] when another version than `base` is in force.
pub async fn save_version(tx: &mut Tx, new: &NewVersion) -> Result<i64, StoreError> {
    let version = new.base + 1;
    let sql = Sql::template("UPDATE sys_schema SET version = ? WHERE version = ?", [int(version), int(new.base)]);
    let touched = tx.run(sql).await?;
    tx.forget_catalog_version();
    if touched == 0 {
        let actual = tx.catalog_version().await?;
        return Err(StoreError::StaleCatalog { expected: new.base, actual });
    }
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_def_version (version, base, digest, bundle_json, plan_json, by_user, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            int(version),
            int(new.base),
            text(new.digest.as_str()),
            text(new.bundle_json.as_str()),
            text(new.plan_json.as_str()),
            int(new.by),
            at(now),
        ],
    ))
    .await?;
    for binding in &new.bindings {
        save_binding(tx, binding).await?;
    }
    tx.announce_catalog(version).await?;
    let changes = serde_json::from_str::<Vec<serde_json::Value>>(&new.plan_json).map_or(0, |steps| steps.len());
    let mut entry = Entry::new("definitions.apply").fact("version", version).fact("digest", new.digest.as_str()).fact("changes", changes);
    if new.by != 0 {
        entry = entry.by(new.by, "person");
    }
    audit::append(tx, entry).await?;
    Ok(version)
}

async fn save_binding(tx: &mut Tx, binding: &Binding) -> Result<(), StoreError> {
    let columns = binding.columns.join(",");
    tx.run(Sql::template(
        "INSERT INTO sys_catalog (uid, kind, parent_uid, name, table_name, column_names, prefix, state, shape) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (uid) DO UPDATE SET kind = excluded.kind, parent_uid = excluded.parent_uid, name = excluded.name, \
         table_name = excluded.table_name, column_names = excluded.column_names, prefix = excluded.prefix, \
         state = excluded.state, shape = excluded.shape",
        [
            text(binding.uid.as_str()),
            text(binding.kind.as_str()),
            text(binding.parent.as_deref()),
            text(binding.name.as_str()),
            text(binding.table.as_deref()),
            text(columns.as_str()),
            text(binding.prefix.as_deref()),
            text(binding.state.as_str()),
            text(binding.shape.as_str()),
        ],
    ))
    .await?;
    Ok(())
}
