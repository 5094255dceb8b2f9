use super::{bind_filter, place_in};

#[test]
fn values_become_literals_and_never_syntax() {
    let literal = |name: &str| (name == "name").then(|| super::text::quote("O'Hara' or 1 = 1").into());
    assert_eq!(bind_filter("name = :name and note = ':name'", literal).unwrap(), "name = 'O''Hara'' or 1 = 1' and note = ':name'");
    assert!(bind_filter("name = :nmae", |_| None).unwrap_err().message.contains(":nmae"));
}

#[test]
fn a_script_in_a_yaml_block_is_placed_in_the_yaml_file() {
    let yaml = "kind: script\nid: x\nsource: |\n  fn run(rec, old, ctx) {\n      rec.nmae = 1;\n  }\n";
    let source = "fn run(rec, old, ctx) {\n    rec.nmae = 1;\n}\n";
    assert_eq!(place_in(yaml, source, 2, 9), Some((5, 11)));
}

#[test]
fn a_script_on_one_yaml_line_is_placed_behind_its_key() {
    let yaml = "scripts:\n  - {id: x, source: \"fn run(rec, old, ctx) { rec.nmae = 1; }\"}\n";
    let source = "fn run(rec, old, ctx) { rec.nmae = 1; }";
    let column = u32::try_from(yaml.lines().nth(1).unwrap().find("nmae").unwrap()).unwrap() + 1;
    assert_eq!(place_in(yaml, source, 1, u32::try_from(source.find("nmae").unwrap()).unwrap() + 1), Some((2, column)));
}
