//! Writing a script's values into a filter, as literals of the expression language.

use super::host::HostError;

/// Replaces `:name` in a filter by the literal of the value of that name. Text becomes a quoted literal with its quotes
/// doubled, so a value can never become syntax.
///
/// # Errors
/// `AUT231` for a name without a value.
pub fn bind_filter<'a>(filter: &str, mut literal: impl FnMut(&str) -> Option<std::borrow::Cow<'a, str>>) -> Result<String, HostError> {
    let mut bound = String::with_capacity(filter.len() + 32);
    let mut rest = filter;
    let mut quote: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match quote {
            Some(open) => {
                if c == open {
                    quote = None;
                }
                bound.push(c);
            }
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                bound.push(c);
            }
            None if c == ':' => {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (name, after) = rest.split_at(length);
                let Some(text) = literal(name) else {
                    return Err(HostError::new("AUT231", format!("the filter names `:{name}`, but no such value is given")));
                };
                bound.push_str(&text);
                rest = after;
            }
            None => bound.push(c),
        }
    }
    Ok(bound)
}

/// A text as a literal of the expression language.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        if c == '\'' {
            quoted.push('\'');
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}
