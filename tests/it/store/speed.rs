//! How fast the store is beside a hand-written writer and reader on the same table. Runs only when asked:
//! `RELATA_TEST_SPEED=1 cargo test --release --test it store::speed -- --nocapture`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use relata::base::Stopwatch;
use relata::store::{OpenOptions, Sql, Statement, Store, Target, sql};
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use super::support::{self, INT, TEXT, with_items, write};

#[expect(clippy::disallowed_methods, reason = "a measurement is asked for by the environment")]
fn is_wanted() -> bool {
    std::env::var("RELATA_TEST_SPEED").is_ok()
}

const LASTS: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inserts_and_point_reads_beside_a_hand_written_store() {
    if !is_wanted() {
        return;
    }
    let folder = support::new_folder();
    let store = Store::open(OpenOptions::new(Target::Sqlite { path: folder.join("ours") })).await.expect("opens");
    with_items(&store).await;
    let by_hand = ByHand::open(&folder.join("by-hand.db"));
    for clients in [1, 16] {
        for round in 0..3 {
            let ours = {
                let store = store.clone();
                rate(clients, move |id| {
                    let store = store.clone();
                    async move {
                        write(&store, move |tx| Box::pin(async move { tx.run(support::insert(id, &format!("name {id}"))).await }))
                            .await
                            .expect("ok");
                    }
                })
                .await
            };
            let theirs = {
                let by_hand = by_hand.clone();
                rate(clients, move |id| {
                    let by_hand = by_hand.clone();
                    async move { by_hand.insert(id).await }
                })
                .await
            };
            println!(
                "inserts, {clients} clients, round {round}: ours {ours}/s, by hand {theirs}/s, ratio {:.2}",
                ours as f64 / theirs as f64
            );
        }
    }
    let statement = Arc::new(Statement {
        sql: "SELECT id, name FROM item WHERE id = ?".into(),
        binds: Vec::new(),
        columns: [INT, TEXT].as_slice().into(),
    });
    let ours = {
        let store = store.clone();
        rate(4, move |id| {
            let store = store.clone();
            let mut statement = (*statement).clone();
            statement.binds = vec![sql::int(id % 1000)];
            async move {
                store.query(&statement).await.expect("reads");
            }
        })
        .await
    };
    let connection = Connection::open(folder.join("by-hand.db")).expect("opens");
    let watch = Stopwatch::start();
    let mut theirs = 0_i64;
    while watch.elapsed() < LASTS {
        let mut prepared = connection.prepare_cached("SELECT id, name FROM item WHERE id = ?").expect("prepares");
        let mut rows = prepared.query(params![theirs % 1000]).expect("reads");
        while let Some(row) = rows.next().expect("a row") {
            let _: (i64, String) = (row.get(0).expect("id"), row.get(1).expect("name"));
        }
        theirs += 1;
    }
    println!("point reads: ours {ours}/s on two threads, bare rusqlite {}/s on one", theirs / 2);
    let count = store.rows(Sql::new("SELECT count(*) FROM item"), &[INT]).await.expect("counts").one_int();
    let log = std::fs::metadata(folder.join("ours/relata.db-wal")).expect("a log").len();
    println!("rows: {count:?}, write-ahead log {} MB", log >> 20);
    store.close().await.expect("closes");
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Calls `work` from so many tasks for a while; gives calls a second.
async fn rate<F, W>(clients: usize, work: W) -> i64
where
    W: Fn(i64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    static NEXT: AtomicI64 = AtomicI64::new(1);
    let watch = Stopwatch::start();
    let done = Arc::new(AtomicI64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let (work, done) = (work.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            while watch.elapsed() < LASTS {
                work(NEXT.fetch_add(1, Ordering::Relaxed)).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.expect("ends");
    }
    done.load(Ordering::Relaxed) * 1000 / i64::try_from(watch.elapsed().as_millis()).expect("short")
}

/// What one would write for a single table: a thread that commits waiting inserts together.
#[derive(Clone)]
struct ByHand(mpsc::Sender<(i64, oneshot::Sender<()>)>);

impl ByHand {
    fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; PRAGMA synchronous = full;
                 CREATE TABLE item (id bigint PRIMARY KEY, name text, parent bigint REFERENCES item (id));
                 CREATE UNIQUE INDEX ux_item_name ON item (name);",
            )
            .expect("sets up");
        let (sender, mut receiver) = mpsc::channel::<(i64, oneshot::Sender<()>)>(1024);
        std::thread::spawn(move || {
            while let Some(first) = receiver.blocking_recv() {
                connection.execute_batch("BEGIN IMMEDIATE").expect("begins");
                let mut answers = Vec::new();
                let mut next = Some(first);
                while let Some((id, answer)) = next {
                    let mut prepared = connection.prepare_cached("INSERT INTO item (id, name) VALUES (?, ?)").expect("prepares");
                    prepared.execute(params![id, format!("name {id}")]).expect("inserts");
                    answers.push(answer);
                    next = if answers.len() < 128 { receiver.try_recv().ok() } else { None };
                }
                connection.execute_batch("COMMIT").expect("commits");
                for answer in answers {
                    let _ = answer.send(());
                }
            }
        });
        Self(sender)
    }

    async fn insert(&self, id: i64) {
        let (answer, done) = oneshot::channel();
        self.0.send((id, answer)).await.expect("sends");
        done.await.expect("is answered");
    }
}
