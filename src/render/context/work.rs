//! What the pages of jobs and automations get.

use serde::Serialize;

use super::{Choice, Shell, Stamp};

/// The queue: what waits, runs and failed.
#[derive(Debug, Default, Serialize)]
pub struct JobsPage {
    pub shell: Shell,
    /// All, and each state, with how many there are.
    pub states: Vec<Choice>,
    pub rows: Vec<JobRow>,
    pub older_href: Option<String>,
    pub schedules: Vec<ScheduleRow>,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct JobRow {
    pub id: String,
    pub kind: String,
    /// The script or automation; empty for work of the program itself.
    pub handler: String,
    pub record: String,
    pub record_href: Option<String>,
    pub state: String,
    pub state_text: String,
    pub due: Stamp,
    pub attempt: String,
    pub error: String,
    pub can_retry: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct ScheduleRow {
    pub name: String,
    pub spec: String,
    pub next: Stamp,
    pub last: Option<Stamp>,
}

/// The endpoints there are.
#[derive(Debug, Default, Serialize)]
pub struct WebhooksPage {
    pub shell: Shell,
    pub rows: Vec<WebhookRow>,
    /// What the form of a new one holds.
    pub name: String,
    pub url: String,
    pub events: String,
    /// Events as they can be written.
    pub examples: String,
    pub must_confirm: bool,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct WebhookRow {
    pub href: String,
    pub name: String,
    pub url: String,
    pub events: String,
    pub state: String,
    pub is_active: bool,
    pub is_failing: bool,
}

/// One endpoint with what was sent to it.
#[derive(Debug, Default, Serialize)]
pub struct WebhookPage {
    pub shell: Shell,
    pub id: String,
    pub row: WebhookRow,
    /// One a line.
    pub events: String,
    pub examples: String,
    /// Told once.
    pub secret: Option<String>,
    /// Until when the former secret signs too.
    pub former_until: Option<Stamp>,
    pub deliveries: Vec<DeliveryRow>,
    pub older_href: Option<String>,
    pub must_confirm: bool,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct DeliveryRow {
    pub id: String,
    /// The id of the message outside.
    pub message: String,
    pub kind: String,
    pub body: String,
    pub state: String,
    pub state_text: String,
    pub attempts: i64,
    /// Status of the last answer.
    pub answer: String,
    pub error: String,
    pub at: Stamp,
}

/// What was sent by e-mail, and how it can be tried.
#[derive(Debug, Default, Serialize)]
pub struct MailsPage {
    pub shell: Shell,
    /// A mail server is named.
    pub has_server: bool,
    /// All, and each state.
    pub states: Vec<Choice>,
    pub rows: Vec<MailRow>,
    pub older_href: Option<String>,
    pub templates: Vec<MailTemplateRow>,
    pub stops: Vec<MailStopRow>,
    /// What the form of a test holds.
    pub to: String,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct MailRow {
    pub id: String,
    pub href: String,
    /// Empty where it was forgotten.
    pub to: String,
    pub subject: String,
    /// Automation, template, or what of the program sends it.
    pub source: String,
    pub state: String,
    pub state_text: String,
    pub attempts: i64,
    pub error: String,
    pub at: Stamp,
}

#[derive(Debug, Default, Serialize)]
pub struct MailTemplateRow {
    pub id: String,
    pub href: String,
    pub label: String,
    pub entity: String,
    pub languages: String,
}

#[derive(Debug, Default, Serialize)]
pub struct MailStopRow {
    pub address: String,
    pub href: String,
    pub error: String,
    pub at: Stamp,
}

/// One e-mail.
#[derive(Debug, Default, Serialize)]
pub struct MailPage {
    pub shell: Shell,
    pub row: MailRow,
    pub message: String,
    pub run_href: Option<String>,
    pub record: Option<(String, String)>,
    pub can_send: bool,
    /// What it says, as long as that is kept.
    pub has_content: bool,
    pub text: String,
    pub html: Option<String>,
}

/// A template tried on a record.
#[derive(Debug, Default, Serialize)]
pub struct MailTemplatePage {
    pub shell: Shell,
    pub id: String,
    pub entity: String,
    pub entity_href: String,
    pub record: String,
    pub languages: Vec<Choice>,
    /// What it says, where a record is named.
    pub has_content: bool,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    pub has_server: bool,
    pub to: String,
    pub error: Option<String>,
}

/// What a person was told.
#[derive(Debug, Default, Serialize)]
pub struct NotificationsPage {
    pub shell: Shell,
    pub rows: Vec<NotificationRow>,
    /// Those that are read are left out.
    pub only_unread: bool,
    pub older_href: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct NotificationRow {
    pub id: String,
    pub text: String,
    /// Of the record it is about; empty for none.
    pub title: String,
    pub href: Option<String>,
    pub at: Stamp,
    pub is_read: bool,
}

/// The automations there are, and what they did lately.
#[derive(Debug, Default, Serialize)]
pub struct AutomationsPage {
    pub shell: Shell,
    pub automations: Vec<AutomationRow>,
    /// Filters of the runs.
    pub names: Vec<Choice>,
    pub states: Vec<Choice>,
    pub runs: Vec<RunRow>,
    pub older_href: Option<String>,
    /// The password is asked for once more.
    pub must_confirm: bool,
    /// The address of a receiver and its new secret, shown once.
    pub secret: Option<(String, String)>,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct AutomationRow {
    /// The full id.
    pub id: String,
    pub label: String,
    pub entity: String,
    /// What starts it, and on which condition.
    pub event: String,
    pub when: String,
    /// Whose rights it has.
    pub rights: String,
    /// How many runs there are in the log, by state.
    pub counts: String,
    /// It takes messages of other programs.
    pub receives: bool,
    pub is_paused: bool,
    pub paused_since: Option<Stamp>,
    pub paused_why: String,
}

#[derive(Debug, Default, Serialize)]
pub struct RunRow {
    pub href: String,
    pub name: String,
    pub record: String,
    pub record_href: Option<String>,
    pub event: String,
    pub state: String,
    pub state_text: String,
    pub reason: String,
    pub began: Stamp,
}

/// What an automation would have done: what is asked, and the answer.
#[derive(Debug, Default, Serialize)]
pub struct WhatIfPage {
    pub shell: Shell,
    pub automations: Vec<Choice>,
    pub definition: String,
    pub days: u32,
    pub most_days: u32,
    pub with_others: bool,
    /// Why there is no answer.
    pub error: String,
    /// Faults of the definition, each with its place.
    pub faults: Vec<String>,
    pub answer: Option<WhatIfAnswer>,
}

#[derive(Debug, Default, Serialize)]
pub struct WhatIfAnswer {
    pub from: Stamp,
    pub to: Stamp,
    /// Why it is less than was asked for.
    pub shorter: String,
    pub events: String,
    /// Sentences: how often it ran, what it changed, what it sent.
    pub said: Vec<String>,
    pub automations: Vec<WhatIfTried>,
    pub effects: Vec<WhatIfEffect>,
    /// How many of how many are listed.
    pub effects_shown: String,
    pub runs: Vec<RunRow>,
    pub runs_shown: String,
    /// What was not done once more, and how often.
    pub passed_over: Vec<WhatIfPassed>,
}

/// One of the automations that were tried.
#[derive(Debug, Default, Serialize)]
pub struct WhatIfTried {
    pub id: String,
    pub states: String,
    pub reasons: Vec<String>,
}

/// One field before and after.
#[derive(Debug, Default, Serialize)]
pub struct WhatIfEffect {
    pub at: Stamp,
    pub automation: String,
    pub record: String,
    pub record_href: Option<String>,
    /// The field, or what happened to the whole record.
    pub what: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Default, Serialize)]
pub struct WhatIfPassed {
    pub why: String,
    pub count: u64,
    pub example: String,
    pub example_href: String,
}

/// One run with its steps.
#[derive(Debug, Default, Serialize)]
pub struct RunPage {
    pub shell: Shell,
    /// The automation's id.
    pub automation: String,
    pub run: RunRow,
    /// The automations that led here, first cause first.
    pub chain: Vec<String>,
    pub who: String,
    pub waits_until: Option<Stamp>,
    pub ended: Option<Stamp>,
    pub next_step: String,
    pub steps: Vec<RunStep>,
    /// Address of the job, where it can be tried again or cancelled.
    pub job: Option<String>,
    pub can_retry: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct RunStep {
    pub step: String,
    pub act: String,
    pub state: String,
    pub state_text: String,
    pub input: String,
    pub output: String,
    pub reason: String,
    pub at: Stamp,
}
