//! Random requests that are in order: each must run on the database, and its pages must not repeat a record.

use relata::base::{Random, SeededRandom};
use serde_json::{Map, json};

use super::database::Database;

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound as u64).unwrap()
    }

    fn pick<'a>(&self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    /// Some of them, none twice, in any order.
    fn some<'a>(&self, items: &[&'a str], most: usize) -> Vec<&'a str> {
        let mut left = items.to_vec();
        (0..self.below(most + 1).min(items.len())).map(|_| left.remove(self.below(left.len()))).collect()
    }
}

const FILTERS: [&str; 34] = [
    "",
    "stage = 'won'",
    "stage != 'won'",
    "stage in ('won', 'new')",
    "not (stage = 'won' or stage = 'lost')",
    "name contains 'ÜND'",
    "name starts_with 'u'",
    "name = 'under'",
    "account is null",
    "account.industry = 'software'",
    "account.parent.name = 'acme'",
    "account = 'acc_000000000000b'",
    "amount.base > 100.5",
    "amount.currency = 'EUR'",
    "discount between 0.1 and 0.5",
    "close_on >= today()",
    "closed_at < now()",
    "date(closed_at) = '2026-11-22'",
    "call_at > '08:00'",
    "effort >= hours(1)",
    "is_hot",
    "not is_hot",
    "score > 2 or score is null",
    "segments has_any ('mid')",
    "segments has_all ('mid', 'smb')",
    "tags is null",
    "exists(lines where qty > 20 and product.name like '%1')",
    "none(lines)",
    "all(lines where qty >= 0)",
    "count(lines) = 3",
    "sum(lines.total) > 100",
    "exists(products where price > 1)",
    "owner = me()",
    "industry = 'retail' and quantity > 1 and effort_left > hours(1)",
];
const FIELDS: [&str; 29] = [
    "id",
    "version",
    "created_at",
    "owner",
    "deleted_at",
    "number",
    "name",
    "stage",
    "amount",
    "discount",
    "close_on",
    "closed_at",
    "call_at",
    "effort",
    "is_hot",
    "score",
    "notes",
    "segments",
    "tags",
    "place",
    "info",
    "files",
    "effort_left",
    "industry",
    "quantity",
    "_title",
    "account",
    "products",
    "origin",
];
const EXPANSIONS: [&str; 9] = [
    "account(*)",
    "account(name,parent(_title,parent(name)))",
    "origin(id,name,_title)",
    "owner(_title)",
    "lines(*;limit=1)",
    "lines(_title,product(*),deal(id,_title);sort=-total,product;filter=qty > 1)",
    "products(*;sort=-price)",
    "products(name,quantity;limit=2;filter=name contains '1')",
    "lines(deal(lines(id;limit=3)))",
];
const SORTS: [&str; 21] = [
    "id",
    "created_at",
    "name",
    "name:fold",
    "number",
    "account",
    "owner",
    "stage",
    "amount",
    "amount.amount",
    "discount",
    "close_on",
    "closed_at",
    "call_at",
    "effort",
    "is_hot",
    "score",
    "effort_left",
    "industry",
    "quantity",
    "account.industry",
];

#[tokio::test(flavor = "multi_thread")]
async fn any_request_in_order_runs() {
    let database = Database::filled().await;
    let dice = Dice(SeededRandom::new(20_261_121));
    for round in 0..250 {
        let mut select = dice.some(&FIELDS, 12);
        for expansion in dice.some(&EXPANSIONS, 3) {
            let name = expansion.split('(').next().unwrap();
            if !select.iter().any(|known| known.split('(').next() == Some(name)) {
                select.push(expansion);
            }
        }
        if !select.contains(&"id") {
            select.push("id");
        }
        let sort: Vec<String> = dice.some(&SORTS, 3).into_iter().map(|key| format!("{}{key}", dice.pick(&["", "-"]))).collect();
        let filter = dice.pick(&FILTERS);
        let limit = 1 + dice.below(60);
        let deleted = dice.pick(&["live", "live", "all", "deleted"]);
        let count = dice.pick(&["none", "exact"]);
        let q = dice.pick(&["", "", "", "ünd", "新"]);
        let base = format!(
            "select={}&sort={}&filter={filter}&limit={limit}&deleted={deleted}&count={count}&q={q}",
            select.join(","),
            sort.join(",")
        );
        let first = database.list("deal", &base).await;
        let mut ids: Vec<_> = first.rows.iter().map(|row| row.id()).collect();
        if let Some(next) = &first.next {
            let second = database.list("deal", &format!("{base}&cursor={next}")).await;
            super::database::json(&second.rows);
            ids.extend(second.rows.iter().map(|row| row.id()));
        }
        super::database::json(&first.rows);
        let found = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), found, "round {round}: {base}");
    }
    database.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_aggregate_in_order_runs() {
    let database = Database::filled().await;
    let dice = Dice(SeededRandom::new(7));
    let groups = ["stage", "account", "account.industry", "is_hot", "score", "close_on", "industry", "owner", "discount", "effort_left"];
    let measures = [
        "count()",
        "count(name)",
        "count_distinct(account)",
        "sum(amount)",
        "sum(amount.amount)",
        "avg(amount)",
        "min(close_on)",
        "max(name)",
        "avg(effort)",
        "sum(discount * 2)",
        "sum(quantity)",
        "avg(quantity)",
        "max(account.name)",
        "min(call_at)",
        "sum(account.revenue)",
    ];
    for round in 0..150 {
        let mut group: Vec<_> = dice.some(&groups, 2).into_iter().map(|group| json!(group)).collect();
        if dice.below(3) == 0 {
            let bucket = dice.pick(&["day", "week", "month", "quarter", "year"]);
            group.push(json!({"by": dice.pick(&["closed_at", "created_at", "close_on"]), "bucket": bucket, "zone": dice.pick(&["Asia/Shanghai", "Europe/Berlin"]), "as": "period"}));
        }
        let mut named = Map::new();
        for (position, measure) in dice.some(&measures, 5).into_iter().enumerate() {
            named.insert(format!("m{position}"), json!(measure));
        }
        named.insert("n".to_owned(), json!("count()"));
        let having = dice.pick(&["", "n > 1", "n >= 1.5 and n != 3"]);
        let body = json!({"group": group, "measures": named, "filter": dice.pick(&FILTERS), "having": if having.is_empty() { json!([]) } else { json!(having) },
            "sort": dice.pick(&["-n", "n", "n,-n"]), "limit": 1 + dice.below(40)});
        let rows = database.aggregate("deal", body.clone()).await;
        assert!(rows.as_array().unwrap().len() <= 41, "round {round}: {body}");
    }
    database.store.close().await.unwrap();
}
