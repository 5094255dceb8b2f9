//! A field as a control of a form: which widget, its texts, choices and limits.

use std::collections::BTreeMap;

use serde::Serialize;

use super::form_text::FormTexts;
use super::messages::{Arg, Messages};
use super::show::{Shown, Titles};
use super::{Ui, format};
use crate::base::Locale;
use crate::schema::catalog::{Catalog, Entity, Field, FieldType, MoneyCurrency, Options};
use crate::schema::field_type;

/// Options a native select shows; more become a combobox.
const NATIVE_CHOICES: usize = 12;
/// Empty rows a sub-table offers to people without scripts.
const SPARE_ROWS: usize = 2;

/// A control ready to be written by the macro `widget` of `widget/edit.html`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FieldInput {
    /// Name of the control; parts and rows are named below it.
    pub name: String,
    /// Id in the page.
    pub id: String,
    pub label: String,
    pub help: String,
    pub placeholder: String,
    pub widget: String,
    pub required: bool,
    pub read_only: bool,
    /// Takes a whole row of a section.
    pub full: bool,
    pub errors: Vec<String>,
    pub value: String,
    pub parts: Vec<Part>,
    pub choices: Vec<Choice>,
    pub multiple: bool,
    pub min: String,
    pub max: String,
    pub max_length: String,
    pub pattern: String,
    pub inputmode: &'static str,
    pub autocomplete: &'static str,
    pub suffix: String,
    /// Where a combobox finds its choices.
    pub source: String,
    pub accept: String,
    pub files: Vec<FilePart>,
    /// How to read a read-only field.
    pub shown: Option<Shown>,
    /// How a computed value comes about.
    pub computed: String,
    pub table: Option<SubTable>,
}

/// A control of a composite field.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Part {
    pub name: String,
    pub id: String,
    pub label: String,
    pub value: String,
    pub autocomplete: &'static str,
    pub inputmode: &'static str,
    pub wide: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub note: String,
    pub hue: u8,
    pub selected: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct FilePart {
    pub id: String,
    pub name: String,
    pub href: String,
    pub size: String,
}

/// Rows of children, editable in their parent's form.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubTable {
    pub columns: Vec<String>,
    pub rows: Vec<SubRow>,
    /// A row with `__row__` where its number goes.
    pub pattern: SubRow,
    /// The first number no row has.
    pub next: usize,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct SubRow {
    /// `lines.0`.
    pub prefix: String,
    /// Public id of a stored row.
    pub record: String,
    /// Offered to those who cannot add rows by script.
    pub is_spare: bool,
    /// Marked to be taken out.
    pub is_removed: bool,
    pub fields: Vec<FieldInput>,
}

/// What is true of a field now; found by `record`.
#[derive(Debug, Clone, Default)]
pub struct InputState {
    pub required: bool,
    pub read_only: bool,
    /// Keys of the options allowed now; `None` allows all.
    pub options: Option<Vec<String>>,
    pub errors: Vec<String>,
    pub shown: Option<Shown>,
    pub widget: Option<String>,
    pub files: Vec<FilePart>,
}

/// What inputs need besides the field.
#[derive(Clone, Copy)]
pub struct InputContext<'a> {
    pub catalog: &'a Catalog,
    pub ui: &'a Ui,
    pub messages: &'a Messages,
    pub titles: &'a Titles,
    pub texts: &'a FormTexts,
    /// Faults by control name, for rows of sub-tables.
    pub errors: &'a BTreeMap<String, Vec<String>>,
}

impl InputContext<'_> {
    fn say(&self, key: &str) -> String {
        self.messages.text(self.ui.locale, key, &[])
    }
}

/// Whether a form shows the field at all.
pub fn is_editable(field: &Field) -> bool {
    !field.is_system && !matches!(field.ty, FieldType::Id)
}

/// The control of `field` under `name` (`amount`, `lines.0.qty`).
pub fn input(ctx: InputContext<'_>, entity: &Entity, field: &Field, name: &str, state: InputState) -> FieldInput {
    let locale = ctx.ui.locale;
    let mut made = FieldInput {
        name: name.to_owned(),
        id: format!("f-{}", name.replace('.', "-")),
        label: field.label.get(locale).to_owned(),
        help: field.help.get(locale).to_owned(),
        placeholder: field.placeholder.get(locale).to_owned(),
        widget: field_type::widget_name(&field.ty).to_owned(),
        required: state.required,
        read_only: state.read_only || field.read_only,
        errors: state.errors,
        value: ctx.texts.one(name).to_owned(),
        shown: state.shown,
        files: state.files,
        ..FieldInput::default()
    };
    shape(ctx, entity, field, name, &state.options, &mut made);
    if made.read_only {
        made.computed = computed_by(ctx, &field.ty);
        made.widget = "read_only".to_owned();
    } else if let Some(widget) = state.widget.or_else(|| field.widget.clone()).filter(|widget| fits(&made.widget, widget)) {
        made.widget = widget;
    }
    made
}

/// Another widget than the type's own, where it can hold the same text.
fn fits(own: &str, asked: &str) -> bool {
    matches!(
        (own, asked),
        ("text" | "email" | "phone" | "url", "text" | "long_text")
            | ("long_text", "text" | "long_text")
            | ("select" | "combobox", "radio" | "select" | "combobox")
            | ("multi_select" | "tokens", "multi_select" | "tokens")
            | ("boolean", "boolean" | "switch")
            | ("rating" | "integer", "rating" | "integer")
    )
}

fn shape(ctx: InputContext<'_>, entity: &Entity, field: &Field, name: &str, allowed: &Option<Vec<String>>, made: &mut FieldInput) {
    match &field.ty {
        FieldType::Text { max, pattern, .. } => {
            made.max_length = max.to_string();
            made.pattern = pattern.as_ref().map(|pattern| pattern.text.clone()).unwrap_or_default();
        }
        FieldType::LongText { max } | FieldType::RichText { max } => {
            made.max_length = max.to_string();
            made.full = true;
        }
        FieldType::Email => made.inputmode = "email",
        FieldType::Phone => made.inputmode = "tel",
        FieldType::Url => made.inputmode = "url",
        FieldType::Integer { min, max } => {
            made.inputmode = "numeric";
            made.min = min.map(|limit| limit.to_string()).unwrap_or_default();
            made.max = max.map(|limit| limit.to_string()).unwrap_or_default();
        }
        FieldType::Decimal { .. } => made.inputmode = "decimal",
        FieldType::Percent { .. } => {
            made.inputmode = "decimal";
            made.suffix = "%".to_owned();
        }
        FieldType::Money { currency, .. } => money(ctx, name, *currency, made),
        FieldType::Date { min, max } => {
            made.min = min.map(|limit| limit.to_string()).unwrap_or_default();
            made.max = max.map(|limit| limit.to_string()).unwrap_or_default();
        }
        FieldType::DateTime => made.suffix = ctx.ui.zone.iana_name().unwrap_or("UTC").to_owned(),
        FieldType::Duration { .. } if made.placeholder.is_empty() => made.placeholder = ctx.say("field-duration-example"),
        FieldType::Select(options) => {
            made.choices = choices(ctx, name, options, allowed);
            if made.choices.len() > NATIVE_CHOICES {
                made.widget = "combobox".to_owned();
            }
        }
        FieldType::MultiSelect { options, .. } => {
            made.choices = choices(ctx, name, options, allowed);
            made.multiple = true;
            made.full = made.choices.len() > 6;
            if made.choices.len() > NATIVE_CHOICES {
                made.widget = "tokens".to_owned();
            }
        }
        FieldType::Tags { .. } => {
            made.multiple = true;
            made.choices = chosen(ctx, name, |text| text.to_owned());
            made.value = ctx.texts.all(name).join(", ");
        }
        FieldType::Link { to, .. } | FieldType::User { to, .. } => {
            made.source = match &field.ty {
                FieldType::Link { filter: Some(_), .. } => format!("/records/{}/choices?of={}", entity.slug, field.name),
                _ => format!("/records/{}/choices", ctx.catalog.entity(*to).slug),
            };
            made.choices = linked(ctx, name);
        }
        FieldType::Links { to, .. } => {
            made.source = format!("/records/{}/choices", ctx.catalog.entity(*to).slug);
            made.multiple = true;
            made.choices = linked(ctx, name);
        }
        FieldType::AnyLink { .. } => {
            made.source = format!("/records/{}/choices?of={}", entity.slug, field.name);
            made.choices = linked(ctx, name);
        }
        FieldType::Children { of, by } => {
            made.full = true;
            made.table = Some(sub_table(ctx, ctx.catalog.entity(*of), *by, name));
        }
        FieldType::Address => {
            made.full = true;
            made.parts = parts(ctx, name, &address_parts(ctx.ui.locale));
        }
        FieldType::PersonName => made.parts = parts(ctx, name, &name_parts(ctx.ui.locale)),
        FieldType::Geo => {
            made.parts = parts(ctx, name, &[("lat", "off", false), ("lon", "off", false)]);
            for part in &mut made.parts {
                part.inputmode = "decimal";
            }
        }
        FieldType::Rating { max } => made.max = max.to_string(),
        FieldType::Json { .. } => made.full = true,
        FieldType::File { max_count, accept, max_size_bytes } => {
            made.multiple = *max_count > 1;
            made.accept = accept.join(",");
            made.suffix = format::file_size(*max_size_bytes);
        }
        FieldType::Image { max_count, max_size_bytes } => {
            made.multiple = *max_count > 1;
            made.accept = "image/png,image/jpeg,image/webp,image/gif".to_owned();
            made.suffix = format::file_size(*max_size_bytes);
        }
        _ => {}
    }
}

fn money(ctx: InputContext<'_>, name: &str, currency: MoneyCurrency, made: &mut FieldInput) {
    made.inputmode = "decimal";
    match currency {
        MoneyCurrency::Fixed(currency) => made.suffix = currency.code().to_owned(),
        MoneyCurrency::Record => {
            let settings = &ctx.catalog.settings;
            let mut codes = vec![settings.currency.code().to_owned()];
            codes.extend(settings.rates.iter().map(|rate| rate.currency.code().to_owned()));
            let wanted = ctx.texts.one(&format!("{name}.currency"));
            let current = if wanted.is_empty() { codes[0].clone() } else { wanted.to_owned() };
            codes.push(current.clone());
            let mut seen = Vec::new();
            for code in codes {
                if !seen.contains(&code) {
                    seen.push(code);
                }
            }
            made.choices = seen
                .into_iter()
                .map(|code| Choice { selected: code == current, label: code.clone(), value: code, ..Choice::default() })
                .collect();
        }
    }
}

/// The options allowed now, and a stored one that no longer is.
fn choices(ctx: InputContext<'_>, name: &str, options: &Options, allowed: &Option<Vec<String>>) -> Vec<Choice> {
    let chosen = ctx.texts.all(name);
    options
        .list
        .options
        .iter()
        .filter(|option| {
            let is_chosen = chosen.contains(&option.key);
            let is_allowed = !option.retired && allowed.as_ref().is_none_or(|keys| keys.contains(&option.key));
            is_allowed || (is_chosen && allowed.is_none())
        })
        .map(|option| Choice {
            value: option.key.clone(),
            label: option.label.get(ctx.ui.locale).to_owned(),
            hue: option.hue % 10,
            selected: chosen.contains(&option.key),
            ..Choice::default()
        })
        .collect()
}

fn chosen(ctx: InputContext<'_>, name: &str, label: impl Fn(&str) -> String) -> Vec<Choice> {
    let texts = ctx.texts.all(name).iter().filter(|text| !text.is_empty());
    texts.map(|text| Choice { value: text.clone(), label: label(text), selected: true, ..Choice::default() }).collect()
}

fn linked(ctx: InputContext<'_>, name: &str) -> Vec<Choice> {
    chosen(ctx, name, |id| ctx.titles.get(id).cloned().unwrap_or_else(|| id.to_owned()))
}

fn parts(ctx: InputContext<'_>, name: &str, wanted: &[(&'static str, &'static str, bool)]) -> Vec<Part> {
    wanted
        .iter()
        .map(|(part, autocomplete, wide)| {
            let full = format!("{name}.{part}");
            Part {
                id: format!("f-{}", full.replace('.', "-")),
                label: ctx.say(&format!("part-{}", part.replace('_', "-"))),
                value: ctx.texts.one(&full).to_owned(),
                name: full,
                autocomplete,
                inputmode: "text",
                wide: *wide,
            }
        })
        .collect()
}

/// Largest part first in Chinese, smallest first in English.
fn address_parts(locale: Locale) -> [(&'static str, &'static str, bool); 6] {
    let mut parts = [
        ("street", "off", true),
        ("street2", "off", true),
        ("city", "off", false),
        ("region", "off", false),
        ("postal_code", "off", false),
        ("country", "off", false),
    ];
    if locale != Locale::En {
        parts = [
            ("country", "off", false),
            ("region", "off", false),
            ("city", "off", false),
            ("postal_code", "off", false),
            ("street", "off", true),
            ("street2", "off", true),
        ];
    }
    parts
}

fn name_parts(locale: Locale) -> Vec<(&'static str, &'static str, bool)> {
    match locale {
        Locale::En => vec![
            ("prefix", "off", false),
            ("given", "off", false),
            ("middle", "off", false),
            ("family", "off", false),
            ("suffix", "off", false),
        ],
        Locale::ZhCn | Locale::ZhTw => vec![("family", "off", false), ("given", "off", false), ("suffix", "off", false)],
    }
}

fn sub_table(ctx: InputContext<'_>, of: &Entity, by: crate::base::FieldIx, name: &str) -> SubTable {
    let fields: Vec<&Field> = of
        .known_fields()
        .filter(|field| {
            is_editable(field)
                && field.ix != by
                && !matches!(field.ty, FieldType::Children { .. } | FieldType::File { .. } | FieldType::Image { .. })
        })
        .filter(|field| !field.read_only)
        .take(8)
        .collect();
    let row = |prefix: String, is_spare: bool| SubRow {
        is_spare,
        record: ctx.texts.one(&format!("{prefix}.id")).to_owned(),
        is_removed: ctx.texts.one(&format!("{prefix}._delete")) == "true",
        fields: fields
            .iter()
            .map(|field| {
                let full = format!("{prefix}.{}", field.name);
                let errors = ctx.errors.get(&full).cloned().unwrap_or_default();
                let mut made = input(ctx, of, field, &full, InputState { errors, ..InputState::default() });
                // A blank row is no row, so the browser must not insist; the server does.
                made.help = String::new();
                made
            })
            .collect(),
        prefix,
    };
    let mut keys = ctx.texts.rows(name);
    let next = keys.iter().filter_map(|key| key.parse::<usize>().ok()).max().map_or(0, |last| last + 1);
    // What was sent blank is no row.
    keys.retain(|key| ctx.texts.is_row_filled(name, key));
    let mut rows: Vec<SubRow> = keys.iter().map(|key| row(format!("{name}.{key}"), false)).collect();
    rows.extend((next..next + SPARE_ROWS).map(|number| row(format!("{name}.{number}"), true)));
    SubTable {
        columns: fields.iter().map(|field| field.label.get(ctx.ui.locale).to_owned()).collect(),
        rows,
        pattern: row(format!("{name}.__row__"), false),
        next: next + SPARE_ROWS,
    }
}

fn computed_by(ctx: InputContext<'_>, ty: &FieldType) -> String {
    match ty {
        FieldType::Formula { .. } => ctx.say("computed-formula"),
        FieldType::Rollup { .. } => ctx.say("computed-rollup"),
        FieldType::Lookup { .. } => ctx.say("computed-lookup"),
        FieldType::AutoNumber { format, .. } => ctx.messages.text(ctx.ui.locale, "computed-number", &[("format", Arg::Text(format))]),
        _ => String::new(),
    }
}
