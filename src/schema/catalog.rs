//! All definitions resolved and checked: immutable, versioned, shared as `Arc<Catalog>`, swapped whole.
//!
//! Everything here is plain data. Names are resolved to indexes (`EntityIx`, `FieldIx`), expressions are
//! parsed and type-checked, physical tables and columns are bound.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::base::{Currency, EntityIx, FieldIx, Labels, Locale, Value};
use crate::expr::Typed;

/// The whole of a workspace's definitions at one version.
#[derive(Debug)]
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
    pub scripts: Vec<Script>,
    pub roles: Vec<Role>,
    /// Sidebar groups in order; entities named by no group come last under their package.
    pub apps: Vec<App>,
    /// What was written for each thing, by uid: the ground of [`super::diff`] and of the schema API.
    pub described: BTreeMap<String, Described>,
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

#[derive(Debug, Clone)]
pub struct Role {
    pub id: String,
    pub label: Labels,
}

/// A kind of record.
#[derive(Debug)]
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
    pub views: Vec<View>,
    pub layouts: Vec<Layout>,
    pub buttons: Vec<Button>,
    /// Scripts on this entity's events in order of priority: positions in [`Catalog::scripts`].
    pub scripts: Vec<usize>,
    /// Stored formulas and rollups of this entity in an order in which each one's inputs come first.
    pub computed_order: Vec<FieldIx>,
    /// Rollups and lookups of *other* entities that read this one.
    pub dependents: Vec<Dependent>,
    /// Physical table (`e_deal`), never renamed.
    pub table: String,
    /// This is the junction of a `links` field.
    pub is_junction: bool,
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

/// A typed attribute.
#[derive(Debug)]
pub struct Field {
    pub ix: FieldIx,
    pub uid: String,
    /// API name.
    pub name: String,
    pub label: Labels,
    pub help: Labels,
    pub ty: FieldType,
    /// Physical columns in part order; none for children, links, multi_select, tags, file, virtual formulas.
    pub columns: Vec<Column>,
    /// Folded shadow column (`name_k`) for texts.
    pub fold_column: Option<String>,
    /// Junction table of multi_select, tags, file and image (`j_deal_segments`), with columns `rec, opt, pos`.
    pub side_table: Option<String>,
    pub is_system: bool,
    pub required: bool,
    pub unique: bool,
    pub indexed: bool,
    /// Goes into the record's search text.
    pub search: bool,
    /// Never settable by a request (computed, auto_number, system).
    pub read_only: bool,
    pub required_if: Option<Typed>,
    pub readonly_if: Option<Typed>,
    /// Display only.
    pub visible_if: Option<Typed>,
    pub default: Option<Default>,
    /// Retired: kept in the table, gone from every door. Never present in `fields`; kept for the plan only.
    pub retired: bool,
    /// Old API name, answered until the alias ends.
    pub alias: Option<String>,
    /// Widget chosen by the definition instead of the type's.
    pub widget: Option<String>,
    pub placeholder: Labels,
}

#[derive(Debug)]
pub enum Default {
    Value(Value),
    /// Evaluated on create (`=today() + 2`).
    Expr(Typed),
}

/// A physical column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Never renamed, always quoted.
    pub name: String,
    pub kind: ColumnKind,
    /// Part of a composite type (`street`, `currency`, …); empty for the value itself.
    pub part: &'static str,
}

/// How a cell is stored: SQLite STRICT type / PostgreSQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// INTEGER / bigint.
    Int,
    /// TEXT / text.
    Text,
    /// INTEGER 0, 1 / boolean.
    Bool,
    /// TEXT `YYYY-MM-DD` / date; the cell is `Int` days.
    Date,
    /// INTEGER microseconds / timestamptz; the cell is `Int` microseconds.
    DateTime,
    /// TEXT / jsonb; the cell is `Text`.
    Json,
}

/// A field's type with its options.
#[derive(Debug)]
pub enum FieldType {
    /// The record's own id.
    Id,
    Text {
        min: Option<u32>,
        max: u32,
        pattern: Option<Pattern>,
    },
    LongText {
        max: u32,
    },
    RichText {
        max: u32,
    },
    Email,
    Phone,
    Url,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Decimal {
        scale: u8,
        min: Option<crate::base::Decimal>,
        max: Option<crate::base::Decimal>,
    },
    Percent {
        scale: u8,
        min: Option<crate::base::Decimal>,
        max: Option<crate::base::Decimal>,
    },
    /// Columns: amount, `currency`, `base`.
    Money {
        scale: u8,
        currency: MoneyCurrency,
        min: Option<crate::base::Decimal>,
        max: Option<crate::base::Decimal>,
    },
    Boolean,
    Date {
        min: Option<crate::base::Date>,
        max: Option<crate::base::Date>,
    },
    DateTime,
    Time,
    /// Seconds.
    Duration {
        min: Option<i64>,
        max: Option<i64>,
    },
    Select(Options),
    MultiSelect {
        options: Options,
        max: Option<u32>,
    },
    Tags {
        max: Option<u32>,
    },
    Link {
        to: EntityIx,
        on_delete: OnDelete,
        inverse: Option<String>,
        filter: Option<Typed>,
    },
    /// Many-to-many through a junction entity with links `near` (here) and `far` (there).
    Links {
        to: EntityIx,
        through: EntityIx,
        near: FieldIx,
        far: FieldIx,
    },
    /// Records of `of` whose link `by` points here.
    Children {
        of: EntityIx,
        by: FieldIx,
    },
    /// One column per target, in order.
    AnyLink {
        to: Vec<EntityIx>,
        on_delete: OnDelete,
    },
    /// A link to `core.user`.
    User {
        to: EntityIx,
        on_delete: OnDelete,
    },
    /// Parts street, street2, city, region, postal_code, country.
    Address,
    /// Parts given, family, middle, prefix, suffix.
    PersonName,
    /// Parts lat, lon (decimal, scale 6).
    Geo,
    Rating {
        max: u8,
    },
    Color,
    Json {
        schema: Option<JsonSchema>,
    },
    /// Columns: formatted text, `seq`.
    AutoNumber {
        format: String,
        reset: Reset,
    },
    Formula {
        returns: ScalarType,
        expr: Typed,
        stored: bool,
    },
    Rollup {
        of: FieldIx,
        aggregate: Typed,
        returns: ScalarType,
        stored: bool,
    },
    /// The value of a field of a linked record; always read through the link.
    Lookup {
        via: FieldIx,
        field: FieldIx,
        returns: ScalarType,
    },
    File {
        max_count: u32,
        max_size_bytes: u64,
        accept: Vec<String>,
    },
    Image {
        max_count: u32,
        max_size_bytes: u64,
    },
}

/// A compiled pattern (linear-time regular expression) and its text.
#[derive(Debug)]
pub struct Pattern {
    pub text: String,
    pub regex: regex::Regex,
}

/// A compiled JSON Schema without resolvers.
pub struct JsonSchema {
    pub text: serde_json::Value,
    pub validator: jsonschema::Validator,
}

impl std::fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonSchema({})", self.text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyCurrency {
    /// Every value is in this currency.
    Fixed(Currency),
    /// Each record says its own.
    Record,
}

/// The type of a computed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarType {
    Text,
    Integer,
    Decimal { scale: u8 },
    Percent { scale: u8 },
    Money { scale: u8 },
    Boolean,
    Date,
    DateTime,
    Time,
    Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    Restrict,
    SetNull,
    Cascade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Never,
    Yearly,
    Monthly,
    Daily,
}

/// The choices of a select.
#[derive(Debug, Clone)]
pub struct Options {
    pub list: Arc<Picklist>,
    pub depends_on: Option<DependsOn>,
}

#[derive(Debug, Clone)]
pub struct Picklist {
    /// Full id of a shared list, empty for options written in the field.
    pub id: String,
    pub options: Vec<SelectOption>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectOption {
    /// Immutable.
    pub key: String,
    pub uid: String,
    pub label: Labels,
    /// One of ten hues, 0 to 9.
    pub hue: u8,
    /// Kept for old records, no longer offered.
    pub retired: bool,
}

/// The options allowed for each value of another select of the record.
#[derive(Debug, Clone)]
pub struct DependsOn {
    pub field: FieldIx,
    pub allow: BTreeMap<String, Vec<String>>,
}

/// A real unique index over live records. Texts count folded.
#[derive(Debug)]
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

#[derive(Debug)]
pub struct Index {
    pub uid: String,
    pub fields: Vec<FieldIx>,
    pub index: String,
}

/// A validation: `assert` must be true.
#[derive(Debug)]
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

/// A saved list.
#[derive(Debug)]
pub struct View {
    pub id: String,
    pub label: Labels,
    pub columns: Vec<FieldIx>,
    /// Source of the filter in the expression language (checked), empty for none.
    pub filter: Option<Typed>,
    pub filter_text: String,
    pub sort: Vec<(FieldIx, bool)>,
}

/// How a record page and form are arranged.
#[derive(Debug)]
pub struct Layout {
    pub id: String,
    pub header: Vec<FieldIx>,
    pub tabs: Vec<Tab>,
}

#[derive(Debug)]
pub struct Tab {
    pub id: String,
    pub label: Labels,
    pub sections: Vec<Section>,
    /// A related list instead of sections: a children or links field with its columns.
    pub related: Option<(FieldIx, Vec<FieldIx>)>,
}

#[derive(Debug)]
pub struct Section {
    pub id: String,
    pub label: Labels,
    /// 1 to 4.
    pub columns: u8,
    pub fields: Vec<LayoutField>,
    pub visible_if: Option<Typed>,
}

#[derive(Debug)]
pub struct LayoutField {
    pub field: FieldIx,
    pub widget: Option<String>,
    pub visible_if: Option<Typed>,
}

/// A custom action that runs a script.
#[derive(Debug)]
pub struct Button {
    pub id: String,
    pub label: Labels,
    pub visible_if: Option<Typed>,
    /// Position in [`Catalog::scripts`].
    pub script: usize,
}

/// A rhai file and when it runs.
#[derive(Debug)]
pub struct Script {
    pub uid: String,
    /// Full id, `crm.check_lines`.
    pub id: String,
    pub package: String,
    /// Path below the definitions folder, for messages.
    pub file: String,
    pub source: String,
    /// None for a schedule.
    pub entity: Option<EntityIx>,
    pub trigger: Trigger,
    /// Runs only when one of these changed; empty means always.
    pub watch: Vec<FieldIx>,
    pub when: Option<Typed>,
    pub priority: i32,
    pub limits: ScriptLimits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    BeforeSave,
    BeforeDelete,
    AfterWrite,
    AfterCommit,
    /// The button's id.
    Button(String),
    /// Five or six cron fields and an IANA zone.
    Schedule {
        cron: String,
        zone: String,
    },
}

/// Zero means the trigger's default of `ENGINE.md` 4e.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScriptLimits {
    pub operations: u64,
    pub wall_ms: u64,
}

impl Catalog {
    pub fn entity(&self, ix: EntityIx) -> &Entity {
        &self.entities[ix.0 as usize]
    }

    /// By slug (`deal`) or full id (`crm.deal`).
    pub fn find_entity(&self, name: &str) -> Option<&Entity> {
        let slug = name.rsplit('.').next().unwrap_or(name);
        let entity = self.entity(*self.by_slug.get(slug)?);
        (slug == name || entity.id == name).then_some(entity)
    }
}

impl Entity {
    pub fn field(&self, ix: FieldIx) -> &Field {
        &self.fields[ix.0 as usize]
    }

    /// By API name or alias.
    pub fn find_field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|ix| self.field(*ix))
    }
}

impl Field {
    /// Has a folded shadow column, or will have one once it is bound.
    pub fn is_foldable(&self) -> bool {
        self.fold_column.is_some() || super::field_type::needs_fold(&self.ty)
    }
}
