//! A record's form: which sections and fields, with which texts, and what is wrong with them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::field::is_wide;
use super::page::{Page, encode};
use crate::base::{FieldIx, RecordId};
use crate::record::{FieldFault, FieldState, FormState, Input};
use crate::render::context::{FieldInput, FilePart, Form, FormFault, FormSection};
use crate::render::input::{self, InputContext, InputState};
use crate::render::show::{self, Titles};
use crate::render::{Arg, FormTexts, format};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType, OnDelete};
use crate::schema::field_type;
use crate::web::{Problem, files};

/// A section as the layout (or the default) arranges it.
pub(super) struct Arranged {
    pub id: String,
    pub label: String,
    pub columns: u8,
    pub fields: Vec<(FieldIx, Option<String>)>,
}

/// Everything a form needs to be drawn.
pub(super) struct Drawn<'a> {
    pub entity: &'a Entity,
    pub id: Option<RecordId>,
    pub texts: &'a FormTexts,
    pub state: &'a FormState,
    pub faults: &'a [FieldFault],
    /// What the names of its controls begin with, where one page has controls of several records.
    pub prefix: &'a str,
}

impl Page {
    /// Sections of a form or a record page; with a state, only what its values let be seen.
    pub fn sections(&self, entity: &Entity, for_form: bool, state: Option<&FormState>) -> Vec<Arranged> {
        let locale = self.ui.locale;
        let apart: Vec<FieldIx> = entity
            .layouts
            .iter()
            .flat_map(|layout| &layout.tabs)
            .filter(|tab| !tab.inline_edit)
            .filter_map(|tab| tab.related.as_ref().map(|(field, _)| *field))
            .collect();
        let fits = |ix: FieldIx| {
            let field = entity.field(ix);
            if for_form {
                is_in_form(&self.catalog, field) && !apart.contains(&ix)
            } else {
                !matches!(field.ty, FieldType::Children { .. }) && field.name != "id"
            }
        };
        let mut arranged: Vec<Arranged> = Vec::new();
        let mut hidden: Vec<FieldIx> = Vec::new();
        if let Some(layout) = entity.layouts.first() {
            for tab in &layout.tabs {
                for section in &tab.sections {
                    if !self.is_visible(section.visible_if.as_ref(), state) {
                        hidden.extend(section.fields.iter().map(|placed| placed.field));
                        continue;
                    }
                    let label = section.label.get(locale);
                    let label =
                        if label.is_empty() && tab.sections.len() == 1 && layout.tabs.len() > 1 { tab.label.get(locale) } else { label };
                    arranged.push(Arranged {
                        id: format!("{}-{}", tab.id, section.id),
                        label: label.to_owned(),
                        columns: section.columns.clamp(1, 4),
                        fields: section
                            .fields
                            .iter()
                            .filter(|placed| fits(placed.field))
                            .filter(|placed| {
                                let shown = self.is_visible(placed.visible_if.as_ref(), state);
                                if !shown {
                                    hidden.push(placed.field);
                                }
                                shown
                            })
                            .map(|placed| (placed.field, placed.widget.clone()))
                            .collect(),
                    });
                }
            }
        }
        let placed =
            |ix: FieldIx| hidden.contains(&ix) || arranged.iter().any(|section| section.fields.iter().any(|(field, _)| *field == ix));
        let has_layout = entity.layouts.iter().any(|layout| !layout.tabs.is_empty());
        // Without a layout everything is shown; with one, what must be filled in is never out of reach.
        let is_missing = |field: &&Field| {
            !placed(field.ix)
                && fits(field.ix)
                && if has_layout {
                    for_form && (field.required || matches!(field.ty, FieldType::Children { .. }))
                } else {
                    !field.is_system || (for_form && field.name == "owner")
                }
        };
        let missing: Vec<(FieldIx, Option<String>)> = entity
            .known_fields()
            .filter(|field| !field.is_system || field.name == "owner")
            .filter(is_missing)
            .map(|field| (field.ix, None))
            .collect();
        if !missing.is_empty() {
            // Rows of children have their own heading.
            let (rows, plain): (Vec<_>, Vec<_>) =
                missing.into_iter().partition(|(ix, _)| has_layout && matches!(entity.field(*ix).ty, FieldType::Children { .. }));
            let label = if has_layout { self.say("form-more", &[]) } else { String::new() };
            arranged.push(Arranged { id: "all".to_owned(), label, columns: 2, fields: plain });
            arranged.push(Arranged { id: "parts".to_owned(), label: String::new(), columns: 1, fields: rows });
        }
        arranged.retain(|section| !section.fields.is_empty());
        if arranged.len() > 1 && arranged[0].label.is_empty() {
            arranged[0].label = self.say("form-general", &[]);
        }
        arranged
    }

    /// The sections with their controls.
    pub async fn draw(&self, drawn: Drawn<'_>) -> Result<Vec<FormSection>, Problem> {
        let arranged = self.sections(drawn.entity, true, Some(drawn.state));
        let wanted = arranged.iter().flat_map(|section| section.fields.iter().cloned()).collect();
        let mut controls = self.controls(&drawn, wanted).await?.into_iter();
        let mut sections = Vec::new();
        for section in arranged {
            let fields: Vec<FieldInput> = controls.by_ref().take(section.fields.len()).flatten().collect();
            if !fields.is_empty() {
                sections.push(FormSection { id: section.id, label: section.label, columns: section.columns, fields });
            }
        }
        Ok(sections)
    }

    /// The controls of some fields, in their order, wherever the layout places them.
    pub async fn draw_fields(&self, drawn: Drawn<'_>, wanted: &[FieldIx]) -> Result<Vec<FieldInput>, Problem> {
        let wanted = wanted.iter().map(|ix| (*ix, None)).collect();
        Ok(self.controls(&drawn, wanted).await?.into_iter().flatten().collect())
    }

    /// A control for each of the fields; none for one that is not shown.
    async fn controls(&self, drawn: &Drawn<'_>, wanted: Vec<(FieldIx, Option<String>)>) -> Result<Vec<Option<FieldInput>>, Problem> {
        let titles = self.titles_in(drawn.entity, drawn.texts, drawn.state).await?;
        let errors = self.errors_by_control(drawn.faults, drawn.texts);
        let errors = errors.into_iter().map(|(name, told)| (format!("{}{name}", drawn.prefix), told)).collect();
        let ctx = InputContext {
            catalog: &self.catalog,
            ui: &self.ui,
            messages: self.messages(),
            titles: &titles,
            texts: drawn.texts,
            errors: &errors,
        };
        let mut controls = Vec::with_capacity(wanted.len());
        for (ix, widget) in wanted {
            controls.push(self.control(ctx, drawn, ix, widget).await);
        }
        Ok(controls)
    }

    /// The control of a field; none where it is not shown.
    async fn control(&self, ctx: InputContext<'_>, drawn: &Drawn<'_>, ix: FieldIx, widget: Option<String>) -> Option<FieldInput> {
        let field = drawn.entity.field(ix);
        let state = drawn.state.field(ix).filter(|state| state.visible)?;
        // A new record has no computed values to show yet.
        if drawn.id.is_none() && (field.read_only || field.is_locked) && state.value.is_null() {
            return None;
        }
        let json = field_type::to_json(&self.catalog, field, &state.value);
        let name = format!("{}{}", drawn.prefix, field.name);
        let mut input_state = self.input_state(ctx.titles, field, state, &json, widget);
        input_state.errors = ctx.errors.get(&name).cloned().unwrap_or_default();
        if matches!(field.ty, FieldType::File { .. } | FieldType::Image { .. }) {
            input_state.files = self.files_named(drawn.texts.all(&name)).await;
        }
        let mut made = input::input(ctx, drawn.entity, field, &name, input_state);
        made.label = self.label(field);
        made.full |= is_wide(&field.ty);
        Some(made)
    }

    /// Files a form already holds, also those of a form that was refused.
    async fn files_named(&self, ids: &[String]) -> Vec<FilePart> {
        let mut parts = Vec::new();
        for id in ids.iter().filter(|id| !id.is_empty()) {
            if let Ok(file) = files::find(&self.state, &self.requester, id).await {
                let size = format::file_size(u64::try_from(file.size_bytes).unwrap_or(0));
                parts.push(FilePart { id: id.clone(), name: file.name, href: format!("/files/{id}"), size });
            }
        }
        parts
    }

    fn input_state(&self, titles: &Titles, field: &Field, state: &FieldState, json: &Json, widget: Option<String>) -> InputState {
        let read_only = state.readonly || field.is_locked || field.read_only && field.name != "owner";
        InputState {
            required: state.required && !read_only,
            read_only,
            options: state.options.clone(),
            errors: Vec::new(),
            shown: read_only.then(|| show::show(self.show(titles), field, json)),
            widget,
            files: Vec::new(),
        }
    }

    /// Messages by control name: `/lines/0/qty` is `lines.0.qty`; a fault inside a composite stands at the field.
    fn errors_by_control(&self, faults: &[FieldFault], texts: &FormTexts) -> BTreeMap<String, Vec<String>> {
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for fault in faults.iter().filter(|fault| !fault.path.is_empty()) {
            errors.entry(control_of(&fault.path, texts)).or_default().push(self.fault_text(fault));
        }
        errors
    }

    /// The fault in the reader's language: by its code, else as the definitions or the engine say it.
    pub fn fault_text(&self, fault: &FieldFault) -> String {
        let expected = fault.params.get("expected").and_then(Json::as_str);
        let key = match (fault.code.as_str(), expected.and_then(expected_key)) {
            ("format" | "wrong_type", Some(key)) => key.to_owned(),
            ("too_large", _) if fault.params.get("max").is_some_and(Json::is_string) => "fault-above".to_owned(),
            (code, _) => format!("fault-{}", code.replace('_', "-")),
        };
        if self.messages().has(self.ui.locale, &key) {
            let args = fault.params.iter().filter_map(|(name, value)| match value {
                Json::String(text) => Some((name.as_str(), Arg::Text(text))),
                Json::Number(number) => number.as_i64().map(|number| (name.as_str(), Arg::Count(number))),
                _ => None,
            });
            return self.say(&key, &args.collect::<Vec<_>>());
        }
        let mut text = fault.message.clone();
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        text
    }

    /// The summary on top: each fault once, linked to its control. `href` is the record's page; empty for a new one.
    pub fn summary(&self, entity: &Entity, faults: &[FieldFault], texts: &FormTexts, href: &str) -> Vec<FormFault> {
        faults
            .iter()
            .map(|fault| {
                let control = control_of(&fault.path, texts);
                let head = control.split('.').next().unwrap_or("");
                let label = entity.find_field(head).map(|field| self.label(field)).unwrap_or_default();
                let target = if control.is_empty() { String::new() } else { format!("f-{}", control.replace('.', "-")) };
                FormFault { target, label, message: self.fault_text(fault), way: way_out(fault, href) }
            })
            .collect()
    }

    /// Titles of every record the form's texts and values name.
    async fn titles_in(&self, entity: &Entity, texts: &FormTexts, state: &FormState) -> Result<Titles, Problem> {
        let mut ids: Vec<String> = texts.iter().flat_map(|(_, texts)| texts.iter()).filter(|text| looks_like_id(text)).cloned().collect();
        for field in state.fields.iter().filter(|field| !field.value.is_null()) {
            let definition = entity.field(field.field);
            if matches!(
                definition.ty,
                FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } | FieldType::Links { .. }
            ) {
                collect_ids(&field_type::to_json(&self.catalog, definition, &field.value), &mut ids);
            }
        }
        self.titles(ids.iter().map(String::as_str)).await
    }

    /// The texts of a form from what the record (or a new one) would hold.
    pub fn texts_of(&self, entity: &Entity, state: &FormState, stored: Option<&Json>) -> FormTexts {
        let mut texts = FormTexts::default();
        for field in &state.fields {
            let definition = entity.field(field.field);
            if let FieldType::Children { of, .. } = &definition.ty {
                if let Some(rows) = stored.and_then(|json| json.get(&definition.name)).and_then(Json::as_array) {
                    self.write_rows(self.catalog.entity(*of), &definition.name, rows, &mut texts);
                }
                continue;
            }
            let json = field_type::to_json(&self.catalog, definition, &field.value);
            texts.write(definition, &definition.name, &json, &self.ui);
        }
        texts
    }

    /// What the form holds: what was sent and, of fields that were not on it, what is stored or given. One that a choice hid
    /// and another choice shows again is not emptied by that.
    pub fn texts_sent(&self, entity: &Entity, state: &FormState, stored: Option<&Json>, pairs: Vec<(String, String)>) -> FormTexts {
        let mut texts = self.texts_of(entity, state, stored);
        texts.replace_with(FormTexts::from_pairs(pairs.into_iter().filter(|(name, _)| !name.starts_with('_'))));
        texts
    }

    fn write_rows(&self, of: &Entity, name: &str, rows: &[Json], texts: &mut FormTexts) {
        for (position, row) in rows.iter().enumerate() {
            let prefix = format!("{name}.{position}");
            for (part, value) in row.as_object().into_iter().flatten() {
                if part == "id" {
                    texts.add(format!("{prefix}.id"), value.as_str().unwrap_or(""));
                } else if let Some(field) = of.find_field(part).filter(|field| input::is_editable(field) && !field.read_only) {
                    texts.write(field, &format!("{prefix}.{part}"), value, &self.ui);
                }
            }
        }
    }

    pub fn empty_form(&self, entity: &Entity, action: String) -> Form {
        let by_layout = entity
            .layouts
            .iter()
            .flat_map(|layout| &layout.tabs)
            .flat_map(|tab| &tab.sections)
            .any(|section| section.visible_if.is_some() || section.fields.iter().any(|placed| placed.visible_if.is_some()));
        let watched = by_layout
            || self
                .sections(entity, true, None)
                .iter()
                .flat_map(|section| &section.fields)
                .any(|(ix, _)| is_conditional(entity.field(*ix)));
        let mut key = [0; 16];
        self.state.random.fill(&mut key);
        Form {
            must_confirm: self.must_confirm(entity),
            state_href: format!("/records/{}/form-state", entity.slug),
            cancel_href: format!("/records/{}", entity.slug),
            action,
            idempotency_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
            has_files: entity.known_fields().any(|field| matches!(field.ty, FieldType::File { .. } | FieldType::Image { .. })),
            watch: if watched { "*".to_owned() } else { String::new() },
            return_to: self.params.get("_return").filter(|path| super::page::is_own_path(path)).unwrap_or("").to_owned(),
            save_label: self.say("action-save", &[]),
            ..Form::default()
        }
    }
}

/// What a form may hold: fields people set, and children that are parts of the record.
fn is_in_form(catalog: &Catalog, field: &Field) -> bool {
    match &field.ty {
        FieldType::Children { of, by } => matches!(catalog.entity(*of).field(*by).ty, FieldType::Link { on_delete: OnDelete::Cascade, .. }),
        FieldType::Id => false,
        _ => !field.is_system || field.name == "owner",
    }
}

/// Where an approval or a registration that a record waits for is asked for, filed or decided; empty for other faults.
pub(super) fn way_out(fault: &FieldFault, href: &str) -> String {
    let named = |name: &str| fault.params.get(name).and_then(Json::as_str).filter(|_| !href.is_empty());
    match (named("registration"), named("approval"), named("request")) {
        (Some(registration), ..) => format!("{href}?file={}#registrations", encode(registration)),
        (_, Some(_), Some(request)) if fault.code == "approval_running" => format!("/approvals/{request}"),
        (_, Some(approval), _) => format!("{href}?ask={}#approvals", encode(approval)),
        _ => String::new(),
    }
}

/// Whether other fields' values change how this one is shown.
fn is_conditional(field: &Field) -> bool {
    let depends = match &field.ty {
        FieldType::Select(options) | FieldType::MultiSelect { options, .. } => options.depends_on.is_some(),
        FieldType::Formula { .. } => true,
        _ => false,
    };
    depends || field.visible_if.is_some() || field.required_if.is_some() || field.readonly_if.is_some()
}

/// Reads what can be read; the faults say what cannot.
pub(super) fn read_input(page: &Page, entity: &Entity, pairs: &[(String, String)]) -> (Input, Vec<FieldFault>) {
    let mut pairs: Vec<(String, String)> = pairs.iter().filter(|(name, _)| !name.starts_with('_')).cloned().collect();
    let mut all = Vec::new();
    for _ in 0..3 {
        match Input::from_text(&page.catalog, entity, &pairs, &page.ui.zone) {
            Ok(input) => return (input, all),
            Err(faults) => {
                let heads: Vec<String> = faults.iter().filter_map(|fault| fault.path.split('/').nth(1)).map(str::to_owned).collect();
                pairs.retain(|(name, _)| !heads.iter().any(|head| name.split('.').next() == Some(head)));
                all.extend(faults);
            }
        }
    }
    (Input::default(), all)
}

/// Leaves out what the form does not show or lets nobody set: it was not meant.
pub(super) fn drop_unshown(state: &FormState, input: &mut Input) {
    let is_meant = |ix: &FieldIx| state.field(*ix).is_none_or(|field| field.visible && !field.readonly);
    input.values.retain(|(ix, _)| is_meant(ix));
    input.children.retain(|(ix, _)| is_meant(ix));
}

/// `/lines/0/qty` to `lines.0.qty`; inside composites and lists the field itself.
fn control_of(path: &str, texts: &FormTexts) -> String {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        [] => String::new(),
        [table, row, field, ..] if row.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Blank rows are no rows: the number counts the others.
            let rows = texts.rows(table);
            let filled: Vec<&String> = rows.iter().filter(|key| texts.is_row_filled(table, key)).collect();
            let number: usize = row.parse().unwrap_or(0);
            let key = if rows.iter().any(|key| key == row) && texts.is_row_filled(table, row) {
                (*row).to_owned()
            } else {
                filled.get(number).map_or_else(|| (*row).to_owned(), |key| (*key).clone())
            };
            format!("{table}.{key}.{field}")
        }
        [field, ..] => (*field).to_owned(),
    }
}

/// What a field type expects, said as a request. The words are those of `schema::field_type`.
fn expected_key(expected: &str) -> Option<&'static str> {
    let keys = [
        ("whole number", "expect-whole-number"),
        ("phone number", "expect-phone"),
        ("number", "expect-number"),
        ("amount", "expect-number"),
        ("date and time", "expect-moment"),
        ("date", "expect-date"),
        ("duration", "expect-duration"),
        ("time", "expect-time"),
        ("web address", "expect-url"),
        ("e-mail", "expect-email"),
        ("color", "expect-color"),
        ("colour", "expect-color"),
        ("JSON", "expect-json"),
    ];
    keys.iter().find(|(word, _)| expected.contains(word)).map(|(_, key)| *key)
}

fn looks_like_id(text: &str) -> bool {
    text.len() < 80 && text.is_ascii() && RecordId::parse(text).is_some()
}

fn collect_ids(json: &Json, ids: &mut Vec<String>) {
    match json {
        Json::String(id) => ids.push(id.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        Json::Object(parts) => {
            if let Some(Json::String(id)) = parts.get("id") {
                ids.push(id.clone());
            }
        }
        _ => {}
    }
}

/// The message on top for a refusal that belongs to no field.
pub(super) fn whole_message(page: &Page, error: &crate::record::RecordError) -> Option<String> {
    use crate::record::RecordError;
    match error {
        RecordError::KeyReused | RecordError::KeyBusy => Some(page.say("form-used-twice", &[])),
        RecordError::Hook { message, .. } | RecordError::State { message } => Some(message.clone()),
        RecordError::TooDeep { .. } => Some(error.to_string()),
        RecordError::Access(crate::access::AccessError::StepUpNeeded) => Some(page.say("confirm-needed", &[])),
        RecordError::Restrict { entity, count, .. } => {
            let label = page.catalog.find_entity(entity).map_or(entity.as_str(), |found| found.label_plural.get(page.ui.locale));
            Some(page.say("delete-refused", &[("count", Arg::Count(*count)), ("entity", Arg::Text(label))]))
        }
        _ => None,
    }
}
