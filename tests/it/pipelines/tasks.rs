//! Tasks of stages: made when a record comes into a stage, checked off on its page, and awaited by gates at every door.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{World, faults};
use crate::access::world::{get, send};
use crate::support::doors::{DOORS, through};

const CARE: &str = "care";

async fn care(world: &World, more: Value) -> String {
    let mut values = json!({ "kind": CARE });
    for (name, value) in more.as_object().expect("an object") {
        values[name] = value.clone();
    }
    world.deal(values).await
}

/// The tasks about a deal: what each was made from and what it holds.
async fn tasks(world: &World, id: &str) -> Vec<Value> {
    let path = format!("/api/v1/records/task?filter=about = '{id}'&sort=id&select=id,stage_task,subject,due_on,done,assignee");
    let found = world.app.get(&path.replace(' ', "%20").replace('\'', "%27")).await.expect_status(200).json();
    found["data"].as_array().expect("tasks").clone()
}

fn named(tasks: &[Value]) -> Vec<String> {
    tasks.iter().map(|task| task["stage_task"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn check_off(world: &World, id: &str, key: &str) {
    let all = tasks(world, id).await;
    let task = all.iter().find(|task| task["stage_task"] == key).unwrap_or_else(|| panic!("no {key} in {all:?}"));
    let path = format!("/api/v1/records/task/{}", task["id"].as_str().unwrap());
    world.app.patch(&path, json!({ "done": true })).await.expect_status(200);
}

async fn moves(world: &World, id: &str) -> Value {
    world.app.get(&format!("/api/v1/records/deal/{id}/moves")).await.expect_status(200).json()["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_gets_the_tasks_of_the_stage_it_comes_into() {
    let world = World::new().await;
    let account = world.app.create_id("account", json!({ "name": "A", "owner": world.clerk.id })).await;
    let id = care(&world, json!({ "account": account })).await;
    let made = tasks(&world, &id).await;
    assert_eq!(named(&made), ["care/call", "care/note"]);
    assert_eq!((&made[0]["subject"], &made[0]["due_on"], &made[0]["done"]), (&json!("Call them"), &json!("2026-11-23"), &json!(false)));
    assert_eq!((&made[1]["assignee"], &made[1]["due_on"]), (&json!(world.clerk.id), &json!(null)), "{made:?}");
    // The owner of the record does what is nobody else's.
    let deal = world.app.get(&format!("/api/v1/records/deal/{id}")).await.json();
    assert_eq!(made[0]["assignee"], deal["owner"], "{deal:#}");
    // Records of other pipelines get none.
    let plain = world.deal(json!({})).await;
    assert!(tasks(&world, &plain).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_not_done_stops_the_record_at_every_door() {
    let world = World::new().await;
    let set = json!({ "stage": "offer" });
    for door in DOORS {
        let id = care(&world, json!({ "code": door })).await;
        let told =
            through(&world.app, door, &id, door, &set).await.unwrap_or_else(|| panic!("{door} lets it through")).replace("&#x27;", "'");
        let words = if door.ends_with("form") { "Call them” must be done first" } else { "`Call them` must be done first" };
        assert!(told.contains(words), "{door}: {told}");
        assert_eq!((world.stage(&id).await, tasks(&world, &id).await.len()), (json!("new"), 2), "{door}");
        check_off(&world, &id, "care/call").await;
        assert_eq!(through(&world.app, door, &id, door, &set).await, None, "{door}");
        assert_eq!(world.stage(&id).await, "offer", "{door}");
        assert_eq!(named(&tasks(&world, &id).await), ["care/call", "care/note", "care/send", "care/tell"], "{door}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gates_wait_for_tasks_by_name_and_for_all_of_a_stage() {
    let world = World::new().await;
    let id = care(&world, json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    // A task of a stage it never was in is not there, so it is not done.
    let problem = world.app.patch(&path, json!({ "stage": "talk" })).await.expect_problem(422, "REC010");
    let wanted = |gates: &[&str]| gates.iter().map(|gate| ("stage_task".to_owned(), (*gate).to_owned())).collect::<Vec<_>>();
    assert_eq!(faults(&problem), wanted(&["sent", "tasks"]), "{problem:#}");
    world.app.post("/api/v1/records/deal", json!({ "name": "A", "kind": CARE, "stage": "talk" })).await.expect_problem(422, "REC010");
    check_off(&world, &id, "care/call").await;
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_status(200);
    let problem = world.app.patch(&path, json!({ "stage": "won" })).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), wanted(&["all", "sent"]), "`send` is told once: {problem:#}");
    check_off(&world, &id, "care/send").await;
    let problem = world.app.patch(&path, json!({ "stage": "won" })).await.expect_problem(422, "REC010");
    assert_eq!(problem["errors"][0]["params"]["task"], "tell", "{problem:#}");
    world.app.patch(&path, json!({ "stage": "talk" })).await.expect_status(200);
    // Whoever gives up, or goes back, has nothing to do first.
    let other = care(&world, json!({})).await;
    world.app.patch(&format!("/api/v1/records/deal/{other}"), json!({ "stage": "lost" })).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_makes_nothing_twice() {
    let world = World::new().await;
    let id = care(&world, json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    check_off(&world, &id, "care/call").await;
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_status(200);
    let before = tasks(&world, &id).await;
    world.app.delete(&format!("/api/v1/records/task/{}", before[1]["id"].as_str().unwrap())).await.expect_status(204);
    world.app.patch(&path, json!({ "stage": "new" })).await.expect_status(200);
    let after = tasks(&world, &id).await;
    // What was done stays done, what is open stays as it is, what was deleted is made anew.
    assert_eq!(named(&after), ["care/call", "care/send", "care/tell", "care/note"]);
    assert_eq!((&after[0], &after[1]), (&before[0], &before[2]));
    assert_eq!(after[0]["done"], true);
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_status(200);
    assert_eq!(tasks(&world, &id).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_told_and_can_be_added() {
    let world = World::new().await;
    let id = care(&world, json!({})).await;
    let state = |standing: &Value| standing["tasks"][0]["state"].clone();
    let at_first = moves(&world, &id).await;
    assert_eq!((state(&at_first), &at_first["tasks"][0]["subject"]), (json!("open"), &json!("Call them")), "{at_first:#}");
    let task = at_first["tasks"][0]["record"].as_str().unwrap().to_owned();
    world.app.delete(&format!("/api/v1/records/task/{task}")).await.expect_status(204);
    let without = moves(&world, &id).await;
    assert_eq!(state(&without), "missing");
    let offer = without["moves"].as_array().unwrap().iter().find(|one| one["to"] == "offer").unwrap();
    assert_eq!(
        (&offer["passes"], &offer["conditions"][0]["kind"], &offer["conditions"][0]["task"]),
        (&json!(false), &json!("task"), &json!("call"))
    );
    let add = format!("/api/v1/records/deal/{id}/tasks");
    for wrong in
        [json!([]), json!({ "task": "call" }), json!({ "pipeline": "care", "task": "fly" }), json!({ "pipeline": "sales", "task": "call" })]
    {
        assert_eq!(world.app.post(&add, wrong.clone()).await.status.as_u16(), 422, "{wrong}");
    }
    for _ in 0..2 {
        let told = world.app.post(&add, json!({ "pipeline": "care", "task": "call" })).await.expect_status(200).json();
        assert_eq!(state(&told["data"][0]), "open", "{told:#}");
        assert_eq!(tasks(&world, &id).await.len(), 2);
    }
    // Without the task's own record nobody becomes a task of a stage.
    let values = json!({ "subject": "Mine", "about": id, "stage_task": "care/call", "done": true });
    world.app.post("/api/v1/records/task", values).await.expect_problem(422, "REC010");
    let own = world.app.create_id("task", json!({ "subject": "Mine", "about": id, "done": true })).await;
    let path = format!("/api/v1/records/task/{own}");
    world.app.patch(&path, json!({ "stage_task": "care/call" })).await.expect_problem(422, "REC010");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_cannot_be_made_keeps_the_record_where_it_is() {
    let world = World::new().await;
    let id = care(&world, json!({ "close_on": "2025-01-01" })).await;
    check_off(&world, &id, "care/call").await;
    let path = format!("/api/v1/records/deal/{id}");
    let problem = world.app.patch(&path, json!({ "stage": "offer" })).await.expect_problem(422, "REC010");
    assert_eq!(
        (&problem["errors"][0]["path"], &problem["errors"][0]["code"]),
        (&json!("/stage/send/due_on"), &json!("this_year")),
        "{problem:#}"
    );
    assert_eq!((world.stage(&id).await, tasks(&world, &id).await.len()), (json!("new"), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_over_tasks_are_not_needed_to_move_and_not_given_by_it() {
    let world = World::new().await;
    let values = json!({ "name": "Theirs", "kind": CARE });
    let made = send(&world.app, &world.outsider, Method::POST, "/api/v1/records/deal", &values).await.expect_status(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(tasks(&world, &id).await.len(), 2);
    get(&world.app, &world.outsider, "/api/v1/records/task").await.expect_status(404);
    let path = format!("/api/v1/records/deal/{id}");
    let mut told = Vec::new();
    for _ in 0..2 {
        let standing = get(&world.app, &world.outsider, &format!("{path}/moves")).await.expect_status(200).json()["data"][0].clone();
        assert_eq!(standing["tasks"][0]["state"], "hidden", "{standing:#}");
        told.push(standing["moves"][0].clone());
        check_off(&world, &id, "care/call").await;
    }
    assert_eq!(told[0], told[1], "whether it is done has no part in the answer");
    let other = send(&world.app, &world.outsider, Method::POST, "/api/v1/records/deal", &values).await.expect_status(201).json();
    let path = format!("/api/v1/records/deal/{}", other["id"].as_str().unwrap());
    let problem = send(&world.app, &world.outsider, Method::PATCH, &path, &json!({ "stage": "offer" })).await.expect_problem(422, "REC010");
    assert!(problem.to_string().contains("refused") && !problem.to_string().contains("Call them"), "{problem:#}");
    // Who may passes over it with a reason, which is kept.
    let anyway = json!({ "to": "offer", "reason": "They called us" });
    send(&world.app, &world.boss, Method::POST, &format!("{path}/moves"), &anyway).await.expect_status(200);
    let stays = world.app.get(&format!("{path}/stages")).await.json();
    assert_eq!(stays["data"][1]["reason"], "They called us", "{stays:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_checked_off_where_the_record_stands() {
    let world = World::new().await;
    let id = care(&world, json!({})).await;
    let (record, act) = (format!("/records/deal/{id}"), format!("/records/deal/{id}/tasks"));
    let plain = |text: String| text.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&amp;", "&");
    let page = plain(get(&world.app, &world.clerk, &record).await.expect_status(200).text());
    assert!(page.contains("Tasks of this stage") && page.contains("Mark done: Call them") && page.contains("before it goes on"), "{page}");
    let ask = format!("{record}/move?pipeline=care&to=offer");
    let asked = plain(get(&world.app, &world.clerk, &ask).await.expect_status(200).text());
    assert!(asked.contains("form=\"task-call\"") && asked.contains("“Call them” must be done first"), "{asked}");
    let task = tasks(&world, &id).await[0]["id"].as_str().unwrap().to_owned();
    let post = |body: String| {
        let request = world.app.request(Method::POST, &act).token(&world.clerk.token);
        request.header("content-type", "application/x-www-form-urlencoded").text(body).send()
    };
    post("_do=fly".to_owned()).await.expect_status(400);
    post(format!("_do=done&_record=deal_{}", &task[5..])).await.expect_status(404);
    let unknown = post("_do=add&_pipeline=care&_task=fly".to_owned()).await.expect_status(422);
    assert!(unknown.text().contains("no task of the pipeline"), "{}", unknown.text());
    let back = post(format!("_do=done&_record={task}&_pipeline=care&_to=offer&_return=/records/deal/board/care")).await.expect_status(303);
    assert_eq!(plain(back.header("location").to_owned()), format!("{ask}&_return=%2Frecords%2Fdeal%2Fboard%2Fcare"));
    let page = plain(get(&world.app, &world.clerk, &record).await.expect_status(200).text());
    assert!(page.contains("Open again: Call them") && page.contains(">Move to Offer</button>"), "it may move at once: {page}");
    let reopened = post(format!("_do=open&_record={task}")).await.expect_status(303);
    assert_eq!(reopened.header("location"), format!("{record}?done=saved"));
    let chinese = world.app.request(Method::GET, &record).header("accept-language", "zh-CN").send().await.text();
    assert!(chinese.contains("致电客户") && chinese.contains("本阶段任务"), "{chinese}");
}
