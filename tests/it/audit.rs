//! The audit: what is written, who may read it, and that nothing can be changed in it unseen.

mod table;

use axum::http::Method;
use relata::auth::{NewToken, NewUser};
use relata::base::{DateTime, Random, SeededRandom};
use relata::store::audit::{self, Anchor, Break, Entry, Filter, Follower, Line, sign};
use relata::store::keys;
use relata::store::{Sql, Store, StoreError};
use serde_json::{Value, json};

use crate::support::TestApp;

pub async fn lines(app: &TestApp, action: &str) -> Vec<Line> {
    let filter = Filter { action: Some(action.to_owned()), ..Filter::default() };
    audit::list(&app.workspace.store, &filter, None, 1000).await.expect("lists")
}

async fn verify(store: &Store, anchors: Vec<Anchor>) -> Result<Option<Anchor>, Break> {
    audit::verify(store, anchors).await.expect("reads")
}

/// Somebody who has a password.
async fn person(app: &TestApp, email: &str, admin: bool) {
    let person = NewUser { name: "Joe".into(), email: email.into(), password: "a long enough phrase".into(), locale: None, admin };
    app.workspace.auth.create_user(person).await.expect("created");
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> crate::support::Answer {
    let form = format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
    app.request(Method::POST, "/sign-in")
        .anonymous()
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .text(form)
        .send()
        .await
}

#[tokio::test]
async fn nobody_but_administrators_reads_it() {
    let app = TestApp::empty().await;
    person(&app, "joe@example.com", false).await;
    let token = NewToken { email: "joe@example.com".into(), name: "joe".into(), days: None };
    let token = app.workspace.auth.create_token(token).await.expect("made").secret;
    for path in ["/audit", "/audit/export", "/audit/export?format=json"] {
        app.request(Method::GET, path).token(&token).send().await.expect_problem(403, "ACL002");
        app.request(Method::GET, path).anonymous().send().await.expect_status(303);
        app.get(path).await.expect_status(200);
    }
}

#[tokio::test]
async fn sign_ins_tokens_and_rights_are_written_down() {
    let app = TestApp::crm().await;
    person(&app, "joe@example.com", false).await;
    assert_eq!(lines(&app, "definitions.apply").await.len(), 1);
    assert_eq!(lines(&app, "token.create").await.len(), 1);
    assert_eq!(lines(&app, "password.set").await.len(), 1);

    sign_in(&app, "joe@example.com", "wrong and long enough").await;
    sign_in(&app, "nobody@example.com", "wrong and long enough").await;
    let refused = lines(&app, "session.refuse").await;
    assert_eq!(refused.len(), 2);
    assert!(refused[0].record.is_none() && refused[1].record.is_some(), "{refused:?}");
    let answer = sign_in(&app, "joe@example.com", "a long enough phrase").await.expect_status(303);
    let cookie = answer.header("set-cookie").to_owned();
    let begun = lines(&app, "session.begin").await;
    assert_eq!((begun.len(), begun[0].actor_kind.as_str(), begun[0].origin.as_str()), (1, "person", "127.0.0.1"));
    assert_eq!(begun[0].request, answer.header("x-request-id"));
    assert_eq!(begun[0].record, Some(begun[0].actor));
    app.request(Method::POST, "/sign-out").session(&cookie).header("sec-fetch-site", "same-origin").send().await.expect_status(303);
    let ended = lines(&app, "session.end").await;
    assert_eq!((ended.len(), ended[0].actor), (1, begun[0].actor));

    let joe = app.get("/api/v1/records/user?filter=email='joe@example.com'").await.expect_status(200).json();
    let joe = joe["data"][0]["id"].as_str().expect("an id").to_owned();
    let before = lines(&app, "person.change").await.len();
    app.patch(&format!("/api/v1/records/user/{joe}"), json!({"name": "Joe B"})).await.expect_status(200);
    assert_eq!(lines(&app, "person.change").await.len(), before, "a name is no right");
    app.patch(&format!("/api/v1/records/user/{joe}"), json!({"roles": ["admin"]})).await.expect_status(200);
    let changed = lines(&app, "person.change").await;
    assert_eq!(changed.len(), before + 1);
    assert_eq!(serde_json::from_str::<Value>(&changed[0].detail).expect("JSON"), json!({"kind": "update", "roles": ["admin"]}));
    assert_eq!(changed[0].actor_kind, "token");

    // Ordinary saves write nothing here, and no entry holds an address or a name.
    let count = audit::list(&app.workspace.store, &Filter::default(), None, 1000).await.expect("lists").len();
    app.create("account", json!({"name": "Somebody"})).await;
    let all = audit::list(&app.workspace.store, &Filter::default(), None, 1000).await.expect("lists");
    assert_eq!(all.len(), count);
    for word in ["joe", "admin@example.com", "nobody@", "phrase", "Somebody"] {
        assert!(!all.iter().any(|line| line.detail.contains(word)), "{word}");
    }
    assert_eq!(verify(&app.workspace.store, Vec::new()).await.expect("whole").map(|end| end.seq), Some(all[0].seq));
}

#[tokio::test]
async fn the_page_filters_pages_and_exports() {
    let app = TestApp::empty().await;
    for number in 0..120 {
        let entry = Entry::new("records.import").of("core.user").fact("number", number).fact("formula", "=1+1");
        audit::note(&app.workspace.store, entry).await.expect("written");
    }
    let first = app.get("/audit?act=records.import").await.expect_status(200).text();
    assert!(first.contains("number: 119") && !first.contains("number: 60"), "{first}");
    let plain = first.replace("&amp;", "&").replace("&#x2f;", "/").replace("&#x3d;", "=");
    let older = plain.split('"').find(|part| part.starts_with("/audit?") && part.contains("before=")).expect("older entries").to_owned();
    assert!(older.contains("act=records.import"), "{older}");
    assert!(app.get(&older).await.expect_status(200).text().contains("number: 69"));
    assert!(!app.get("/audit?act=token.create").await.expect_status(200).text().contains("number: 1"));
    assert!(!app.get("/audit?until=2026-11-20").await.expect_status(200).text().contains("number: 1"));
    assert!(app.get("/audit?since=2026-11-21&until=2026-11-21").await.expect_status(200).text().contains("number: 119"));
    for odd in ["act=nothing", "since=yesterday", "until=9999-12-31", "record=x", "actor=x", "before=x", "record=user_zzz"] {
        app.get(&format!("/audit?{odd}")).await.expect_status(200);
    }
    let csv = app.get("/audit/export?act=records.import").await.expect_status(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text().lines().count(), 121);
    let json = app.get("/audit/export?format=json&act=records.import").await.expect_status(200).json();
    assert_eq!(json.as_array().map(Vec::len), Some(120));
    assert_eq!(json[0]["detail"]["number"], 119);
    assert_eq!(lines(&app, "audit.export").await.len(), 2);
    for locale in ["zh-CN", "zh-TW"] {
        let page = app.request(Method::GET, "/audit").header("accept-language", locale).send().await.expect_status(200).text();
        assert!(page.contains(if locale == "zh-CN" { "审计" } else { "稽核" }), "{locale}");
    }
}

#[test]
fn every_act_has_its_words_in_every_language() {
    let messages = relata::render::Messages::new();
    for action in audit::ACTIONS {
        for locale in relata::base::Locale::ALL {
            assert!(messages.has(locale, &format!("act-{}", action.replace(['.', '_'], "-"))), "{action} {locale:?}");
        }
    }
}

/// Runs a statement of somebody who can write to the database.
async fn tamper(store: &Store, sql: &'static str) -> Result<u64, StoreError> {
    store.write(move |tx| Box::pin(async move { tx.run(Sql::new(sql)).await })).await
}

#[tokio::test]
async fn entries_can_be_neither_changed_nor_removed() {
    let app = TestApp::empty().await;
    let store = &app.workspace.store;
    for sql in ["UPDATE sys_audit SET detail = '{}'", "DELETE FROM sys_audit", "DELETE FROM sys_audit WHERE seq = 1"] {
        let refused = tamper(store, sql).await.expect_err(sql);
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    if crate::support::postgres_url().is_some() {
        tamper(store, "TRUNCATE sys_audit").await.expect_err("truncate");
    }
    assert!(verify(store, Vec::new()).await.is_ok());
}

#[tokio::test]
async fn what_is_changed_behind_our_back_is_seen() {
    let app = TestApp::empty().await;
    let store = &app.workspace.store;
    for number in 0..20 {
        audit::note(store, Entry::new("records.import").fact("number", number)).await.expect("written");
    }
    let end = verify(store, Vec::new()).await.expect("whole").expect("an end");
    let anchor = Anchor::parse(&format!("{end} 2026-11-21T08:00:00Z")).expect("an anchor");
    assert_eq!(audit::head(store).await.expect("read").as_ref(), Some(&anchor));
    // Who may alter tables can take the triggers away.
    if crate::support::postgres_url().is_some() {
        tamper(store, "ALTER TABLE sys_audit DISABLE TRIGGER ALL").await.expect("altered");
    } else {
        tamper(store, "DROP TRIGGER tr_sys_audit_update").await.expect("dropped");
        tamper(store, "DROP TRIGGER tr_sys_audit_delete").await.expect("dropped");
    }
    tamper(store, "DELETE FROM sys_audit WHERE seq = (SELECT max(seq) FROM sys_audit)").await.expect("cut");
    assert!(verify(store, Vec::new()).await.is_ok(), "a cut end is only seen by an anchor");
    assert_eq!(verify(store, vec![anchor]).await, Err(Break::CutOff { seq: end.seq, last: end.seq - 1 }));
    tamper(store, "UPDATE sys_audit SET actor = actor + 1 WHERE seq = 5").await.expect("changed");
    assert_eq!(verify(store, Vec::new()).await, Err(Break::Changed { seq: 5 }));
    tamper(store, "DELETE FROM sys_audit WHERE seq = 3").await.expect("removed");
    assert_eq!(verify(store, Vec::new()).await, Err(Break::Gap { after: 2, found: 4 }));
    tamper(store, "DELETE FROM sys_audit").await.expect("removed");
    assert_eq!(verify(store, vec![end.clone()]).await, Err(Break::CutOff { seq: end.seq, last: 0 }));
}

/// A chain in memory, and the key that signed it.
fn chain(random: &SeededRandom, folder: &std::path::Path) -> (keys::Key, Vec<Line>) {
    let key = keys::read_or_make(folder, "audit", random).expect("a key");
    let mut before = Default::default();
    let lines = (1..=30).map(|seq| {
        let mut line = Line {
            seq,
            at: DateTime(1_800_000_000_000_000 + seq),
            actor: seq % 3,
            actor_kind: "person".into(),
            action: "records.import".into(),
            entity: (seq % 2 == 0).then(|| "core.user".into()),
            record: (seq % 2 == 0).then_some(seq * 7),
            field: (seq % 5 == 0).then(|| "email".into()),
            origin: "192.0.2.7".into(),
            request: format!("{seq:08x}"),
            detail: format!("{{\"number\":{seq}}}"),
            mac: String::new(),
        };
        before = sign(&key, &before, &line);
        line.mac = before.iter().map(|byte| format!("{byte:02x}")).collect();
        line
    });
    let lines = lines.collect();
    (key, lines)
}

fn follow(key: &keys::Key, lines: &[Line], anchor: &Anchor) -> Result<Option<Anchor>, Break> {
    let mut follower = Follower::new(key, vec![anchor.clone()]);
    for line in lines {
        follower.follow(line)?;
    }
    follower.end()
}

/// Ten thousand ways to change, remove, add, swap or move: none goes unseen.
#[test]
fn ten_thousand_mutations_are_all_seen() {
    let random = SeededRandom::new(42);
    let folder = std::env::temp_dir().join(format!("relata-audit-{}", std::process::id()));
    let (key, whole) = chain(&random, &folder);
    let end = Anchor::parse(&format!("relata-audit/1 30 {}", whole[29].mac)).expect("an anchor");
    assert_eq!(follow(&key, &whole, &end), Ok(Some(end.clone())));
    let pick = |most: usize| usize::try_from(random.next_u64() % most as u64).expect("small");
    let mut done = 0;
    while done < 10_000 {
        let mut lines = whole.clone();
        let at = pick(lines.len());
        match pick(9) {
            0 => drop(lines.remove(at)),
            1 => lines.truncate(at),
            2 => {
                let other = pick(lines.len());
                lines.swap(at, other);
            }
            3 => {
                // A forged entry in between, everything after it renumbered.
                let forged = lines[at].clone();
                lines.insert(at, forged);
                for (position, line) in lines.iter_mut().enumerate() {
                    line.seq = i64::try_from(position).expect("small") + 1;
                }
            }
            4 => {
                drop(lines.remove(at));
                for (position, line) in lines.iter_mut().enumerate() {
                    line.seq = i64::try_from(position).expect("small") + 1;
                }
            }
            5 => {
                // Signed anew from there on, with another key.
                let other = keys::read_or_make(&folder.join("other"), "audit", &random).expect("a key");
                let mut before = Default::default();
                for line in &mut lines[at..] {
                    line.detail.push(' ');
                    before = sign(&other, &before, line);
                    line.mac = before.iter().map(|byte| format!("{byte:02x}")).collect();
                }
            }
            6 => lines[at].origin.clone_from(&whole[pick(30)].request),
            _ => mutate(&mut lines[at], &pick, &random),
        }
        if lines == whole {
            continue;
        }
        assert!(follow(&key, &lines, &end).is_err(), "unseen: {lines:?}");
        done += 1;
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// Changes one column of an entry, by a bit or a character.
fn mutate(line: &mut Line, pick: &dyn Fn(usize) -> usize, random: &SeededRandom) {
    let text = |text: &mut String| match (pick(3), text.is_empty()) {
        (0, _) | (_, true) => text.push(char::from(b'a' + u8::try_from(pick(26)).expect("small"))),
        (1, _) => drop(text.pop()),
        _ => {
            let at = pick(text.len());
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << pick(7);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
    };
    match pick(12) {
        0 => line.seq ^= 1 << pick(20),
        1 => line.at = DateTime(line.at.0 ^ (1 << pick(50))),
        2 => line.actor ^= 1 << pick(60),
        3 => text(&mut line.actor_kind),
        4 => text(&mut line.action),
        5 => line.entity = if line.entity.is_some() { None } else { Some(String::new()) },
        6 => line.record = if pick(2) == 0 { None } else { Some(i64::try_from(random.next_u64() >> 1).expect("fits")) },
        7 => line.field = if line.field.is_some() { None } else { Some(String::new()) },
        8 => text(&mut line.origin),
        9 => text(&mut line.request),
        10 => text(&mut line.detail),
        _ => text(&mut line.mac),
    }
}

#[test]
fn keys_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("relata-keys-{}", std::process::id()));
    let random = SeededRandom::new(7);
    keys::read_or_make(&folder, "audit", &random).expect("made");
    let path = keys::path(&folder, "audit");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
    let first = std::fs::read_to_string(&path).expect("read");
    keys::read_or_make(&folder, "audit", &random).expect("read again");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), first, "a key is never replaced");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert!(matches!(keys::read(&folder, "audit"), Err(StoreError::BadKey { .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::write(&path, "no key").expect("written");
    assert!(matches!(keys::read(&folder, "audit"), Err(StoreError::BadKey { .. })));
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn another_key_is_noticed_at_start() {
    use relata::store::{OpenOptions, Target};
    let folder = std::env::temp_dir().join(format!("relata-other-key-{}", std::process::id()));
    let open = || Store::open(OpenOptions::new(Target::Sqlite { path: folder.clone() }));
    open().await.expect("opens").close().await.expect("closes");
    let key = keys::path(&folder.join("keys"), "audit");
    let kept = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("removed");
    let refused = open().await.expect_err("without the key");
    assert!(matches!(&refused, StoreError::BadKey { .. }), "{refused}");
    keys::read_or_make(&folder.join("keys"), "audit", &SeededRandom::new(1)).expect("another key");
    assert!(matches!(open().await, Err(StoreError::BadKey { .. })));
    std::fs::write(&key, kept).expect("put back");
    open().await.expect("opens again").close().await.expect("closes");
    let _ = std::fs::remove_dir_all(folder);
}
