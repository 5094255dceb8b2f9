//! The formatter: keys in the order of the reference, comments kept, no trailing white space. It moves the written
//! text and never rewrites a value, and what it gives says the same as what it got.

use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::node::{Key, Node, NodeKind, Style};
use super::shape::{fields, kinds};
use super::{Loaded, intake, yaml};

/// Formats one file of definitions. Formatting what is formatted changes nothing.
///
/// # Errors
/// The first syntax fault.
pub fn format(path: &str, text: &str) -> Result<String, Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let documents = read(path, &text)?;
    if path.ends_with(".json") {
        return Ok(text);
    }
    let tidy = tidy(&text, &documents);
    let before = read(path, &tidy)?;
    let inner = apply(&tidy, before.iter().flat_map(|document| field_edits(&tidy, document)).collect());
    let Ok(between) = read(path, &inner) else { return Ok(tidy) };
    let outer = apply(&inner, between.iter().filter_map(|document| document_edit(&inner, document)).collect());
    // The order of keys is all that may differ.
    match read(path, &outer) {
        Ok(after) if same(&documents, &after) => Ok(outer),
        _ => Ok(tidy),
    }
}

/// Writes the uids of entities, fields and options into a file of a loaded workspace, then formats it.
///
/// # Errors
/// The first syntax fault.
pub fn pin(path: &str, text: &str, loaded: &Loaded) -> Result<String, Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut edits = Vec::new();
    for document in read(path, &text)? {
        let name = document.text("id").or(document.text("of"));
        let entity = name.and_then(|name| loaded.catalog.entities.iter().find(|entity| entity.id == name || entity.slug == name));
        let Some(entity) = entity else { continue };
        if let (Some("entity"), None, Some((key, id))) = (document.text("kind"), document.get("uid"), document.entry("id")) {
            let at = id.place.bytes.1 as usize;
            let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
            edits.push((line_end..line_end, format!("\n{}uid: {}", " ".repeat(key.place.column as usize - 1), entity.uid)));
        }
        for (key, node) in document.get("fields").map(Node::entries).unwrap_or_default() {
            let Some(field) = entity.find_field(&key.text) else { continue };
            edits.extend(insertion(&text, node, &field.uid));
            let options = match &field.ty {
                super::catalog::FieldType::Select(options) | super::catalog::FieldType::MultiSelect { options, .. } => {
                    &options.list.options
                }
                _ => continue,
            };
            for item in node.get("options").map(Node::items).unwrap_or_default() {
                let option = options.iter().find(|option| item.get("key").and_then(Node::scalar_text).as_deref() == Some(&option.key));
                edits.extend(option.and_then(|option| insertion(&text, item, &option.uid)));
            }
        }
    }
    format(path, &apply(&text, edits))
}

/// `uid: …` as the first key of a mapping.
fn insertion(text: &str, node: &Node, uid: &str) -> Option<(Range<usize>, String)> {
    if node.get("uid").is_some() || !node.is_map() {
        return None;
    }
    let (first, _) = node.entries().first()?;
    let at = first.place.bytes.0 as usize;
    let is_flow = text.as_bytes().get(node.place.bytes.0 as usize) == Some(&b'{');
    let new = if is_flow { format!("uid: {uid}, ") } else { format!("uid: {uid}\n{}", " ".repeat(first.place.column as usize - 1)) };
    Some((at..at, new))
}

fn read(path: &str, text: &str) -> Result<Vec<Node>, Diagnostic> {
    let (documents, faults, is_whole) = yaml::read(&Arc::from(path), text);
    if is_whole && faults.is_empty() {
        return Ok(documents);
    }
    let texts = std::collections::HashMap::from([(path.to_owned(), text.to_owned())]);
    Err(intake::finish(faults, &texts)
        .into_iter()
        .next()
        .unwrap_or_else(|| Diagnostic::error("DEF001", &intake::nowhere(), "the file cannot be read")))
}

/// Trailing white space and repeated blank lines go, but not inside of texts of several lines.
fn tidy(text: &str, documents: &[Node]) -> String {
    let mut kept: Vec<Range<usize>> = Vec::new();
    documents.iter().for_each(|document| long_texts(text, document, &mut kept));
    let mut out = String::with_capacity(text.len());
    let (mut at, mut blanks) = (0, 0);
    for line in text.split_inclusive('\n') {
        let is_kept = kept.iter().any(|range| range.start < at + line.len() && at < range.end);
        at += line.len();
        let trimmed = line.trim_end();
        if is_kept {
            out.push_str(line);
            blanks = 0;
        } else if trimmed.is_empty() {
            blanks += 1;
            if blanks == 1 && !out.is_empty() {
                out.push('\n');
            }
        } else {
            blanks = 0;
            out.push_str(trimmed);
            out.push('\n');
        }
    }
    if kept.iter().all(|range| range.end < text.trim_end().len()) {
        out.truncate(out.trim_end().len());
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Bytes of texts that reach over several lines, after their first line.
fn long_texts(text: &str, node: &Node, found: &mut Vec<Range<usize>>) {
    match &node.kind {
        NodeKind::Text(_) => {
            let (from, to) = (node.place.bytes.0 as usize, node.place.bytes.1 as usize);
            if node.style == Style::Block || text.get(from..to).is_some_and(|raw| raw.contains('\n')) {
                found.push(from..to);
            }
        }
        NodeKind::List(items) => items.iter().for_each(|item| long_texts(text, item, found)),
        NodeKind::Map(entries) => entries.iter().for_each(|(_, value)| long_texts(text, value, found)),
        _ => {}
    }
}

fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        if range.start < at {
            continue;
        }
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The keys of each field in order: identity, type, what belongs to the type, conditions, what people read.
fn field_edits(text: &str, document: &Node) -> Vec<(Range<usize>, String)> {
    let mut edits = Vec::new();
    for (_, node) in document.get("fields").map(Node::entries).unwrap_or_default() {
        let own: Vec<&str> =
            node.text("type").and_then(fields::find).map(|spec| spec.keys.iter().map(|key| key.name).collect()).unwrap_or_default();
        let mut order = vec!["uid", "type"];
        order.extend(own);
        order.extend([
            "required",
            "required_if",
            "readonly_if",
            "visible_if",
            "default",
            "unique",
            "index",
            "search",
            "widget",
            "was",
            "alias_until",
            "placeholder",
            "help",
            "label",
        ]);
        let is_flow = text.as_bytes().get(node.place.bytes.0 as usize) == Some(&b'{');
        edits.extend(if is_flow { flow(text, node, &order) } else { block(text, node, &order) });
    }
    edits
}

fn document_edit(text: &str, document: &Node) -> Option<(Range<usize>, String)> {
    let kind = kinds::find(document.text("kind")?)?;
    let order: Vec<&str> = kind.keys.iter().map(|key| key.name).collect();
    block(text, document, &order)
}

/// The entries in their new order; `None` when they stand in it already.
fn ordered(entries: &[(Key, Node)], order: &[&str]) -> Option<Vec<usize>> {
    let rank = |at: usize| order.iter().position(|key| *key == entries[at].0.text).unwrap_or(order.len());
    let mut places: Vec<usize> = (0..entries.len()).collect();
    places.sort_by_key(|at| rank(*at));
    (!places.is_sorted()).then_some(places)
}

/// A mapping in braces: the texts of its entries change places, the commas stay.
fn flow(text: &str, node: &Node, order: &[&str]) -> Option<(Range<usize>, String)> {
    let entries = node.entries();
    let places = ordered(entries, order)?;
    let range = |at: usize| entries[at].0.place.bytes.0 as usize..entries[at].1.place.bytes.1.max(entries[at].0.place.bytes.1) as usize;
    let whole = range(0).start..range(entries.len() - 1).end;
    let inside = text.get(whole.clone())?;
    // A comment inside belongs to a line: such a mapping is left as it is.
    if inside.contains('#') || inside.contains('\n') {
        return None;
    }
    let mut out = String::new();
    for (position, from) in places.iter().enumerate() {
        out.push_str(text.get(range(*from))?);
        if position + 1 < entries.len() {
            out.push_str(text.get(range(position).end..range(position + 1).start)?);
        }
    }
    Some((whole, out))
}

/// A mapping of lines: each entry moves with the comments above it and the lines below it.
fn block(text: &str, node: &Node, order: &[&str]) -> Option<(Range<usize>, String)> {
    let entries = node.entries();
    let places = ordered(entries, order)?;
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let column = entries[0].0.place.column;
    let mut starts = Vec::with_capacity(entries.len());
    for (position, (key, _)) in entries.iter().enumerate() {
        let mut start = line_start(key.place.bytes.0 as usize);
        if key.place.column != column || !text[start..key.place.bytes.0 as usize].trim().is_empty() {
            return None;
        }
        // Comments and blank lines right above belong to the entry; those above the first one head the whole.
        while position > 0 && start > 0 {
            let above = line_start(start - 1);
            let line = text[above..start].trim();
            let indent = text[above..start].len() - text[above..start].trim_start().len();
            if above < starts[position - 1] + 1 || !(line.is_empty() || line.starts_with('#') && indent + 1 == column as usize) {
                break;
            }
            start = above;
        }
        starts.push(start);
    }
    let last = &entries[entries.len() - 1];
    let end = block_end(text, last, column);
    let part = |at: usize| starts[at]..starts.get(at + 1).copied().unwrap_or(end);
    let mut out = String::new();
    for from in &places {
        let piece = text.get(part(*from))?;
        out.push_str(piece);
        if !piece.ends_with('\n') {
            out.push('\n');
        }
    }
    Some((starts[0]..end, out))
}

/// Where the last entry of a block ends: before the next line that is not deeper than its key.
fn block_end(text: &str, (key, _): &(Key, Node), column: u32) -> usize {
    let from = key.place.bytes.0 as usize;
    let mut at = text[from..].find('\n').map_or(text.len(), |end| from + end + 1);
    let mut end = at;
    while at < text.len() {
        let next = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        let line = &text[at..next];
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() {
            at = next;
            continue;
        }
        let is_item = line.trim_start().starts_with("- ") && indent + 1 == column as usize;
        if indent < column as usize && !is_item {
            break;
        }
        at = next;
        end = next;
    }
    end
}

/// Equal but for the order of keys where order means nothing.
fn same(left: &[Node], right: &[Node]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right, ""))
}

fn equal(left: &Node, right: &Node, key: &str) -> bool {
    match (&left.kind, &right.kind) {
        (NodeKind::Map(a), NodeKind::Map(b)) => {
            let in_order = key != "fields" || a.iter().map(|(key, _)| &key.text).eq(b.iter().map(|(key, _)| &key.text));
            in_order
                && a.len() == b.len()
                && a.iter().all(|(key, value)| right.get(&key.text).is_some_and(|other| equal(value, other, &key.text)))
        }
        (NodeKind::List(a), NodeKind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, "")),
        (a, b) => a == b,
    }
}
