//! Questions: every endpoint that is read from, and every position in which a name or a value can stand.

use axum::http::Method;
use serde_json::{Value, json};

use super::plan::{Dice, Kind, Plan};
use super::side::Known;

#[derive(Debug, Clone)]
pub struct Question {
    /// As in the routes, without parameters.
    pub route: &'static str,
    pub position: &'static str,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// The page behind the first one is asked for, too.
    pub goes_on: bool,
    /// The feed as server-sent events.
    pub listens: bool,
}

/// What is asked, by number.
pub struct Asking<'a> {
    pub plan: &'a Plan,
    pub known: &'a Known,
}

pub const LIST: &str = "/api/v1/records/{entity}";
const PAGE: &str = "/records/{entity}";
const NUMBERS: [Kind; 1] = [Kind::Number];
const TEXTS: [Kind; 1] = [Kind::Text];
/// Words that are found and words that are not.
const WORDS: [&str; 6] = ["red", "gre", "abc", "blue red", "ghost", "box 1"];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn get(route: &'static str, position: &'static str, path: &str, query: &[(&str, &str)]) -> Question {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{path}{mark}{}", query.join("&"));
    Question { route, position, method: Method::GET, path, body: None, goes_on: false, listens: false }
}

fn post(route: &'static str, position: &'static str, path: &str, body: Value) -> Question {
    Question { method: Method::POST, body: Some(body), ..get(route, position, path, &[]) }
}

impl Asking<'_> {
    /// How many kinds of questions there are.
    pub const KINDS: usize = 122;

    fn number<'a>(&'a self, dice: &mut Dice) -> &'a str {
        let mut names = self.plan.names(&NUMBERS);
        names.extend(["shade", "twice", "far", "via", "box.secret", "weight", "price.base"]);
        // Kept totals are those of everybody, and are computed anew for whoever may not read all of it.
        names.extend(["box.whole", "box.most"]);
        dice.word(&names)
    }

    fn text<'a>(&'a self, dice: &mut Dice) -> &'a str {
        let mut names = self.plan.names(&TEXTS);
        names.extend(["name_of", "box.name", "kind", "code"]);
        dice.word(&names)
    }

    /// A name that can be sorted or grouped by.
    fn any<'a>(&'a self, dice: &mut Dice) -> &'a str {
        match dice.below(4) {
            0 => dice.word(&["due", "kind", "price", "box", "keeper", "created_at", "updated_at", "keeper.phone", "pin"]),
            1 => self.text(dice),
            _ => self.number(dice),
        }
    }

    fn condition(&self, dice: &mut Dice) -> String {
        match dice.below(16) {
            0 => format!("{} > {}", self.number(dice), dice.below(30)),
            1 => format!("{} is null", self.any(dice)),
            2 => format!("{} = 'red'", self.text(dice)),
            3 => format!("{} contains 're'", self.text(dice)),
            4 => "tags has 'red'".to_owned(),
            5 => format!("exists(friends where secret > {})", dice.below(30)),
            6 => format!("exists(friends where shade > {})", dice.below(9)),
            7 => format!("count(box.items where {} > 5) > 1", *dice.of(&["n0", "n1", "n2", "shade"])),
            8 => format!("not ({} < {})", self.number(dice), self.number(dice)),
            9 => format!("exists(leaves where {} > 3)", *dice.of(&["n", "item.n0", "item.shade"])),
            10 => format!("pin = 'pin {}'", dice.below(5)),
            11 => format!("origin = '{}'", dice.of(&self.known.boxes)),
            12 => format!("keeper = '{}' or keeper.phone starts_with '+493'", dice.of(&self.known.people)),
            13 => format!("due > '2026-0{}-01'", 1 + dice.below(9)),
            14 => format!("box = '{}'", dice.of(&self.known.boxes)),
            _ => format!("price.base > {} or box.many > {}", dice.below(40), dice.below(9)),
        }
    }

    fn measure(&self, dice: &mut Dice) -> String {
        let function = *dice.of(&["sum", "min", "max", "avg", "count", "count_distinct"]);
        format!("{function}({})", self.number(dice))
    }

    /// A record of any entity that is asked about.
    fn record(&self, dice: &mut Dice) -> (&'static str, String) {
        match dice.below(6) {
            0 => ("box", dice.of(&self.known.boxes).clone()),
            1 if !self.known.leaves.is_empty() => ("leaf", dice.of(&self.known.leaves).clone()),
            2 => ("consent", dice.of(&self.known.consents).clone()),
            3 => ("user", dice.of(&self.known.people).clone()),
            _ => ("item", dice.of(&self.known.items).clone()),
        }
    }

    fn entity(dice: &mut Dice) -> &'static str {
        dice.word(&["box", "item", "item", "leaf", "consent", "user", "team", "task"])
    }

    /// A question of this kind, with its names and values by chance.
    pub fn ask(&self, kind: usize, dice: &mut Dice) -> Question {
        let items = "/api/v1/records/item";
        let q = |dice: &mut Dice| *dice.of(&WORDS);
        match kind {
            0 => get(LIST, "filter", items, &[("filter", &self.condition(dice)), ("sort", self.number(dice))]),
            1 => {
                let both = format!("{} and {}", self.condition(dice), self.condition(dice));
                get(LIST, "count", items, &[("filter", &both), ("count", *dice.of(&["exact", "estimated"]))])
            }
            2 => {
                let sort = format!("-{},{}", self.any(dice), self.text(dice));
                get(LIST, "sort", items, &[("sort", &sort), ("limit", "5")])
            }
            3 => {
                let sort = format!("{}{}", *dice.of(&["", "-"]), self.any(dice));
                let asked = get(LIST, "cursor", items, &[("sort", &sort), ("limit", "2"), ("count", "exact")]);
                Question { goes_on: true, ..asked }
            }
            4 => {
                let select = format!("id,_title,{},box(id,_title,whole,most),friends(id,name,secret)", self.text(dice));
                get(LIST, "expand", items, &[("select", &select)])
            }
            5 => {
                let (shown, sort) = (self.number(dice), *dice.of(&["n0", "n1", "shade", "t0"]));
                let select =
                    format!("id,name,whole,most,many,items(id,_title,{};sort={sort};limit=2)", shown.split('.').next().unwrap_or(shown));
                get(LIST, "expand", "/api/v1/records/box", &[("select", &select)])
            }
            6 => {
                let select = format!("id,items(id,leaves(label,n);filter={})", self.condition(dice));
                get(LIST, "expand", "/api/v1/records/box", &[("select", &select)])
            }
            7 => {
                let filter = format!("{} > {}", *dice.of(&["whole", "most", "many", "secret"]), dice.below(60));
                let select = "id,name,whole,most,many,items(id)";
                get(LIST, "filter", "/api/v1/records/box", &[("filter", &filter), ("sort", "-whole"), ("select", select)])
            }
            8 => get(LIST, "search", items, &[("q", q(dice))]),
            9 => get(LIST, "search", &format!("/api/v1/records/{}", Self::entity(dice)), &[("q", q(dice)), ("count", "exact")]),
            10 => get(LIST, "recycle bin", items, &[("deleted", *dice.of(&["deleted", "all"])), ("filter", &self.condition(dice))]),
            11 => get(LIST, "select", &format!("/api/v1/records/{}", Self::entity(dice)), &[("select", "*,_title"), ("count", "exact")]),
            12 => {
                let select = format!(
                    "id,{},{}",
                    self.any(dice).split('.').next().unwrap_or("id"),
                    *dice.of(&["origin(id,_title)", "keeper(name,phone)", "papers", "leaves(label)", "pin"])
                );
                get(LIST, "select", items, &[("select", &select), ("page", *dice.of(&["1", "2"])), ("limit", "5")])
            }
            13 => get(
                LIST,
                "titles",
                &format!("/api/v1/records/{}", Self::entity(dice)),
                &[("select", "id,_title"), ("sort", *dice.of(&["id", "-id", "created_at"]))],
            ),
            14 => {
                let body = json!({"filter": self.condition(dice), "sort": [self.any(dice)], "count": "exact", "limit": 4});
                post("POST query", "filter", "/api/v1/records/item/query", body)
            }
            15 => {
                let group = if dice.one_in(2) { self.number(dice) } else { self.text(dice) };
                let body = json!({"group": [group], "measures": {"m": self.measure(dice), "n": "count()"}, "filter": self.condition(dice)});
                post("POST aggregate", "group", "/api/v1/records/item/aggregate", body)
            }
            16 => {
                let having = format!("{} > {}", *dice.of(&["m", "n"]), dice.below(20));
                let body = json!({"group": [self.text(dice)], "measures": {"m": self.measure(dice), "n": "count()"}, "having": having});
                post("POST aggregate", "having", "/api/v1/records/item/aggregate", body)
            }
            17 => {
                let bucket =
                    json!({"by": *dice.of(&["due", "created_at"]), "bucket": *dice.of(&["month", "quarter", "week"]), "as": "when"});
                let body = json!({"group": [bucket], "measures": {"m": self.measure(dice)}, "sort": *dice.of(&["-m", "when"])});
                post("POST aggregate", "bucket", "/api/v1/records/item/aggregate", body)
            }
            18 => {
                let body =
                    json!({"measures": {"m": self.measure(dice), "n": "count()"}, "q": q(dice), "deleted": *dice.of(&["live", "all"])});
                post("POST aggregate", "search", "/api/v1/records/item/aggregate", body)
            }
            19 => {
                let of = *dice.of(&["sum(whole)", "max(most)", "sum(many)", "max(secret)", "count()"]);
                post("POST aggregate", "measure", "/api/v1/records/box/aggregate", json!({"group": ["shade"], "measures": {"m": of}}))
            }
            20 | 21 => {
                let (entity, id) = self.record(dice);
                get("/api/v1/records/{entity}/{id}", "one", &format!("/api/v1/records/{entity}/{id}"), &[])
            }
            22 => {
                let select = format!(
                    "id,_title,{},leaves(label,n),friends(name),box(whole,secret)",
                    self.text(dice).split('.').next().unwrap_or("id")
                );
                let path = format!("{items}/{}", dice.of(&self.known.items));
                get("/api/v1/records/{entity}/{id}", "expand", &path, &[("select", &select), ("deleted", *dice.of(&["all", "live"]))])
            }
            23 => {
                let (entity, id) = self.record(dice);
                get(
                    "/api/v1/records/{entity}/{id}/history",
                    "history",
                    &format!("/api/v1/records/{entity}/{id}/history"),
                    &[("limit", *dice.of(&["1", "50"]))],
                )
            }
            24 => {
                let (entity, id) = self.record(dice);
                get("/api/v1/records/{entity}/{id}/shares", "shares", &format!("/api/v1/records/{entity}/{id}/shares"), &[])
            }
            25 => {
                let (select, format) = (format!("id,{}", self.text(dice)), *dice.of(&["csv", "jsonl"]));
                let path = format!("/api/v1/records/{}/export", *dice.of(&["item", "item", "box"]));
                get("/api/v1/records/{entity}/export", "export", &path, &[("select", &select), ("format", format)])
            }
            26 => {
                let asked = [("filter", self.condition(dice)), ("sort", self.any(dice).to_owned())];
                let asked = asked.each_ref().map(|(name, value)| (*name, value.as_str()));
                get("/api/v1/records/{entity}/export", "export filter", &format!("{items}/export"), &asked)
            }
            27 => get(
                "/api/v1/records/{entity}/export",
                "export search",
                &format!("{items}/export"),
                &[("q", q(dice)), ("deleted", *dice.of(&["deleted", "live"]))],
            ),
            28 => get("/api/v1/schema", "schema", "/api/v1/schema", &[]),
            29 => get("/api/v1/schema/{entity}", "schema", &format!("/api/v1/schema/{}", Self::entity(dice)), &[]),
            30 => get("/api/v1/openapi.json", "schema", "/api/v1/openapi.json", &[]),
            31 => {
                let since = usize::try_from(self.known.newest).unwrap_or(1);
                let (since, limit) = (dice.below(since).to_string(), *dice.of(&["1", "10", "1000"]));
                get("/api/v1/changes", "changes", "/api/v1/changes", &[("since", &since), ("limit", limit)])
            }
            32 => {
                let since = usize::try_from(self.known.newest).unwrap_or(1);
                let asked = get("/api/v1/changes", "stream", "/api/v1/changes", &[("since", &dice.below(since).to_string())]);
                Question { listens: true, ..asked }
            }
            33 => get("/api/v1/files/{id}", "file", &format!("/api/v1/files/{}", dice.of(&self.known.files)), &[]),
            34 => get("/files/{id}", "file", &format!("/files/{}", dice.of(&self.known.files)), &[("preview", "64")]),
            35 => get("/api/v1/sessions", "own", "/api/v1/sessions", &[]),
            36 => get("/api/v1/tokens", "own", "/api/v1/tokens", &[]),
            37 => get("/api/v1/access/why", "explain", "/api/v1/access/why", &[("record", &self.record(dice).1)]),
            38 => {
                let (record, person) = (self.record(dice).1, dice.of(&self.known.people).clone());
                get("/api/v1/access/why", "explain", "/api/v1/access/why", &[("record", &record), ("person", &person)])
            }
            39 => get("/api/v1/access/who", "explain", "/api/v1/access/who", &[("of", *dice.of(&["item.n0", "box.secret", "item"]))]),
            40 => get("/api/v1/access/as", "explain", "/api/v1/access/as", &[]),
            41 => get("/api/v1/access/as", "explain", "/api/v1/access/as", &[("role", *dice.of(&["one", "two"]))]),
            42 => get("/api/v1/people", "shut", "/api/v1/people", &[]),
            43 => get("/api/v1/people/{id}/records", "shut", &format!("/api/v1/people/{}/records", dice.of(&self.known.people)), &[]),
            44 => get("/api/v1/definitions/versions", "shut", "/api/v1/definitions/versions", &[]),
            45 => get("/healthz", "health", "/healthz", &[]),
            46 => get("/readyz", "health", "/readyz", &[]),
            82 => get("/api/v1/automations", "shut", "/api/v1/automations", &[]),
            83 => get("/api/v1/runs", "shut", "/api/v1/runs", &[("record", &self.record(dice).1)]),
            84 => get("/api/v1/runs/{id}", "shut", "/api/v1/runs/1", &[]),
            85 => get("/api/v1/jobs", "shut", "/api/v1/jobs", &[("state", "ready")]),
            86 => get("/api/v1/jobs/{id}", "shut", "/api/v1/jobs/1", &[]),
            87 => get("/automations", "shut", "/automations", &[]),
            88 => get("/automations/runs/{id}", "shut", "/automations/runs/1", &[]),
            89 => get("/jobs", "shut", "/jobs", &[]),
            90 => get("/approvals", "own", "/approvals", &[]),
            91 => get("/approvals/{id}", "own", "/approvals/1", &[]),
            92 => get("/api/v1/notifications", "own", "/api/v1/notifications", &[]),
            93 => get("/notifications", "own", "/notifications", &[]),
            94 => {
                let path = format!("/api/v1/records/item/{}/merges", dice.of(&self.known.items));
                get("/api/v1/records/{entity}/{id}/merges", "one", &path, &[])
            }
            95 => {
                let (one, other) = (dice.of(&self.known.items).clone(), dice.of(&self.known.items).clone());
                get("/records/{entity}/{id}/merge", "form", &format!("/records/item/{one}/merge"), &[("with", &other)])
            }
            96 => get("/api/v1/webhooks", "shut", "/api/v1/webhooks", &[]),
            97 => get("/api/v1/webhooks/{id}", "shut", "/api/v1/webhooks/1", &[]),
            98 => get("/api/v1/webhooks/{id}/deliveries", "shut", "/api/v1/webhooks/1/deliveries", &[]),
            99 => get("/webhooks", "shut", "/webhooks", &[]),
            100 => get("/webhooks/{id}", "shut", "/webhooks/1", &[]),
            101 => {
                get("/api/v1/records/{entity}/duplicates", "all", "/api/v1/records/item/duplicates", &[("limit", *dice.of(&["1", "20"]))])
            }
            102 => get("/records/{entity}/duplicates", "all", "/records/item/duplicates", &[]),
            103 => {
                let path = format!("/api/v1/records/item/{}/convert", dice.of(&self.known.items));
                get("/api/v1/records/{entity}/{id}/convert", "one", &path, &[])
            }
            104 => get("/records/{entity}/{id}/convert", "form", &format!("/records/item/{}/convert", dice.of(&self.known.items)), &[]),
            105 => get("/pools", "own", "/pools", &[]),
            106 => get("/pools/{entity}/{pool}", "own", "/pools/item/none", &[]),
            107 => get("/registrations", "own", "/registrations", &[]),
            108 => get("/api/v1/mails", "shut", "/api/v1/mails", &[]),
            109 => get("/api/v1/mails/{id}", "shut", "/api/v1/mails/1", &[]),
            110 => get("/api/v1/mails/templates", "shut", "/api/v1/mails/templates", &[]),
            111 => get("/api/v1/mails/stops", "shut", "/api/v1/mails/stops", &[]),
            112 => get("/mails", "shut", "/mails", &[]),
            113 => get("/mails/{id}", "shut", "/mails/1", &[]),
            114 => get("/mails/templates/{template}", "shut", "/mails/templates/crm.none", &[]),
            115 => get("/api/v1/surveys", "own", "/api/v1/surveys", &[]),
            116 => get("/api/v1/surveys/{survey}", "own", "/api/v1/surveys/p.liked", &[("days", *dice.of(&["1", "90"]))]),
            117 => get("/surveys", "own", "/surveys", &[]),
            118 => get("/surveys/{survey}", "own", "/surveys/p.liked", &[]),
            119 => get("/survey/{token}", "own", "/survey/0thk7w2r00000", &[]),
            120 => get("/automations/what-if", "shut", "/automations/what-if", &[]),
            121 => post("POST what-if", "shut", "/api/v1/what-if", json!({ "automation": "site.none", "days": 3 })),
            _ => self.page(kind, dice),
        }
    }

    fn page(&self, kind: usize, dice: &mut Dice) -> Question {
        let items = "/records/item";
        let (entity, id) = self.record(dice);
        let of_record = |tail: &str| format!("/records/{entity}/{id}{tail}");
        match kind {
            47 => get("/", "home", "/", &[]),
            48 => get("/search", "search", "/search", &[("q", *dice.of(&WORDS))]),
            49 => get(PAGE, "filter", items, &[("filter", &self.condition(dice)), ("sort", self.number(dice))]),
            50 => get(PAGE, "view", items, &[("view", *dice.of(&["all", "odd"])), ("sort", self.any(dice))]),
            51 => {
                let simple = format!(
                    "{}:{}:{}",
                    self.any(dice),
                    *dice.of(&["ge", "is", "contains", "empty", "not-empty", "has", "before"]),
                    *dice.of(&["3", "red", "2026-06-01"])
                );
                get(PAGE, "clicked filter", items, &[("f", &simple)])
            }
            52 => {
                let named = format!("{}:is:{}", *dice.of(&["box", "origin", "keeper"]), self.record(dice).1);
                get(PAGE, "titles", items, &[("f", &named)])
            }
            53 => get(
                PAGE,
                "search",
                &format!("/records/{}", Self::entity(dice)),
                &[("q", *dice.of(&WORDS)), ("deleted", *dice.of(&["", "only"]))],
            ),
            54 => get(
                "/records/{entity}/new",
                "form",
                &format!("/records/{}/new", Self::entity(dice)),
                &[("box", dice.of(&self.known.boxes).as_str())],
            ),
            55 => get(
                "/records/{entity}/filter",
                "clicked filter",
                &format!("{items}/filter"),
                &[("field", self.any(dice)), ("op", "ge"), ("value", "3")],
            ),
            56 => get(
                "/records/{entity}/filter-value",
                "clicked filter",
                &format!("{items}/filter-value"),
                &[("field", *dice.of(&["box", "n0", "kind", "keeper", "t1"])), ("op", "is")],
            ),
            57 => {
                let of = *dice.of(&["box", "origin", "keeper", "friends"]);
                get("/records/{entity}/choices", "autocomplete", &format!("{items}/choices"), &[("of", of), ("q", *dice.of(&WORDS))])
            }
            58 => get(
                "/records/{entity}/choices",
                "autocomplete",
                &format!("/records/{}/choices", Self::entity(dice)),
                &[("q", *dice.of(&["", "re", "box", "ghost", "leaf"]))],
            ),
            59 => {
                let tab = *dice.of(&["", "history", "items", "leaves"]);
                get("/records/{entity}/{id}", "one", &of_record(""), &[("tab", tab)])
            }
            60 => get("/records/{entity}/{id}/edit", "form", &of_record("/edit"), &[]),
            61 => get("/records/{entity}/{id}/access", "explain", &of_record("/access"), &[]),
            62 => get("/records/{entity}/{id}/shares", "shares", &of_record("/shares"), &[("q", *dice.of(&["", "ot", "red"]))]),
            63 => get("/records/{entity}/{id}/erase", "shut", &of_record("/erase"), &[]),
            64 => get("/records/{entity}/{id}/delete", "shut", &of_record("/delete"), &[]),
            65 => get("/account", "own", "/account", &[]),
            66 => get("/docs/api", "schema", "/docs/api", &[]),
            67 => get("/people", "shut", "/people", &[]),
            68 => get("/people/{id}", "shut", &format!("/people/{}", dice.of(&self.known.people)), &[]),
            69 => get("/people/{id}/access", "shut", &format!("/people/{}/access", dice.of(&self.known.people)), &[]),
            70 => get("/access", "shut", "/access", &[("of", "item.n0")]),
            71 => get("/audit", "shut", "/audit", &[]),
            73 => {
                let path = format!("/api/v1/records/item/{}/moves", dice.of(&self.known.items));
                get("/api/v1/records/{entity}/{id}/moves", "moves", &path, &[])
            }
            74 => get("/api/v1/records/{entity}/{id}/stages", "moves", &format!("/api/v1/records/{entity}/{id}/stages"), &[]),
            75 | 76 => {
                let path = format!("/records/item/{}/move", dice.of(&self.known.items));
                get("/records/{entity}/{id}/move", "moves", &path, &[("to", *dice.of(&["offer", "won"])), ("pipeline", "way")])
            }
            77 => get("/records/{entity}/import", "shut", &format!("/records/{}/import", Self::entity(dice)), &[]),
            78 => get("/definitions", "shut", "/definitions", &[]),
            79 | 80 => {
                let (path, stage) = (format!("{items}/board/{}", dice.of(&["way", "fast"])), *dice.of(&["new", "offer"]));
                get("/records/{entity}/board/{pipeline}", "board", &path, &[("column", stage)])
            }
            81 => {
                let path = format!("/records/item/{}", dice.of(&self.known.items));
                get("/records/{entity}/{id}", "moves", &path, &[("tab", "stages")])
            }
            _ => get("/audit/export", "shut", "/audit/export", &[("format", "json")]),
        }
    }
}
