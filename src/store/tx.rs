//! A unit of work in progress.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::audit::Here;
use super::keys::Key;
use super::postgres::link::PostgresLink;
use super::sqlite::link::SqliteLink;
use super::vault::Vault;
use super::{Dialect, Rows, Sql, Statement, StoreError};
use crate::base::{Clock, DateTime, IdMint, Random, Stopwatch};
use crate::schema::catalog::ColumnKind;

/// What a unit of work returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What every unit of one store shares.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub mint: Arc<IdMint>,
    pub write_timeout: Duration,
    /// Signs the audit; there once the store is open.
    pub audit_key: Arc<OnceLock<Key>>,
    /// The keys of encrypted values; there once the store is open.
    pub vault: Arc<OnceLock<Arc<Vault>>>,
}

/// The connection a unit works on.
#[derive(Debug)]
pub(super) enum Link {
    Sqlite(SqliteLink),
    Postgres(PostgresLink),
}

/// The transaction handed to a unit of work. On SQLite it runs on the writer's thread and statements run inline; on
/// PostgreSQL it holds its own connection.
#[derive(Debug)]
pub struct Tx {
    pub(super) link: Link,
    surroundings: Surroundings,
    now: DateTime,
    started: Stopwatch,
    longest: Duration,
    catalog_version: Option<i64>,
    /// Open parts, innermost last.
    parts: Vec<Part>,
    /// A statement failed and nothing has undone it: the unit may not be kept.
    failed: bool,
    /// Writes tried so far, and those that did not fail.
    writes: u64,
    written: u64,
    /// Statements run since the unit began.
    statements: u64,
    /// Who asked for this unit, and from where.
    pub(super) here: Option<Arc<Here>>,
    pub(super) after_commit: AfterCommit,
}

/// What to tell others once the unit is on disk.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AfterCommit {
    pub wakes: bool,
    pub catalog: Option<i64>,
    /// People, sessions or tokens changed.
    pub identity: bool,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    search_mark: usize,
    after_commit: AfterCommit,
}

impl Tx {
    pub(super) fn new(link: Link, surroundings: Surroundings) -> Self {
        let now = surroundings.clock.now();
        let longest = surroundings.write_timeout;
        Self {
            link,
            surroundings,
            now,
            started: Stopwatch::start(),
            longest,
            catalog_version: None,
            parts: Vec::new(),
            failed: false,
            writes: 0,
            written: 0,
            statements: 0,
            here: None,
            after_commit: AfterCommit::default(),
        }
    }

    /// Ready for the next unit on the same connection, which may take so long.
    pub(super) fn renew(&mut self, longest: Duration) {
        self.longest = longest;
        self.now = self.surroundings.clock.now();
        self.started = Stopwatch::start();
        self.parts.clear();
        self.failed = false;
        self.writes = 0;
        self.written = 0;
        self.statements = 0;
        self.after_commit = AfterCommit::default();
    }

    pub fn dialect(&self) -> Dialect {
        match self.link {
            Link::Sqlite(_) => Dialect::Sqlite,
            Link::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The moment the unit began, by the store's clock: the same for all it writes.
    pub fn now(&self) -> DateTime {
        self.now
    }

    /// How many statements the unit has run so far.
    pub fn statements(&self) -> u64 {
        self.statements
    }

    /// Mints ids with this process's leased node number.
    pub fn mint(&self) -> &Arc<IdMint> {
        &self.surroundings.mint
    }

    pub fn random(&self) -> &Arc<dyn Random> {
        &self.surroundings.random
    }

    /// Who asked for this unit, and from where; `None` for work of the program itself.
    pub(super) fn here(&self) -> Option<&Arc<Here>> {
        self.here.as_ref()
    }

    /// The keys of encrypted values.
    pub fn vault(&self) -> Option<Arc<Vault>> {
        self.surroundings.vault.get().cloned()
    }

    pub(super) fn audit_key(&self) -> Option<Key> {
        self.surroundings.audit_key.get().cloned()
    }

    /// Runs a statement that gives rows.
    pub async fn query(&mut self, statement: &Statement) -> Result<Rows, StoreError> {
        self.check_time()?;
        self.statements += 1;
        let is_write = !statement.sql.starts_with("SELECT");
        self.writes += u64::from(is_write);
        let outcome = match &mut self.link {
            Link::Sqlite(link) => link.query(statement),
            Link::Postgres(link) => link.query(statement).await,
        };
        self.written += u64::from(is_write && outcome.is_ok());
        self.note(outcome)
    }

    /// Runs a statement; gives the number of rows it touched.
    pub async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        self.check_time()?;
        self.statements += 1;
        self.writes += 1;
        let outcome = match &mut self.link {
            Link::Sqlite(link) => link.execute(statement),
            Link::Postgres(link) => link.execute(statement).await,
        };
        self.written += u64::from(outcome.is_ok());
        self.note(outcome)
    }

    /// Runs statements in order; stops at the first fault. Gives the number of rows touched in all.
    pub async fn execute_many(&mut self, statements: &[Statement]) -> Result<u64, StoreError> {
        let mut touched = 0;
        for statement in statements {
            touched += self.execute(statement).await?;
        }
        Ok(touched)
    }

    /// Runs inserts one after the other, most of which have one text: that is prepared once. On PostgreSQL several
    /// rows go in one statement.
    pub async fn insert_rows(&mut self, inserts: &[&Statement]) -> Result<(), StoreError> {
        for same in inserts.chunk_by(|one, other| Arc::ptr_eq(&one.sql, &other.sql)) {
            self.check_time()?;
            let outcome = match &mut self.link {
                Link::Sqlite(link) => link.execute_each(same),
                Link::Postgres(link) => link.insert_rows(same).await,
            };
            let count = same.len() as u64;
            self.statements += count;
            self.writes += count;
            self.written += if outcome.is_ok() { count } else { 1 };
            self.note(outcome)?;
        }
        Ok(())
    }

    /// [`Tx::query`] for SQL just built.
    pub async fn rows(&mut self, sql: Sql, columns: &[ColumnKind]) -> Result<Rows, StoreError> {
        let statement = sql.statement(self.dialect(), columns);
        self.query(&statement).await
    }

    /// [`Tx::execute`] for SQL just built.
    pub async fn run(&mut self, sql: Sql) -> Result<u64, StoreError> {
        let statement = sql.statement(self.dialect(), &[]);
        self.execute(&statement).await
    }

    /// Writes (or with `None` deletes) a record's search tokens. On SQLite this waits until the batch's commit or a look
    /// into the index, because FTS5 writes a segment at each savepoint; it is in the same transaction all the same.
    pub(super) async fn put_search(&mut self, record: i64, tokens: Option<Arc<str>>, is_new: bool) -> Result<(), StoreError> {
        self.writes += 1;
        self.written += 1;
        if let Link::Sqlite(link) = &mut self.link {
            let outcome = link.put_search(record, tokens, is_new);
            return self.note(outcome);
        }
        let sql = match tokens {
            Some(tokens) => Sql::template(
                "INSERT INTO sys_search (id, tokens) VALUES (?, array_to_tsvector(string_to_array(?, ' '))) \
                 ON CONFLICT (id) DO UPDATE SET tokens = excluded.tokens",
                [super::sql::int(record), super::sql::text(&*tokens)],
            ),
            None => Sql::template("DELETE FROM sys_search WHERE id = ?", [super::sql::int(record)]),
        };
        self.run(sql).await.map(|_| ())
    }

    /// The version of the definitions in the database, as this transaction sees it.
    pub async fn catalog_version(&mut self) -> Result<i64, StoreError> {
        if let Some(version) = self.catalog_version {
            return Ok(version);
        }
        let rows = self.rows(Sql::new("SELECT version FROM sys_schema"), &[ColumnKind::Int]).await?;
        let version = rows.one_int().unwrap_or(0);
        self.catalog_version = Some(version);
        Ok(version)
    }

    pub(super) fn know_catalog_version(&mut self, version: i64) {
        self.catalog_version = Some(version);
    }

    pub(super) fn forget_catalog_version(&mut self) {
        self.catalog_version = None;
    }

    /// # Errors
    /// [`StoreError::StaleCatalog`] unless the database's definitions have this version.
    pub async fn expect_catalog(&mut self, expected: i64) -> Result<(), StoreError> {
        let actual = self.catalog_version().await?;
        if actual == expected { Ok(()) } else { Err(StoreError::StaleCatalog { expected, actual }) }
    }

    /// The advisory lock this unit holds on PostgreSQL.
    pub(super) fn advisory_lock(&self) -> Option<i64> {
        match &self.link {
            Link::Sqlite(_) => None,
            Link::Postgres(link) => Some(link.lock),
        }
    }

    /// Tells [`super::Store::signals`] after the commit: there is something in the outbox or the queue.
    pub fn wake(&mut self) {
        self.after_commit.wakes = true;
    }

    /// Tells all processes about a new version once this unit is kept.
    pub(super) async fn announce_catalog(&mut self, version: i64) -> Result<(), StoreError> {
        self.after_commit.catalog = Some(version);
        if self.dialect() == Dialect::Postgres {
            let sql = Sql::template(
                "SELECT 1::bigint FROM pg_notify('relata_schema', current_schema() || ':' || ?)",
                [super::sql::text(version.to_string().as_str())],
            );
            self.rows(sql, &[ColumnKind::Int]).await?;
        }
        Ok(())
    }

    /// Writes tried so far by this unit: what fails while it does not grow leaves nothing to undo.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Nothing of this unit is in the transaction of an embedded database: it tried no write, or each one failed and so
    /// undid itself.
    pub(super) fn is_clean(&self) -> bool {
        self.written == 0
    }

    /// Opens a part that can be undone on its own ([`Tx::rollback_part`]); parts nest. A statement that fails outside
    /// of any part condemns the whole unit (PostgreSQL aborts it), so whoever wants to go on after a failure opens one.
    pub async fn begin_part(&mut self) -> Result<(), StoreError> {
        self.command("SAVEPOINT part").await?;
        let search_mark = match &self.link {
            Link::Sqlite(link) => link.search_mark(),
            Link::Postgres(_) => 0,
        };
        self.parts.push(Part { search_mark, after_commit: self.after_commit });
        Ok(())
    }

    /// Keeps the innermost part.
    pub async fn keep_part(&mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::TransactionLost(SWALLOWED.to_owned()));
        }
        self.parts.pop();
        self.command("RELEASE SAVEPOINT part").await
    }

    /// Undoes the innermost part; the unit goes on.
    pub async fn rollback_part(&mut self) -> Result<(), StoreError> {
        let Some(part) = self.parts.pop() else {
            return Err(StoreError::TransactionLost("no part is open".to_owned()));
        };
        self.failed = false;
        self.after_commit = part.after_commit;
        self.forget_catalog_version();
        if let Link::Sqlite(link) = &mut self.link {
            link.forget_search(part.search_mark);
        }
        self.command("ROLLBACK TO SAVEPOINT part").await?;
        self.command("RELEASE SAVEPOINT part").await
    }

    /// Runs `part`; an error undoes only what it wrote.
    pub async fn part<T, E>(&mut self, part: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.begin_part().await?;
        match part(self).await {
            Ok(value) => {
                self.keep_part().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback_part().await?;
                Err(error)
            }
        }
    }

    /// # Errors
    /// When a statement failed and nothing undid it: such a unit may not be kept, on either database.
    pub(super) fn check_keepable(&self) -> Result<(), StoreError> {
        if self.failed { Err(StoreError::TransactionLost(SWALLOWED.to_owned())) } else { Ok(()) }
    }

    async fn command(&mut self, text: &'static str) -> Result<(), StoreError> {
        match &mut self.link {
            Link::Sqlite(link) => link.command(text),
            Link::Postgres(link) => link.command(text).await,
        }
    }

    fn check_time(&self) -> Result<(), StoreError> {
        if self.started.elapsed() > self.longest { Err(StoreError::Timeout) } else { Ok(()) }
    }

    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if outcome.is_err() {
            self.failed = true;
        }
        outcome
    }
}

const SWALLOWED: &str = "a statement failed and the unit went on; wrap what may fail in `Tx::part`";
