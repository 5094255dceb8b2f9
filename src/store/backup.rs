//! Online backup and verified restore.
//!
//! A backup is a folder: `relata.db` (a consistent copy), `files/` (contents of live files), `keys/` (those that sign the
//! audit and protect encrypted values) and `manifest.json` with hashes and counts. On PostgreSQL the database itself is backed up by the server's own tools; asked for one, we say so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Dialect, Sql, Store, StoreError, files, sqlite};
use crate::schema::catalog::ColumnKind;

/// What a backup holds, for its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub format: u32,
    /// When it was taken, RFC 3339.
    pub taken_at: String,
    /// Program's newest system migration.
    pub migration: i64,
    /// Version of the definitions.
    pub catalog_version: i64,
    /// SHA-256 of `relata.db`.
    pub database_sha256: String,
    /// Rows of each table.
    pub rows: BTreeMap<String, i64>,
    /// Number and bytes of file contents.
    pub files: i64,
    pub file_bytes: i64,
}

const FORMAT: u32 = 1;

/// Takes a backup into `folder`, which must not exist, while everything goes on. It appears under its name only when it
/// is whole and verified.
///
/// # Errors
/// [`StoreError::BadBackup`] when the copy does not verify or the database is PostgreSQL.
pub async fn take(store: &Store, folder: &Path) -> Result<Manifest, StoreError> {
    if store.dialect() == Dialect::Postgres {
        let message = "use pg_dump or the server's base backup for PostgreSQL, and copy the files folder";
        return Err(StoreError::BadBackup(message.to_owned()));
    }
    if folder.exists() {
        return Err(StoreError::BadBackup(format!("{} exists already", folder.display())));
    }
    let partial = beside(folder, "partial");
    let _ = tokio::fs::remove_dir_all(&partial).await;
    tokio::fs::create_dir_all(&partial).await.map_err(|error| StoreError::file(&partial, &error))?;
    let outcome = fill(store, &partial).await;
    let manifest = match outcome {
        Ok(manifest) => manifest,
        Err(error) => {
            let _ = tokio::fs::remove_dir_all(&partial).await;
            return Err(error);
        }
    };
    tokio::fs::rename(&partial, folder).await.map_err(|error| StoreError::file(folder, &error))?;
    Ok(manifest)
}

async fn fill(store: &Store, folder: &Path) -> Result<Manifest, StoreError> {
    let source = store.data_folder().ok_or(StoreError::Closed)?.to_owned();
    let copy = sqlite::connect::database_path(folder);
    let (from, to) = (sqlite::connect::database_path(&source), copy.clone());
    on_blocking_thread(move || sqlite::backup::copy(&from, &to)).await?;
    // Contents are immutable and written before the rows that name them: copied after the database, none is missing.
    let sql = Sql::new("SELECT DISTINCT sha256, size_bytes FROM sys_file WHERE deleted_at IS NULL");
    let rows = store.rows(sql, &[ColumnKind::Text, ColumnKind::Int]).await?;
    let (mut count, mut bytes) = (0, 0);
    for row in rows.iter() {
        let sha256 = row[0].as_text().unwrap_or_default();
        let from = files::content_path(store, sha256);
        let to = files::place(&folder.join("files"), sha256);
        if let Some(parent) = to.parent() {
            tokio::fs::create_dir_all(parent).await.map_err(|error| StoreError::file(parent, &error))?;
        }
        tokio::fs::copy(&from, &to).await.map_err(|error| StoreError::file(&from, &error))?;
        count += 1;
        bytes += row[1].as_int().unwrap_or(0);
    }
    copy_keys(&source.join("keys"), &folder.join("keys")).await?;
    let taken_at = store.clock().now().to_string();
    let manifest = on_blocking_thread(move || {
        let facts = sqlite::backup::verify(&copy)?;
        Ok(Manifest {
            format: FORMAT,
            taken_at,
            migration: facts.migration,
            catalog_version: facts.catalog_version,
            database_sha256: sqlite::backup::hash_file(&copy)?,
            rows: facts.rows,
            files: count,
            file_bytes: bytes,
        })
    })
    .await?;
    let path = folder.join("manifest.json");
    tokio::fs::write(&path, manifest.to_json()).await.map_err(|error| StoreError::file(&path, &error))?;
    Ok(manifest)
}

/// Without its keys the chain of the copy could not be followed, nor its encrypted values be read. `copy` keeps their mode.
async fn copy_keys(from: &Path, to: &Path) -> Result<(), StoreError> {
    let Ok(mut entries) = tokio::fs::read_dir(from).await else { return Ok(()) };
    let fault = |error: std::io::Error| StoreError::file(from, &error);
    while let Some(entry) = entries.next_entry().await.map_err(fault)? {
        let name = entry.file_name();
        let is_ours = ["audit", "blind", "data-"].iter().any(|known| name.to_string_lossy().starts_with(known));
        if is_ours && Path::new(&name).extension().is_some_and(|extension| extension == "key") {
            tokio::fs::create_dir_all(to).await.map_err(|error| StoreError::file(to, &error))?;
            tokio::fs::copy(entry.path(), to.join(&name)).await.map_err(fault)?;
        }
    }
    Ok(())
}

/// Reads a backup's manifest and verifies everything it says: hash, integrity, references, counts, each file's content.
pub async fn verify(folder: &Path) -> Result<Manifest, StoreError> {
    let folder = folder.to_owned();
    on_blocking_thread(move || verify_folder(&folder)).await
}

fn verify_folder(folder: &Path) -> Result<Manifest, StoreError> {
    let path = folder.join("manifest.json");
    let text = std::fs::read(&path).map_err(|error| StoreError::file(&path, &error))?;
    let manifest = Manifest::parse(&text).ok_or_else(|| StoreError::BadBackup("manifest.json cannot be read".to_owned()))?;
    let database = sqlite::connect::database_path(folder);
    if sqlite::backup::hash_file(&database)? != manifest.database_sha256 {
        return Err(StoreError::BadBackup("relata.db is not the file that was backed up".to_owned()));
    }
    let facts = sqlite::backup::verify(&database)?;
    if facts.rows != manifest.rows || facts.catalog_version != manifest.catalog_version {
        return Err(StoreError::BadBackup("the numbers of rows differ from the manifest".to_owned()));
    }
    for sha256 in &facts.contents {
        let path = files::place(&folder.join("files"), sha256);
        if sqlite::backup::hash_file(&path)? != *sha256 {
            return Err(StoreError::BadBackup(format!("the content of file {sha256} is damaged")));
        }
    }
    Ok(manifest)
}

/// Puts a verified backup in the place of the data folder `data`, which no process may have open. What was there is kept
/// beside it as `<data>.before-restore-<n>`, whose path is given back. Sessions end: everyone's epoch is raised.
///
/// # Errors
/// [`StoreError::Locked`] when a process has the folder open; nothing is changed unless the backup verifies.
pub async fn restore(backup: &Path, data: &Path) -> Result<(Manifest, Option<PathBuf>), StoreError> {
    let (backup, data) = (backup.to_owned(), data.to_owned());
    on_blocking_thread(move || {
        let manifest = verify_folder(&backup)?;
        let fresh = beside(&data, "restoring");
        let _ = std::fs::remove_dir_all(&fresh);
        copy_folder(&backup, &fresh)?;
        let database = sqlite::connect::database_path(&fresh);
        sqlite::backup::verify(&database)?;
        sqlite::backup::end_sessions(&database)?;
        let former = if data.exists() {
            let lock = sqlite::folder::take(&data)?;
            // Whatever else lies in the folder (keys) stays where the next start looks for it.
            keep_others(&data, &fresh)?;
            keep_ledger(&data, &fresh)?;
            let former = (1..).map(|number| beside(&data, &format!("before-restore-{number}"))).find(|path| !path.exists());
            let former = former.unwrap_or_else(|| beside(&data, "before-restore"));
            std::fs::rename(&data, &former).map_err(|error| StoreError::file(&data, &error))?;
            drop(lock);
            Some(former)
        } else {
            None
        };
        std::fs::rename(&fresh, &data).map_err(|error| StoreError::file(&data, &error))?;
        Ok((manifest, former))
    })
    .await
}

/// Copies files of the old data folder that a backup does not hold.
fn keep_others(data: &Path, fresh: &Path) -> Result<(), StoreError> {
    let fault = |error: std::io::Error| StoreError::file(data, &error);
    for entry in std::fs::read_dir(data).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let is_ours = name.to_string_lossy().starts_with("relata.") || name == "files";
        if !is_ours && entry.file_type().map_err(fault)?.is_file() {
            std::fs::copy(entry.path(), fresh.join(name)).map_err(fault)?;
        }
    }
    Ok(())
}

/// What was erased since the backup is erased again at the next start.
fn keep_ledger(data: &Path, fresh: &Path) -> Result<(), StoreError> {
    let ledger = data.join("keys").join(super::erasures::LEDGER);
    if ledger.is_file() {
        let keys = fresh.join("keys");
        std::fs::create_dir_all(&keys).map_err(|error| StoreError::file(&keys, &error))?;
        std::fs::copy(&ledger, keys.join(super::erasures::LEDGER)).map_err(|error| StoreError::file(&ledger, &error))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), StoreError> {
    let fault = |error: std::io::Error| StoreError::file(to, &error);
    std::fs::create_dir_all(to).map_err(fault)?;
    for entry in std::fs::read_dir(from).map_err(|error| StoreError::file(from, &error))? {
        let entry = entry.map_err(fault)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(fault)?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).map_err(fault)?;
            std::fs::File::open(&target).and_then(|file| file.sync_all()).map_err(fault)?;
        }
    }
    Ok(())
}

/// `<path>.<what>` in the same folder.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    path.with_file_name(name)
}

async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Panicked(error.to_string()))?
}

impl Manifest {
    /// The text of `manifest.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::json!({
            "format": self.format,
            "taken_at": self.taken_at,
            "migration": self.migration,
            "catalog_version": self.catalog_version,
            "database_sha256": self.database_sha256,
            "rows": self.rows,
            "files": self.files,
            "file_bytes": self.file_bytes,
        });
        format!("{json:#}\n")
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let json = crate::base::json::parse(text).ok()?;
        let int = |key: &str| json.get(key)?.as_i64();
        let string = |key: &str| json.get(key)?.as_str().map(str::to_owned);
        let rows = json.get("rows")?.as_object()?.iter().map(|(table, count)| Some((table.clone(), count.as_i64()?)));
        let manifest = Self {
            format: u32::try_from(int("format")?).ok()?,
            taken_at: string("taken_at")?,
            migration: int("migration")?,
            catalog_version: int("catalog_version")?,
            database_sha256: string("database_sha256")?,
            rows: rows.collect::<Option<_>>()?,
            files: int("files")?,
            file_bytes: int("file_bytes")?,
        };
        (manifest.format == FORMAT).then_some(manifest)
    }
}
