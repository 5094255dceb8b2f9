//! What pages know of fields: which are shown by default, how they are asked for, what they are called.

use super::page::Page;
use crate::base::FieldIx;
use crate::render::context::{Labelled, Shown};
use crate::render::show::{self, Titles};
use crate::schema::catalog::{Entity, Field, FieldType, TitlePart};

/// Columns of a list whose definitions do not say.
const DEFAULT_COLUMNS: usize = 7;

impl Page {
    /// The field's label; system fields carry the product's own words.
    pub fn label(&self, field: &Field) -> String {
        let own = field.label.get(self.ui.locale);
        let key = format!("system-{}", field.name.replace('_', "-"));
        if field.is_system && self.messages().has(self.ui.locale, &key) {
            return self.say(&key, &[]);
        }
        if own.is_empty() { field.name.clone() } else { own.to_owned() }
    }

    pub fn labelled(&self, titles: &Titles, field: &Field, json: &serde_json::Value) -> Labelled {
        Labelled {
            name: field.name.clone(),
            label: self.label(field),
            help: field.help.get(self.ui.locale).to_owned(),
            full: is_wide(&field.ty),
            value: self.shown(titles, field, json),
        }
    }

    /// The value of a field of a record's JSON.
    pub fn shown(&self, titles: &Titles, field: &Field, json: &serde_json::Value) -> Shown {
        show::show(self.show(titles), field, json.get(&field.name).unwrap_or(&serde_json::Value::Null))
    }
}

pub(super) fn is_wide(ty: &FieldType) -> bool {
    matches!(
        ty,
        FieldType::LongText { .. }
            | FieldType::RichText { .. }
            | FieldType::Json { .. }
            | FieldType::Address
            | FieldType::File { .. }
            | FieldType::Image { .. }
    )
}

/// How a selection asks for a field, so that links come with their titles.
pub(super) fn selection(field: &Field) -> String {
    match field.ty {
        FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } => format!("{}(id,_title)", field.name),
        FieldType::Links { .. } => format!("{}(id,_title;limit=20)", field.name),
        _ => field.name.clone(),
    }
}

/// A selection of these fields with what every page needs of a record.
pub(super) fn select_text(entity: &Entity, fields: impl Iterator<Item = FieldIx>) -> String {
    let mut names = vec!["id".to_owned(), "version".to_owned(), "_title".to_owned()];
    for field in fields.map(|ix| entity.field(ix)) {
        let text = selection(field);
        if !matches!(field.ty, FieldType::Children { .. }) && field.name != "id" && field.name != "version" && !names.contains(&text) {
            names.push(text);
        }
    }
    names.join(",")
}

/// Fields of the title, in its order.
pub(super) fn title_fields(entity: &Entity) -> Vec<FieldIx> {
    let fields = entity.title.parts.iter().filter_map(|part| if let TitlePart::Field(field) = part { Some(*field) } else { None });
    fields.filter(|field| !entity.field(*field).is_hidden).collect()
}

/// The columns of a list without a view: the title's fields, what is required, then the rest.
pub(super) fn default_columns(entity: &Entity) -> Vec<FieldIx> {
    let mut columns = title_fields(entity);
    let fits = |field: &&Field| {
        !field.is_system
            && !is_wide(&field.ty)
            && !matches!(field.ty, FieldType::Children { .. } | FieldType::Links { .. } | FieldType::Geo | FieldType::Color)
    };
    let rank = |field: &Field| match field.ty {
        FieldType::Select(_) => 0,
        FieldType::Link { .. } => 1,
        FieldType::Money { .. } | FieldType::Date { .. } => 2,
        _ if field.required => 1,
        _ => 3,
    };
    let mut rest: Vec<&Field> = entity.known_fields().filter(fits).filter(|field| !columns.contains(&field.ix)).collect();
    rest.sort_by_key(|field| rank(field));
    columns.extend(rest.into_iter().map(|field| field.ix));
    columns.truncate(DEFAULT_COLUMNS);
    if columns.is_empty() {
        columns.push(FieldIx(0));
    }
    columns
}
