//! Uploaded files: facts in `sys_file`, content on disk under its hash. The junctions of file fields point here.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};
use crate::schema::catalog::{ColumnKind, Field};

/// A stored file. Its content is immutable; equal contents share one file on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub id: i64,
    /// Lower-case hex.
    pub sha256: String,
    pub name: String,
    pub media_type: String,
    pub size_bytes: i64,
    pub width: Option<i64>,
    pub height: Option<i64>,
    /// Uid of the entity it was uploaded for: whose records it may be attached to.
    pub entity_uid: String,
    pub created_at: DateTime,
    pub created_by: i64,
}

/// Content that is on disk but not yet in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub sha256: String,
    pub size_bytes: u64,
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 10] = [INT, TEXT, TEXT, TEXT, INT, INT, INT, TEXT, AT, INT];

/// Receives one upload piece by piece. Dropping it without [`Upload::finish`] leaves a temporary file, which
/// [`sweep_temporary`] removes.
#[derive(Debug)]
pub struct Upload {
    folder: PathBuf,
    temporary: PathBuf,
    file: tokio::fs::File,
    hash: Sha256,
    size_bytes: u64,
}

impl Upload {
    /// Opens a temporary file in the store's folder.
    pub async fn begin(store: &Store) -> Result<Self, StoreError> {
        let folder = store.files_folder().to_owned();
        let incoming = folder.join("incoming");
        tokio::fs::create_dir_all(&incoming).await.map_err(|error| StoreError::file(&incoming, &error))?;
        let temporary = incoming.join(format!("{:016x}", store.random().next_u64()));
        let file = tokio::fs::File::create_new(&temporary).await.map_err(|error| StoreError::file(&temporary, &error))?;
        Ok(Self { folder, temporary, file, hash: Sha256::new(), size_bytes: 0 })
    }

    /// Adds a piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.hash.update(piece);
        self.size_bytes += piece.len() as u64;
        self.file.write_all(piece).await.map_err(|error| StoreError::file(&self.temporary, &error))
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Puts the content in its place, on disk before this returns.
    pub async fn finish(mut self) -> Result<Content, StoreError> {
        let fault = |error: std::io::Error| StoreError::file(&self.temporary, &error);
        self.file.flush().await.map_err(fault)?;
        self.file.sync_all().await.map_err(fault)?;
        let sha256 = hex(&self.hash.finalize());
        let place = place(&self.folder, &sha256);
        if let Some(parent) = place.parent() {
            tokio::fs::create_dir_all(parent).await.map_err(|error| StoreError::file(parent, &error))?;
        }
        tokio::fs::rename(&self.temporary, &place).await.map_err(|error| StoreError::file(&place, &error))?;
        if let Some(parent) = place.parent() {
            sync_folder(parent).await?;
        }
        Ok(Content { sha256, size_bytes: self.size_bytes })
    }

    /// Throws the upload away.
    pub async fn abandon(self) {
        drop(self.file);
        let _ = tokio::fs::remove_file(&self.temporary).await;
    }
}

async fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let handle = tokio::fs::File::open(folder).await.map_err(|error| StoreError::file(folder, &error))?;
    handle.sync_all().await.map_err(|error| StoreError::file(folder, &error))
}

/// Where the content with this hash lies: `files/ab/cdef…`.
pub fn content_path(store: &Store, sha256: &str) -> PathBuf {
    place(store.files_folder(), sha256)
}

pub(super) fn place(folder: &Path, sha256: &str) -> PathBuf {
    let (head, tail) = sha256.split_at_checked(2).unwrap_or(("00", sha256));
    folder.join(head).join(tail)
}

/// Records a file whose content was uploaded.
pub async fn create(tx: &mut Tx, file: &StoredFile) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_file (id, sha256, name, media_type, size_bytes, width, height, entity, created_at, created_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(file.id),
            text(file.sha256.as_str()),
            text(file.name.as_str()),
            text(file.media_type.as_str()),
            int(file.size_bytes),
            int(file.width),
            int(file.height),
            text(file.entity_uid.as_str()),
            at(file.created_at),
            int(file.created_by),
        ],
    ))
    .await?;
    Ok(())
}

/// Facts of the files that exist, in no order.
pub async fn load(store: &Store, ids: &[i64]) -> Result<Vec<StoredFile>, StoreError> {
    let rows = store.rows(select(ids), &COLUMNS).await?;
    Ok(rows.iter().map(stored_file).collect())
}

/// [`load`] inside a unit of work.
pub async fn load_in(tx: &mut Tx, ids: &[i64]) -> Result<Vec<StoredFile>, StoreError> {
    let rows = tx.rows(select(ids), &COLUMNS).await?;
    Ok(rows.iter().map(stored_file).collect())
}

fn select(ids: &[i64]) -> Sql {
    let mut sql = Sql::new(
        "SELECT id, sha256, name, media_type, size_bytes, width, height, entity, created_at, created_by \
         FROM sys_file WHERE deleted_at IS NULL AND id IN ",
    );
    sql.bind_list(INT, ids.iter().map(|id| crate::base::Cell::Int(*id)));
    sql
}

/// Marks a file as deleted; its content goes when no other file has it ([`delete_content`]).
pub async fn delete(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_file SET deleted_at = ? WHERE id = ?", [at(now), int(id)])).await?;
    Ok(())
}

/// Whether a record holds a file, in whatever field: also in one that was taken out of the definitions and may come back.
pub async fn is_held(tx: &mut Tx, file: i64) -> Result<bool, StoreError> {
    let holding =
        Sql::new("SELECT DISTINCT table_name FROM sys_catalog WHERE kind = 'field' AND shape LIKE 'files%' AND table_name IS NOT NULL");
    let tables: Vec<String> = tx.rows(holding, &[TEXT]).await?.iter().map(|row| read::text(row, 0)).collect();
    for table in tables {
        let mut sql = Sql::new("SELECT \"rec\" FROM ");
        sql.ident(&table).push(" WHERE \"opt\" = ").bind(ColumnKind::Int, Cell::Int(file)).push(" LIMIT 1");
        if !tx.rows(sql, &[INT]).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Forgets a file with its name; gives the hash of its content ([`delete_content`]).
pub async fn remove(tx: &mut Tx, id: i64) -> Result<Option<String>, StoreError> {
    let found = tx.rows(Sql::template("SELECT sha256 FROM sys_file WHERE id = ?", [int(id)]), &[TEXT]).await?;
    let Some(sha256) = found.first().map(|row| read::text(row, 0)) else { return Ok(None) };
    tx.run(Sql::template("DELETE FROM sys_file WHERE id = ?", [int(id)])).await?;
    Ok(Some(sha256))
}

/// Whether a live file has this content.
pub async fn is_content_used(store: &Store, sha256: &str) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT count(*) FROM sys_file WHERE sha256 = ? AND deleted_at IS NULL", [text(sha256)]);
    Ok(store.rows(sql, &[INT]).await?.one_int().unwrap_or(0) > 0)
}

/// Removes content from disk that no live file has.
pub async fn delete_content(store: &Store, sha256: &str) -> Result<bool, StoreError> {
    if is_content_used(store, sha256).await? {
        return Ok(false);
    }
    Ok(tokio::fs::remove_file(content_path(store, sha256)).await.is_ok())
}

/// Removes uploads that were never finished, all of them: called at start, before any can be in progress.
pub async fn sweep_temporary(store: &Store) {
    let _ = tokio::fs::remove_dir_all(store.files_folder().join("incoming")).await;
}

fn stored_file(row: &[crate::base::Cell]) -> StoredFile {
    StoredFile {
        id: read::int(row, 0),
        sha256: read::text(row, 1),
        name: read::text(row, 2),
        media_type: read::text(row, 3),
        size_bytes: read::int(row, 4),
        width: read::opt_int(row, 5),
        height: read::opt_int(row, 6),
        entity_uid: read::text(row, 7),
        created_at: read::at(row, 8),
        created_by: read::int(row, 9),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The records that hold a file in this field.
pub async fn holders(store: &Store, field: &Field, file: i64) -> Result<Vec<RecordId>, StoreError> {
    let Some(table) = field.side_table.as_deref() else { return Ok(Vec::new()) };
    let mut sql = Sql::new("SELECT \"rec\" FROM ");
    sql.ident(table).push(" WHERE \"opt\" = ").bind(ColumnKind::Int, Cell::Int(file)).push(" ORDER BY \"rec\" LIMIT 1000");
    let rows = store.query(&sql.statement(store.dialect(), &[ColumnKind::Int])).await?;
    Ok(rows.cells.iter().filter_map(|cell| cell.as_int().map(RecordId)).collect())
}
