//! A desk that asks whether people were content.

use axum::http::Method;
use relata::outbound::Allow;
use relata::outbound::mail::{MailOptions, Security};
use serde_json::{Value, json};

use crate::support::smtp::MailServer;
use crate::support::{Answer, TestApp};

pub const DESK: &str = r#"
kind: package
id: desk
version: 1.0.0
---
kind: entity
id: desk.contact
title: "{name}"
fields:
  name: {type: text, required: true}
  email: {type: email, class: personal}
  language: {type: select, options: [en, zh-CN, zh-TW]}
---
kind: entity
id: desk.request
title: "{name}"
fields:
  name: {type: text, required: true}
  contact: {type: link, to: desk.contact}
  priority: {type: select, options: [low, high], default: low}
  escalated: {type: boolean, default: false}
---
kind: entity
id: desk.feedback
label: {en: Feedback, zh-CN: 反馈, zh-TW: 意見}
title: "{survey} {score}"
features: {owner: false}
fields:
  request: {type: link, to: desk.request, on_delete: cascade}
  contact: {type: link, to: desk.contact}
  score: {type: integer, min: 1, max: 5}
  recommend: {type: integer}
  solved: {type: boolean}
  reason: {type: select, options: [speed, tone, result]}
  liked: {type: multi_select, options: [people, price, words]}
  why: {type: long_text, class: personal}
---
kind: survey
id: satisfaction
label: {en: Satisfaction, zh-CN: 满意度, zh-TW: 滿意度}
for: request
answers: feedback
values: {contact: "=contact"}
title: {en: How did we do?, zh-CN: 我们做得怎么样？, zh-TW: 我們做得如何？}
intro: {en: It takes a minute., zh-CN: 只需一分钟。, zh-TW: 只需一分鐘。}
thanks: {en: Thank you very much., zh-CN: 非常感谢。, zh-TW: 非常感謝。}
language: "=contact.language"
expires: 14d
run_as: [answers]
questions:
  - field: score
    kind: csat
    label: {en: How content are you?, zh-CN: 您满意吗？, zh-TW: 您滿意嗎？}
    low: {en: Not at all, zh-CN: 非常不满意, zh-TW: 非常不滿意}
    high: {en: Very, zh-CN: 非常满意, zh-TW: 非常滿意}
    required: true
  - {field: solved}
  - {field: reason, when: "score <= 2", required: true}
  - {field: liked}
  - {field: why, label: {en: What could be better?, zh-CN: 有什么可以改进？, zh-TW: 有什麼可以改進？}}
---
kind: survey
id: loyalty
for: request
answers: feedback
edit: true
run_as: [answers]
questions: [{field: recommend, kind: nps, required: true}]
---
kind: role
id: answers
permissions: {feedback: {read: true, create: true, update: true}, request: read, contact: read}
---
kind: role
id: agent
permissions:
  core.user: read
  contact: read
  request: {read: true, update: true}
  feedback: {read: "score >= 4", fields: {hide: [why]}}
---
kind: role
id: clerk
permissions: {core.user: read, request: read}
"#;

pub const MAIL: &str = r#"
kind: template
for: request
id: ask
subject: {en: "About {{ name }}", zh-CN: "关于 {{ name }}"}
text: {en: "Tell us: {{ survey_link }}", zh-CN: "请告诉我们：{{ survey_link }}"}
html: {en: "<a href=\"{{ survey_link }}?score=5\">5</a>", zh-CN: "<a href=\"{{ survey_link }}?score=5\">5</a>"}
---
kind: automation
for: request
id: ask
trigger: {event: created}
run_as: [agent]
steps: [{do: survey, survey: satisfaction, to: "=contact.email", template: ask}]
---
"#;

pub struct World {
    pub app: TestApp,
}

impl World {
    pub async fn new(more: &str) -> Self {
        Self { app: TestApp::with_files(&files(more)).await }
    }

    /// With a mail server.
    pub async fn with_mail(server: &MailServer, more: &str) -> Self {
        let mail = MailOptions {
            host: "127.0.0.1".to_owned(),
            port: server.port,
            security: Security::Plain,
            credentials: Some((crate::support::smtp::USER.to_owned(), crate::support::smtp::PASSWORD.to_owned())),
            from: "Desk <desk@example.com>".to_owned(),
            reply_to: None,
            per_minute: 1_000,
        };
        let allow = vec![Allow::parse(&format!("{}:{}", mail.host, mail.port)).expect("an exception")];
        let files = files(more);
        let app = TestApp::with_options(&files, |options| {
            options.mail = Some(mail);
            options.egress.allow = allow;
        });
        Self { app: app.await }
    }

    pub async fn work(&self) {
        for _ in 0..4 {
            self.app.workspace.runner.run_until_idle().await.expect("jobs run");
        }
    }

    pub async fn request(&self, values: Value) -> String {
        let mut all = values;
        all["name"] = "Printer".into();
        self.app.create_id("request", all).await
    }

    /// A request of somebody who is written to in this language.
    pub async fn request_of(&self, language: &str) -> String {
        let values = json!({ "name": "Li Lei", "email": "lilei@example.org", "language": language });
        let contact = self.app.create_id("contact", values).await;
        self.request(json!({ "contact": contact })).await
    }

    /// Makes an invitation; gives the answer's id and the path of its page.
    pub async fn ask(&self, request: &str, survey: &str) -> (String, String) {
        let path = format!("/api/v1/records/request/{request}/surveys");
        let told = self.app.post(&path, json!({ "survey": survey })).await.expect_status(201).json();
        let link = told["link"].as_str().expect("a link");
        (told["answer"].as_str().expect("an id").to_owned(), link.strip_prefix("http://localhost:8080").expect("here").to_owned())
    }

    pub async fn read(&self, answer: &str) -> Value {
        self.app.get(&format!("/api/v1/records/feedback/{answer}")).await.expect_status(200).json()
    }

    /// Looks at a page as somebody who has only the link.
    pub async fn look(&self, path: &str) -> Answer {
        self.app.request(Method::GET, path).anonymous().send().await
    }

    pub async fn send(&self, path: &str, form: &str) -> Answer {
        let ask = self.app.request(Method::POST, path).anonymous().header("origin", "http://localhost:8080");
        ask.header("content-type", "application/x-www-form-urlencoded").text(form).send().await
    }

    /// An answer that is taken.
    pub async fn answer(&self, path: &str, form: &str) {
        let answer = self.send(path, form).await.expect_status(303);
        assert!(answer.header("location").starts_with("/survey/"));
    }
}

fn files(more: &str) -> [(&'static str, &str); 3] {
    let more = if more.is_empty() { "kind: role\nid: nobody\npermissions: {}\n" } else { more };
    [
        ("relata.yaml", "name: Desk\nlocale: en\ntime_zone: Asia/Shanghai\n"),
        ("definitions/desk/package.yaml", DESK),
        ("definitions/desk/more.yaml", more),
    ]
}

/// All questions that are asked at first, as a browser posts them.
pub const SHOWN: &str = "_shown=score,solved,liked,why";
