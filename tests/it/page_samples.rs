//! One sample of every template's context, small but with every branch of it.

use relata::base::Locale;
use relata::render::context::*;
use relata::schema::standing::ClockState;

fn text(text: &str) -> String {
    text.to_owned()
}

pub fn shell(locale: Locale, title: &str) -> Shell {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    Shell {
        title: text(title),
        theme: text("auto"),
        workspace: say("Harbour Trading", "海港贸易"),
        person: Some(Person {
            name: say("Ada Wong", "王小芳"),
            email: text("ada@example.com"),
            initials: say("AW", "小芳"),
            hue: 3,
            is_admin: true,
        }),
        groups: vec![NavGroup {
            label: say("Sales", "销售"),
            items: vec![
                NavItem { label: say("Accounts", "客户"), href: text("/records/account"), icon: text("building-2"), current: false },
                NavItem { label: say("Contacts", "联系人"), href: text("/records/contact"), icon: text("users"), current: false },
                NavItem { label: say("Deals", "商机"), href: text("/records/deal"), icon: text("handshake"), current: true },
            ],
        }],
        crumbs: vec![Crumb { label: say("Deals", "商机"), href: Some(text("/records/deal")) }, Crumb { label: text(title), href: None }],
        notices: vec![Notice {
            kind: text("ok"),
            text: say("Your changes were saved.", "修改已保存。"),
            detail: None,
            action: Some((text("/undo"), say("Undo", "撤销"))),
        }],
        ..Shell::default()
    }
}

pub fn head(locale: Locale) -> EntityHead {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    EntityHead {
        slug: text("deal"),
        name: say("Deal", "商机"),
        label: say("deal", "商机"),
        plural: say("Deals", "商机"),
        description: String::new(),
        icon: text("handshake"),
        soft_delete: true,
    }
}

fn item(label: &str, hue: u8) -> ShownItem {
    ShownItem { text: text(label), href: text("/records/account/account_0000000000001"), hue, note: text("AB") }
}

/// A value of every kind.
pub fn shown(kind: &'static str) -> Shown {
    let mut made = Shown { kind, text: text("Northern Lights refit, phase two"), ..Shown::default() };
    match kind {
        "number" => made.text = text("$128,400.00"),
        "percent" => (made.text, made.level) = (text("65%"), 65),
        "date" => (made.text, made.note) = (text("Nov 21, 2026"), text("2026-11-21")),
        "datetime" => (made.text, made.note, made.href) = (text("3 hours ago"), text("2026-11-21T08:05:00Z"), text("Nov 21, 2026, 08:05")),
        "boolean" => (made.text, made.level) = (text("Yes"), 1),
        "chips" => made.items = vec![item("Negotiation", 4), item("Priority", 8)],
        "link" | "links" | "user" => made.items = vec![item("Ada Wong", 2)],
        "email" => (made.text, made.href) = (text("ada@example.com"), text("mailto:ada@example.com")),
        "phone" => (made.text, made.href) = (text("+86 10 5555 0101"), text("tel:+861055550101")),
        "url" => (made.text, made.href) = (text("example.com"), text("https://example.com")),
        "rating" => (made.level, made.most, made.text) = (3, 5, text("3 of 5 stars")),
        "color" => made.text = text("#2f5bc2"),
        "rich_text" => made.text = text("<p>Call <b>before</b> noon &amp; bring samples</p><script>alert(1)</script>"),
        "files" | "images" => {
            made.items = vec![ShownItem { text: text("offer.pdf"), href: text("/files/1"), hue: 0, note: text("1.4 MB") }]
        }
        "none" => made.text.clear(),
        _ => {}
    }
    made
}

pub const KINDS: [&str; 20] = [
    "none",
    "text",
    "long_text",
    "rich_text",
    "number",
    "percent",
    "date",
    "datetime",
    "boolean",
    "chips",
    "link",
    "links",
    "user",
    "email",
    "phone",
    "url",
    "rating",
    "color",
    "files",
    "json",
];

pub fn list(locale: Locale, rows: usize) -> List {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let column = |name: &str, label: String, numeric: bool, sorted: &str, low: bool| Column {
        name: text(name),
        label,
        numeric,
        sort_href: Some(format!("/records/deal?sort={name}")),
        sorted: text(sorted),
        low,
    };
    let names = if zh {
        ["北极光改造二期", "年度服务合同", "新门店设备"]
    } else {
        ["Northern Lights refit", "Annual service contract", "Equipment for a new shop"]
    };
    let stages = if zh { ["谈判", "提案", "赢单"] } else { ["Negotiation", "Proposal", "Won"] };
    List {
        id: text("list"),
        slug: text("deal"),
        caption: say("Deals", "商机列表"),
        columns: vec![
            column("name", say("Name", "名称"), false, "ascending", false),
            column("account", say("Account", "客户"), false, "", false),
            column("stage", say("Stage", "阶段"), false, "", false),
            column("amount", say("Amount", "金额"), true, "", false),
            column("probability", say("Probability", "赢率"), true, "", true),
            column("closes_on", say("Expected close", "预计成交日期"), false, "", true),
            column("owner", say("Owner", "负责人"), false, "", true),
        ],
        rows: (0..rows)
            .map(|at| Row {
                id: format!("deal_{at:013}"),
                href: format!("/records/deal/deal_{at:013}"),
                title: text(names[at % 3]),
                cells: vec![
                    Shown::text(names[at % 3]),
                    Shown { kind: "link", items: vec![item(&say("Harbin Optics", "哈尔滨光学"), 0)], ..Shown::default() },
                    Shown { kind: "chips", items: vec![item(stages[at % 3], u8::try_from(at % 3 * 3).unwrap())], ..Shown::default() },
                    if at % 4 == 3 {
                        Shown::none()
                    } else {
                        Shown { kind: "number", text: format!("¥{},400.00", at * 17 + 20), ..Shown::default() }
                    },
                    Shown {
                        kind: "percent",
                        text: format!("{}%", at * 13 % 100),
                        level: u8::try_from(at * 13 % 100).unwrap(),
                        ..Shown::default()
                    },
                    Shown { kind: "date", text: say("Nov 21, 2026", "2026年11月21日"), note: text("2026-11-21"), ..Shown::default() },
                    Shown { kind: "user", items: vec![item(&say("Ada Wong", "王小芳"), 3)], ..Shown::default() },
                ],
                restore_href: None,
            })
            .collect(),
        count: say("10,000+ records", "超过 10,000 条"),
        next_href: Some(text("/records/deal?cursor=x")),
        first_href: Some(text("/records/deal")),
        empty: text("filter"),
        clear_href: text("/records/deal"),
        create_href: text("/records/deal/new"),
        plural: say("Deals", "商机"),
        label: say("deal", "商机"),
        icon: text("handshake"),
        in_bin: false,
    }
}

fn choices() -> Vec<Choice> {
    ["Qualify", "Proposal", "Negotiation"]
        .iter()
        .enumerate()
        .map(|(at, label)| Choice { value: label.to_lowercase(), label: text(label), selected: at == 1, ..Choice::default() })
        .collect()
}

pub const WIDGETS: [&str; 33] = [
    "text",
    "long_text",
    "rich_text",
    "email",
    "phone",
    "url",
    "integer",
    "decimal",
    "percent",
    "money",
    "boolean",
    "switch",
    "date",
    "datetime",
    "time",
    "duration",
    "select",
    "radio",
    "combobox",
    "multi_select",
    "tokens",
    "tags",
    "link",
    "links",
    "children",
    "any_link",
    "user",
    "address",
    "person_name",
    "geo",
    "rating",
    "color",
    "json",
];

pub fn input(widget: &str) -> FieldInput {
    let part = |name: &str, label: &str| Part {
        name: format!("{widget}.{name}"),
        id: format!("f-{widget}-{name}"),
        label: text(label),
        value: String::new(),
        autocomplete: "off",
        inputmode: "text",
        wide: name == "street",
    };
    let mut made = FieldInput {
        name: text(widget),
        id: format!("f-{widget}"),
        label: widget.replace('_', " "),
        help: text("One line of help."),
        widget: text(widget),
        choices: choices(),
        ..FieldInput::default()
    };
    match widget {
        "text" => (made.required, made.errors) = (true, vec![text("Fill this in.")]),
        "percent" | "datetime" => made.suffix = text("%"),
        "money" => (made.value, made.inputmode) = (text("1200.00"), "decimal"),
        "rating" => (made.max, made.value) = (text("5"), text("3")),
        "address" => made.parts = vec![part("street", "Street"), part("city", "City"), part("country", "Country")],
        "person_name" => made.parts = vec![part("given", "First name"), part("family", "Last name")],
        "geo" => made.parts = vec![part("lat", "Latitude"), part("lon", "Longitude")],
        "link" | "links" | "any_link" | "user" => (made.source, made.multiple) = (text("/records/account/choices"), widget == "links"),
        "tokens" => made.multiple = true,
        "children" => {
            let row = |prefix: &str, record: &str| SubRow {
                prefix: text(prefix),
                record: text(record),
                is_removed: false,
                is_spare: record.is_empty(),
                fields: ["link", "integer", "money"]
                    .iter()
                    .map(|inner| FieldInput {
                        name: format!("{prefix}.{inner}"),
                        id: format!("f-{}-{inner}", prefix.replace('.', "-")),
                        help: String::new(),
                        ..input(inner)
                    })
                    .collect(),
            };
            made.full = true;
            made.table = Some(SubTable {
                columns: vec![text("Product"), text("Quantity"), text("Price")],
                rows: vec![row("lines.0", "line_0000000000001"), row("lines.1", "")],
                pattern: row("lines.__row__", ""),
                next: 2,
            });
        }
        "color" => made.value = text("#2f5bc2"),
        _ => {}
    }
    made
}

pub fn form(locale: Locale) -> Form {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let mut fields: Vec<FieldInput> = WIDGETS.iter().map(|widget| input(widget)).collect();
    fields.push(FieldInput {
        widget: text("read_only"),
        shown: Some(shown("number")),
        computed: text("Worked out from other fields."),
        ..input("total")
    });
    for widget in ["file", "image"] {
        fields.push(FieldInput {
            widget: text(widget),
            suffix: text("32 MB"),
            files: vec![FilePart { id: text("file_1"), name: text("offer.pdf"), href: text("/files/1"), size: text("1.4 MB") }],
            ..input(widget)
        });
    }
    Form {
        must_confirm: true,
        title: say("New deal", "新建商机"),
        action: text("/records/deal"),
        cancel_href: text("/records/deal"),
        state_href: text("/records/deal/form-state"),
        is_new: true,
        version: text("3"),
        idempotency_key: text("k"),
        return_to: text("/records/deal"),
        save_label: say("Create deal", "创建商机"),
        has_files: true,
        watch: text("stage"),
        sections: vec![FormSection { id: text("main"), label: say("General", "基本信息"), columns: 2, fields }],
        faults: vec![FormFault {
            target: text("f-text"),
            label: say("Name", "名称"),
            message: say("Fill this in.", "请填写此项。"),
            way: String::new(),
        }],
        message: None,
        conflict: None,
        similar: Some(similar()),
    }
}

pub fn conflict(locale: Locale) -> Conflict {
    let _ = locale;
    Conflict {
        who: text("Li Wei"),
        stamp: Some(stamp()),
        rows: vec![ConflictRow {
            label: text("Amount"),
            name: text("_pick.amount"),
            original: None,
            mine: shown("number"),
            theirs: Shown::none(),
            takes_theirs: true,
        }],
        record_href: text("/records/deal/deal_1"),
    }
}

pub fn stamp() -> Stamp {
    Stamp { iso: text("2026-11-21T08:05:00Z"), text: text("3 hours ago"), full: text("Nov 21, 2026, 08:05") }
}

fn seen_row() -> SeenRow {
    SeenRow { label: text("Deals"), records: text("12"), actions: text("Read"), hidden: text("Margin"), masked: text("Amount") }
}

pub fn access_why(locale: Locale) -> WhyPage {
    let reason = |holds: bool| ReasonRow { role: text("Sales"), rule: text("owner = me()"), holds };
    let action = |allowed: bool, reasons: Vec<ReasonRow>| WhyAction { label: text("Read"), allowed, reasons };
    WhyPage {
        shell: shell(locale, "Why"),
        heading: text("Wang and a deal"),
        href: text("/records/deal/deal_0000000000001"),
        people: vec![Choice { value: text("user_0000000000001"), label: text("Wang"), selected: true, ..Choice::default() }],
        is_searched: true,
        found: text("wang"),
        roles: text("Sales"),
        everything: false,
        actions: vec![action(true, vec![reason(true), reason(false)]), action(false, Vec::new())],
        shares: shares(locale).rows,
        hidden: text("Margin"),
    }
}

pub fn access_seen(locale: Locale) -> SeenPage {
    SeenPage { shell: shell(locale, "Seen"), heading: text("What Wang sees"), may_sign_in: true, rows: vec![seen_row()] }
}

pub fn access(locale: Locale) -> AccessPage {
    AccessPage {
        shell: shell(locale, "Access"),
        roles: vec![Choice { value: text("sales"), label: text("Sales"), selected: true, ..Choice::default() }],
        role: text("Sales"),
        rows: vec![seen_row()],
        fields: shares(locale).groups,
        of: text("deal.margin"),
        readers: vec![Reader { label: text("Sales"), rule: text("read"), people: vec![(text("user_0000000000001"), text("Wang"))] }],
    }
}

pub fn definitions(locale: Locale) -> DefinitionsPage {
    let step = |icon: &str, blocked: &str| StepRow {
        icon: text(icon),
        kind: text("New field"),
        subject: text("crm.deal.budget"),
        effect: text("Column budget"),
        risk: text("adds"),
        blocked: text(blocked),
        file: text("definitions/crm/deal.yaml:4:3"),
    };
    DefinitionsPage {
        shell: shell(locale, "Definitions"),
        version: 3,
        faults: Vec::new(),
        plan: Some(PlanView {
            id: text("p_0123456789ab"),
            steps: vec![step("plus", ""), step("triangle-alert", "2 groups")],
            roles: vec![RoleRow {
                role: text("Sales"),
                people: text("14 people"),
                gains: vec![text("Read: 3,201 records of Deals"), text("Export: Deals")],
                losses: Vec::new(),
                widens: true,
            }],
            confirmations: vec![ConfirmationRow { name: text("widening_access:role/sales"), label: text("role sales"), is_given: true }],
            is_blocked: false,
        }),
        versions: vec![VersionRow { version: 3, stamp: stamp(), by: text("Ada"), digest: text("0123456789ab"), is_current: true }],
        must_confirm: true,
        error: Some(text("The files have changed meanwhile.")),
    }
}

pub fn import(locale: Locale) -> ImportPage {
    ImportPage {
        shell: shell(locale, "Import"),
        entity: head(locale),
        href: text("/records/deal"),
        matches: vec![
            Choice { label: text("None"), ..Choice::default() },
            Choice { value: text("code"), label: text("Code"), ..Choice::default() },
        ],
        keeps: true,
        may_pass_over: true,
        warns_of_duplicates: true,
        allows_duplicates: true,
        reason: text("A friend"),
        report: Some(ImportReport {
            is_rehearsal: true,
            summary: text("3 rows"),
            has_failed: true,
            failures: vec![(4, text("name: is required"))],
            more_failures: text("And 2 more rows."),
            unused: text("Colour"),
            differences: vec![(2, text("Name"), text("A"), text("B"))],
        }),
        error: Some(text("Choose a file.")),
    }
}

fn similar() -> Similar {
    Similar {
        title: text("There may be such a record already"),
        text: text("Nothing is saved yet."),
        hidden: text("One of them you may not see."),
        may_save: true,
        rows: vec![SimilarRow {
            id: text("account_0000000000002"),
            title: text("Acme"),
            href: text("/records/account/account_0000000000002"),
            why: text("Name"),
            likeness: text("100 % alike"),
        }],
    }
}

pub fn twins(locale: Locale) -> TwinsPage {
    let row = |title: &str, merge: &str| TwinRow {
        title: text(title),
        href: text("/records/account/account_0000000000001"),
        merge_href: text(merge),
        created: stamp(),
    };
    TwinsPage {
        shell: shell(locale, "Duplicates"),
        title: text("Accounts: duplicates"),
        groups: vec![TwinGroup {
            why: text("Same company"),
            likeness: text("100 % alike"),
            ids: text("account_0000000000001,account_0000000000002"),
            rows: vec![row("Acme", ""), row("ACME Inc", "/records/account/account_0000000000001/merge?with=account_0000000000002")],
        }],
        is_running: false,
        looked: Some(stamp()),
        next_href: text("/records/account/duplicates?offset=20"),
        action: text("/records/account/duplicates"),
        here: text("/records/account/duplicates?offset=0"),
        may_change: true,
        error: Some(text("You may not change one of them.")),
    }
}

pub fn convert(locale: Locale) -> ConvertPage {
    let choice = |value: &str, is_chosen| ConvertChoice {
        value: text(value),
        label: text("Acme"),
        note: text("Name · 100 % alike"),
        href: text("/records/account/account_0000000000002"),
        is_chosen,
    };
    let field = FieldInput {
        name: text("account.name"),
        id: text("f-account-name"),
        label: text("Name"),
        widget: text("text"),
        ..FieldInput::default()
    };
    let target = |id: &str| ConvertTarget {
        id: text(id),
        label: text("Account"),
        icon: text("building"),
        choices: vec![choice("new", true), choice("account_0000000000002", false), choice("leave", false)],
        other: Some(FieldInput {
            name: text("_other.account"),
            id: text("f-other-account"),
            label: text("Another record"),
            widget: text("link"),
            source: text("/records/account/choices"),
            choices: vec![Choice { value: text("account_0000000000003"), label: text("Acme"), selected: true, ..Choice::default() }],
            ..FieldInput::default()
        }),
        takes_other: false,
        rows: vec![text("Lines: 3 go along.")],
        fields: vec![field.clone()],
        errors: vec![text("This cannot be left out.")],
    };
    ConvertPage {
        shell: shell(locale, "Convert"),
        heading: text("Convert: Ada"),
        action: text("/records/lead/lead_0000000000001/convert"),
        conversion: text("convert"),
        version: text("3"),
        idempotency_key: text("0123456789abcdef0123456789abcdef"),
        targets: vec![target("account"), ConvertTarget { choices: Vec::new(), other: None, ..target("deal") }],
        faults: vec![
            FormFault {
                target: text("f-account-name"), label: text("Account · Name"), message: text("Enter a name."), way: String::new()
            },
            FormFault {
                target: String::new(),
                label: text("Status"),
                message: text("“Project” must be registered first."),
                way: text("/records/lead/lead_1?file=project#registrations"),
            },
        ],
        message: Some(text("There may be such a record.")),
        may_save_anyway: true,
        carries: true,
        save_label: text("Convert"),
        cancel_href: text("/records/lead/lead_0000000000001"),
    }
}

pub fn merge(locale: Locale) -> MergePage {
    MergePage {
        shell: shell(locale, "Merge"),
        title: text("Acme"),
        href: text("/records/account/account_0000000000001"),
        id: text("account_0000000000001"),
        error: Some(text("There is no such record.")),
        similar: Some(similar()),
        merges: vec![
            MergedRow { id: text("merge_0000000000001"), title: text("ACME Inc"), stamp: stamp(), by: text("Ada"), is_undone: false },
            MergedRow { id: text("merge_0000000000002"), title: text("Acme Ltd"), stamp: stamp(), by: String::new(), is_undone: true },
        ],
        ..MergePage::default()
    }
}

pub fn merge_with(locale: Locale) -> MergePage {
    let shown = |words: &str| Shown { kind: "text", text: text(words), ..Shown::default() };
    MergePage {
        shell: shell(locale, "Merge"),
        title: text("Acme"),
        href: text("/records/account/account_0000000000001"),
        id: text("account_0000000000001"),
        version: text("3"),
        other_id: text("account_0000000000002"),
        other_title: text("ACME Inc"),
        swap_href: text("/records/account/account_0000000000002/merge?with=account_0000000000001"),
        fields: vec![MergeField {
            name: text("take.phone"),
            label: text("Phone"),
            mine: shown("010-1"),
            theirs: shown("020-2"),
            takes_other: true,
        }],
        ..MergePage::default()
    }
}

pub fn shares(locale: Locale) -> SharesPage {
    let choice = |value: &str, label: &str| Choice { value: text(value), label: text(label), ..Choice::default() };
    SharesPage {
        shell: shell(locale, "Shares"),
        title: text("Northern Lights refit"),
        href: text("/records/deal/deal_0000000000001"),
        rows: vec![ShareRow {
            id: text("share_0000000000001"),
            icon: text("user"),
            who: text("Wang Wei"),
            may: text("Read"),
            until: Some(stamp()),
            since: stamp(),
            by: text("Ada"),
        }],
        groups: vec![ShareGroup { label: text("People"), choices: vec![choice("user_0000000000001", "Wang Wei")] }],
        may_share: true,
        may_edit: true,
        is_searched: true,
        found: text("wang"),
        error: Some(text("This moment is over already.")),
    }
}

pub fn path(locale: Locale) -> StagePath {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let step = |label: String, state: &str, hue: u8| PathStep {
        label,
        hue,
        state: text(state),
        href: if state == "current" { String::new() } else { text("/records/deal/deal_1/move?pipeline=sales&to=x") },
    };
    StagePath {
        id: text("sales"),
        label: say("Sales", "销售"),
        steps: vec![
            step(say("New", "新建"), "done", 0),
            step(say("Qualified", "已确认"), "current", 1),
            step(say("Proposal", "方案报价"), "open", 2),
            step(say("Won", "赢单"), "won", 4),
            step(say("Lost", "输单"), "closed", 5),
        ],
        guidance: say("Present the solution to those who decide.", "向决策人介绍方案。"),
        facts: vec![Labelled {
            name: text("close_on"),
            label: say("Expected close", "预计成交日期"),
            value: shown("date"),
            ..Labelled::default()
        }],
        tasks: ["open", "done", "missing", "hidden"].map(|state| task(locale, state)).into(),
        tasks_action: text("/records/deal/deal_1/tasks"),
        since: Some(stamp()),
        limit: say("14 days at most", "最多 14 天"),
        is_late: true,
        moves: vec![
            MoveLink {
                label: say("Move to Proposal", "移至方案报价"),
                href: text("/m"),
                action: text("/records/deal/deal_1/move"),
                to: text("proposal"),
                waits: String::new(),
            },
            MoveLink {
                label: say("Move to Won", "移至赢单"),
                href: text("/m"),
                to: text("won"),
                waits: say("2 things missing", "还差 2 项"),
                ..MoveLink::default()
            },
        ],
    }
}

fn task(locale: Locale, state: &str) -> TaskRow {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let act = match state {
        "open" => "done",
        "done" => "open",
        "missing" => "add",
        _ => "",
    };
    TaskRow {
        task: format!("quote-{state}"),
        subject: say("Send the quote", "发送报价"),
        required: state != "done",
        state: text(state),
        record: text("task_0000000000001"),
        href: if matches!(state, "open" | "done") { text("/records/task/task_0000000000001") } else { String::new() },
        due: text("2026-11-24"),
        is_late: state == "open",
        who: text("Ada Wong"),
        act: text(act),
        act_label: say("Mark done", "标为已完成"),
        act_name: say("Mark done: Send the quote", "标为已完成：发送报价"),
    }
}

pub fn board(locale: Locale) -> BoardPage {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let card = |number: u8| BoardCard {
        id: format!("deal_000000000000{number}"),
        href: text("/records/deal/deal_1"),
        title: say("Northern Lights refit", "北极光改造二期"),
        amount: text("$128,400.00"),
        facts: vec![Labelled { name: text("account"), label: say("Account", "客户"), value: shown("link"), ..Labelled::default() }],
        owner: text("Ada Wong"),
        owner_initials: text("AW"),
        owner_hue: 3,
        version: text("3"),
        age: say("16 days", "16 天"),
        is_late: number == 1,
    };
    let column = |key: &str, label: String, hue: u8, cards: Vec<BoardCard>| BoardColumn {
        key: text(key),
        label,
        hue,
        count: say("2 records", "2 条"),
        sum: text("$256,800.00"),
        is_closed: key == "won",
        more_href: if key == "new" { text("/records/deal/board/sales?column=new&cursor=x#column-new") } else { String::new() },
        cards,
    };
    BoardPage {
        shell: shell(locale, &say("Sales", "销售")),
        entity: head(locale),
        pipeline: text("sales"),
        label: say("Sales", "销售"),
        here: text("/records/deal/board/sales"),
        list_href: text("/records/deal"),
        create_href: text("/records/deal/new"),
        may_move: true,
        boards: vec![
            ViewLink { label: say("Board: Sales", "看板：销售"), href: text("/records/deal/board/sales"), current: true },
            ViewLink { label: say("Board: Tender", "看板：投标"), href: text("/records/deal/board/tender"), current: false },
        ],
        columns: vec![
            column("new", say("New", "新建"), 0, vec![card(1), card(2)]),
            column("proposal", say("Proposal", "方案报价"), 2, Vec::new()),
            column("won", say("Won", "赢单"), 4, vec![card(3)]),
        ],
    }
}

pub fn move_page(locale: Locale) -> MovePage {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let row = |words: String, target: &str| ConditionRow { text: words, target: text(target), task: None, href: String::new() };
    let waits = ConditionRow {
        text: say("“Send the quote” must be done first.", "请先完成“发送报价”。"),
        target: String::new(),
        task: Some(task(locale, "open")),
        href: String::new(),
    };
    let approval = ConditionRow {
        text: say("“Discount” must be approved first.", "须先批准“折扣”。"),
        href: text("/records/deal/deal_1?ask=discount#approvals"),
        ..ConditionRow::default()
    };
    MovePage {
        shell: shell(locale, &say("Northern Lights refit", "北极光改造二期")),
        heading: say("2 things before this can move to Proposal", "移至方案报价前还需完成 2 项"),
        href: text("/records/deal/deal_1"),
        action: text("/records/deal/deal_1/move"),
        edit_href: text("/records/deal/deal_1/edit"),
        pipeline: text("sales"),
        return_to: text("/records/deal/board/sales"),
        cancel_href: text("/records/deal/board/sales"),
        to: text("proposal"),
        to_label: say("Proposal", "方案报价"),
        version: text("3"),
        idempotency_key: text("00000000000000000000000000000000"),
        guidance: say("Send the quote and walk through it together.", "发送报价并逐项确认。"),
        missing: vec![
            row(say("Fill in Expected close", "填写预计成交日期"), "f-close_on"),
            row(say("List what is to be sold", "请列出要销售的产品"), ""),
            waits,
            approval,
        ],
        tasks_action: text("/records/deal/deal_1/tasks"),
        met: vec![row(say("Enter an amount above zero", "请填写大于零的金额"), "")],
        fields: form(locale).sections.into_iter().flat_map(|section| section.fields).take(2).collect(),
        can_override: true,
        reason: say("An old customer", "老客户"),
        faults: vec![FormFault {
            target: text("f-close_on"),
            label: say("Expected close", "预计成交日期"),
            message: say("Fill this in to move on.", "请填写此项以进入下一阶段。"),
            way: String::new(),
        }],
        message: None,
    }
}

pub fn record(locale: Locale) -> RecordPage {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let title = say("Northern Lights refit", "北极光改造二期");
    let labelled = |name: &str, kind: &'static str| Labelled {
        name: text(name),
        label: text(name),
        help: String::new(),
        full: kind == "long_text",
        value: shown(kind),
    };
    RecordPage {
        shell: shell(locale, &title),
        entity: head(locale),
        id: text("deal_0000000000001"),
        href: text("/records/deal/deal_0000000000001"),
        title,
        facts: vec![labelled("Stage", "chips"), labelled("Amount", "number"), labelled("Account", "link"), labelled("Owner", "user")],
        tabs: vec![
            TabLink { label: say("Details", "详细信息"), href: text("?"), current: true, count: None },
            TabLink { label: say("History", "历史"), href: text("?tab=history"), current: false, count: Some(text("3")) },
        ],
        paths: vec![path(locale)],
        approvals: Some(approval_box(locale)),
        holding: Some(holding_box(locale)),
        claims: Some(claim_box()),
        surveys: vec![survey_card(true), survey_card(false)],
        clocks: ClockState::ALL
            .iter()
            .map(|state| ClockCard {
                label: say("Response", "响应"),
                state: text(state.key()),
                state_label: say("Running", "计时中"),
                hue: 5,
                left: say("1h 20m left", "剩余 1h 20m"),
                used: say("40m of 2h used", "已用 40m，共 2h"),
                due: Some(stamp()),
                is_past: state.has_ended(),
                hours: say("Office", "办公时间"),
            })
            .collect(),
        stages: vec![StageRow {
            pipeline: say("Sales", "销售"),
            stage: say("Proposal", "方案报价"),
            hue: 2,
            from: say("New", "新建"),
            stamp: stamp(),
            stayed: say("3 days", "3 天"),
            who: text("Ada Wong"),
            reason: say("An old customer", "老客户"),
        }],
        kind: text("details"),
        sections: vec![ShownSection {
            label: say("General", "基本信息"),
            columns: 2,
            fields: KINDS.iter().map(|kind| labelled(&kind.replace('_', " "), kind)).collect(),
        }],
        related: vec![
            Related {
                label: say("Lines", "明细"),
                icon: text("list"),
                add_href: Some(text("/records/line/new")),
                all_href: Some(text("/records/line")),
                list: List { id: text("related-lines"), next_href: None, first_href: None, ..list(locale, 3) },
            },
            Related {
                label: say("Tasks", "任务"),
                icon: text("list"),
                add_href: Some(text("/records/task/new")),
                all_href: None,
                list: List { id: text("related-tasks"), ..list(locale, 0) },
            },
        ],
        history: None,
        buttons: vec![ButtonLink { label: say("Send offer", "发送报价"), href: text("/x") }],
        conversions: vec![ButtonLink { label: say("Convert", "转化"), href: text("/records/deal/deal_1/convert?conversion=convert") }],
        converted: Some(ConvertedBanner {
            stamp: stamp(),
            by: text("Ada"),
            targets: vec![ConvertedLink {
                label: text("Account"),
                title: text("Acme"),
                href: text("/records/account/account_0000000000002"),
            }],
        }),
        edit_href: text("/records/deal/deal_1/edit"),
        delete_href: text("/records/deal/deal_1/delete"),
        erase_href: text("/records/deal/deal_1/erase"),
        merge_href: text("/records/deal/deal_1/merge"),
        restore_href: text("/records/deal/deal_1/restore"),
        share_href: text("/records/deal/deal_1/shares"),
        is_deleted: false,
        version: text("3"),
        created: Some(stamp()),
        created_by: text("Ada Wong"),
        updated: Some(stamp()),
        updated_by: text("Ada Wong"),
    }
}

pub fn approval_card(locale: Locale) -> ApprovalCard {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    let person = |state: &str, note: &str, comment: &str| ApprovalPerson {
        name: say("Wang Fang", "王芳"),
        state: text(state),
        state_text: say("is to decide", "待审批"),
        note: text(note),
        comment: text(comment),
        at: (state != "waiting").then(stamp),
    };
    ApprovalCard {
        id: text("1"),
        href: text("/approvals/1"),
        label: say("Discount over 15 %", "折扣超过 15%"),
        record: say("Northern Lights refit", "北极光改造"),
        record_href: text("/records/deal/deal_0000000000001"),
        state: text("running"),
        state_text: say("Waiting", "审批中"),
        reason: say("The values were changed meanwhile.", "期间数值已变更。"),
        who: text("Ada Wong"),
        asked: stamp(),
        ended: None,
        comment: say("An old customer <b>who</b> pays in time", "按时付款的老客户"),
        due: Some(stamp()),
        is_late: true,
        values: vec![ApprovalValue { label: say("Discount", "折扣"), value: shown("percent"), is_changed: true }],
        hides_values: true,
        steps: vec![
            ApprovalStepRow {
                label: say("Manager", "主管"),
                state: text("done"),
                need: String::new(),
                people: vec![person("approved", "", "Fine"), person("handed_on", "", "")],
            },
            ApprovalStepRow {
                label: say("Board", "董事会"),
                state: text("current"),
                need: say("2 must approve", "需 2 人批准"),
                people: vec![person("waiting", "asked because the time was over", ""), person("rejected", "", "No")],
            },
            ApprovalStepRow { label: say("Owner", "所有者"), state: text("open"), ..ApprovalStepRow::default() },
        ],
        may_decide: true,
    }
}

fn approval_box(locale: Locale) -> ApprovalBox {
    let ask = |is_open| ApprovalAsk { approval: text("price"), label: text("Price"), locks: text("Locked: Amount"), is_open };
    ApprovalBox { cards: vec![approval_card(locale)], asks: vec![ask(true), ask(false)], action: text("/records/deal/deal_1/approvals") }
}

pub fn approval_page(locale: Locale) -> ApprovalPage {
    let choice = |value: &str| Choice { value: text(value), label: text(value), ..Choice::default() };
    ApprovalPage {
        shell: Shell { has_approvals: true, ..shell(locale, "Discount") },
        heading: text("Discount: Northern Lights refit"),
        card: approval_card(locale),
        action: text("/approvals/1"),
        decide_for: vec![choice("user_1"), choice("user_2")],
        hand_on_for: vec![choice("user_1"), choice("user_2")],
        people: vec![choice("user_3")],
        is_searched: true,
        found: text("wa"),
        may_withdraw: true,
        comment: text("Too much"),
        error: Some(text("This is over already.")),
    }
}

fn claim_card(is_others: bool) -> ClaimCard {
    let rival = |href: &str| RivalRow { href: text(href), record: text("Northern Light"), filer: text("Li Na"), until: Some(stamp()) };
    ClaimCard {
        id: text("1"),
        label: text("Customer"),
        record: text("Northern Lights"),
        record_href: text("/records/deal/deal_1"),
        state_text: text("To be decided"),
        tone: text("running"),
        filer: text("Ada Wong"),
        filed: stamp(),
        until: Some(stamp()),
        extended: 2,
        comment: text("Met at the fair"),
        decided_by: text("Li Na"),
        reason: text("Was first"),
        rivals: vec![rival("/records/deal/deal_2"), rival("")],
        action: text("/registrations/1"),
        may_decide: !is_others,
        may_extend: true,
        may_withdraw: true,
        is_others,
    }
}

fn claim_box() -> ClaimBox {
    let offer = ClaimOffer {
        id: text("customer"),
        label: text("Customer"),
        text: text("For 90 days nobody else may register the same."),
        is_open: false,
    };
    ClaimBox { cards: vec![claim_card(true)], offers: vec![offer], action: text("/records/deal/deal_1/registrations") }
}

pub fn registrations_page(locale: Locale) -> RegistrationsPage {
    let tab = |value: &str, selected| Choice { value: text(value), label: text("Filed by me"), selected, ..Choice::default() };
    RegistrationsPage {
        shell: Shell { has_registrations: true, ..shell(locale, "Registrations") },
        tabs: vec![tab("/registrations", true), tab("/registrations?show=contested", false)],
        cards: vec![claim_card(false), claim_card(true)],
        empty_text: String::new(),
        older_href: Some(text("/registrations?before=1")),
    }
}

fn holding_box(locale: Locale) -> HoldingBox {
    let holder = |lost: Option<&str>| HolderRow {
        name: text("Ada Wong"),
        from: stamp(),
        until: lost.map(|_| stamp()),
        got: text(if locale == Locale::En { "claimed" } else { "领取" }),
        lost: lost.map(text),
        reason: text("Does not answer"),
    };
    HoldingBox {
        pool: text("Open leads"),
        holder: text("Ada Wong"),
        due: Some(stamp()),
        kept: Some(stamp()),
        is_soon: true,
        action: text("/records/lead/lead_1/return"),
        holders: vec![holder(None), holder(Some("given back"))],
    }
}

fn survey_card(is_first: bool) -> SurveyCard {
    let some = |value: &str| if is_first { text(value) } else { String::new() };
    SurveyCard {
        id: text("desk.satisfaction"),
        label: text("Satisfaction"),
        answered: some("2 of 3 answered"),
        figure: some("87 %"),
        figure_label: some("CSAT"),
        results_href: some("/surveys/desk.satisfaction"),
        ask_action: some("/records/request/request_1/surveys"),
        link: some("https://crm.example.com/survey/0thk7w2r00000"),
    }
}

pub fn survey_page(locale: Locale) -> SurveyPage {
    let choice =
        |value: &str, selected| Choice { value: text(value), label: text(value), note: text("Very bad"), selected, ..Choice::default() };
    let question = |kind: &str, choices: Vec<Choice>| QuestionView {
        name: format!("field_{kind}"),
        label: text("How content are you with our help?"),
        help: text("Only the last request counts"),
        kind: text(kind),
        low: text("Very bad"),
        high: text("Very good"),
        required: kind == "scale",
        choices,
        value: text("Quick"),
        max_length: 500,
        error: if kind == "text" { text("Fill this in.") } else { String::new() },
    };
    let scale = (0..=10).map(|number| choice(&number.to_string(), number == 9)).collect();
    let some = || vec![choice("Speed", true), choice("Price", false)];
    SurveyPage {
        shell: shell(locale, "How did we do?"),
        intro: text("It takes one minute."),
        action: text("/survey/0thk7w2r00000"),
        questions: vec![
            question("scale", scale),
            question("yes_no", some()),
            question("select", some()),
            question("multi_select", some()),
            question("text", Vec::new()),
            question("long_text", Vec::new()),
        ],
        shown: text("field_scale"),
        error: Some(text("Please look at the questions that are marked.")),
        languages: vec![Choice { value: text("/survey/x?lang=en"), label: text("English"), note: text("en"), ..Choice::default() }],
        ..SurveyPage::default()
    }
}

pub fn surveys_page(locale: Locale) -> SurveysPage {
    let row = SurveyRow {
        href: text("/surveys/desk.satisfaction"),
        label: text("Satisfaction"),
        entity: text("Requests"),
        icon: text("ticket"),
        answered: text("12 of 40 answered"),
        figure: text("+42"),
        figure_label: text("NPS"),
    };
    SurveysPage { shell: Shell { has_surveys: true, ..shell(locale, "Surveys") }, rows: vec![row] }
}

pub fn survey_results(locale: Locale) -> SurveyResultsPage {
    let bar = |label: &str, count, percent| Bar { label: text(label), count, percent };
    SurveyResultsPage {
        shell: shell(locale, "Satisfaction"),
        title: text("Satisfaction"),
        tabs: vec![Choice { value: text("/surveys/x"), label: text("All time"), selected: true, ..Choice::default() }],
        asked: text("40"),
        answered: text("12"),
        rate: text("30 %"),
        questions: vec![QuestionResult {
            label: text("How content are you?"),
            figure: text("87 %"),
            figure_label: text("CSAT"),
            answers: text("12 answers"),
            bars: vec![bar("4", 3, 25), bar("5", 9, 75)],
        }],
        all_href: text("/records/feedback?f=survey:is:satisfaction"),
    }
}

pub fn pools_page(locale: Locale) -> PoolsPage {
    let row = PoolRow {
        href: text("/pools/lead/public"),
        label: text("Open leads"),
        entity: text("Leads"),
        icon: text("sparkles"),
        limits: vec![text("You hold 38 of 50"), text("2 of 20 claimed today")],
    };
    PoolsPage { shell: Shell { has_pools: true, ..shell(locale, "Public pools") }, rows: vec![row] }
}

pub fn pool_page(locale: Locale) -> PoolPage {
    let tab = |value: &str, selected| Choice { value: text(value), label: text("In the pool"), selected, ..Choice::default() };
    let listed = list(locale, 3);
    PoolPage {
        shell: shell(locale, "Open leads"),
        entity: EntityHead { name: text("Lead"), ..EntityHead::default() },
        title: text("Open leads"),
        href: text("/pools/lead/public"),
        tabs: vec![tab("/pools/lead/public", true), tab("/pools/lead/public?show=held", false)],
        limits: vec![text("You hold 38 of 50")],
        rules: vec![text("A record goes back after 14 days without activity.")],
        rows: Some(PoolRows {
            columns: listed.columns,
            rows: listed.rows,
            count: text("3 records"),
            next_href: Some(text("/pools/lead/public?cursor=x")),
            claim_action: text("/pools/lead/public/claim"),
            q: text("ulm"),
            has_words: true,
            filters: vec![PoolFilter { name: text("f-kind"), label: text("Kind"), options: vec![tab("open", true)] }],
            is_filtered: true,
        }),
        held: vec![PoolHeldRow {
            href: text("/records/lead/lead_1"),
            title: text("Northern Lights"),
            since: stamp(),
            active: stamp(),
            due: Some(stamp()),
            is_soon: true,
        }],
        hand_out: Some(text("/pools/lead/public/hand-out")),
        most_handed_out: 1_000,
    }
}

pub fn approvals_page(locale: Locale) -> ApprovalsPage {
    let choice = |value: &str, selected| Choice { value: text(value), label: text(value), selected, ..Choice::default() };
    let row = |due: Option<Stamp>| ApprovalRow {
        href: text("/approvals/1"),
        label: text("Discount over 15 %"),
        entity: text("Deal"),
        record: text("Northern Lights refit"),
        record_href: text("/records/deal/deal_1"),
        who: text("Ada Wong"),
        asked: stamp(),
        is_late: due.is_some(),
        due,
        state: text("running"),
        state_text: text("Waiting"),
    };
    ApprovalsPage {
        shell: Shell { has_approvals: true, ..shell(locale, "Approvals") },
        tabs: vec![choice("/approvals", true), choice("/approvals?show=asked", false)],
        rows: vec![row(Some(stamp())), row(None)],
        empty: text("Nothing waits."),
        older_href: Some(text("/approvals?before=1")),
        stand_ins: vec![
            StandInRow { id: text("1"), text: text("Li decides for Wang"), from: stamp(), until: stamp(), may_end: true },
            StandInRow { id: text("2"), text: text("Wang decides for Li"), from: stamp(), until: stamp(), may_end: false },
        ],
        people: vec![choice("user_1", false)],
        is_searched: true,
        found: text("li"),
        error: Some(text("Choose a person.")),
    }
}

pub fn history() -> History {
    let entry =
        |kind: &str, changes| HistoryEntry { kind: text(kind), who: text("Ada Wong"), initials: text("AW"), stamp: stamp(), changes };
    History {
        entries: vec![
            entry(
                "update",
                vec![
                    HistoryChange { label: text("Amount"), old: shown("number"), new: shown("number") },
                    HistoryChange { label: text("Stage"), old: Shown::none(), new: shown("chips") },
                ],
            ),
            entry("restore", vec![]),
            entry("delete", vec![]),
            entry("create", vec![HistoryChange { label: text("Name"), old: Shown::none(), new: shown("text") }]),
        ],
        more_href: Some(text("?tab=history&cursor=x")),
    }
}

pub fn list_page(locale: Locale, rows: usize) -> ListPage {
    let zh = locale != Locale::En;
    let say = |en: &str, han: &str| text(if zh { han } else { en });
    ListPage {
        shell: Shell { crumbs: vec![Crumb { label: head(locale).plural, href: None }], ..shell(locale, &head(locale).plural) },
        entity: head(locale),
        list: list(locale, rows),
        views: vec![
            ViewLink { label: say("All", "全部"), href: text("/records/deal"), current: true },
            ViewLink { label: say("Closing this month", "本月成交"), href: text("/records/deal?view=closing"), current: false },
        ],
        create_href: text("/records/deal/new"),
        export_href: text("/api/v1/records/deal/export"),
        import_href: text("/records/deal/import"),
        twins_href: text("/records/deal/duplicates"),
        bin_href: text("/records/deal?deleted=only"),
        list_href: text("/records/deal"),
        in_bin: false,
        query: String::new(),
        filter: Filter {
            chips: vec![FilterChip { label: say("Amount ≥ 1,000", "金额 ≥ 1,000"), remove_href: text("/records/deal") }],
            fields: choices(),
            operators: choices(),
            value: Some(input("integer")),
            expression: text("amount >="),
            error: Some(say("the text ends where a value is expected", "表达式不完整")),
            hint: Some(text("did you mean `amount`?")),
            clear_href: text("/records/deal"),
            is_open: false,
            is_advanced: true,
            fields_href: text("/records/deal/filter-value"),
        },
        kept: vec![(text("sort"), text("-amount"))],
        error: None,
    }
}

pub fn entry(locale: Locale, title: &str) -> EntryPage {
    EntryPage {
        shell: Shell { person: None, ..shell(locale, title) },
        error: Some(text("E-mail or password is wrong.")),
        email: text("ada@example.com"),
        locales: Locale::ALL
            .iter()
            .map(|locale| Choice { value: text(locale.tag()), label: text(locale.tag()), ..Choice::default() })
            .collect(),
        ..EntryPage::default()
    }
}

pub fn docs(locale: Locale) -> DocsPage {
    let field =
        |name: &str| DocsField { name: text(name), place: text("query"), ty: text("string"), required: true, text: text("What it means.") };
    DocsPage {
        shell: shell(locale, "API"),
        title: text("API reference"),
        version: text("1.0"),
        description: text("All of it."),
        server: text("http://localhost:8080"),
        groups: vec![DocsGroup {
            id: text("deal"),
            label: text("Deals"),
            description: text("Deals of the workspace."),
            operations: vec![DocsOperation {
                id: text("deal-list"),
                method: text("GET"),
                path: text("/api/v1/records/deal"),
                summary: text("List deals"),
                description: text("Pages."),
                parameters: vec![field("filter")],
                body: vec![field("name")],
                body_note: text("JSON"),
                responses: vec![field("200")],
                example: text("{}"),
            }],
        }],
    }
}

pub fn audit_page(locale: Locale) -> AuditPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    AuditPage {
        shell: shell(locale, "Audit"),
        acts: vec![Choice { value: String::new(), label: text("Everything"), selected: true, ..Choice::default() }],
        since: text("2026-11-01"),
        until: String::new(),
        kept: vec![(text("actor"), text("42"))],
        chips: vec![AuditChip { label: text("Ada Wong"), remove_href: text("/audit") }],
        rows: vec![
            AuditRow {
                seq: 2,
                stamp: stamp(),
                who: text("Ada Wong"),
                who_href: Some(text("/audit?actor=42")),
                by_token: true,
                act: text("Signed in"),
                on: text("Ada Wong"),
                on_href: Some(text("/audit?record=user_0000000000001")),
                origin: text("192.0.2.7"),
                facts: vec![(text("roles"), text("[\"admin\"]")), (String::new(), text("odd"))],
            },
            AuditRow { seq: 1, stamp: stamp(), who: text("The program"), act: text("Definitions applied"), ..AuditRow::default() },
        ],
        older_href: Some(text("/audit?before=1")),
        csv_href: text("/audit/export?format=csv"),
        json_href: text("/audit/export?format=json"),
    }
}

pub fn jobs_page(locale: Locale) -> JobsPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    let row = |state: &str, error: &str| JobRow {
        id: text("31"),
        kind: text("deliver"),
        handler: text("crm.welcome"),
        record: text("Harbin Optics"),
        record_href: Some(text("/records/account/account_0000000000001")),
        state: text(state),
        state_text: text("Waiting"),
        due: stamp(),
        attempt: text("2 of 8"),
        error: text(error),
        can_retry: state != "running",
    };
    JobsPage {
        shell: shell(locale, "Jobs"),
        states: vec![Choice { value: String::new(), label: text("All (3 jobs)"), selected: true, ..Choice::default() }],
        rows: vec![row("dead", "no such record"), row("running", ""), JobRow { kind: text("sweep"), due: stamp(), ..JobRow::default() }],
        older_href: Some(text("/jobs?before=1")),
        schedules: vec![
            ScheduleRow { name: text("crm.morning"), spec: text("0 8 * * * UTC"), next: stamp(), last: Some(stamp()) },
            ScheduleRow { name: text("crm.evening"), spec: text("0 18 * * * UTC"), next: stamp(), last: None },
        ],
        error: Some(text("The job is running now.")),
    }
}

fn webhook_row(is_active: bool) -> WebhookRow {
    WebhookRow {
        href: text("/webhooks/7"),
        name: text("billing"),
        url: text("https://example.com/hook"),
        events: if is_active { text("deal.created, account.*") } else { String::new() },
        state: text("Active"),
        is_active,
        is_failing: !is_active,
    }
}

pub fn webhooks_page(locale: Locale) -> WebhooksPage {
    WebhooksPage {
        shell: shell(locale, "Webhooks"),
        rows: vec![webhook_row(true), webhook_row(false)],
        name: text("erp"),
        url: text("https://example.com/hook"),
        events: text("deal.created"),
        examples: text("deal.created, deal.*, *.deleted, *"),
        must_confirm: true,
        error: Some(text("Name: is taken")),
    }
}

pub fn webhook_page(locale: Locale) -> WebhookPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    let sent = |state: &str, answer: &str, error: &str| DeliveryRow {
        id: text("9"),
        message: text("msg_0000000000009"),
        kind: text("deal.created"),
        body: text("{}"),
        state: text(state),
        state_text: text("Delivered"),
        attempts: 2,
        answer: text(answer),
        error: text(error),
        at: stamp(),
    };
    WebhookPage {
        shell: shell(locale, "billing"),
        id: text("7"),
        row: webhook_row(true),
        events: text("deal.created"),
        examples: text("deal.created"),
        secret: Some(text("whsec_x")),
        former_until: Some(stamp()),
        deliveries: vec![sent("delivered", "200", ""), sent("failed", "", "did not answer in time"), sent("waiting", "", "")],
        older_href: Some(text("/webhooks/7?before=1")),
        must_confirm: true,
        error: Some(text("Name: is taken")),
    }
}

fn mail_row(state: &str, is_kept: bool) -> MailRow {
    MailRow {
        id: text("9"),
        href: text("/mails/9"),
        to: if is_kept { text("Ada Admin <ada@example.com>") } else { String::new() },
        subject: if is_kept { text("Offer: Harbin Optics") } else { String::new() },
        source: text("crm.offer_sent"),
        state: text(state),
        state_text: text("Sent"),
        attempts: 2,
        error: if state == "sent" { String::new() } else { text("no such mailbox") },
        at: mail_stamp(),
    }
}

fn mail_stamp() -> Stamp {
    Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") }
}

pub fn mails_page(locale: Locale) -> MailsPage {
    MailsPage {
        shell: shell(locale, "E-mail"),
        has_server: true,
        states: vec![Choice { value: text("sent"), label: text("Sent"), selected: true, ..Choice::default() }],
        rows: vec![mail_row("sent", true), mail_row("failed", false)],
        older_href: Some(text("/mails?before=1")),
        templates: vec![MailTemplateRow {
            id: text("crm.offer"),
            href: text("/mails/templates/crm.offer"),
            label: text("Offer"),
            entity: text("Deal"),
            languages: text("en, zh-CN"),
        }],
        stops: vec![
            MailStopRow { address: text("gone@example.com"), href: text("/mails/8"), error: text("no such mailbox"), at: mail_stamp() },
            MailStopRow { href: text("/mails/8"), error: text("no such mailbox"), at: mail_stamp(), ..MailStopRow::default() },
        ],
        to: text("ada@example.com"),
        error: Some(text("This is no address")),
    }
}

pub fn mail_page(locale: Locale) -> MailPage {
    MailPage {
        shell: shell(locale, "Offer: Harbin Optics"),
        row: mail_row("held", true),
        message: text("mail_0000000000009@example.com"),
        run_href: Some(text("/automations/runs/7")),
        record: Some((text("/records/deal/deal_0000000000001"), text("Harbin Optics"))),
        can_send: true,
        has_content: true,
        text: text("Hello\nthere"),
        html: Some(text("<p>Hello</p>")),
    }
}

pub fn mail_template_page(locale: Locale) -> MailTemplatePage {
    MailTemplatePage {
        shell: shell(locale, "Offer"),
        id: text("crm.offer"),
        entity: text("Deals"),
        entity_href: text("/records/deal"),
        record: text("deal_0000000000001"),
        languages: vec![Choice { value: text("en"), label: text("English"), selected: true, ..Choice::default() }],
        has_content: true,
        subject: text("Offer: Harbin Optics"),
        text: text("Hello"),
        html: Some(text("<p>Hello</p>")),
        has_server: true,
        to: text("ada@example.com"),
        error: Some(text("There is no such record")),
    }
}

pub fn notifications_page(locale: Locale) -> NotificationsPage {
    let row = |is_read: bool, title: &str| NotificationRow {
        id: text("7"),
        text: text("The deal Harbin Optics is won"),
        title: text(title),
        href: (!title.is_empty()).then(|| text("/records/deal/deal_0000000000001")),
        at: Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") },
        is_read,
    };
    NotificationsPage {
        shell: Shell { unread: 120, ..shell(locale, "Notifications") },
        rows: vec![row(false, "Harbin Optics"), row(true, "")],
        only_unread: false,
        older_href: Some(text("/notifications?before=1")),
    }
}

pub fn automations_page(locale: Locale) -> AutomationsPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    let row = |is_paused: bool| AutomationRow {
        id: text("crm.welcome"),
        label: text("Welcome"),
        entity: text("Deal"),
        event: text("created"),
        when: text("amount > 1000"),
        rights: text("sales_rep"),
        counts: text("Done: 3, Failed: 1"),
        receives: is_paused,
        is_paused,
        paused_since: is_paused.then(stamp),
        paused_why: text("Paused: began more than 1000 times within a minute"),
    };
    AutomationsPage {
        shell: shell(locale, "Automations"),
        automations: vec![row(false), row(true)],
        names: vec![Choice { label: text("All"), selected: true, ..Choice::default() }],
        states: vec![Choice { label: text("All"), selected: true, ..Choice::default() }],
        runs: vec![run_row("failed", "Refused"), RunRow { record_href: None, ..run_row("done", "") }],
        older_href: Some(text("/automations?before=1")),
        must_confirm: true,
        secret: Some((text("https://crm.example.com/api/v1/received/shop.order"), text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))),
        error: Some(text("Give your password.")),
    }
}

fn run_row(state: &str, reason: &str) -> RunRow {
    RunRow {
        href: text("/automations/runs/7"),
        name: text("crm.welcome"),
        record: text("Harbin Optics"),
        record_href: Some(text("/records/deal/deal_0000000000001")),
        event: text("created"),
        state: text(state),
        state_text: text("Failed"),
        reason: text(reason),
        began: Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") },
    }
}

pub fn what_if_page(locale: Locale) -> WhatIfPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    let effect = |href: Option<&str>, before: &str| WhatIfEffect {
        at: stamp(),
        automation: text("crm.welcome"),
        record: text("Harbin Optics"),
        record_href: href.map(text),
        what: text("Amount"),
        before: text(before),
        after: text("12"),
    };
    WhatIfPage {
        shell: shell(locale, "What if"),
        automations: vec![Choice { value: text("crm.welcome"), label: text("Welcome"), selected: true, ..Choice::default() }],
        definition: text("kind: automation\nfor: deal\n"),
        days: 30,
        most_days: 366,
        with_others: true,
        error: text("the definitions have 1 faults"),
        faults: vec![text("3:1: there is no entity `deel` [DEF201]")],
        answer: Some(WhatIfAnswer {
            from: stamp(),
            to: stamp(),
            shorter: text("Less than asked for."),
            events: text("312 events"),
            said: vec![text("It would have begun 312 times."), text("Changed: 87 Deals")],
            automations: vec![
                WhatIfTried { id: text("crm.welcome"), states: text("Done: 3"), reasons: vec![text("2 × Refused"), text("1 × Gone")] },
                WhatIfTried { id: text("crm.next"), ..WhatIfTried::default() },
            ],
            effects: vec![effect(Some("/records/deal/deal_0000000000001"), "5"), effect(None, "")],
            effects_shown: text("2 of 40"),
            runs: vec![run_row("failed", "Refused"), RunRow { record_href: None, ..run_row("done", "") }],
            runs_shown: text("2 of 2"),
            passed_over: vec![WhatIfPassed {
                why: text("Refused: too large"),
                count: 2,
                example: text("deal_0000000000001"),
                example_href: text("/records/deal/deal_0000000000001"),
            }],
        }),
    }
}

pub fn run_page(locale: Locale) -> RunPage {
    let stamp = || Stamp { iso: text("2026-11-21T08:00:00Z"), text: text("an hour ago"), full: text("21 Nov 2026, 16:00") };
    let step = |state: &str, reason: &str| RunStep {
        step: text("mark"),
        act: text("set"),
        state: text(state),
        state_text: text("Done"),
        input: text("{\"values\":{}}"),
        output: text("{}"),
        reason: text(reason),
        at: stamp(),
    };
    RunPage {
        shell: shell(locale, "crm.welcome"),
        automation: text("crm.welcome"),
        run: run_row("failed", "Refused: no such record"),
        chain: vec![text("crm.one"), text("crm.two")],
        who: text("Ada Wong"),
        waits_until: Some(stamp()),
        ended: Some(stamp()),
        next_step: text("mark"),
        steps: vec![step("done", ""), step("failed", "Refused"), RunStep { act: String::new(), ..step("done", "") }],
        job: Some(text("7")),
        can_retry: true,
    }
}
