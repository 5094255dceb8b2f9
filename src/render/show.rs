//! A field's value as people read it: in a table, on a record page, in history.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::messages::{Arg, Messages};
use super::{Ui, format};
use crate::base::{Currency, Date, DateTime, Decimal, RecordId, Time};
use crate::schema::catalog::{Catalog, Field, FieldType, ScalarType};

/// A moment: its machine form, how it reads, and the whole of it for a tooltip.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stamp {
    pub iso: String,
    pub text: String,
    pub full: String,
}

impl Stamp {
    pub fn new(at: DateTime, ui: &Ui, messages: &Messages) -> Self {
        Self { iso: at.to_string(), text: format::relative(at, ui, messages), full: format::datetime(at, ui) }
    }
}

/// A value ready to be written by the macro `kind` of `widget/show.html`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Shown {
    /// Name of the macro; `none` for an absent value.
    pub kind: &'static str,
    /// The value as plain text, for every kind.
    pub text: String,
    pub href: String,
    /// Machine form of a time, or the whole text of a shortened one.
    pub note: String,
    pub items: Vec<ShownItem>,
    /// 0 to 100 for a bar, the stars of a rating.
    pub level: u8,
    pub most: u8,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct ShownItem {
    pub text: String,
    pub href: String,
    pub hue: u8,
    pub note: String,
}

impl Shown {
    pub fn none() -> Self {
        Self { kind: "none", ..Self::default() }
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: "text", text: text.into(), ..Self::default() }
    }
}

/// Titles of records named by links, by public id.
pub type Titles = HashMap<String, String>;

/// What showing needs besides the value.
#[derive(Clone, Copy)]
pub struct ShowContext<'a> {
    pub catalog: &'a Catalog,
    pub ui: &'a Ui,
    pub messages: &'a Messages,
    pub titles: &'a Titles,
}

/// Where a record's page is, found by the prefix of its id.
pub fn record_href(catalog: &Catalog, id: &str) -> Option<String> {
    let (prefix, _) = RecordId::parse(id)?;
    let entity = catalog.entity(*catalog.by_prefix.get(prefix)?);
    Some(format!("/records/{}/{id}", entity.slug))
}

/// A value in the shape of the API, for reading.
pub fn show(ctx: ShowContext<'_>, field: &Field, value: &Json) -> Shown {
    if is_blank(value) && !matches!(field.ty, FieldType::Boolean) {
        return Shown::none();
    }
    match &field.ty {
        FieldType::Id | FieldType::Text { .. } | FieldType::AutoNumber { .. } => plain(value),
        FieldType::LongText { .. } => of_kind("long_text", value),
        FieldType::RichText { .. } => of_kind("rich_text", value),
        FieldType::Email => linked("email", value, "mailto:"),
        FieldType::Phone => linked("phone", value, "tel:"),
        FieldType::Url => url(value),
        FieldType::Integer { .. } => scalar(ctx, ScalarType::Integer, value),
        FieldType::Decimal { scale, .. } => scalar(ctx, ScalarType::Decimal { scale: *scale }, value),
        FieldType::Percent { scale, .. } => scalar(ctx, ScalarType::Percent { scale: *scale }, value),
        FieldType::Money { .. } => money(ctx, value),
        FieldType::Boolean => scalar(ctx, ScalarType::Boolean, value),
        FieldType::Date { .. } => scalar(ctx, ScalarType::Date, value),
        FieldType::DateTime => scalar(ctx, ScalarType::DateTime, value),
        FieldType::Time => scalar(ctx, ScalarType::Time, value),
        FieldType::Duration { .. } => scalar(ctx, ScalarType::Duration, value),
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } => scalar(ctx, *returns, value),
        FieldType::Lookup { via, field: far, returns } => lookup(ctx, field, *via, *far, *returns, value),
        FieldType::Select(options) => chips(ctx, &options.list.options, std::slice::from_ref(value)),
        FieldType::MultiSelect { options, .. } => chips(ctx, &options.list.options, list(value)),
        FieldType::Tags { .. } => tags(value),
        FieldType::Link { .. } | FieldType::AnyLink { .. } => links(ctx, "link", std::slice::from_ref(value)),
        FieldType::User { .. } => links(ctx, "user", std::slice::from_ref(value)),
        FieldType::Links { .. } => links(ctx, "links", list(value)),
        FieldType::Children { .. } => Shown::text(ctx.messages.text(
            ctx.ui.locale,
            "value-records",
            &[("count", Arg::Count(i64::try_from(list(value).len()).unwrap_or(0)))],
        )),
        FieldType::Address => address(value, ctx.ui.locale),
        FieldType::PersonName => person(value, ctx.ui.locale),
        FieldType::Geo => geo(value),
        FieldType::Rating { max } => rating(ctx, value, *max),
        FieldType::Color => of_kind("color", value),
        FieldType::Json { .. } => Shown { kind: "json", text: serde_json::to_string_pretty(value).unwrap_or_default(), ..Shown::default() },
        FieldType::File { .. } => files("files", value),
        FieldType::Image { .. } => files("images", value),
    }
}

/// Whether a column of this type is aligned like numbers.
pub fn is_numeric(ty: &FieldType) -> bool {
    let scalar = match ty {
        FieldType::Integer { .. }
        | FieldType::Decimal { .. }
        | FieldType::Percent { .. }
        | FieldType::Money { .. }
        | FieldType::Duration { .. } => {
            return true;
        }
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => returns,
        _ => return false,
    };
    matches!(
        scalar,
        ScalarType::Integer | ScalarType::Decimal { .. } | ScalarType::Percent { .. } | ScalarType::Money { .. } | ScalarType::Duration
    )
}

fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(parts) => parts.values().all(is_blank),
        _ => false,
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Text of a string or number.
fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

fn part<'a>(value: &'a Json, name: &str) -> &'a str {
    value.get(name).and_then(Json::as_str).unwrap_or("")
}

fn plain(value: &Json) -> Shown {
    Shown::text(text_of(value))
}

fn of_kind(kind: &'static str, value: &Json) -> Shown {
    Shown { kind, text: text_of(value), ..Shown::default() }
}

fn linked(kind: &'static str, value: &Json, scheme: &str) -> Shown {
    let text = text_of(value);
    let address: String = if scheme == "tel:" { text.chars().filter(|c| !c.is_whitespace()).collect() } else { text.clone() };
    Shown { kind, href: format!("{scheme}{address}"), text, ..Shown::default() }
}

/// Only web addresses become links; another scheme is shown as text.
fn url(value: &Json) -> Shown {
    let address = text_of(value);
    let lower = address.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return Shown::text(address);
    }
    let short = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let short = short.strip_prefix("www.").unwrap_or(short).trim_end_matches('/').to_owned();
    Shown { kind: "url", text: short, note: address.clone(), href: address, ..Shown::default() }
}

fn number(text: String) -> Shown {
    Shown { kind: "number", text, ..Shown::default() }
}

fn scalar(ctx: ShowContext<'_>, ty: ScalarType, value: &Json) -> Shown {
    let text = text_of(value);
    let locale = ctx.ui.locale;
    match ty {
        ScalarType::Text => plain(value),
        ScalarType::Integer | ScalarType::Decimal { .. } => number(format::group_digits(&text)),
        ScalarType::Percent { .. } => match Decimal::parse_any(&text) {
            Ok(share) => Shown {
                kind: "percent",
                text: format::percent(share),
                level: share.round(0).map_or(0, |whole| u8::try_from(whole.units.clamp(0, 100)).unwrap_or(0)),
                ..Shown::default()
            },
            Err(_) => plain(value),
        },
        ScalarType::Money { .. } if value.is_object() => money(ctx, value),
        ScalarType::Money { .. } => match Decimal::parse_any(&text) {
            Ok(amount) => number(format::money(amount, ctx.catalog.settings.currency, locale)),
            Err(_) => plain(value),
        },
        ScalarType::Boolean => match value.as_bool() {
            Some(true) => Shown { kind: "boolean", level: 1, text: ctx.messages.text(locale, "value-yes", &[]), ..Shown::default() },
            Some(false) => Shown { kind: "boolean", text: ctx.messages.text(locale, "value-no", &[]), ..Shown::default() },
            None => Shown::none(),
        },
        ScalarType::Date => match Date::parse(&text) {
            Some(date) => Shown { kind: "date", text: format::date(date, locale), note: text, ..Shown::default() },
            None => plain(value),
        },
        ScalarType::DateTime => match DateTime::parse(&text) {
            Some(at) => Shown {
                kind: "datetime",
                text: format::relative(at, ctx.ui, ctx.messages),
                note: text,
                href: format::datetime(at, ctx.ui),
                ..Shown::default()
            },
            None => plain(value),
        },
        ScalarType::Time => Shown::text(Time::parse(&text).map_or(text, format::time)),
        ScalarType::Duration => number(value.as_i64().map_or(text, format::duration)),
    }
}

/// A looked-up value is shown as the field it comes from would be.
fn lookup(
    ctx: ShowContext<'_>,
    field: &Field,
    via: crate::base::FieldIx,
    far: crate::base::FieldIx,
    returns: ScalarType,
    value: &Json,
) -> Shown {
    let home = ctx.catalog.entities.iter().find(|entity| entity.fields.iter().any(|known| std::ptr::eq(known, field)));
    let target = home.map(|entity| &entity.field(via).ty).and_then(|ty| match ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Some(ctx.catalog.entity(*to)),
        _ => None,
    });
    match target.map(|entity| entity.field(far)) {
        Some(shown) if !matches!(shown.ty, FieldType::Lookup { .. }) => show(ctx, shown, value),
        _ => scalar(ctx, returns, value),
    }
}

fn money(ctx: ShowContext<'_>, value: &Json) -> Shown {
    let (Ok(amount), Some(currency)) = (Decimal::parse_any(part(value, "amount")), Currency::parse(part(value, "currency"))) else {
        return number(format::group_digits(part(value, "amount")));
    };
    let home = ctx.catalog.settings.currency;
    let note = match Decimal::parse_any(part(value, "base")) {
        Ok(base) if currency != home => format::money(base, home, ctx.ui.locale),
        _ => String::new(),
    };
    Shown { kind: "number", text: format::money(amount, currency, ctx.ui.locale), note, ..Shown::default() }
}

fn chips(ctx: ShowContext<'_>, options: &[crate::schema::catalog::SelectOption], keys: &[Json]) -> Shown {
    let items: Vec<ShownItem> = keys
        .iter()
        .filter_map(Json::as_str)
        .map(|key| match options.iter().find(|option| option.key == key) {
            Some(option) => ShownItem { text: option.label.get(ctx.ui.locale).to_owned(), hue: option.hue % 10, ..ShownItem::default() },
            None => ShownItem { text: key.to_owned(), ..ShownItem::default() },
        })
        .collect();
    Shown { kind: "chips", text: join(&items), items, ..Shown::default() }
}

fn tags(value: &Json) -> Shown {
    let items: Vec<ShownItem> = list(value)
        .iter()
        .filter_map(Json::as_str)
        .map(|tag| ShownItem { text: tag.to_owned(), hue: format::hue_of(tag), ..ShownItem::default() })
        .collect();
    Shown { kind: "chips", text: join(&items), items, ..Shown::default() }
}

fn links(ctx: ShowContext<'_>, kind: &'static str, values: &[Json]) -> Shown {
    let items: Vec<ShownItem> = values
        .iter()
        .filter_map(|value| {
            let id = value.as_str().or_else(|| value.get("id").and_then(Json::as_str))?;
            let title = ctx.titles.get(id).map(String::as_str).or_else(|| value.get("_title").and_then(Json::as_str)).unwrap_or(id);
            Some(ShownItem {
                text: title.to_owned(),
                href: record_href(ctx.catalog, id).unwrap_or_default(),
                hue: format::hue_of(id),
                note: format::initials(title),
            })
        })
        .collect();
    Shown { kind, text: join(&items), items, ..Shown::default() }
}

fn join(items: &[ShownItem]) -> String {
    items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(", ")
}

fn address(value: &Json, locale: crate::base::Locale) -> Shown {
    let lines: Vec<&str> = ["street", "street2", "city", "region", "postal_code", "country"].iter().map(|name| part(value, name)).collect();
    let is_han = lines.iter().any(|line| line.chars().any(crate::base::text::is_cjk));
    let text = if is_han || locale != crate::base::Locale::En && lines.iter().all(|line| line.is_ascii()) && lines[0].is_empty() {
        // Largest first, without separators.
        let [street, street2, city, region, _, country] = lines[..] else { return Shown::none() };
        [country, region, city, street, street2].concat()
    } else {
        lines.iter().filter(|line| !line.is_empty()).copied().collect::<Vec<_>>().join(", ")
    };
    Shown::text(text)
}

fn person(value: &Json, locale: crate::base::Locale) -> Shown {
    let name = |part_name| part(value, part_name);
    Shown::text(format::person_name(name("given"), name("family"), name("middle"), name("prefix"), name("suffix"), locale))
}

fn geo(value: &Json) -> Shown {
    let (lat, lon) = (part(value, "lat"), part(value, "lon"));
    Shown {
        kind: "url",
        text: format!("{lat}, {lon}"),
        href: format!("https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=15/{lat}/{lon}"),
        ..Shown::default()
    }
}

fn rating(ctx: ShowContext<'_>, value: &Json, most: u8) -> Shown {
    let level = value.as_i64().map_or(0, |stars| u8::try_from(stars.clamp(0, i64::from(most))).unwrap_or(0));
    let args = [("stars", Arg::Count(i64::from(level))), ("most", Arg::Count(i64::from(most)))];
    Shown { kind: "rating", text: ctx.messages.text(ctx.ui.locale, "value-stars", &args), level, most, ..Shown::default() }
}

fn files(kind: &'static str, value: &Json) -> Shown {
    let items: Vec<ShownItem> = list(value)
        .iter()
        .map(|file| ShownItem {
            text: part(file, "name").to_owned(),
            href: file.get("url").and_then(Json::as_str).map_or_else(|| format!("/files/{}", part(file, "id")), str::to_owned),
            note: file.get("size").and_then(Json::as_u64).map(format::file_size).unwrap_or_default(),
            hue: 0,
        })
        .collect();
    Shown { kind, text: join(&items), items, ..Shown::default() }
}
