//! The start page: what is kept here and what is new.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::page::Page;
use super::sidebar::is_part;
use super::table::{Refused, Wanted, row_json};
use crate::base::DateTime;
use crate::render::Arg;
use crate::render::context::{Hit, HomePage, Stamp, Tile};
use crate::render::format;
use crate::schema::catalog::Entity;
use crate::web::Problem;

const NEWEST: usize = 8;

/// `GET /`
pub(super) async fn home(page: Page) -> Result<Response, Problem> {
    let mut tiles = Vec::new();
    let mut newest: Vec<(DateTime, Hit)> = Vec::new();
    let named: Vec<_> = page.catalog.apps.iter().flat_map(|app| &app.entities).copied().collect();
    let others = page
        .catalog
        .entities
        .iter()
        .filter(|entity| entity.may.read && !entity.is_junction && entity.package != "core" && !is_part(entity))
        .map(|entity| entity.ix);
    let mut shown = named.clone();
    shown.extend(others.filter(|ix| !named.contains(ix)));
    for entity in shown.into_iter().map(|ix| page.catalog.entity(ix)).filter(|entity| entity.may.read) {
        let created = entity.find_field("created_at").map(|field| field.ix);
        let columns: Vec<_> = created.into_iter().collect();
        let wanted = Wanted {
            entity,
            columns: &columns,
            filter: None,
            sort: None,
            search: None,
            cursor: None,
            only_deleted: false,
            limit: 4,
            count: true,
        };
        let found = match page.fetch(wanted).await {
            Ok(found) => found,
            Err(Refused::Problem(problem)) => return Err(problem),
            Err(Refused::Query(faults)) => return Err(faults.into()),
        };
        let count = found.count.map(|total| {
            let number = format::integer(i64::try_from(total.value).unwrap_or(i64::MAX));
            if total.exact { number } else { format!("{number}+") }
        });
        for row in found.iter() {
            newest.extend(hit(&page, entity, &row_json(&row)?));
        }
        tiles.push(Tile {
            label: entity.label_plural.get(page.ui.locale).to_owned(),
            href: format!("/records/{}", entity.slug),
            create_href: if entity.may.create { format!("/records/{}/new", entity.slug) } else { String::new() },
            icon: entity.icon.clone(),
            count: count.unwrap_or_default(),
        });
    }
    newest.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    newest.truncate(NEWEST);
    let name = page.requester.identity.as_ref().map(|identity| identity.name.clone()).unwrap_or_default();
    let context = HomePage {
        shell: page.shell(&page.say("nav-home", &[]), ":home", Vec::new()),
        greeting: page.say("home-hello", &[("name", Arg::Text(&name))]),
        tiles,
        recent: newest.into_iter().map(|(_, hit)| hit).collect(),
    };
    page.html(StatusCode::OK, "page/home", &context)
}

/// A record as one line, with the moment it was made.
fn hit(page: &Page, entity: &Entity, json: &Json) -> Option<(DateTime, Hit)> {
    let id = json.get("id")?.as_str()?;
    let at = json.get("created_at").and_then(Json::as_str).and_then(DateTime::parse)?;
    let title = json.get("_title").and_then(Json::as_str).filter(|title| !title.is_empty()).unwrap_or(id);
    Some((
        at,
        Hit {
            href: format!("/records/{}/{id}", entity.slug),
            title: title.to_owned(),
            entity: entity.label.get(page.ui.locale).to_owned(),
            icon: entity.icon.clone(),
            note: String::new(),
            stamp: Some(Stamp::new(at, &page.ui, page.messages())),
        },
    ))
}
