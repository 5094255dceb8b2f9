//! Records a link may point to, for the combobox; as a page, for those without scripts.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::field::{default_columns, title_fields};
use super::page::Page;
use super::table::{Refused, Wanted};
use crate::base::EntityIx;
use crate::render::Arg;
use crate::render::context::{Choice, ChoicesPage, ChoicesPart};
use crate::schema::catalog::{Entity, FieldType};
use crate::web::Problem;

const CHOICES: u32 = 20;

/// `GET /records/{entity}/choices?q=…`; with `of=field` what that field of the entity may point to.
pub(super) async fn choices(page: Page, Path(slug): Path<String>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let of = page.params.get("of").and_then(|name| entity.find_field(name));
    let targets: Vec<EntityIx> = match of.map(|field| &field.ty) {
        Some(FieldType::AnyLink { to, .. }) => to.clone(),
        Some(FieldType::Link { to, .. }) => vec![*to],
        _ => vec![entity.ix],
    };
    let taken = of.and_then(|field| page.catalog.described.get(&field.uid)?.properties.get("filter")?.as_str());
    let text = page.params.get("q").unwrap_or("").trim().to_owned();
    let several = targets.len() > 1;
    let mut found = Vec::new();
    for target in targets {
        let target = page.catalog.entity(target);
        if !target.may.read {
            continue;
        }
        let limit = if several { CHOICES / 3 } else { CHOICES };
        found.extend(page.matching(target, &text, taken, limit, several).await?);
    }
    if page.region.is_some() {
        return page.html(StatusCode::OK, "part/choices", &ChoicesPart { choices: found });
    }
    let plural = entity.label_plural.get(page.ui.locale);
    let mut shell = page.shell(&page.say("picker-title", &[("entity", Arg::Text(plural))]), &slug, Vec::new());
    shell.find = text;
    page.html(StatusCode::OK, "page/choices", &ChoicesPage { shell, choices: found })
}

impl Page {
    /// The newest records, or those the text finds.
    async fn matching(
        &self,
        entity: &Entity,
        text: &str,
        taken: Option<&str>,
        limit: u32,
        says_kind: bool,
    ) -> Result<Vec<Choice>, Problem> {
        let titles = title_fields(entity);
        let columns: Vec<_> = default_columns(entity).into_iter().filter(|ix| !titles.contains(ix)).take(2).collect();
        let has_words = !crate::base::text::query_tokens(text).is_empty();
        let by_search = entity.features.search && has_words;
        let named = titles.iter().map(|ix| entity.field(*ix)).find(|field| field.fold_column.is_some());
        let found = match named {
            Some(field) if !text.is_empty() && !by_search => Some(format!("{} contains '{}'", field.name, text.replace('\'', "''"))),
            _ => None,
        };
        let filters: Vec<String> = taken.map(|taken| format!("({taken})")).into_iter().chain(found).collect();
        let filter = (!filters.is_empty()).then(|| filters.join(" and "));
        let wanted = Wanted {
            entity,
            columns: &columns,
            filter,
            sort: None,
            search: by_search.then(|| text.to_owned()),
            cursor: None,
            only_deleted: false,
            limit,
            count: false,
        };
        let found = match self.fetch(wanted).await {
            Ok(found) => found,
            Err(Refused::Problem(problem)) => return Err(problem),
            Err(Refused::Query(_)) => return Ok(Vec::new()),
        };
        let rows = self.rows(entity, &columns, &found, false)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let kind = says_kind.then(|| entity.label.get(self.ui.locale).to_owned());
                let words = row.cells.iter().filter(|cell| cell.kind != "none" && cell.text != row.title).map(|cell| cell.text.clone());
                let note = kind.into_iter().chain(words).collect::<Vec<_>>().join(" · ");
                Choice { value: row.id, label: row.title, note, ..Choice::default() }
            })
            .collect())
    }
}
