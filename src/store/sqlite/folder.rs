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

/// How temporary folders are called.
const TEMPORARY: &str = "relata-";

/// A folder, readable by its owner alone, that is removed with its last user.
#[derive(Debug)]
pub(in crate::store) struct TemporaryFolder {
    path: PathBuf,
    _lock: File,
}

impl TemporaryFolder {
    pub fn create(random: &dyn Random) -> Result<Self, StoreError> {
        // A seeded generator may give two stores the same number: the folder must be new.
        for _ in 0..64 {
            let path = std::env::temp_dir().join(format!("{TEMPORARY}{}-{:016x}", std::process::id(), random.next_u64()));
            match owned().create(&path) {
                Ok(()) => {
                    let lock = take(&path)?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::file(&path, &error)),
            }
        }
        Err(StoreError::File { path: std::env::temp_dir().display().to_string(), message: "no free name".to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn owned() -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

/// Removes the temporary folders of processes that ended before they could: nobody holds their lock.
pub(in crate::store) fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder
            && is_temporary(&entry.file_name().to_string_lossy())
            && let Ok(_lock) = take_existing(&path)
        {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Whether a folder is called as those made here are, and none that somebody made: `relata-<process>-<16 digits>`.
fn is_temporary(name: &str) -> bool {
    let parts = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, number)| {
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        !process.is_empty() && process.chars().all(|c| c.is_ascii_digit()) && number.len() == 16 && number.chars().all(is_hex)
    })
}

/// The lock of a folder that is there, where nobody has it.
fn take_existing(folder: &Path) -> Result<File, TryLockError> {
    let lock = OpenOptions::new().write(true).open(folder.join("relata.lock")).map_err(TryLockError::Error)?;
    lock.try_lock().map(|()| lock)
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SystemRandom;

    #[test]
    fn only_what_a_process_left_behind_is_removed() {
        for name in
            ["relata-data", "relata-demo", "relata-12-0123456789abcde", "relata-12-0123456789abcdeg", "relata--0123456789abcdef", "x"]
        {
            assert!(!is_temporary(name), "{name}");
        }
        let held = TemporaryFolder::create(&SystemRandom).unwrap();
        let left = TemporaryFolder::create(&SystemRandom).unwrap();
        assert!(is_temporary(&left.path().file_name().unwrap().to_string_lossy()));
        let path = left.path().to_owned();
        // Its process ends without a word: the lock goes, the folder stays.
        left._lock.unlock().unwrap();
        std::mem::forget(left);
        sweep();
        assert!(!path.exists() && held.path().exists());
    }
}
