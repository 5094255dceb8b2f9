//! `relata test --mutate`: changes that tests notice, changes that they do not, changes that cannot be made.

use std::path::Path;

use relata::deploy::{self, Folders};
use relata::proof::{self, Mutation, Mutations, Score};
use relata::schema::SourceFile;

const SHOP: &str = r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  amount: {type: integer, min: 0}
  stage: {type: select, options: [new, won], default: new}
rules:
  - {id: cheap, assert: "amount is null or amount < 100", at: amount}
pipelines:
  - id: sales
    field: stage
    stages: [{key: new}, {key: won, closed: won}]
    gates:
      - {id: priced, to: won, require: [{fields: [amount]}]}
---
kind: role
id: clerk
permissions:
  deal: {create: true, update: "stage = 'new'"}
"#;

const CASES: &str = r#"
- name: a deal has a name
  when: {create: deal, values: {amount: 1}}
  expect: {reject: [{field: name}]}
- name: it is cheap, and not below zero
  when: {create: deal, values: {name: A, amount: 100}}
  expect: {reject: [{field: amount}]}
- name: nor below zero
  when: {create: deal, values: {name: A, amount: -1}}
  expect: {reject: [{field: amount}]}
- name: ninety-nine is cheap
  when: {create: deal, values: {name: A, amount: 99}}
  expect: {ok: true, values: {stage: new}}
- name: what has no amount may be made, and is not won
  records: [{deal: a, values: {name: A}}]
  when: {update: $a, values: {stage: won}}
  expect: {reject: [{field: amount}]}
"#;

fn files(cases: &str) -> Vec<SourceFile> {
    let shipped = deploy::read(&Folders::new(Path::new(env!("CARGO_MANIFEST_DIR")), None)).expect("readable");
    let mut files: Vec<SourceFile> = shipped.into_iter().filter(|file| file.path.starts_with("definitions/core/")).collect();
    files.extend([
        SourceFile::new("relata.yaml", "name: Shop\n"),
        SourceFile::new("definitions/shop/package.yaml", SHOP),
        SourceFile::new("definitions/shop/tests/deal.yaml", cases),
    ]);
    files
}

async fn score(cases: &str, options: Mutations) -> Score {
    let options = Mutations { packages: vec!["shop".to_owned()], ..options };
    match proof::mutate(&files(cases), &options).await.expect("runs") {
        Mutation::Done { mut scores, .. } if scores.len() == 1 => scores.remove(0),
        other => panic!("{}", other.text()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_case_notices_is_told_with_its_place() {
    let score = score(CASES, Mutations::default()).await;
    // Nobody tried what a clerk may do; the rest is noticed.
    assert!(score.survivors.iter().all(|one| one.line >= 24 && one.file == "definitions/shop/package.yaml"), "{:?}", score.survivors);
    let changes: Vec<&str> = score.survivors.iter().map(|one| one.change.as_str()).collect();
    for change in ["`create` on `deal` became false", "`update` on `deal` became true", "`delete` on `deal` became true"] {
        assert!(changes.contains(&change), "{changes:?}");
    }
    assert!(score.caught >= 10, "{score:?}");
    let with_roles = format!(
        "{CASES}\n- name: a clerk changes what is new\n  records:\n    - {{user: joe, values: {{name: Joe, email: joe@example.com, roles: [clerk]}}}}\n    - {{deal: a, values: {{name: A, amount: 1}}}}\n  when:\n    - {{create: deal, values: {{name: B}}, as: $joe}}\n    - {{update: $a, values: {{amount: 2}}, as: $joe}}\n    - {{list: deal, filter: \"amount = 2\", as: $joe}}\n  expect: {{found: [$a]}}\n- name: and nothing that is won\n  records:\n    - {{user: joe, values: {{name: Joe, email: joe@example.com, roles: [clerk]}}}}\n    - {{deal: a, values: {{name: A, amount: 1}}}}\n  when:\n    - {{update: $a, values: {{stage: won}}}}\n    - {{update: $a, values: {{amount: 2}}, as: $joe}}\n  expect: {{ok: false}}\n- name: nor does a clerk delete\n  records:\n    - {{user: joe, values: {{name: Joe, email: joe@example.com, roles: [clerk]}}}}\n    - {{deal: a, values: {{name: A}}}}\n  when: {{delete: $a, as: $joe}}\n  expect: {{ok: false}}\n"
    );
    let better = self::score(&with_roles, Mutations::default()).await;
    assert!(better.survivors.is_empty(), "{:?}", better.survivors);
    assert_eq!(better.percent(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_chooses_the_same_ones_again() {
    let options = |seed| Mutations { limit: Some(5), seed, ..Mutations::default() };
    let one = score(CASES, options(1)).await;
    assert_eq!(one.mutants() + one.refused, 5);
    assert_eq!(one, score(CASES, options(1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_fail_already_are_told_first() {
    let wrong = "- name: wrong\n  when: {create: deal, values: {name: A}}\n  expect: {values: {stage: won}}\n";
    let mutation = proof::mutate(&files(wrong), &Mutations::default()).await.expect("runs");
    assert!(matches!(mutation, Mutation::Failing(_)) && !mutation.is_ok(0), "{}", mutation.text());
    assert!(mutation.text().contains("definitions/shop/tests/deal.yaml:1: wrong"), "{}", mutation.text());
}
