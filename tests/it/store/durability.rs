//! `kill -9` under writing clients: what was acknowledged is there, what was not is not half there.
//!
//! The writing process is this very test binary, started again with [`ROLE`] in its environment.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use relata::store::{OpenOptions, Sql, Store, Target};

use super::support::{self, INT, insert, write};

const ROLE: &str = "RELATA_TEST_WRITER_FOLDER";
/// Rounds; `tests/run long kill` asks for more.
const ROUNDS: &str = "RELATA_TEST_KILL_ROUNDS";

#[expect(clippy::disallowed_methods, reason = "how this test talks to its other process")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Not a test: the writing process of the test below.
#[tokio::test(flavor = "multi_thread")]
async fn writer_process() {
    let Some(folder) = environment(ROLE) else { return };
    let store = Store::open(OpenOptions::new(Target::Sqlite { path: folder.into() })).await.expect("opens");
    let mut clients = Vec::new();
    for _ in 0..8 {
        let store = store.clone();
        clients.push(tokio::spawn(async move {
            // Until the process is killed.
            while !store.signals().has_changed().unwrap_or(true) {
                let id = store.mint().next().0;
                // Two rows a unit: half of it must never be seen.
                let unit = write(&store, move |tx| {
                    Box::pin(async move {
                        tx.run(insert(id, &format!("{id} a"))).await?;
                        tx.run(insert(-id, &format!("{id} b"))).await
                    })
                });
                unit.await.expect("written");
                let mut out = std::io::stdout().lock();
                let _ = writeln!(out, "ack {id}");
                let _ = out.flush();
            }
        }));
    }
    for client in clients {
        client.await.expect("never ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_to_kill() {
    let folder = support::new_folder();
    let rounds: u32 = environment(ROUNDS).and_then(|text| text.parse().ok()).unwrap_or(3);
    let store = Store::open(OpenOptions::new(Target::Sqlite { path: folder.clone() })).await.expect("opens");
    support::with_items(&store).await;
    store.close().await.expect("closes");
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let (path, wanted) = (folder.clone(), 150 + 37 * (round as usize % 11));
        let round = tokio::task::spawn_blocking(move || kill_after(&path, wanted));
        let acks = round.await.expect("the round ends");
        assert!(acks.len() >= wanted, "the writer wrote");
        acknowledged.extend(acks);
        check(&folder, &acknowledged).await;
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Starts a writer, kills it after `wanted` acknowledgements, gives all it made.
fn kill_after(folder: &Path, wanted: usize) -> BTreeSet<i64> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "store::durability::writer_process", "--nocapture", "--test-threads=1"])
        .env(ROLE, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut acks = BTreeSet::new();
    let mut is_killed = false;
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let Ok(line) = line else { break };
        // A line may be cut by the kill; an acknowledgement has its whole number.
        if let Some(id) = line.rsplit_once("ack ").and_then(|(_, id)| id.parse().ok()) {
            acks.insert(id);
        }
        if acks.len() >= wanted && !is_killed {
            child.kill().expect("killed");
            is_killed = true;
        }
    }
    let _ = child.wait();
    acks
}

async fn check(folder: &Path, acknowledged: &BTreeSet<i64>) {
    let store = Store::open(OpenOptions::new(Target::Sqlite { path: folder.to_owned() })).await.expect("opens after the kill");
    let rows = store.rows(Sql::new("SELECT id FROM item"), &[INT]).await.expect("reads");
    let found: BTreeSet<i64> = rows.iter().filter_map(|row| row[0].as_int()).collect();
    for id in acknowledged {
        assert!(found.contains(id) && found.contains(&-id), "acknowledged {id} is lost");
    }
    for id in &found {
        assert!(found.contains(&-id), "half of {id}");
    }
    let report =
        store.rows(Sql::new("SELECT integrity_check FROM pragma_integrity_check LIMIT 1"), &[support::TEXT]).await.expect("checks");
    assert_eq!(report.first().and_then(|row| row[0].as_text()), Some("ok"));
    store.close().await.expect("closes");
}
