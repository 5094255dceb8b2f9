//! Runs every example of `docs/expressions.md` against one deal, and the fault cases.

use std::collections::HashMap;
use std::fmt::Write as _;

use relata::base::{Currency, Date, DateTime, Decimal, EntityIx, Explain, FieldIx, Money, RecordId, Value};
use relata::expr::function::{SIGNATURES, SPECIAL};
use relata::expr::{self, EvalContext, Expected, Zone, eval};
use relata::schema::CatalogScope;
use relata::schema::catalog::{Catalog, FieldType};

use super::world::{Record, RecordRow, World, catalog_of, decimal, entity, integer, link, money, select, text};

const DEAL: EntityIx = EntityIx(0);
const ACCOUNT: EntityIx = EntityIx(1);
const USER: EntityIx = EntityIx(2);
const LINE: EntityIx = EntityIx(3);
const CONTACT: EntityIx = EntityIx(4);
const DEAL_CONTACT: EntityIx = EntityIx(5);

/// The definitions the page speaks of. `id` and `deleted_at` are fields 0 and 1 of each.
fn sales() -> Catalog {
    let date = || FieldType::Date { min: None, max: None };
    catalog_of(vec![
        entity(
            DEAL,
            "deal",
            vec![
                ("name", text()),
                ("stage", select(&["new", "proposal", "won", "lost"])),
                ("lost_reason", select(&["price", "timing"])),
                ("amount", money(2)),
                ("discount", decimal(2)),
                ("score", integer()),
                ("close_on", date()),
                ("created_at", FieldType::DateTime),
                ("account", link(ACCOUNT)),
                ("owner", link(USER)),
                ("segments", FieldType::Tags { max: None }),
                ("lines", FieldType::Children { of: LINE, by: FieldIx(2) }),
                ("contacts", FieldType::Links { to: CONTACT, through: DEAL_CONTACT, near: FieldIx(2), far: FieldIx(3) }),
                ("address", FieldType::Address),
                ("origin", FieldType::AnyLink { to: vec![ACCOUNT, CONTACT], on_delete: relata::schema::catalog::OnDelete::SetNull }),
            ],
        ),
        entity(ACCOUNT, "acct", vec![("industry", text()), ("owner", link(USER))]),
        entity(USER, "user", vec![("name", text())]),
        entity(
            LINE,
            "line",
            vec![("deal", link(DEAL)), ("qty", integer()), ("price", decimal(2)), ("total", money(2)), ("done", FieldType::Boolean)],
        ),
        entity(CONTACT, "contact", vec![("name", text())]),
        entity(DEAL_CONTACT, "deal_contact", vec![("deal", link(DEAL)), ("contact", link(CONTACT)), ("role", text())]),
    ])
}

fn record(id: i64, values: Vec<Value>) -> Record {
    let mut all = vec![Value::Link(RecordId(id)), Value::Null];
    all.extend(values);
    Record { id, is_deleted: false, values: all }
}

fn world() -> World {
    let money = |units, base| {
        Value::Money(Money { amount: Decimal::new(units, 2), currency: Currency::parse("USD").unwrap(), base: Some(Decimal::new(base, 2)) })
    };
    let to = |id: i64| Value::Link(RecordId(id));
    let deal = |name: &str, stage: &str| {
        record(
            1,
            vec![
                name.into(),
                stage.into(),
                Value::Null,
                money(12_500_000, 90_000_000),
                Value::Decimal(Decimal::new(1000, 2)),
                Value::Int(42),
                Value::Date(Date::parse("2026-11-30").unwrap()),
                Value::DateTime(DateTime::parse("2026-11-01T09:00:00Z").unwrap()),
                to(11),
                to(21),
                Value::List(vec!["vip".into()]),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
            ],
        )
    };
    let line = |id, qty: i64, price, done: bool| {
        record(id, vec![to(1), Value::Int(qty), Value::Decimal(Decimal::new(price, 2)), Value::Null, done.into()])
    };
    let records = HashMap::from([
        // The second is the first one's former state.
        (DEAL, vec![deal("Harbour crane", "proposal"), deal("Harbour crane", "new")]),
        (ACCOUNT, vec![record(11, vec!["software".into(), to(21)])]),
        (USER, vec![record(21, vec!["Li Wei".into()])]),
        (LINE, vec![line(31, 2, 500, false), line(32, 2, 1500, true)]),
        (CONTACT, vec![record(41, vec!["Chen Jing".into()])]),
        (DEAL_CONTACT, vec![record(51, vec![to(1), to(41), "decision_maker".into()])]),
    ]);
    let mut world = World { catalog: sales(), records };
    world.records.get_mut(&LINE).unwrap()[0].values[3] = Value::Int(2);
    world.records.get_mut(&LINE).unwrap()[1].values[3] = Value::Int(3);
    world.records.get_mut(&LINE).unwrap()[1].values[4] = Value::Decimal(Decimal::new(1000, 2));
    world
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Money(money) => money.to_string(),
        other => format!("{other:?}"),
    }
}

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/expressions.md")).unwrap()
}

/// The lines of all fenced blocks of a language.
fn fenced(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(mark) => inside = mark == language,
            None if inside => found.push(line.to_owned()),
            None => {}
        }
    }
    found
}

#[test]
fn examples_of_the_page_give_what_it_says() {
    let world = world();
    let [now, old] = [0, 1].map(|at| RecordRow { world: &world, record: &world.records[&DEAL][at] });
    let scope = CatalogScope::with_old(&world.catalog);
    let context = EvalContext {
        now: DateTime::parse("2026-11-21T02:00:00Z").unwrap(),
        zone: Zone::named("Asia/Shanghai").unwrap(),
        me: Some(RecordId(21)),
        old: Some(&old),
    };
    let mut faults = String::new();
    let lines = fenced(&page(), "expr");
    assert!(lines.len() > 60);
    for line in &lines {
        let (source, wanted) = line.rsplit_once('#').unwrap_or_else(|| panic!("no result after `#`: {line}"));
        match expr::compile(source.trim(), &scope, DEAL, &Expected::Any) {
            Ok(typed) => {
                let found = shown(&eval(&typed, &now, &context));
                if found != wanted.trim() {
                    let _ = writeln!(faults, "{source}: {found}, the page says {wanted}");
                }
            }
            Err(errors) => {
                let _ = writeln!(faults, "{source}: {errors:?}");
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn json_examples_of_the_page_are_filters_that_hold() {
    let world = world();
    let row = RecordRow { world: &world, record: &world.records[&DEAL][0] };
    let scope = CatalogScope::new(&world.catalog);
    let context = EvalContext { now: DateTime::parse("2026-11-21T02:00:00Z").unwrap(), zone: Zone::utc(), me: None, old: None };
    for line in fenced(&page(), "json") {
        let json = relata::base::json::parse(line.as_bytes()).unwrap();
        let ast = expr::from_json(&json).unwrap_or_else(|error| panic!("{error}: {line}"));
        let typed = expr::check(&ast, &scope, DEAL, &Expected::Condition).unwrap_or_else(|errors| panic!("{errors:?}: {line}"));
        assert_eq!(eval(&typed, &row, &context), Value::Bool(true), "{line}");
        assert_eq!(expr::from_json(&expr::to_json(&ast)).as_ref(), Ok(&ast), "{line}");
    }
}

#[test]
fn the_page_names_every_function() {
    let page = page();
    let names = SIGNATURES.iter().map(|signature| signature.name).chain(SPECIAL);
    let missing: Vec<_> = names.filter(|name| !page.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "docs/expressions.md lacks {missing:?}");
}

/// `tests/cases/expressions/faults.txt`: an expression, then under each fault its carets, its code and its hint.
/// `UPDATE_GOLDEN=1` writes the lines of carets.
#[test]
fn faults_stand_at_their_place() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/expressions/faults.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let catalog = sales();
    let scope = CatalogScope::new(&catalog);
    let mut written = String::new();
    let mut codes = std::collections::BTreeSet::new();
    for source in text.lines().filter(|line| !line.trim_start().starts_with('^')) {
        written.push_str(source);
        written.push('\n');
        if source.is_empty() || source.starts_with('#') {
            continue;
        }
        let ast = expr::parse_filter(source).map_err(|error| vec![error]);
        let errors = match ast.and_then(|ast| expr::check(&ast, &scope, DEAL, &Expected::Condition)) {
            Ok(_) => Vec::new(),
            Err(errors) => errors,
        };
        assert!(!errors.is_empty(), "no fault in: {source}");
        for error in errors {
            codes.insert(error.code());
            let before = source[..error.span.start].chars().count();
            let width = source[error.span.clone()].chars().count().max(1);
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            let _ = writeln!(written, "{}{} {} {error}{hint}", " ".repeat(before), "^".repeat(width), error.code());
        }
    }
    if std::env::vars().any(|(name, _)| name == "UPDATE_GOLDEN") {
        std::fs::write(path, &written).unwrap();
        return;
    }
    assert_eq!(text, written, "run with UPDATE_GOLDEN=1 and read the difference");
    let page = page();
    for code in &codes {
        assert!(page.contains(&format!("`{code}`")), "docs/expressions.md lacks {code}");
    }
    assert!(codes.len() >= 20, "{codes:?}");
}

/// What other rooms load before they evaluate.
#[test]
fn an_expression_tells_what_it_needs() {
    let catalog = sales();
    let scope = CatalogScope::with_old(&catalog);
    let source =
        "amount.base > 5 and account.owner.name = 'x' and old.stage != stage and count(lines where qty > record.score and price > 1) > 0";
    let typed = expr::compile(source, &scope, DEAL, &Expected::Condition).unwrap();
    let needs = expr::needs(&typed);
    let names = |fields: &std::collections::BTreeSet<FieldIx>, entity: EntityIx| -> Vec<String> {
        fields.iter().map(|field| catalog.entity(entity).field(*field).name.clone()).collect()
    };
    assert_eq!(names(&needs.fields, DEAL), ["stage", "amount", "score", "account"]);
    assert_eq!(names(&needs.old_fields, DEAL), ["stage"]);
    assert_eq!((needs.paths.len(), needs.paths[0].hops.len(), needs.uses_old, needs.uses_now), (1, 2, true, false));
    assert_eq!(names(&needs.children[0].needs.fields, LINE), ["qty", "price"]);
}

#[test]
fn a_rollup_names_the_fields_of_its_rows() {
    let catalog = sales();
    let scope = CatalogScope::new(&catalog);
    let rollup = |text| expr::compile_rollup(text, &scope, DEAL, "lines", &Expected::Any);
    let plain = |text| expr::compile(text, &scope, DEAL, &Expected::Any);
    for (short, long) in [("sum(qty where done)", "sum(lines.qty where done)"), ("count()", "count(lines)")] {
        let (short, long) = (rollup(short).unwrap(), plain(long).unwrap());
        assert_eq!((&short.ty, expr::needs(&short)), (&long.ty, expr::needs(&long)));
    }
    assert_eq!(rollup("sum(qtty)").unwrap_err()[0].near(), Some("qty"));
}
