//! The shipped plugins: their definitions check beside `crm`, and their own cases hold.

use std::path::Path;

use relata::deploy::{self, Folders};
use relata::proof;

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_of_the_shipped_plugins_hold() {
    let files = deploy::read(&Folders::new(Path::new(env!("CARGO_MANIFEST_DIR")), None)).expect("readable");
    let files = files.into_iter().filter(|file| !file.path.contains("/retail/")).collect::<Vec<_>>();
    match proof::run(&files, Some("plugins/")).await {
        Ok(report) => {
            assert!(report.is_ok(), "{}", report.text());
            assert!(report.cases >= 25, "{} cases", report.cases);
        }
        Err(deploy::DeployError::Faults(faults)) => panic!("{}", relata::schema::diagnostic::render_text(&faults)),
        Err(error) => panic!("{error}"),
    }
}

/// The cases of packages are played on them and what they depend on: what plugins add to `crm` is no matter.
#[tokio::test(flavor = "multi_thread")]
async fn the_cases_of_the_shipped_packages_hold() {
    let files = deploy::read(&Folders::new(Path::new(env!("CARGO_MANIFEST_DIR")), None)).expect("readable");
    let packages: [(&str, &[&str], usize); 5] = [
        ("definitions/core/", &["/crm/", "/retail/", "/service/", "/sales/", "plugins/"], 35),
        ("definitions/crm/", &["/retail/", "/service/", "/sales/"], 140),
        ("definitions/retail/", &["/crm/", "/service/", "/sales/", "plugins/"], 30),
        ("definitions/sales/", &["/retail/", "/service/", "plugins/"], 500),
        ("definitions/service/", &["/retail/", "/sales/", "plugins/"], 300),
    ];
    for (package, others, least) in packages {
        let files: Vec<_> = files.iter().filter(|file| !others.iter().any(|other| file.path.contains(other))).cloned().collect();
        let report = proof::run(&files, Some(package)).await.expect("runs");
        assert!(report.is_ok(), "{}", report.text());
        assert!(report.cases >= least, "{package}: {} cases", report.cases);
    }
}

/// What scripts may do, told as stories of a small package of its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_scripts_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = deploy::read(&Folders::new(root, Some(root.join("tests/cases/script/stories")))).expect("readable");
    files.retain(|file| file.path.starts_with("definitions/"));
    match proof::run(&files, None).await {
        Ok(report) => {
            assert!(report.is_ok(), "{}", report.text());
            assert!(report.cases >= 30, "{} cases", report.cases);
        }
        Err(deploy::DeployError::Faults(faults)) => panic!("{}", relata::schema::diagnostic::render_text(&faults)),
        Err(error) => panic!("{error}"),
    }
}

/// A report says what was expected and what came, with file and line, for people and for programs.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_fails_is_told_with_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = deploy::read(&Folders::new(root, Some(root.join("tests/cases/script/stories")))).expect("readable");
    files.retain(|file| file.path.starts_with("definitions/") && !file.path.ends_with("stories.yaml"));
    let text = "- name: wrong\n  script: lab.before\n  given: {rec: {name: sum, parts: [{name: a, weight: 4}]}}\n  expect: {values: {count: 5}}\n\n- name: no such key\n  when: {create: thing}\n  expects: {}\n";
    files.push(relata::schema::SourceFile::new("definitions/lab/tests/wrong.yaml", text));
    let report = proof::run(&files, Some("wrong")).await.expect("runs");
    assert_eq!(report.failures.len(), 2, "{}", report.text());
    assert_eq!((report.failures[0].line, report.failures[1].line), (1, 6));
    assert_eq!(report.failures[0].faults, ["values.count: expected 5, got 4"]);
    assert!(report.text().starts_with("definitions/lab/tests/wrong.yaml:1: wrong\n"), "{}", report.text());
    assert_eq!(report.to_json()["failures"][0]["line"], 1);
}
