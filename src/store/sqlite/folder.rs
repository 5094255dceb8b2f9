//! The data folder: its lock, and temporary folders that go with the store.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::connect::database_path;
use crate::base::Random;
use crate::store::StoreError;

/// Makes the folder (readable by its owner alone) and locks it for this process.
pub(in crate::store) fn take(folder: &Path) -> Result<File, StoreError> {
    let fault = |error: std::io::Error| StoreError::file(folder, &error);
    std::fs::create_dir_all(folder).map_err(fault)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    }
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("relata.lock")).map_err(fault)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: folder.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(fault(error)),
    }
}

/// Copies a data folder beside its user: the database as it is now, and its keys; no contents of files.
pub(in crate::store) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    super::backup::copy_unsynced(&database_path(from), &database_path(to))?;
    let (from, to) = (from.join("keys"), to.join("keys"));
    if !from.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(&to).map_err(|error| StoreError::file(&to, &error))?;
    for entry in std::fs::read_dir(&from).map_err(|error| StoreError::file(&from, &error))? {
        let path = entry.map_err(|error| StoreError::file(&from, &error))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            std::fs::copy(&path, to.join(name)).map_err(|error| StoreError::file(&path, &error))?;
        }
    }
    Ok(())
}

/// A folder that is removed with its last user.
#[derive(Debug)]
pub(in crate::store) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub fn create(random: &dyn Random) -> Result<Self, StoreError> {
        // A seeded generator may give two stores the same number: the folder must be new.
        for _ in 0..64 {
            let path = std::env::temp_dir().join(format!("relata-{}-{:016x}", std::process::id(), random.next_u64()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::file(&path, &error)),
            }
        }
        Err(StoreError::File { path: std::env::temp_dir().display().to_string(), message: "no free name".to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
