//! The roles of a person under one version of the definitions, worked out once and shared by all who have the same.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{Mine, Node, Path, Type, Typed, needs};
use crate::schema::catalog::{Actions, Allowed, Catalog, Grant};

use super::deciding::Deciding;
use super::derive;
use super::narrow;
use super::rules::RowRules;
use super::share::ShareWith;

/// The everyday role: everything, where no document says what it may do.
pub const EVERYDAY: &str = "user";
/// Sets of roles kept at the same time.
const KEPT: usize = 256;

/// A set of roles under one catalog. Holds nothing of any person.
#[derive(Debug)]
pub struct Policy {
    version: i64,
    digest: String,
    /// Tells it from every other policy of this process: caches of what people see are kept by it.
    number: u64,
    entities: Vec<EntityRights>,
    /// Some rule names the teams or reports of a person, or what is shared with them.
    uses_mine: bool,
    /// Which records are read depends on who has these roles.
    is_personal: bool,
    /// Nothing is kept from these roles.
    is_full: bool,
    /// No record and no value is: what is kept from them is something else to be done with records.
    is_open: bool,
    shared: OnceLock<Arc<Granted>>,
    seen: OnceLock<Arc<Catalog>>,
    deciding: OnceLock<Deciding>,
}

/// What some roles may do with the records of one entity: one grant for each role that says something.
#[derive(Debug, Clone, Default)]
pub struct EntityRights {
    /// Role and grant.
    pub grants: Vec<(String, Grant)>,
}

/// A policy with the ids of one person in the place of `my_teams()` and `my_reports()`.
#[derive(Debug)]
pub struct Granted {
    pub policy: Arc<Policy>,
    entities: Vec<EntityRights>,
    rules: RowRules,
    /// Whom records may be shared with so that the person has them; empty where the rules do not ask.
    with: Vec<String>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Read,
    Create,
    Update,
    Delete,
    Share,
    Export,
    Import,
    Admin,
}

impl Action {
    /// What is done with single records.
    pub const BASIC: [Action; 4] = [Action::Read, Action::Create, Action::Update, Action::Delete];
    pub const ALL: [Action; 8] =
        [Action::Read, Action::Create, Action::Update, Action::Delete, Action::Share, Action::Export, Action::Import, Action::Admin];

    pub fn word(self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Share => "share",
            Action::Export => "export",
            Action::Import => "import",
            Action::Admin => "admin",
        }
    }

    /// What a grant says about it.
    pub fn of(self, grant: &Grant) -> &Allowed {
        match self {
            Action::Read => &grant.read,
            Action::Create => &grant.create,
            Action::Update => &grant.update,
            Action::Delete => &grant.delete,
            Action::Share => &grant.share,
            Action::Export => &grant.export,
            Action::Import => &grant.import,
            Action::Admin => &grant.admin,
        }
    }
}

impl EntityRights {
    pub fn actions(&self) -> Actions {
        let any = |action: Action| self.grants.iter().any(|(_, grant)| *action.of(grant) != Allowed::None);
        Actions {
            read: any(Action::Read),
            create: any(Action::Create),
            update: any(Action::Update),
            delete: any(Action::Delete),
            share: any(Action::Share),
            export: any(Action::Export),
            import: any(Action::Import),
            admin: any(Action::Admin),
        }
    }

    /// The records an action is allowed for: none, all (`Some(None)`), or those for which the condition holds.
    pub fn allowed(&self, action: Action) -> Option<Option<Typed>> {
        let all = || self.grants.iter().map(|(_, grant)| action.of(grant));
        all().any(|allowed| *allowed != Allowed::None).then(|| derive::any(all()))
    }

    fn names_person(&self) -> bool {
        let is_personal = |node: &Node| matches!(node, Node::Me | Node::Mine(_));
        self.grants.iter().any(|(_, grant)| matches!(&grant.read, Allowed::Where(condition) if names(condition, &is_personal)))
    }

    /// Whether one role alone allows every record to be read, created, changed and deleted, with all its fields.
    pub fn is_full(&self) -> bool {
        self.grants.iter().any(|(_, grant)| {
            Action::BASIC.iter().all(|action| *action.of(grant) == Allowed::All)
                && grant.readable.iter().all(|holds| *holds)
                && grant.writable.iter().all(|holds| *holds)
        })
    }
}

impl Policy {
    fn of(catalog: &Catalog, roles: &[String]) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let mut entities: Vec<EntityRights> = catalog.entities.iter().map(|_| EntityRights::default()).collect();
        for name in roles {
            match catalog.roles.iter().find(|role| role.id == *name) {
                Some(role) => {
                    for (entity, grant) in &role.grants {
                        entities[entity.0 as usize].grants.push((name.clone(), grant.clone()));
                    }
                }
                None if name == EVERYDAY => {
                    for (rights, entity) in entities.iter_mut().zip(&catalog.entities) {
                        rights.grants.push((name.clone(), Grant::all(entity.fields.len())));
                    }
                }
                // A role that is gone allows nothing.
                None => {}
            }
        }
        let uses_mine = entities.iter().flat_map(|rights| &rights.grants).any(|(_, grant)| {
            Action::ALL.iter().any(|action| matches!(action.of(grant), Allowed::Where(condition) if names_mine(condition)))
        });
        let is_open = entities.iter().all(EntityRights::is_full);
        let does_all = |rights: &EntityRights| {
            Action::ALL.iter().all(|action| rights.grants.iter().any(|(_, grant)| *action.of(grant) == Allowed::All))
        };
        let is_full = is_open && entities.iter().all(does_all);
        Self {
            version: catalog.version,
            digest: catalog.digest.clone(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            is_personal: uses_mine || entities.iter().any(EntityRights::names_person),
            entities,
            uses_mine,
            is_full,
            is_open,
            shared: OnceLock::new(),
            seen: OnceLock::new(),
            deciding: OnceLock::new(),
        }
    }

    fn is_of(&self, catalog: &Catalog) -> bool {
        self.version == catalog.version && self.digest == catalog.digest
    }

    /// Every record may be read and written with all its values.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether it depends on who has these roles, or on what is shared with them, which records they read.
    pub fn is_personal(&self) -> bool {
        self.is_personal
    }

    pub fn entity(&self, entity: EntityIx) -> Option<&EntityRights> {
        self.entities.get(entity.0 as usize)
    }

    /// Whether it depends on who has these roles which records of the entity they read, shares apart.
    pub fn names_person(&self, entity: EntityIx) -> bool {
        self.entity(entity).is_some_and(EntityRights::names_person)
    }

    /// What decides who sees which records, by the rules of all roles of the catalog. Worked out when a share is first used.
    pub fn deciding(&self, catalog: &Catalog) -> &Deciding {
        self.deciding.get_or_init(|| Deciding::of(catalog))
    }

    /// The catalog as these roles see it: the same positions, without what they may not know of.
    pub fn seen(&self, whole: &Arc<Catalog>) -> Arc<Catalog> {
        self.seen.get_or_init(|| narrow::narrow(whole, self)).clone()
    }
}

impl Granted {
    fn of(policy: &Arc<Policy>, catalog: &Catalog, roles: &[String], mine: &Own) -> Self {
        let with = if policy.uses_mine { shared_with(catalog, mine, roles) } else { Vec::new() };
        let entities: Vec<EntityRights> = if policy.uses_mine {
            let team = catalog.find_entity("core.user").and_then(|people| Some((people.ix, people.find_field("team")?.ix)));
            let put = Put { own: mine, team, with: with.clone() };
            policy.entities.iter().map(|rights| put.rights(rights)).collect()
        } else {
            policy.entities.clone()
        };
        let rules = derive::rules(catalog, &entities);
        Self { policy: policy.clone(), entities, rules, with }
    }

    /// What statements add.
    pub fn rules(&self) -> &RowRules {
        &self.rules
    }

    /// Whether what is shared with these is shared with the person.
    pub fn has_share(&self, with: &ShareWith) -> bool {
        self.with.contains(&with.key())
    }

    /// What the roles give on an entity by themselves: nothing was shared.
    pub fn without_shares(&self, entity: EntityIx) -> EntityRights {
        Put { own: &Own::default(), team: None, with: Vec::new() }.rights(self.entity(entity))
    }

    /// Whether something may be allowed because a record was shared, this one or the one it goes with.
    pub fn asks_shares(&self, entity: EntityIx, action: Action) -> bool {
        let is_share = |node: &Node| matches!(node, Node::Shared { .. });
        let grants = &self.entity(entity).grants;
        grants.iter().any(|(_, grant)| matches!(action.of(grant), Allowed::Where(condition) if names(condition, &is_share)))
    }

    pub fn entity(&self, entity: EntityIx) -> &EntityRights {
        static NOTHING: EntityRights = EntityRights { grants: Vec::new() };
        self.entities.get(entity.0 as usize).unwrap_or(&NOTHING)
    }
}

/// Policies of this process, by catalog and roles.
#[derive(Debug, Default)]
pub struct Policies(Mutex<HashMap<Vec<String>, Arc<Policy>>>);

impl Policies {
    /// The policy of a set of roles (sorted, each once).
    fn of(&self, catalog: &Catalog, roles: &[String]) -> Arc<Policy> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = kept.get(roles).filter(|policy| policy.is_of(catalog)) {
            return policy.clone();
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let policy = Arc::new(Policy::of(catalog, roles));
        kept.insert(roles.to_vec(), policy.clone());
        policy
    }
}

/// The ids behind `my_teams()` and `my_reports()`, and those that records are shared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    pub me: Option<RecordId>,
    /// The teams they are in or lead, and all teams above those: what is shared with one of them is shared with its people.
    pub within: Vec<RecordId>,
    pub teams: Vec<RecordId>,
    /// The people of these teams: a rule on the team of an owner becomes one on the owner, which an index serves. `None` when
    /// they are too many to be named.
    pub members: Option<Vec<RecordId>>,
    pub reports: Vec<RecordId>,
}

/// A person's roles, teams and reports, as they were read from the database, with what they amount to.
#[derive(Debug)]
pub struct Holder {
    roles: Vec<String>,
    own: Own,
    policies: Arc<Policies>,
    kept: Mutex<Option<Arc<Granted>>>,
}

impl PartialEq for Holder {
    fn eq(&self, other: &Self) -> bool {
        self.roles == other.roles && self.own == other.own
    }
}

impl Holder {
    pub fn new(mut roles: Vec<String>, own: Own, policies: Arc<Policies>) -> Self {
        roles.sort_unstable();
        roles.dedup();
        Self { roles, own, policies, kept: Mutex::new(None) }
    }

    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// `None`: every right there is.
    pub(super) fn granted(&self, catalog: &Catalog) -> Option<Arc<Granted>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(granted) = kept.as_ref().filter(|granted| granted.policy.is_of(catalog)) {
            return (!granted.policy.is_full).then(|| granted.clone());
        }
        let policy = self.policies.of(catalog, &self.roles);
        if policy.is_full {
            let granted = Granted { entities: Vec::new(), rules: RowRules::default(), with: Vec::new(), policy };
            *kept = Some(Arc::new(granted));
            return None;
        }
        let make = || Arc::new(Granted::of(&policy, catalog, &self.roles, &self.own));
        let granted = if policy.uses_mine { make() } else { policy.shared.get().cloned().unwrap_or_else(make) };
        *kept = Some(granted.clone());
        Some(granted)
    }
}

/// What the rules of some roles ask for about a person: only that is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    pub teams_and_reports: bool,
    pub shares: bool,
}

/// What the roles under this catalog ask for about a person.
pub fn wants_own(catalog: &Catalog, roles: &[String]) -> Wants {
    let named = catalog.roles.iter().filter(|role| roles.contains(&role.id));
    let mut wants = Wants::default();
    for grant in named.flat_map(|role| role.grants.values()) {
        for action in Action::ALL {
            if let Allowed::Where(condition) = action.of(grant) {
                wants.teams_and_reports |= names(condition, &|node| matches!(node, Node::Mine(_)));
                wants.shares |= names(condition, &|node| matches!(node, Node::Shared { .. }));
            }
        }
    }
    wants
}

fn names(typed: &Typed, wanted: &dyn Fn(&Node) -> bool) -> bool {
    wanted(&typed.node) || typed.children().into_iter().any(|child| names(child, wanted))
}

fn names_mine(typed: &Typed) -> bool {
    names(typed, &|node| matches!(node, Node::Mine(_) | Node::Shared { .. }))
}

/// Whom a record may be shared with so that somebody has it. A role that is gone opens nothing.
fn shared_with(catalog: &Catalog, own: &Own, roles: &[String]) -> Vec<String> {
    let person = own.me.map(|me| ShareWith::Person(me).key());
    let teams = own.within.iter().map(|team| ShareWith::Team(*team).key());
    let known = |role: &&String| *role == EVERYDAY || catalog.roles.iter().any(|known| known.id == **role);
    person.into_iter().chain(teams).chain(roles.iter().filter(known).map(|role| ShareWith::Role(role.clone()).key())).collect()
}

/// Whether the condition depends on who asks, or on the moment.
pub(super) fn is_personal(typed: &Typed) -> bool {
    fn holds_ids(typed: &Typed) -> bool {
        matches!(&typed.node, Node::Literal(Value::Link(_))) || typed.children().into_iter().any(holds_ids)
    }
    let needed = needs(typed);
    needed.uses_me || needed.uses_now || needed.uses_zone || holds_ids(typed)
}

/// Puts ids into conditions.
struct Put<'a> {
    own: &'a Own,
    /// The field `team` of people.
    team: Option<(EntityIx, FieldIx)>,
    /// Whom records may be shared with so that the person has them.
    with: Vec<String>,
}

impl Put<'_> {
    fn rights(&self, rights: &EntityRights) -> EntityRights {
        let allowed = |allowed: &Allowed| match allowed {
            Allowed::Where(condition) => Allowed::Where(self.put(condition)),
            other => other.clone(),
        };
        let grants = rights.grants.iter().map(|(role, grant)| {
            let grant = Grant {
                read: allowed(&grant.read),
                create: allowed(&grant.create),
                update: allowed(&grant.update),
                delete: allowed(&grant.delete),
                share: allowed(&grant.share),
                export: allowed(&grant.export),
                import: allowed(&grant.import),
                admin: allowed(&grant.admin),
                readable: grant.readable.clone(),
                writable: grant.writable.clone(),
            };
            (role.clone(), grant)
        });
        EntityRights { grants: grants.collect() }
    }

    /// The condition with ids in the place of `my_teams()` and `my_reports()`.
    fn put(&self, typed: &Typed) -> Typed {
        let mut made = typed.clone();
        self.put_in(&mut made);
        made
    }

    fn put_in(&self, typed: &mut Typed) {
        match &mut typed.node {
            Node::In { item, list } => {
                if let (Some(members), [Typed { node: Node::Mine(Mine::Teams), .. }]) = (&self.own.members, &list[..])
                    && let Some(person) = self.person_of(item)
                {
                    *list = members.iter().map(|id| literal(&person.ty, *id)).collect();
                    **item = person;
                    return;
                }
                self.put_in(item);
                let mut put = Vec::with_capacity(list.len());
                for element in std::mem::take(list) {
                    match &element.node {
                        Node::Mine(mine) => put.extend(self.ids(*mine).iter().map(|id| literal(&element.ty, *id))),
                        _ => put.push(self.put(&element)),
                    }
                }
                *list = put;
            }
            Node::And(items) | Node::Or(items) | Node::Coalesce(items) | Node::Call { args: items, .. } | Node::Has { keys: items, .. } => {
                items.iter_mut().for_each(|item| self.put_in(item));
            }
            Node::Not(inner) | Node::IsNull(inner) | Node::Negate(inner) | Node::Rescale(inner) => self.put_in(inner),
            Node::Compare { left, right, .. } | Node::Arithmetic { left, right, .. } => {
                self.put_in(left);
                self.put_in(right);
            }
            Node::Match { item, pattern, .. } => {
                self.put_in(item);
                self.put_in(pattern);
            }
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    self.put_in(when);
                    self.put_in(then);
                }
                self.put_in(otherwise);
            }
            Node::Quantifier { filter, .. } => filter.iter_mut().for_each(|inner| self.put_in(inner)),
            Node::Aggregate { filter, value, .. } => filter.iter_mut().chain(value).for_each(|inner| self.put_in(inner)),
            Node::Shared { item, with, .. } => {
                self.put_in(item);
                with.clone_from(&self.with);
            }
            Node::Literal(_) | Node::Path(_) | Node::Me | Node::Mine(_) | Node::Now | Node::Today | Node::Changed(_) => {}
        }
    }

    /// `owner` for `owner.team`.
    fn person_of(&self, item: &Typed) -> Option<Typed> {
        let Node::Path(path) = &item.node else { return None };
        let last = path.hops.last().filter(|hop| Some((hop.to, path.field)) == self.team)?;
        let hops = path.hops[..path.hops.len() - 1].to_vec();
        let link = Path { root: path.root, hops, field: last.field, part: None };
        Some(Typed::new(Type::Link(vec![last.to]), Node::Path(link), item.span.clone()))
    }

    fn ids(&self, mine: Mine) -> &[RecordId] {
        match mine {
            Mine::Teams => &self.own.teams,
            Mine::Reports => &self.own.reports,
        }
    }
}

fn literal(ty: &Type, id: RecordId) -> Typed {
    Typed::literal(ty.clone(), Value::Link(id))
}
