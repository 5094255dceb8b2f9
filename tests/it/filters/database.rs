//! The golden catalog in a real database, filled with records of every kind.

use std::sync::atomic::{AtomicU64, Ordering};

use relata::access::{Actor, Authorised, Write, WriteKind, authorise_aggregate, authorise_get, authorise_list, authorise_write};
use relata::base::{Currency, Date, DateTime, Decimal, EntityIx, Money, RecordId, Time, Value};
use relata::query::{self, Params};
use relata::schema::catalog::{Catalog, ColumnKind};
use relata::store::compile::{self, Page, RowSet, Source};
use relata::store::{Dialect, Durability, OpenOptions, Rows, Statement, Store, StoreError, Target, ddl};

use super::cases::{context, key};

pub const ACCOUNTS: i64 = 6;
pub const DEALS: i64 = 90;

/// One opened database with its records.
pub struct Database {
    pub catalog: Catalog,
    pub store: Store,
}

#[expect(clippy::disallowed_methods, reason = "tests choose their database by the environment")]
fn target() -> Target {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let postgres = std::env::var("RELATA_TEST_DATABASE").ok().filter(|url| url.starts_with("postgres"));
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    match postgres {
        Some(url) => Target::Postgres { url, schema: Some(format!("filters_{}_{number}", std::process::id())) },
        None => Target::Temporary,
    }
}

impl Database {
    /// An empty one.
    pub async fn empty() -> Self {
        let catalog = super::catalog::catalog();
        let options = OpenOptions { durability: Durability::Relaxed, max_connections: 4, ..OpenOptions::new(target()) };
        let store = Store::open(options).await.expect("opens");
        let entities: Vec<_> = catalog.entities.iter().collect();
        let statements = ddl::create_entities(store.dialect(), &catalog, &entities);
        store
            .apply(move |tx| {
                Box::pin(async move {
                    for sql in statements {
                        tx.run(sql).await?;
                    }
                    Ok::<(), StoreError>(())
                })
            })
            .await
            .expect("the tables are made");
        Self { catalog, store }
    }

    /// With accounts, contacts, products, deals, lines and what ties them.
    pub async fn filled() -> Self {
        let database = Self::empty().await;
        let mut all = vec![database.record("user", 1, &[("name", "Ada".into())])];
        for number in 0..ACCOUNTS {
            let mut values =
                vec![("name", Value::from(["Zürich AG", "acme", "Acme West", "华为", "北京", "Ägir"][usize::try_from(number).unwrap()]))];
            values.push((
                "industry",
                if number % 3 == 2 { Value::Null } else { Value::from(["software", "retail"][usize::try_from(number % 2).unwrap()]) },
            ));
            if number > 2 {
                values.push(("parent", Value::Link(RecordId(10 + number - 3))));
            }
            let cny = Currency::parse("CNY").unwrap();
            values.push((
                "revenue",
                Value::Money(Money {
                    amount: Decimal::new(i64::MAX - number, 2),
                    currency: cny,
                    base: Some(Decimal::new(i64::MAX - number, 2)),
                }),
            ));
            all.push(database.record("account", 10 + number, &values));
        }
        let name = |given: &str, family: &str| Value::Map(vec![("given".into(), given.into()), ("family".into(), family.into())]);
        all.push(database.record("contact", 20, &[("name", name("伟", "王")), ("account", Value::Link(RecordId(13)))]));
        all.push(database.record("contact", 21, &[("name", name("Ada", "Lovelace"))]));
        for number in 0..4 {
            all.push(database.record(
                "product",
                30 + number,
                &[("name", format!("Product {number}").into()), ("price", Decimal::new(1999, 2).into())],
            ));
        }
        for number in 0..DEALS {
            all.push(database.deal(number));
        }
        for number in 0..DEALS * 3 {
            let values = [
                ("deal", Value::Link(RecordId(100 + number % DEALS))),
                ("product", Value::Link(RecordId(30 + number % 4))),
                ("pos", Value::Int(number / DEALS)),
                ("qty", Decimal::new(number * 500, 3).into()),
                ("total", Decimal::new(number * 12_345, 4).into()),
            ];
            all.push(database.record("line", 1000 + number, &values));
        }
        for number in 0..DEALS {
            let values = [
                ("deal", Value::Link(RecordId(100 + number % 10))),
                ("product", Value::Link(RecordId(30 + number % 4))),
                ("quantity", Decimal::new(number, 3).into()),
            ];
            all.push(database.record("deal_product", 5000 + number, &values));
        }
        database.write(all.concat()).await;
        database
    }

    /// A deal whose values come from its number: many nulls, many equal values.
    fn deal(&self, number: i64) -> Vec<Statement> {
        let pick = |every: i64, value: Value| if number % every == 0 { Value::Null } else { value };
        let eur = Currency::parse("EUR").unwrap();
        let origin = match number % 3 {
            0 => Value::Null,
            1 => RecordId(10).display("acc").into(),
            _ => RecordId(20).display("con").into(),
        };
        let values = [
            ("number", Value::from(format!("D-{:05}", number + 1))),
            ("name", pick(11, ["Ünder", "under", "abc", "Zeta", "新项目"][usize::try_from(number % 5).unwrap()].into())),
            ("account", pick(7, Value::Link(RecordId(10 + number % ACCOUNTS)))),
            ("stage", pick(13, ["new", "proposal", "won", "lost"][usize::try_from(number % 4).unwrap()].into())),
            (
                "amount",
                pick(
                    5,
                    Value::Money(Money {
                        amount: Decimal::new(number % 9 * 100, 2),
                        currency: eur,
                        base: Some(Decimal::new(number % 9 * 780, 2)),
                    }),
                ),
            ),
            ("discount", Decimal::new(number, 2).into()),
            ("close_on", pick(4, Value::Date(Date::parse("2026-11-21").unwrap().plus_days(number % 12 - 6).unwrap()))),
            ("closed_at", Value::DateTime(DateTime(1_795_226_400_000_000 + number * 3_600_000_000))),
            ("call_at", Value::Time(Time(30_600))),
            ("effort", pick(6, Value::Int(number * 60))),
            ("is_hot", pick(8, Value::Bool(number % 2 == 0))),
            ("score", pick(3, Value::Int(number % 5 + 1))),
            ("notes", "Zeile 1\nline \"2\"".into()),
            ("segments", if number % 4 == 0 { Value::Null } else { Value::List(vec!["mid".into(), "big".into()]) }),
            ("tags", if number % 2 == 0 { Value::Null } else { Value::List(vec!["b".into(), "a, \"x\"".into()]) }),
            ("origin", origin),
            ("info", Value::Json(serde_json::json!({"n": number}))),
            ("owner", Value::Link(RecordId(1))),
            ("deleted_at", if number == 77 { Value::DateTime(DateTime(1_795_226_400_000_000)) } else { Value::Null }),
        ];
        self.record("deal", 100 + number, &values)
    }

    pub fn entity(&self, slug: &str) -> EntityIx {
        self.catalog.find_entity(slug).unwrap().ix
    }

    pub fn authorised(&self, slug: &str, kind: WriteKind) -> Authorised<Write> {
        authorise_write(&self.catalog, &Actor::system(), Write { entity: self.entity(slug), kind, fields: Vec::new() }).unwrap()
    }

    /// The statements that create a record.
    pub fn record(&self, slug: &str, id: i64, own: &[(&str, Value)]) -> Vec<Statement> {
        let entity = self.catalog.find_entity(slug).unwrap();
        let mut values = vec![Value::Null; entity.fields.len()];
        let stamp = Value::DateTime(DateTime(1_795_000_000_000_000 + id % 7 * 1_000_000));
        let system = [("id", Value::Link(RecordId(id))), ("version", Value::Int(1)), ("created_at", stamp.clone()), ("updated_at", stamp)];
        for (name, value) in system.into_iter().chain(own.iter().cloned()) {
            values[entity.find_field(name).unwrap().ix.0 as usize] = value;
        }
        compile::insert(
            &self.catalog,
            self.store.dialect(),
            &self.authorised(slug, WriteKind::Create),
            &values,
            &std::sync::OnceLock::new(),
        )
    }

    pub async fn write(&self, statements: Vec<Statement>) {
        self.store
            .write(move |tx| Box::pin(async move { tx.execute_many(&statements).await.map(drop) }))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error:?}"));
    }

    pub fn list_request(&self, slug: &str, text: &str) -> Authorised<query::ListRequest> {
        let params = Params(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap())
                .collect(),
        );
        let list = query::parse_list(&self.catalog, &key(), self.entity(slug), &params)
            .unwrap_or_else(|faults| panic!("{text}: {}", super::cases::told(&faults)));
        authorise_list(&self.catalog, &Actor::system(), list).unwrap()
    }

    pub fn list_plan(&self, slug: &str, text: &str) -> compile::ListPlan {
        compile::list(&self.catalog, self.store.dialect(), &self.list_request(slug, text), &context())
    }

    /// A page; the parameters stand as in a URL but are not encoded.
    pub async fn list(&self, slug: &str, text: &str) -> Page {
        let plan = self.list_plan(slug, text);
        compile::fetch_list(&mut Source::Store(&self.store), &plan, &key())
            .await
            .unwrap_or_else(|error| panic!("{text}: {error:?}\n{}", plan.page.sql))
    }

    pub async fn json(&self, slug: &str, text: &str) -> serde_json::Value {
        json(&self.list(slug, text).await.rows)
    }

    pub async fn get(&self, slug: &str, id: i64, text: &str) -> serde_json::Value {
        let request = query::parse_get(&self.catalog, self.entity(slug), RecordId(id), &Params::parse(text)).unwrap();
        let request = authorise_get(&self.catalog, &Actor::system(), request).unwrap();
        let plan = compile::get(&self.catalog, self.store.dialect(), &request, &context());
        let rows = compile::fetch_rows(&mut Source::Store(&self.store), &plan.statement(RecordId(id)), &plan.rows).await.unwrap();
        json(&rows)[0].clone()
    }

    pub async fn aggregate(&self, slug: &str, body: serde_json::Value) -> serde_json::Value {
        let body = relata::base::json::parse(body.to_string().as_bytes()).unwrap();
        let asked = query::parse_aggregate_json(&self.catalog, self.entity(slug), &body)
            .unwrap_or_else(|faults| panic!("{body}: {}", super::cases::told(&faults)));
        let asked = authorise_aggregate(&self.catalog, &Actor::system(), asked).unwrap();
        let plan = compile::aggregate(&self.catalog, self.store.dialect(), &asked, &context());
        let (rows, _) = compile::fetch_aggregate(&mut Source::Store(&self.store), &plan)
            .await
            .unwrap_or_else(|error| panic!("{error:?}\n{}", plan.statement.sql));
        let mut out = String::new();
        plan.write_json(&rows, &mut out);
        serde_json::from_str(&out).unwrap()
    }

    /// How the database would run the statement, as text; on PostgreSQL as if the tables were large.
    pub async fn explain(&self, statement: &Statement) -> String {
        let is_sqlite = self.store.dialect() == Dialect::Sqlite;
        let columns: &[ColumnKind] =
            if is_sqlite { &[ColumnKind::Int, ColumnKind::Int, ColumnKind::Int, ColumnKind::Text] } else { &[ColumnKind::Text] };
        let prefix = if is_sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
        let explain =
            Statement { sql: format!("{prefix}{}", statement.sql).into(), binds: statement.binds.clone(), columns: columns.into() };
        let rows: Rows = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !is_sqlite {
                        for setting in
                            ["SET LOCAL enable_seqscan = off", "SET LOCAL enable_sort = off", "SET LOCAL enable_bitmapscan = off"]
                        {
                            tx.run(relata::store::Sql::new(setting)).await?;
                        }
                    }
                    tx.query(&explain).await
                })
            })
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error:?}\n{}", statement.sql));
        rows.iter().filter_map(|row| row.last()?.as_text()).collect::<Vec<_>>().join("\n")
    }
}

pub fn json(rows: &RowSet) -> serde_json::Value {
    let mut out = String::new();
    rows.write_json(&mut out);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}
