//! What a plan means for people: who gains and who loses which records, fields and actions.
//!
//! Counted with the data of now: what somebody may do with more (or fewer) records than before, for those who have the role,
//! people whose rules say the same together. The cost is bounded: where there are too many people to count for each, it says
//! `at least`.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::DeployError;
use super::plan::grouped;
use crate::access::{ADMINISTRATOR, Action, Actor, ActorKind, EVERYDAY, Holder, Own, Rights, Standing, wants_own};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{EvalContext, Needs, Type, Typed, Zone, needs};
use crate::schema::catalog::{Allowed, Catalog, Entity, FieldType, Grant, Role};
use crate::schema::{Op, OpKind, Part};
use crate::store::compile::gained::{Said, gained};
use crate::store::{Store, people};

/// Records counted before it says "more than".
const MOST_RECORDS: i64 = 10_000;
/// People counted before it says "more than".
const MOST_PEOPLE: u32 = 10_000;
/// People of a role whose rules are looked at.
const LOOKED_AT: usize = 100;
/// Statements of a plan that count.
const MOST_COUNTS: usize = 120;

/// What becomes of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleEffect {
    pub role: String,
    /// Active people who have it, administrators apart, who do everything anyway.
    pub people: usize,
    pub gains: Vec<Effect>,
    pub losses: Vec<Effect>,
}

/// One thing gained or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The action, on some records at least, which there was not before.
    Action { action: &'static str, entity: String },
    /// A field, to be read or to be changed.
    Field { writes: bool, entity: String, field: String },
    /// Records the action may be done with: the most that somebody gains; `None` where it was not counted. `at_least`: not
    /// everybody was counted for.
    Records { action: &'static str, entity: String, count: Option<i64>, at_least: bool },
}

impl RoleEffect {
    /// Whether somebody may do more afterwards than before.
    pub fn widens(&self) -> bool {
        self.people > 0 && !self.gains.is_empty()
    }

    /// `14 people gain 3,201 records of deal (read); lose …`.
    pub fn text(&self) -> String {
        let said = |effects: &[Effect]| effects.iter().map(Effect::text).collect::<Vec<_>>().join(", ");
        let who = match self.people {
            0 => "nobody has it".to_owned(),
            1 => "1 person".to_owned(),
            people if people > MOST_PEOPLE as usize => format!("more than {} people", grouped(i64::from(MOST_PEOPLE))),
            people => format!("{} people", grouped(i64::try_from(people).unwrap_or(i64::MAX))),
        };
        let verb = |many: &'static str, one: &'static str| if self.people == 1 { one } else { many };
        let (gain, lose) = if self.people == 0 { ("; gains", "; loses") } else { (verb(" gain", " gains"), verb(" lose", " loses")) };
        match (self.gains.is_empty(), self.losses.is_empty()) {
            (true, true) => "meta".to_owned(),
            (false, true) => format!("{who}{gain} {}", said(&self.gains)),
            (true, false) => format!("{who}{lose} {}", said(&self.losses)),
            (false, false) => format!("{who}{gain} {};{} {}", said(&self.gains), lose.trim_start_matches(';'), said(&self.losses)),
        }
    }

    pub fn to_json(&self) -> Json {
        let told = |effects: &[Effect]| effects.iter().map(Effect::to_json).collect::<Vec<_>>();
        json!({
            "role": self.role, "people": self.people, "widens": self.widens(), "gains": told(&self.gains), "losses": told(&self.losses),
        })
    }
}

impl Effect {
    fn text(&self) -> String {
        match self {
            Effect::Action { action, entity } => format!("{action} {entity}"),
            Effect::Field { writes: false, entity, field } => format!("read {entity}.{field}"),
            Effect::Field { writes: true, entity, field } => format!("update {entity}.{field}"),
            Effect::Records { action, entity, count, at_least } => match count {
                None => format!("records of {entity} ({action}; not counted)"),
                Some(count) if *count > MOST_RECORDS => format!("more than {} records of {entity} ({action})", grouped(MOST_RECORDS)),
                Some(count) => {
                    let (least, noun) = (if *at_least { "at least " } else { "" }, if *count == 1 { "record" } else { "records" });
                    format!("{least}{} {noun} of {entity} ({action})", grouped(*count))
                }
            },
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Effect::Action { action, entity } => json!({"kind": "action", "action": action, "entity": entity}),
            Effect::Field { writes, entity, field } => {
                json!({"kind": "field", "action": if *writes { "update" } else { "read" }, "entity": entity, "field": field})
            }
            Effect::Records { action, entity, count, at_least } => json!({
                "kind": "records", "action": action, "entity": entity, "records": count.map(|count| count.min(MOST_RECORDS)),
                "more": count.is_some_and(|count| count > MOST_RECORDS), "at_least": at_least,
            }),
        }
    }
}

/// What the roles that change mean for those who have them.
pub(super) async fn effects(store: &Store, old: &Catalog, new: &Catalog, ops: &[Op]) -> Result<Vec<RoleEffect>, DeployError> {
    let is_role = |kind: &OpKind| {
        matches!(
            kind,
            OpKind::CreatePart { part: Part::Role } | OpKind::RemovePart { part: Part::Role } | OpKind::ChangePart { part: Part::Role }
        )
    };
    let roles: Vec<&str> = ops.iter().filter(|op| is_role(&op.kind)).map(|op| op.name.as_str()).collect();
    let mut counts = Counts { store, old, new, fresh: Fresh::of(ops), left: MOST_COUNTS };
    let mut found = Vec::with_capacity(roles.len());
    for role in roles {
        found.push(counts.of_role(role).await?);
    }
    Ok(found)
}

/// What cannot be asked yet, since this very plan makes it.
struct Fresh {
    entities: HashSet<EntityIx>,
    fields: HashSet<(EntityIx, FieldIx)>,
}

impl Fresh {
    fn of(ops: &[Op]) -> Self {
        let mut fresh = Self { entities: HashSet::new(), fields: HashSet::new() };
        for op in ops {
            match &op.kind {
                OpKind::CreateEntity { entity } => drop(fresh.entities.insert(*entity)),
                OpKind::CreateField { entity, field } => drop(fresh.fields.insert((*entity, *field))),
                OpKind::ChangeField { entity, field, add_columns, add_fold, .. } if !add_columns.is_empty() || add_fold.is_some() => {
                    fresh.fields.insert((*entity, *field));
                }
                _ => {}
            }
        }
        fresh
    }

    fn has(&self, entity: EntityIx, needed: &Needs) -> bool {
        let is_new = |entity: EntityIx, field: FieldIx| self.entities.contains(&entity) || self.fields.contains(&(entity, field));
        needed.fields.iter().any(|field| is_new(entity, *field))
            || needed.paths.iter().any(|path| {
                let ends = path.hops.iter().map(|hop| hop.to);
                let nexts = path.hops.iter().skip(1).map(|hop| hop.field).chain([path.field]);
                ends.zip(nexts).any(|(entity, field)| is_new(entity, field))
            })
            || needed.children.iter().any(|child| {
                let rows = child.over.rows.entity();
                self.entities.contains(&rows) || self.has(rows, &child.needs)
            })
    }
}

struct Counts<'a> {
    store: &'a Store,
    old: &'a Catalog,
    new: &'a Catalog,
    fresh: Fresh,
    left: usize,
}

/// What somebody may do with which records of an entity, under definitions of before or after.
struct Side<'a> {
    catalog: &'a Catalog,
    entity: EntityIx,
    /// `None`: with none; `Some(None)`: with all of them.
    rule: Option<Option<Typed>>,
}

impl<'a> Side<'a> {
    /// Whether it depends on who asks, beyond the ids that stand in the rule.
    fn names_asker(&self) -> bool {
        matches!(&self.rule, Some(Some(rule)) if needs(rule).uses_me)
    }

    fn said(&'a self, never: &'a Typed) -> Said<'a> {
        let rule = match &self.rule {
            None => Some(never),
            Some(rule) => rule.as_ref(),
        };
        Said { catalog: self.catalog, entity: self.entity, rule }
    }
}

/// The most records that one of some people gains or loses.
#[derive(Debug, Clone, Copy)]
struct Most {
    records: i64,
    /// Not everybody was counted for.
    is_part: bool,
}

impl Most {
    fn new(is_part: bool) -> Self {
        Self { records: 0, is_part }
    }

    /// Whether there is something, or might be.
    fn is_any(self) -> bool {
        self.records > 0 || self.is_part
    }

    /// `None`: of those who were counted nobody has any.
    fn count(self) -> Option<i64> {
        (self.records > 0).then_some(self.records)
    }
}

/// Rules that were counted with.
struct Counted {
    asker: Option<RecordId>,
    before: Option<Option<Typed>>,
    after: Option<Option<Typed>>,
}

/// Somebody with their rights before and after.
struct Sides {
    person: RecordId,
    before: Standing,
    after: Standing,
}

impl Counts<'_> {
    async fn of_role(&mut self, role: &str) -> Result<RoleEffect, DeployError> {
        let mut having = people::with_role(self.store, self.old, role, MOST_PEOPLE + 1).await?;
        let administrators = people::with_role(self.store, self.old, ADMINISTRATOR, MOST_PEOPLE).await?;
        having.retain(|person| !administrators.contains(person));
        let mut effect = RoleEffect { role: role.to_owned(), people: having.len(), gains: Vec::new(), losses: Vec::new() };
        let mut looked_at = Vec::new();
        for person in having.iter().take(LOOKED_AT) {
            looked_at.push(self.sides(*person).await?);
        }
        let (old, new) = (self.old, self.new);
        for entity in new.entities.iter().filter(|entity| !entity.is_made) {
            let Some(known) = old.entities.iter().find(|known| known.uid == entity.uid) else { continue };
            let (before, after) = (grant_of(old, role, known), grant_of(new, role, entity));
            if before == after {
                continue;
            }
            let mut plain = Vec::new();
            for action in Action::ALL {
                let (was, is) = (rank(before.as_ref(), action), rank(after.as_ref(), action));
                let told = || Effect::Action { action: action.word(), entity: entity.slug.clone() };
                match (was, is) {
                    (0, 1..) => effect.gains.push(told()),
                    (1.., 0) => effect.losses.push(told()),
                    _ => {}
                }
                if was != 0 || is != 0 {
                    plain.push(action);
                }
            }
            fields(&mut effect, known, entity, before.as_ref(), after.as_ref());
            let counted = [Action::Read, Action::Update, Action::Delete].into_iter().filter(|action| plain.contains(action));
            for action in counted.filter(|action| !says_the_same((old, known), (new, entity), role, *action, 0)) {
                let others = having.len() > looked_at.len();
                let (gained, lost) = self.most(&looked_at, others, known, entity, action).await?;
                let told = |most: Most| Effect::Records {
                    action: action.word(),
                    entity: entity.slug.clone(),
                    count: most.count(),
                    at_least: most.is_part,
                };
                effect.gains.extend(gained.is_any().then(|| told(gained)));
                effect.losses.extend(lost.is_any().then(|| told(lost)));
            }
        }
        Ok(effect)
    }

    /// The most records that somebody gains and loses. `others`: there are people who were not looked at.
    async fn most(
        &mut self,
        people: &[Sides],
        others: bool,
        known: &Entity,
        entity: &Entity,
        action: Action,
    ) -> Result<(Most, Most), DeployError> {
        let (mut gains, mut losses) = (Most::new(others), Most::new(others));
        let mut counted: Vec<Counted> = Vec::new();
        for sides in people {
            let before = Side { catalog: self.old, entity: known.ix, rule: rule(&sides.before, known.ix, action) };
            let after = Side { catalog: self.new, entity: entity.ix, rule: rule(&sides.after, entity.ix, action) };
            // Rules that do not say who asks are counted once for all.
            let asker = [&before, &after].iter().any(|side| side.names_asker()).then_some(sides.person);
            if counted.iter().any(|one| one.asker == asker && one.before == before.rule && one.after == after.rule) {
                continue;
            }
            let is_fresh = matches!(&after.rule, Some(Some(rule)) if self.fresh.has(entity.ix, &needs(rule)));
            for (most, from, to) in [(&mut gains, &before, &after), (&mut losses, &after, &before)] {
                // Nothing can be gained over everything, nor by nothing.
                if matches!(from.rule, Some(None)) || to.rule.is_none() {
                    continue;
                }
                if is_fresh || self.left == 0 {
                    most.is_part = true;
                    continue;
                }
                self.left -= 1;
                most.records = most.records.max(self.count(sides.person, from, to).await?);
            }
            counted.push(Counted { asker, before: before.rule, after: after.rule });
        }
        Ok((gains, losses))
    }

    /// Records that `to` lets something be done with and `from` does not.
    async fn count(&self, person: RecordId, from: &Side<'_>, to: &Side<'_>) -> Result<i64, DeployError> {
        let never = Typed::literal(Type::Bool, Value::Bool(false));
        let statement = {
            let zone = Zone::named(&self.old.settings.time_zone_name).unwrap_or_else(Zone::utc);
            let context = EvalContext { now: self.store.clock().now(), zone, me: Some(person), old: None };
            gained(self.store.dialect(), from.said(&never), to.said(&never), &context, MOST_RECORDS)
        };
        Ok(self.store.query(&statement).await?.one_int().unwrap_or(0))
    }

    async fn sides(&self, person: RecordId) -> Result<Sides, DeployError> {
        let roles = people::roles_of(self.store, self.old, person).await?;
        let mut own = Own { me: Some(person), ..Own::default() };
        let wants = [wants_own(self.old, &roles), wants_own(self.new, &roles)];
        if wants.iter().any(|wants| wants.shares) {
            own.within = people::above_of(self.store, self.old, person).await?;
        }
        if wants.iter().any(|wants| wants.teams_and_reports) {
            own.teams = people::teams_of(self.store, self.old, person).await?;
            own.members = people::members_of(self.store, self.old, &own.teams).await?;
            own.reports = people::reports_of(self.store, self.old, person).await?;
        }
        let standing = |catalog: &Catalog| {
            let rights = Rights::Roles(Arc::new(Holder::new(roles.clone(), own.clone(), Arc::default())));
            let actor = Actor { kind: ActorKind::Person, user: Some(person), roles: roles.clone(), rights, ..Actor::system() };
            // It is a person, so nothing is refused.
            actor.standing(catalog).unwrap_or(Standing::Everything)
        };
        Ok(Sides { person, before: standing(self.old), after: standing(self.new) })
    }
}

fn rule(standing: &Standing, entity: EntityIx, action: Action) -> Option<Option<Typed>> {
    match standing.part() {
        None => Some(None),
        Some(granted) => granted.entity(entity).allowed(action),
    }
}

/// What a role says about an entity. Where no document describes it, the everyday role allows everything.
fn grant_of(catalog: &Catalog, role: &str, entity: &Entity) -> Option<Grant> {
    let found: Option<&Role> = catalog.roles.iter().find(|known| known.id == role);
    match found {
        Some(found) => found.grants.get(&entity.ix).cloned(),
        None => (role == EVERYDAY).then(|| Grant::all(entity.fields.len())),
    }
}

/// Links followed from one entity to the next: more than any definitions inherit.
const MOST_LINKS: u8 = 16;

/// Whether a role's document says the same of an action on an entity as before, word by word.
fn says_the_same(old: (&Catalog, &Entity), new: (&Catalog, &Entity), role: &str, action: Action, level: u8) -> bool {
    let said = |catalog: &Catalog, entity: &Entity| -> Option<Json> {
        let permissions = catalog.described.get(&format!("role/{role}"))?.properties.get("permissions")?;
        let own = permissions.get(&entity.slug).or_else(|| permissions.get(&entity.id)).or_else(|| permissions.get("*"))?;
        match own {
            Json::Object(map) => Some(json!([map.get("rows"), map.get("inherit"), map.get(action.word())])),
            word => Some(word.clone()),
        }
    };
    let (before, after) = (said(old.0, old.1), said(new.0, new.1));
    if before.is_none() || before != after || level == MOST_LINKS {
        return false;
    }
    let above = |catalog: &'_ Catalog, entity: &Entity| -> Option<EntityIx> {
        let link = after.as_ref()?.get(1)?.as_str()?;
        match entity.find_field(link)?.ty {
            FieldType::Link { to, .. } => Some(catalog.entity(to).ix),
            _ => None,
        }
    };
    match (above(old.0, old.1), above(new.0, new.1)) {
        (None, None) => true,
        (Some(was), Some(is)) => {
            // What is written below comes from changing above.
            let action = if action == Action::Read { Action::Read } else { Action::Update };
            says_the_same((old.0, old.0.entity(was)), (new.0, new.0.entity(is)), role, action, level + 1)
        }
        _ => false,
    }
}

/// 0 not at all, 1 under a condition, 2 always.
fn rank(grant: Option<&Grant>, action: Action) -> u8 {
    match grant.map(|grant| action.of(grant)) {
        None | Some(Allowed::None) => 0,
        Some(Allowed::Where(_)) => 1,
        Some(Allowed::All) => 2,
    }
}

/// Fields that are read or changed now and were not, and the other way round; of entities the role knew before.
fn fields(effect: &mut RoleEffect, known: &Entity, entity: &Entity, before: Option<&Grant>, after: Option<&Grant>) {
    let (Some(before), Some(after)) = (before, after) else { return };
    let has = |list: &[bool], field: FieldIx| list.get(field.0 as usize).copied().unwrap_or(false);
    for field in &entity.fields {
        let Some(same) = known.fields.iter().find(|same| same.uid == field.uid && same.name == field.name) else { continue };
        for (writes, was, is) in [(false, &before.readable, &after.readable), (true, &before.writable, &after.writable)] {
            let told = Effect::Field { writes, entity: entity.slug.clone(), field: field.name.clone() };
            match (has(was, same.ix), has(is, field.ix)) {
                (false, true) => effect.gains.push(told),
                (true, false) => effect.losses.push(told),
                _ => {}
            }
        }
    }
}
