//! Syntax errors in plain words.

use rhai::{ParseErrorType, Position};

use super::check::{Found, near};

/// Words that rhai keeps for itself although it does not use them.
const RESERVED: &[&str] = &[
    "new",
    "case",
    "call",
    "default",
    "match",
    "public",
    "protected",
    "shared",
    "package",
    "module",
    "super",
    "is",
    "with",
    "use",
    "go",
    "null",
    "nil",
    "thread",
    "this",
    "in",
    "as",
    "do",
    "sync",
    "async",
    "await",
    "yield",
    "spawn",
    "static",
    "var",
    "void",
    "exit",
    "eval",
    "import",
    "export",
    "Fn",
    "curry",
    "print",
    "debug",
    "type_of",
    "fn",
    "let",
    "const",
    "if",
    "else",
    "switch",
    "while",
    "until",
    "loop",
    "for",
    "break",
    "continue",
    "return",
    "throw",
    "try",
    "catch",
    "private",
    "true",
    "false",
    "global",
];

/// What stands behind a parse error, with its place.
pub(super) fn explain(error: &rhai::ParseError, text: &str) -> Found {
    let position = place(error.1, text);
    let (code, message, hint) = match error.err_type() {
        ParseErrorType::VariableUndefined(name) => {
            let known = identifiers(text);
            let hint = near(name, known.iter().map(String::as_str).filter(|known| known != name));
            let hint = hint.or_else(|| Some("functions see only their parameters and their own variables".to_owned()));
            ("AUT103", format!("there is no variable `{name}`"), hint)
        }
        ParseErrorType::Reserved(word) => reserved(word),
        other => match reserved_after_dot(text, position) {
            Some(word) => reserved(&word),
            None => general(other),
        },
    };
    Found::at(position, code, message, hint)
}

fn general(error: &ParseErrorType) -> (&'static str, String, Option<String>) {
    let text = lower_first(&error.to_string());
    match error {
        ParseErrorType::ExprTooDeep => {
            ("AUT105", "the expressions are nested too deeply".to_owned(), Some("split them with `let`".to_owned()))
        }
        ParseErrorType::TooManyFunctions => ("AUT105", "the script has too many functions".to_owned(), None),
        ParseErrorType::LiteralTooLarge(..) => ("AUT105", text, None),
        ParseErrorType::AssignmentToConstant(name) => {
            ("AUT101", format!("`{name}` is a constant"), Some("write `let` instead of `const`".to_owned()))
        }
        ParseErrorType::FnDuplicatedDefinition(name, _) => ("AUT101", format!("the function `{name}` is written twice"), None),
        ParseErrorType::ModuleUndefined(name) => {
            ("AUT106", format!("there is no module `{name}`"), Some("scripts cannot import".to_owned()))
        }
        ParseErrorType::WrongFnDefinition => ("AUT101", "functions are written at the top, not inside others".to_owned(), None),
        _ => match text.strip_prefix("reserved keyword '").and_then(|rest| rest.strip_suffix("' is disabled")) {
            Some(word) => (
                "AUT106",
                format!("scripts cannot use `{word}`"),
                Some("closures are written `|x| …`; text cannot be run, modules cannot be imported".to_owned()),
            ),
            None => ("AUT101", format!("syntax error: {text}"), None),
        },
    }
}

fn reserved(word: &str) -> (&'static str, String, Option<String>) {
    let hint = match word {
        "import" | "export" | "eval" | "Fn" | "curry" => "scripts cannot import, export or run text",
        "this" => "`this` exists only in a function called as a method",
        "null" | "nil" => "nothing is written `()`",
        "var" => "write `let`",
        "new" => "a hook is `fn run(rec, old, ctx)`: the record is `rec`",
        _ => {
            return (
                "AUT102",
                format!("`{word}` is a reserved word of the script language"),
                Some(format!("choose another name; a field of that name is `rec[\"{word}\"]`")),
            );
        }
    };
    ("AUT102", format!("`{word}` is a reserved word of the script language"), Some(hint.to_owned()))
}

/// rhai reports `rec.case` as a missing property; the word at or before the place says more.
fn reserved_after_dot(text: &str, position: Position) -> Option<String> {
    let line = text.lines().nth(position.line()?.checked_sub(1)?)?;
    let chars: Vec<char> = line.chars().collect();
    let column = position.position()?.checked_sub(1)?;
    let is_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    for start in [column, column.saturating_sub(1)] {
        if !chars.get(start).is_some_and(is_word) {
            continue;
        }
        let from = (0..=start).rev().take_while(|at| is_word(&chars[*at])).last()?;
        let word: String = chars[from..].iter().take_while(|c| is_word(c)).collect();
        let is_property = from > 0 && chars[from - 1] == '.';
        if is_property && RESERVED.contains(&word.as_str()) {
            return Some(word);
        }
    }
    None
}

/// The end of the text has no place in rhai.
fn place(position: Position, text: &str) -> Position {
    if !position.is_none() && position.position().is_some() {
        return position;
    }
    let (number, line) = match position.line() {
        Some(line) => (line, text.lines().nth(line.saturating_sub(1)).unwrap_or("")),
        None => (text.lines().count().max(1), text.lines().last().unwrap_or("")),
    };
    let column = line.chars().count() + 1;
    Position::new(u16::try_from(number).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX))
}

/// Names a script could mean: those it defines, and the customary parameters.
fn identifiers(text: &str) -> Vec<String> {
    let mut names = vec!["rec".to_owned(), "old".to_owned(), "ctx".to_owned()];
    let mut previous = "";
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        if matches!(previous, "let" | "const" | "for") && !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
        previous = word;
    }
    names
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}
