//! Encrypted values. Each record that has some has a data key of its own; it is kept wrapped by a master key that lies in a
//! file, never in the database. Who destroys the data key has made every copy of the record's values unreadable: in the row,
//! in the history, in the queue and in the backups of the database.
//!
//! AES-256-GCM from `ring`; what a value belongs to (field, record) is authenticated with it, so that none can be moved.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::compile::Source;
use super::keys::{self, Key};
use super::read::{self, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx, settings};
use crate::base::{Blind, Random, Sealed};

/// Name of the key of blind indexes.
const BLIND: &str = "blind";
/// Where the database keeps its fingerprint.
const FINGERPRINT: &str = "blind_key";
const NONCE_BYTES: usize = 12;
/// Keys wrapped anew in one unit of work.
const STRIDE: i64 = 500;

/// The master keys and the key of blind indexes of one workspace.
#[derive(Debug)]
pub struct Vault {
    folder: PathBuf,
    blind: Blind,
    /// By number; the greatest one wraps.
    masters: RwLock<BTreeMap<i64, Key>>,
}

/// The key of one record's values. It is never shown.
#[derive(Clone)]
pub struct DataKey(Key);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    /// The text of a record's field, encrypted.
    pub fn close(&self, random: &dyn Random, blind: &Blind, field_uid: &str, record: i64, value: &str) -> Option<String> {
        let index = blind.of(field_uid, value);
        let bytes = close(&self.0, random, &belonging(field_uid, record, &index), value.as_bytes())?;
        Some(Sealed { blind: index, holder: record, bytes }.text())
    }

    /// `None` when it was encrypted with another key or for another field.
    pub fn open(&self, field_uid: &str, sealed: &Sealed) -> Option<String> {
        let bytes = open(&self.0, &belonging(field_uid, sealed.holder, &sealed.blind), &sealed.bytes)?;
        String::from_utf8(bytes).ok()
    }
}

/// What is authenticated with a value.
fn belonging(field_uid: &str, record: i64, index: &str) -> Vec<u8> {
    format!("relata value/1 {record} {index} {field_uid}").into_bytes()
}

fn close(key: &Key, random: &dyn Random, aad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    random.fill(&mut nonce);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.0).ok()?);
    let mut bytes = plain.to_vec();
    cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut bytes).ok()?;
    let mut all = nonce.to_vec();
    all.append(&mut bytes);
    Some(all)
}

fn open(key: &Key, aad: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.0).ok()?);
    let mut rest = rest.to_vec();
    let plain = cipher.open_in_place(Nonce::try_assume_unique_for_key(nonce).ok()?, Aad::from(aad), &mut rest).ok()?;
    Some(plain.to_vec())
}

fn master_name(number: i64) -> String {
    format!("data-{number}")
}

/// The master keys in a folder, by number.
fn masters_in(folder: &Path) -> Result<BTreeMap<i64, Key>, StoreError> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::file(folder, &error))?;
        let name = entry.file_name();
        let number = name.to_string_lossy().strip_prefix("data-").and_then(|rest| rest.strip_suffix(".key")?.parse().ok());
        if let Some(number) = number
            && let Some(key) = keys::read(folder, &master_name(number))?
        {
            found.insert(number, key);
        }
    }
    Ok(found)
}

impl Vault {
    /// Where the keys lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn blind(&self) -> &Blind {
        &self.blind
    }

    fn wrap(&self, random: &dyn Random, record: i64, key: &DataKey) -> Result<(i64, String), StoreError> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        let (number, master) = masters.last_key_value().ok_or(StoreError::NoKey)?;
        let bytes = close(master, random, &wrapping(record), &key.0.0).ok_or(StoreError::NoKey)?;
        Ok((*number, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// # Errors
    /// [`StoreError::BadKey`] when the master key is not here, or is another one.
    fn unwrap(&self, record: i64, number: i64, wrapped: &str) -> Result<DataKey, StoreError> {
        let known = self.masters.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        let master = match known {
            Some(master) => master,
            None => self.read_master(number)?,
        };
        let bytes = URL_SAFE_NO_PAD.decode(wrapped).ok().and_then(|bytes| open(&master, &wrapping(record), &bytes));
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(|bytes| DataKey(Key(bytes))).ok_or_else(|| self.bad(number, "it is not the key that protects encrypted values"))
    }

    /// Another process may have made a new one.
    fn read_master(&self, number: i64) -> Result<Key, StoreError> {
        let reason = "it protects encrypted values and is not here; copy it from the workspace's other processes, or from a backup";
        let key = keys::read(&self.folder, &master_name(number))?.ok_or_else(|| self.bad(number, reason))?;
        self.masters.write().unwrap_or_else(PoisonError::into_inner).insert(number, key.clone());
        Ok(key)
    }

    fn bad(&self, number: i64, reason: &str) -> StoreError {
        let path = keys::path(&self.folder, &master_name(number)).display().to_string();
        StoreError::BadKey { path, reason: reason.to_owned() }
    }
}

fn wrapping(record: i64) -> Vec<u8> {
    format!("relata data key/1 {record}").into_bytes()
}

/// The keys of a workspace; made with it, the same for all its processes.
///
/// # Errors
/// [`StoreError::BadKey`] when they are not those that protect what is there.
pub(super) async fn open_vault(store: &Store, folder: &Path) -> Result<Vault, StoreError> {
    let known = settings::get(store, FINGERPRINT).await?;
    let path = keys::path(folder, BLIND).display().to_string();
    let blind = match (keys::read(folder, BLIND)?, &known) {
        (Some(key), _) => key,
        (None, None) => keys::read_or_make(folder, BLIND, store.random().as_ref())?,
        (None, Some(_)) => {
            let reason =
                "encrypted values are found with a key that is not here; copy it from the workspace's other processes, or from a backup";
            return Err(StoreError::BadKey { path, reason: reason.to_owned() });
        }
    };
    let blind = Blind::new(blind.0);
    let own = blind.of("", "fingerprint of the key");
    let known = match known {
        Some(known) => known,
        None => {
            let shown = own.clone();
            store.write(move |tx| Box::pin(async move { settings::set_first(tx, FINGERPRINT, &shown).await })).await?;
            settings::get(store, FINGERPRINT).await?.unwrap_or_default()
        }
    };
    if known != own {
        return Err(StoreError::BadKey { path, reason: "this is not the key that encrypted values are found with".to_owned() });
    }
    let mut masters = masters_in(folder)?;
    let sample =
        store.rows(Sql::new("SELECT record, master, wrapped FROM sys_data_key ORDER BY record LIMIT 1"), &[INT, INT, TEXT]).await?;
    if masters.is_empty() && sample.is_empty() {
        masters.insert(1, keys::read_or_make(folder, &master_name(1), store.random().as_ref())?);
    }
    let vault = Vault { folder: folder.to_owned(), blind, masters: RwLock::new(masters) };
    // A wrong key is noticed before anything is written with it.
    if let Some(row) = sample.first() {
        vault.unwrap(read::int(row, 0), read::int(row, 1), &read::text(row, 2))?;
    }
    Ok(vault)
}

/// The data key of a record; made where it has none.
///
/// # Errors
/// The database, a missing master key.
pub async fn key_for(tx: &mut Tx, record: i64) -> Result<DataKey, StoreError> {
    let vault = tx.vault().ok_or(StoreError::NoKey)?;
    for _ in 0..2 {
        let sql = Sql::template("SELECT master, wrapped FROM sys_data_key WHERE record = ?", [int(record)]);
        if let Some(row) = tx.rows(sql, &[INT, TEXT]).await?.first() {
            return vault.unwrap(record, read::int(row, 0), &read::text(row, 1));
        }
        let mut fresh = [0; keys::KEY_BYTES];
        tx.random().fill(&mut fresh);
        let (master, wrapped) = vault.wrap(tx.random().as_ref(), record, &DataKey(Key(fresh)))?;
        let now = tx.now();
        // Somebody else may make it at the same time: the first one stays and is read.
        tx.run(Sql::template(
            "INSERT INTO sys_data_key (record, master, wrapped, made_at) VALUES (?, ?, ?, ?) ON CONFLICT (record) DO NOTHING",
            [int(record), int(master), text(wrapped.as_str()), at(now)],
        ))
        .await?;
    }
    Err(StoreError::NoKey)
}

/// The data keys of records, in one statement; those of erased ones are not there.
///
/// # Errors
/// The database, a missing master key.
pub async fn keys_of(source: &mut Source<'_>, records: &[i64]) -> Result<HashMap<i64, DataKey>, StoreError> {
    let mut found = HashMap::new();
    if records.is_empty() {
        return Ok(found);
    }
    let vault = source.vault().ok_or(StoreError::NoKey)?;
    let mut sql = Sql::new("SELECT record, master, wrapped FROM sys_data_key WHERE record IN ");
    sql.bind_long_list(source.dialect(), records);
    let statement = sql.statement(source.dialect(), &[INT, INT, TEXT]);
    for row in source.query(&statement).await?.iter() {
        let record = read::int(row, 0);
        found.insert(record, vault.unwrap(record, read::int(row, 1), &read::text(row, 2))?);
    }
    Ok(found)
}

/// Makes a record's encrypted values unreadable, wherever copies of them lie.
///
/// # Errors
/// The database.
pub async fn destroy(tx: &mut Tx, record: i64) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_data_key WHERE record = ?", [int(record)])).await
}

/// Makes a new master key and wraps all data keys with it; gives its number and how many were wrapped. Former keys are
/// needed for backups taken before.
///
/// # Errors
/// The database, a file that cannot be written.
pub async fn rotate(store: &Store) -> Result<(i64, u64), StoreError> {
    let vault = store.vault().ok_or(StoreError::NoKey)?;
    // Another process may have made some.
    let there = masters_in(&vault.folder)?;
    let last = there.last_key_value().map_or(0, |(number, _)| *number);
    let number =
        last.checked_add(1).ok_or_else(|| vault.bad(last, "no number is greater: `relata key rotate` made no such key; remove it"))?;
    let key = keys::read_or_make(&vault.folder, &master_name(number), store.random().as_ref())?;
    {
        let mut masters = vault.masters.write().unwrap_or_else(PoisonError::into_inner);
        masters.extend(there);
        masters.insert(number, key);
    }
    let mut wrapped = 0;
    loop {
        let done = store
            .write(move |tx| {
                Box::pin(async move {
                    let vault = tx.vault().ok_or(StoreError::NoKey)?;
                    let sql = Sql::template(
                        "SELECT record, master, wrapped FROM sys_data_key WHERE master < ? ORDER BY record LIMIT ?",
                        [int(number), int(STRIDE)],
                    );
                    let rows = tx.rows(sql, &[INT, INT, TEXT]).await?;
                    for row in rows.iter() {
                        let record = read::int(row, 0);
                        let key = vault.unwrap(record, read::int(row, 1), &read::text(row, 2))?;
                        let (master, text_of_key) = vault.wrap(tx.random().as_ref(), record, &key)?;
                        let sql = Sql::template(
                            "UPDATE sys_data_key SET master = ?, wrapped = ? WHERE record = ?",
                            [int(master), text(text_of_key.as_str()), int(record)],
                        );
                        tx.run(sql).await?;
                    }
                    Ok::<u64, StoreError>(rows.len() as u64)
                })
            })
            .await?;
        if done == 0 {
            return Ok((number, wrapped));
        }
        wrapped += done;
    }
}
