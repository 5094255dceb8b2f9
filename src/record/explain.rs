//! Why somebody may, or may not, do something with a record; what somebody sees at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::error::RecordError;
use super::service::Records;
use super::shares::roles_to_share_with;
use crate::access::{ADMINISTRATOR, Action, Actor, ActorKind, Holder, Mask, Own, Rights, ShareWith, Standing};
use crate::base::{EntityIx, RecordId};
use crate::query::{Count, Deleted, GetRequest, Item, ListRequest, Paging, Select};
use crate::schema::catalog::{Allowed, Catalog, Entity};
use crate::store::shares::{self, Share};

/// The actions that are told of.
const SHOWN: [Action; 8] = Action::ALL;

/// What one role says about one action on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub role: String,
    /// As the role's document says it about this; empty where no document does.
    pub rule: String,
    pub holds: bool,
}

/// Why somebody may or may not do what with a record.
#[derive(Debug, Clone)]
pub struct Why {
    pub roles: Vec<String>,
    /// Nothing is kept from them: no rule is asked.
    pub is_everything: bool,
    pub actions: Vec<(Action, bool, Vec<Reason>)>,
    /// The shares of the record that they have: where one holds, `rows` and `read` (to edit: `update`) need not.
    pub shares: Vec<Share>,
    /// Fields of the record they do not read.
    pub hidden: Vec<String>,
}

impl Why {
    /// Whether the record may be read at all.
    pub fn reads(&self) -> bool {
        self.actions.iter().any(|(action, holds, _)| *action == Action::Read && *holds)
    }

    /// As it is told over REST and on the command line.
    pub fn to_json(&self, catalog: &Catalog) -> Json {
        let actions: Vec<Json> = self
            .actions
            .iter()
            .map(|(action, holds, reasons)| {
                let reasons: Vec<Json> =
                    reasons.iter().map(|reason| json!({"role": reason.role, "rule": reason.rule, "holds": reason.holds})).collect();
                json!({"action": action.word(), "allowed": holds, "roles": reasons})
            })
            .collect();
        let shares: Vec<Json> = self
            .shares
            .iter()
            .map(|share| {
                let may = if share.may_edit { "edit" } else { "read" };
                json!({"with": share.with.word(), "who": who(catalog, share), "may": may, "until": share.ends_at.map(|at| at.to_string())})
            })
            .collect();
        json!({"roles": self.roles, "everything": self.is_everything, "actions": actions, "shares": shares, "hidden": self.hidden})
    }

    /// Without what the definitions say: a rule may name fields its reader does not know of.
    #[must_use]
    pub fn without_rules(mut self, known: &Entity) -> Self {
        self.actions.iter_mut().flat_map(|(_, _, reasons)| reasons).for_each(|reason| reason.rule.clear());
        self.hidden.retain(|name| known.find_field(name).is_some());
        self
    }
}

/// Whom a share is with, as an id or a role's name.
fn who(catalog: &Catalog, share: &Share) -> String {
    let shown = |entity: &str, id: RecordId| id.display(catalog.find_entity(entity).map_or("", |found| found.prefix.as_str()));
    match &share.with {
        ShareWith::Person(id) => shown("core.user", *id),
        ShareWith::Team(id) => shown("core.team", *id),
        ShareWith::Role(role) => role.clone(),
    }
}

/// What somebody sees of one entity.
#[derive(Debug, Clone)]
pub struct Seen {
    pub entity: String,
    pub actions: Vec<Action>,
    /// Records they may read, and whether there are more than that; `None` where it depends on who has the role.
    pub records: Option<u64>,
    pub is_more: bool,
    pub hidden: Vec<String>,
    /// Fields they read in some records only.
    pub masked: Vec<String>,
}

impl Seen {
    pub fn to_json(&self) -> Json {
        let actions: Vec<&str> = self.actions.iter().map(|action| action.word()).collect();
        json!({
            "entity": self.entity, "records": self.records, "more": self.is_more, "actions": actions, "hidden": self.hidden,
            "in_some": self.masked,
        })
    }
}

impl Records {
    /// Whether an actor reads a record. What is not there nobody reads. `catalog` is the one the request was read with, here
    /// and below.
    pub async fn reads(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<bool, RecordError> {
        let catalog = catalog.whole();
        let request = GetRequest { entity, id, select: only_id(catalog.entity(entity)), deleted: Deleted::Live };
        match self.get(actor, &catalog, request).await {
            Ok(row) => Ok(row.is_some()),
            Err(RecordError::Access(_) | RecordError::UnknownEntity { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `None` when there is no such person or record.
    pub async fn why(&self, user: RecordId, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Option<Why>, RecordError> {
        let catalog = catalog.whole();
        let Some(actor) = self.actor_of(user).await? else { return Ok(None) };
        let definition = catalog.entity(entity);
        let request = GetRequest { entity, id, select: only_id(definition), deleted: Deleted::All };
        if self.get(&Actor::system(), &catalog, request).await?.is_none() {
            return Ok(None);
        }
        let granted = match actor.standing(&catalog)? {
            Standing::Everything => {
                let actions = SHOWN.iter().map(|action| (*action, true, Vec::new())).collect();
                return Ok(Some(Why { roles: actor.roles, is_everything: true, actions, shares: Vec::new(), hidden: Vec::new() }));
            }
            Standing::Part(granted) => granted,
        };
        let compiled = self.compiled(&catalog);
        let rights = granted.entity(entity);
        let mut eyes = self.eyes(&compiled, &granted, &actor);
        let asked: Vec<(Action, &String, &Allowed)> =
            SHOWN.iter().flat_map(|action| rights.grants.iter().map(|(role, grant)| (*action, role, action.of(grant)))).collect();
        let conditions: Vec<_> = asked
            .iter()
            .filter_map(|(_, _, allowed)| if let Allowed::Where(condition) = allowed { Some(condition) } else { None })
            .collect();
        let Some(truths) = eyes.truths(entity, &[id], &conditions).await?.remove(&id) else { return Ok(None) };
        let mut truths = truths.into_iter();
        let mut actions: Vec<(Action, bool, Vec<Reason>)> = SHOWN.iter().map(|action| (*action, false, Vec::new())).collect();
        for (action, role, allowed) in asked {
            let holds = match allowed {
                Allowed::All => true,
                Allowed::None => false,
                Allowed::Where(_) => truths.next() == Some(true),
            };
            let reason =
                Reason { role: role.clone(), rule: said_of(&catalog, role, definition, &["inherit", "rows", action.word()]), holds };
            if let Some((_, is_allowed, reasons)) = actions.iter_mut().find(|(known, ..)| *known == action) {
                *is_allowed |= holds;
                reasons.push(reason);
            }
        }
        // What may not be read may not be changed either.
        let reads = actions.first().is_some_and(|(_, holds, _)| *holds);
        for (action, holds, _) in &mut actions {
            *holds &= reads || matches!(action, Action::Create | Action::Import);
        }
        let seen = eyes.seen(entity, &[id]).await?.remove(&id);
        let hidden = definition.fields.iter().filter(|field| seen.as_ref().is_none_or(|seen| seen.hides(field.ix)));
        let mut shares = shares::list(self.store(), &definition.uid, id, self.clock().now()).await?;
        shares.retain(|share| granted.has_share(&share.with));
        Ok(Some(Why {
            roles: actor.roles.clone(),
            is_everything: false,
            actions,
            shares,
            hidden: hidden.map(|field| field.name.clone()).collect(),
        }))
    }

    /// What somebody sees, entity by entity; `None` when they may not sign in.
    pub async fn seen_by(&self, user: RecordId) -> Result<Option<Vec<Seen>>, RecordError> {
        match self.actor_of(user).await? {
            Some(actor) => Ok(Some(self.seen_as(&actor).await?)),
            None => Ok(None),
        }
    }

    /// What a role alone lets be seen; `None` when there is no such role.
    pub async fn seen_with(&self, role: &str) -> Result<Option<Vec<Seen>>, RecordError> {
        let catalog = self.catalog();
        if role != ADMINISTRATOR && !roles_to_share_with(&catalog).iter().any(|known| known == role) {
            return Ok(None);
        }
        Ok(Some(self.seen_as(&self.somebody(role)).await?))
    }

    /// Nobody in particular, who has this role alone.
    fn somebody(&self, role: &str) -> Actor {
        let roles = vec![role.to_owned()];
        let rights = Rights::Roles(Arc::new(Holder::new(roles.clone(), Own::default(), self.policies().clone())));
        Actor { kind: ActorKind::Person, roles, rights, ..Actor::system() }
    }

    async fn seen_as(&self, actor: &Actor) -> Result<Vec<Seen>, RecordError> {
        let catalog = self.catalog();
        let standing = actor.standing(&catalog)?;
        let mut all = Vec::new();
        for entity in catalog.entities.iter().filter(|entity| !entity.is_made) {
            let actions: Vec<Action> = match standing.part() {
                None => SHOWN.to_vec(),
                Some(granted) => {
                    let grants = &granted.entity(entity.ix).grants;
                    let allows = |action: &Action| grants.iter().any(|(_, grant)| *action.of(grant) != Allowed::None);
                    SHOWN.iter().copied().filter(allows).collect()
                }
            };
            if actions.is_empty() {
                continue;
            }
            let masked = |wanted: fn(&Mask) -> bool| -> Vec<String> {
                let fields = entity
                    .fields
                    .iter()
                    .filter(|field| standing.part().and_then(|granted| granted.rules().mask(entity.ix, field.ix)).is_some_and(wanted));
                fields.map(|field| field.name.clone()).collect()
            };
            // Without a person nobody can tell whose `owner = me()` is.
            let depends = actor.user.is_none() && standing.part().is_some_and(|granted| granted.policy.names_person(entity.ix));
            let (records, is_more) = match depends {
                true => (None, false),
                false => {
                    let (records, is_more) = self.count_for(actor, &catalog, entity).await?;
                    (Some(records), is_more)
                }
            };
            all.push(Seen {
                entity: entity.slug.clone(),
                actions,
                records,
                is_more,
                hidden: masked(Mask::is_never),
                masked: masked(|mask| !mask.is_never()),
            });
        }
        Ok(all)
    }

    async fn count_for(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: &Entity) -> Result<(u64, bool), RecordError> {
        let request = ListRequest {
            entity: entity.ix,
            select: only_id(entity),
            filter: None,
            sort: Vec::new(),
            paging: Paging::First,
            limit: 1,
            count: Count::Exact,
            search: None,
            deleted: Deleted::Live,
            digest: [0; 8],
        };
        let page = self.list(actor, catalog, request).await?;
        Ok(page.count.map_or((0, false), |total| (total.value, !total.exact)))
    }

    /// The roles that let a field (or, without one, the entity) be read, with the rule that says so. Administrators, who
    /// read everything, are not among them.
    pub fn readers(&self, catalog: &Arc<Catalog>, entity: EntityIx, field: Option<crate::base::FieldIx>) -> BTreeMap<String, String> {
        let catalog = catalog.whole();
        let definition = catalog.entity(entity);
        let mut readers: BTreeMap<String, String> = BTreeMap::new();
        for role in &catalog.roles {
            let Some(grant) = role.grants.get(&entity) else { continue };
            // A formula over what the role hides is never shown either.
            let shows = field.is_none_or(|field| {
                let standing = self.somebody(&role.id).standing(&catalog);
                standing.is_ok_and(|standing| {
                    standing.part().is_none_or(|granted| !granted.rules().mask(entity, field).is_some_and(Mask::is_never))
                })
            });
            if grant.read != Allowed::None && shows {
                readers.insert(role.id.clone(), said_of(&catalog, &role.id, definition, &["inherit", "rows", "read", "fields"]));
            }
        }
        if !catalog.roles.iter().any(|role| role.id == crate::access::EVERYDAY) {
            readers.insert(crate::access::EVERYDAY.to_owned(), String::new());
        }
        readers
    }
}

fn only_id(entity: &Entity) -> Select {
    let id = entity.find_field("id").map(|field| Item::Field(field.ix));
    Select { entity: entity.ix, items: id.into_iter().collect() }
}

/// What a role's document says about an entity, as far as these keys go; the word for the whole entity where it is one.
fn said_of(catalog: &Catalog, role: &str, entity: &Entity, keys: &[&str]) -> String {
    let permissions = catalog.described.get(&format!("role/{role}")).and_then(|role| role.properties.get("permissions"));
    let own = |name: &str| permissions.and_then(|permissions| permissions.get(name));
    match own(&entity.slug).or_else(|| own(&entity.id)).or_else(|| own("*")) {
        None => String::new(),
        Some(Json::Object(map)) => {
            let said = keys.iter().filter_map(|key| match map.get(*key)? {
                Json::Null => None,
                Json::String(text) => Some(format!("{key}: {text}")),
                other => Some(format!("{key}: {other}")),
            });
            said.collect::<Vec<_>>().join("; ")
        }
        Some(Json::String(word)) => word.clone(),
        Some(other) => other.to_string(),
    }
}
