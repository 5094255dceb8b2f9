//! Keys in files: each a line of hex in a folder of their own, readable by its owner alone, never in the database.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::base::Random;
use crate::base::text::{from_hex, hex};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// A key. It is never shown.
#[derive(Clone)]
pub struct Key(pub(super) [u8; KEY_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Where the key `name` lies.
pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.key"))
}

/// Reads a key, `None` when there is no such file.
///
/// # Errors
/// [`StoreError::BadKey`] when others can read the file, or it holds no key.
pub fn read(folder: &Path, name: &str) -> Result<Option<Key>, StoreError> {
    let path = path(folder, name);
    let bad = |reason: &str| StoreError::BadKey { path: path.display().to_string(), reason: reason.to_owned() };
    let meta = match std::fs::metadata(&path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file(&path, &error)),
    };
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(bad("others can read it; `chmod 600` it"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| StoreError::file(&path, &error))?;
    let bytes = from_hex(text.trim()).and_then(|bytes| bytes.try_into().ok());
    bytes.map(|bytes| Some(Key(bytes))).ok_or_else(|| bad("it holds no key"))
}

/// Reads a key; makes it when there is none. Whoever makes it first wins.
///
/// # Errors
/// As [`read`], or the file cannot be written.
pub fn read_or_make(folder: &Path, name: &str, random: &dyn Random) -> Result<Key, StoreError> {
    if let Some(key) = read(folder, name)? {
        return Ok(key);
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).map_err(|error| StoreError::file(folder, &error))?;
    let mut bytes = [0; KEY_BYTES];
    random.fill(&mut bytes);
    // Written whole under another name first: a reader never sees half a key.
    let path = path(folder, name);
    let draft = folder.join(format!("{name}.{:016x}.new", random.next_u64()));
    let fault = |error: std::io::Error| StoreError::file(&path, &error);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(fault)?;
    file.write_all(format!("{}\n", hex(&bytes)).as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
    let placed = std::fs::hard_link(&draft, &path);
    let _ = std::fs::remove_file(&draft);
    match placed {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(fault(error)),
        _ => {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)?;
            read(folder, name)?.ok_or_else(|| StoreError::file(&path, &ErrorKind::NotFound.into()))
        }
    }
}
