//! Two stores on one PostgreSQL schema stand for two processes.

use std::collections::BTreeSet;
use std::time::Duration;

use relata::store::catalog::{NewVersion, save_version};
use relata::store::{Sql, Store, StoreError, Target, jobs, nodes, outbox};

use super::support::{self, insert, options, pause, with_items, write};

async fn two() -> Option<(Store, Store)> {
    let target = Target::Postgres { url: support::postgres_url()?, schema: Some(support::new_name()) };
    let (first, second) = tokio::join!(Store::open(options(target.clone())), Store::open(options(target)));
    Some((first.expect("opens"), second.expect("opens")))
}

#[tokio::test(flavor = "multi_thread")]
async fn node_numbers_differ_and_lapse() {
    let Some((first, second)) = two().await else { return };
    assert_ne!(first.node(), second.node());
    assert_eq!(nodes::live(&first).await.map(|live| live.len()), Ok(2));
    let third = write(&first, |tx| Box::pin(nodes::lease(tx, "third", Duration::from_millis(300)))).await.expect("leases");
    assert_eq!(third, 2);
    let fourth = write(&first, |tx| Box::pin(nodes::lease(tx, "fourth", Duration::from_secs(9)))).await;
    assert_eq!(fourth, Ok(3));
    pause(500).await;
    let fifth = write(&second, |tx| Box::pin(nodes::lease(tx, "fifth", Duration::from_secs(9)))).await;
    assert_eq!(fifth, Ok(2), "the lapsed number is free again");
    let renewed = write(&first, |tx| Box::pin(nodes::renew(tx, 2, "third", Duration::from_secs(9), 0))).await;
    assert_eq!(renewed, Ok(false), "and lost to its former holder");
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_claimed_by_one_process() {
    let Some((first, second)) = two().await else { return };
    for _ in 0..200 {
        write(&first, |tx| {
            Box::pin(async move {
                let job = jobs::NewJob { handler: "h".to_owned(), payload_json: "{}".to_owned(), ..Default::default() };
                jobs::enqueue(tx, &job).await
            })
        })
        .await
        .expect("queued");
    }
    let work = |store: Store| async move {
        let mut done = Vec::new();
        loop {
            let claimed = jobs::claim(&store, 7, Duration::from_secs(60)).await.expect("claims");
            if claimed.is_empty() {
                return done;
            }
            for job in claimed {
                done.push(job.id);
                assert!(write(&store, move |tx| Box::pin(async move { jobs::complete(tx, &job).await })).await.expect("completes"));
            }
        }
    };
    let (one, two) = tokio::join!(tokio::spawn(work(first.clone())), tokio::spawn(work(second.clone())));
    let (one, two) = (one.expect("ends"), two.expect("ends"));
    let all: BTreeSet<i64> = one.iter().chain(&two).copied().collect();
    assert_eq!((all.len(), one.len() + two.len()), (200, 200), "each job once");
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_commits_against_older_definitions() {
    let Some((first, second)) = two().await else { return };
    with_items(&first).await;
    let mut told = second.catalog_changes();
    let new = NewVersion {
        base: 0,
        digest: "d".to_owned(),
        bundle_json: "{}".to_owned(),
        plan_json: "[]".to_owned(),
        bindings: Vec::new(),
        by: 0,
    };
    let applying = tokio::spawn({
        let first = first.clone();
        async move {
            let applied: Result<i64, StoreError> = first
                .apply(move |tx| {
                    Box::pin(async move {
                        let version = save_version(tx, &new).await?;
                        tokio::time::sleep(Duration::from_millis(300)).await;
                        Ok(version)
                    })
                })
                .await;
            applied
        }
    });
    pause(100).await;
    // Waits for the apply, then sees the new version.
    let late = write(&second, |tx| {
        Box::pin(async move {
            tx.expect_catalog(0).await?;
            tx.run(insert(1, "late")).await
        })
    })
    .await;
    assert_eq!(late, Err(StoreError::StaleCatalog { expected: 0, actual: 1 }));
    assert_eq!(applying.await.expect("ends"), Ok(1));
    tokio::time::timeout(Duration::from_secs(3), told.changed()).await.expect("told in time").expect("told");
    assert_eq!(*told.borrow(), 1);
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_added_elsewhere_does_not_break_prepared_statements() {
    let Some((first, second)) = two().await else { return };
    with_items(&first).await;
    let read = || async { second.rows(Sql::new("SELECT id, name FROM item ORDER BY id"), &[support::INT, support::TEXT]).await };
    read().await.expect("prepared");
    let added: Result<u64, StoreError> =
        first.apply(|tx| Box::pin(async move { tx.run(Sql::new("ALTER TABLE item ADD COLUMN more text")).await })).await;
    added.expect("added");
    read().await.expect("still reads");
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_outbox_misses_no_event() {
    let Some((first, second)) = two().await else { return };
    let event = |record: i64| outbox::NewEvent {
        entity_uid: "e".to_owned(),
        record: relata::base::RecordId(record),
        version: 1,
        event: "created".to_owned(),
        changed_json: "[]".to_owned(),
        actor: 0,
        chain_json: "[]".to_owned(),
        schema_version: 1,
    };
    let (slow, quick) = (event(1), event(2));
    let writing = tokio::spawn({
        let first = first.clone();
        async move {
            write(&first, move |tx| {
                Box::pin(async move {
                    outbox::append(tx, &slow).await?;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok(())
                })
            })
            .await
        }
    });
    pause(100).await;
    write(&second, move |tx| Box::pin(async move { outbox::append(tx, &quick).await })).await.expect("written");
    assert_eq!(outbox::since(&second, 0, 10).await.map(|events| events.len()), Ok(0), "an older transaction still runs");
    assert_eq!(outbox::settled_seq(&second).await, Ok(0), "who begins now hears of both");
    writing.await.expect("ends").expect("written");
    // Other tests of the run may have a transaction open in this database for a moment.
    for _ in 0..100 {
        if outbox::since(&second, 0, 10).await.expect("reads").len() == 2 {
            break;
        }
        pause(50).await;
    }
    let records: Vec<i64> = outbox::since(&second, 0, 10).await.expect("reads").iter().map(|event| event.record.0).collect();
    assert_eq!(records, [1, 2]);
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_closed_is_replaced() {
    let Some((first, second)) = two().await else { return };
    with_items(&first).await;
    for round in 0..5 {
        let pid = first.rows(Sql::new("SELECT pg_backend_pid()"), &[support::INT]).await.expect("reads").one_int().expect("a number");
        let mut kill = Sql::new("SELECT CASE WHEN pg_terminate_backend(");
        kill.number(pid).push(") THEN 1 ELSE 0 END");
        second.rows(kill, &[support::INT]).await.expect("terminates");
        pause(20).await;
        if round % 2 == 0 {
            assert_eq!(support::count(&first).await, round);
        }
        write(&first, move |tx| Box::pin(async move { tx.run(insert(round, &format!("n{round}"))).await })).await.expect("writes");
    }
    first.close().await.expect("closes");
    second.close().await.expect("closes");
}
