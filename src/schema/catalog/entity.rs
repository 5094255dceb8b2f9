//! A kind of record and what holds for all its records.

use std::collections::HashMap;

use super::{Actions, Approval, Button, Conversion, DuplicateRule, Field, Layout, Pipeline, Pool, Registration, ServiceClock, View};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// A kind of record.
#[derive(Debug, Clone)]
pub struct Entity {
    pub ix: EntityIx,
    pub uid: String,
    /// Full id, `crm.deal`.
    pub id: String,
    /// Short id, unique in the workspace: URLs and expressions say `deal`.
    pub slug: String,
    /// Id prefix, fixed at the first apply.
    pub prefix: String,
    pub package: String,
    pub label: Labels,
    pub label_plural: Labels,
    pub description: Labels,
    /// Name of an icon of the sprite.
    pub icon: String,
    pub title: Title,
    pub features: Features,
    /// PATCH and DELETE without If-Match are answered 428.
    pub requires_if_match: bool,
    /// In declared order; system fields (`id`, `version`, `created_at`, …) first.
    pub fields: Vec<Field>,
    pub by_name: HashMap<String, FieldIx>,
    /// All of them: also those of `unique: true` in a field.
    pub uniques: Vec<Unique>,
    /// All of them: also those of `index: true` in a field, of links and of users (uniques apart).
    pub indexes: Vec<Index>,
    pub rules: Vec<Rule>,
    pub retention: Vec<Retention>,
    pub approvals: Vec<Approval>,
    /// In order: a record belongs to the first whose condition holds.
    pub pools: Vec<Pool>,
    /// Claims that can be filed on its records.
    pub registrations: Vec<Registration>,
    /// Which of its records are taken for the same.
    pub duplicates: Vec<DuplicateRule>,
    pub pipelines: Vec<Pipeline>,
    /// What its records may become.
    pub conversions: Vec<Conversion>,
    pub clocks: Vec<ServiceClock>,
    pub views: Vec<View>,
    pub layouts: Vec<Layout>,
    pub buttons: Vec<Button>,
    /// Scripts on this entity's events in order of priority: positions in [`super::Catalog::scripts`].
    pub scripts: Vec<usize>,
    /// Stored formulas and rollups of this entity, and the fields of its clocks, in an order in which each one's inputs come first.
    pub computed_order: Vec<FieldIx>,
    /// Rollups and lookups of *other* entities that read this one.
    pub dependents: Vec<Dependent>,
    /// Physical table (`e_deal`), never renamed.
    pub table: String,
    /// This is the junction of a `links` field.
    pub is_junction: bool,
    /// Made by the engine: the junction of a `links` field without `through`. Nobody is granted it by name.
    pub is_made: bool,
    /// What may be done with its records; everything but in a catalog as some roles see it.
    pub may: Actions,
}

/// A rollup or lookup elsewhere that must be computed anew when a record of this entity changes.
#[derive(Debug, Clone)]
pub struct Dependent {
    /// The entity that owns the computed field.
    pub entity: EntityIx,
    pub field: FieldIx,
    /// The link of *this* entity that leads to the owner (rollup over children), or the link of the owner
    /// that leads here (lookup).
    pub via: Via,
    /// Fields of this entity the value reads; a change of others does not matter.
    pub reads: Vec<FieldIx>,
}

#[derive(Debug, Clone, Copy)]
pub enum Via {
    /// This entity's link field points to the owner.
    ChildLink(FieldIx),
    /// The owner's link field points here.
    ParentLink(FieldIx),
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Features {
    /// Has an `owner` (a user).
    pub owner: bool,
    pub history: bool,
    pub soft_delete: bool,
    /// Offered in global search.
    pub search: bool,
}

/// A record's title: literal text and fields of the record, `{number} · {name}`.
#[derive(Debug, Clone)]
pub struct Title {
    pub parts: Vec<TitlePart>,
}

#[derive(Debug, Clone)]
pub enum TitlePart {
    Text(String),
    Field(FieldIx),
}

/// A real unique index over live records. Texts count folded.
#[derive(Debug, Clone)]
pub struct Unique {
    pub uid: String,
    pub name: String,
    pub fields: Vec<FieldIx>,
    /// Besides `deleted_at is null`, which always holds.
    pub filter: Option<Typed>,
    pub message: Labels,
    /// Physical index name.
    pub index: String,
}

#[derive(Debug, Clone)]
pub struct Index {
    pub uid: String,
    pub fields: Vec<FieldIx>,
    pub index: String,
}

/// A validation: `assert` must be true.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    pub assert: Typed,
    /// Checked only where this holds.
    pub when: Option<Typed>,
    /// The field the message stands at.
    pub at: Option<FieldIx>,
    pub code: String,
    pub message: Labels,
}

/// How long records are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    pub id: String,
    /// Which records it concerns; of those to be erased only such as still have a personal value.
    pub when: Typed,
    /// A date or date-time.
    pub since: FieldIx,
    pub days: u32,
    pub action: RetentionAction,
}

/// What becomes of a record that was kept for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionAction {
    Erase,
    Delete,
}

impl Entity {
    pub fn field(&self, ix: FieldIx) -> &Field {
        &self.fields[ix.0 as usize]
    }

    /// Whether records may be shared one by one. People and teams are changed by administrators alone, and the rows between
    /// two records go with the one that lists the others.
    pub fn is_shareable(&self) -> bool {
        !self.is_junction && !matches!(self.id.as_str(), "core.user" | "core.team")
    }

    /// Whether its records can be merged. People and teams decide who may what, rows between two records belong to them, and
    /// what has no recycle bin could not be brought back.
    pub fn is_mergeable(&self) -> bool {
        !self.is_junction && self.features.soft_delete && !matches!(self.id.as_str(), "core.user" | "core.team")
    }

    pub fn find_conversion(&self, id: &str) -> Option<&Conversion> {
        self.conversions.iter().find(|conversion| conversion.id == id)
    }

    /// The fields that may be known of.
    pub fn known_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.is_hidden)
    }

    /// The clock that is kept in a field.
    pub fn clock_in(&self, field: FieldIx) -> Option<&ServiceClock> {
        self.clocks.iter().find(|clock| clock.fields.all().contains(&field))
    }

    /// By API name or alias.
    pub fn find_field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|ix| self.field(*ix))
    }
}
