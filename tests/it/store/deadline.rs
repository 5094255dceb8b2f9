//! Reads that take too long, or that nobody waits for any more, are stopped.

use std::time::Duration;

use relata::base::Explain;
use relata::record::RecordError;
use relata::store::{Sql, Store, StoreError};
use relata::web::status_of;

use super::support::{INT, new_folder, new_target, options, postgres_url};

/// Counts for hours.
fn endless() -> Sql {
    Sql::new(
        "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT count(*) FROM n",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_takes_too_long_is_stopped_and_says_so() {
    let mut options = options(new_target());
    options.read_timeout = Duration::from_millis(300);
    let store = Store::open(options).await.expect("opens");
    let read = tokio::time::timeout(Duration::from_secs(20), store.rows(endless(), &[INT])).await;
    assert_eq!(read.expect("stopped in time").err(), Some(StoreError::Timeout));
    // The connection is good for the next one.
    assert_eq!(store.rows(Sql::new("SELECT 7"), &[INT]).await.expect("reads").one_int(), Some(7));
    let told = RecordError::from(StoreError::Timeout);
    assert_eq!((told.code(), status_of(told.code()).as_u16()), ("REC062", 503));
    assert!(told.hint().is_some_and(|hint| hint.contains("narrow")));
    store.close().await.expect("closes");
}

/// Four long reads run at a time: were those of clients that have gone still running, a fifth would wait for their time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_nobody_waits_for_is_stopped() {
    if postgres_url().is_some() {
        return;
    }
    let mut options = options(relata::store::Target::Sqlite { path: new_folder() });
    options.read_timeout = Duration::from_secs(120);
    let store = Store::open(options).await.expect("opens");
    let reads: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.rows(endless(), &[INT]).await })
        })
        .collect();
    for mut read in reads {
        let waited = tokio::time::timeout(Duration::from_millis(200), &mut read).await;
        assert!(waited.is_err(), "it counts on");
        read.abort();
        assert!(read.await.expect_err("gone").is_cancelled());
    }
    let longer = Sql::new("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n");
    let read = tokio::time::timeout(Duration::from_secs(20), store.rows(longer, &[INT])).await.expect("has a place");
    assert_eq!(read.expect("reads").one_int(), Some(300_000));
    store.close().await.expect("closes");
}
