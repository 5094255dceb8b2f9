//! A store of its own for each test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use relata::base::{DateTime, FixedClock};
use relata::schema::catalog::ColumnKind;
use relata::store::{BoxFuture, Durability, OpenOptions, Sql, Store, StoreError, Target, Tx};

pub const INT: ColumnKind = ColumnKind::Int;
pub const TEXT: ColumnKind = ColumnKind::Text;

/// The PostgreSQL of this run, if it is one.
#[expect(clippy::disallowed_methods, reason = "tests choose their database by the environment")]
pub fn postgres_url() -> Option<String> {
    std::env::var("RELATA_TEST_DATABASE").ok().filter(|url| url.starts_with("postgres"))
}

/// A new place for a database: a schema or a temporary one.
pub fn new_target() -> Target {
    match postgres_url() {
        Some(url) => Target::Postgres { url, schema: Some(new_name()) },
        None => Target::Temporary,
    }
}

/// A name no other test has.
pub fn new_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = relata::base::Clock::now(&relata::base::SystemClock).0;
    format!("t{}_{now}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A folder no other test has.
pub fn new_folder() -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("relata-{}", new_name()));
    std::fs::create_dir_all(&path).expect("a temporary folder");
    path
}

pub fn options(target: Target) -> OpenOptions {
    OpenOptions { durability: Durability::Relaxed, max_connections: 6, ..OpenOptions::new(target) }
}

/// A store with a clock that stands at 2026-01-01.
pub async fn open() -> (Store, Arc<FixedClock>) {
    open_at(new_target()).await
}

pub async fn open_at(target: Target) -> (Store, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::at(DateTime::parse("2026-01-01T00:00:00Z").expect("a moment")));
    let mut options = options(target);
    options.clock = clock.clone();
    (Store::open(options).await.expect("the store opens"), clock)
}

/// A unit of work whose only error is the store's.
pub async fn write<T: Send + 'static>(
    store: &Store,
    work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    store.write(work).await
}

/// A table `item (id, name unique, parent)`.
pub async fn with_items(store: &Store) {
    store
        .apply(|tx| {
            Box::pin(async move {
                tx.run(Sql::new("CREATE TABLE item (id bigint PRIMARY KEY, name text, parent bigint REFERENCES item (id))")).await?;
                tx.run(Sql::new("CREATE UNIQUE INDEX ux_item_name ON item (name)")).await?;
                Ok::<(), StoreError>(())
            })
        })
        .await
        .expect("a table");
}

pub fn insert(id: i64, name: &str) -> Sql {
    Sql::template("INSERT INTO item (id, name) VALUES (?, ?)", [relata::store::sql::int(id), relata::store::sql::text(name)])
}

pub async fn count(store: &Store) -> i64 {
    let rows = store.rows(Sql::new("SELECT count(*) FROM item"), &[INT]).await.expect("a count");
    rows.one_int().expect("a number")
}

/// Waits a little in real time, for leases counted by a server's clock.
pub async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
