//! What changes between two catalogs, by uid.

use std::collections::BTreeMap;

use super::bindings::{BindingState, Bindings};
use super::catalog::{Catalog, Described, DescribedKind, Entity, FieldType};
use super::diagnostic::Diagnostic;
use super::resolve::class;
use super::{Loaded, Place};
use crate::base::{EntityIx, FieldIx};

/// One semantic change. Indexes (`EntityIx`, `FieldIx`, positions) are those of the *new* catalog; what is
/// gone is told by uid and physical names.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    pub kind: OpKind,
    /// Uid of the thing that changes.
    pub uid: String,
    /// Full id of the entity it belongs to (`crm.deal`), empty for settings, picklists of no entity, apps, roles.
    pub entity: String,
    /// The thing's name: field name, option key, index name; the entity's id for the entity itself.
    pub name: String,
    /// Properties that changed: name, old, new (`null` for absent).
    pub changes: Vec<Change>,
    /// Where the definition stands; `None` for what is gone.
    pub place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub property: String,
    pub old: serde_json::Value,
    pub new: serde_json::Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OpKind {
    /// Create the table with all columns, its side tables; its uniques and indexes are ops of their own.
    CreateEntity {
        entity: EntityIx,
    },
    /// Gone from the definitions; the table stays.
    RetireEntity {
        table: String,
    },
    /// A retired entity is back; its table and old columns are there. New fields are ops of their own.
    RestoreEntity {
        entity: EntityIx,
    },
    RenameEntity {
        entity: EntityIx,
        from: String,
    },
    /// Labels, features, title, …: nothing physical.
    ChangeEntity {
        entity: EntityIx,
    },
    /// Add the nullable columns, the folded shadow, the side table.
    CreateField {
        entity: EntityIx,
        field: FieldIx,
    },
    RetireField {
        entity: EntityIx,
        columns: Vec<String>,
    },
    /// Columns are there from before.
    RestoreField {
        entity: EntityIx,
        field: FieldIx,
    },
    RenameField {
        entity: EntityIx,
        field: FieldIx,
        from: String,
    },
    /// Options of the field; `add_columns` are physical columns the changed type needs besides the present
    /// ones (another target of an any_link, a folded shadow column to be filled).
    ChangeField {
        entity: EntityIx,
        field: FieldIx,
        add_columns: Vec<super::catalog::Column>,
        add_fold: Option<String>,
        recompute: bool,
    },
    CreateOption {
        field: Option<(EntityIx, FieldIx)>,
    },
    RetireOption {
        field: Option<(EntityIx, FieldIx)>,
    },
    RestoreOption {
        field: Option<(EntityIx, FieldIx)>,
    },
    ChangeOption {
        field: Option<(EntityIx, FieldIx)>,
    },
    /// Position in `Entity::uniques`.
    CreateUnique {
        entity: EntityIx,
        unique: usize,
    },
    DropUnique {
        table: String,
        index: String,
    },
    /// Position in `Entity::indexes`.
    CreateIndex {
        entity: EntityIx,
        index: usize,
    },
    DropIndex {
        table: String,
        index: String,
    },
    /// Rules, views, layouts, scripts, buttons, roles, apps, picklists, packages, settings: nothing physical.
    CreatePart {
        part: Part,
    },
    RemovePart {
        part: Part,
    },
    ChangePart {
        part: Part,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Approval,
    Pool,
    Registration,
    Automation,
    Template,
    Survey,
    Retention,
    Duplicate,
    Conversion,
    Pipeline,
    Clock,
    Calendar,
    Rule,
    View,
    Layout,
    Button,
    Script,
    Role,
    App,
    Picklist,
    Package,
    Settings,
}

/// The ops that lead from `old` (with the bindings stored with it) to `new`; empty when nothing changes.
/// `None` as `old` means an empty workspace.
///
/// # Errors
/// Diagnostics `DEP…`: a change that cannot be applied (another type for stored data, an unexplained drop
/// beside a compatible add).
pub fn diff(old: Option<&Catalog>, bindings: &Bindings, new: &Loaded) -> Result<Vec<Op>, Vec<Diagnostic>> {
    let empty = BTreeMap::new();
    let mut comparison =
        Comparison { old: old.map_or(&empty, |old| &old.described), old_catalog: old, bindings, new, ops: Vec::new(), faults: Vec::new() };
    comparison.run();
    let Comparison { mut ops, faults, .. } = comparison;
    if !faults.is_empty() {
        return Err(super::intake::finish(faults, &new.texts));
    }
    ops.sort_by_key(|op| op.kind.rank());
    Ok(ops)
}

struct Comparison<'c> {
    old: &'c BTreeMap<String, Described>,
    old_catalog: Option<&'c Catalog>,
    bindings: &'c Bindings,
    new: &'c Loaded,
    ops: Vec<Op>,
    faults: Vec<Diagnostic>,
}

impl Comparison<'_> {
    fn run(&mut self) {
        let new = &self.new.catalog.described;
        for (uid, now) in new {
            match self.old.get(uid) {
                None => self.created(uid, now),
                Some(before) => self.compared(uid, before, now),
            }
        }
        for (uid, before) in self.old {
            if !new.contains_key(uid) {
                self.gone(uid, before);
            }
        }
        self.unexplained();
    }

    fn entity_of(&self, uid: &str, thing: &Described, all: &BTreeMap<String, Described>) -> Option<(String, String)> {
        let mut at = (uid.to_owned(), thing.clone());
        while at.1.kind != DescribedKind::Entity {
            let parent = at.1.parent.clone()?;
            let found = all.get(&parent)?.clone();
            at = (parent, found);
        }
        Some((at.0, at.1.name))
    }

    fn new_entity(&self, uid: &str, thing: &Described) -> Option<&Entity> {
        let (entity, _) = self.entity_of(uid, thing, &self.new.catalog.described)?;
        self.new.catalog.entities.iter().find(|known| known.uid == entity)
    }

    fn push(&mut self, kind: OpKind, uid: &str, thing: &Described, all_new: bool, changes: Vec<Change>) {
        let all = if all_new { &self.new.catalog.described } else { self.old };
        let entity = self.entity_of(uid, thing, all).map_or(String::new(), |(_, id)| id);
        let place = if all_new { self.new.places.get(uid).cloned() } else { None };
        self.ops.push(Op { kind, uid: uid.to_owned(), entity, name: thing.name.clone(), changes, place });
    }

    fn is_retired(&self, uid: &str) -> bool {
        self.bindings.get(uid).is_some_and(|binding| binding.state == BindingState::Retired)
    }

    fn created(&mut self, uid: &str, now: &Described) {
        let entity = self.new_entity(uid, now).map(|entity| entity.ix);
        // All of a new entity is made with it; of one that comes back, what it had is there.
        let in_new_entity = match self.entity_of(uid, now, &self.new.catalog.described) {
            Some((owner, _)) => owner != uid && !self.old.contains_key(&owner) && !self.is_retired(&owner),
            None => false,
        };
        let kind = match (now.kind, entity) {
            (DescribedKind::Entity, Some(entity)) if self.is_retired(uid) => OpKind::RestoreEntity { entity },
            (DescribedKind::Entity, Some(entity)) => OpKind::CreateEntity { entity },
            (DescribedKind::Field | DescribedKind::Option, _) if in_new_entity => return,
            (DescribedKind::Field, Some(entity)) => {
                let Some(field) = self.field(entity, uid) else { return };
                if self.is_retired(uid) {
                    self.convertible(uid, now);
                    OpKind::RestoreField { entity, field }
                } else {
                    OpKind::CreateField { entity, field }
                }
            }
            (DescribedKind::Option, _) if now.parent.as_ref().is_some_and(|parent| !self.old.contains_key(parent)) => return,
            (DescribedKind::Option, _) => {
                let field = self.option_field(now);
                let retired = now.properties.get("retired") == Some(&serde_json::Value::Bool(true));
                match (self.is_retired(uid), retired) {
                    (true, true) => return,
                    (true, false) => OpKind::RestoreOption { field },
                    (false, _) => OpKind::CreateOption { field },
                }
            }
            (DescribedKind::Unique, Some(entity)) => match self.position(entity, uid, true) {
                Some(unique) => OpKind::CreateUnique { entity, unique },
                None => return,
            },
            (DescribedKind::Index, Some(entity)) => match self.position(entity, uid, false) {
                Some(index) => OpKind::CreateIndex { entity, index },
                None => return,
            },
            (DescribedKind::Part(part), _) => OpKind::CreatePart { part },
            _ => return,
        };
        self.push(kind, uid, now, true, Vec::new());
    }

    fn field(&self, entity: EntityIx, uid: &str) -> Option<FieldIx> {
        self.new.catalog.entity(entity).fields.iter().find(|field| field.uid == uid).map(|field| field.ix)
    }

    fn option_field(&self, option: &Described) -> Option<(EntityIx, FieldIx)> {
        let parent = option.parent.as_deref()?;
        self.new
            .catalog
            .entities
            .iter()
            .find_map(|entity| entity.fields.iter().find(|field| field.uid == parent).map(|field| (entity.ix, field.ix)))
    }

    fn position(&self, entity: EntityIx, uid: &str, is_unique: bool) -> Option<usize> {
        let entity = self.new.catalog.entity(entity);
        if is_unique {
            entity.uniques.iter().position(|known| known.uid == uid)
        } else {
            entity.indexes.iter().position(|known| known.uid == uid)
        }
    }

    fn compared(&mut self, uid: &str, before: &Described, now: &Described) {
        let changes = changes(before, now);
        let is_renamed = before.name != now.name;
        let entity = self.new_entity(uid, now).map(|entity| entity.ix);
        match (now.kind, entity) {
            (DescribedKind::Entity, Some(entity)) => {
                if is_renamed {
                    self.push(OpKind::RenameEntity { entity, from: before.name.clone() }, uid, now, true, Vec::new());
                }
                if !changes.is_empty() {
                    self.push(OpKind::ChangeEntity { entity }, uid, now, true, changes);
                }
            }
            (DescribedKind::Field, Some(entity)) => {
                let Some(field) = self.field(entity, uid) else { return };
                if is_renamed {
                    self.push(OpKind::RenameField { entity, field, from: before.name.clone() }, uid, now, true, Vec::new());
                }
                if !changes.is_empty() && self.convertible(uid, now) {
                    let kind = self.changed_field(entity, field, uid, &changes);
                    self.push(kind, uid, now, true, changes);
                }
            }
            (DescribedKind::Option, _) => {
                let retired = |thing: &Described| thing.properties.get("retired") == Some(&serde_json::Value::Bool(true));
                let field = self.option_field(now);
                let kind = match (retired(before), retired(now)) {
                    (false, true) => OpKind::RetireOption { field },
                    (true, false) => OpKind::RestoreOption { field },
                    // What is no longer offered has no order and no color.
                    (true, true) => return,
                    (false, false) if changes.is_empty() => return,
                    (false, false) => OpKind::ChangeOption { field },
                };
                self.push(kind, uid, now, true, changes);
            }
            // Made from what it covers: only its name or message can differ.
            (DescribedKind::Unique | DescribedKind::Index, Some(entity)) if is_renamed || !changes.is_empty() => {
                let shown: Vec<Change> =
                    changes.into_iter().filter(|change| change.property != "index" && change.property != "fields").collect();
                if !shown.is_empty() {
                    self.push(OpKind::ChangeEntity { entity }, uid, now, true, shown);
                }
            }
            (DescribedKind::Part(part), _) if !changes.is_empty() => self.push(OpKind::ChangePart { part }, uid, now, true, changes),
            _ => {}
        }
    }

    fn changed_field(&self, entity: EntityIx, field: FieldIx, uid: &str, changes: &[Change]) -> OpKind {
        let now = self.new.catalog.entity(entity).field(field);
        let there: &[String] = self.bindings.get(uid).map_or(&[], |binding| &binding.columns);
        let add_columns = now.columns.iter().filter(|column| !there.contains(&column.name)).cloned().collect::<Vec<_>>();
        let add_fold = now.fold_column.clone().filter(|fold| !there.contains(fold));
        let is_stored = matches!(now.ty, FieldType::Formula { stored: true, .. } | FieldType::Rollup { stored: true, .. });
        let recompute = is_stored
            && changes
                .iter()
                .any(|change| matches!(change.property.as_str(), "expr" | "agg" | "of" | "stored" | "returns" | "scale" | "type"));
        OpKind::ChangeField { entity, field, add_columns, add_fold, recompute }
    }

    fn gone(&mut self, uid: &str, before: &Described) {
        let owner = self.entity_of(uid, before, self.old);
        let owner_gone = owner.as_ref().is_some_and(|(owner, _)| owner != uid && !self.new.catalog.described.contains_key(owner));
        let binding = self.bindings.get(uid);
        let table = binding.and_then(|binding| binding.table.clone()).unwrap_or_default();
        let kind = match before.kind {
            DescribedKind::Entity => OpKind::RetireEntity { table },
            DescribedKind::Unique | DescribedKind::Index => {
                let of = binding.map_or(String::new(), |binding| binding.shape.clone());
                if before.kind == DescribedKind::Unique {
                    OpKind::DropUnique { table: of, index: table }
                } else {
                    OpKind::DropIndex { table: of, index: table }
                }
            }
            _ if owner_gone => return,
            DescribedKind::Field => {
                let entity = owner.and_then(|(owner, _)| self.new.catalog.entities.iter().find(|entity| entity.uid == owner));
                let Some(entity) = entity.map(|entity| entity.ix) else { return };
                OpKind::RetireField { entity, columns: binding.map(|binding| binding.columns.clone()).unwrap_or_default() }
            }
            // An option whose list is gone goes with it.
            DescribedKind::Option => return,
            DescribedKind::Part(part) => OpKind::RemovePart { part },
        };
        self.push(kind, uid, before, false, Vec::new());
    }

    /// Whether the values of a field can stay as they are stored; the fault says why not.
    fn convertible(&mut self, uid: &str, now: &Described) -> bool {
        let (Some(before), Some(after)) = (self.bindings.get(uid), self.new.bindings.get(uid)) else { return true };
        let (from, to) = (class(&before.shape), class(&after.shape));
        let place = self.new.places.get(uid).cloned().unwrap_or_else(super::intake::nowhere);
        let name = &now.name;
        let fault = match conversion(from, to) {
            Conversion::Stays => return true,
            Conversion::Target => Diagnostic::error("DEP012", &place, format!("the link `{name}` cannot point to another entity: its values are ids of the present one"))
                .hint("add a new link beside it, copy what can be copied with a script, then retire the old one"),
            Conversion::Scale => Diagnostic::error("DEP013", &place, format!("the decimal places of `{name}` cannot change: its values are stored as {from}, now {to}"))
                .hint("add a new field with the wanted scale and copy the values with a script"),
            Conversion::Refused => Diagnostic::error("DEP011", &place, format!("the type of `{name}` cannot change: its values are stored as {from}, now {to}"))
                .hint("conversion of stored values comes in a later version: add a new field under another name and copy the values with a script"),
        };
        self.faults.push(fault);
        false
    }

    /// A field that is gone beside a new one that could be the same under another name.
    fn unexplained(&mut self) {
        let gone: Vec<(String, String, String)> = self
            .ops
            .iter()
            .filter(|op| matches!(op.kind, OpKind::RetireField { .. }))
            .filter_map(|op| {
                Some((self.old.get(&op.uid)?.parent.clone()?, op.name.clone(), class(&self.bindings.get(&op.uid)?.shape).to_owned()))
            })
            .collect();
        for op in &self.ops {
            if !matches!(op.kind, OpKind::CreateField { .. }) {
                continue;
            }
            let Some(now) = self.new.catalog.described.get(&op.uid) else { continue };
            let (Some(parent), Some(binding)) = (&now.parent, self.new.bindings.get(&op.uid)) else { continue };
            if now.properties.contains_key("uid") {
                continue;
            }
            let Some((_, before, _)) = gone.iter().find(|(owner, _, shape)| owner == parent && *shape == class(&binding.shape)) else {
                continue;
            };
            let place = op.place.clone().unwrap_or_else(super::intake::nowhere);
            let fault = Diagnostic::error(
                "DEP014",
                &place,
                format!("`{before}` is gone from `{}` and `{}` is new: is it the same field under another name?", op.entity, op.name),
            )
            .hint(format!(
                "renamed: add `was: {before}` and all values stay; another field: give it an identity of its own, `uid: {}`",
                op.uid
            ));
            // A field made in several steps is still one field to explain.
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
        }
        self.unexplained_entities();
    }

    fn unexplained_entities(&mut self) {
        let Some(old) = self.old_catalog else { return };
        let mut faults = Vec::new();
        let retired: Vec<&Entity> = self
            .ops
            .iter()
            .filter(|op| matches!(op.kind, OpKind::RetireEntity { .. }))
            .filter_map(|op| old.entities.iter().find(|entity| entity.uid == op.uid && !entity.is_junction))
            .collect();
        for op in &self.ops {
            let OpKind::CreateEntity { entity } = op.kind else { continue };
            let now = self.new.catalog.entity(entity);
            if self.new.catalog.described.get(&op.uid).is_some_and(|described| described.properties.contains_key("uid")) || now.is_junction
            {
                continue;
            }
            let own =
                |entity: &Entity| entity.fields.iter().filter(|field| !field.is_system).map(|field| field.name.clone()).collect::<Vec<_>>();
            let names = own(now);
            let same = retired.iter().find(|before| {
                let shared = own(before).iter().filter(|name| names.contains(name)).count();
                before.package == now.package && shared * 2 > names.len().max(own(before).len())
            });
            if let Some(before) = same {
                let place = op.place.clone().unwrap_or_else(super::intake::nowhere);
                let fault = Diagnostic::error(
                    "DEP015",
                    &place,
                    format!(
                        "`{}` is gone and `{}` with the same fields is new: is it the same entity under another name?",
                        before.id, now.id
                    ),
                )
                .hint(format!(
                    "renamed: add `was: {}` and all records stay; another entity: give it an identity of its own, `uid: {}`",
                    before.id, op.uid
                ));
                faults.push(fault);
            }
        }
        self.faults.extend(faults);
    }
}

enum Conversion {
    Stays,
    Target,
    Scale,
    Refused,
}

fn conversion(from: &str, to: &str) -> Conversion {
    if from == to || from == "virtual" || to == "virtual" || from.starts_with("children/") && to.starts_with("children/") {
        return Conversion::Stays;
    }
    let family = |shape: &str| shape.split('/').next().unwrap_or("").to_owned();
    match (family(from).as_str(), family(to).as_str()) {
        // Another target has a column of its own; the column of one that is gone stays.
        ("any", "any") => Conversion::Stays,
        ("link", "link") | ("links", "links") => Conversion::Target,
        ("dec", "dec") | ("money", "money") => Conversion::Scale,
        // Keys of options are texts; a text need not be a key.
        ("select", "text") => Conversion::Stays,
        // What was computed may become a value people write, not the other way round: their values would be lost.
        ("computed", _) if from.strip_prefix("computed/") == Some(to) => Conversion::Stays,
        _ => Conversion::Refused,
    }
}

/// Properties that differ, in the order of the new ones; where a thing got its identity from does not count.
fn changes(before: &Described, now: &Described) -> Vec<Change> {
    let mut found = Vec::new();
    let null = serde_json::Value::Null;
    for property in now.properties.keys().chain(before.properties.keys().filter(|key| !now.properties.contains_key(*key))) {
        let old = before.properties.get(property).unwrap_or(&null);
        let new = now.properties.get(property).unwrap_or(&null);
        if old != new && property != "uid" && !(property == "id" && now.kind == DescribedKind::Entity) {
            found.push(Change { property: property.clone(), old: old.clone(), new: new.clone() });
        }
    }
    found
}

impl OpKind {
    /// Ops are applied in this order: what others need first, what takes away last.
    fn rank(&self) -> u8 {
        match self {
            OpKind::CreateEntity { .. } => 0,
            OpKind::RestoreEntity { .. } => 1,
            OpKind::RenameEntity { .. } => 2,
            OpKind::ChangeEntity { .. } => 3,
            OpKind::RestoreField { .. } => 4,
            OpKind::CreateField { .. } => 5,
            OpKind::RenameField { .. } => 6,
            OpKind::ChangeField { .. } => 7,
            OpKind::CreateOption { .. } | OpKind::RestoreOption { .. } | OpKind::ChangeOption { .. } | OpKind::RetireOption { .. } => 8,
            OpKind::DropUnique { .. } | OpKind::DropIndex { .. } => 9,
            OpKind::CreateUnique { .. } => 10,
            OpKind::CreateIndex { .. } => 11,
            OpKind::CreatePart { .. } | OpKind::ChangePart { .. } | OpKind::RemovePart { .. } => 12,
            OpKind::RetireField { .. } => 13,
            OpKind::RetireEntity { .. } => 14,
        }
    }

    /// The op in one word and what it is about: `("create", "field")`.
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            OpKind::CreateEntity { .. } => ("create", "entity"),
            OpKind::RetireEntity { .. } => ("retire", "entity"),
            OpKind::RestoreEntity { .. } => ("restore", "entity"),
            OpKind::RenameEntity { .. } => ("rename", "entity"),
            OpKind::ChangeEntity { .. } => ("change", "entity"),
            OpKind::CreateField { .. } => ("create", "field"),
            OpKind::RetireField { .. } => ("retire", "field"),
            OpKind::RestoreField { .. } => ("restore", "field"),
            OpKind::RenameField { .. } => ("rename", "field"),
            OpKind::ChangeField { .. } => ("change", "field"),
            OpKind::CreateOption { .. } => ("create", "option"),
            OpKind::RetireOption { .. } => ("retire", "option"),
            OpKind::RestoreOption { .. } => ("restore", "option"),
            OpKind::ChangeOption { .. } => ("change", "option"),
            OpKind::CreateUnique { .. } => ("create", "unique"),
            OpKind::DropUnique { .. } => ("drop", "unique"),
            OpKind::CreateIndex { .. } => ("create", "index"),
            OpKind::DropIndex { .. } => ("drop", "index"),
            OpKind::CreatePart { part } => ("create", part.word()),
            OpKind::RemovePart { part } => ("remove", part.word()),
            OpKind::ChangePart { part } => ("change", part.word()),
        }
    }
}

impl Part {
    pub fn word(self) -> &'static str {
        match self {
            Part::Approval => "approval",
            Part::Pool => "pool",
            Part::Registration => "registration",
            Part::Automation => "automation",
            Part::Template => "template",
            Part::Survey => "survey",
            Part::Retention => "retention rule",
            Part::Duplicate => "duplicate rule",
            Part::Conversion => "conversion",
            Part::Pipeline => "pipeline",
            Part::Clock => "service clock",
            Part::Calendar => "calendar",
            Part::Rule => "rule",
            Part::View => "view",
            Part::Layout => "layout",
            Part::Button => "button",
            Part::Script => "script",
            Part::Role => "role",
            Part::App => "app",
            Part::Picklist => "picklist",
            Part::Package => "package",
            Part::Settings => "settings",
        }
    }
}
