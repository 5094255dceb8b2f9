//! Filters people click together: `f=field:operator:value` in the address, a condition of the expression language for
//! the query, a chip on the page.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use std::collections::BTreeMap;

use super::page::{Page, address};
use crate::base::Decimal;
use crate::render::context::{Choice, FieldInput, Filter, FilterChip};
use crate::render::input::{self, InputContext, InputState};
use crate::render::show::Titles;
use crate::render::{Arg, FormTexts};
use crate::schema::catalog::{Entity, Field, FieldType, ScalarType};
use crate::web::Problem;

/// Fields that are asked about in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Number,
    Date,
    Boolean,
    Choice,
    Set,
    Person,
    Presence,
    /// Encrypted.
    Sealed,
    Closed,
}

impl Family {
    pub fn of(field: &Field) -> Self {
        if field.is_secret() {
            return Family::Presence;
        }
        if field.encrypted {
            return Family::Sealed;
        }
        match &field.ty {
            FieldType::Text { .. }
            | FieldType::LongText { .. }
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::AutoNumber { .. } => Family::Text,
            FieldType::Integer { .. }
            | FieldType::Decimal { .. }
            | FieldType::Percent { .. }
            | FieldType::Money { .. }
            | FieldType::Rating { .. } => Family::Number,
            FieldType::Date { .. } | FieldType::DateTime => Family::Date,
            FieldType::Boolean => Family::Boolean,
            FieldType::Select(_) | FieldType::Link { .. } => Family::Choice,
            FieldType::MultiSelect { .. } | FieldType::Tags { .. } => Family::Set,
            FieldType::User { .. } => Family::Person,
            FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => match returns {
                ScalarType::Integer | ScalarType::Decimal { .. } | ScalarType::Percent { .. } | ScalarType::Money { .. } => Family::Number,
                ScalarType::Date | ScalarType::DateTime => Family::Date,
                ScalarType::Boolean => Family::Boolean,
                _ => Family::Presence,
            },
            FieldType::AnyLink { .. } | FieldType::Color | FieldType::Time | FieldType::Duration { .. } => Family::Presence,
            _ => Family::Closed,
        }
    }

    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Family::Text => &["contains", "not-contains", "is", "is-not", "starts", "empty", "not-empty"],
            Family::Number => &["ge", "le", "gt", "lt", "eq", "ne", "empty", "not-empty"],
            Family::Date => &["on", "before", "after", "empty", "not-empty"],
            Family::Boolean => &["yes", "no"],
            Family::Choice => &["is", "is-not", "empty", "not-empty"],
            Family::Set => &["has"],
            Family::Person => &["is", "me", "empty", "not-empty"],
            Family::Presence => &["empty", "not-empty"],
            Family::Sealed => &["is", "is-not", "empty", "not-empty"],
            Family::Closed => &[],
        }
    }
}

/// One filter of the address.
pub(super) struct Simple {
    pub field: String,
    pub op: String,
    pub value: String,
}

impl Simple {
    /// Reads `amount:ge:1000`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        Some(Self { field: parts.next()?.to_owned(), op: parts.next()?.to_owned(), value: parts.next().unwrap_or("").to_owned() })
    }

    pub fn text(&self) -> String {
        if self.value.is_empty() { format!("{}:{}", self.field, self.op) } else { format!("{}:{}:{}", self.field, self.op, self.value) }
    }

    /// The condition; `None` when the field, the operator or the value makes no sense.
    pub fn condition(&self, entity: &Entity) -> Option<String> {
        let field = entity.find_field(&self.field)?;
        let family = Family::of(field);
        if !family.operators().contains(&self.op.as_str()) {
            return None;
        }
        let name = &field.name;
        match self.op.as_str() {
            "empty" => return Some(format!("{name} is null")),
            "not-empty" => return Some(format!("{name} is not null")),
            "yes" => return Some(format!("{name} = true")),
            "no" => return Some(format!("not ({name} = true)")),
            "me" => return Some(format!("{name} = me()")),
            _ => {}
        }
        if self.value.trim().is_empty() {
            return None;
        }
        let literal = if family == Family::Number { Decimal::parse_any(self.value.trim()).ok()?.to_string() } else { quoted(&self.value) };
        Some(match self.op.as_str() {
            "contains" => format!("{name} contains {literal}"),
            "not-contains" => format!("{name} not contains {literal}"),
            "starts" => format!("{name} starts_with {literal}"),
            "is" | "eq" | "on" => format!("{name} = {literal}"),
            "is-not" | "ne" => format!("{name} != {literal}"),
            "gt" | "after" => format!("{name} > {literal}"),
            "ge" => format!("{name} >= {literal}"),
            "lt" | "before" => format!("{name} < {literal}"),
            "le" => format!("{name} <= {literal}"),
            "has" => format!("{name} has {literal}"),
            _ => return None,
        })
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Page {
    /// All `f=` of the address.
    pub fn simple_filters(&self) -> Vec<Simple> {
        self.params.0.iter().filter(|(name, _)| name == "f").filter_map(|(_, text)| Simple::parse(text)).take(20).collect()
    }

    /// Chips and the form that adds one.
    pub fn filter(&self, entity: &Entity, kept: &[(String, String)], expression: &str, titles: &Titles) -> Filter {
        let base = format!("/records/{}", entity.slug);
        let chips = self
            .simple_filters()
            .iter()
            .map(|simple| {
                let text = simple.text();
                let params: Vec<(String, String)> = kept.iter().filter(|(name, value)| !(name == "f" && *value == text)).cloned().collect();
                FilterChip { label: self.chip(entity, simple, titles), remove_href: address(&base, &params) }
            })
            .collect();
        let mut fields: Vec<Choice> = entity
            .known_fields()
            .filter(|field| {
                Family::of(field) != Family::Closed
                    && (!field.is_system || matches!(field.name.as_str(), "owner" | "created_at" | "updated_at"))
            })
            .map(|field| Choice { value: field.name.clone(), label: self.label(field), ..Choice::default() })
            .collect();
        fields.sort_by_key(|choice| entity.find_field(&choice.value).is_some_and(|field| field.is_system && field.name != "owner"));
        let chosen = self.params.get("field").and_then(|name| entity.find_field(name)).map(|field| field.name.clone());
        for choice in &mut fields {
            choice.selected = chosen.as_ref() == Some(&choice.value);
        }
        let field = chosen.as_deref().or_else(|| fields.first().map(|first| first.value.as_str())).and_then(|name| entity.find_field(name));
        let (operators, value) = field.map_or((Vec::new(), None), |field| self.filter_value(entity, field, titles));
        Filter {
            chips,
            operators,
            value,
            expression: expression.to_owned(),
            clear_href: address(&base, &kept.iter().filter(|(name, _)| name == "view" || name == "sort").cloned().collect::<Vec<_>>()),
            is_open: chosen.is_some() || !expression.is_empty(),
            is_advanced: !expression.is_empty(),
            fields_href: format!("{base}/filter-value"),
            fields,
            ..Filter::default()
        }
    }

    /// The operators of a field and the control for its value.
    fn filter_value(&self, entity: &Entity, field: &Field, titles: &Titles) -> (Vec<Choice>, Option<FieldInput>) {
        let family = Family::of(field);
        let known = family.operators();
        let asked = self.params.get("op").filter(|op| known.contains(op)).or(known.first().copied()).unwrap_or("");
        let choices = known
            .iter()
            .map(|op| Choice {
                value: (*op).to_owned(),
                label: self.say(&format!("op-{op}"), &[]),
                selected: *op == asked,
                ..Choice::default()
            })
            .collect();
        if matches!(asked, "empty" | "not-empty" | "yes" | "no" | "me") {
            return (choices, None);
        }
        let texts = FormTexts::default();
        let errors = BTreeMap::new();
        let ctx = InputContext { catalog: &self.catalog, ui: &self.ui, messages: self.messages(), titles, texts: &texts, errors: &errors };
        let mut made = input::input(ctx, entity, field, "value", InputState::default());
        made.widget = match &field.ty {
            FieldType::Date { .. } | FieldType::DateTime => "date",
            FieldType::Select(_) | FieldType::Link { .. } | FieldType::User { .. } => made.widget.as_str(),
            FieldType::MultiSelect { .. } => "select",
            _ if family == Family::Date => "date",
            _ => "text",
        }
        .to_owned();
        made.label = self.say("filter-value", &[]);
        made.id = "filter-value-control".to_owned();
        made.help.clear();
        made.computed.clear();
        made.placeholder.clear();
        made.multiple = false;
        made.full = false;
        made.required = false;
        (choices, Some(made))
    }

    /// `Amount ≥ 1,000`
    fn chip(&self, entity: &Entity, simple: &Simple, titles: &Titles) -> String {
        let Some(field) = entity.find_field(&simple.field) else { return simple.text() };
        let op = self.say(&format!("op-{}", simple.op), &[]);
        let value = match &field.ty {
            FieldType::Select(options) | FieldType::MultiSelect { options, .. } => {
                let option = options.list.options.iter().find(|option| option.key == simple.value);
                option.map_or(simple.value.as_str(), |option| option.label.get(self.ui.locale)).to_owned()
            }
            FieldType::Link { .. } | FieldType::User { .. } => titles.get(&simple.value).cloned().unwrap_or_else(|| simple.value.clone()),
            _ if Family::of(field) == Family::Number => crate::render::format::group_digits(&simple.value),
            _ => simple.value.clone(),
        };
        format!("{} {op} {value}", self.label(field)).trim_end().to_owned()
    }
}

/// `GET /records/{entity}/filter`: adds the filter and goes back to the list.
pub(super) async fn add(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let base = format!("/records/{slug}");
    let mut params: Vec<(String, String)> = page
        .params
        .0
        .iter()
        .filter(|(name, value)| matches!(name.as_str(), "f" | "view" | "sort" | "q" | "filter") && !value.is_empty())
        .cloned()
        .collect();
    let get = |name: &str| page.params.get(name).unwrap_or("").to_owned();
    let simple = Simple { field: get("field"), op: get("op"), value: get("value").trim().to_owned() };
    let is_choosing = page.params.get("choose").is_some();
    if !is_choosing && simple.condition(entity).is_some() {
        params.push(("f".to_owned(), simple.text()));
    } else {
        // Without scripts the conditions of another field need a page; a value that does not fit comes back to the form.
        params.push(("field".to_owned(), simple.field));
        params.push(("op".to_owned(), simple.op));
        if !is_choosing {
            params.push(("misfit".to_owned(), "1".to_owned()));
        }
    }
    Ok(page.go(&address(&base, &params)))
}

#[derive(Serialize)]
struct FilterPart {
    filter: Filter,
}

/// `GET /records/{entity}/filter-value`: the region with operators and value of a field.
pub(super) async fn value(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let filter = page.filter(entity, &[], "", &Titles::new());
    page.html(StatusCode::OK, "part/filter-value", &FilterPart { filter })
}

/// The message at the value when it did not fit.
pub(super) fn misfit(page: &Page) -> Option<String> {
    page.params.get("misfit").map(|_| page.say("filter-bad-value", &[("value", Arg::Text(""))]))
}
