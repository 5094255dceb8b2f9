//! Random typed expressions give the same value, or the same absence, in memory, in SQLite and in PostgreSQL.
//!
//! PostgreSQL takes part when `RELATA_TEST_DATABASE` names a server. `RELATA_LONG=1` runs 20,000 expressions, the usual
//! run 2,000.

mod docs;
mod generate;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use relata::access::RowRules;
use relata::base::{Cell, DateTime, Random, RecordId, SeededRandom, Value};
use relata::expr::{self, EvalContext, Expected, Node, Type, Typed, Zone, eval};
use relata::schema::CatalogScope;
use relata::schema::catalog::ColumnKind;
use relata::store::compile::expr::{ExprSql, condition, money, value};
use relata::store::{OpenOptions, Sql, Statement, Store, Target};

use generate::{About, Generator, KINDS};
use world::{RecordRow, THING, USER, World, cell, id};

/// Random choices with a seed.
pub struct Dice(pub SeededRandom);

impl Dice {
    /// 0 to `limit - 1`.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.0.next_u64() % u64::from(limit)).unwrap()
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(u32::try_from(items.len()).unwrap()) as usize]
    }
}

const THINGS: i64 = 6;
const BATCH: usize = 20;
const ZONES: [&str; 5] = ["America/New_York", "Asia/Shanghai", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"];

fn variable(name: &str) -> Option<String> {
    std::env::vars().find(|(known, _)| known == name).map(|(_, value)| value)
}

async fn open(target: Target, world: &World) -> Store {
    let store = Store::open(OpenOptions::new(target)).await.unwrap();
    let statements = world.statements(store.dialect());
    store
        .write::<(), relata::store::StoreError>(move |tx| {
            Box::pin(async move {
                for statement in &statements {
                    tx.execute(statement).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    store
}

#[test]
fn random_expressions_agree_everywhere() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(agreement());
}

async fn agreement() {
    let is_long = variable("RELATA_LONG").is_some();
    let count: usize = variable("RELATA_EXPRESSIONS").and_then(|count| count.parse().ok()).unwrap_or(if is_long { 20_000 } else { 2_000 });
    let seed = variable("RELATA_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let world = World::new(7, THINGS);
    let mut stores = vec![open(Target::Temporary, &world).await];
    let schema = format!("expressions_{}", std::process::id());
    if let Some(url) = variable("RELATA_TEST_DATABASE").filter(|url| url.starts_with("postgres")) {
        stores.push(open(Target::Postgres { url, schema: Some(schema.clone()) }, &world).await);
    }
    let mut dice = Dice(SeededRandom::new(seed));
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut done = 0;
    while done < count && faults.len() < 10 {
        let batch = make_batch(&world, &mut dice, BATCH.min(count - done), &mut used);
        let context = EvalContext {
            now: DateTime::parse("2026-11-21T15:30:00.25Z").unwrap(),
            zone: Zone::named(ZONES[done / BATCH % ZONES.len()]).unwrap(),
            me: dice.chance(80).then(|| RecordId(id(USER, 1))),
            old: None,
        };
        compare(&world, &stores, &batch, &context, &mut faults).await;
        done += batch.len();
    }
    if stores.len() > 1 {
        let drop = Statement { sql: format!("DROP SCHEMA \"{schema}\" CASCADE").into(), binds: Vec::new(), columns: Arc::from([]) };
        let dropped: Result<u64, relata::store::StoreError> =
            stores[1].write(move |tx| Box::pin(async move { tx.execute(&drop).await })).await;
        dropped.unwrap();
    }
    assert!(faults.is_empty(), "seed {seed}, {} differences:\n{}", faults.len(), faults.join("\n"));
    // Every operator and function was there: at least 100 times in the long run.
    let least = if count >= 20_000 { 100 } else { count / 400 };
    let rare: Vec<_> = EVERY.iter().filter(|name| used.get(**name).copied().unwrap_or(0) < least).collect();
    assert!(rare.is_empty(), "used fewer than {least} times: {rare:?} of {used:?}");
}

/// What must have been used; the names are those [`tally`] gives.
const EVERY: [&str; 82] = [
    "And",
    "Or",
    "Not",
    "Eq",
    "Ne",
    "Lt",
    "Le",
    "Gt",
    "Ge",
    "In",
    "IsNull",
    "Contains",
    "StartsWith",
    "EndsWith",
    "Like",
    "Has Any",
    "Has All",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Mod",
    "Negate",
    "Rescale",
    "Case",
    "Coalesce",
    "Exists",
    "None",
    "All",
    "Count",
    "Sum",
    "Min",
    "Max",
    "Avg",
    "Me",
    "Now",
    "Today",
    "Upper",
    "Lower",
    "Trim",
    "Length",
    "Substring",
    "Left",
    "Right",
    "Replace",
    "PadLeft",
    "PadRight",
    "Concat",
    "Text",
    "Abs",
    "Round",
    "Floor",
    "Ceil",
    "Least",
    "Greatest",
    "Date",
    "Year",
    "Quarter",
    "Month",
    "Day",
    "Weekday",
    "Hour",
    "Minute",
    "DaysBetween",
    "HoursBetween",
    "AddMonths",
    "AddYears",
    "StartOfWeek",
    "StartOfMonth",
    "StartOfQuarter",
    "StartOfYear",
    "EndOfWeek",
    "EndOfMonth",
    "EndOfQuarter",
    "EndOfYear",
    "Days",
    "Hours",
    "Minutes",
    "Seconds",
    "InSeconds",
    "Amount",
    "Path",
];

fn tally(typed: &Typed, used: &mut BTreeMap<String, usize>) {
    let mut names = Vec::new();
    match &typed.node {
        Node::Compare { op, .. } => names.push(format!("{op:?}")),
        Node::Match { kind, .. } => names.push(format!("{kind:?}")),
        Node::Has { kind, .. } => names.push(format!("Has {kind:?}")),
        Node::Arithmetic { op, .. } => names.push(format!("{op:?}")),
        Node::Call { function, .. } => names.push(format!("{function:?}")),
        Node::Quantifier { kind, .. } => names.push(format!("{kind:?}")),
        Node::Aggregate { kind, .. } => names.push(format!("{kind:?}")),
        node => {
            let debug = format!("{node:?}");
            names.push(debug.split(['(', ' ', '{']).next().unwrap_or_default().to_owned());
        }
    }
    for name in names {
        *used.entry(name).or_default() += 1;
    }
    for child in typed.children() {
        tally(child, used);
    }
}

fn make_batch(world: &World, dice: &mut Dice, count: usize, used: &mut BTreeMap<String, usize>) -> Vec<(String, Typed)> {
    let scope = CatalogScope::new(&world.catalog);
    let mut batch = Vec::with_capacity(count);
    while batch.len() < count {
        // Conditions are half of the language.
        let kind = if dice.chance(40) { generate::Kind::Bool } else { *dice.pick(&KINDS) };
        let depth = dice.below(6) + 1;
        let text = Generator { dice, rows: 3 }.of(kind, depth, About::Thing);
        if text.len() > 6_000 {
            continue;
        }
        let ast = expr::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let printed = expr::print(&ast);
        assert_eq!(expr::parse(&printed).as_ref(), Ok(&ast), "printed as {printed}");
        // The JSON form says the same, within the limits of filters.
        if expr::limits::check(&ast, &expr::Limits::FILTER).is_ok() && expr::parse_filter(&printed).is_ok() {
            assert_eq!(expr::from_json(&expr::to_json(&ast)).as_ref().ok(), Some(&ast), "as JSON: {printed}");
        }
        let typed = expr::check(&ast, &scope, THING, &Expected::Any).unwrap_or_else(|errors| panic!("{errors:?}: {text}"));
        if typed.ty == Type::Null {
            continue;
        }
        tally(&typed, used);
        batch.push((text, typed));
    }
    batch
}

fn kind_of(ty: &Type) -> ColumnKind {
    match ty {
        Type::Bool => ColumnKind::Bool,
        Type::Text => ColumnKind::Text,
        Type::Date => ColumnKind::Date,
        Type::DateTime => ColumnKind::DateTime,
        _ => ColumnKind::Int,
    }
}

/// The columns of one expression: its value (three of a money), and for a condition how it counts in a `WHERE`.
fn columns(with: ExprSql<'_>, typed: &Typed) -> Vec<(Sql, ColumnKind)> {
    match typed.ty {
        Type::Money(_) => {
            let [amount, currency, base] = money(with, "t", typed);
            vec![(amount, ColumnKind::Int), (currency, ColumnKind::Text), (base, ColumnKind::Int)]
        }
        Type::Bool => {
            let mut counted = Sql::new("CASE WHEN ");
            counted.append(condition(with, "t", typed)).push(" THEN 1 ELSE 0 END");
            vec![(value(with, "t", typed), ColumnKind::Bool), (counted, ColumnKind::Int)]
        }
        _ => vec![(value(with, "t", typed), kind_of(&typed.ty))],
    }
}

fn expected(typed: &Typed, value: &Value) -> Vec<Cell> {
    match typed.ty {
        Type::Money(_) => ["", "currency", "base"].map(|part| cell(value, part)).to_vec(),
        Type::Bool => vec![cell(value, ""), Cell::Int(i64::from(*value == Value::Bool(true)))],
        _ => vec![cell(value, "")],
    }
}

async fn compare(world: &World, stores: &[Store], batch: &[(String, Typed)], context: &EvalContext<'_>, faults: &mut Vec<String>) {
    let rules = RowRules::default();
    for store in stores {
        let with = ExprSql { catalog: &world.catalog, dialect: store.dialect(), entity: THING, rows: &rules, context };
        let each: Vec<Vec<(Sql, ColumnKind)>> = batch.iter().map(|(_, typed)| columns(with, typed)).collect();
        let kinds: Vec<ColumnKind> = each.iter().flatten().map(|(_, kind)| *kind).collect();
        let mut sql = Sql::new("SELECT ");
        sql.join(", ", each.iter().flatten().map(|(sql, _)| sql.clone())).push(" FROM ").ident("e_thing").push(" AS ").ident("t");
        sql.push(" ORDER BY \"t\".\"id\"");
        let rows = match store.rows(sql, &kinds).await {
            Ok(rows) => rows,
            Err(error) => {
                faults.push(culprit(store, &each, batch, &format!("{error:?}")).await);
                continue;
            }
        };
        for (row, record) in rows.iter().zip(&world.records[&THING]) {
            let memory = RecordRow { world, record };
            let mut at = 0;
            for ((text, typed), columns) in batch.iter().zip(&each) {
                let wanted = eval(typed, &memory, context);
                let mut found = row[at..at + columns.len()].to_vec();
                at += columns.len();
                if matches!(typed.ty, Type::Money(_)) && found[0].is_null() {
                    found.fill(Cell::Null);
                }
                let wanted = expected(typed, &wanted);
                if found != wanted {
                    let sql = columns[0].0.text(store.dialect());
                    faults.push(format!(
                        "{text}\n  record {} zone {}: memory {wanted:?}, {} {found:?}\n  {sql}",
                        record.id,
                        context.zone.name(),
                        store.dialect().name()
                    ));
                }
            }
        }
    }
}

/// Which expression of a batch the database refuses.
async fn culprit(store: &Store, each: &[Vec<(Sql, ColumnKind)>], batch: &[(String, Typed)], error: &str) -> String {
    for (columns, (text, _)) in each.iter().zip(batch) {
        let kinds: Vec<ColumnKind> = columns.iter().map(|(_, kind)| *kind).collect();
        let mut sql = Sql::new("SELECT ");
        sql.join(", ", columns.iter().map(|(sql, _)| sql.clone())).push(" FROM ").ident("e_thing").push(" AS ").ident("t");
        if let Err(error) = store.rows(sql.clone(), &kinds).await {
            return format!("{text}\n  {} refuses: {error:?}\n  {}", store.dialect().name(), sql.text(store.dialect()));
        }
    }
    format!("{} refuses a batch: {error}", store.dialect().name())
}
