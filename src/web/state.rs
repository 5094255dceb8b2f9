//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::config::WebConfig;
use super::door::{DefinitionsDoor, Readiness};
use crate::auth::Auth;
use crate::base::{Clock, Random};
use crate::schema::catalog::Catalog;

/// The rooms below, made by `app`.
pub struct Services {
    /// Swapped whole by apply; take one [`Arc`] per request with [`State::catalog`].
    pub catalog: Arc<ArcSwap<Catalog>>,
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
    request_numbers: AtomicU64,
    /// Distinguishes this process in request ids.
    process: u32,
}

impl State {
    pub fn new(services: Services) -> Self {
        let mut seed = [0; 4];
        services.random.fill(&mut seed);
        Self(Arc::new(Shared {
            services,
            panics: AtomicU64::new(0),
            request_numbers: AtomicU64::new(0),
            process: u32::from_le_bytes(seed),
        }))
    }

    /// The catalog as it is now. One per request, so that a request sees one version.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.services().catalog.load_full()
    }

    pub fn services(&self) -> &Services {
        &self.0.services
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
