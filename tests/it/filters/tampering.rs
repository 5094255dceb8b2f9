//! Nothing a client sends makes the room panic, and no cursor but ours is taken.

use proptest::prelude::*;
use relata::base::{Cell, Explain};
use relata::query::{self, Cursor, Params};

use super::cases::key;
use super::catalog::catalog;

const WORDS: [&str; 42] = [
    "id",
    "name",
    "amount",
    "amount.base",
    "account",
    "account.name",
    "lines",
    "products",
    "origin",
    "_title",
    "stage",
    "(",
    ")",
    ",",
    ";",
    "*",
    "-",
    "+",
    ":fold",
    ":zh-CN",
    "sort=",
    "limit=",
    "filter=",
    "=",
    "'won'",
    "'",
    "\"",
    "and",
    "not",
    "null",
    "is",
    "1.5",
    "9999999999999999999",
    "今天",
    "🎉",
    "today()",
    "exists(",
    "where",
    " ",
    "%",
    "\\",
    "\u{0}",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_parameters_are_read_or_refused(filter in soup(), select in soup(), sort in soup(), page in "[0-9a-z-]{0,12}", limit in "[0-9]{0,11}", q in ".{0,40}") {
        let catalog = catalog();
        let deal = catalog.find_entity("deal").unwrap().ix;
        let pairs = [("filter", &filter), ("select", &select), ("sort", &sort), ("page", &page), ("limit", &limit), ("q", &q)];
        let params = Params(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect());
        match query::parse_list(&catalog, &key(), deal, &params) {
            Ok(request) => prop_assert!(request.limit <= query::MAX_LIMIT && request.sort.len() <= query::MAX_SORT_KEYS),
            Err(faults) => {
                for fault in &faults {
                    let (code, _, _) = (fault.code(), fault.hint(), fault.details());
                    prop_assert!(code.starts_with("QRY") || code.starts_with("EXP"), "{code}");
                    prop_assert!(!fault.to_string().is_empty());
                }
                prop_assert!(!faults.is_empty());
            }
        }
    }

    #[test]
    fn any_query_string_is_decoded(text in ".{0,80}") {
        let catalog = catalog();
        let deal = catalog.find_entity("deal").unwrap().ix;
        let _ = query::parse_list(&catalog, &key(), deal, &Params::parse(&text));
    }

    #[test]
    fn any_body_is_read_or_refused(of in soup(), group in soup(), having in soup(), sort in soup(), number in any::<i64>()) {
        let catalog = catalog();
        let deal = catalog.find_entity("deal").unwrap().ix;
        let body = serde_json::json!({"group": [group, {"by": of, "bucket": "month", "zone": sort}], "measures": {"m": format!("sum({of})"), "n": "count()"},
            "having": having, "sort": sort, "limit": number, "filter": {"and": [of, number]}});
        let _ = query::parse_aggregate_json(&catalog, deal, &body);
        let _ = query::parse_list_json(&catalog, &key(), deal, &body);
    }

    #[test]
    fn a_changed_cursor_is_refused(value in any::<i64>(), text in ".{0,20}", id in 1..i64::MAX, at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_-]") {
        let cursor = Cursor { values: vec![Cell::Int(value), Cell::Text(text), Cell::Null, Cell::Bool(true)], id };
        let digest = [7; 8];
        let signed = cursor.encode(&key(), digest).unwrap();
        prop_assert_eq!(Cursor::decode(&signed, &key(), digest), Ok(cursor));
        let position = at.index(signed.len());
        let mut changed = signed.clone();
        changed.replace_range(position..=position, &with);
        // The last character may carry bits that say nothing; everything else counts.
        if changed != signed && position + 1 < signed.len() {
            prop_assert!(Cursor::decode(&changed, &key(), digest).is_err());
        }
        prop_assert!(Cursor::decode(&signed[..position], &key(), digest).is_err());
        prop_assert!(Cursor::decode(&signed, &key(), [8; 8]).is_err());
    }
}

#[test]
fn a_cursor_of_another_request_is_foreign() {
    let catalog = catalog();
    let deal = catalog.find_entity("deal").unwrap().ix;
    let ask = |text: &str| query::parse_list(&catalog, &key(), deal, &Params::parse(text));
    let first = ask("sort=-score&filter=stage+%3D+'won'").unwrap();
    let cursor = Cursor { values: vec![Cell::Int(3)], id: 9 }.encode(&key(), first.digest).unwrap();
    assert!(ask(&format!("sort=-score&filter=stage+%3D+'won'&cursor={cursor}&limit=7")).is_ok());
    for other in [
        "sort=score&filter=stage+%3D+'won'",
        "sort=-score",
        "sort=-score&filter=stage+%3D+'won'&q=x",
        "sort=-score&filter=stage+%3D+'won'&deleted=all",
    ] {
        let faults = ask(&format!("{other}&cursor={cursor}")).unwrap_err();
        assert_eq!(faults[0].code(), "QRY031", "{other}");
    }
    assert_eq!(ask("cursor=AAAA").unwrap_err()[0].code(), "QRY030");
    assert_eq!(ask("cursor=no+cursor").unwrap_err()[0].code(), "QRY030");
}
