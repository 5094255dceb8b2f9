//! Texts with one thing changed on purpose: conditions and formulas of definitions, lines of scripts.

/// A text with one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Swap {
    /// Where in the former text.
    pub at: usize,
    /// "`=` became `!=`".
    pub change: String,
    pub text: String,
}

const IN_EXPRESSIONS: &[(&str, &str)] = &[
    ("is not null", "is null"),
    ("is null", "is not null"),
    ("not in", "in"),
    (">=", "<"),
    ("<=", ">"),
    ("!=", "="),
    ("=", "!="),
    (">", "<="),
    ("<", ">="),
    (" and ", " or "),
    (" or ", " and "),
    (" + ", " - "),
    (" - ", " + "),
    (" * ", " + "),
];

const IN_SCRIPTS: &[(&str, &str)] = &[
    ("==", "!="),
    ("!=", "=="),
    (">=", "<"),
    ("<=", ">"),
    (" > ", " <= "),
    (" < ", " >= "),
    ("&&", "||"),
    ("||", "&&"),
    (" + ", " - "),
    (" - ", " + "),
    (" += ", " -= "),
    (" * ", " + "),
    ("true", "false"),
    ("false", "true"),
];

/// Each operator and number of an expression, changed one by one. What is quoted stays.
pub(super) fn in_expression(text: &str) -> Vec<Swap> {
    swapped(text, IN_EXPRESSIONS, &['\'', '"'], false)
}

/// Each operator, number and condition of a script, changed one by one, and each call and `return` left out.
pub(super) fn in_script(text: &str) -> Vec<Swap> {
    let mut swaps = swapped(text, IN_SCRIPTS, &['"', '`'], true);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        swaps.extend(of_line(text, at, line));
        at += line.len();
    }
    swaps.sort_by_key(|swap| swap.at);
    swaps
}

fn of_line(text: &str, at: usize, line: &str) -> Option<Swap> {
    let trimmed = line.trim();
    let is_call = trimmed.ends_with(");") && !trimmed.starts_with("let ") && !trimmed.starts_with("//");
    if is_call || trimmed == "return;" || trimmed.starts_with("return ") && trimmed.ends_with(';') {
        let text = format!("{}{}", &text[..at], &text[at + line.len()..]);
        return Some(Swap { at, change: format!("left out `{trimmed}`"), text });
    }
    let condition = trimmed.strip_prefix("if ")?.strip_suffix('{')?.trim();
    let from = at + line.find(condition)?;
    let text = format!("{}!({condition}){}", &text[..from], &text[from + condition.len()..]);
    Some(Swap { at, change: format!("`{condition}` became its opposite"), text })
}

fn swapped(text: &str, operators: &[(&str, &str)], quotes: &[char], has_comments: bool) -> Vec<Swap> {
    let mut swaps = Vec::new();
    let mut rest = text.char_indices().peekable();
    let mut skip_to = 0;
    while let Some((at, letter)) = rest.next() {
        if at < skip_to {
            continue;
        }
        if has_comments && text[at..].starts_with("//") {
            skip_to = text[at..].find('\n').map_or(text.len(), |end| at + end);
            continue;
        }
        if quotes.contains(&letter) {
            for (_, inside) in rest.by_ref() {
                if inside == letter {
                    break;
                }
            }
            continue;
        }
        let replace = |from: &str, to: &str| Swap {
            at,
            change: format!("`{}` became `{}`", from.trim(), to.trim()),
            text: format!("{}{to}{}", &text[..at], &text[at + from.len()..]),
        };
        if let Some((from, to)) = operators.iter().find(|(from, _)| text[at..].starts_with(from) && is_whole(text, at, from)) {
            swaps.push(replace(from, to));
            // The space behind a word belongs to the next one too.
            skip_to = at + from.trim_end().len().max(1);
            continue;
        }
        if letter.is_ascii_digit() && !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_' || before == '.')
        {
            let end = text[at..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| at + end);
            skip_to = end;
            let behind = text[end..].chars().next();
            if behind.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
                && let Ok(number) = text[at..end].parse::<i64>()
            {
                swaps.push(replace(&text[at..end], &(number + 1).to_string()));
            }
        }
    }
    swaps
}

/// Words are not parts of other words, and operators not of longer ones.
fn is_whole(text: &str, at: usize, operator: &str) -> bool {
    let before = text[..at].chars().next_back();
    let behind = text[at + operator.len()..].chars().next();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if operator.starts_with(is_word) {
        return !before.is_some_and(is_word) && !behind.is_some_and(is_word);
    }
    let is_sign = |c: char| matches!(c, '=' | '<' | '>' | '!');
    !operator.starts_with(is_sign) || !(before.is_some_and(is_sign) || behind.is_some_and(is_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(swaps: Vec<Swap>) -> Vec<String> {
        swaps.into_iter().map(|swap| swap.text).collect()
    }

    #[test]
    fn each_operator_of_an_expression_is_changed_once_and_no_text() {
        assert_eq!(
            changed(in_expression("stage = 'a = b' and amount >= 10")),
            [
                "stage != 'a = b' and amount >= 10",
                "stage = 'a = b' or amount >= 10",
                "stage = 'a = b' and amount < 10",
                "stage = 'a = b' and amount >= 11"
            ]
        );
        assert_eq!(changed(in_expression("due is not null")), ["due is null"]);
        assert_eq!(changed(in_expression("is_nullable")), Vec::<String>::new());
    }

    #[test]
    fn scripts_lose_calls_and_turn_conditions() {
        let script = "fn run(rec, old, ctx) {\n    if rec.a == \"x == y\" { // a == b\n        warn(\"no\");\n    }\n}\n";
        assert_eq!(
            changed(in_script(script)),
            [
                script.replacen("if rec.a == \"x == y\" { // a == b", "if rec.a != \"x == y\" { // a == b", 1),
                script.replacen("        warn(\"no\");\n", "", 1),
            ]
        );
    }
}
