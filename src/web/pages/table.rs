//! A page of records as the region `list`.

use serde_json::Value as Json;

use super::field::{select_text, title_fields};
use super::page::{Page, address, encode};
use crate::base::FieldIx;
use crate::query::{self, Params, QueryError};
use crate::record::{Page as Records, RowRef, Total};
use crate::render::Arg;
use crate::render::context::{Column, List, Row, Shown};
use crate::render::show::{self, Titles};
use crate::schema::catalog::Entity;
use crate::schema::field_type;
use crate::web::Problem;

/// What a list asks `Records` for.
pub(super) struct Wanted<'a> {
    pub entity: &'a Entity,
    pub columns: &'a [FieldIx],
    pub filter: Option<String>,
    pub sort: Option<String>,
    pub search: Option<String>,
    pub cursor: Option<String>,
    pub only_deleted: bool,
    pub limit: u32,
    pub count: bool,
}

/// Why a list could not be shown: the request is at fault (and says where), or something else is.
pub(super) enum Refused {
    Query(Vec<QueryError>),
    Problem(Problem),
}

impl Page {
    pub async fn fetch(&self, wanted: Wanted<'_>) -> Result<Records, Refused> {
        let mut params = vec![
            ("select".to_owned(), select_text(wanted.entity, wanted.columns.iter().copied())),
            ("limit".to_owned(), wanted.limit.to_string()),
        ];
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                params.push((name.to_owned(), value));
            }
        };
        add("filter", wanted.filter);
        add("sort", wanted.sort);
        add("q", wanted.search);
        add("cursor", wanted.cursor);
        add("count", wanted.count.then(|| "exact".to_owned()));
        add("deleted", wanted.only_deleted.then(|| "deleted".to_owned()));
        let key = self.state.records.cursor_key();
        let request = query::parse_list(&self.catalog, key, wanted.entity.ix, &Params(params)).map_err(Refused::Query)?;
        self.state.records.list(&self.actor, &self.catalog, request).await.map_err(|fault| Refused::Problem(fault.into()))
    }

    /// The head of a table; `base` and `kept` make the addresses of sort links.
    pub fn columns(
        &self,
        entity: &Entity,
        columns: &[FieldIx],
        sort: Option<&str>,
        base: &str,
        kept: Option<&[(String, String)]>,
    ) -> Vec<Column> {
        let current = sort.unwrap_or("").split(',').next().unwrap_or("");
        columns
            .iter()
            .map(|ix| {
                let field = entity.field(*ix);
                let sorted = match (current == field.name, current.strip_prefix('-') == Some(field.name.as_str())) {
                    (true, _) => "ascending",
                    (_, true) => "descending",
                    _ => "",
                };
                let next = if sorted == "ascending" { format!("-{}", field.name) } else { field.name.clone() };
                let sort_href = kept.filter(|_| field_type::is_sortable(field)).map(|kept| {
                    let mut params: Vec<(String, String)> = kept.iter().filter(|(name, _)| name != "sort").cloned().collect();
                    params.push(("sort".to_owned(), next));
                    address(base, &params)
                });
                Column {
                    name: field.name.clone(),
                    label: self.label(field),
                    numeric: show::is_numeric(&field.ty),
                    sort_href,
                    sorted: sorted.to_owned(),
                    low: false,
                }
            })
            .enumerate()
            .map(|(position, column)| Column { low: position >= 4, ..column })
            .collect()
    }

    pub fn rows(&self, entity: &Entity, columns: &[FieldIx], found: &Records, in_bin: bool) -> Result<Vec<Row>, Problem> {
        let titles = Titles::new();
        let names_itself = columns.first().is_some_and(|first| title_fields(entity).contains(first));
        found
            .iter()
            .map(|row| {
                let json = row_json(&row)?;
                let id = json.get("id").and_then(Json::as_str).unwrap_or("").to_owned();
                let title = json.get("_title").and_then(Json::as_str).filter(|title| !title.is_empty()).unwrap_or(&id).to_owned();
                let mut cells: Vec<Shown> = columns.iter().map(|ix| self.shown(&titles, entity.field(*ix), &json)).collect();
                // The first cell leads to the record, so it must say something.
                if let Some(first) = cells.first_mut()
                    && (first.text.is_empty() || (names_itself && title_fields(entity).len() == 1))
                {
                    first.text.clone_from(&title);
                }
                let href = format!("/records/{}/{id}", entity.slug);
                Ok(Row { restore_href: (in_bin && entity.may.delete).then(|| format!("{href}/restore")), id, href, title, cells })
            })
            .collect()
    }

    pub fn count_text(&self, total: Option<Total>) -> String {
        let Some(total) = total else { return String::new() };
        let count = i64::try_from(total.value).unwrap_or(i64::MAX);
        self.say(if total.exact { "list-count" } else { "list-count-more" }, &[("count", Arg::Count(count))])
    }

    /// An empty region for an entity, to be filled.
    pub fn empty_list(&self, entity: &Entity, id: &str) -> List {
        let head = self.head(entity);
        List {
            id: id.to_owned(),
            slug: entity.slug.clone(),
            caption: self.say("list-caption", &[("entity", Arg::Text(&head.plural))]),
            empty: "records".to_owned(),
            clear_href: format!("/records/{}", entity.slug),
            create_href: if entity.may.create { format!("/records/{}/new", entity.slug) } else { String::new() },
            plural: head.plural,
            label: head.label,
            icon: entity.icon.clone(),
            ..List::default()
        }
    }
}

/// A record in the shape of the API.
pub(super) fn row_json(row: &RowRef<'_>) -> Result<Json, Problem> {
    let mut text = String::with_capacity(512);
    row.write_json(&mut text);
    serde_json::from_str(&text).map_err(|fault| Problem::internal(&fault))
}

/// The address of the next page.
pub(super) fn with_cursor(base: &str, kept: &[(String, String)], cursor: &str) -> String {
    let mut to = address(base, kept);
    to.push(if to.contains('?') { '&' } else { '?' });
    to.push_str("cursor=");
    to.push_str(&encode(cursor));
    to
}
