//! Plans of frequent requests, kept by the text of the request.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use crate::access::{AccessError, Actor, RowRules, authorise_get, authorise_list};
use crate::base::{DateTime, EntityIx, Explain, RecordId};
use crate::expr::EvalContext;
use crate::query::{CursorKey, Item, ListRequest, Paging, Params, QueryError, Select, parse_get, parse_list};
use crate::schema::catalog::Catalog;
use crate::store::statement::MOMENT;
use crate::store::{Dialect, Statement};

use super::constant::{is_constant, is_constant_select};
use super::other::other;
use super::select::{ListPlan, list};
use super::shape::RowPlan;
use super::single::{GetPlan, get};
use super::window::window;

/// Plans kept of each sort.
const KEPT: usize = 1024;
/// A longer request is compiled each time: a cache must not hold what somebody made up.
const LONGEST: usize = 2048;

/// Why a request has no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("the request is wrong in {} places", .0.len())]
    Query(Vec<QueryError>),
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Explain for PlanError {
    fn code(&self) -> &'static str {
        match self {
            PlanError::Query(faults) => faults.first().map_or("QRY001", Explain::code),
            PlanError::Access(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            PlanError::Query(faults) => faults.first().and_then(Explain::hint),
            PlanError::Access(error) => error.hint(),
        }
    }
}

/// A cache of plans; least recently used ones go first. One for the process, shared by all requests.
#[derive(Debug)]
pub struct Plans {
    lists: Mutex<Recent<Key, CachedList>>,
    gets: Mutex<Recent<Key, Arc<GetPlan>>>,
    own_lists: Mutex<Recent<OwnKey, Own<ListPlan>>>,
    own_gets: Mutex<Recent<OwnKey, Own<GetPlan>>>,
}

/// Catalog version, who asks, entity and the text of the request.
type OwnKey = (i64, i64, EntityIx, Box<str>);

/// The plan of somebody under rules of their own. It holds while the rules are these very ones: they are made anew when rights,
/// roles, teams or definitions change.
#[derive(Debug)]
struct Own<P> {
    rules: RowRules,
    plan: Arc<P>,
}

impl<P> Clone for Own<P> {
    fn clone(&self) -> Self {
        Self { rules: self.rules.clone(), plan: self.plan.clone() }
    }
}

impl<P> Own<P> {
    fn find(kept: &Mutex<Recent<OwnKey, Self>>, key: &OwnKey, rules: &RowRules) -> Option<Arc<P>> {
        lock(kept).get(key).filter(|known| known.rules.is_same(rules)).map(|known| known.plan)
    }

    fn keep(kept: &Mutex<Recent<OwnKey, Self>>, key: OwnKey, rules: &RowRules, plan: P) -> Arc<P> {
        let plan = Arc::new(plan);
        lock(kept).put(key, Self { rules: rules.clone(), plan: plan.clone() });
        plan
    }
}

/// A plan that is kept, and the moment at which it is asked. The plan itself may have [`MOMENT`] in its statements, so that it is
/// run only through this.
#[derive(Debug)]
pub struct At<P> {
    plan: Arc<P>,
    now: DateTime,
}

impl At<ListPlan> {
    pub(super) fn parts(&self) -> (&ListPlan, DateTime) {
        (&self.plan, self.now)
    }

    /// Records of a page at most.
    pub fn limit(&self) -> u32 {
        self.plan.limit
    }

    /// The statement of each way to the page.
    pub fn ways(&self) -> Vec<Statement> {
        let other = self.plan.other.as_ref().map(|other| &other.page);
        std::iter::once(&self.plan.page).chain(other).map(|page| page.at(self.now).into_owned()).collect()
    }

    /// How the rows of each way are read.
    pub fn rows(&self) -> &Arc<RowPlan> {
        &self.plan.rows
    }
}

impl At<GetPlan> {
    /// The statement for one record.
    pub fn statement(&self, id: RecordId) -> Statement {
        self.plan.statement_at(id, self.now)
    }

    pub fn rows(&self) -> &Arc<RowPlan> {
        &self.plan.rows
    }

    /// What was asked for.
    pub fn select(&self) -> &Select {
        &self.plan.select
    }
}

/// Where the plan of who asks under these rules is kept; `None` where it cannot be.
fn own_key(rules: &RowRules, actor: &Actor, whole: &Catalog, entity: EntityIx, query: &str) -> Option<OwnKey> {
    let is_kept = rules.is_personal() && !rules.is_momentary() && query.len() <= LONGEST;
    is_kept.then(|| (whole.version, actor.user_id(), entity, Box::from(query)))
}

/// The statements of expansions are made later, so that no moment could be put into them.
fn is_keepable(catalog: &Catalog, request: &ListRequest) -> bool {
    is_constant(catalog, request) && !has_parts(&request.select)
}

fn has_parts(select: &Select) -> bool {
    select.items.iter().any(|item| matches!(item, Item::Expand(expand) if expand.many || expand.targets.iter().any(has_parts)))
}

fn timeless(context: &EvalContext<'_>) -> EvalContext<'static> {
    EvalContext { now: MOMENT, zone: context.zone.clone(), me: context.me, old: None }
}

/// Catalog version, which roles ask, entity and the text of the request. No plan that is kept holds anything of a person:
/// those made of personal rules are compiled anew.
type Key = (i64, u64, EntityIx, Box<str>);

#[derive(Debug, Clone)]
struct CachedList {
    request: Arc<ListRequest>,
    /// Kept only when the statement depends on nothing but the request.
    plan: Option<Arc<ListPlan>>,
}

impl Default for Plans {
    fn default() -> Self {
        Self {
            lists: Mutex::new(Recent::new(KEPT)),
            gets: Mutex::new(Recent::new(KEPT)),
            own_lists: Mutex::new(Recent::new(KEPT)),
            own_gets: Mutex::new(Recent::new(KEPT)),
        }
    }
}

impl Plans {
    pub fn new() -> Self {
        Self::default()
    }

    /// A list request written as URL parameters and its plan: parsed, authorised and compiled, or found.
    ///
    /// # Errors
    /// All faults of the request, or the refusal.
    #[expect(clippy::too_many_arguments, reason = "each is one dimension of the key or of the compilation")]
    pub fn list(
        &self,
        whole: &Arc<Catalog>,
        dialect: Dialect,
        key: &CursorKey,
        actor: &Actor,
        entity: EntityIx,
        query: &str,
        context: &EvalContext<'_>,
    ) -> Result<(Arc<ListRequest>, At<ListPlan>), PlanError> {
        let at = |plan| At { plan, now: context.now };
        let place = (query.len() <= LONGEST).then(|| (whole.version, actor.view(whole), entity, Box::from(query)));
        let cached = place.as_ref().and_then(|place| lock(&self.lists).get(place));
        let request = match &cached {
            Some(cached) => cached.request.clone(),
            None => Arc::new(parse_list(&actor.sees(whole), key, entity, &Params::parse(query)).map_err(PlanError::Query)?),
        };
        // Asked for on every request, found or not: a plan is no permission.
        let authorised = authorise_list(whole, actor, request.clone())?;
        if let Some(plan) = cached.as_ref().and_then(|cached| cached.plan.clone()) {
            return Ok((request, at(plan)));
        }
        let key = own_key(authorised.rows(), actor, whole, entity, query).filter(|_| is_keepable(whole, &request));
        if let Some(key) = key {
            let rules = authorised.rows();
            // A page further on is hardly asked for twice.
            let is_first = !matches!(request.paging, Paging::After(_));
            let found = if is_first { Own::find(&self.own_lists, &key, rules) } else { None };
            let plan = found.unwrap_or_else(|| {
                let context = timeless(context);
                let mut plan = list(whole, dialect, &authorised, &context);
                if dialect == Dialect::Sqlite {
                    plan.other = other(whole, &authorised, &context);
                    plan.window = window(whole, &authorised, &context);
                }
                if is_first { Own::keep(&self.own_lists, key, rules, plan) } else { Arc::new(plan) }
            });
            if let Some(place) = place.filter(|_| cached.is_none() && is_first) {
                lock(&self.lists).put(place, CachedList { request: request.clone(), plan: None });
            }
            return Ok((request, at(plan)));
        }
        let plan = Arc::new(list(whole, dialect, &authorised, context));
        if let Some(place) = place {
            let kept = plan.is_constant.then(|| plan.clone());
            lock(&self.lists).put(place, CachedList { request: request.clone(), plan: kept });
        }
        Ok((request, at(plan)))
    }

    /// The plan of `GET …/{id}`; run [`GetPlan::statement`] with the id.
    ///
    /// # Errors
    /// All faults of the request, or the refusal.
    #[expect(clippy::too_many_arguments, reason = "each is one dimension of the key or of the compilation")]
    pub fn get(
        &self,
        whole: &Arc<Catalog>,
        dialect: Dialect,
        actor: &Actor,
        entity: EntityIx,
        id: RecordId,
        query: &str,
        context: &EvalContext<'_>,
    ) -> Result<At<GetPlan>, PlanError> {
        let at = |plan| At { plan, now: context.now };
        let place = (query.len() <= LONGEST).then(|| (whole.version, actor.view(whole), entity, Box::from(query)));
        let cached = place.as_ref().and_then(|place| lock(&self.gets).get(place));
        if let Some(plan) = cached {
            // Its selection was looked at when it was made for these very roles.
            let select = Select { entity, items: Vec::new() };
            let asked = crate::query::GetRequest { entity, id, select, deleted: crate::query::Deleted::Live };
            authorise_get(whole, actor, asked)?;
            return Ok(at(plan));
        }
        let standing = actor.standing(whole)?;
        let rules = standing.part().map(|granted| granted.rules());
        let key = rules.and_then(|rules| own_key(rules, actor, whole, entity, query));
        if let Some(plan) = key.as_ref().zip(rules).and_then(|(key, rules)| Own::find(&self.own_gets, key, rules)) {
            let select = Select { entity, items: Vec::new() };
            authorise_get(whole, actor, crate::query::GetRequest { entity, id, select, deleted: crate::query::Deleted::Live })?;
            return Ok(at(plan));
        }
        let request = parse_get(&actor.sees(whole), entity, id, &Params::parse(query)).map_err(PlanError::Query)?;
        let is_keepable = is_constant_select(whole, &request.select) && !has_parts(&request.select);
        let authorised = authorise_get(whole, actor, request)?;
        if let Some(key) = key.filter(|_| is_keepable) {
            let plan = get(whole, dialect, &authorised, &timeless(context));
            let plan = Own::keep(&self.own_gets, key, authorised.rows(), plan);
            return Ok(at(plan));
        }
        let plan = Arc::new(get(whole, dialect, &authorised, context));
        if let Some(place) = place.filter(|_| plan.is_constant) {
            lock(&self.gets).put(place, plan.clone());
        }
        Ok(at(plan))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while the cache was held leaves it usable: at worst an entry is missing.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The entries used last. Old ones go in two halves: when the young half is full it becomes the old one, and what is found
/// there moves back. Every operation takes constant time.
#[derive(Debug)]
struct Recent<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    fn new(capacity: usize) -> Self {
        Self { half: (capacity / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(key.clone(), value.clone());
        Some(value)
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}
