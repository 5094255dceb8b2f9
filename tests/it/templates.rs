//! Every template is rendered with samples in every language; messages are complete in all three.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use relata::base::Locale;
use relata::render::context::*;
use relata::render::{Renderer, environment::template_names, messages};
use serde::Serialize;

use crate::page_samples as sample;

/// Renders and checks what must hold for every text we send.
fn check(renderer: &Renderer, seen: &mut BTreeSet<String>, name: &str, template: &str, context: &impl Serialize, locale: Locale) {
    let html = renderer.render(template, context, locale).unwrap_or_else(|fault| panic!("{fault}\n{:?}", fault.source));
    for forbidden in ["style=\"", "<script>", "onclick", "javascript:", "hx-on", "js:", "undefined", "{{", "{%"] {
        assert!(!html.contains(forbidden), "{template} ({locale}) writes `{forbidden}`:\n{html}");
    }
    if html.starts_with("<!doctype") {
        assert!(html.contains(&format!("<html lang=\"{locale}\"")), "{template} says its language");
        assert_eq!(html.matches("<h1").count(), 1, "{template} has one main heading");
        assert_eq!(html.matches("<main").count(), 1, "{template} has one main part");
    }
    seen.insert(template.to_owned());
    if let Some(folder) = std::option_env!("RELATA_PREVIEW") {
        let folder = Path::new(folder);
        fs::create_dir_all(folder).expect("the preview folder can be made");
        fs::write(folder.join(format!("{name}.{locale}.html")), html).expect("the preview can be written");
    }
}

#[derive(Serialize)]
struct OnlyHistory {
    history: History,
}
#[derive(Serialize)]
struct OnlyCard {
    card: ApprovalCard,
}

#[derive(serde::Serialize)]
struct OnlyClocks {
    clocks: Vec<ClockCard>,
}

#[derive(Serialize)]
struct OnlySurveys {
    surveys: Vec<SurveyCard>,
}

#[derive(Serialize)]
struct OnlyApprovals {
    approvals: ApprovalBox,
}

#[derive(Serialize)]
struct OnlyClaim {
    card: ClaimCard,
}
#[derive(Serialize)]
struct OnlyClaims {
    claims: ClaimBox,
}
#[derive(Serialize)]
struct OnlyHolding {
    holding: HoldingBox,
}
#[derive(Serialize)]
struct OnlyPath {
    path: StagePath,
    version: String,
}
#[derive(Serialize)]
struct OnlyStages {
    stages: Vec<StageRow>,
}
#[derive(Serialize)]
struct OnlyList {
    list: List,
}
#[derive(Serialize)]
struct OnlyForm {
    form: Form,
}
#[derive(Serialize)]
struct OnlyFilter {
    filter: Filter,
}
#[derive(Serialize)]
struct OnlyItem {
    item: Labelled,
}

#[test]
fn every_template_renders_in_every_language() {
    let renderer = Renderer::with_assets("/assets/0");
    let mut seen = BTreeSet::new();
    for locale in Locale::ALL {
        let mut go = |name: &str, template: &str, context: &dyn erased::Sample| context.check(&renderer, &mut seen, name, template, locale);
        go("sign-in", "page/sign-in", &sample::entry(locale, "Sign in"));
        go("setup", "page/setup", &EntryPage { error: None, ..sample::entry(locale, "Setup") });
        go("setup-closed", "page/setup", &EntryPage { closed: Some("Closed".into()), ..sample::entry(locale, "Setup") });
        go("message", "page/message", &EntryPage { closed: Some("Once".into()), token: "t".into(), ..sample::entry(locale, "Link") });
        let tile = |label: &str, icon: &str| Tile {
            label: label.into(),
            href: "/records/deal".into(),
            create_href: String::new(),
            icon: icon.into(),
            count: "1,204".into(),
        };
        let hit = || Hit {
            href: "/records/deal/1".into(),
            title: "Northern Lights refit".into(),
            entity: "Deal".into(),
            icon: "handshake".into(),
            note: "Harbin Optics".into(),
            stamp: Some(sample::stamp()),
        };
        go(
            "home",
            "page/home",
            &HomePage {
                shell: sample::shell(locale, "Home"),
                greeting: "Hello, Ada".into(),
                tiles: vec![tile("Accounts", "building-2"), tile("Deals", "handshake"), tile("Contacts", "users")],
                recent: vec![hit(), hit()],
            },
        );
        go("home-empty", "page/home", &HomePage { shell: sample::shell(locale, "Home"), ..HomePage::default() });
        let search = SearchPage {
            shell: sample::shell(locale, "Search"),
            query: "north".into(),
            groups: vec![SearchGroup {
                label: "Deals".into(),
                icon: "handshake".into(),
                hits: vec![hit(), hit()],
                all_href: Some("/records/deal?q=north".into()),
            }],
            total: 2,
        };
        go("search", "page/search", &search);
        go("search-part", "part/search", &SearchPage { groups: Vec::new(), ..search });
        go("audit", "page/audit", &sample::audit_page(locale));
        go("audit-empty", "page/audit", &AuditPage { rows: Vec::new(), chips: Vec::new(), ..sample::audit_page(locale) });
        go("automations", "page/automations", &sample::automations_page(locale));
        let none = AutomationsPage { shell: sample::shell(locale, "Automations"), ..AutomationsPage::default() };
        go("automations-none", "page/automations", &none);
        go("what-if", "page/what-if", &sample::what_if_page(locale));
        go(
            "what-if-form",
            "page/what-if",
            &WhatIfPage { answer: None, error: String::new(), faults: Vec::new(), ..sample::what_if_page(locale) },
        );
        go("notifications", "page/notifications", &sample::notifications_page(locale));
        let none = NotificationsPage { shell: sample::shell(locale, "x"), only_unread: true, ..NotificationsPage::default() };
        go("notifications-none", "page/notifications", &none);
        go("mails", "page/mails", &sample::mails_page(locale));
        go("mails-none", "page/mails", &MailsPage { shell: sample::shell(locale, "x"), ..MailsPage::default() });
        go("mail", "page/mail", &sample::mail_page(locale));
        go("mail-bare", "page/mail", &MailPage { shell: sample::shell(locale, "x"), ..MailPage::default() });
        go("mail-template", "page/mail-template", &sample::mail_template_page(locale));
        go(
            "mail-template-bare",
            "page/mail-template",
            &MailTemplatePage { shell: sample::shell(locale, "x"), ..MailTemplatePage::default() },
        );
        go("webhooks", "page/webhooks", &sample::webhooks_page(locale));
        go("webhooks-none", "page/webhooks", &WebhooksPage { shell: sample::shell(locale, "x"), ..WebhooksPage::default() });
        go("webhook", "page/webhook", &sample::webhook_page(locale));
        go("webhook-bare", "page/webhook", &WebhookPage { shell: sample::shell(locale, "x"), ..WebhookPage::default() });
        go("run", "page/run", &sample::run_page(locale));
        let bare = RunPage { shell: sample::shell(locale, "x"), ..RunPage::default() };
        go("run-bare", "page/run", &bare);
        go("jobs", "page/jobs", &sample::jobs_page(locale));
        go("jobs-empty", "page/jobs", &JobsPage { shell: sample::shell(locale, "Jobs"), ..JobsPage::default() });
        go("list", "page/list", &sample::list_page(locale, 12));
        go("list-empty", "page/list", &sample::list_page(locale, 0));
        let mut bin = sample::list_page(locale, 2);
        bin.in_bin = true;
        bin.list.in_bin = true;
        bin.list.rows[0].restore_href = Some("/restore".into());
        go("list-bin", "page/list", &bin);
        for empty in ["bin", "records"] {
            go("list-part", "part/list", &OnlyList { list: List { empty: empty.into(), ..sample::list(locale, 0) } });
        }
        go("list-rows", "part/list.rows", &OnlyList { list: sample::list(locale, 2) });
        go("list-foot", "part/list.foot", &OnlyList { list: sample::list(locale, 2) });
        go("list-more", "part/list.more", &OnlyList { list: sample::list(locale, 2) });
        go("filter-value", "part/filter-value", &OnlyFilter { filter: sample::list_page(locale, 0).filter });
        let choices = || vec![Choice { value: "account_1".into(), label: "Harbin Optics".into(), ..Choice::default() }];
        go("choices-part", "part/choices", &ChoicesPart { choices: choices() });
        go("choices", "page/choices", &ChoicesPage { shell: sample::shell(locale, "Choose"), choices: Vec::new() });
        let form_page = || FormPage { shell: sample::shell(locale, "New deal"), entity: sample::head(locale), form: sample::form(locale) };
        go("form", "page/form", &form_page());
        let mut conflict = form_page();
        conflict.form.conflict = Some(sample::conflict(locale));
        conflict.form.faults.clear();
        go("form-conflict", "page/form", &conflict);
        go("form-part", "part/form", &OnlyForm { form: sample::form(locale) });
        go("form-fields", "part/form.fields", &OnlyForm { form: sample::form(locale) });
        go("shares", "page/shares", &sample::shares(locale));
        go("approvals", "page/approvals", &sample::approvals_page(locale));
        let none = ApprovalsPage { shell: sample::shell(locale, "Approvals"), empty: "Nothing".into(), ..ApprovalsPage::default() };
        go("approvals-none", "page/approvals", &none);
        go("approval", "page/approval", &sample::approval_page(locale));
        let mut single = sample::approval_page(locale);
        single.decide_for.truncate(1);
        single.hand_on_for.truncate(1);
        go("approval-single", "page/approval", &single);
        let bare = ApprovalPage { shell: sample::shell(locale, "x"), card: sample::approval_card(locale), ..ApprovalPage::default() };
        go("approval-bare", "page/approval", &bare);
        go("approval-part", "part/approval", &OnlyCard { card: sample::approval_card(locale) });
        go("pools", "page/pools", &sample::pools_page(locale));
        go("pools-none", "page/pools", &PoolsPage { shell: sample::shell(locale, "x"), ..PoolsPage::default() });
        go("pool", "page/pool", &sample::pool_page(locale));
        let held = PoolPage { rows: None, ..sample::pool_page(locale) };
        go("pool-held", "page/pool", &held);
        go("pool-held-none", "page/pool", &PoolPage { held: Vec::new(), ..held });
        let rows = PoolRows { is_filtered: true, ..PoolRows::default() };
        go("pool-none", "page/pool", &PoolPage { rows: Some(rows), hand_out: None, ..sample::pool_page(locale) });
        go("holding-part", "part/holding", &OnlyHolding { holding: sample::record(locale).holding.unwrap() });
        go("holding-none", "part/holding", &OnlyHolding { holding: HoldingBox::default() });
        go("registrations", "page/registrations", &sample::registrations_page(locale));
        let none = RegistrationsPage { shell: sample::shell(locale, "x"), empty_text: "None".into(), ..RegistrationsPage::default() };
        go("registrations-none", "page/registrations", &none);
        go("registration-part", "part/registration", &OnlyClaim { card: ClaimCard::default() });
        go("faults-part", "part/faults", &sample::convert(locale));
        go("registrations-part", "part/registrations", &OnlyClaims { claims: sample::record(locale).claims.unwrap() });
        go("clocks-part", "part/clocks", &OnlyClocks { clocks: sample::record(locale).clocks });
        go("surveys-part", "part/surveys", &OnlySurveys { surveys: sample::record(locale).surveys });
        go("survey", "page/survey", &sample::survey_page(locale));
        let closed =
            SurveyPage { closed: Some("Closed".into()), edit_href: Some("/survey/x?edit=1".into()), ..sample::survey_page(locale) };
        go("survey-closed", "page/survey", &closed);
        go("survey-bare", "page/survey", &SurveyPage { shell: sample::shell(locale, "x"), has_more: true, ..SurveyPage::default() });
        go("surveys", "page/surveys", &sample::surveys_page(locale));
        go("surveys-none", "page/surveys", &SurveysPage { shell: sample::shell(locale, "x"), ..SurveysPage::default() });
        go("survey-results", "page/survey-results", &sample::survey_results(locale));
        go(
            "survey-results-none",
            "page/survey-results",
            &SurveyResultsPage { shell: sample::shell(locale, "x"), ..SurveyResultsPage::default() },
        );
        go("approvals-part", "part/approvals", &OnlyApprovals { approvals: sample::record(locale).approvals.unwrap() });
        go("convert", "page/convert", &sample::convert(locale));
        go("twins", "page/twins", &sample::twins(locale));
        let looking = TwinsPage { groups: Vec::new(), is_running: true, looked: None, error: None, ..sample::twins(locale) };
        go("twins-looking", "page/twins", &looking);
        go("merge", "page/merge", &sample::merge(locale));
        go("merge-with", "page/merge", &sample::merge_with(locale));
        go("definitions", "page/definitions", &sample::definitions(locale));
        let faults = vec![DefinitionFault { place: "a.yaml:1:1".into(), code: "DEF101".into(), message: "x".into(), hint: "y".into() }];
        let broken = DefinitionsPage { faults, plan: None, versions: Vec::new(), ..sample::definitions(locale) };
        go("definitions-broken", "page/definitions", &broken);
        let mut blocked = sample::definitions(locale);
        blocked.plan.iter_mut().for_each(|plan| plan.is_blocked = true);
        go("definitions-blocked", "page/definitions", &blocked);
        go("import", "page/import", &sample::import(locale));
        go("access-why", "page/access-why", &sample::access_why(locale));
        go("access-seen", "page/access-seen", &sample::access_seen(locale));
        go("seen", "part/seen", &sample::access_seen(locale));
        go("access", "page/access", &sample::access(locale));
        go("record", "page/record", &sample::record(locale));
        go("stages", "page/record", &RecordPage { kind: "stages".into(), ..sample::record(locale) });
        go("board", "page/board", &sample::board(locale));
        go("move", "page/move", &sample::move_page(locale));
        go("path", "part/path", &OnlyPath { path: sample::path(locale), version: "3".into() });
        go("stages-part", "part/stages", &OnlyStages { stages: sample::record(locale).stages });
        go(
            "record-history",
            "page/record",
            &RecordPage { kind: "history".into(), history: Some(sample::history()), is_deleted: true, ..sample::record(locale) },
        );
        go("history", "part/history", &OnlyHistory { history: sample::history() });
        go("cell", "part/cell", &OnlyItem { item: Labelled { value: sample::shown("text"), ..Labelled::default() } });
        go(
            "confirm",
            "page/confirm",
            &ConfirmPage {
                shell: sample::shell(locale, "Delete"),
                title: "Delete?".into(),
                text: "It goes to the bin.".into(),
                action: "/x".into(),
                confirm_label: "Delete".into(),
                cancel_href: "/".into(),
                version: "1".into(),
                error: Some("No.".into()),
                must_confirm: true,
            },
        );
        let token = TokenRow {
            id: "1".into(),
            name: "nightly".into(),
            hint: "rl_ab…".into(),
            created: Some(sample::stamp()),
            used: None,
            expires: Some(sample::stamp()),
            scopes: "Read everything".into(),
            networks: "192.0.2.7".into(),
        };
        let session = |is_own| SessionRow {
            id: "0123456789abcdef".into(),
            device: "Firefox · Linux".into(),
            ip: "192.0.2.7".into(),
            agent: "Mozilla/5.0".into(),
            began: Some(sample::stamp()),
            seen: Some(sample::stamp()),
            is_own,
        };
        go(
            "account",
            "page/account",
            &AccountPage {
                shell: sample::shell(locale, "Account"),
                tokens: vec![token],
                passkeys: vec![PasskeyRow {
                    id: "x".into(),
                    name: "Phone".into(),
                    created: Some(sample::stamp()),
                    used: Some(sample::stamp()),
                }],
                sessions: vec![session(true), session(false)],
                has_others: true,
                scope_entities: vec![Choice { value: "crm.deal".into(), label: "Deals".into(), ..Choice::default() }],
                is_admin: true,
                must_confirm: true,
                new_token: Some("rl_secret".into()),
                error: Some("No.".into()),
                error_at: "token".into(),
                ..AccountPage::default()
            },
        );
        go(
            "code",
            "page/code",
            &EntryPage { shell: sample::shell(locale, "Code"), error: Some("No.".into()), token: "x".into(), ..EntryPage::default() },
        );
        go(
            "enrol",
            "page/enrol",
            &EnrolPage {
                shell: sample::shell(locale, "Enrol"),
                action: "/sign-in/enrol".into(),
                is_forced: true,
                qr: relata::render::qr::svg("otpauth://totp/x"),
                secret: "ABCD EFGH".into(),
                error: Some("No.".into()),
                ..EnrolPage::default()
            },
        );
        go(
            "codes",
            "page/recovery-codes",
            &CodesPage { shell: sample::shell(locale, "Codes"), codes: vec!["abcde-fghjk".into()], next: "/".into() },
        );
        let person = |state: &str| PersonRow {
            id: "user_0000000000001".into(),
            name: "Bo".into(),
            email: "bo@example.com".into(),
            roles: "User".into(),
            state: state.into(),
            state_text: state.into(),
            has_totp: true,
            sessions: 2,
            seen: Some(sample::stamp()),
        };
        let role = Choice { value: "admin".into(), label: "Administrator".into(), ..Choice::default() };
        go(
            "people",
            "page/people",
            &PeoplePage {
                shell: sample::shell(locale, "People"),
                people: ["active", "invited", "no-password", "inactive"].map(person).into(),
                roles: vec![role.clone()],
                required_roles: vec![role.clone()],
                link: Some("http://localhost/invitation?token=x".into()),
                is_mailed: true,
                must_confirm: true,
                error: Some("No.".into()),
            },
        );
        for state in ["active", "invited", "inactive"] {
            go(
                "person",
                "page/person",
                &PersonPage {
                    shell: sample::shell(locale, "Bo"),
                    person: person(state),
                    held: vec![HeldRow { label: "Deals".into(), field: "Owner".into(), count: 3 }],
                    heirs: vec![role.clone()],
                    is_self: false,
                    link: None,
                    is_mailed: false,
                    must_confirm: true,
                    error: Some("No.".into()),
                },
            );
        }
        for closed in [None, Some("Over.".to_owned())] {
            go(
                "invitation",
                "page/invitation",
                &EntryPage { shell: sample::shell(locale, "Welcome"), closed, error: Some("No.".into()), ..EntryPage::default() },
            );
        }
        for template in ["page/leaving", "page/join"] {
            let context = EntryPage { closed: Some("On.".into()), error: Some("No.".into()), next: "/".into(), ..EntryPage::default() };
            go(template, template, &EntryPage { shell: sample::shell(locale, "Sign in"), ..context });
        }
        for (status, person) in [(404, true), (403, false), (500, true)] {
            let mut shell = sample::shell(locale, "Error");
            if !person {
                shell.person = None;
            }
            go(
                "error",
                "page/error",
                &ErrorPage {
                    shell,
                    status,
                    title: "There is nothing here".into(),
                    text: "Text".into(),
                    hint: Some("Hint".into()),
                    code: "WEB404".into(),
                    request_id: "abc".into(),
                },
            );
        }
        go("docs", "page/docs", &sample::docs(locale));
    }
    let untried: Vec<String> = template_names()
        .into_iter()
        .filter(|name| (name.starts_with("page/") || name.starts_with("part/")) && !seen.contains(name))
        .collect();
    assert!(untried.is_empty(), "no sample renders {untried:?}");
}

/// Samples of different types behind one pointer.
mod erased {
    use super::*;

    pub trait Sample {
        fn check(&self, renderer: &Renderer, seen: &mut BTreeSet<String>, name: &str, template: &str, locale: Locale);
    }

    impl<T: Serialize> Sample for T {
        fn check(&self, renderer: &Renderer, seen: &mut BTreeSet<String>, name: &str, template: &str, locale: Locale) {
            super::check(renderer, seen, name, template, self, locale);
        }
    }
}

fn keys(locale: Locale) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let lines = messages::sources(locale).iter().flat_map(|text| text.lines());
    for (key, _) in lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(|line| line.split_once(" =")) {
        assert!(found.insert(key.to_owned()), "{key} stands twice in {locale}");
    }
    found
}

#[test]
fn messages_are_the_same_in_every_language() {
    for locale in Locale::ALL {
        for text in messages::sources(locale) {
            assert!(
                fluent_bundle::FluentResource::try_new((*text).to_owned()).is_ok(),
                "a file of {locale} has a fault: {}",
                text.lines().next().unwrap_or("")
            );
        }
        let (english, here) = (keys(Locale::En), keys(locale));
        let holes: Vec<_> = english.symmetric_difference(&here).collect();
        assert!(holes.is_empty(), "{locale} and en differ in {holes:?}");
    }
}

/// Messages whose key is put together from a code.
const COMPOSED: [&str; 26] = [
    "registration-state-",
    "pool-got-",
    "pool-lost-",
    "mail-state-",
    "mail-in-",
    "delivery-state-",
    "approval-part-",
    "approval-reason-",
    "approval-state-",
    "approvals-",
    "act-",
    "may-",
    "fault-",
    "op-",
    "history-",
    "part-",
    "done-",
    "system-",
    "theme-",
    "time-",
    "computed-",
    "error-",
    "plan-effect-",
    "plan-kind-",
    "plan-risk-",
    "notification-",
];

#[test]
fn every_message_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = String::new();
    for folder in ["render", "web/pages", "automation"] {
        read_all(&root.join(folder), &mut sources);
    }
    sources.push_str(&fs::read_to_string(root.join("web/mailing.rs")).expect("a source"));
    let unused: Vec<String> = keys(Locale::En)
        .into_iter()
        .filter(|key| {
            !COMPOSED.iter().any(|prefix| key.starts_with(prefix))
                && !sources.contains(&format!("'{key}'"))
                && !sources.contains(&format!("\"{key}\""))
        })
        .collect();
    assert!(unused.is_empty(), "no template or page says {unused:?}");
}

/// Every fault a field can have is told in the reader's language.
#[test]
fn every_fault_has_a_message() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = String::new();
    for folder in ["schema/field_type", "record"] {
        read_all(&root.join(folder), &mut sources);
    }
    let known = keys(Locale::En);
    let codes = ["FieldFault::new(\"", "FieldFault::whole(\""]
        .iter()
        .flat_map(|call| sources.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next());
    let silent: BTreeSet<&str> = codes.filter(|code| !known.contains(&format!("fault-{}", code.replace('_', "-")))).collect();
    assert!(silent.is_empty(), "no message says {silent:?}");
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "html") {
            into.push_str(&fs::read_to_string(&path).expect("a source file is readable"));
        }
    }
}
