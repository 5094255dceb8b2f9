//! A plan says what a change of roles means for people, and widening wants a word of its own.

use relata::app::AppError;
use relata::deploy::{self, DeployError, Plan};
use serde_json::{Value, json};

use super::world::{World, get, person};

const REP: &str = "definitions/sales/roles/rep.yaml";

/// A plan with other texts in the files of the roles: (path, from, to).
async fn plan(world: &World, changes: &[(&str, &str, &str)]) -> Plan {
    deploy::plan(&world.app.workspace.store, &files(world, changes)).await.expect("a plan")
}

fn files(world: &World, changes: &[(&str, &str, &str)]) -> Vec<relata::schema::SourceFile> {
    let mut all = deploy::read(&world.app.workspace.folders).expect("the files are readable");
    for (path, from, to) in changes {
        let file = all.iter_mut().find(|file| file.path == *path).expect("the file");
        assert!(file.text.contains(from), "{path}: {from}");
        file.text = file.text.replace(from, to);
    }
    all
}

fn effect(plan: &Plan, role: &str) -> Value {
    let told = plan.to_json()["access"].as_array().cloned().unwrap_or_default();
    told.into_iter().find(|effect| effect["role"] == role).unwrap_or_else(|| panic!("{role}: {}", plan.text()))
}

#[tokio::test]
async fn widening_is_counted_confirmed_and_only_then_applied() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.deal(&world.stranger, json!({"name": name})).await;
    }
    world.deal(&world.rep, json!({"name": "mine"})).await;
    // Everybody in the role sees everything: the most anybody gains are the deals of the others.
    let wider = (REP, "rows: \"owner = me() or owner.team in my_teams()\"", "rows: \"owner is not null\"");
    let plan_wider = plan(&world, &[wider]).await;
    let told = effect(&plan_wider, "rep");
    assert_eq!((&told["people"], &told["widens"]), (&json!(3), &json!(true)), "{told:#}");
    let records = told["gains"].as_array().and_then(|gains| gains.iter().find(|gain| gain["kind"] == "records")).expect("records");
    assert_eq!(
        *records,
        json!({"kind": "records", "action": "read", "entity": "deal", "records": 3, "more": false, "at_least": false}),
        "{told:#}"
    );
    let text = plan_wider.text();
    assert!(text.contains("! role rep") && text.contains("widening_access"), "{text}");
    assert!(text.contains("3 people gain 3 records of deal (read)") && text.contains("Needs --accept widening_access:"), "{text}");
    let name = plan_wider.confirmations[0].name.clone();
    let all = files(&world, &[wider]);
    let refused = world.app.workspace.apply(&all, None, &[], 0).await;
    assert!(matches!(refused, Err(AppError::Deploy(DeployError::Unconfirmed(ref names))) if *names == [name.clone()]), "{refused:?}");
    assert_eq!(world.ids(&world.rep, "deal").await.len(), 1);
    world.app.workspace.apply(&all, None, &[name], 0).await.expect("confirmed");
    assert_eq!(world.ids(&world.rep, "deal").await.len(), 4);
    // Back again is less for them, and needs nothing.
    let back = deploy::read(&world.app.workspace.folders).expect("the files");
    let narrower = deploy::plan(&world.app.workspace.store, &back).await.expect("a plan");
    let told = effect(&narrower, "rep");
    assert_eq!((&told["widens"], &told["losses"][0]["records"]), (&json!(false), &json!(3)), "{told:#}");
    assert!(narrower.confirmations.is_empty() && narrower.text().contains("3 people lose 3 records of deal (read)"), "{}", narrower.text());
    world.app.workspace.apply(&back, None, &[], 0).await.expect("applied");
    let again = deploy::read(&world.app.workspace.folders).expect("the files");
    assert!(deploy::plan(&world.app.workspace.store, &again).await.expect("a plan").is_empty());
}

#[tokio::test]
async fn fields_actions_and_new_definitions_are_told_too() {
    let world = World::new().await;
    world.deal(&world.rep, json!({"name": "mine"})).await;
    world.deal(&world.mate, json!({"name": "ours"})).await;
    let fields = plan(&world, &[(REP, "hide: [margin, remark], read_only: [owner, amount]", "hide: [remark], read_only: [owner]")]).await;
    let told = effect(&fields, "rep");
    let gained = |field: &str, action: &str| json!({"kind": "field", "action": action, "entity": "deal", "field": field});
    let gains = told["gains"].as_array().expect("gains");
    for gain in [gained("margin", "read"), gained("margin", "update"), gained("amount", "update")] {
        assert!(gains.contains(&gain), "{gain}: {told:#}");
    }
    assert!(gains.iter().all(|gain| gain["kind"] == "field"), "no record more: {told:#}");
    let actions = plan(&world, &[(REP, "update: \"owner = me()\"\n    delete", "update: true\n    delete")]).await;
    let told = effect(&actions, "rep");
    assert!(told["gains"].to_string().contains("\"action\":\"update\""), "{told:#}");
    assert!(actions.text().contains("1 record of deal (update)"), "{}", actions.text());
    // A field that this very plan makes cannot be counted by.
    let fresh = plan(
        &world,
        &[
            (
                "definitions/sales/entities/all.yaml",
                "  remark: {type: text, search: true}",
                "  remark: {type: text, search: true}\n  hot: {type: boolean}",
            ),
            (REP, "rows: \"owner = me() or owner.team in my_teams()\"", "rows: \"owner = me() or hot = true\""),
        ],
    )
    .await;
    let told = effect(&fresh, "rep");
    assert!(told["gains"].to_string().contains("\"records\":null"), "{told:#}");
    // Nobody has it: nothing is wider for anybody yet.
    let unused = plan(&world, &[("definitions/sales/roles/others.yaml", "deal: {read: false, create: true}", "deal: all")]).await;
    let told = effect(&unused, "filer");
    assert_eq!((&told["people"], &told["widens"]), (&json!(0), &json!(false)));
    assert!(unused.confirmations.is_empty() && unused.text().contains("nobody has it; gains"), "{}", unused.text());
    // Without a document of its own the everyday role allows everything.
    let everyday = person(&world.app, "everyday", &["user"], json!({})).await;
    get(&world.app, &everyday, "/api/v1/records/deal").await.expect_status(200);
    let exposed = plan(
        &world,
        &[(
            "definitions/sales/entities/all.yaml",
            "profit: {type: formula, expr: \"margin * 2\", returns: decimal, scale: 2}",
            "profit: {type: formula, expr: \"margin * 2\", returns: decimal, scale: 2, expose: value}",
        )],
    )
    .await;
    assert!(exposed.text().contains("widening_access") && exposed.confirmations.len() == 1, "{}", exposed.text());
}

#[tokio::test]
async fn everybody_who_has_the_role_counts_not_the_first_few() {
    let world = World::new().await;
    for number in 0..6 {
        person(&world.app, &format!("rep{number}"), &["rep"], json!({})).await;
    }
    // The last of them leads somebody, and nobody else does.
    let last = person(&world.app, "last", &["rep"], json!({})).await;
    let below = person(&world.app, "below", &["filer"], json!({"manager": last.id})).await;
    for name in ["a", "b"] {
        world.deal(&below, json!({"name": name})).await;
    }
    let wider = (REP, "owner.team in my_teams()\"\n    create", "owner.team in my_teams() or owner in my_reports()\"\n    create");
    let told = effect(&plan(&world, &[wider]).await, "rep");
    let records = told["gains"].as_array().and_then(|gains| gains.iter().find(|gain| gain["kind"] == "records")).expect("records");
    assert_eq!((&told["people"], &records["records"], &records["at_least"]), (&json!(10), &json!(2), &json!(false)), "{told:#}");
    // What the document says word for word as before is not counted, and gives nobody anything.
    let fields = plan(&world, &[(REP, "read_only: [owner, amount]", "read_only: [owner]")]).await;
    let told = effect(&fields, "rep");
    assert!(!told["gains"].to_string().contains("\"records\""), "{told:#}");
}
