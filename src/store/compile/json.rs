//! Cells to the API's JSON, without trees in between, and to values.

use std::fmt::Write;

use crate::base::json::write_text;
use crate::base::{Cell, Currency, Date, DateTime, Decimal, Money, RecordId, Time, Value};

use super::rows::Row;
use super::shape::{Codec, TitleBit, What};

/// Appends the record as a JSON object.
pub fn write_row(row: &Row<'_>, out: &mut String) {
    out.push('{');
    for (position, output) in row.shape().outputs.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(&output.key);
        match &output.what {
            What::Value { at, codec, .. } | What::Own { at, codec, .. } => {
                write_value(codec, row.cells().get(*at..).unwrap_or_default(), out)
            }
            What::Title(_) => write_text(&row.title().unwrap_or_default(), out),
            What::One { targets, .. } => match targets.iter().find(|shape| !row.cell(shape.id).is_null()) {
                Some(shape) => write_row(&row.with_shape(shape), out),
                None => out.push_str("null"),
            },
            What::Many { part, .. } => {
                out.push('[');
                for (position, child) in row.rows_of(*part).enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    write_row(&child, out);
                }
                out.push(']');
            }
        }
    }
    out.push('}');
}

/// Appends one value; `cells` begin at the value's first one.
pub fn write_value(codec: &Codec, cells: &[Cell], out: &mut String) {
    let first = cells.first().unwrap_or(&Cell::Null);
    match codec {
        Codec::AnyId { prefixes } => match any_id(prefixes, cells) {
            Some((prefix, id)) => write_id(prefix, id, out),
            None => out.push_str("null"),
        },
        Codec::Parts(parts) => write_parts(parts, cells, out),
        Codec::Keys => match first {
            Cell::Text(text) => out.push_str(text),
            _ => out.push_str("[]"),
        },
        Codec::Ids { prefix } => {
            out.push('[');
            for (position, id) in ints(first).enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_id(prefix, id, out);
            }
            out.push(']');
        }
        Codec::Files { prefix } => write_files(prefix, first, out),
        _ if first.is_null() => out.push_str("null"),
        Codec::Money { .. } => write_money(codec, cells, out),
        Codec::Text => write_text(first.as_text().unwrap_or_default(), out),
        Codec::Sealed { .. } => match super::rows::opened(first) {
            Some(text) => write_text(text, out),
            None => out.push_str("null"),
        },
        Codec::Json => out.push_str(first.as_text().unwrap_or("null")),
        Codec::Bool => out.push_str(if is_true(first) { "true" } else { "false" }),
        Codec::Int => int_text(first.as_int().unwrap_or(0), out),
        Codec::Id { prefix } => write_id(prefix, first.as_int().unwrap_or(0), out),
        Codec::Average { scale } => match average(*scale, first) {
            Some(average) => {
                let _ = write!(out, "\"{average}\"");
            }
            None => out.push_str("null"),
        },
        Codec::Date | Codec::DateTime | Codec::Time | Codec::Decimal { .. } => {
            out.push('"');
            write_plain(codec, first, out);
            out.push('"');
        }
    }
}

/// The value in memory.
pub fn value(codec: &Codec, cells: &[Cell]) -> Value {
    let first = cells.first().unwrap_or(&Cell::Null);
    match codec {
        // As text, since only the prefix tells the entity.
        Codec::AnyId { prefixes } => any_id(prefixes, cells).map_or(Value::Null, |(prefix, id)| Value::Text(RecordId(id).display(prefix))),
        Codec::Parts(parts) => parts_value(parts, cells),
        Codec::Keys => list(texts(first).into_iter().map(Value::Text).collect()),
        Codec::Ids { .. } => list(ints(first).map(|id| Value::Link(RecordId(id))).collect()),
        Codec::Files { prefix } => list(files(first).into_iter().map(|file| file.value(prefix)).collect()),
        _ if first.is_null() => Value::Null,
        Codec::Money { .. } => money(codec, cells).map_or(Value::Null, Value::Money),
        Codec::Text => Value::Text(first.as_text().unwrap_or_default().to_owned()),
        Codec::Sealed { .. } => super::rows::opened(first).map_or(Value::Null, |text| Value::Text(text.to_owned())),
        Codec::Json => first.as_text().and_then(|text| crate::base::json::parse(text.as_bytes()).ok()).map_or(Value::Null, Value::Json),
        Codec::Bool => Value::Bool(is_true(first)),
        Codec::Int => first.as_int().map_or(Value::Null, Value::Int),
        Codec::Id { .. } => first.as_int().map_or(Value::Null, |id| Value::Link(RecordId(id))),
        Codec::Date => date(first).map_or(Value::Null, Value::Date),
        Codec::DateTime => first.as_int().map_or(Value::Null, |at| Value::DateTime(DateTime(at))),
        Codec::Time => time(first).map_or(Value::Null, Value::Time),
        Codec::Decimal { scale } => first.as_int().map_or(Value::Null, |units| Value::Decimal(Decimal::new(units, *scale))),
        Codec::Average { scale } => average(*scale, first).map_or(Value::Null, Value::Decimal),
    }
}

/// An average without the zeros beyond the scale of what it was taken of.
fn average(scale: u8, cell: &Cell) -> Option<Decimal> {
    let short = Decimal::new(cell.as_int()?, Decimal::MAX_SCALE).normalised();
    if short.scale < scale { short.rescale_exact(scale).ok() } else { Some(short) }
}

/// The text of a title. Where a part is empty, the literal text that leads to it is left out.
pub fn title(bits: &[TitleBit], cells: &[Cell]) -> String {
    let mut out = String::new();
    let mut pending = "";
    // A separator after an empty first part separates nothing.
    let mut after_nothing = false;
    let mut part = String::new();
    for bit in bits {
        part.clear();
        match bit {
            TitleBit::Text(text) => {
                pending = text;
                continue;
            }
            TitleBit::Linked(inner) => part.push_str(&title(inner, cells)),
            TitleBit::Value { at, codec } => write_readable(codec, cells.get(*at..).unwrap_or_default(), &mut part),
        }
        if part.is_empty() {
            after_nothing |= out.is_empty();
        } else {
            out.push_str(if after_nothing { "" } else { pending });
            out.push_str(&part);
            after_nothing = false;
        }
        pending = "";
    }
    if !out.is_empty() {
        out.push_str(pending);
    }
    let trimmed = out.trim();
    if trimmed.len() == out.len() { out } else { trimmed.to_owned() }
}

/// The value as a person reads it, without regard to language.
fn write_readable(codec: &Codec, cells: &[Cell], out: &mut String) {
    let first = cells.first().unwrap_or(&Cell::Null);
    match codec {
        Codec::Parts(parts) => write_name(parts, cells, out),
        Codec::Keys => out.push_str(&texts(first).join(", ")),
        Codec::AnyId { .. } | Codec::Ids { .. } | Codec::Files { .. } => {}
        _ if first.is_null() => {}
        Codec::Money { scale, .. } => {
            write_plain(&Codec::Decimal { scale: *scale }, first, out);
            if let Some(money) = money(codec, cells) {
                out.push(' ');
                out.push_str(money.currency.code());
            }
        }
        Codec::Text | Codec::Json => out.push_str(first.as_text().unwrap_or_default()),
        Codec::Sealed { .. } => out.push_str(super::rows::opened(first).unwrap_or_default()),
        Codec::Id { prefix } => RecordId(first.as_int().unwrap_or(0)).write(prefix, out),
        Codec::Bool => out.push_str(if is_true(first) { "true" } else { "false" }),
        Codec::Int => int_text(first.as_int().unwrap_or(0), out),
        _ => write_plain(codec, first, out),
    }
}

/// A person's name in the order of its script, an address in one line.
fn write_name(parts: &[(&'static str, Codec)], cells: &[Cell], out: &mut String) {
    let text = |name: &str| {
        parts.iter().position(|(known, _)| *known == name).and_then(|at| cells.get(at)).and_then(Cell::as_text).unwrap_or_default()
    };
    let (given, family) = (text("given"), text("family"));
    if family.chars().chain(given.chars()).any(crate::base::text::is_cjk) {
        out.push_str(family);
        out.push_str(given);
        return;
    }
    let is_name = parts.iter().any(|(name, _)| *name == "family");
    let order: Vec<&str> = if is_name {
        ["prefix", "given", "middle", "family", "suffix"].map(text).to_vec()
    } else {
        cells.iter().take(parts.len()).filter_map(Cell::as_text).collect()
    };
    for (position, part) in order.into_iter().filter(|part| !part.is_empty()).enumerate() {
        if position > 0 {
            out.push_str(if is_name { " " } else { ", " });
        }
        out.push_str(part);
    }
}

fn is_true(cell: &Cell) -> bool {
    matches!(cell, Cell::Bool(true)) || matches!(cell, Cell::Int(number) if *number != 0)
}

fn date(cell: &Cell) -> Option<Date> {
    i32::try_from(cell.as_int()?).ok().map(Date)
}

fn time(cell: &Cell) -> Option<Time> {
    u32::try_from(cell.as_int()?).ok().map(Time)
}

/// Dates, times and decimals as text without quotes.
fn write_plain(codec: &Codec, cell: &Cell, out: &mut String) {
    // Writing into a String cannot fail.
    let _ = match codec {
        Codec::Date => date(cell).map(|date| write!(out, "{date}")),
        Codec::DateTime => cell.as_int().map(|at| write!(out, "{}", DateTime(at))),
        Codec::Time => time(cell).map(|time| write!(out, "{time}")),
        Codec::Decimal { scale } => cell.as_int().map(|units| write!(out, "{}", Decimal::new(units, *scale))),
        _ => None,
    };
}

fn int_text(number: i64, out: &mut String) {
    let _ = write!(out, "{number}");
}

fn write_id(prefix: &str, id: i64, out: &mut String) {
    out.push('"');
    RecordId(id).write(prefix, out);
    out.push('"');
}

fn any_id<'a>(prefixes: &'a [std::sync::Arc<str>], cells: &[Cell]) -> Option<(&'a str, i64)> {
    prefixes.iter().zip(cells).find_map(|(prefix, cell)| cell.as_int().map(|id| (&**prefix, id)))
}

fn money(codec: &Codec, cells: &[Cell]) -> Option<Money> {
    let Codec::Money { scale, fixed, currency, base, .. } = codec else { return None };
    let amount = cells.first()?.as_int()?;
    let own = currency.and_then(|at| cells.get(at)).and_then(Cell::as_text).and_then(Currency::parse);
    let base = base.and_then(|at| cells.get(at)).and_then(Cell::as_int);
    Some(Money { amount: Decimal::new(amount, *scale), currency: own.or(*fixed)?, base: base.map(|units| Decimal::new(units, *scale)) })
}

fn write_money(codec: &Codec, cells: &[Cell], out: &mut String) {
    let Some(money) = money(codec, cells) else { return out.push_str("null") };
    let _ = write!(out, r#"{{"amount":"{}","currency":"{}","base":"#, money.amount, money.currency);
    let _ = match money.base {
        Some(base) => write!(out, "\"{base}\"}}"),
        None => write!(out, "null}}"),
    };
}

fn write_parts(parts: &[(&'static str, Codec)], cells: &[Cell], out: &mut String) {
    if cells.iter().take(parts.len()).all(Cell::is_null) {
        return out.push_str("null");
    }
    for (position, (name, codec)) in parts.iter().enumerate() {
        out.push_str(if position == 0 { "{\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        write_value(codec, cells.get(position..).unwrap_or_default(), out);
    }
    out.push('}');
}

fn parts_value(parts: &[(&'static str, Codec)], cells: &[Cell]) -> Value {
    if cells.iter().take(parts.len()).all(Cell::is_null) {
        return Value::Null;
    }
    let each = parts.iter().enumerate().map(|(at, (name, codec))| ((*name).to_owned(), value(codec, cells.get(at..).unwrap_or_default())));
    Value::Map(each.collect())
}

/// The integers of a JSON array of integers that the database made.
fn ints(cell: &Cell) -> impl Iterator<Item = i64> + '_ {
    let text = cell.as_text().unwrap_or_default();
    text.split(|c: char| !(c.is_ascii_digit() || c == '-')).filter_map(|number| number.parse().ok())
}

/// The texts of a JSON array of texts.
fn texts(cell: &Cell) -> Vec<String> {
    cell.as_text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[derive(serde::Deserialize)]
struct FileCell {
    id: i64,
    name: String,
    size: i64,
    media_type: String,
}

impl FileCell {
    fn value(self, prefix: &str) -> Value {
        let url = format!("/files/{}", RecordId(self.id).display(prefix));
        let parts = [
            ("id", Value::Link(RecordId(self.id))),
            ("name", Value::Text(self.name)),
            ("size", Value::Int(self.size)),
            ("type", Value::Text(self.media_type)),
            ("url", Value::Text(url)),
        ];
        Value::Map(parts.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// A list of nothing is null, as everywhere.
fn list(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::List(items) }
}

fn files(cell: &Cell) -> Vec<FileCell> {
    cell.as_text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn write_files(prefix: &str, cell: &Cell, out: &mut String) {
    out.push('[');
    for (position, file) in files(cell).into_iter().enumerate() {
        out.push_str(if position > 0 { ",{\"id\":" } else { "{\"id\":" });
        write_id(prefix, file.id, out);
        out.push_str(",\"name\":");
        write_text(&file.name, out);
        let _ = write!(out, ",\"size\":{},\"type\":", file.size);
        write_text(&file.media_type, out);
        out.push_str(",\"url\":\"/files/");
        RecordId(file.id).write(prefix, out);
        out.push_str("\"}");
    }
    out.push(']');
}

#[cfg(test)]
mod tests;
