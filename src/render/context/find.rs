//! Home, search and lists.

use serde::Serialize;

use super::{Choice, EntityHead, FieldInput, Shell, Shown, Stamp};

#[derive(Debug, Default, Serialize)]
pub struct HomePage {
    pub shell: Shell,
    pub greeting: String,
    pub tiles: Vec<Tile>,
    pub recent: Vec<Hit>,
}

#[derive(Debug, Default, Serialize)]
pub struct Tile {
    pub label: String,
    pub href: String,
    pub create_href: String,
    pub icon: String,
    pub count: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Hit {
    pub href: String,
    pub title: String,
    pub entity: String,
    pub icon: String,
    pub note: String,
    pub stamp: Option<Stamp>,
}

#[derive(Debug, Default, Serialize)]
pub struct SearchPage {
    pub shell: Shell,
    pub query: String,
    pub groups: Vec<SearchGroup>,
    pub total: i64,
}

#[derive(Debug, Default, Serialize)]
pub struct SearchGroup {
    pub label: String,
    pub icon: String,
    pub hits: Vec<Hit>,
    /// The list with the same search.
    pub all_href: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ListPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub list: List,
    pub views: Vec<ViewLink>,
    pub create_href: String,
    /// Empty for those who may not take records out.
    pub export_href: String,
    /// Empty where nothing may be imported.
    pub import_href: String,
    /// Records that are there twice.
    pub twins_href: String,
    pub bin_href: String,
    pub list_href: String,
    pub in_bin: bool,
    pub query: String,
    pub filter: Filter,
    /// Parts of the address a form must keep: name and text.
    pub kept: Vec<(String, String)>,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ViewLink {
    pub label: String,
    pub href: String,
    pub current: bool,
}

/// The region `part/list.rows` and its table.
#[derive(Debug, Default, Serialize)]
pub struct List {
    pub id: String,
    pub slug: String,
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub count: String,
    pub next_href: Option<String>,
    pub first_href: Option<String>,
    /// `records`, `filter` or `bin` when there are no rows.
    pub empty: String,
    pub clear_href: String,
    pub create_href: String,
    pub plural: String,
    pub label: String,
    pub icon: String,
    pub in_bin: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct Column {
    pub name: String,
    pub label: String,
    pub numeric: bool,
    pub sort_href: Option<String>,
    /// `ascending`, `descending` or empty.
    pub sorted: String,
    /// Left out of cards on narrow screens.
    pub low: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct Row {
    pub id: String,
    pub href: String,
    pub title: String,
    pub cells: Vec<Shown>,
    pub restore_href: Option<String>,
}

/// Chips, the form that adds one, and the expression for experts.
#[derive(Debug, Default, Serialize)]
pub struct Filter {
    pub chips: Vec<FilterChip>,
    pub fields: Vec<Choice>,
    pub operators: Vec<Choice>,
    pub value: Option<FieldInput>,
    pub expression: String,
    pub error: Option<String>,
    pub hint: Option<String>,
    pub clear_href: String,
    pub is_open: bool,
    pub is_advanced: bool,
    pub fields_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct FilterChip {
    pub label: String,
    pub remove_href: String,
}

/// Choices of a combobox, or of its page for those without scripts.
#[derive(Debug, Default, Serialize)]
pub struct ChoicesPart {
    pub choices: Vec<Choice>,
}

#[derive(Debug, Default, Serialize)]
pub struct ChoicesPage {
    pub shell: Shell,
    pub choices: Vec<Choice>,
}
