//! Reads YAML 1.2 (and JSON, which is a part of it) into nodes with their places. Duplicate keys, keys that are no
//! text, tags, merge keys, deep nesting and swelling aliases are refused.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::diagnostic::Diagnostic;
use super::node::{Key, Node, NodeKind, Style};
use super::source::Place;

/// The largest file read.
pub const MAX_BYTES: usize = 1 << 20;
pub const MAX_DEPTH: usize = 32;
/// Nodes and bytes that aliases may copy in one file.
const MAX_COPIED: usize = 10_000;
const MAX_COPIED_BYTES: usize = 1 << 20;

/// The documents of one file, and whether it was read to its end: a syntax fault ends it, documents before it are kept.
pub fn read(file: &Arc<str>, text: &str) -> (Vec<Node>, Vec<Diagnostic>, bool) {
    if text.len() > MAX_BYTES {
        let fault = Diagnostic::error("DEF002", &Place::top(file), format!("the file has {} bytes; {MAX_BYTES} are the limit", text.len()))
            .hint("split it into several files: every YAML document may stand in a file of its own");
        return (Vec::new(), vec![fault], false);
    }
    let mut reader = Reader {
        file: file.clone(),
        text,
        lines: line_starts(text),
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        copied: 0,
        copied_bytes: 0,
        faults: Vec::new(),
    };
    let mut documents = Vec::new();
    let is_whole = reader.stream(&mut documents).is_ok();
    (documents, reader.faults, is_whole)
}

fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
            starts.push(at + 1);
        }
    }
    starts
}

/// The file cannot be read further; the fault is noted.
struct Stop;

struct Reader<'t> {
    file: Arc<str>,
    text: &'t str,
    lines: Vec<usize>,
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    copied: usize,
    copied_bytes: usize,
    faults: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    fn stream(&mut self, documents: &mut Vec<Node>) -> Result<(), Stop> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(()),
                Event::DocumentStart(_) => self.anchors.clear(),
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                event => {
                    let node = self.node(event, span, 0)?;
                    if node.kind != NodeKind::Null {
                        documents.push(node);
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let mark = *error.marker();
                let place = self.place(&Span::new(mark, mark));
                self.faults.push(syntax_fault(&place, error.info(), self.line(place.line)));
                Err(Stop)
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn line(&self, line: u32) -> &'t str {
        let start = self.lines.get(line as usize - 1).copied().unwrap_or(0);
        self.text[start..].lines().next().unwrap_or("")
    }

    fn byte(&self, line: usize, column: usize) -> usize {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        rest.char_indices().nth(column).map_or(self.text.len(), |(at, _)| start + at)
    }

    fn place(&self, span: &Span) -> Place {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let start = self.byte(span.start.line(), span.start.col());
        let end = self.byte(span.end.line(), span.end.col()).max(start);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let shown = &self.text[start..end.min(line_end)];
        let column = narrow(span.start.col()) + 1;
        Place {
            file: self.file.clone(),
            line: narrow(span.start.line()).max(1),
            column,
            end: column + narrow(shown.trim_end().chars().count()),
            bytes: (narrow(start), narrow(end)),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let place = self.place(&span);
        if depth > MAX_DEPTH {
            self.faults.push(Diagnostic::error("DEF005", &place, format!("nested deeper than {MAX_DEPTH} levels")));
            return Err(Stop);
        }
        let (node, anchor) = match event {
            Event::Scalar(content, style, anchor, tag) => {
                let forced_text = tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                if let Some(tag) = tag.filter(|_| !forced_text) {
                    self.tag_fault(&place, &tag.suffix);
                }
                let node_style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let kind = if style == ScalarStyle::Plain && !forced_text { plain(&content) } else { NodeKind::Text(content.into_owned()) };
                (Node { place, kind, style: node_style }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                if let Some(tag) = tag {
                    self.tag_fault(&place, &tag.suffix);
                }
                let mut items = Vec::new();
                let end = loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break span;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                };
                let place = self.closed(place, &end);
                (Node { place, kind: NodeKind::List(items), style: Style::Plain }, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                if let Some(tag) = tag {
                    self.tag_fault(&place, &tag.suffix);
                }
                let (entries, end) = self.entries(depth)?;
                let place = self.closed(place, &end);
                (Node { place, kind: NodeKind::Map(entries), style: Style::Plain }, anchor)
            }
            Event::Alias(id) => return self.alias(id, place),
            _ => (Node { place, kind: NodeKind::Null, style: Style::Plain }, 0),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The bytes of a flow collection reach to its bracket.
    fn closed(&self, mut place: Place, end: &Span) -> Place {
        if matches!(self.text.as_bytes().get(place.bytes.0 as usize), Some(b'{' | b'[')) {
            place.bytes.1 = u32::try_from(self.byte(end.end.line(), end.end.col())).unwrap_or(place.bytes.1);
        }
        place
    }

    fn entries(&mut self, depth: usize) -> Result<(Vec<(Key, Node)>, Span), Stop> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok((entries, span));
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            let Some(text) = self.key_text(&key) else { continue };
            if let Some(first) = known.get(&text) {
                let fault = Diagnostic::error("DEF003", &key.place, format!("the key `{text}` stands here a second time"))
                    .label(&entries[*first].0.place, "first here")
                    .hint("keep one of the two");
                self.faults.push(fault);
                continue;
            }
            known.insert(text.clone(), entries.len());
            entries.push((Key { text, place: key.place }, value));
        }
    }

    fn key_text(&mut self, key: &Node) -> Option<String> {
        match &key.kind {
            NodeKind::Text(text) if text == "<<" => {
                let fault = Diagnostic::error("DEF008", &key.place, "merge keys (`<<`) are not part of YAML 1.2")
                    .hint("write the keys out, or use an alias for the whole value");
                self.faults.push(fault);
                None
            }
            NodeKind::Text(text) => Some(text.clone()),
            _ => {
                let fault = Diagnostic::error("DEF004", &key.place, format!("a key must be a text, this is {}", key.describe()))
                    .hint("put it in quotes");
                self.faults.push(fault);
                None
            }
        }
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<Node, Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            self.faults.push(Diagnostic::error("DEF006", &place, "this alias names no anchor that is complete here"));
            return Err(Stop);
        };
        let (nodes, bytes) = weight(&node);
        self.copied += nodes;
        self.copied_bytes += bytes;
        if self.copied > MAX_COPIED || self.copied_bytes > MAX_COPIED_BYTES {
            let fault = Diagnostic::error("DEF006", &place, format!("aliases copy more than {MAX_COPIED} values"))
                .hint("write a picklist once and refer to it by `options: {ref: …}`");
            self.faults.push(fault);
            return Err(Stop);
        }
        Ok(node)
    }

    fn tag_fault(&mut self, place: &Place, tag: &str) {
        let fault = Diagnostic::error("DEF007", place, format!("the tag `{tag}` is not supported"))
            .hint("values are texts, numbers, true, false, lists and mappings; quote what must be a text");
        self.faults.push(fault);
    }
}

fn weight(node: &Node) -> (usize, usize) {
    match &node.kind {
        NodeKind::List(items) => items.iter().map(weight).fold((1, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (weight(value), key.text.len()))
            .fold((1, 0), |sum, (one, key)| (sum.0 + one.0 + 1, sum.1 + one.1 + key)),
        NodeKind::Text(text) | NodeKind::Number(text) => (1, text.len()),
        _ => (1, 0),
    }
}

/// The core schema of YAML 1.2, but `012` stays a text: a leading zero is meant (postal codes, numbers of documents).
fn plain(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    match number(text) {
        Some(digits) => NodeKind::Number(digits),
        None => NodeKind::Text(text.to_owned()),
    }
}

/// The text of a JSON number for a YAML number.
fn number(text: &str) -> Option<String> {
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(|number| number.to_string());
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction.unwrap_or("")) || (whole.is_empty() && fraction.unwrap_or("").is_empty()) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut out = format!("{sign}{whole}");
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.trim_start_matches(['+', '-']);
        if digits.is_empty() || !all_digits(digits) || exponent.len() - digits.len() > 1 {
            return None;
        }
        out.push('e');
        out.push_str(exponent);
    }
    Some(out)
}

fn syntax_fault(place: &Place, info: &str, line: &str) -> Diagnostic {
    if info.contains("unknown anchor") {
        return Diagnostic::error("DEF006", place, "this alias names no anchor")
            .hint("write `&name` before the value that `*name` repeats, above it in the same document");
    }
    let language = if place.file.ends_with(".json") { "JSON" } else { "YAML" };
    let fault = Diagnostic::error("DEF001", place, format!("this is not {language}: {}", info.trim_end_matches('.')));
    if line.trim_start().starts_with('\t') {
        return fault.hint("indent with spaces, not tabs");
    }
    if info.contains("mapping values are not allowed") {
        return fault.hint("put a text that holds `: ` in quotes");
    }
    if info.contains("simple key") || info.contains("':'") {
        return fault.hint("a key is followed by `: `; look at the line above for a missing quote or colon");
    }
    if info.contains("flow") || info.contains("','") || info.contains("']'") || info.contains("'}'") {
        return fault.hint("look for a missing `,`, `]` or `}`; a value that holds `,`, `[`, `{` or `: ` needs quotes");
    }
    fault.hint("check the indentation, brackets and quotes around this place")
}
