//! The store itself: open, read, write, close.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::postgres;
use super::signals::Signals;
use super::sqlite::checkpoint::Checkpointer;
use super::sqlite::connect::{self, Purpose, database_path};
use super::sqlite::folder::{self, TemporaryFolder};
use super::sqlite::link::SqliteLink;
use super::sqlite::reader::Readers;
use super::sqlite::writer::{self, Request};
use super::tx::{Link, Surroundings};
use super::unit::{Mode, Unit, unit};
use super::{BoxFuture, Dialect, OpenOptions, Rows, Sql, Statement, StoreError, Target, Tx, nodes};
use crate::base::{Clock, IdMint, Random};
use crate::schema::catalog::ColumnKind;

/// Building an index over millions of records takes its time.
const LONGEST_APPLY: Duration = Duration::from_secs(1800);

/// One open database. Cloning is cheap: all clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    db: Db,
    surroundings: Surroundings,
    signals: Arc<Signals>,
    files: PathBuf,
    node: u16,
    holder: String,
    node_lease: Duration,
    /// The node number was taken by another process: ids must not be minted any more.
    is_node_lost: AtomicBool,
    background: Mutex<Vec<JoinHandle<()>>>,
    readings: super::identity::Readings,
    /// Statements outside of units of work so far.
    reads: AtomicU64,
}

#[derive(Debug)]
enum Db {
    Sqlite { folder: PathBuf, readers: Arc<Readers>, writer: mpsc::Sender<Request> },
    Postgres(postgres::connect::Pool),
}

impl Store {
    /// Opens the database, brings its system tables up to date and leases a node number. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::NewerDatabase`], [`StoreError::Unreachable`] and kin.
    pub async fn open(options: OpenOptions) -> Result<Self, StoreError> {
        match options.target.clone() {
            Target::Sqlite { path } => {
                let lock = folder::take(&path)?;
                Self::open_sqlite(options, path, Box::new(lock)).await
            }
            Target::Temporary => {
                let temporary = TemporaryFolder::create(options.random.as_ref())?;
                let path = temporary.path().to_owned();
                let options = OpenOptions { durability: super::Durability::Relaxed, ..options };
                Self::open_sqlite(options, path, Box::new(temporary)).await
            }
            Target::TemporaryCopy { of } => {
                let temporary = TemporaryFolder::create(options.random.as_ref())?;
                let path = temporary.path().to_owned();
                let (from, to) = (of.clone(), path.clone());
                let copied = tokio::task::spawn_blocking(move || folder::copy(&from, &to)).await;
                copied.map_err(|_| StoreError::Closed)??;
                let options = OpenOptions { durability: super::Durability::Relaxed, ..options };
                Self::open_sqlite(options, path, Box::new(temporary)).await
            }
            Target::Postgres { url, schema } => Self::open_postgres(options, &url, schema.as_deref()).await,
        }
    }

    /// Removes the temporary databases of processes that ended before they could do it.
    pub fn sweep_temporary() {
        folder::sweep();
    }

    async fn open_sqlite(options: OpenOptions, folder: PathBuf, keep: Box<dyn std::any::Any + Send>) -> Result<Self, StoreError> {
        let path = database_path(&folder);
        let mut connection = connect::open(&path, Purpose::Write, options.durability)?;
        if options.is_loose {
            connect::loosen(&connection)?;
        }
        super::sqlite::migrate::run(&connection)?;
        let version =
            connection.query_row("SELECT version FROM sys_schema", [], |row| row.get(0)).map_err(super::sqlite::fault::translate)?;
        let surroundings = surroundings(&options, 0);
        let signals = Arc::new(Signals::new(version));
        let checkpointer = Checkpointer::start(&path, options.durability, &mut connection)?;
        let tx = Tx::new(Link::Sqlite(SqliteLink::new(connection)), surroundings.clone());
        let writer = writer::start(tx, checkpointer, Arc::clone(&signals), keep)?;
        let readers = Arc::new(Readers::new(path, options.read_timeout));
        readers.warm_up()?;
        let files = options.files.clone().unwrap_or_else(|| folder.join("files"));
        let db = Db::Sqlite { folder, readers, writer };
        let store = Self::assemble(db, surroundings, signals, files, &options, 0);
        let (holder, lease) = (store.shared.holder.clone(), options.node_lease);
        store.write(move |tx| Box::pin(async move { nodes::lease(tx, &holder, lease).await })).await?;
        let keys = options.keys.clone().or_else(|| store.data_folder().map(|folder| folder.join("keys")));
        if let Err(error) = store.open_keys(keys).await {
            let _ = store.close().await;
            return Err(error);
        }
        Ok(store)
    }

    async fn open_postgres(options: OpenOptions, url: &str, schema: Option<&str>) -> Result<Self, StoreError> {
        let pool = postgres::connect::open(url, schema, &options).await?;
        postgres::migrate::run(&pool).await?;
        let holder = holder(options.random.as_ref());
        let (node, version) = lease_node(&pool, &options, &holder).await?;
        let surroundings = surroundings(&options, node);
        let signals = Arc::new(Signals::new(version));
        let watching = tokio::spawn(postgres::watch::run(pool.pool.clone(), Arc::clone(&signals)));
        let files = options.files.clone().unwrap_or_else(|| PathBuf::from("relata-data/files"));
        let mut store = Self::assemble(Db::Postgres(pool), surroundings, signals, files, &options, node);
        if let Some(shared) = Arc::get_mut(&mut store.shared) {
            shared.holder = holder;
        }
        let beating = tokio::spawn(keep_node(Arc::downgrade(&store.shared)));
        store.lock_background().extend([watching, beating]);
        if let Err(error) = store.open_keys(options.keys.clone()).await {
            let _ = store.close().await;
            return Err(error);
        }
        Ok(store)
    }

    fn assemble(db: Db, surroundings: Surroundings, signals: Arc<Signals>, files: PathBuf, options: &OpenOptions, node: u16) -> Self {
        let shared = Shared {
            db,
            signals,
            files,
            node,
            holder: holder(options.random.as_ref()),
            node_lease: options.node_lease,
            is_node_lost: AtomicBool::new(false),
            background: Mutex::new(Vec::new()),
            readings: super::identity::Readings::default(),
            reads: AtomicU64::new(0),
            surroundings,
        };
        Self { shared: Arc::new(shared) }
    }

    async fn open_keys(&self, folder: Option<PathBuf>) -> Result<(), StoreError> {
        let folder = folder.unwrap_or_else(|| PathBuf::from("relata-data/keys"));
        let key = super::audit::open_key(self, &folder).await?;
        let _ = self.shared.surroundings.audit_key.set(key);
        let vault = super::vault::open_vault(self, &folder).await?;
        let _ = self.shared.surroundings.vault.set(Arc::new(vault));
        Ok(())
    }

    /// The keys of encrypted values.
    pub(super) fn vault(&self) -> Option<Arc<super::vault::Vault>> {
        self.shared.surroundings.vault.get().cloned()
    }

    /// The key of blind indexes: what a catalog in force needs.
    pub fn blind(&self) -> Option<crate::base::Blind> {
        self.shared.surroundings.vault.get().map(|vault| vault.blind().clone())
    }

    pub(super) fn audit_key(&self) -> Option<super::keys::Key> {
        self.shared.surroundings.audit_key.get().cloned()
    }

    pub fn dialect(&self) -> Dialect {
        match self.shared.db {
            Db::Sqlite { .. } => Dialect::Sqlite,
            Db::Postgres(_) => Dialect::Postgres,
        }
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.surroundings.clock
    }

    pub fn random(&self) -> &Arc<dyn Random> {
        &self.shared.surroundings.random
    }

    /// Mints ids with this process's leased node number.
    pub fn mint(&self) -> &Arc<IdMint> {
        &self.shared.surroundings.mint
    }

    /// This process's node number.
    pub fn node(&self) -> u16 {
        self.shared.node
    }

    /// A name for this process, for locks and leases.
    pub fn holder(&self) -> &str {
        &self.shared.holder
    }

    /// Where the contents of uploaded files lie.
    pub fn files_folder(&self) -> &Path {
        &self.shared.files
    }

    /// The data folder of an embedded database.
    pub fn data_folder(&self) -> Option<&Path> {
        match &self.shared.db {
            Db::Sqlite { folder, .. } => Some(folder),
            Db::Postgres(_) => None,
        }
    }

    /// The advisory lock that units of work hold on PostgreSQL.
    pub(super) fn advisory_lock(&self) -> Option<i64> {
        match &self.shared.db {
            Db::Sqlite { .. } => None,
            Db::Postgres(pool) => Some(pool.lock),
        }
    }

    /// Runs a reading statement outside any transaction.
    pub async fn query(&self, statement: &Statement) -> Result<Rows, StoreError> {
        self.shared.reads.fetch_add(1, Ordering::Relaxed);
        match &self.shared.db {
            Db::Sqlite { readers, .. } => readers.query(statement).await,
            Db::Postgres(pool) => postgres::link::query(&pool.pool, statement).await,
        }
    }

    /// How many statements were run outside of units of work since the store was opened.
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Ordering::Relaxed)
    }

    /// [`Store::query`] for SQL just built.
    pub async fn rows(&self, sql: Sql, columns: &[ColumnKind]) -> Result<Rows, StoreError> {
        self.query(&sql.statement(self.dialect(), columns)).await
    }

    /// Runs one unit of work: all of it is kept, and on disk when this returns `Ok`; on `Err` nothing of it is.
    /// On SQLite the units that wait are committed together, each undone on its own when it fails. The unit runs to
    /// its end also when the one who asked goes away.
    pub async fn write<T, E>(&self, work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Shared, work).await
    }

    /// [`Store::write`] for a unit that can hardly fail once it has written, and whose caller tries again on
    /// [`StoreError::Busy`]: on SQLite it runs without a savepoint of its own.
    pub async fn write_bare<T, E>(
        &self,
        work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Bare, work).await
    }

    /// A unit that changes tables or definitions: no other unit runs beside it on any node.
    pub async fn apply<T, E>(&self, work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Exclusive, work).await
    }

    /// Runs a unit and undoes it whatever it returns: for measuring a plan and what-if.
    pub async fn rehearse<T, E>(
        &self,
        work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Mode::Rehearsal, work).await
    }

    async fn run<T, E>(
        &self,
        mode: Mode,
        work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.shared.is_node_lost.load(Ordering::Relaxed) {
            return Err(StoreError::NodeLost.into());
        }
        let longest = match mode {
            Mode::Shared | Mode::Bare => self.shared.surroundings.write_timeout,
            Mode::Exclusive | Mode::Rehearsal => LONGEST_APPLY,
        };
        let (unit, answer) = unit(mode, longest, work);
        match &self.shared.db {
            Db::Sqlite { writer, .. } => {
                writer.send(Request::Run(unit)).await.map_err(|_| StoreError::Closed)?;
            }
            Db::Postgres(_) => {
                tokio::spawn(run_on_postgres(Arc::clone(&self.shared), unit));
            }
        }
        answer.wait().await
    }

    /// Other units wait for the one writer of an embedded database: a long unit should end.
    pub fn has_waiting_writers(&self) -> bool {
        match &self.shared.db {
            Db::Sqlite { writer, .. } => writer.capacity() < writer.max_capacity(),
            Db::Postgres(_) => false,
        }
    }

    /// Removes from the files of an embedded database what was deleted in it: free pages, former words of the search index,
    /// the log. Writes wait meanwhile. On PostgreSQL the server's own vacuum does that.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let Db::Sqlite { writer, .. } = &self.shared.db else { return Ok(()) };
        let (sender, done) = oneshot::channel();
        writer.send(Request::Scrub(sender)).await.map_err(|_| StoreError::Closed)?;
        done.await.map_err(|_| StoreError::Closed)?
    }

    /// The version of the definitions in the database, changing when this or another process applies.
    pub fn catalog_changes(&self) -> watch::Receiver<i64> {
        self.shared.signals.catalog()
    }

    /// The version of the definitions in the database now. Where other processes may apply, this asks, and tells those who
    /// follow [`Store::catalog_changes`].
    pub async fn catalog_version(&self) -> Result<i64, StoreError> {
        if self.dialect() == Dialect::Postgres {
            let rows = self.rows(Sql::new("SELECT version FROM sys_schema"), &[ColumnKind::Int]).await?;
            self.shared.signals.tell_catalog(rows.one_int().unwrap_or(0));
        }
        Ok(self.shared.signals.catalog_version())
    }

    /// Changes after each commit of this process that left something in the outbox or the queue. Work left by other
    /// processes is only seen by looking.
    pub fn signals(&self) -> watch::Receiver<u64> {
        self.shared.signals.work()
    }

    pub(super) fn signals_of(&self) -> &Signals {
        &self.shared.signals
    }

    pub(super) fn identity_readings(&self) -> &super::identity::Readings {
        &self.shared.readings
    }

    /// Ends background work, finishes waiting units and gives the node number and the lock back.
    pub async fn close(&self) -> Result<(), StoreError> {
        for task in self.lock_background().drain(..) {
            task.abort();
        }
        match &self.shared.db {
            Db::Sqlite { readers, writer, .. } => {
                readers.close();
                let (sender, closed) = oneshot::channel();
                if writer.send(Request::Close(sender)).await.is_ok() {
                    let _ = closed.await;
                }
            }
            Db::Postgres(pool) => {
                let (node, holder) = (self.shared.node, self.shared.holder.clone());
                let given_back: Result<(), StoreError> =
                    self.write(move |tx| Box::pin(async move { nodes::release(tx, node, &holder).await })).await;
                pool.pool.close().await;
                given_back?;
            }
        }
        Ok(())
    }

    fn lock_background(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.shared.background.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for task in self.background.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

fn surroundings(options: &OpenOptions, node: u16) -> Surroundings {
    Surroundings {
        clock: Arc::clone(&options.clock),
        random: Arc::clone(&options.random),
        mint: Arc::new(IdMint::new(Arc::clone(&options.clock), node)),
        write_timeout: options.write_timeout,
        audit_key: Arc::default(),
        vault: Arc::default(),
    }
}

fn holder(random: &dyn Random) -> String {
    format!("{}-{:016x}", std::process::id(), random.next_u64())
}

/// Runs a unit on PostgreSQL in its own transaction.
async fn run_on_postgres(shared: Arc<Shared>, unit: Unit) {
    let Db::Postgres(pool) = &shared.db else { return unit.refuse(StoreError::Closed) };
    let begun = postgres::link::PostgresLink::begin(&pool.pool, pool.lock, !unit.mode.is_shared()).await;
    let (link, version) = match begun {
        Ok(begun) => begun,
        Err(error) => return unit.refuse(error),
    };
    let keep = unit.mode != Mode::Rehearsal;
    let mut tx = Tx::new(Link::Postgres(link), shared.surroundings.clone());
    tx.renew(unit.longest);
    tx.know_catalog_version(version);
    let ran = (unit.run)(&mut tx).await;
    let after_commit = tx.after_commit;
    let Link::Postgres(link) = &mut tx.link else { return };
    let ended = link.end(ran.keep && keep).await;
    if ended.is_ok() && ran.keep && keep {
        shared.signals.tell(after_commit);
    }
    (ran.answer)(ended);
}

/// Takes a node number before the store exists, because its id mint needs it.
async fn lease_node(pool: &postgres::connect::Pool, options: &OpenOptions, holder: &str) -> Result<(u16, i64), StoreError> {
    let (link, version) = postgres::link::PostgresLink::begin(&pool.pool, pool.lock, false).await?;
    let mut tx = Tx::new(Link::Postgres(link), surroundings(options, 0));
    let node = nodes::lease(&mut tx, holder, options.node_lease).await?;
    if let Link::Postgres(link) = &mut tx.link {
        link.end(true).await?;
    }
    Ok((node, version))
}

/// Prolongs the lease of the node number until the store is gone.
async fn keep_node(shared: std::sync::Weak<Shared>) {
    loop {
        let Some(every) = shared.upgrade().map(|shared| shared.node_lease / 3) else { return };
        tokio::time::sleep(every).await;
        let Some(shared) = shared.upgrade() else { return };
        let (node, holder, lease) = (shared.node, shared.holder.clone(), shared.node_lease);
        let version = shared.signals.catalog_version();
        let store = Store { shared: Arc::clone(&shared) };
        let renewed: Result<bool, StoreError> =
            store.write(move |tx| Box::pin(async move { nodes::renew(tx, node, &holder, lease, version).await })).await;
        if let Ok(false) = renewed {
            tracing::error!(store.node = node, "the node number was lost: this process writes no more");
            shared.is_node_lost.store(true, Ordering::Relaxed);
        }
    }
}
