//! Facts about the database for `relata doctor`.

use super::read::{self, INT, TEXT};
use super::{Dialect, Sql, Store, StoreError, catalog, jobs, nodes};

/// One line: a name, a value, and whether it is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
    pub is_good: bool,
}

fn fact(name: &'static str, value: impl Into<String>, is_good: bool) -> Fact {
    Fact { name, value: value.into(), is_good }
}

/// Versions, settings, sizes, what waits.
pub async fn facts(store: &Store) -> Result<Vec<Fact>, StoreError> {
    let mut facts = match store.dialect() {
        Dialect::Sqlite => sqlite_facts(store).await?,
        Dialect::Postgres => postgres_facts(store).await?,
    };
    facts.push(fact("definitions", format!("version {}", catalog::version(store).await?), true));
    let live = nodes::live(store).await?;
    facts.push(fact("processes", live.len().to_string(), true));
    for (state, count) in jobs::counts(store).await? {
        let name = match state.as_str() {
            "dead" => "dead letters",
            "running" => "running jobs",
            _ => "waiting jobs",
        };
        facts.push(fact(name, count.to_string(), state != "dead"));
    }
    Ok(facts)
}

async fn sqlite_facts(store: &Store) -> Result<Vec<Fact>, StoreError> {
    let mut facts = vec![fact("database", format!("SQLite {}", rusqlite::version()), true)];
    let journal = text(store, Sql::new("SELECT journal_mode FROM pragma_journal_mode")).await?;
    facts.push(fact("journal mode", journal.clone(), journal == "wal"));
    let pages = store
        .rows(Sql::new("SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)"), &[INT])
        .await?;
    facts.push(fact("database size", size(pages.one_int().unwrap_or(0)), true));
    let free = store
        .rows(Sql::new("SELECT (SELECT freelist_count FROM pragma_freelist_count) * (SELECT page_size FROM pragma_page_size)"), &[INT])
        .await?;
    facts.push(fact("free pages", size(free.one_int().unwrap_or(0)), true));
    if let Some(folder) = store.data_folder() {
        facts.push(fact("data folder", folder.display().to_string(), true));
        let log = tokio::fs::metadata(folder.join("relata.db-wal")).await.map_or(0, |file| file.len());
        let log = i64::try_from(log).unwrap_or(i64::MAX);
        facts.push(fact("write-ahead log", size(log), log < 512 << 20));
    }
    let check = text(store, Sql::new("SELECT quick_check FROM pragma_quick_check LIMIT 1")).await?;
    facts.push(fact("quick check", check.clone(), check == "ok"));
    Ok(facts)
}

async fn postgres_facts(store: &Store) -> Result<Vec<Fact>, StoreError> {
    let version = text(store, Sql::new("SELECT current_setting('server_version')")).await?;
    let schema = text(store, Sql::new("SELECT current_schema()::text")).await?;
    let commit = text(store, Sql::new("SELECT current_setting('synchronous_commit')")).await?;
    let bytes = store
        .rows(
            Sql::new("SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"),
            &[INT],
        )
        .await?;
    Ok(vec![
        fact("database", format!("PostgreSQL {version}"), true),
        fact("schema", schema, true),
        fact("synchronous commit", commit.clone(), commit != "off"),
        fact("database size", size(bytes.one_int().unwrap_or(0)), true),
    ])
}

async fn text(store: &Store, sql: Sql) -> Result<String, StoreError> {
    let rows = store.rows(sql, &[TEXT]).await?;
    Ok(rows.first().map(|row| read::text(row, 0)).unwrap_or_default())
}

fn size(bytes: i64) -> String {
    match bytes {
        ..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{} MB", bytes / 1_048_576),
    }
}
