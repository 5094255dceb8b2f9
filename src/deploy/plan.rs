//! What would change: semantic ops, the statements for them, and what they mean for the data that is there.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::consequence::{Blocked, Consequence};
use super::effects::{RoleEffect, effects};
use super::opened::opened;
use super::stranded::stranded;
use super::{DeployError, check, current};
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Entity, Field};
use crate::schema::{self, Loaded, Op, OpKind, Part, SourceFile};
use crate::store::{self, Sql, Store, ddl, grow, measure};

/// How much care a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// No table changes.
    Meta,
    /// A table or column is added.
    Additive,
    /// An index is built or values are computed over the records that are there.
    Online,
    /// Whether it can be done depends on the records that are there.
    DataDependent,
    /// Clients that use the old name stop working.
    BreakingApi,
    /// Somebody may do or read more than before.
    WideningAccess,
    /// Values are no longer reachable (they stay in the table).
    Hides,
}

impl Risk {
    pub fn word(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Additive => "additive",
            Self::Online => "online",
            Self::DataDependent => "data_dependent",
            Self::BreakingApi => "breaking_api",
            Self::WideningAccess => "widening_access",
            Self::Hides => "hides",
        }
    }
}

/// One change with its statements and its measured effect.
#[derive(Debug)]
pub struct Step {
    pub op: Op,
    pub risk: Risk,
    pub effect: Consequence,
    /// Why it cannot be done on the data that is there.
    pub blocked: Option<Blocked>,
    pub(super) statements: Vec<Sql>,
}

/// A word the person who applies must say: `hides:fld_m2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub name: String,
    pub reason: String,
}

/// What `apply` would do.
#[derive(Debug)]
pub struct Plan {
    /// `p_` and 12 hex digits over base, target and changes: equal plans have equal ids.
    pub id: String,
    /// The version it was made against; 0 for an empty workspace.
    pub base: i64,
    pub base_digest: String,
    pub target_digest: String,
    pub steps: Vec<Step>,
    pub confirmations: Vec<Confirmation>,
    /// What the roles that change mean for those who have them.
    pub access: Vec<RoleEffect>,
    pub(super) loaded: Loaded,
    /// References of new tables and columns, made when all tables are there.
    pub(super) links: Vec<Sql>,
    pub(super) views: Vec<Sql>,
    pub(super) dialect: store::Dialect,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Steps that cannot be done, as sentences.
    pub fn blocked(&self) -> Vec<String> {
        self.steps.iter().filter_map(|step| step.blocked.as_ref().map(Blocked::text)).collect()
    }

    /// The plan as a person reads it.
    pub fn text(&self) -> String {
        super::render::text(self)
    }

    /// Warnings of the definitions.
    pub fn warnings(&self) -> &[schema::Diagnostic] {
        &self.loaded.warnings
    }

    /// What `--out` writes and `apply FILE` reads: enough to recognise the plan, not to replay it.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "format": "relata/plan/v1",
            "id": self.id,
            "base": {"version": self.base, "digest": self.base_digest},
            "target": {"digest": self.target_digest},
            "changes": self.steps.iter().map(|step| step.to_json(self.dialect)).collect::<Vec<_>>(),
            "access": self.access.iter().map(RoleEffect::to_json).collect::<Vec<_>>(),
            "confirmations": self.confirmations.iter().map(|c| json!({"name": c.name, "reason": c.reason})).collect::<Vec<_>>(),
            "blocked": self.blocked(),
            "warnings": schema::diagnostic::to_json(self.warnings()),
            "text": super::render::text(self),
        })
    }
}

impl Step {
    fn to_json(&self, dialect: store::Dialect) -> serde_json::Value {
        json!({
            "kind": super::render::kind_word(&self.op.kind),
            "uid": self.op.uid,
            "entity": self.op.entity,
            "name": self.op.name,
            "risk": self.risk.word(),
            "subject": super::render::subject(&self.op),
            "effect": self.effect.text(),
            "consequence": self.effect.to_json(),
            "blocked": self.blocked.as_ref().map(Blocked::text),
            "blocked_by": self.blocked.as_ref().map(Blocked::to_json),
            "properties": self.op.changes.iter().map(|c| json!({"property": c.property, "old": c.old, "new": c.new})).collect::<Vec<_>>(),
            "statements": self.statements.iter().map(|sql| sql.text(dialect)).collect::<Vec<_>>(),
            "file": self.op.place.as_ref().map(|place| format!("{}:{}:{}", place.file, place.line, place.column)),
        })
    }
}

/// Checks the files and says what applying them would change. Reads the database, writes nothing.
///
/// # Errors
/// Faults of the definitions, changes that cannot be applied, the database.
pub async fn plan(store: &Store, files: &[SourceFile]) -> Result<Plan, DeployError> {
    let old = current(store).await?;
    let base_bindings = old.as_ref().map(|old| old.bindings.clone()).unwrap_or_default();
    let mut loaded = check(files, &base_bindings).map_err(DeployError::Faults)?;
    let (base, base_digest) = old.as_ref().map_or((0, String::new()), |old| (old.catalog.version, old.digest.clone()));
    loaded.catalog.version = base + 1;
    let ops = if base_digest == loaded.digest {
        Vec::new()
    } else {
        schema::diff(old.as_ref().map(|old| &old.catalog), &base_bindings, &loaded).map_err(DeployError::Faults)?
    };
    let fresh = Fresh::of(&ops);
    let access = match &old {
        Some(old) => effects(store, &old.catalog, &loaded.catalog, &ops).await?,
        None => Vec::new(),
    };
    let mut stranded = match &old {
        Some(old) => stranded(store, &old.catalog, &loaded.catalog, &ops).await?,
        None => HashMap::new(),
    };
    let mut opened = match &old {
        Some(old) => opened(store, &old.catalog, &loaded.catalog, &ops).await?,
        None => HashMap::new(),
    };
    let mut steps = Vec::with_capacity(ops.len());
    for op in ops {
        let mut step = step(store, &loaded, &fresh, op).await?;
        step.blocked = step.blocked.or_else(|| stranded.remove(&step.op.uid));
        tell_access(&mut step, &access);
        if let Some(opened) = opened.remove(&step.op.uid) {
            step.risk = Risk::WideningAccess;
            step.effect = Consequence::Opened(opened);
        }
        steps.push(step);
    }
    let links = links(store, &loaded, &steps);
    let views = views(store, &loaded, &steps);
    let confirmations = confirmations(&steps);
    let id = plan_id(&base_digest, &loaded.digest, &steps);
    Ok(Plan {
        id,
        base,
        base_digest,
        target_digest: loaded.digest.clone(),
        steps,
        confirmations,
        access,
        loaded,
        links,
        views,
        dialect: store.dialect(),
    })
}

/// Makes the tables of definitions in an empty database, by the names they have elsewhere, and gives what is in force there.
///
/// # Errors
/// The database; it is not empty.
pub async fn furnish(store: &Store, mut loaded: Loaded) -> Result<schema::Catalog, DeployError> {
    loaded.catalog.version = 1;
    let ops = schema::diff(None, &schema::Bindings::default(), &loaded).map_err(DeployError::Faults)?;
    let fresh = Fresh::of(&ops);
    let mut steps = Vec::with_capacity(ops.len());
    for op in ops {
        steps.push(step(store, &loaded, &fresh, op).await?);
    }
    let (links, views) = (links(store, &loaded, &steps), views(store, &loaded, &steps));
    let confirmations = confirmations(&steps);
    let accepted: Vec<String> = confirmations.iter().map(|confirmation| confirmation.name.clone()).collect();
    let plan = Plan {
        id: plan_id("", &loaded.digest, &steps),
        base: 0,
        base_digest: String::new(),
        target_digest: loaded.digest.clone(),
        steps,
        confirmations,
        access: Vec::new(),
        loaded,
        links,
        views,
        dialect: store.dialect(),
    };
    let outcome = super::apply(store, plan, &accepted, 0).await?;
    Ok(schema::Catalog { version: outcome.version, blind: store.blind(), ..outcome.loaded.catalog })
}

fn plan_id(base: &str, target: &str, steps: &[Step]) -> String {
    let mut hash = Sha256::new();
    hash.update(base);
    hash.update([0]);
    hash.update(target);
    for step in steps {
        hash.update([0]);
        hash.update(format!("{:?}", step.op.kind));
        hash.update(&step.op.uid);
    }
    let digest = hash.finalize();
    let mut id = String::from("p_");
    for byte in digest.iter().take(6) {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

/// Tables and columns that this very plan makes: they hold nothing and cannot be asked yet.
struct Fresh {
    entities: HashSet<EntityIx>,
    fields: HashSet<(EntityIx, FieldIx)>,
}

impl Fresh {
    fn of(ops: &[Op]) -> Self {
        let mut fresh = Self { entities: HashSet::new(), fields: HashSet::new() };
        for op in ops {
            match op.kind {
                OpKind::CreateEntity { entity } => drop(fresh.entities.insert(entity)),
                OpKind::CreateField { entity, field } => drop(fresh.fields.insert((entity, field))),
                _ => {}
            }
        }
        fresh
    }

    fn has_field(&self, entity: &Entity, fields: &[FieldIx]) -> bool {
        self.entities.contains(&entity.ix) || fields.iter().any(|field| self.fields.contains(&(entity.ix, *field)))
    }

    async fn rows(&self, store: &Store, entity: &Entity) -> Result<i64, DeployError> {
        if self.entities.contains(&entity.ix) { Ok(0) } else { Ok(measure::rows(store, &entity.table).await?) }
    }
}

/// Statements, risk and measured effect of one op.
async fn step(store: &Store, loaded: &Loaded, fresh: &Fresh, op: Op) -> Result<Step, DeployError> {
    let catalog = &loaded.catalog;
    let dialect = store.dialect();
    let mut blocked = None;
    let (risk, effect, statements) = match &op.kind {
        OpKind::CreateEntity { entity } => {
            let entity = catalog.entity(*entity);
            let fields = entity.fields.iter().filter(|field| !field.is_system).count();
            let indexes = entity.indexes.len() + entity.uniques.len();
            let effect = Consequence::NewTable { table: entity.table.clone(), fields, indexes, views: entity.views.len() };
            (Risk::Additive, effect, ddl::create_entity(dialect, catalog, entity))
        }
        OpKind::RestoreEntity { entity } => {
            let rows = measure::rows(store, &catalog.entity(*entity).table).await?;
            (Risk::Additive, Consequence::RecordsBack(rows), Vec::new())
        }
        OpKind::RetireEntity { table } => {
            let rows = measure::rows(store, table).await?;
            (Risk::Hides, Consequence::RecordsHidden { count: rows, table: table.clone() }, Vec::new())
        }
        OpKind::CreateField { entity, field } => {
            let entity = catalog.entity(*entity);
            let field = entity.field(*field);
            let rows = fresh.rows(store, entity).await?;
            let computed = is_stored_computed(field) && rows > 0;
            let effect = match (field.required, rows) {
                (true, 1..) => Consequence::Lacking(rows),
                _ if computed => Consequence::Computed(rows),
                _ => columns(field),
            };
            (if computed { Risk::Online } else { Risk::Additive }, effect, ddl::add_columns(dialect, catalog, entity, &[field]))
        }
        OpKind::RestoreField { entity, field } => {
            let entity = catalog.entity(*entity);
            let field = entity.field(*field);
            let filled = filled(store, entity, field).await?;
            (Risk::Additive, Consequence::ValuesBack(filled), Vec::new())
        }
        OpKind::RetireField { entity, columns } => {
            let entity = catalog.entity(*entity);
            let filled = match columns.first() {
                Some(column) => measure::filled(store, &entity.table, column).await?,
                None => 0,
            };
            (Risk::Hides, Consequence::ValuesHidden(filled), Vec::new())
        }
        OpKind::ChangeField { entity, field, add_columns, add_fold, recompute } => {
            let entity = catalog.entity(*entity);
            let field = entity.field(*field);
            let grows = !add_columns.is_empty() || add_fold.is_some();
            let mut statements = Vec::new();
            for column in add_columns {
                statements.extend(grow::add_column(dialect, &entity.table, column));
            }
            if let Some(fold) = add_fold {
                statements.extend(grow::add_fold(dialect, &entity.table, fold));
            }
            let rows = fresh.rows(store, entity).await?;
            if (*recompute || add_fold.is_some()) && rows > 0 {
                (Risk::Online, Consequence::Computed(rows), statements)
            } else if grows {
                (Risk::Additive, columns(field), statements)
            } else if turned_required(&op) {
                let empty = rows - filled(store, entity, field).await?;
                let effect = if empty > 0 { Consequence::Lacking(empty) } else { Consequence::Meta };
                (Risk::Meta, effect, statements)
            } else {
                (Risk::Meta, Consequence::Meta, statements)
            }
        }
        OpKind::CreateUnique { entity, unique } => {
            let entity = catalog.entity(*entity);
            let unique = &entity.uniques[*unique];
            let duplicates = if fresh.has_field(entity, &unique.fields) {
                measure::Duplicates::default()
            } else {
                measure::duplicates(store, entity, unique).await?
            };
            if duplicates.groups > 0 {
                let fields = unique.fields.iter().map(|field| entity.field(*field).name.clone()).collect();
                let (groups, records) = (duplicates.groups, duplicates.records);
                blocked = Some(Blocked::Duplicates { entity: entity.id.clone(), fields, groups, records });
            }
            (Risk::DataDependent, Consequence::Unique, ddl::create_unique(dialect, catalog, entity, unique))
        }
        OpKind::CreateIndex { entity, index } => {
            let entity = catalog.entity(*entity);
            let rows = fresh.rows(store, entity).await?;
            (Risk::Online, Consequence::Index(rows), ddl::create_index(dialect, entity, &entity.indexes[*index]))
        }
        OpKind::DropUnique { index, .. } | OpKind::DropIndex { index, .. } => {
            (Risk::Meta, Consequence::IndexDropped, ddl::drop_index(dialect, index))
        }
        OpKind::RenameEntity { from, .. } => (Risk::BreakingApi, Consequence::EntityRenamed(from.clone()), Vec::new()),
        OpKind::RenameField { entity, field, from } => {
            let field = catalog.entity(*entity).field(*field);
            let kept = field.alias.as_deref() == Some(from.as_str());
            let risk = if kept { Risk::Meta } else { Risk::BreakingApi };
            (risk, Consequence::FieldRenamed { from: from.clone(), still_answered: kept }, Vec::new())
        }
        OpKind::RetireOption { field } => {
            let used = match field {
                Some((entity, field)) => {
                    let entity = catalog.entity(*entity);
                    measure::option_uses(store, entity, entity.field(*field), &op.name).await?
                }
                None => 0,
            };
            (Risk::Meta, if used > 0 { Consequence::KeepIt(used) } else { Consequence::Meta }, Vec::new())
        }
        _ => (Risk::Meta, Consequence::Meta, Vec::new()),
    };
    Ok(Step { op, risk, effect, blocked, statements })
}

/// Says of a role what it means for those who have it, and of a computed field that it is shown to more people than its inputs.
fn tell_access(step: &mut Step, access: &[RoleEffect]) {
    let is_role = matches!(
        step.op.kind,
        OpKind::CreatePart { part: Part::Role } | OpKind::ChangePart { part: Part::Role } | OpKind::RemovePart { part: Part::Role }
    );
    if let Some(effect) = access.iter().find(|effect| is_role && effect.role == step.op.name) {
        step.effect = Consequence::Role(effect.clone());
        step.risk = if effect.widens() { Risk::WideningAccess } else { Risk::Meta };
    }
    let exposes = |change: &schema::Change| change.property == "expose" && change.new == "value";
    if matches!(step.op.kind, OpKind::ChangeField { .. }) && step.op.changes.iter().any(exposes) {
        step.risk = Risk::WideningAccess;
        step.effect = Consequence::Exposed;
    }
}

/// Whether the property `required` went from no to yes.
fn turned_required(op: &Op) -> bool {
    op.changes.iter().any(|change| change.property == "required" && change.new == serde_json::Value::Bool(true))
}

/// Formulas and rollups whose value lies in the table.
pub(super) fn is_stored_computed(field: &Field) -> bool {
    use crate::schema::catalog::FieldType;
    matches!(field.ty, FieldType::Formula { stored: true, .. } | FieldType::Rollup { stored: true, .. })
}

async fn filled(store: &Store, entity: &Entity, field: &Field) -> Result<i64, DeployError> {
    match field.columns.first() {
        Some(column) => Ok(measure::filled(store, &entity.table, &column.name).await?),
        None => Ok(0),
    }
}

fn columns(field: &Field) -> Consequence {
    Consequence::Columns(field.columns.iter().map(|column| column.name.clone()).collect())
}

pub(super) fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if count < 0 { format!("-{out}") } else { out }
}

/// Steps that hide values or let somebody do more are named one by one by the person who applies.
fn confirmations(steps: &[Step]) -> Vec<Confirmation> {
    steps
        .iter()
        .filter(|step| matches!(step.risk, Risk::Hides | Risk::WideningAccess))
        .map(|step| Confirmation {
            name: format!("{}:{}", step.risk.word(), step.op.uid),
            reason: format!("{} {}", super::render::subject(&step.op), step.effect.text()),
        })
        .collect()
}

fn links(store: &Store, loaded: &Loaded, steps: &[Step]) -> Vec<Sql> {
    let (dialect, catalog) = (store.dialect(), &loaded.catalog);
    let mut statements = Vec::new();
    for step in steps {
        match &step.op.kind {
            OpKind::CreateEntity { entity } => {
                let entity = catalog.entity(*entity);
                let fields: Vec<&Field> = entity.fields.iter().collect();
                statements.extend(ddl::create_links(dialect, catalog, entity, &fields));
            }
            OpKind::CreateField { entity, field } => {
                let entity = catalog.entity(*entity);
                statements.extend(ddl::create_links(dialect, catalog, entity, &[entity.field(*field)]));
            }
            _ => {}
        }
    }
    statements
}

/// The readable views of entities whose names or columns change.
fn views(store: &Store, loaded: &Loaded, steps: &[Step]) -> Vec<Sql> {
    let dialect = store.dialect();
    let mut statements = Vec::new();
    let mut entities: Vec<&str> = Vec::new();
    for step in steps {
        match &step.op.kind {
            OpKind::RetireEntity { .. } => statements.extend(ddl::drop_view(dialect, slug_of(&step.op.name))),
            OpKind::RenameEntity { from, .. } => {
                statements.extend(ddl::drop_view(dialect, slug_of(from)));
                entities.push(&step.op.entity);
            }
            OpKind::CreateEntity { .. }
            | OpKind::RestoreEntity { .. }
            | OpKind::CreateField { .. }
            | OpKind::RetireField { .. }
            | OpKind::RestoreField { .. }
            | OpKind::RenameField { .. }
            | OpKind::ChangeField { .. } => entities.push(&step.op.entity),
            _ => {}
        }
    }
    entities.sort_unstable();
    entities.dedup();
    for id in entities {
        if let Some(entity) = loaded.catalog.find_entity(id) {
            statements.extend(ddl::views(dialect, entity));
        }
    }
    statements
}

fn slug_of(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}
