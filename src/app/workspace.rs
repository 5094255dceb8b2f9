//! One open workspace: the rooms put together over one database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::AppError;
use crate::access::Actor;
use crate::auth::{Auth, Provider, SessionLimits};
use crate::automation::{Automation, Post, ScriptJobs};
use crate::base::{Clock, Random, SystemClock, SystemRandom};
use crate::deploy::{self, Folders, Outcome};
use crate::jobs::mails::MailJobs;
use crate::jobs::webhooks::WebhookJobs;
use crate::jobs::{Runner, RunnerOptions};
use crate::outbound::mail::{MailOptions, Mailer};
use crate::outbound::{Egress, EgressOptions, HttpClient};
use crate::record::Records;
use crate::schema::catalog::Catalog;
use crate::schema::{DataKind, DataSet, Loaded, SourceFile};
use crate::store::{OpenOptions, Store, Target};
use crate::transfer;

/// How a workspace is opened.
#[derive(Debug, Clone)]
pub struct Options {
    pub target: Target,
    pub files: Option<PathBuf>,
    /// Folder of keys; by default in the data folder.
    pub keys: Option<PathBuf>,
    pub folders: Folders,
    pub postgres_connections: u32,
    /// How long a reading statement may take.
    pub longest_read: Duration,
    pub job_workers: usize,
    /// How long the feed of changes goes back.
    pub events_kept: Duration,
    /// What outgoing requests may reach.
    pub egress: EgressOptions,
    /// The server that e-mail leaves through.
    pub mail: Option<MailOptions>,
    /// Where people find this workspace, without a slash at the end: for links in e-mails.
    pub public_url: String,
    /// Single sign-on.
    pub provider: Option<Provider>,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// In the place of the client that `egress` describes, for tests.
    pub http: Option<Arc<dyn HttpClient>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Options {
    pub fn new(target: Target, folders: Folders) -> Self {
        Self {
            target,
            files: None,
            keys: None,
            folders,
            postgres_connections: 16,
            longest_read: Duration::from_secs(30),
            job_workers: 4,
            events_kept: RunnerOptions::default().events_kept,
            egress: EgressOptions::default(),
            mail: None,
            public_url: "http://localhost:8080".to_owned(),
            provider: None,
            sessions: SessionLimits::default(),
            http: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// The store's options.
    pub fn store(&self) -> OpenOptions {
        OpenOptions {
            clock: self.clock.clone(),
            random: self.random.clone(),
            files: self.files.clone(),
            keys: self.keys.clone(),
            max_connections: self.postgres_connections,
            read_timeout: self.longest_read,
            ..OpenOptions::new(self.target.clone())
        }
    }
}

/// Everything that works on one database. Cloning is cheap.
#[derive(Clone)]
pub struct Workspace {
    pub store: Store,
    pub catalog: Arc<ArcSwap<Catalog>>,
    pub records: Records,
    pub automation: Arc<Automation>,
    pub auth: Arc<Auth>,
    pub runner: Arc<Runner>,
    /// Requests to other servers.
    pub http: Arc<dyn HttpClient>,
    pub folders: Folders,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Fault of the definitions on disk that could not be applied; the last good ones are served.
    pub fault: Arc<ArcSwap<Option<String>>>,
}

impl Workspace {
    /// Opens the database and loads the definitions in force. A database without any gets those on disk: a first apply only adds.
    ///
    /// # Errors
    /// The database, or faulty definitions in a workspace that has none yet.
    pub async fn open(options: &Options) -> Result<Self, AppError> {
        let store = Store::open(options.store()).await?;
        let (loaded, seeds) = match deploy::current(&store).await? {
            Some(loaded) => (loaded, Vec::new()),
            None => {
                let mut loaded = first_apply(&store, &options.folders).await?;
                let data = std::mem::take(&mut loaded.data);
                (loaded, data)
            }
        };
        let workspace = Self::assemble(store, loaded, options).await?;
        workspace.load_seeds(&seeds).await?;
        let again = workspace.records.erase_again().await?;
        if again > 0 {
            tracing::warn!(records = again, "this database is older than some erasures: they were done again");
        }
        Ok(workspace)
    }

    /// Opens for applying `files`: a database without definitions starts from nothing, so that the plan shows all of them.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub async fn open_for_apply(options: &Options, files: &[SourceFile]) -> Result<Self, AppError> {
        let store = Store::open(options.store()).await?;
        let loaded = match deploy::current(&store).await? {
            Some(loaded) => loaded,
            None => {
                let mut loaded = deploy::check(files, &crate::schema::Bindings::default()).map_err(deploy::DeployError::Faults)?;
                loaded.catalog.version = 0;
                loaded
            }
        };
        Self::assemble(store, loaded, options).await
    }

    async fn assemble(store: Store, loaded: Loaded, options: &Options) -> Result<Self, AppError> {
        let catalog = Arc::new(ArcSwap::from_pointee(Catalog { blind: store.blind(), ..loaded.catalog }));
        let mailer = match &options.mail {
            Some(mail) => Some(Arc::new(Mailer::new(mail.clone(), options.egress.clone()).map_err(AppError::Start)?)),
            None => None,
        };
        let post = Post::new(mailer.clone(), options.public_url.clone());
        let automation = Arc::new(Automation::new(options.random.clone()).with_post(post));
        automation.note_paused(&store).await?;
        let secret = crate::store::secret::cursor_key(&store, options.random.as_ref()).await?;
        let records = Records::new(
            store.clone(),
            catalog.clone(),
            automation.clone(),
            options.clock.clone(),
            options.random.clone(),
            store.mint().clone(),
        )
        .with_cursor_key(crate::query::CursorKey::from_secret(&secret));
        let http = match &options.http {
            Some(http) => http.clone(),
            None => Arc::new(Egress::new(options.egress.clone()).map_err(AppError::Start)?),
        };
        let auth = Auth::new(store.clone(), records.clone(), options.clock.clone(), options.random.clone());
        let auth = Arc::new(auth.with_sessions(options.sessions).with_provider(options.provider.clone(), http.clone()));
        let runner = Arc::new(Runner::new(
            store.clone(),
            catalog.clone(),
            vec![
                Arc::new(ScriptJobs::new(automation.clone(), records.clone())),
                Arc::new(super::chores::Chores::new(auth.clone(), records.clone())),
                Arc::new(WebhookJobs::new(http.clone())),
                Arc::new(MailJobs::new(mailer)),
            ],
            options.clock.clone(),
            options.random.clone(),
            RunnerOptions { workers: options.job_workers, events_kept: options.events_kept, ..RunnerOptions::default() },
        ));
        Ok(Self {
            store,
            catalog,
            records,
            automation,
            auth,
            runner,
            http,
            folders: options.folders.clone(),
            clock: options.clock.clone(),
            random: options.random.clone(),
            fault: Arc::new(ArcSwap::from_pointee(None)),
        })
    }

    /// Serves these definitions from now on.
    pub fn adopt(&self, catalog: Catalog) {
        let catalog = Arc::new(Catalog { blind: self.store.blind(), ..catalog });
        self.catalog.rcu(|now| if catalog.version >= now.version { catalog.clone() } else { now.clone() });
    }

    /// Plans and applies files; the new definitions are served when this returns.
    ///
    /// # Errors
    /// As [`deploy::plan`] and [`deploy::apply`]; nothing is changed then.
    pub async fn apply(&self, files: &[SourceFile], plan_id: Option<&str>, accept: &[String], by: i64) -> Result<Applied, AppError> {
        let plan = deploy::plan(&self.store, files).await?;
        if plan_id.is_some_and(|wanted| wanted != plan.id) {
            return Err(deploy::DeployError::ChangedPlan.into());
        }
        let text = plan.text();
        let Outcome { version, loaded, changes, recompute } = deploy::apply(&self.store, plan, accept, by).await?;
        self.fault.store(Arc::new(None));
        if changes > 0 {
            self.adopt(loaded.catalog);
            super::fill::recompute(self, &recompute).await?;
        }
        let seeded = self.load_seeds(&loaded.data).await?;
        Ok(Applied { version, changes, text, seeded })
    }

    /// Loads the records that belong to packages and are not there yet; gives how many.
    async fn load_seeds(&self, data: &[DataSet]) -> Result<u64, AppError> {
        if !data.iter().any(|set| set.kind == DataKind::Seed) {
            return Ok(0);
        }
        Ok(transfer::load_data(&self.records, &Actor::system(), data, DataKind::Seed).await?.created)
    }

    /// Follows the version in the database: another process may have applied.
    pub async fn follow(self, mut shutdown: watch::Receiver<bool>) {
        let mut versions = self.store.catalog_changes();
        loop {
            tokio::select! {
                changed = versions.changed() => if changed.is_err() { return },
                _ = shutdown.changed() => return,
            }
            let version = *versions.borrow_and_update();
            if version <= self.catalog.load().version {
                continue;
            }
            match deploy::current(&self.store).await {
                Ok(Some(loaded)) => self.adopt(loaded.catalog),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(error = %error, "new definitions could not be loaded; the former ones are served on");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    versions.mark_changed();
                }
            }
        }
    }

    /// The data sets of the definitions on disk, for loading sample data.
    ///
    /// # Errors
    /// Faulty definitions.
    pub fn data_sets(&self) -> Result<Vec<DataSet>, AppError> {
        let files = deploy::read(&self.folders)?;
        let loaded = deploy::check(&files, &crate::schema::Bindings::default()).map_err(deploy::DeployError::Faults)?;
        Ok(loaded.data)
    }
}

/// What [`Workspace::apply`] did.
#[derive(Debug)]
pub struct Applied {
    pub version: i64,
    pub changes: usize,
    /// The plan as text.
    pub text: String,
    /// Records of packages that were loaded.
    pub seeded: u64,
}

async fn first_apply(store: &Store, folders: &Folders) -> Result<Loaded, AppError> {
    let files = deploy::read(folders)?;
    let plan = deploy::plan(store, &files).await?;
    let outcome = deploy::apply(store, plan, &[], 0).await?;
    Ok(outcome.loaded)
}
