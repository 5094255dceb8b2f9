//! The system tables, on the database of the run.

use std::time::Duration;

use relata::base::{Date, DateTime, RecordId};
use relata::schema::bindings::{Binding, BindingKind, BindingState};
use relata::store::catalog::{self, NewVersion};
use relata::store::{
    Store, StoreError, credentials, history, idempotency, imports, jobs, locks, outbox, rates, recalc, schedules, search, seeds, sequences,
    sessions, settings, setup, throttle, tokens,
};

use super::support::{open, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_saved_once_and_read_back() {
    let (store, _) = open().await;
    assert_eq!(catalog::load_applied(&store).await, Ok(None));
    let mut changes = store.catalog_changes();
    let binding = Binding {
        uid: "fld_1".to_owned(),
        kind: BindingKind::Field,
        parent: Some("ent_1".to_owned()),
        name: "amount".to_owned(),
        table: None,
        columns: vec!["amount".to_owned(), "amount__cur".to_owned()],
        prefix: None,
        state: BindingState::Live,
        shape: "money/2".to_owned(),
    };
    let new = NewVersion {
        base: 0,
        digest: "d1".to_owned(),
        bundle_json: "{}".to_owned(),
        plan_json: "[]".to_owned(),
        bindings: vec![binding.clone()],
        by: 0,
    };
    let again = new.clone();
    let version: Result<i64, StoreError> = store.apply(move |tx| Box::pin(async move { catalog::save_version(tx, &new).await })).await;
    assert_eq!(version, Ok(1));
    changes.changed().await.expect("told");
    assert_eq!(*changes.borrow(), 1);
    let applied = catalog::load_applied(&store).await.expect("loads").expect("applied");
    assert_eq!((applied.version, applied.digest.as_str()), (1, "d1"));
    assert_eq!(applied.bindings.get("fld_1"), Some(&binding));
    let stale: Result<i64, StoreError> = store.apply(move |tx| Box::pin(async move { catalog::save_version(tx, &again).await })).await;
    assert_eq!(stale, Err(StoreError::StaleCatalog { expected: 0, actual: 1 }));
    let old = write(&store, |tx| Box::pin(async move { tx.expect_catalog(0).await })).await;
    assert_eq!(old, Err(StoreError::StaleCatalog { expected: 0, actual: 1 }));
    assert_eq!(catalog::list_versions(&store, 10).await.expect("lists").len(), 1);
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_outbox_keep_their_order() {
    let (store, clock) = open().await;
    let record = RecordId(77);
    for version in 1..=3 {
        write(&store, move |tx| {
            Box::pin(async move {
                let entry = history::Entry {
                    record,
                    version,
                    entity_uid: "ent_1".to_owned(),
                    action: "update".to_owned(),
                    at: tx.now(),
                    actor: 5,
                    actor_kind: "person".to_owned(),
                    changes_json: format!("{{\"fld\":[{},{version}]}}", version - 1),
                };
                history::append(tx, &entry).await?;
                let event = outbox::NewEvent {
                    entity_uid: "ent_1".to_owned(),
                    record,
                    version,
                    event: "updated".to_owned(),
                    changed_json: "[\"fld\"]".to_owned(),
                    actor: 5,
                    chain_json: "[]".to_owned(),
                    schema_version: 1,
                };
                outbox::append(tx, &event).await
            })
        })
        .await
        .expect("written");
    }
    let newest = history::list(&store, record, None, 2).await.expect("lists");
    assert_eq!(newest.iter().map(|entry| entry.version).collect::<Vec<_>>(), [3, 2]);
    let older = history::list(&store, record, Some(2), 9).await.expect("lists");
    assert_eq!(older.len(), 1);
    let events = outbox::since(&store, 0, 10).await.expect("reads");
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3]);
    let last = events[2].seq;
    assert_eq!(outbox::last_seq(&store).await, Ok(last));
    clock.advance_ms(60_000);
    write(&store, |tx| Box::pin(async move { outbox::set_cursor(tx, "reader", 0).await })).await.expect("moved");
    let held = write(&store, |tx| Box::pin(async move { outbox::prune(tx, tx.now(), 100).await })).await;
    assert_eq!((held, outbox::pruned(&store).await), (Ok(0), Ok(0)), "a named reader has not passed them");
    write(&store, move |tx| Box::pin(async move { outbox::set_cursor(tx, "reader", last).await })).await.expect("moved");
    let pruned = write(&store, |tx| Box::pin(async move { outbox::prune(tx, tx.now(), 100).await })).await;
    assert_eq!(pruned, Ok(2), "the newest stays");
    assert_eq!(outbox::pruned(&store).await, Ok(events[1].seq));
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_gives_the_same_answer() {
    let (store, _) = open().await;
    let begin = |digest: &'static str| {
        write(&store, move |tx| {
            Box::pin(async move {
                let seen = idempotency::begin(tx, 1, "key", digest).await?;
                if seen == idempotency::Seen::New {
                    idempotency::finish(tx, 1, "key", 201, "{\"id\":1}").await?;
                }
                Ok(seen)
            })
        })
    };
    assert_eq!(begin("a").await, Ok(idempotency::Seen::New));
    assert_eq!(begin("a").await, Ok(idempotency::Seen::Done { status: 201, body: "{\"id\":1}".to_owned() }));
    assert_eq!(begin("b").await, Ok(idempotency::Seen::Mismatch));
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_claimed_retried_and_buried() {
    let (store, clock) = open().await;
    let lease = Duration::from_secs(30);
    let enqueue = |store: Store, job: jobs::NewJob| async move {
        write(&store, move |tx| Box::pin(async move { jobs::enqueue(tx, &job).await })).await
    };
    let new = |key: Option<&str>, lane: Option<&str>| jobs::NewJob {
        handler: "mail".to_owned(),
        payload_json: "{}".to_owned(),
        key: key.map(str::to_owned),
        lane: lane.map(str::to_owned),
        max_attempts: 2,
        ..jobs::NewJob::default()
    };
    let mut told = store.signals();
    let first = enqueue(store.clone(), new(Some("once"), None)).await.expect("queued");
    assert!(first.is_some());
    told.changed().await.expect("told");
    assert_eq!(enqueue(store.clone(), new(Some("once"), None)).await, Ok(None), "one job a key");
    let lanes = [new(None, Some("lane")), new(None, Some("lane"))];
    for job in lanes {
        enqueue(store.clone(), job).await.expect("queued");
    }
    let claimed = jobs::claim(&store, 10, lease).await.expect("claims");
    assert_eq!(claimed.len(), 2, "the second of the lane waits");
    assert_eq!(jobs::claim(&store, 10, lease).await, Ok(Vec::new()));
    let (mail, lane) = (claimed[0].clone(), claimed[1].clone());
    assert!(write(&store, move |tx| Box::pin(async move { jobs::complete(tx, &lane).await })).await.expect("completes"));
    let next = jobs::claim(&store, 10, lease).await.expect("claims");
    assert_eq!(next.len(), 1, "now the second of the lane");
    // The holder is gone: the lease runs out, another claims, and the first one's end counts no more.
    clock.advance_ms(31_000);
    let again = jobs::claim(&store, 10, lease).await.expect("claims");
    assert_eq!(again.iter().filter(|job| job.id == mail.id).map(|job| job.attempt).collect::<Vec<_>>(), [2]);
    let lost = write(&store, move |tx| Box::pin(async move { jobs::complete(tx, &mail).await })).await;
    assert_eq!(lost, Ok(false));
    let second = again.iter().find(|job| Some(job.id) == first).cloned().expect("the job");
    let dead = write(&store, move |tx| Box::pin(async move { jobs::fail(tx, &second, "no server").await })).await;
    assert_eq!(dead, Ok(jobs::AfterFailure::Dead));
    let buried = jobs::list(&store, "dead", 10).await.expect("lists");
    assert_eq!((buried.len(), buried[0].last_error.as_deref()), (1, Some("no server")));
    let id = buried[0].job.id;
    assert!(write(&store, move |tx| Box::pin(async move { jobs::replay(tx, id).await })).await.expect("replays"));
    let replayed = jobs::claim(&store, 10, lease).await.expect("claims");
    assert_eq!(replayed.len(), 1);
    let job = replayed[0].clone();
    let retry = write(&store, move |tx| Box::pin(async move { jobs::fail(tx, &job, "no").await })).await.expect("fails");
    let jobs::AfterFailure::Retry { at } = retry else { panic!("{retry:?}") };
    let wait = at.0 - store.clock().now().0;
    assert!((7_500_000..=12_500_000).contains(&wait), "{wait}");
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_have_no_gaps() {
    let (store, _) = open().await;
    let take = |fails: bool| {
        write(&store, move |tx| {
            Box::pin(async move {
                let number = sequences::take(tx, "deal/2026", 1).await?;
                if fails { Err(StoreError::Closed) } else { Ok(number) }
            })
        })
    };
    assert_eq!(take(false).await, Ok(1));
    assert!(take(true).await.is_err());
    assert_eq!(take(false).await, Ok(2));
    let block = write(&store, |tx| {
        Box::pin(async move {
            sequences::raise(tx, "deal/2026", 100).await?;
            sequences::take(tx, "deal/2026", 10).await
        })
    });
    assert_eq!(block.await, Ok(100));
    assert_eq!(take(false).await, Ok(110));
    store.close().await.expect("closes");
}

async fn found(store: &Store, query: &str) -> Vec<i64> {
    let Some(matching) = search::matching(store.dialect(), query) else { return Vec::new() };
    let mut sql = relata::store::Sql::new("WITH ids (id) AS ");
    sql.append(matching).push(" SELECT id FROM ids ORDER BY id");
    let rows = store.rows(sql, &[relata::schema::catalog::ColumnKind::Int]).await.expect("searches");
    rows.iter().filter_map(|row| row[0].as_int()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_words_prefixes_chinese_and_initials() {
    let (store, _) = open().await;
    let texts = [(1, "北京华为技术有限公司 Huawei"), (2, "Müller & Söhne GmbH, +49 170 555"), (3, "Acme O'Brien ﬁne")];
    write(&store, move |tx| {
        Box::pin(async move {
            for (id, text) in texts {
                search::put(tx, RecordId(id), text, true).await?;
            }
            Ok(())
        })
    })
    .await
    .expect("indexed");
    for (query, expected) in [
        ("华为", vec![1]),
        ("华为 huaw", vec![1]),
        ("为华", vec![]),
        ("hwjs", vec![]),
        ("bjhw", vec![1]),
        ("söhn", vec![2]),
        ("mül 555", vec![2]),
        ("acm", vec![3]),
        ("brien fine", vec![3]),
        ("acme huawei", vec![]),
        ("  ,;' \" ", vec![]),
    ] {
        assert_eq!(found(&store, query).await, expected, "search for {query:?}");
    }
    // A unit sees its own search text; a rolled back part takes its text with it.
    let inside = write(&store, |tx| {
        Box::pin(async move {
            search::put(tx, RecordId(1), "renamed", false).await?;
            let undone: Result<(), StoreError> = tx
                .part(|tx| {
                    Box::pin(async move {
                        search::put(tx, RecordId(4), "undone", true).await?;
                        let mut sql = relata::store::Sql::new("SELECT count(*) FROM sys_search WHERE ");
                        sql.push(if tx.dialect() == relata::store::Dialect::Sqlite { "rowid = 4" } else { "id = 4" });
                        tx.rows(sql, &[relata::schema::catalog::ColumnKind::Int]).await?;
                        Err(StoreError::Closed)
                    })
                })
                .await;
            assert!(undone.is_err());
            search::remove(tx, RecordId(3)).await
        })
    });
    inside.await.expect("written");
    assert_eq!(found(&store, "renamed").await, [1]);
    assert_eq!(found(&store, "华为").await, Vec::<i64>::new());
    assert_eq!(found(&store, "undone").await, Vec::<i64>::new());
    assert_eq!(found(&store, "acme").await, Vec::<i64>::new());
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failures_are_free_then_blocks_double() {
    let (store, clock) = open().await;
    let fail = || write(&store, |tx| Box::pin(async move { throttle::note_failure(tx, "account:1", throttle::Policy::SIGN_IN).await }));
    assert_eq!(fail().await, Ok(None));
    assert_eq!(fail().await, Ok(None));
    let now = store.clock().now().0;
    assert_eq!(fail().await, Ok(Some(DateTime(now + 5_000_000))));
    assert_eq!(throttle::blocked_until(&store, "account:1").await, Ok(Some(DateTime(now + 5_000_000))));
    clock.advance_ms(6_000);
    assert_eq!(throttle::blocked_until(&store, "account:1").await, Ok(None));
    let now = store.clock().now().0;
    assert_eq!(fail().await, Ok(Some(DateTime(now + 10_000_000))));
    clock.advance_ms(2 * 3_600_000);
    assert_eq!(fail().await, Ok(None), "an hour later the count starts anew");
    write(&store, |tx| Box::pin(async move { throttle::clear(tx, "account:1").await })).await.expect("cleared");
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_all_sessions() {
    let (store, clock) = open().await;
    assert_eq!(credentials::is_any_set(&store).await, Ok(false));
    let now = store.clock().now();
    let later = DateTime(now.0 + 3_600_000_000);
    let session = sessions::Session {
        hash: "abc".to_owned(),
        user_id: 9,
        epoch: 0,
        created_at: now,
        seen_at: now,
        stepped_up_at: now,
        expires_at: later,
        ip: "::1".to_owned(),
        agent: "test".to_owned(),
        viewing: None,
    };
    write(&store, move |tx| {
        Box::pin(async move {
            credentials::set_password(tx, 9, "$argon2id$").await?;
            sessions::create(tx, &session).await
        })
    })
    .await
    .expect("signed in");
    assert_eq!(sessions::find(&store, "abc", now).await.expect("finds").map(|session| session.user_id), Some(9));
    assert_eq!(sessions::find(&store, "abc", later).await, Ok(None), "over");
    write(&store, |tx| Box::pin(async move { credentials::set_password(tx, 9, "$argon2id$2").await })).await.expect("changed");
    assert_eq!(sessions::find(&store, "abc", now).await, Ok(None));
    assert_eq!(credentials::load(&store, 9).await.expect("loads").map(|known| known.epoch), Some(2));
    clock.advance_ms(7_200_000);
    assert_eq!(write(&store, |tx| Box::pin(async move { sessions::prune(tx).await })).await, Ok(1));
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_setup_links_end() {
    let (store, _) = open().await;
    let now = store.clock().now();
    let later = DateTime(now.0 + 1_000_000);
    let token = tokens::Token {
        id: 3,
        hash: "h".to_owned(),
        user_id: 9,
        name: "script".to_owned(),
        hint: "rla_ab".to_owned(),
        scopes_json: "[]".to_owned(),
        created_at: now,
        expires_at: Some(later),
        used_at: None,
        revoked_at: None,
        networks: String::new(),
    };
    let link = setup::SetupLink { hash: "s".to_owned(), purpose: "setup".to_owned(), user_id: None, created_at: now, expires_at: later };
    let (t, l) = (token.clone(), link.clone());
    write(&store, move |tx| {
        Box::pin(async move {
            tokens::create(tx, &t).await?;
            setup::create(tx, &l).await
        })
    })
    .await
    .expect("made");
    assert_eq!(tokens::find(&store, "h", now).await, Ok(Some(token)));
    assert_eq!(tokens::find(&store, "h", later).await, Ok(None));
    assert_eq!(tokens::list(&store, Some(9)).await.map(|list| list.len()), Ok(1));
    assert_eq!(write(&store, |tx| Box::pin(async move { tokens::revoke(tx, 3).await })).await, Ok(true));
    assert_eq!(tokens::find(&store, "h", now).await, Ok(None));
    assert_eq!(setup::find(&store, "s", now).await, Ok(Some(link)));
    assert_eq!(write(&store, |tx| Box::pin(async move { setup::consume(tx, "s").await })).await, Ok(true));
    assert_eq!(write(&store, |tx| Box::pin(async move { setup::consume(tx, "s").await })).await, Ok(false));
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_tables_round_trip() {
    let (store, _) = open().await;
    let now = store.clock().now();
    let rate = rates::StoredRate {
        currency: relata::base::Currency::parse("CNY").expect("a code"),
        from: Date::parse("2026-01-01").expect("a date"),
        rate_nano: 138_000_000,
    };
    let seed = seeds::Seed {
        package: "crm".to_owned(),
        key: "acme".to_owned(),
        entity_uid: "ent".to_owned(),
        record: RecordId(5),
        hash: "h".to_owned(),
        is_sample: true,
    };
    let schedule = schedules::Schedule { id: "s1".to_owned(), spec: "0 8 * * *".to_owned(), next_at: now, last_at: None, last_error: None };
    let run = imports::ImportRun {
        id: 1,
        entity_uid: "ent".to_owned(),
        state: "running".to_owned(),
        started_at: Some(now),
        ..Default::default()
    };
    let (s, sc, r) = (seed.clone(), schedule.clone(), run.clone());
    write(&store, move |tx| {
        Box::pin(async move {
            rates::save(tx, &rate).await?;
            rates::save(tx, &rate).await?;
            assert!(seeds::add(tx, &s).await?);
            // What is remembered stays.
            assert!(!seeds::add(tx, &seeds::Seed { record: RecordId(6), ..s.clone() }).await?);
            schedules::save(tx, &sc).await?;
            imports::save(tx, &r).await?;
            recalc::mark(tx, "fld", RecordId(1)).await?;
            recalc::mark(tx, "fld", RecordId(1)).await?;
            settings::set(tx, "workspace", "w1").await
        })
    })
    .await
    .expect("written");
    assert_eq!(rates::list(&store).await, Ok(vec![rate]));
    assert_eq!(seeds::list(&store, "crm").await, Ok(vec![seed]));
    assert_eq!(schedules::list(&store).await, Ok(vec![schedule.clone()]));
    assert_eq!(imports::list(&store, 5).await, Ok(vec![run]));
    assert_eq!(settings::get(&store, "workspace").await, Ok(Some("w1".to_owned())));
    let due = write(&store, |tx| Box::pin(async move { schedules::due(tx, tx.now()).await })).await;
    assert_eq!(due, Ok(vec![schedule]));
    let taken = write(&store, |tx| Box::pin(async move { recalc::take(tx, 10).await })).await;
    assert_eq!(taken, Ok(vec![("fld".to_owned(), RecordId(1))]));
    let hold = |holder: &'static str| {
        write(&store, move |tx| Box::pin(async move { locks::acquire(tx, "sweep", holder, Duration::from_secs(5)).await }))
    };
    assert_eq!(hold("a").await, Ok(Some(1)));
    assert_eq!(hold("b").await, Ok(None));
    assert_eq!(hold("a").await, Ok(Some(1)));
    write(&store, |tx| Box::pin(async move { locks::release(tx, "sweep", "a", 1).await })).await.expect("released");
    assert_eq!(hold("b").await, Ok(Some(2)));
    store.close().await.expect("closes");
}
