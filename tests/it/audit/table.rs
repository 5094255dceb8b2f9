//! Mutations of the stored audit, by statements of somebody who may alter tables and knows no key: all are seen.
//!
//! `tests/run long audit` makes 10,000 of them, `RELATA_SEED` chooses others.

use relata::base::{Random, SeededRandom};
use relata::store::audit::{self, Anchor, Entry, Filter, Line};
use relata::store::{Sql, Store, StoreError};

use super::verify;
use crate::support::log::variable;
use crate::support::{TestApp, postgres_url};

const ROWS: u32 = 40;
const TEXTS: [&str; 8] = ["actor_kind", "action", "entity", "field", "origin", "request", "detail", "mac"];
const NUMBERS: [&str; 4] = ["seq", "at", "actor", "record"];

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).expect("small")
    }

    fn of<'a, T>(&self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Runs the statements as one unit.
async fn run(store: &Store, statements: &[String]) -> Result<(), StoreError> {
    let statements: Vec<&'static str> = statements.iter().map(|text| &*Box::leak(text.clone().into_boxed_str())).collect();
    store
        .write(move |tx| {
            Box::pin(async move {
                for text in statements {
                    tx.run(Sql::new(text)).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn stored(store: &Store) -> Vec<Line> {
    let mut lines = audit::list(store, &Filter::default(), None, 1_000).await.expect("lists");
    lines.reverse();
    lines
}

/// One change of one column of one row.
fn of_a_column(dice: &Dice, line: &Line) -> String {
    let at = line.seq;
    let is_postgres = postgres_url().is_some();
    if dice.below(3) == 0 {
        let column = *dice.of(&NUMBERS);
        let by = 1_i64 << dice.below(40);
        let value = match column {
            "at" if is_postgres => format!("at + interval '{by} microseconds'"),
            "record" if dice.below(2) == 0 => "NULL".to_owned(),
            "record" => format!("COALESCE(record, 0) + {by}"),
            _ => format!("{column} + {by}"),
        };
        return format!("UPDATE sys_audit SET {column} = {value} WHERE seq = {at}");
    }
    let column = *dice.of(&TEXTS);
    let value = match dice.below(6) {
        0 => format!("COALESCE({column}, '') || '{}'", char::from(b'a' + u8::try_from(dice.below(26)).expect("small"))),
        1 => format!("substr({column}, 2)"),
        2 => format!("substr({column}, 1, length({column}) - 1)"),
        3 => format!("upper({column})"),
        4 if matches!(column, "entity" | "field") => "NULL".to_owned(),
        4 => "''".to_owned(),
        _ => format!(
            "COALESCE((SELECT other.{} FROM sys_audit AS other WHERE other.seq <> {at} ORDER BY other.seq DESC LIMIT 1), '')",
            dice.of(&TEXTS)
        ),
    };
    format!("UPDATE sys_audit SET {column} = {value} WHERE seq = {at}")
}

/// A copy of a row under another number.
fn copy(from: i64, to: i64) -> String {
    format!(
        "INSERT INTO sys_audit (seq, at, actor, actor_kind, action, entity, record, field, origin, request, detail, mac) \
         SELECT {to}, at, actor, actor_kind, action, entity, record, field, origin, request, detail, mac FROM sys_audit WHERE seq = {from}"
    )
}

/// Something that somebody could do to the table.
fn mutation(dice: &Dice, whole: &[Line]) -> Vec<String> {
    let (one, other) = (dice.of(whole), dice.of(whole));
    let (at, to, last) = (one.seq, other.seq, whole[whole.len() - 1].seq);
    // Numbers of a part of the rows moved on or back, past a place where none of them is.
    let shift = |from: i64, by: i64| {
        [
            format!("UPDATE sys_audit SET seq = seq + 1000000 WHERE seq > {from}"),
            format!("UPDATE sys_audit SET seq = seq - 1000000 + {by} WHERE seq > 1000000"),
        ]
    };
    match dice.below(14) {
        0 => vec![format!("DELETE FROM sys_audit WHERE seq = {at}")],
        1 => vec![format!("DELETE FROM sys_audit WHERE seq >= {at}")],
        2 => vec![format!("DELETE FROM sys_audit WHERE seq <= {at}")],
        3 => vec![format!("DELETE FROM sys_audit WHERE seq BETWEEN {} AND {}", at.min(to), at.max(to))],
        // Removed, and those behind it moved up.
        4 => [vec![format!("DELETE FROM sys_audit WHERE seq = {at}")], shift(at, -1).to_vec()].concat(),
        // A forged row in between, and those behind it moved on.
        5 => [shift(at, 1).to_vec(), vec![copy(to.min(at), at + 1)]].concat(),
        6 => vec![copy(at, last + 1)],
        7 => vec![
            format!("UPDATE sys_audit SET seq = -1 WHERE seq = {at}"),
            format!("UPDATE sys_audit SET seq = {at} WHERE seq = {to}"),
            format!("UPDATE sys_audit SET seq = {to} WHERE seq = -1"),
        ],
        // An older end in the place of what came after it.
        8 => vec![format!("DELETE FROM sys_audit WHERE seq > {at}"), copy(at, last)],
        _ => vec![of_a_column(dice, one)],
    }
}

async fn mutate(count: usize) {
    let seed = variable("RELATA_SEED").and_then(|text| text.parse().ok()).unwrap_or(42);
    let dice = Dice(SeededRandom::new(seed));
    let app = TestApp::empty().await;
    let store = &app.workspace.store;
    for number in 0..ROWS {
        let entry = Entry::new(if number % 3 == 0 { "records.import" } else { "share.add" }).fact("number", number);
        let entry = if number % 2 == 0 { entry.on("core.user", i64::from(number) * 7) } else { entry };
        audit::note(store, if number % 5 == 0 { entry.field("email") } else { entry }).await.expect("written");
    }
    let whole = stored(store).await;
    let end: Anchor = verify(store, Vec::new()).await.expect("whole").expect("an end");
    // Who may alter tables can take the triggers away.
    let open: &[&str] = if postgres_url().is_some() {
        &["ALTER TABLE sys_audit DISABLE TRIGGER ALL"]
    } else {
        &["DROP TRIGGER tr_sys_audit_update", "DROP TRIGGER tr_sys_audit_delete"]
    };
    let open: Vec<String> = open.iter().map(|text| (*text).to_owned()).collect();
    run(store, &open).await.expect("altered");
    run(store, &["CREATE TABLE kept AS SELECT * FROM sys_audit".to_owned()]).await.expect("kept");
    let restore = ["DELETE FROM sys_audit".to_owned(), "INSERT INTO sys_audit SELECT * FROM kept".to_owned()];
    let (mut done, mut tried) = (0, 0);
    while done < count {
        tried += 1;
        assert!(tried < count * 3 + 100, "only {done} of {tried} could be done");
        let statements = mutation(&dice, &whole);
        // What the table itself refuses (two rows of one number) is no mutation.
        if run(store, &[restore.to_vec(), statements.clone()].concat()).await.is_err() || stored(store).await == whole {
            continue;
        }
        let told = verify(store, vec![end.clone()]).await;
        assert!(told.is_err(), "seed {seed}, mutation {tried} was not seen: {statements:#?}");
        done += 1;
    }
    run(store, &restore).await.expect("put back");
    assert_eq!(verify(store, vec![end.clone()]).await, Ok(Some(end)), "what was put back is whole");
    println!("seed {seed}: {done} mutations of {tried} tried, all seen");
}

#[tokio::test]
async fn what_is_done_to_the_table_is_seen() {
    mutate(150).await;
}

/// `tests/run long audit`.
#[tokio::test]
async fn long_what_is_done_to_the_table_is_seen() {
    if variable("RELATA_LONG").is_some() {
        mutate(10_000).await;
    }
}
