//! Backups beside writers, and restores of them.

use relata::base::RecordId;
use relata::store::files::{StoredFile, Upload};
use relata::store::{OpenOptions, Store, StoreError, Target, backup, credentials, doctor, files, search};

use super::support::{self, count, insert, with_items, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_beside_writers_restores_and_verifies() {
    let folder = support::new_folder();
    let (data, copy) = (folder.join("data"), folder.join("copy"));
    let open = || Store::open(support::options(Target::Sqlite { path: data.clone() }));
    let store = open().await.expect("opens");
    with_items(&store).await;
    let mut upload = Upload::begin(&store).await.expect("begins");
    upload.write(b"hello ").await.expect("writes");
    upload.write(b"world").await.expect("writes");
    let content = upload.finish().await.expect("finishes");
    assert_eq!(content.sha256, "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    let now = store.clock().now();
    let file = StoredFile {
        id: 8,
        sha256: content.sha256.clone(),
        name: "hello.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        size_bytes: 11,
        width: None,
        height: None,
        entity_uid: "ent".to_owned(),
        created_at: now,
        created_by: 1,
    };
    let written = file.clone();
    write(&store, move |tx| {
        Box::pin(async move {
            files::create(tx, &written).await?;
            credentials::set_password(tx, 1, "$argon2id$").await?;
            search::put(tx, RecordId(1), "found again", true).await
        })
    })
    .await
    .expect("written");
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 1..=400 {
                write(&store, move |tx| Box::pin(async move { tx.run(insert(number, &format!("n{number}"))).await }))
                    .await
                    .expect("written");
            }
        }
    });
    let manifest = backup::take(&store, &copy).await.expect("backs up");
    writer.await.expect("ends");
    assert_eq!(manifest.files, 1);
    let saved = manifest.rows["item"];
    assert!(saved <= 400);
    assert!(matches!(backup::take(&store, &copy).await, Err(StoreError::BadBackup(_))), "never over another");
    assert!(matches!(backup::restore(&copy, &data).await, Err(StoreError::Locked { .. })), "the folder is in use");
    store.close().await.expect("closes");

    let (_, former) = backup::restore(&copy, &data).await.expect("restores");
    assert!(former.is_some_and(|path| path.join("relata.db").exists()), "what was there is kept");
    let store = open().await.expect("opens");
    assert_eq!(count(&store).await, saved);
    assert_eq!(files::load(&store, &[8]).await, Ok(vec![file]));
    assert_eq!(std::fs::read(files::content_path(&store, &content.sha256)).expect("content"), b"hello world");
    assert_eq!(credentials::load(&store, 1).await.expect("loads").map(|known| known.epoch), Some(2), "sessions have ended");
    let facts = doctor::facts(&store).await.expect("facts");
    assert!(facts.iter().all(|fact| fact.is_good), "{facts:?}");
    store.close().await.expect("closes");

    // One changed byte, and nothing is restored.
    let database = copy.join("relata.db");
    let mut bytes = std::fs::read(&database).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&database, bytes).expect("written");
    assert!(matches!(backup::restore(&copy, &data).await, Err(StoreError::BadBackup(_))));
    let store = Store::open(OpenOptions::new(Target::Sqlite { path: data })).await.expect("still opens");
    assert_eq!(count(&store).await, saved);
    store.close().await.expect("closes");
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_knows_the_database_of_the_run() {
    let (store, _) = support::open().await;
    let facts = doctor::facts(&store).await.expect("facts");
    assert!(facts.iter().any(|fact| fact.name == "database"));
    store.close().await.expect("closes");
}
