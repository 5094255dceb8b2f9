use crate::expr::text::{lower_char, upper_char};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/0002_functions.sql");

/// `translate(t, '…', '…')` with every character beyond ASCII whose case changes.
fn case_line(ascii: &str, change: fn(char) -> char) -> String {
    let (mut from, mut to) = (String::new(), String::new());
    for c in (0x20..=0x10_ffff).filter_map(char::from_u32) {
        if change(c) != c {
            from.push(c);
            to.push(change(c));
        }
    }
    format!("  SELECT CASE WHEN octet_length(t) = length(t) THEN {ascii}(t COLLATE \"C\") ELSE translate(t, '{from}', '{to}') END")
}

/// A newer Rust may know more letters: then a new migration replaces the functions (this file must not change once released).
#[test]
fn postgres_maps_case_as_the_program_does() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let wanted = [case_line("lower", lower_char), case_line("upper", upper_char)];
    let lines: Vec<&str> = text.lines().collect();
    let of = |name: &str| lines.iter().position(|line| line.contains(&format!("THEN {name}(t COLLATE"))).unwrap();
    let places = [of("lower"), of("upper")];
    if std::env::vars().any(|(name, _)| name == "UPDATE_GOLDEN") {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (place, line) in places.into_iter().zip(wanted) {
            lines[place] = line;
        }
        std::fs::write(FILE, lines.join("\n") + "\n").unwrap();
        return;
    }
    for (place, line) in places.into_iter().zip(wanted) {
        assert!(lines[place] == line, "case mapping differs at line {}", place + 1);
    }
}
