//! Erasures: whose personal values were removed. The table goes into backups as it was when they were taken; the same is
//! noted in a file beside the keys, which no backup holds, so that an older backup that is put back is erased again.
//!
//! A line of the file is `relata-erasure/1 <uid of the entity> <number of the record> <when>`: it says nothing of a person.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Dialect, Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime};

/// Name of the file in the folder of keys.
pub const LEDGER: &str = "erasures.log";
const FORMAT: &str = "relata-erasure/1";

/// One record whose personal values were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub entity_uid: String,
    pub record: i64,
    pub at: DateTime,
}

impl Erasure {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        if words.next()? != FORMAT {
            return None;
        }
        Some(Self { entity_uid: words.next()?.to_owned(), record: words.next()?.parse().ok()?, at: DateTime::parse(words.next()?)? })
    }
}

impl std::fmt::Display for Erasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{FORMAT} {} {} {}", self.entity_uid, self.record, self.at)
    }
}

/// Notes an erasure with what it removes. What is noted of a record is never older than before.
pub async fn note(tx: &mut Tx, entity_uid: &str, record: i64, moment: DateTime) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_erasure (record, entity, at) VALUES (?, ?, ?) \
         ON CONFLICT (record) DO UPDATE SET at = excluded.at WHERE excluded.at > sys_erasure.at",
        [int(record), text(entity_uid), at(moment)],
    ))
    .await?;
    Ok(())
}

async fn all(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let rows = store.rows(Sql::new("SELECT record, entity, at FROM sys_erasure ORDER BY at, record"), &[INT, TEXT, AT]).await?;
    let one = |row: &[Cell]| Erasure { record: read::int(row, 0), entity_uid: read::text(row, 1), at: read::at(row, 2) };
    Ok(rows.iter().map(one).collect())
}

/// Erasures that the file tells of and the database does not, or only of an earlier one: it is older than they are.
///
/// # Errors
/// The database, or a file that cannot be read.
pub async fn forgotten(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let Some(path) = ledger(store) else { return Ok(Vec::new()) };
    let told = read_file(&path)?;
    if told.is_empty() {
        return Ok(told);
    }
    let known = newest(all(store).await?);
    let is_forgotten = |erasure: &Erasure| known.get(&erasure.record).is_none_or(|known| known.at < erasure.at);
    let mut forgotten: Vec<Erasure> = newest(told).into_values().filter(is_forgotten).collect();
    forgotten.sort_by_key(|erasure| (erasure.at, erasure.record));
    Ok(forgotten)
}

/// The last erasure of each record.
fn newest(erasures: Vec<Erasure>) -> BTreeMap<i64, Erasure> {
    let mut newest: BTreeMap<i64, Erasure> = BTreeMap::new();
    for erasure in erasures {
        if newest.get(&erasure.record).is_none_or(|other| other.at < erasure.at) {
            newest.insert(erasure.record, erasure);
        }
    }
    newest
}

/// Writes what the database knows and the file does not into the file.
///
/// # Errors
/// The database, or a file that cannot be written.
pub async fn tell(store: &Store) -> Result<(), StoreError> {
    let Some(path) = ledger(store) else { return Ok(()) };
    let known = all(store).await?;
    if known.is_empty() {
        return Ok(());
    }
    let told = newest(read_file(&path)?);
    let is_new = |erasure: &&Erasure| told.get(&erasure.record).is_none_or(|told| told.at < erasure.at);
    let mut lines: String = known.iter().filter(is_new).map(|erasure| format!("{erasure}\n")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    if !ends_a_line(&path)? {
        lines.insert(0, '\n');
    }
    let fault = |error: std::io::Error| StoreError::file(&path, &error);
    let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(fault)?;
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)
}

fn ledger(store: &Store) -> Option<PathBuf> {
    store.vault().map(|vault| vault.folder().join(LEDGER))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::file(path, &error)),
    }
}

/// A write that was cut short leaves a part of a line: nothing is written behind it.
fn ends_a_line(path: &Path) -> Result<bool, StoreError> {
    Ok(bytes_of(path)?.last().is_none_or(|last| *last == b'\n'))
}

/// A line that cannot be read stops nobody, and is complained about each time.
fn read_file(path: &Path) -> Result<Vec<Erasure>, StoreError> {
    let (found, odd) = read_lines(&bytes_of(path)?);
    for line in odd {
        let file = path.display();
        tracing::warn!(%file, line, "this line tells of no erasure: an older backup brings that person back; mend or remove it");
    }
    Ok(found)
}

/// What a file tells, and the numbers of lines that cannot be read. A whole one behind a part of another counts.
fn read_lines(bytes: &[u8]) -> (Vec<Erasure>, Vec<usize>) {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    for (index, line) in String::from_utf8_lossy(bytes).lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let whole = Erasure::parse(line);
        if whole.is_none() {
            odd.push(index + 1);
        }
        found.extend(whole.or_else(|| Erasure::parse(line.get(line.rfind(FORMAT)?..)?)));
    }
    (found, odd)
}

/// Columns every table of records has, or had: they say nothing of a person.
const OF_ALL: [&str; 8] = ["id", "version", "created_at", "created_by", "updated_at", "updated_by", "owner", "deleted_at"];

/// Empties what of a record's row and beside it belongs to no field of the definitions any more, but for links: fields that
/// were taken out, formulas that are not stored now, columns of a former type. Nothing tells whether it was personal.
/// `known` are the columns of present fields. Gives the files it held.
pub async fn empty_hidden(tx: &mut Tx, entity_uid: &str, table: &str, known: &BTreeSet<&str>, record: i64) -> Result<Vec<i64>, StoreError> {
    let retired = Sql::template(
        "SELECT coalesce(table_name, ''), column_names, shape FROM sys_catalog WHERE kind = 'field' AND state = 'retired' AND parent_uid = ?",
        [text(entity_uid)],
    );
    let (mut files, mut links) = (Vec::new(), BTreeSet::new());
    let rows = tx.rows(retired, &[TEXT, TEXT, TEXT]).await?;
    for row in rows.iter() {
        let (side, names, shape) = (read::text(row, 0), read::text(row, 1), read::text(row, 2));
        if shape.starts_with("link") || shape.starts_with("any/") {
            links.extend(names.split(',').map(str::to_owned));
            continue;
        }
        if side.is_empty() {
            continue;
        }
        let of_record = |mut sql: Sql| {
            sql.ident(&side).push(" WHERE \"rec\" = ").bind(INT, Cell::Int(record));
            sql
        };
        if shape.starts_with("files") {
            let held = tx.rows(of_record(Sql::new("SELECT \"opt\" FROM ")), &[INT]).await?;
            files.extend(held.iter().map(|row| read::int(row, 0)));
        }
        tx.run(of_record(Sql::new("DELETE FROM "))).await?;
    }
    let columns = columns_of(tx, table).await?;
    let hidden = columns.iter().filter(|name| !known.contains(name.as_str()) && !OF_ALL.contains(&name.as_str()) && !links.contains(*name));
    let mut sql = Sql::new("UPDATE ");
    sql.ident(table);
    let mut is_any = false;
    for column in hidden {
        sql.push(if is_any { ", " } else { " SET " }).ident(column).push(" = NULL");
        is_any = true;
    }
    if is_any {
        sql.push(" WHERE \"id\" = ").bind(INT, Cell::Int(record));
        tx.run(sql).await?;
    }
    Ok(files)
}

/// The columns a table really has.
async fn columns_of(tx: &mut Tx, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => Sql::template("SELECT name FROM pragma_table_info(?)", [text(table)]),
        Dialect::Postgres => Sql::template(
            "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?",
            [text(table)],
        ),
    };
    Ok(tx.rows(sql, &[TEXT]).await?.iter().map(|row| read::text(row, 0)).collect())
}

/// Takes values out of the jobs that tell of a record; `change` gives the new payload, or `None` where it stays.
pub async fn rewrite_jobs(tx: &mut Tx, record: i64, change: impl Fn(&str) -> Option<String> + Send) -> Result<(), StoreError> {
    let sql = Sql::template("SELECT id, payload FROM sys_job WHERE payload LIKE ?", [text(format!("%:{record},%").as_str())]);
    let rows = tx.rows(sql, &[INT, TEXT]).await?;
    for row in rows.iter() {
        if let Some(changed) = change(&read::text(row, 1)) {
            let binds = [text(changed.as_str()), int(read::int(row, 0))];
            tx.run(Sql::template("UPDATE sys_job SET payload = ? WHERE id = ?", binds)).await?;
        }
    }
    Ok(())
}

/// Whether work waits that tells of a record.
pub async fn has_work(tx: &mut Tx, record: i64) -> Result<bool, StoreError> {
    let binds = [text(format!("%:{record},%").as_str()), text(format!("%:{record}}}%").as_str())];
    let sql = Sql::template("SELECT id FROM sys_job WHERE state <> 'dead' AND (payload LIKE ? OR payload LIKE ?) LIMIT 1", binds);
    Ok(!tx.rows(sql, &[INT]).await?.is_empty())
}

/// Removes jobs and kept answers that tell of a record: by its number and by its id as the API shows it.
pub async fn forget_copies(tx: &mut Tx, record: i64, shown: &str) -> Result<(), StoreError> {
    for pattern in [format!("%:{record},%"), format!("%:{record}}}%"), format!("%\"{shown}\"%")] {
        tx.run(Sql::template("DELETE FROM sys_job WHERE payload LIKE ?", [text(pattern.as_str())])).await?;
        tx.run(Sql::template("DELETE FROM sys_idempotency WHERE body LIKE ?", [text(pattern.as_str())])).await?;
    }
    Ok(())
}

/// Takes away everything by which somebody could sign in.
pub async fn forget_credentials(tx: &mut Tx, user: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM sys_session WHERE user_id = ?",
        "DELETE FROM sys_credential WHERE user_id = ?",
        "DELETE FROM sys_token WHERE user_id = ?",
        "DELETE FROM sys_setup WHERE user_id = ?",
        "DELETE FROM sys_challenge WHERE user_id = ?",
        "DELETE FROM sys_totp WHERE user_id = ?",
        "DELETE FROM sys_recovery_code WHERE user_id = ?",
        "DELETE FROM sys_passkey WHERE user_id = ?",
        "DELETE FROM sys_sso_link WHERE user_id = ?",
    ] {
        tx.run(Sql::template(sql, [int(user)])).await?;
    }
    tx.identity_changed().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_is_read_as_it_was_written() {
        for odd in ["", "relata-erasure/2 a 1 2026-11-21T08:00:00Z", "relata-erasure/1 a x 2026-11-21T08:00:00Z", "relata-erasure/1 a 1"] {
            assert_eq!(Erasure::parse(odd), None, "{odd}");
        }
        let erasure =
            Erasure { entity_uid: "crm.contact".into(), record: 42, at: DateTime::parse("2026-11-21T08:00:00Z").expect("a moment") };
        assert_eq!(Erasure::parse(&erasure.to_string()), Some(erasure));
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_else() {
        let line = |record: i64| format!("relata-erasure/1 crm.contact {record} 2026-11-21T08:00:00Z");
        let mut bytes = format!("{}\nrelata-erasure/1 crm.\n\n", line(1)).into_bytes();
        bytes.extend_from_slice(b"\xff\xfe nothing\n");
        bytes.extend_from_slice(format!("relata-erasure/1 crm.contact 7 2026-{}\n{}", line(2), line(3)).as_bytes());
        let (found, odd) = read_lines(&bytes);
        assert_eq!(found.iter().map(|erasure| erasure.record).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(odd, [2, 4, 5]);
    }

    #[test]
    fn the_last_erasure_of_a_record_counts() {
        let at = |text: &str| DateTime::parse(text).expect("a moment");
        let one = |moment: &str| Erasure { entity_uid: "crm.contact".into(), record: 1, at: at(moment) };
        let both = newest(vec![one("2026-11-21T08:00:00Z"), one("2026-11-22T08:00:00Z"), one("2026-11-20T08:00:00Z")]);
        assert_eq!(both.get(&1).map(|erasure| erasure.at), Some(at("2026-11-22T08:00:00Z")));
    }
}
