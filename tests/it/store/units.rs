//! Units of work: all or nothing, together or alone.

use std::time::Duration;

use relata::store::{OpenOptions, Sql, Store, StoreError, Target};

use super::support::{self, INT, TEXT, count, insert, open, options, with_items, write};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_unit_wrote_is_read_after_it() {
    let (store, _) = open().await;
    with_items(&store).await;
    let sum = write(&store, |tx| {
        Box::pin(async move {
            tx.run(insert(1, "one")).await?;
            tx.run(insert(2, "two")).await?;
            Ok(tx.rows(Sql::new("SELECT CAST(sum(id) AS bigint) FROM item"), &[INT]).await?.one_int())
        })
    })
    .await;
    assert_eq!(sum, Ok(Some(3)), "a unit sees its own writes");
    let rows = store.rows(Sql::new("SELECT id, name FROM item ORDER BY id"), &[INT, TEXT]).await.expect("rows");
    let names: Vec<_> = rows.iter().map(|row| row[1].as_text().unwrap_or_default().to_owned()).collect();
    assert_eq!(names, ["one", "two"]);
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_unit_does_not_hurt_its_neighbours() {
    let (store, _) = open().await;
    with_items(&store).await;
    let mut tasks = Vec::new();
    for number in 0..60_i64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            write(&store, move |tx| {
                Box::pin(async move {
                    tx.run(insert(number + 1, &format!("name {number}"))).await?;
                    match number % 4 {
                        // A duplicate, an error of the unit's own, a panic.
                        1 => tx.run(insert(number + 1000, &format!("name {number}"))).await.map(|_| ()),
                        2 => Err(StoreError::Closed),
                        3 => panic!("a panic in a unit of work"),
                        _ => Ok(()),
                    }
                })
            })
            .await
        }));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("the task ends"));
    }
    for (number, outcome) in outcomes.iter().enumerate() {
        match number % 4 {
            0 => assert_eq!(*outcome, Ok(())),
            1 => assert!(matches!(outcome, Err(StoreError::UniqueViolation { .. })), "{outcome:?}"),
            2 => assert_eq!(*outcome, Err(StoreError::Closed)),
            _ => assert!(matches!(outcome, Err(StoreError::Panicked(message)) if message.contains("a panic in")), "{outcome:?}"),
        }
    }
    assert_eq!(count(&store).await, 15);
    store.close().await.expect("closes");
}

/// Units without a savepoint: what fails before anything is written hurts nobody; what fails later undoes its batch, and
/// the others of it are told to try again.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_unit_that_fails_leaves_nothing_and_others_try_again() {
    let (store, _) = open().await;
    with_items(&store).await;
    let mut tasks = Vec::new();
    for number in 0..60_i64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                let outcome: Result<(), StoreError> = store
                    .write_bare(move |tx| {
                        Box::pin(async move {
                            match number % 4 {
                                // Its first write fails; it fails before any; it fails once it has written.
                                1 => tx.run(insert(number + 1, "taken")).await.map(|_| ()),
                                2 => Err(StoreError::Closed),
                                3 => {
                                    tx.run(insert(number + 1, &format!("name {number}"))).await?;
                                    Err(StoreError::Closed)
                                }
                                _ => tx.run(insert(number + 1, &format!("name {number}"))).await.map(|_| ()),
                            }
                        })
                    })
                    .await;
                if outcome != Err(StoreError::Busy) {
                    return outcome;
                }
            }
        }));
    }
    write(&store, |tx| Box::pin(async move { tx.run(insert(1000, "taken")).await })).await.ok();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("the task ends"));
    }
    for (number, outcome) in outcomes.iter().enumerate() {
        match number % 4 {
            0 => assert_eq!(*outcome, Ok(())),
            1 => {}
            _ => assert_eq!(*outcome, Err(StoreError::Closed)),
        }
    }
    let rows = store.rows(Sql::new("SELECT id FROM item WHERE name <> 'taken' ORDER BY id"), &[INT]).await.expect("rows");
    let kept: Vec<i64> = rows.iter().filter_map(|row| row[0].as_int()).collect();
    assert_eq!(kept, (0..60).step_by(4).map(|number| number + 1).collect::<Vec<i64>>());
    let taken = store.rows(Sql::new("SELECT count(*) FROM item WHERE name = 'taken'"), &[INT]).await.expect("rows");
    assert!(taken.one_int() <= Some(1), "one at most has the name");
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_name_what_was_violated() {
    let (store, _) = open().await;
    with_items(&store).await;
    write(&store, |tx| Box::pin(async move { tx.run(insert(1, "same")).await })).await.expect("inserted");
    let unique = write(&store, |tx| Box::pin(async move { tx.run(insert(2, "same")).await })).await;
    let Err(StoreError::UniqueViolation { index }) = unique else { panic!("{unique:?}") };
    assert_eq!(index, "ux_item_name");
    let orphan = Sql::new("INSERT INTO item (id, name, parent) VALUES (3, 'x', 99)");
    let foreign = write(&store, |tx| Box::pin(async move { tx.run(orphan).await })).await;
    assert!(matches!(foreign, Err(StoreError::ForeignKey { .. })), "{foreign:?}");
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_undone_alone_and_a_swallowed_failure_condemns_the_unit() {
    let (store, _) = open().await;
    with_items(&store).await;
    let kept = write(&store, |tx| {
        Box::pin(async move {
            tx.run(insert(1, "one")).await?;
            let part: Result<(), StoreError> = tx
                .part(|tx| {
                    Box::pin(async move {
                        tx.run(insert(2, "two")).await?;
                        tx.run(insert(3, "one")).await.map(|_| ())
                    })
                })
                .await;
            assert!(matches!(part, Err(StoreError::UniqueViolation { .. })));
            tx.run(insert(4, "four")).await
        })
    })
    .await;
    assert_eq!(kept, Ok(1));
    assert_eq!(count(&store).await, 2);
    let swallowed = write(&store, |tx| {
        Box::pin(async move {
            tx.run(insert(5, "five")).await?;
            let _ = tx.run(insert(6, "one")).await;
            Ok(())
        })
    })
    .await;
    assert!(matches!(swallowed, Err(StoreError::TransactionLost(_))), "{swallowed:?}");
    assert_eq!(count(&store).await, 2);
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_leaves_nothing() {
    let (store, _) = open().await;
    with_items(&store).await;
    let rehearsed: Result<Option<i64>, StoreError> = store
        .rehearse(|tx| {
            Box::pin(async move {
                tx.run(Sql::new("CREATE TABLE other (id bigint)")).await?;
                tx.run(insert(1, "one")).await?;
                Ok(tx.rows(Sql::new("SELECT count(*) FROM item"), &[INT]).await?.one_int())
            })
        })
        .await;
    assert_eq!(rehearsed, Ok(Some(1)));
    assert_eq!(count(&store).await, 0);
    assert!(store.rows(Sql::new("SELECT count(*) FROM other"), &[INT]).await.is_err());
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_waits_too_long_is_undone() {
    let mut options = options(support::new_target());
    options.write_timeout = Duration::from_millis(200);
    let store = Store::open(options).await.expect("opens");
    with_items(&store).await;
    let late = write(&store, |tx| {
        Box::pin(async move {
            tx.run(insert(1, "one")).await?;
            std::future::pending::<()>().await;
            Ok(())
        })
    })
    .await;
    assert_eq!(late, Err(StoreError::Timeout));
    assert_eq!(count(&store).await, 0);
    write(&store, |tx| Box::pin(async move { tx.run(insert(2, "two")).await })).await.expect("the writer goes on");
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_read_does_not_hold_the_runtime_and_ends_at_its_limit() {
    let mut options = options(support::new_target());
    options.read_timeout = Duration::from_millis(400);
    let store = Store::open(options).await.expect("opens");
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900000000) SELECT count(*) FROM n";
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.rows(Sql::new(endless), &[INT]).await }
    });
    for _ in 0..50 {
        let rows = store.rows(Sql::new("SELECT CAST(7 AS bigint)"), &[INT]).await.expect("a point read");
        assert_eq!(rows.one_int(), Some(7));
    }
    assert_eq!(reading.await.expect("ends"), Err(StoreError::Timeout));
    store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_owns_a_data_folder() {
    let folder = support::new_folder();
    let target = Target::Sqlite { path: folder.clone() };
    let store = Store::open(OpenOptions::new(target.clone())).await.expect("opens");
    let second = Store::open(OpenOptions::new(target.clone())).await;
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    store.close().await.expect("closes");
    Store::open(OpenOptions::new(target)).await.expect("opens again").close().await.expect("closes");
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused() {
    let name = support::new_name();
    let folder = support::new_folder();
    let target = match support::postgres_url() {
        Some(url) => Target::Postgres { url, schema: Some(name) },
        None => Target::Sqlite { path: folder },
    };
    let store = Store::open(options(target.clone())).await.expect("opens");
    let newer = Sql::new("INSERT INTO sys_migration (number, name, checksum) VALUES (9999, '9999_future', 'x')");
    write(&store, |tx| Box::pin(async move { tx.run(newer).await })).await.expect("pretends");
    store.close().await.expect("closes");
    let refused = Store::open(options(target)).await;
    assert!(matches!(refused, Err(StoreError::NewerDatabase { found: 9999, .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_cell_comes_back() {
    use relata::base::{Cell, Date, DateTime};
    use relata::schema::catalog::ColumnKind;
    const KINDS: [ColumnKind; 6] =
        [ColumnKind::Int, ColumnKind::Text, ColumnKind::Bool, ColumnKind::Date, ColumnKind::DateTime, ColumnKind::Json];
    let (store, _) = open().await;
    let dialect = store.dialect();
    let mut create = Sql::new("CREATE TABLE kinds (");
    for (name, kind) in ["i", "t", "b", "d", "a", "j"].iter().zip(KINDS) {
        create.ident(name).push(" ").push(dialect.column_type(kind)).push(", ");
    }
    create.push("id bigint PRIMARY KEY)");
    let rows = vec![
        vec![
            Cell::Int(i64::MIN),
            Cell::from("北京 'quoted' \u{1F600}"),
            Cell::Bool(true),
            Cell::Int(Date::MIN.0.into()),
            Cell::Int(DateTime::MIN.0),
            Cell::from("{\"a\": [1, 2.50]}"),
        ],
        vec![
            Cell::Int(i64::MAX),
            Cell::from(""),
            Cell::Bool(false),
            Cell::Int(Date::MAX.0.into()),
            Cell::Int(DateTime::MAX.0),
            Cell::from("null"),
        ],
        vec![Cell::Int(0), Cell::from("x"), Cell::Bool(true), Cell::Int(0), Cell::Int(1), Cell::from("[]")],
        vec![Cell::Null; 6],
    ];
    let written = rows.clone();
    let kept: Result<(), StoreError> = store
        .apply(move |tx| {
            Box::pin(async move {
                tx.run(create).await?;
                for (id, row) in written.into_iter().enumerate() {
                    let mut sql = Sql::new("INSERT INTO kinds (i, t, b, d, a, j, id) VALUES (");
                    for (cell, kind) in row.into_iter().zip(KINDS) {
                        sql.bind(kind, cell).push(", ");
                    }
                    sql.number(i64::try_from(id).expect("small")).push(")");
                    tx.run(sql).await?;
                }
                Ok(())
            })
        })
        .await;
    kept.expect("kept");
    let read = store.rows(Sql::new("SELECT i, t, b, d, a, j FROM kinds ORDER BY id"), &KINDS).await.expect("reads");
    assert_eq!(read.into_rows().collect::<Vec<_>>(), rows);
    // A sum is NUMERIC on PostgreSQL.
    let sum = store.rows(Sql::new("SELECT sum(i) FROM kinds WHERE i >= 0"), &[INT]).await.expect("sums");
    assert_eq!(sum.one_int(), Some(i64::MAX));
    // Lists of different lengths share statements; an empty one matches nothing.
    for (list, expected) in [(vec![], 0), (vec![0], 1), (vec![0, 5, 7], 1), (vec![0, i64::MAX, 3, 4, 5], 2)] {
        let mut sql = Sql::new("SELECT count(*) FROM kinds WHERE i IN ");
        sql.bind_list(INT, list.into_iter().map(Cell::Int));
        assert_eq!(store.rows(sql, &[INT]).await.expect("counts").one_int(), Some(expected));
    }
    store.close().await.expect("closes");
}
