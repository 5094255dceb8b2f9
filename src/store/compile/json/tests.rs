//! Cells as JSON and as values.

use std::sync::Arc;

use super::*;

fn json(codec: &Codec, cells: &[Cell]) -> String {
    let mut out = String::new();
    write_value(codec, cells, &mut out);
    // Whatever is written must be JSON that reads back.
    let _: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{out}: {error}"));
    out
}

fn deal() -> Arc<str> {
    "deal".into()
}

#[test]
fn scalars_stand_as_the_api_says() {
    assert_eq!(json(&Codec::Int, &[Cell::Int(i64::MIN)]), "-9223372036854775808");
    assert_eq!(json(&Codec::Bool, &[Cell::Bool(true)]), "true");
    assert_eq!(json(&Codec::Bool, &[Cell::Int(0)]), "false");
    assert_eq!(json(&Codec::Decimal { scale: 2 }, &[Cell::Int(-1250)]), "\"-12.50\"");
    assert_eq!(json(&Codec::Date, &[Cell::Int(20_778)]), "\"2026-11-21\"");
    assert_eq!(json(&Codec::DateTime, &[Cell::Int(1_795_226_400_500_000)]), "\"2026-11-21T02:00:00.5Z\"");
    assert_eq!(json(&Codec::Time, &[Cell::Int(30_615)]), "\"08:30:15\"");
    assert_eq!(json(&Codec::Id { prefix: deal() }, &[Cell::Int(1)]), "\"deal_0000000000001\"");
    assert_eq!(json(&Codec::Json, &[Cell::from("{\"a\": 1.10}")]), "{\"a\": 1.10}");
}

#[test]
fn texts_are_escaped_and_nothing_more() {
    assert_eq!(json(&Codec::Text, &[Cell::from("a\"b\\c\n\r\t\u{1}</华🎉")]), "\"a\\\"b\\\\c\\n\\r\\t\\u0001</华🎉\"");
}

#[test]
fn nulls_are_null_and_lists_of_nothing_are_lists() {
    for codec in [Codec::Int, Codec::Bool, Codec::Text, Codec::Date, Codec::DateTime, Codec::Time, Codec::Json, Codec::Decimal { scale: 2 }]
    {
        assert_eq!(json(&codec, &[Cell::Null]), "null");
        assert_eq!(value(&codec, &[Cell::Null]), Value::Null);
    }
    for codec in [Codec::Keys, Codec::Ids { prefix: deal() }, Codec::Files { prefix: "file".into() }] {
        assert_eq!(json(&codec, &[Cell::Null]), "[]");
        assert_eq!(json(&codec, &[Cell::from("[]")]), "[]");
        assert_eq!(value(&codec, &[Cell::from("[]")]), Value::Null);
    }
}

#[test]
fn money_has_its_amount_currency_and_base() {
    let codec = Codec::Money { scale: 2, fixed: None, currency: Some(1), base: Some(2), width: 3 };
    let cells = [Cell::Int(1250), Cell::from("EUR"), Cell::Int(9800)];
    assert_eq!(json(&codec, &cells), r#"{"amount":"12.50","currency":"EUR","base":"98.00"}"#);
    assert_eq!(json(&codec, &[Cell::Int(5), Cell::from("EUR"), Cell::Null]), r#"{"amount":"0.05","currency":"EUR","base":null}"#);
    assert_eq!(json(&codec, &[Cell::Null, Cell::Null, Cell::Null]), "null");
}

#[test]
fn composite_values_are_objects() {
    let parts = Codec::Parts([("city", Codec::Text), ("country", Codec::Text)].into());
    assert_eq!(json(&parts, &[Cell::from("上海"), Cell::Null]), r#"{"city":"上海","country":null}"#);
    assert_eq!(json(&parts, &[Cell::Null, Cell::Null]), "null");
    let any = Codec::AnyId { prefixes: [deal(), "acc".into()].into() };
    assert_eq!(json(&any, &[Cell::Null, Cell::Int(33)]), "\"acc_0000000000011\"");
    assert_eq!(json(&any, &[Cell::Null, Cell::Null]), "null");
}

#[test]
fn lists_come_from_the_json_the_database_made() {
    assert_eq!(json(&Codec::Keys, &[Cell::from(r#"["a", "b\"c"]"#)]), r#"["a", "b\"c"]"#);
    assert_eq!(json(&Codec::Ids { prefix: deal() }, &[Cell::from("[1, 33]")]), r#"["deal_0000000000001","deal_0000000000011"]"#);
    let files = r#"[[1, "a \"b\".pdf", 12, "application/pdf"]]"#;
    assert_eq!(
        json(&Codec::Files { prefix: "file".into() }, &[Cell::from(files)]),
        r#"[{"id":"file_0000000000001","name":"a \"b\".pdf","size":12,"type":"application/pdf","url":"/files/file_0000000000001"}]"#
    );
}

#[test]
fn averages_lose_only_zeros_that_say_nothing() {
    assert_eq!(json(&Codec::Average { scale: 2 }, &[Cell::Int(12_500_000_000)]), "\"12.50\"");
    assert_eq!(json(&Codec::Average { scale: 2 }, &[Cell::Int(3_333_333_333)]), "\"3.333333333\"");
    assert_eq!(json(&Codec::Average { scale: 0 }, &[Cell::Int(3_000_000_000)]), "\"3\"");
    assert_eq!(json(&Codec::Average { scale: 0 }, &[Cell::Null]), "null");
}

#[test]
fn names_are_written_in_the_order_of_their_script() {
    let codec = Codec::Parts(["given", "family", "middle", "prefix", "suffix"].map(|part| (part, Codec::Text)).into());
    let name = |given: &str, family: &str, prefix: Option<&str>| {
        title(&[TitleBit::Value { at: 0, codec: codec.clone() }], &[given.into(), family.into(), Cell::Null, prefix.into(), Cell::Null])
    };
    assert_eq!(name("Ada", "Lovelace", Some("Dr")), "Dr Ada Lovelace");
    assert_eq!(name("伟", "王", None), "王伟");
}

#[test]
fn titles_leave_out_what_is_not_there() {
    let bits = [
        TitleBit::Value { at: 0, codec: Codec::Text },
        TitleBit::Text(" · ".into()),
        TitleBit::Linked(vec![TitleBit::Value { at: 1, codec: Codec::Text }]),
    ];
    assert_eq!(title(&bits, &["D-1".into(), "Acme".into()]), "D-1 · Acme");
    assert_eq!(title(&bits, &["D-1".into(), Cell::Null]), "D-1");
    assert_eq!(title(&bits, &[Cell::Null, "Acme".into()]), "Acme");
    let around = [TitleBit::Text("Order (".into()), TitleBit::Value { at: 0, codec: Codec::Text }, TitleBit::Text(")".into())];
    assert_eq!(title(&around, &["7".into()]), "Order (7)");
    assert_eq!(title(&around, &[Cell::Null]), "");
}
