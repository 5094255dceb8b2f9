//! Documents to a catalog, in stages: packages and layers, entities and their fields, links, expressions,
//! parts (rules, views, layouts, scripts), computed order, physical names.

mod approvals;
mod automations;
mod bind;
pub(crate) mod calendars;
mod clocks;
mod conversions;
mod data;
mod describe;
mod drafts;
mod duplicates;
mod ends;
mod entities;
mod expressions;
mod fields;
mod labels;
mod layers;
mod links;
mod options;
mod order;
mod parts;
mod pipelines;
mod pools;
mod registrations;
mod retention;
mod roles;
mod scripts;
mod settings;
mod stage_tasks;
mod surveys;
mod templates;
mod types;
mod uids;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::bindings::Bindings;
use super::catalog::{Catalog, Entity};
use super::diagnostic::Diagnostic;
use super::intake::{self, Document, Intake};
use super::node::Node;
use super::source::Place;
use super::{Loaded, bundle};
use crate::base::EntityIx;
pub(crate) use bind::class;
use drafts::EntityDraft;
pub use labels::humanise;

/// The work in hand: what is known so far, and all faults found.
pub(crate) struct Work<'i> {
    pub intake: &'i Intake,
    pub old: &'i Bindings,
    pub faults: Vec<Diagnostic>,
    pub packages: layers::Packages,
    pub drafts: Vec<EntityDraft>,
    /// Full id to position in `drafts`, which is the entity's `EntityIx`.
    pub by_id: HashMap<String, EntityIx>,
    /// Fields that were written but could not be made: nobody is told that they are unknown.
    pub broken: HashSet<(u32, String)>,
    /// Entities that were written but could not be taken (their short name is taken): likewise.
    pub refused: HashSet<String>,
    pub places: BTreeMap<String, Place>,
    pub catalog: Catalog,
}

/// Runs all stages.
pub(crate) fn resolve(intake: &Intake, old: &Bindings) -> Result<Loaded, Vec<Diagnostic>> {
    let mut work = Work {
        intake,
        old,
        faults: intake.faults.clone(),
        packages: layers::Packages::default(),
        drafts: Vec::new(),
        by_id: HashMap::new(),
        broken: HashSet::new(),
        refused: HashSet::new(),
        places: BTreeMap::new(),
        catalog: settings::empty_catalog(),
    };
    settings::read(&mut work);
    layers::packages(&mut work);
    drafts::entities(&mut work);
    links::complete(&mut work);
    clocks::complete(&mut work);
    surveys::complete(&mut work);
    uids::assign(&mut work);
    entities::build(&mut work);
    fields::finish(&mut work);
    expressions::compile(&mut work);
    scripts::build(&mut work);
    calendars::build(&mut work);
    parts::build(&mut work);
    labels::translate(&mut work);
    order::compute(&mut work);
    templates::build(&mut work);
    surveys::build(&mut work);
    automations::build(&mut work);
    roles::build(&mut work);
    let data = data::read(&mut work);
    let bindings = bind::bind(&mut work);
    describe::describe(&mut work);

    let Work { faults, mut catalog, places, .. } = work;
    let faults = intake::finish(faults, &intake.texts);
    if faults.iter().any(Diagnostic::is_error) {
        return Err(faults);
    }
    let bundle = bundle::make(intake);
    let digest = bundle::digest(&bundle);
    catalog.digest = digest.clone();
    Ok(Loaded {
        catalog,
        bindings,
        warnings: faults,
        bundle,
        digest,
        places,
        data,
        tests: intake.tests.clone(),
        texts: intake.texts.clone(),
    })
}

/// A document that belongs to an entity.
struct Declared<'d> {
    /// With its package.
    id: String,
    package: String,
    name: &'d str,
    id_node: &'d Node,
    entity: EntityIx,
}

impl Work<'_> {
    pub fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    pub fn entity(&self, ix: EntityIx) -> &Entity {
        self.catalog.entity(ix)
    }

    pub fn entity_mut(&mut self, ix: EntityIx) -> &mut Entity {
        &mut self.catalog.entities[ix.0 as usize]
    }

    pub fn draft(&self, ix: EntityIx) -> &EntityDraft {
        &self.drafts[ix.0 as usize]
    }

    pub fn all(&self) -> impl Iterator<Item = EntityIx> + use<> {
        (0..u32::try_from(self.drafts.len()).unwrap_or(0)).map(EntityIx)
    }

    /// The place of a byte range inside a text.
    pub fn inside(&self, node: &Node, range: std::ops::Range<usize>) -> Place {
        match self.intake.texts.get(node.place.file.as_ref()) {
            Some(text) => node.place_inside(text, range),
            None => node.place.clone(),
        }
    }

    /// The id, package and entity of a document that belongs to one; a second one of the same id is told.
    fn declared<'d>(&mut self, document: &'d Document, seen: &mut BTreeMap<String, Place>) -> Option<Declared<'d>> {
        let package = document.package.clone().unwrap_or_else(|| layers::SITE.to_owned());
        let (id_node, target) = (document.node.get("id")?, document.node.get("for")?);
        let name = id_node.as_text()?;
        let id = format!("{package}.{name}");
        if let Some(first) = seen.get(&id) {
            let fault = Diagnostic::error("DEF201", &id_node.place, format!("the {} `{id}` is defined twice", document.kind.name))
                .label(first, "first here")
                .hint("give one of the two another id");
            self.fault(fault);
            return None;
        }
        seen.insert(id.clone(), id_node.place.clone());
        let entity = self.find_entity(target, &package)?;
        Some(Declared { id, package, name, id_node, entity })
    }

    /// The entity a text names, seen from a package; the fault says what is wrong.
    pub fn find_entity(&mut self, node: &Node, package: &str) -> Option<EntityIx> {
        let name = node.as_text()?;
        match self.lookup_entity(name, package) {
            Some(ix) => {
                let target = self.draft(ix).package.clone();
                if !self.packages.sees(package, &target) {
                    let fault = Diagnostic::error("DEF214", &node.place, format!("package `{package}` does not depend on `{target}`"))
                        .hint(format!("add `{target}` to `depends` in the package.yaml of `{package}`"));
                    self.fault(fault);
                }
                Some(ix)
            }
            None => {
                let is_refused = self.refused.contains(name) || self.refused.contains(&format!("{package}.{name}"));
                if !self.intake.incomplete && !is_refused {
                    let known: Vec<String> = self.drafts.iter().filter(|draft| !draft.is_made).map(|draft| draft.id.clone()).collect();
                    let near = nearest_entity(name, &known);
                    let fault = Diagnostic::error("DEF206", &node.place, format!("unknown entity `{name}`"))
                        .near(near)
                        .hint(format!("entities: {}", known.iter().take(20).cloned().collect::<Vec<_>>().join(", ")));
                    self.fault(fault);
                }
                None
            }
        }
    }

    pub fn lookup_entity(&self, name: &str, package: &str) -> Option<EntityIx> {
        if name.contains('.') {
            return self.by_id.get(name).copied();
        }
        if let Some(ix) = self.by_id.get(&format!("{package}.{name}")) {
            return Some(*ix);
        }
        // Packages name what they know: an entity they depend on comes before one of the same short name elsewhere.
        let sees = |ix: &EntityIx| self.packages.sees(package, &self.draft(*ix).package);
        let by_slug = self.all().find(|ix| self.draft(*ix).slug == name);
        by_slug.filter(sees).or_else(|| self.all().find(|ix| sees(ix) && self.draft(*ix).short() == name)).or(by_slug)
    }

    /// The field of an entity a text names, by name or alias; the fault says what is wrong.
    pub fn find_field(&mut self, node: &Node, name: &str, entity: EntityIx) -> Option<crate::base::FieldIx> {
        if let Some(ix) = self.entity(entity).by_name.get(name) {
            return Some(*ix);
        }
        if self.intake.unread || self.broken.contains(&(entity.0, name.to_owned())) {
            return None;
        }
        let found = self.entity(entity);
        let names: Vec<&str> = found.fields.iter().map(|field| field.name.as_str()).collect();
        let own: Vec<&str> = found.fields.iter().filter(|field| !field.is_system).map(|field| field.name.as_str()).collect();
        let fault = Diagnostic::error("DEF207", &node.place, format!("`{}` has no field `{name}`", found.id))
            .near(super::diagnostic::nearest(name, names))
            .hint(format!("fields: {}", own.iter().take(30).copied().collect::<Vec<_>>().join(", ")));
        self.fault(fault);
        None
    }
}

/// The entity that was probably meant: near as a full id or by its short name.
fn nearest_entity(name: &str, known: &[String]) -> Option<String> {
    let ids = known.iter().map(String::as_str);
    super::diagnostic::nearest(name, ids.clone()).or_else(|| {
        let short = name.rsplit('.').next().unwrap_or(name);
        let same = ids.clone().find(|id| id.rsplit('.').next() == Some(short) && *id != name).map(str::to_owned);
        same.or_else(|| {
            let slug = super::diagnostic::nearest(short, ids.clone().map(|id| id.rsplit('.').next().unwrap_or(id)))?;
            ids.into_iter().find(|id| id.rsplit('.').next() == Some(slug.as_str())).map(str::to_owned)
        })
    })
}
