//! What every handler can reach.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::admission::Admission;
use super::config::WebConfig;
use super::door::{DefinitionsDoor, Readiness};
use crate::auth::Auth;
use crate::automation::Automation;
use crate::base::{Clock, Random};
use crate::contract;
use crate::record::Records;
use crate::render::Messages;
use crate::schema::catalog::Catalog;

/// The rooms below, made by `app`.
pub struct Services {
    /// Swapped whole by apply; take one [`Arc`] per request with [`State::catalog`].
    pub catalog: Arc<ArcSwap<Catalog>>,
    pub records: Records,
    pub automation: Arc<Automation>,
    pub auth: Arc<Auth>,
    pub definitions: Arc<dyn DefinitionsDoor>,
    pub readiness: Arc<dyn Readiness>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub config: WebConfig,
}

/// Cheap to clone; one for the whole site.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// The services and what the web itself remembers.
pub struct Shared {
    services: Services,
    /// Requests that panicked since the start; must stay 0.
    pub panics: AtomicU64,
    /// Who may start now.
    pub(super) admission: Admission,
    /// Pictures decoded at the same time: each may take much memory.
    pub(super) picture_slots: Semaphore,
    request_numbers: AtomicU64,
    /// Distinguishes this process in request ids.
    process: u32,
    messages: OnceLock<Messages>,
    /// The API's description of one catalog version, written once for each set of roles that sees another part of it.
    openapi: Mutex<Vec<Description>>,
}

/// Descriptions kept at the same time.
const KEPT_DESCRIPTIONS: usize = 32;

struct Description {
    version: i64,
    digest: String,
    view: u64,
    text: Arc<str>,
}

impl State {
    pub fn new(services: Services) -> Self {
        let mut seed = [0; 4];
        services.random.fill(&mut seed);
        let config = &services.config;
        let admission = Admission::new(config.max_running, config.max_heavy, config.meters.clone());
        Self(Arc::new(Shared {
            services,
            admission,
            panics: AtomicU64::new(0),
            picture_slots: Semaphore::new(2),
            request_numbers: AtomicU64::new(0),
            process: u32::from_le_bytes(seed),
            messages: OnceLock::new(),
            openapi: Mutex::new(Vec::new()),
        }))
    }

    /// The catalog as it is now. One per request, so that a request sees one version.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.services().catalog.load_full()
    }

    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// The product's words, read when first asked for.
    pub(super) fn messages(&self) -> &Messages {
        self.0.messages.get_or_init(Messages::new)
    }

    /// The OpenAPI document of a catalog as some roles see it (`view`, see `Actor::view`), as text. Made once for each.
    pub fn openapi_text(&self, catalog: &Catalog, view: u64) -> Arc<str> {
        let mut kept = self.0.openapi.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|one| one.version != catalog.version || one.digest != catalog.digest) || kept.len() >= KEPT_DESCRIPTIONS {
            kept.clear();
        }
        if let Some(known) = kept.iter().find(|one| one.view == view) {
            return known.text.clone();
        }
        let text: Arc<str> = contract::openapi(catalog, &self.config.public_url.origin).to_string().into();
        kept.push(Description { version: catalog.version, digest: catalog.digest.clone(), view, text: text.clone() });
        text
    }

    /// A new request id, unique among all processes with overwhelming likelihood.
    pub(super) fn next_request_id(&self) -> String {
        let number = self.0.request_numbers.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number:08x}", self.0.process)
    }
}

impl Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Deref for Shared {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
