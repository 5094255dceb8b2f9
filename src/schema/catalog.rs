//! All definitions resolved and checked: immutable, versioned, shared as `Arc<Catalog>`, swapped whole.
//!
//! Everything here is plain data. Names are resolved to indexes (`EntityIx`, `FieldIx`), expressions are
//! parsed and type-checked, physical tables and columns are bound.

mod approval;
mod automation;
mod clock;
mod conversion;
mod duplicates;
mod entity;
mod field;
mod field_type;
mod page;
mod personal;
mod pipeline;
mod pool;
mod registration;
mod role;
mod script;
mod survey;
mod template;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;

pub use approval::{Approval, ApprovalStep, Need, OnTimeout, Who};
pub use automation::{
    Act, Answered, Audience, Automation, Automations, Choosing, Clock, Given, GivenValue, Language, Received, Recipient, RunAs, Sent,
    Shift, Start, Starts, Step, Taken, TakenFrom,
};
pub use clock::{ClockFields, ClockTarget, ServiceClock};
pub use conversion::{Carry, Conversion, ConversionTarget, CopiedRows, Existing, Mapped, MappedValue, Origin};
pub use duplicates::{DuplicateRule, Likeness, Match};
pub use entity::{Dependent, Entity, Features, Index, Retention, RetentionAction, Rule, Title, TitlePart, Unique, Via};
pub use field::{Column, ColumnKind, Default, Field, FieldClass};
pub use field_type::{
    DependsOn, FieldType, JsonSchema, MoneyCurrency, OnDelete, Options, Pattern, Picklist, Reset, ScalarType, SelectOption,
};
pub use page::{Button, Layout, LayoutField, Press, Section, Tab, View};
pub use pipeline::{Gate, MoveRule, Pipeline, Requirement, Stage, StageTask, TaskFields};
pub use pool::{Activity, Fairness, HandOut, HoldCap, Pool};
pub use registration::Registration;
pub use role::{Actions, Allowed, Grant, Role};
pub use script::{Missed, Script, ScriptLimits, Trigger};
pub use survey::{Question, QuestionKind, Survey, SurveyFields, SurveyPause};
pub use template::Template;

use super::working::WorkCalendar;
use crate::base::{Blind, Currency, EntityIx, Labels, Locale};

/// The whole of a workspace's definitions at one version.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Counts applied plans; 0 before the first apply.
    pub version: i64,
    /// SHA-256 over the normalised definitions, lower-case hex.
    pub digest: String,
    pub settings: Settings,
    /// Packages in dependency order, `core` first.
    pub packages: Vec<Package>,
    pub entities: Vec<Entity>,
    pub by_slug: HashMap<String, EntityIx>,
    /// Id prefix to entity: `deal_…` names its entity.
    pub by_prefix: HashMap<String, EntityIx>,
    /// Shared lists of options, by full id (`crm.industry`).
    pub picklists: BTreeMap<String, Arc<Picklist>>,
    /// When people work, by full id (`service.office`).
    pub calendars: BTreeMap<String, Arc<WorkCalendar>>,
    pub scripts: Vec<Script>,
    pub automations: Automations,
    /// E-mails that steps send.
    pub templates: Vec<Template>,
    pub surveys: Vec<Survey>,
    pub roles: Vec<Role>,
    /// Sidebar groups in order; entities named by no group come last under their package.
    pub apps: Vec<App>,
    /// What was written for each thing, by uid: the ground of [`super::diff`] and of the schema API.
    pub described: BTreeMap<String, Described>,
    /// The key of blind indexes, where the catalog belongs to an open workspace.
    pub blind: Option<Blind>,
    /// Set in the catalog as some roles see it: the whole one it was made of. Positions are the same in both.
    pub whole: Option<Arc<Catalog>>,
}

/// One thing of the definitions as its effective properties (layers merged, references by full id).
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    pub kind: DescribedKind,
    /// Uid of what it belongs to: the entity of a field, the field or picklist of an option.
    pub parent: Option<String>,
    pub name: String,
    pub properties: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DescribedKind {
    Entity,
    Field,
    Option,
    Unique,
    Index,
    Part(super::diff::Part),
}

/// Workspace settings of `relata.yaml`.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: String,
    pub currency: Currency,
    pub locale: Locale,
    /// IANA name and its rules, for `today()` and dates of date-times.
    pub time_zone_name: String,
    pub time_zone: TimeZone,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: u8,
    /// Dated rates to the workspace currency: (currency, from date, rate with nine digits), sorted.
    pub rates: Vec<Rate>,
}

/// One unit of `currency` is worth `rate` units of the workspace currency from `from` on.
#[derive(Debug, Clone)]
pub struct Rate {
    pub currency: Currency,
    pub from: crate::base::Date,
    pub rate: crate::base::Decimal,
}

#[derive(Debug, Clone)]
pub struct Package {
    pub id: String,
    pub version: String,
    pub label: Labels,
    pub description: Labels,
    pub depends: Vec<String>,
    /// Capabilities the package asks for (`http: [host]`, …), as written.
    pub capabilities: serde_json::Value,
}

#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub label: Labels,
    pub entities: Vec<EntityIx>,
}

impl Catalog {
    /// The catalog with everything in it, whoever sees only a part.
    pub fn whole(self: &Arc<Self>) -> Arc<Self> {
        self.whole.clone().unwrap_or_else(|| self.clone())
    }

    /// The entities that may be known of.
    pub fn known_entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| entity.may.is_any())
    }

    pub fn entity(&self, ix: EntityIx) -> &Entity {
        &self.entities[ix.0 as usize]
    }

    /// By slug (`deal`) or full id (`crm.deal`).
    pub fn find_entity(&self, name: &str) -> Option<&Entity> {
        let Some((_, short)) = name.rsplit_once('.') else { return self.by_slug.get(name).map(|ix| self.entity(*ix)) };
        // The short name is the last part of the id, unless it was given another.
        let usual = self.by_slug.get(short).map(|ix| self.entity(*ix)).filter(|entity| entity.id == name);
        usual.or_else(|| self.entities.iter().find(|entity| entity.id == name))
    }

    /// [`Catalog::find_entity`] as a package names it: its own entities and those of packages it depends on come before
    /// others of the same short name.
    pub fn find_entity_in(&self, package: &str, name: &str) -> Option<&Entity> {
        let by_slug = self.find_entity(name);
        if name.contains('.') || by_slug.is_some_and(|entity| entity.package == package) {
            return by_slug;
        }
        let short = |entity: &&Entity| entity.id.rsplit_once('.').is_some_and(|(_, short)| short == name);
        let own = self.entities.iter().find(|entity| entity.package == package && short(entity));
        let seen = |entity: &Entity| self.sees(package, &entity.package, 0);
        own.or_else(|| by_slug.filter(|entity| seen(entity)))
            .or_else(|| self.entities.iter().find(|entity| short(entity) && seen(entity)))
            .or(by_slug)
    }

    /// Whether a package depends on another, directly or not.
    fn sees(&self, package: &str, other: &str, level: usize) -> bool {
        let Some(found) = self.packages.iter().find(|known| known.id == package) else { return true };
        other == "core" || found.depends.iter().any(|on| on == other || (level < self.packages.len() && self.sees(on, other, level + 1)))
    }
}
