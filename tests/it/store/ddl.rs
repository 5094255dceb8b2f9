//! DDL of entities: golden texts of both dialects side by side (`tests/cases/ddl/<case>`), and run on the database.
//! `UPDATE_GOLDEN=1` writes the texts anew.

use std::path::{Path, PathBuf};

use relata::schema::bindings::Bindings;
use relata::schema::{Catalog, SourceFile, load};
use relata::store::{Dialect, Sql, StoreError, ddl, sql};

use super::support::{self, INT, TEXT, write};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ddl").join(name)
}

fn catalog(name: &str) -> Catalog {
    let text = std::fs::read_to_string(case(name).join("definitions.yaml")).expect("definitions");
    let package = SourceFile::new("definitions/crm/package.yaml", "kind: package\nid: crm\nversion: 1.0.0\nlabel: CRM\n");
    // One document a file.
    let documents = text.split("\n---\n").enumerate();
    let mut files: Vec<SourceFile> =
        documents.map(|(number, text)| SourceFile::new(format!("definitions/crm/entities/e{number}.yaml"), text)).collect();
    files.insert(0, package);
    match load(&files, &Bindings::default()) {
        Ok(loaded) => loaded.catalog,
        Err(faults) => panic!("{faults:#?}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "golden files are written on demand")]
fn updates_golden() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok()
}

#[test]
fn entities_become_tables_in_both_dialects() {
    let catalog = catalog("crm");
    let entities: Vec<_> = catalog.entities.iter().collect();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let list = ddl::create_entities(dialect, &catalog, &entities);
        assert!(list.iter().all(|sql| sql.bound() == 0), "a plan can show it");
        let text: String = list.iter().map(|sql| format!("{};\n", sql.text(dialect))).collect();
        let path = case("crm").join(format!("{}.sql", dialect.name()));
        if updates_golden() {
            std::fs::write(&path, &text).expect("written");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, golden, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_work_on_the_database_of_the_run() {
    let (store, _) = support::open().await;
    let catalog = catalog("crm");
    let dialect = store.dialect();
    let list = ddl::create_entities(dialect, &catalog, &catalog.entities.iter().collect::<Vec<_>>());
    let made: Result<(), StoreError> = store
        .apply(move |tx| {
            Box::pin(async move {
                for sql in list {
                    tx.run(sql).await?;
                }
                Ok(())
            })
        })
        .await;
    made.expect("made");
    let insert = |id: i64, name: &'static str, deleted: bool| {
        write(&store, move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let deleted = deleted.then_some(now);
                tx.run(Sql::template(
                    "INSERT INTO e_account (id, created_at, updated_at, deleted_at, name, name_k) VALUES (?, ?, ?, ?, ?, ?)",
                    [sql::int(id), sql::at(now), sql::at(now), sql::at(deleted), sql::text(name), sql::text("acme")],
                ))
                .await
            })
        })
    };
    insert(1, "Acme", false).await.expect("the first");
    let unique = catalog.find_entity("account").expect("there").uniques[0].index.clone();
    assert_eq!(insert(2, "ACME", false).await, Err(StoreError::UniqueViolation { index: unique }), "folded");
    insert(3, "acme", true).await.expect("a deleted record does not count");
    let orphan = write(&store, |tx| {
        Box::pin(async move {
            let now = tx.now();
            tx.run(Sql::template(
                "INSERT INTO e_deal (id, created_at, updated_at, origin__account) VALUES (9, ?, ?, 77)",
                [sql::at(now), sql::at(now)],
            ))
            .await
        })
    })
    .await;
    assert!(matches!(orphan, Err(StoreError::ForeignKey { .. })), "{orphan:?}");
    let seen = store.rows(Sql::new("SELECT id, name FROM v_account"), &[INT, TEXT]).await.expect("the view reads");
    assert_eq!(seen.len(), 1, "live records only");
    // A new field, added to the filled table.
    let entity = catalog.find_entity("deal").expect("there");
    let field = entity.find_field("papers").expect("there");
    let again = ddl::add_column(dialect, &entity.table, &entity.find_field("place").expect("there").columns[0]);
    assert_eq!(
        again[0].text(dialect),
        format!("ALTER TABLE \"e_deal\" ADD COLUMN \"place__lat\" {}", dialect.column_type(relata::schema::catalog::ColumnKind::Int))
    );
    assert_eq!(ddl::add_columns(dialect, &catalog, entity, &[field]).len(), 2, "side table and its index");
    store.close().await.expect("closes");
}
