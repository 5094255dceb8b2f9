//! The data folder: its lock, and temporary folders that go with the store.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

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
