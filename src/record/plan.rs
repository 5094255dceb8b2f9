//! What a save needs to know of each entity, worked out once per catalog.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::witness::Sensitive;
use crate::base::{Cell, EntityIx, FieldIx, RecordId};
use crate::expr::{ChildNeed, Needs, Over, Path, Typed, Zone, needs};
use crate::schema::catalog::{
    Activity, Catalog, Default as FieldDefault, Entity, Field, FieldType, GivenValue, OnDelete, Options, Requirement,
};
use crate::store::Statement;
use crate::store::compile::{Lock, RowPlan, UpdateTexts};

/// A statement that loads records and how its rows are read.
type Load = (Statement, Arc<RowPlan>);

/// A catalog and the plans of its entities.
pub(super) struct Compiled {
    pub catalog: Arc<Catalog>,
    /// The workspace's zone.
    pub zone: Zone,
    /// Fields whose reading is audited.
    pub sensitive: Sensitive,
    plans: Vec<Plan>,
    /// For each entity the statements that load one record, by [`Lock`].
    loads: Vec<[OnceLock<Load>; 3]>,
    /// For each entity the text of its inserts.
    inserts: Vec<OnceLock<Arc<str>>>,
    updates: Vec<UpdateTexts>,
}

/// One entity, as a save sees it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub id: Option<FieldIx>,
    pub version: Option<FieldIx>,
    pub created_at: Option<FieldIx>,
    pub created_by: Option<FieldIx>,
    pub updated_at: Option<FieldIx>,
    pub updated_by: Option<FieldIx>,
    pub owner: Option<FieldIx>,
    pub deleted_at: Option<FieldIx>,
    /// Fields whose values live in the entity's own row.
    pub stored: Vec<FieldIx>,
    /// multi_select, tags, file and image: values in side tables.
    pub sides: Vec<FieldIx>,
    /// Encrypted fields.
    pub sealed: Vec<FieldIx>,
    /// Fields whose text goes into the search text.
    pub search: Vec<FieldIx>,
    pub auto_numbers: Vec<FieldIx>,
    pub defaults: Vec<FieldIx>,
    /// Stored formulas and rollups, inputs first.
    pub computed: Vec<FieldIx>,
    pub rollups: Vec<FieldIx>,
    /// Selects whose options depend on another select.
    pub dependent: Vec<FieldIx>,
    /// Links, users and any_links, which must point to live records.
    pub links: Vec<FieldIx>,
    /// Links that take only some records, and what their condition needs of such a record.
    pub filters: Vec<(FieldIx, Needs)>,
    /// What default expressions need.
    pub default_needs: Needs,
    /// What formulas, rules, `required_if` and the conditions of rules need of the new record.
    pub save_needs: Needs,
    /// What stored formulas and rollups need.
    pub computed_needs: Needs,
    /// What `readonly_if` needs of the stored record.
    pub readonly_needs: Needs,
    /// What gates need of a record that moves.
    pub move_needs: Needs,
    /// What approvals and their steps need: who decides, where they are needed, what follows.
    pub approval_needs: Needs,
    /// Fields of which some approval decides.
    pub watched: BTreeSet<FieldIx>,
    /// Fields by which a record is recognised that somebody registered.
    pub claimed: BTreeSet<FieldIx>,
    /// Fields whose changes concern pools: the owner, those that say which pool, those that count as activity.
    pub pool_fields: BTreeSet<FieldIx>,
    /// New records of it count as activity: entity, position of the pool in it, link.
    pub counts_for: Vec<(EntityIx, usize, FieldIx)>,
    /// A stage has tasks, which a move makes once the row is written.
    pub makes_tasks: bool,
    /// What the tasks of stages are made of.
    pub task_needs: Needs,
    /// A gate reads rows below the record, which a request may bring along.
    pub gates_read_rows: bool,
    /// For the form: all conditions.
    pub form_needs: Needs,
    /// Who points here.
    pub referenced: Vec<Reference>,
    /// A save of the row alone writes no values of other records, no numbers and no rows below it.
    pub stands_alone: bool,
    /// For each rule: it reads rows below the record, which a request may bring along.
    pub reads_rows: Vec<bool>,
}

/// A field elsewhere (or here) that points to an entity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub entity: EntityIx,
    pub field: FieldIx,
    pub on_delete: OnDelete,
}

impl Compiled {
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let mut plans: Vec<Plan> = catalog.entities.iter().map(|entity| plan_of(&catalog, entity)).collect();
        for entity in &catalog.entities {
            for field in &entity.fields {
                let mut refer = |to: EntityIx, on_delete: OnDelete| {
                    // Who created or changed something does not keep a user from being deleted.
                    if !(field.is_system && field.name != "owner") {
                        plans[to.0 as usize].referenced.push(Reference { entity: entity.ix, field: field.ix, on_delete });
                    }
                };
                match &field.ty {
                    FieldType::Link { to, on_delete, .. } | FieldType::User { to, on_delete } => refer(*to, *on_delete),
                    FieldType::AnyLink { to, on_delete } => {
                        to.iter().for_each(|to| refer(*to, *on_delete));
                    }
                    _ => {}
                }
            }
        }
        let zone = Zone::named(&catalog.settings.time_zone_name).unwrap_or_else(Zone::utc);
        let loads = plans.iter().map(|_| Default::default()).collect();
        let inserts = plans.iter().map(|_| OnceLock::new()).collect();
        let updates = plans.iter().map(|_| UpdateTexts::default()).collect();
        let sensitive = super::witness::sensitive(&catalog);
        Self { catalog, zone, sensitive, plans, loads, inserts, updates }
    }

    /// The statement that loads one record, compiled once; `None` while it is not known or cannot be kept.
    pub fn load(&self, entity: EntityIx, id: RecordId, lock: Lock) -> Option<(Statement, Arc<RowPlan>)> {
        let (statement, plan) = self.loads.get(entity.0 as usize)?[lock as usize].get()?;
        let mut statement = statement.clone();
        statement.binds.first_mut()?.1 = Cell::Int(id.0);
        Some((statement, plan.clone()))
    }

    /// Keeps a statement for [`Compiled::load`]: one whose only bound value is the id.
    pub fn keep_load(&self, entity: EntityIx, lock: Lock, statement: &Statement, plan: &Arc<RowPlan>) {
        if statement.binds.len() == 1
            && let Some(places) = self.loads.get(entity.0 as usize)
        {
            let _ = places[lock as usize].set((statement.clone(), plan.clone()));
        }
    }

    /// Where the text of an entity's inserts is kept.
    pub fn insert_text(&self, entity: EntityIx) -> &OnceLock<Arc<str>> {
        &self.inserts[entity.0 as usize]
    }

    /// Where the texts of an entity's updates are kept.
    pub fn update_texts(&self, entity: EntityIx) -> &UpdateTexts {
        &self.updates[entity.0 as usize]
    }

    pub fn plan(&self, entity: EntityIx) -> &Plan {
        &self.plans[entity.0 as usize]
    }

    pub fn entity(&self, entity: EntityIx) -> &Entity {
        self.catalog.entity(entity)
    }
}

fn plan_of(catalog: &Catalog, entity: &Entity) -> Plan {
    let named = |name: &str| entity.by_name.get(name).copied().filter(|ix| entity.field(*ix).is_system);
    let mut plan = Plan {
        id: named("id"),
        version: named("version"),
        created_at: named("created_at"),
        created_by: named("created_by"),
        updated_at: named("updated_at"),
        updated_by: named("updated_by"),
        owner: named("owner"),
        deleted_at: named("deleted_at"),
        ..Plan::default()
    };
    let gather = Gather { catalog, entity: entity.ix };
    for field in &entity.fields {
        sort_in(&mut plan, field);
        if let Some(FieldDefault::Expr(expr)) = &field.default {
            gather.add(expr, &mut plan.default_needs);
        }
        if let Some(condition) = &field.required_if {
            gather.add(condition, &mut plan.save_needs);
            gather.add(condition, &mut plan.form_needs);
        }
        if let Some(condition) = &field.readonly_if {
            gather.add(condition, &mut plan.readonly_needs);
            gather.add(condition, &mut plan.save_needs);
            gather.add(condition, &mut plan.form_needs);
        }
        if let Some(condition) = &field.visible_if {
            gather.add(condition, &mut plan.form_needs);
        }
        match &field.ty {
            FieldType::Formula { expr, stored, .. } => {
                gather.add(expr, &mut plan.form_needs);
                if *stored {
                    gather.add(expr, &mut plan.save_needs);
                    gather.add(expr, &mut plan.computed_needs);
                }
            }
            FieldType::Rollup { aggregate, stored, .. } => {
                gather.add(aggregate, &mut plan.form_needs);
                if *stored {
                    gather.add(aggregate, &mut plan.computed_needs);
                }
            }
            FieldType::Lookup { .. } => gather.add_field(field, &mut plan.form_needs),
            FieldType::Link { to, filter: Some(filter), .. } => {
                let mut found = Needs::default();
                Gather { catalog, entity: *to }.add(filter, &mut found);
                plan.filters.push((field.ix, found));
            }
            _ => {}
        }
    }
    for rule in &entity.rules {
        let mut rule_needs = Needs::default();
        for expr in [Some(&rule.assert), rule.when.as_ref()].into_iter().flatten() {
            gather.add(expr, &mut rule_needs);
            gather.add(expr, &mut plan.save_needs);
        }
        let reads_rollup = || rule_needs.fields.iter().any(|ix| matches!(entity.field(*ix).ty, FieldType::Rollup { .. }));
        plan.reads_rows.push(rule_needs.children.iter().any(|child| child.over.hops.is_empty()) || reads_rollup());
    }
    approval_needs(&gather, entity, &mut plan);
    gate_needs(&gather, entity, &mut plan);
    pool_needs(&gather, catalog, entity, &mut plan);
    let rules = entity.registrations.iter().flat_map(|one| one.rules.iter().map(|at| &entity.duplicates[*at]));
    plan.claimed = rules.flat_map(|rule| rule.matches.iter().map(|one| one.field)).collect();
    let asks_more = |field: &Field| matches!(field.ty, FieldType::AutoNumber { .. } | FieldType::Links { .. });
    // People and teams decide who may do what: more is looked at there.
    let is_identity = matches!(entity.id.as_str(), "core.user" | "core.team" | "core.user_teams");
    // The key of encrypted values is asked for inside the transaction.
    plan.stands_alone = entity.dependents.is_empty()
        && entity.duplicates.is_empty()
        && entity.pools.is_empty()
        && plan.counts_for.is_empty()
        && !is_identity
        && plan.sealed.is_empty()
        && !entity.fields.iter().any(asks_more);
    plan.computed = entity.computed_order.clone();
    plan.rollups = plan.computed.iter().copied().filter(|ix| matches!(entity.field(*ix).ty, FieldType::Rollup { .. })).collect();
    plan
}

/// What concerns pools: those of the entity, and those for which its records count.
fn pool_needs(gather: &Gather<'_>, catalog: &Catalog, entity: &Entity, plan: &mut Plan) {
    for pool in &entity.pools {
        plan.pool_fields.extend(plan.owner);
        for activity in &pool.activity {
            if let Activity::Fields(fields) = activity {
                plan.pool_fields.extend(fields.iter().copied());
            }
        }
        if let Some(when) = &pool.when {
            gather.add(when, &mut plan.save_needs);
            plan.pool_fields.extend(needs(when).fields);
        }
    }
    for of in &catalog.entities {
        for (at, pool) in of.pools.iter().enumerate() {
            plan.counts_for.extend(pool.counts_rows(entity.ix).map(|by| (of.ix, at, by)));
        }
    }
}

/// What the approvals of an entity read, and what they decide of.
fn approval_needs(gather: &Gather<'_>, entity: &Entity, plan: &mut Plan) {
    let mut found = Needs::default();
    for approval in &entity.approvals {
        plan.watched.extend(approval.fields.iter().copied());
        approval.when.iter().for_each(|when| gather.add(when, &mut found));
        for step in &approval.steps {
            step.when.iter().chain(&step.who.people).chain(&step.escalate.people).for_each(|expr| gather.add(expr, &mut found));
        }
        for given in approval.approved.iter().chain(&approval.rejected) {
            if let GivenValue::Expr(expr) = &given.value {
                gather.add(expr, &mut found);
            }
        }
    }
    plan.approval_needs = found;
}

/// What the gates of an entity's pipelines read.
fn gate_needs(gather: &Gather<'_>, entity: &Entity, plan: &mut Plan) {
    let mut found = Needs::default();
    for pipeline in &entity.pipelines {
        for reason in pipeline.stages.iter().filter_map(|stage| stage.reason) {
            gather.add_field(entity.field(reason), &mut found);
        }
        for task in pipeline.stages.iter().flat_map(|stage| &stage.tasks) {
            task.due.iter().chain(&task.assignee).for_each(|expr| gather.add(expr, &mut plan.task_needs));
        }
        for gate in &pipeline.gates {
            if let Some(when) = &gate.when {
                gather.add(when, &mut found);
            }
            for requirement in &gate.require {
                match requirement {
                    Requirement::Fields(fields) => fields.iter().for_each(|field| gather.add_field(entity.field(*field), &mut found)),
                    Requirement::Holds { expr, .. } => gather.add(expr, &mut found),
                    Requirement::Approval(at) => entity.approvals[*at].when.iter().for_each(|when| gather.add(when, &mut found)),
                    Requirement::Registration(at) => entity.registrations[*at].when.iter().for_each(|when| gather.add(when, &mut found)),
                    Requirement::Tasks(_) | Requirement::AllTasks => {}
                }
            }
        }
    }
    let reads_rollup = || found.fields.iter().any(|ix| matches!(entity.field(*ix).ty, FieldType::Rollup { .. }));
    plan.makes_tasks = entity.pipelines.iter().any(|pipeline| pipeline.task_fields.is_some());
    let is_computed = |ix: &FieldIx| matches!(entity.field(*ix).ty, FieldType::Rollup { .. } | FieldType::Formula { .. });
    let waits = entity.pipelines.iter().any(|pipeline| pipeline.waits_for_approval());
    plan.gates_read_rows = (waits && plan.watched.iter().any(is_computed))
        || plan.makes_tasks
        || found.children.iter().any(|child| child.over.hops.is_empty())
        || reads_rollup();
    plan.move_needs = found;
}

/// Puts a field into the lists it belongs to.
fn sort_in(plan: &mut Plan, field: &Field) {
    if field.side_table.is_some() {
        plan.sides.push(field.ix);
    } else if !field.columns.is_empty() {
        plan.stored.push(field.ix);
    }
    if field.search {
        plan.search.push(field.ix);
    }
    if field.encrypted {
        plan.sealed.push(field.ix);
    }
    if field.default.is_some() {
        plan.defaults.push(field.ix);
    }
    match &field.ty {
        FieldType::AutoNumber { .. } => plan.auto_numbers.push(field.ix),
        FieldType::Select(Options { depends_on: Some(_), .. })
        | FieldType::MultiSelect { options: Options { depends_on: Some(_), .. }, .. } => {
            plan.dependent.push(field.ix);
        }
        FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } if !field.is_system || field.name == "owner" => {
            plan.links.push(field.ix);
        }
        _ => {}
    }
}

/// Collects needs and follows virtual fields (lookups, formulas that are not stored) to what they read.
struct Gather<'c> {
    catalog: &'c Catalog,
    entity: EntityIx,
}

/// Virtual fields may read virtual fields this deep; the catalog refuses cycles.
const MAX_VIRTUAL: u32 = 8;

impl Gather<'_> {
    fn add(&self, expr: &Typed, into: &mut Needs) {
        let found = needs(expr);
        self.merge(self.entity, found, into, 0);
    }

    fn add_field(&self, field: &Field, into: &mut Needs) {
        let mut found = Needs::default();
        found.fields.insert(field.ix);
        self.merge(self.entity, found, into, 0);
    }

    fn merge(&self, entity: EntityIx, found: Needs, into: &mut Needs, depth: u32) {
        into.uses_old |= found.uses_old;
        into.uses_now |= found.uses_now;
        into.uses_me |= found.uses_me;
        into.uses_zone |= found.uses_zone;
        for field in found.fields {
            if into.fields.insert(field) {
                for path in self.virtual_paths(entity, &[], field, depth) {
                    self.add_path(entity, path, into, depth);
                }
                self.add_virtual_children(entity, field, into, depth);
            }
        }
        for path in found.paths {
            self.add_path(entity, path, into, depth);
        }
        for field in found.old_fields {
            into.old_fields.insert(field);
            into.old_paths.extend(self.virtual_paths(entity, &[], field, depth));
        }
        for path in found.old_paths {
            if !into.old_paths.contains(&path) {
                into.old_paths.push(path);
            }
        }
        for child in found.children {
            self.add_child(child, into, depth);
        }
    }

    fn add_path(&self, entity: EntityIx, path: Path, into: &mut Needs, depth: u32) {
        if path.hops.is_empty() {
            self.merge(entity, Needs { fields: BTreeSet::from([path.field]), ..Needs::default() }, into, depth + 1);
            return;
        }
        into.fields.insert(path.hops[0].field);
        if into.paths.contains(&path) {
            return;
        }
        let target = path.hops.last().map_or(entity, |hop| hop.to);
        let more = self.virtual_paths(target, &path.hops, path.field, depth);
        into.paths.push(path);
        for path in more {
            self.add_path(entity, path, into, depth + 1);
        }
    }

    fn add_child(&self, child: ChildNeed, into: &mut Needs, depth: u32) {
        if let Some(hop) = child.over.hops.first() {
            into.fields.insert(hop.field);
        }
        let mut expanded = Needs::default();
        self.merge(child.over.rows.entity(), child.needs, &mut expanded, depth + 1);
        match into.children.iter_mut().find(|known| known.over == child.over) {
            Some(known) => {
                let mut both = std::mem::take(&mut known.needs);
                self.merge(child.over.rows.entity(), expanded, &mut both, depth + 1);
                known.needs = both;
            }
            None => into.children.push(ChildNeed { over: child.over, needs: expanded }),
        }
    }

    /// The paths a virtual field at the end of `hops` reads, seen from the start of `hops`.
    fn virtual_paths(&self, entity: EntityIx, hops: &[crate::expr::Hop], field: FieldIx, depth: u32) -> Vec<Path> {
        if depth > MAX_VIRTUAL {
            return Vec::new();
        }
        let owner = self.catalog.entity(entity);
        let root = crate::expr::Root::Record;
        let under = |inner: &[crate::expr::Hop]| [hops, inner].concat();
        match &owner.field(field).ty {
            FieldType::Lookup { via, field, .. } => match &owner.field(*via).ty {
                FieldType::Link { to, .. } | FieldType::User { to, .. } => {
                    vec![Path { root, hops: under(&[crate::expr::Hop { field: *via, to: *to }]), field: *field, part: None }]
                }
                _ => Vec::new(),
            },
            FieldType::Formula { expr, stored: false, .. } => {
                let found = needs(expr);
                let plain = found.fields.iter().map(|field| Path { root, hops: under(&[]), field: *field, part: None });
                let far = found.paths.iter().map(|path| Path { root, hops: under(&path.hops), field: path.field, part: None });
                plain.chain(far).collect()
            }
            _ => Vec::new(),
        }
    }

    /// To-many rows read by a virtual formula or rollup of the record itself.
    fn add_virtual_children(&self, entity: EntityIx, field: FieldIx, into: &mut Needs, depth: u32) {
        if depth > MAX_VIRTUAL {
            return;
        }
        let expr = match &self.catalog.entity(entity).field(field).ty {
            FieldType::Formula { expr, stored: false, .. } => expr,
            FieldType::Rollup { aggregate, stored: false, .. } => aggregate,
            _ => return,
        };
        for child in needs(expr).children {
            self.add_child(child, into, depth + 1);
        }
    }
}

/// Where the rows of an `Over` are looked for: the entity and the link that leads to the owner.
pub(super) fn rows_by(over: &Over) -> (EntityIx, FieldIx) {
    match &over.rows {
        crate::expr::Rows::Children { of, by } => (*of, *by),
        crate::expr::Rows::Links { through, near, .. } => (*through, *near),
    }
}

/// Fields by name, for moving an input to another catalog.
pub(super) fn move_fields(from: &Entity, to: &Entity) -> HashMap<FieldIx, FieldIx> {
    from.fields
        .iter()
        .filter_map(|field| {
            let same =
                to.fields.iter().find(|other| other.uid == field.uid && !field.uid.is_empty()).or_else(|| to.find_field(&field.name))?;
            Some((field.ix, same.ix))
        })
        .collect()
}
