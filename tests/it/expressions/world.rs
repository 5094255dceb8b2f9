//! Three tables with hand-made records, in memory and as SQL, for the agreement test.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use relata::base::decimal::Decimal;
use relata::base::text::fold;
use relata::base::{Cell, Currency, Date, DateTime, EntityIx, FieldIx, Labels, Locale, Money, RecordId, SeededRandom, Time, Value};
use relata::expr::{EvalContext, Expected, Hop, Over, Path, Root, Row, Rows as ManyRows, Type, Zone, eval};
use relata::schema::CatalogScope;
use relata::schema::catalog::{
    Catalog, Column, ColumnKind, Entity, Features, Field, FieldType, MoneyCurrency, OnDelete, Options, Picklist, ScalarType, SelectOption,
    Settings, Title,
};
use relata::store::{Dialect, Statement};

use super::Dice;

pub const THING: EntityIx = EntityIx(0);
pub const ORG: EntityIx = EntityIx(1);
pub const LINE: EntityIx = EntityIx(2);
pub const MEMBER: EntityIx = EntityIx(3);
pub const USER: EntityIx = EntityIx(4);

/// One record: its values by field, and whether it is in the recycle bin.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: i64,
    pub is_deleted: bool,
    pub values: Vec<Value>,
}

/// All records by entity.
pub struct World {
    pub catalog: Catalog,
    pub records: HashMap<EntityIx, Vec<Record>>,
}

pub fn select(keys: &[&str]) -> FieldType {
    let option =
        |key: &&str| SelectOption { key: (*key).to_owned(), uid: (*key).to_owned(), label: Labels::plain(*key), hue: 0, retired: false };
    FieldType::Select(Options {
        list: Arc::new(Picklist { id: String::new(), options: keys.iter().map(option).collect() }),
        depends_on: None,
    })
}

fn field(ix: usize, name: &str, ty: FieldType) -> Field {
    let column =
        |part: &'static str, kind| Column { name: if part.is_empty() { name.to_owned() } else { format!("{name}__{part}") }, kind, part };
    let columns = match &ty {
        FieldType::Money { .. } => {
            vec![column("", ColumnKind::Int), column("currency", ColumnKind::Text), column("base", ColumnKind::Int)]
        }
        FieldType::Tags { .. }
        | FieldType::Children { .. }
        | FieldType::Links { .. }
        | FieldType::Formula { .. }
        | FieldType::Lookup { .. }
        | FieldType::Rollup { .. } => Vec::new(),
        FieldType::Text { .. } | FieldType::Select(_) => vec![column("", ColumnKind::Text)],
        FieldType::Address => vec![column("street", ColumnKind::Text), column("city", ColumnKind::Text)],
        FieldType::Boolean => vec![column("", ColumnKind::Bool)],
        FieldType::Date { .. } => vec![column("", ColumnKind::Date)],
        FieldType::DateTime => vec![column("", ColumnKind::DateTime)],
        _ => vec![column("", ColumnKind::Int)],
    };
    let is_text = matches!(ty, FieldType::Text { .. });
    let is_set = matches!(ty, FieldType::Tags { .. });
    Field {
        ix: FieldIx(u32::try_from(ix).unwrap()),
        uid: name.to_owned(),
        name: name.to_owned(),
        label: Labels::plain(name),
        help: Labels::default(),
        columns,
        fold_column: is_text.then(|| format!("{name}_k")),
        side_table: is_set.then(|| format!("j_thing_{name}")),
        is_system: matches!(ty, FieldType::Id) || name == "deleted_at",
        required: false,
        unique: false,
        indexed: false,
        search: false,
        read_only: false,
        required_if: None,
        readonly_if: None,
        visible_if: None,
        default: None,
        retired: false,
        alias: None,
        widget: None,
        placeholder: Labels::default(),
        exposes: false,
        is_hidden: false,
        is_locked: false,
        class: None,
        encrypted: false,
        ty,
    }
}

pub fn text() -> FieldType {
    FieldType::Text { min: None, max: 200, pattern: None }
}

pub fn integer() -> FieldType {
    FieldType::Integer { min: None, max: None }
}

pub fn decimal(scale: u8) -> FieldType {
    FieldType::Decimal { scale, min: None, max: None }
}

pub fn money(scale: u8) -> FieldType {
    FieldType::Money { scale, currency: MoneyCurrency::Record, min: None, max: None }
}

pub fn link(to: EntityIx) -> FieldType {
    FieldType::Link { to, on_delete: OnDelete::SetNull, inverse: None, filter: None }
}

pub fn entity(ix: EntityIx, slug: &str, fields: Vec<(&str, FieldType)>) -> Entity {
    let mut fields: Vec<(&str, FieldType)> = fields;
    fields.insert(0, ("id", FieldType::Id));
    fields.insert(1, ("deleted_at", FieldType::DateTime));
    let fields: Vec<Field> = fields.into_iter().enumerate().map(|(ix, (name, ty))| field(ix, name, ty)).collect();
    Entity {
        ix,
        uid: slug.to_owned(),
        id: if slug == "user" { "core.user".to_owned() } else { format!("test.{slug}") },
        slug: slug.to_owned(),
        prefix: slug.to_owned(),
        package: "test".to_owned(),
        label: Labels::plain(slug),
        label_plural: Labels::plain(slug),
        description: Labels::default(),
        icon: String::new(),
        title: Title { parts: Vec::new() },
        features: Features { soft_delete: true, ..Features::default() },
        requires_if_match: false,
        by_name: fields.iter().map(|field| (field.name.clone(), field.ix)).collect(),
        fields,
        uniques: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        views: Vec::new(),
        layouts: Vec::new(),
        buttons: Vec::new(),
        duplicates: Vec::new(),
        retention: Vec::new(),
        approvals: Vec::new(),
        pools: Vec::new(),
        registrations: Vec::new(),
        pipelines: Vec::new(),
        conversions: Vec::new(),
        clocks: Vec::new(),
        scripts: Vec::new(),
        computed_order: Vec::new(),
        dependents: Vec::new(),
        table: format!("e_{slug}"),
        is_made: false,
        may: relata::schema::catalog::Actions::ALL,
        is_junction: ix == MEMBER,
    }
}

/// The definitions of the world.
pub fn catalog() -> Catalog {
    // `id` and `deleted_at` come first, so named fields start at 2.
    let entities = vec![
        entity(
            THING,
            "thing",
            vec![
                ("i1", integer()),
                ("i2", integer()),
                ("d2", decimal(2)),
                ("d9", decimal(9)),
                ("t1", text()),
                ("t2", text()),
                ("stage", select(&["new", "won", "lost"])),
                ("b", FieldType::Boolean),
                ("day", FieldType::Date { min: None, max: None }),
                ("due", FieldType::Date { min: None, max: None }),
                ("at", FieldType::DateTime),
                ("ends", FieldType::DateTime),
                ("clock", FieldType::Time),
                ("dur", FieldType::Duration { min: None, max: None }),
                ("m1", money(2)),
                ("m2", money(4)),
                ("org", link(ORG)),
                ("owner", link(USER)),
                ("marks", FieldType::Tags { max: None }),
                ("lines", FieldType::Children { of: LINE, by: FieldIx(2) }),
                // Virtual: they are compiled once the rest of the catalog is there.
                ("length_plus", FieldType::Boolean),
                ("doubled", FieldType::Boolean),
                ("pieces", FieldType::Boolean),
                ("org_name", FieldType::Lookup { via: FieldIx(18), field: FieldIx(2), returns: ScalarType::Text }),
                ("orgs", FieldType::Links { to: ORG, through: MEMBER, near: FieldIx(2), far: FieldIx(3) }),
            ],
        ),
        entity(
            ORG,
            "org",
            vec![
                ("name", text()),
                ("score", integer()),
                ("opened", FieldType::Date { min: None, max: None }),
                ("worth", money(2)),
                ("parent", link(ORG)),
            ],
        ),
        entity(
            LINE,
            "line",
            vec![
                ("thing", link(THING)),
                ("qty", integer()),
                ("price", decimal(2)),
                ("total", money(2)),
                ("note", text()),
                ("done", FieldType::Boolean),
                ("at", FieldType::DateTime),
            ],
        ),
        entity(MEMBER, "member", vec![("thing", link(THING)), ("org", link(ORG)), ("role", text())]),
        entity(USER, "user", vec![("name", text())]),
    ];
    let mut catalog = catalog_of(entities);
    let org_link = catalog.entity(THING).find_field("org").map(|field| field.ix);
    assert_eq!(org_link, Some(FieldIx(18)), "the lookup goes over `org`");
    let formula = |catalog: &Catalog, text: &str, ty: Type, returns| {
        let expr = relata::expr::compile(text, &CatalogScope::new(catalog), THING, &Expected::Value(ty)).unwrap();
        FieldType::Formula { returns, expr, stored: false }
    };
    let length_plus = formula(&catalog, "i1 + length(t1)", Type::Int, ScalarType::Integer);
    let doubled = formula(&catalog, "m1 * 2", Type::Money(2), ScalarType::Money { scale: 2 });
    let lines = catalog.entity(THING).find_field("lines").unwrap().ix;
    let aggregate =
        relata::expr::compile_rollup("sum(qty where done)", &CatalogScope::new(&catalog), THING, "lines", &Expected::Value(Type::Int))
            .unwrap();
    let pieces = FieldType::Rollup { of: lines, aggregate, returns: ScalarType::Integer, stored: false };
    for (name, ty) in [("length_plus", length_plus), ("doubled", doubled), ("pieces", pieces)] {
        let field = catalog.entities[0].fields.iter_mut().find(|field| field.name == name).unwrap();
        field.columns.clear();
        field.ty = ty;
    }
    catalog
}

/// A catalog of these entities and nothing else.
pub fn catalog_of(entities: Vec<Entity>) -> Catalog {
    Catalog {
        version: 1,
        digest: String::new(),
        settings: Settings {
            name: String::new(),
            currency: Currency::parse("CNY").unwrap(),
            locale: Locale::En,
            time_zone_name: "UTC".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
            fiscal_year_start: 1,
            rates: Vec::new(),
        },
        packages: Vec::new(),
        by_slug: entities.iter().map(|entity| (entity.slug.clone(), entity.ix)).collect(),
        by_prefix: entities.iter().map(|entity| (entity.prefix.clone(), entity.ix)).collect(),
        entities,
        picklists: BTreeMap::new(),
        calendars: BTreeMap::new(),
        scripts: Vec::new(),
        automations: std::default::Default::default(),
        templates: Vec::new(),
        surveys: Vec::new(),
        roles: Vec::new(),
        apps: Vec::new(),
        described: BTreeMap::new(),
        blind: None,
        whole: None,
    }
}

const INTS: [i64; 12] = [0, 1, -1, 2, 7, -13, 100, 86_399, 1_000_000_007, i64::MAX, i64::MIN, i64::MAX / 2 + 1];
const TEXTS: [&str; 16] = [
    "",
    "a",
    "Abc",
    "abcabc",
    "ÄÖÜ straße",
    "İstanbul",
    "客户关系",
    "Ａｂｃ１",
    " padded\u{3000}",
    "100%_off\\",
    "naïve café",
    "ǅ",
    "𝒳𠀀",
    "z",
    "O'Brien",
    "ßẞ",
];
/// Around changes of clocks in New York, St. John's, Apia and Lord Howe; the far past; after 2500.
const MOMENTS: [&str; 16] = [
    "2026-03-08T06:59:59.999999Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T05:30:00Z",
    "2026-11-01T06:30:00Z",
    "2007-11-04T02:30:30Z",
    "2011-12-30T09:59:59Z",
    "2011-12-30T10:00:00Z",
    "2026-04-04T14:59:59Z",
    "1883-11-18T17:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-30T21:59:59.999999Z",
    "2600-07-04T04:00:00Z",
    "2500-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2026-11-21T15:59:59.5Z",
    "1969-12-31T23:59:59.000001Z",
];
const DATES: [&str; 10] = [
    "2026-11-21",
    "2024-02-29",
    "2023-02-28",
    "0001-01-01",
    "9999-12-31",
    "1970-01-01",
    "2026-01-31",
    "1600-12-31",
    "2026-03-08",
    "2026-12-28",
];

fn currency(dice: &mut Dice) -> Currency {
    Currency::parse(["CNY", "CNY", "USD", "JPY"][dice.below(4) as usize]).unwrap()
}

/// A random value of a field.
fn random(ty: &FieldType, dice: &mut Dice) -> Value {
    if dice.chance(18) {
        return match ty {
            FieldType::Tags { .. } => Value::List(Vec::new()),
            _ => Value::Null,
        };
    }
    let int = |dice: &mut Dice| if dice.chance(50) { *dice.pick(&INTS) } else { i64::from(dice.below(2000)) - 1000 };
    match ty {
        FieldType::Integer { .. } => Value::Int(int(dice)),
        FieldType::Duration { .. } => {
            Value::Int(if dice.chance(20) { *dice.pick(&INTS) } else { i64::from(dice.below(400_000)) - 200_000 })
        }
        FieldType::Decimal { scale, .. } => Value::Decimal(Decimal::new(int(dice), *scale)),
        FieldType::Money { scale, .. } => {
            let base = dice.chance(75).then(|| Decimal::new(int(dice), *scale));
            Value::Money(Money { amount: Decimal::new(int(dice), *scale), currency: currency(dice), base })
        }
        FieldType::Text { .. } => Value::from(*dice.pick(&TEXTS)),
        FieldType::Select(_) => Value::from(*dice.pick(&["new", "won", "lost"])),
        FieldType::Boolean => Value::Bool(dice.chance(50)),
        FieldType::Date { .. } => Value::Date(Date::parse(DATES[dice.below(10) as usize]).unwrap()),
        FieldType::DateTime => Value::DateTime(DateTime::parse(MOMENTS[dice.below(16) as usize]).unwrap()),
        FieldType::Time => Value::Time(Time(dice.below(86_400))),
        FieldType::Link { to, .. } => Value::Link(RecordId(id(*to, i64::from(dice.below(7)) + 1))),
        FieldType::Tags { .. } => {
            let keys = ["red", "green", "蓝"].into_iter().filter(|_| dice.chance(50)).map(Value::from);
            Value::List(keys.collect())
        }
        _ => Value::Null,
    }
}

/// Ids of different entities never meet.
pub fn id(entity: EntityIx, number: i64) -> i64 {
    i64::from(entity.0) * 1_000 + number
}

impl World {
    pub fn new(seed: u64, things: i64) -> Self {
        let catalog = catalog();
        let mut dice = Dice(SeededRandom::new(seed));
        let mut records = HashMap::new();
        for (entity, count) in [(ORG, 6), (THING, things), (LINE, things * 4), (MEMBER, things * 3), (USER, 2)] {
            let made: Vec<Record> = (1..=count)
                .map(|number| {
                    let mut values: Vec<Value> = catalog.entity(entity).fields.iter().map(|field| random(&field.ty, &mut dice)).collect();
                    let own = id(entity, number);
                    // Things stay live: they are the records the expressions are about.
                    let is_deleted = entity != THING && dice.chance(20);
                    values[0] = Value::Link(RecordId(own));
                    values[1] = if is_deleted { Value::DateTime(DateTime(0)) } else { Value::Null };
                    if matches!(entity, LINE | MEMBER) {
                        values[2] = Value::Link(RecordId(id(THING, i64::from(dice.below(u32::try_from(things).unwrap())) + 1)));
                    }
                    Record { id: own, is_deleted, values }
                })
                .collect();
            records.insert(entity, made);
        }
        Self { catalog, records }
    }

    fn live(&self, entity: EntityIx, id: RecordId) -> Option<RecordRow<'_>> {
        let record = self.records[&entity].iter().find(|record| record.id == id.0 && !record.is_deleted)?;
        Some(RecordRow { world: self, record })
    }

    /// Tables and rows as statements.
    pub fn statements(&self, dialect: Dialect) -> Vec<Statement> {
        let mut all = Vec::new();
        let plain = |sql: String| Statement { sql: sql.into(), binds: Vec::new(), columns: Arc::from([]) };
        for entity in &self.catalog.entities {
            let mut columns = String::new();
            for field in &entity.fields {
                for column in &field.columns {
                    let _ = write!(columns, "\"{}\" {}, ", column.name, dialect.column_type(column.kind));
                }
                if let Some(folded) = &field.fold_column {
                    let _ = write!(columns, "\"{folded}\" {}, ", dialect.column_type(ColumnKind::Text));
                }
            }
            let strict = if dialect == Dialect::Sqlite { " STRICT" } else { "" };
            all.push(plain(format!("CREATE TABLE \"{}\" ({}){strict}", entity.table, columns.trim_end_matches(", "))));
        }
        all.push(plain(format!(
            "CREATE TABLE \"j_thing_marks\" (\"rec\" {0}, \"opt\" {1}, \"pos\" {0})",
            dialect.column_type(ColumnKind::Int),
            dialect.column_type(ColumnKind::Text)
        )));
        for entity in &self.catalog.entities {
            for record in &self.records[&entity.ix] {
                all.extend(insert(entity, record, dialect));
            }
        }
        all
    }
}

fn placeholders(count: usize, dialect: Dialect) -> String {
    (1..=count).map(|number| if dialect == Dialect::Sqlite { "?".to_owned() } else { format!("${number}") }).collect::<Vec<_>>().join(", ")
}

fn insert(entity: &Entity, record: &Record, dialect: Dialect) -> Vec<Statement> {
    let mut names = Vec::new();
    let mut binds = Vec::new();
    let mut all = Vec::new();
    for field in &entity.fields {
        let value = &record.values[field.ix.0 as usize];
        for column in &field.columns {
            names.push(format!("\"{}\"", column.name));
            binds.push((column.kind, cell(value, column.part)));
        }
        if let Some(folded) = &field.fold_column {
            names.push(format!("\"{folded}\""));
            binds.push((ColumnKind::Text, value.as_text().map(fold).into()));
        }
        if let Value::List(items) = value {
            for (position, item) in items.iter().enumerate() {
                let sql = format!("INSERT INTO \"j_thing_marks\" (\"rec\", \"opt\", \"pos\") VALUES ({})", placeholders(3, dialect));
                let cells = [
                    (ColumnKind::Int, Cell::Int(record.id)),
                    (ColumnKind::Text, item.as_text().into()),
                    (ColumnKind::Int, Cell::Int(position as i64)),
                ];
                all.push(Statement { sql: sql.into(), binds: cells.to_vec(), columns: Arc::from([]) });
            }
        }
    }
    let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({})", entity.table, names.join(", "), placeholders(names.len(), dialect));
    all.push(Statement { sql: sql.into(), binds, columns: Arc::from([]) });
    all
}

/// What a column holds of a value.
pub fn cell(value: &Value, part: &str) -> Cell {
    match value {
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Int(number) => Cell::Int(*number),
        Value::Decimal(number) => Cell::Int(number.units),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Date(date) => Cell::Int(i64::from(date.0)),
        Value::DateTime(at) => Cell::Int(at.0),
        Value::Time(time) => Cell::Int(i64::from(time.0)),
        Value::Link(id) => Cell::Int(id.0),
        Value::Money(money) => match part {
            "currency" => Cell::Text(money.currency.code().to_owned()),
            "base" => money.base.map(|base| base.units).into(),
            _ => Cell::Int(money.amount.units),
        },
        _ => Cell::Null,
    }
}

/// A record in memory, with the world around it.
#[derive(Clone, Copy)]
pub struct RecordRow<'a> {
    pub world: &'a World,
    pub record: &'a Record,
}

impl<'a> RecordRow<'a> {
    /// Ids of different entities never meet, so the record's id tells.
    fn entity(&self) -> EntityIx {
        let entities = self.world.records.iter();
        entities
            .filter(|(_, records)| records.iter().any(|record| std::ptr::eq(record, self.record)))
            .map(|(entity, _)| *entity)
            .next()
            .unwrap()
    }

    fn follow(self, hops: &[relata::expr::Hop]) -> Option<RecordRow<'a>> {
        hops.iter().try_fold(self, |row, hop| {
            let id = row.record.values[hop.field.0 as usize].as_link()?;
            row.world.live(hop.to, id)
        })
    }
}

impl Row for RecordRow<'_> {
    fn value(&self, path: &Path) -> Value {
        let Some(row) = self.follow(&path.hops) else { return Value::Null };
        let entity = path.hops.last().map_or(self.entity(), |hop| hop.to);
        // Virtual fields are computed from the record at the end of the path, as `record` does.
        let context = EvalContext { now: DateTime(0), zone: Zone::utc(), me: None, old: None };
        match &self.world.catalog.entity(entity).field(path.field).ty {
            FieldType::Formula { expr: typed, .. } | FieldType::Rollup { aggregate: typed, .. } => eval(typed, &row, &context),
            FieldType::Lookup { via, field, .. } => {
                let hops = vec![Hop { field: *via, to: ORG }];
                row.value(&Path { root: Root::Record, hops, field: *field, part: None })
            }
            _ => row.record.values[path.field.0 as usize].clone(),
        }
    }

    fn rows<'a>(&'a self, over: &Over) -> Vec<Box<dyn Row + 'a>> {
        let Some(owner) = self.follow(&over.hops) else { return Vec::new() };
        let (entity, by, far) = match &over.rows {
            ManyRows::Children { of, by } => (*of, *by, None),
            ManyRows::Links { through, near, far, to } => (*through, *near, Some((*far, *to))),
        };
        let rows = self.world.records[&entity].iter().filter(|row| {
            let far_is_live =
                far.is_none_or(|(far, to)| row.values[far.0 as usize].as_link().is_some_and(|id| self.world.live(to, id).is_some()));
            !row.is_deleted && row.values[by.0 as usize].as_link() == Some(RecordId(owner.record.id)) && far_is_live
        });
        rows.map(|record| Box::new(RecordRow { world: self.world, record }) as Box<dyn Row + 'a>).collect()
    }
}
