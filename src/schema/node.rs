//! What was written, as a tree of values that know their place.

use std::ops::Range;

use super::source::Place;

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub place: Place,
    pub kind: NodeKind,
    /// How a text was written, to find a position inside it again.
    pub style: Style,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order written; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub text: String,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` and `>`.
    Block,
}

impl Node {
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(known, _)| known.text == key).map(|(_, value)| value)
    }

    pub fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        self.entries().iter().find(|(known, _)| known.text == key)
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_text)
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(Node::as_bool)
    }

    pub fn as_int(&self) -> Option<i64> {
        match &self.kind {
            NodeKind::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key).and_then(Node::as_int)
    }

    /// The digits of a number, or a text.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.kind {
            NodeKind::Number(text) | NodeKind::Text(text) => Some(text.clone()),
            NodeKind::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub fn is_map(&self) -> bool {
        matches!(self.kind, NodeKind::Map(_))
    }

    /// A list as it is, anything else as a list of one.
    pub fn one_or_many(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Null => Vec::new(),
            _ => vec![self],
        }
    }

    /// What it is, in the words of a message.
    pub fn describe(&self) -> String {
        match &self.kind {
            NodeKind::Null => "nothing".to_owned(),
            NodeKind::Bool(flag) => format!("`{flag}`"),
            NodeKind::Number(digits) => format!("the number `{digits}`"),
            NodeKind::Text(text) => {
                let shown: String = text.chars().take(40).collect();
                format!("the text `{}`", shown.replace('\n', " "))
            }
            NodeKind::List(_) => "a list".to_owned(),
            NodeKind::Map(_) => "a mapping".to_owned(),
        }
    }

    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(flag) => Value::Bool(*flag),
            NodeKind::Number(digits) => digits.parse::<serde_json::Number>().map_or_else(|_| Value::String(digits.clone()), Value::Number),
            NodeKind::Text(text) => Value::String(text.clone()),
            NodeKind::List(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Map(entries) => Value::Object(entries.iter().map(|(key, value)| (key.text.clone(), value.to_json())).collect()),
        }
    }

    /// A tree of a stored definition: every node stands at `place`.
    pub fn from_json(json: &serde_json::Value, place: &Place) -> Self {
        use serde_json::Value;
        let kind = match json {
            Value::Null => NodeKind::Null,
            Value::Bool(flag) => NodeKind::Bool(*flag),
            Value::Number(number) => NodeKind::Number(number.to_string()),
            Value::String(text) => NodeKind::Text(text.clone()),
            Value::Array(items) => NodeKind::List(items.iter().map(|item| Node::from_json(item, place)).collect()),
            Value::Object(entries) => NodeKind::Map(
                entries
                    .iter()
                    .map(|(key, value)| (Key { text: key.clone(), place: place.clone() }, Node::from_json(value, place)))
                    .collect(),
            ),
        };
        Node { place: place.clone(), kind, style: Style::Plain }
    }

    /// The place of a byte range of this text's content, found again in the source.
    pub fn place_inside(&self, source: &str, range: Range<usize>) -> Place {
        let NodeKind::Text(content) = &self.kind else { return self.place.clone() };
        let (from, to) = (self.place.bytes.0 as usize, self.place.bytes.1 as usize);
        let Some(raw) = source.get(from..to).filter(|raw| !raw.is_empty()) else { return self.place.clone() };
        let map = align(raw, content, self.style);
        let last = content.len();
        let at = |offset: usize| map.get(offset.min(last)).copied().unwrap_or(raw.len());
        let start = at(range.start);
        // The end of a range is the end of its last character, not the beginning of what follows.
        let end = match content.get(range.clone()).and_then(|part| part.char_indices().next_back()) {
            Some((offset, c)) => at(range.start + offset) + raw.get(at(range.start + offset)..).map_or(0, |rest| unit(rest, self.style, c)),
            None => start,
        };
        place_of(source, &self.place, from + start, from + end.max(start))
    }
}

/// The place of a byte range of a source text.
pub fn place_of(source: &str, like: &Place, from: usize, to: usize) -> Place {
    let from = floor(source, from);
    let line_start = source[..from].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[from..].find('\n').map_or(source.len(), |at| from + at);
    let to = floor(source, to).clamp(from, line_end.max(from));
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let line = u32::try_from(source[..from].matches('\n').count()).unwrap_or(0) + 1;
    let column = count(&source[line_start..from]) + 1;
    let bytes = (u32::try_from(from).unwrap_or(0), u32::try_from(to).unwrap_or(0));
    Place { file: like.file.clone(), line, column, end: column + count(&source[from..to]), bytes }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Bytes that write one character of the content.
fn unit(rest: &str, style: Style, c: char) -> usize {
    match style {
        Style::DoubleQuoted if rest.starts_with('\\') => match rest.as_bytes().get(1) {
            Some(b'x') => 4,
            Some(b'u') => 6,
            Some(b'U') => 10,
            _ => 2,
        },
        Style::SingleQuoted if c == '\'' && rest.starts_with("''") => 2,
        _ => c.len_utf8(),
    }
}

/// For every byte of the content (and its end) the byte of the raw text that writes it. Both are walked side by
/// side; white space, which folding changes, is skipped on the raw side before each visible character.
fn align(raw: &str, content: &str, style: Style) -> Vec<usize> {
    let mut at = match style {
        Style::SingleQuoted | Style::DoubleQuoted => 1,
        Style::Block if raw.starts_with(['|', '>']) => raw.find('\n').map_or(raw.len(), |end| end + 1),
        Style::Block => 0,
        Style::Plain => 0,
    };
    let mut map = Vec::with_capacity(content.len() + 1);
    for c in content.chars() {
        if !c.is_whitespace() {
            loop {
                let rest = raw.get(at..).unwrap_or("");
                match rest.chars().next() {
                    Some(space) if space.is_whitespace() => at += space.len_utf8(),
                    Some('\\') if style == Style::DoubleQuoted && rest[1..].starts_with(['\n', '\r']) => at += 1,
                    _ => break,
                }
            }
        }
        map.extend(std::iter::repeat_n(at, c.len_utf8()));
        let rest = raw.get(at..).unwrap_or("");
        let escaped = style == Style::DoubleQuoted && rest.starts_with('\\');
        if !c.is_whitespace() || escaped || rest.starts_with(char::is_whitespace) {
            at += unit(rest, style, rest.chars().next().filter(|_| !escaped).unwrap_or(c));
        }
    }
    map.push(at);
    map
}
