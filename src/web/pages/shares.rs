//! The shares of a record: whom it is shared with, sharing it with one more, ending a share.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::audit::day;
use super::form_model::whole_message;
use super::page::{Page, encode};
use super::post::Post;
use crate::access::ShareWith;
use crate::base::RecordId;
use crate::query;
use crate::record::shares::roles_to_share_with;
use crate::record::{NewShare, RecordError, parse_id};
use crate::render::context::{Choice, Crumb, ShareGroup, ShareRow, SharesPage, Stamp};
use crate::schema::catalog::{Entity, FieldType};
use crate::store::shares::Share;
use crate::web::Problem;

/// People and teams to choose from at once; others are found by name.
const OFFERED: u32 = 200;

/// `GET /records/{entity}/{id}/shares`
pub(super) async fn shares(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    shares_page(&page, &slug, &id_text, StatusCode::OK, None).await
}

async fn shares_page(page: &Page, slug: &str, id_text: &str, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    let shares = page.state.records.shares(&page.actor, &page.catalog, entity.ix, id).await?;
    let titles = page.titles(std::iter::once(id_text)).await?;
    let title = titles.get(id_text).cloned().unwrap_or_else(|| id_text.to_owned());
    let href = format!("/records/{slug}/{id_text}");
    let found = page.params.get("q").unwrap_or("").trim().to_owned();
    let mut groups = Vec::new();
    let mut has_more = false;
    for (entity, label) in [("core.user", "share-people"), ("core.team", "share-teams")] {
        let Some(entity) = page.catalog.find_entity(entity).filter(|entity| entity.may.read) else { continue };
        let (choices, more) = page.to_share_with(entity, &found).await?;
        has_more |= more;
        groups.push(ShareGroup { label: page.say(label, &[]), choices });
    }
    let roles = roles_to_share_with(&page.catalog).into_iter();
    let roles = roles.map(|role| Choice { value: format!("role:{role}"), label: page.role_label(&role), ..Choice::default() }).collect();
    groups.push(ShareGroup { label: page.say("share-roles", &[]), choices: roles });
    groups.retain(|group| !group.choices.is_empty());
    let may = page.state.records.may(&page.actor, &page.catalog, entity.ix, id).await?;
    // What lies in the recycle bin is shared with nobody more.
    let is_live = page.state.records.get_url(&page.actor, &page.catalog, entity.ix, id, "select=id").await?.is_some();
    let context = SharesPage {
        shell: page.shell(
            &page.say("share-title", &[]),
            slug,
            vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }],
        ),
        title,
        may_share: may.share && is_live,
        may_edit: may.update,
        rows: page.share_rows(&shares).await?,
        groups,
        is_searched: has_more || !found.is_empty(),
        found,
        href,
        error,
    };
    page.html(status, "page/shares", &context)
}

/// `POST /records/{entity}/{id}/shares`
pub(super) async fn share(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let refused = |key: &str| page.say(key, &[]);
    let Some(with) = page.with(post.get("with")) else {
        return shares_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(refused("share-choose"))).await;
    };
    let ends_at = match post.get("until").trim() {
        "" => None,
        // The day itself is part of it.
        text => match day(&page, text, 1) {
            Some(moment) => Some(moment),
            None => return shares_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(refused("share-bad-day"))).await,
        },
    };
    let new = NewShare { with, may_edit: post.get("may") == "edit", ends_at };
    match page.state.records.share(&page.actor, &page.catalog, entity.ix, id, new, false).await {
        Ok(_) => Ok(page.go(&format!("/records/{slug}/{id_text}/shares?done=shared"))),
        Err(error) => {
            let told = told(&page, error)?;
            shares_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(told)).await
        }
    }
}

fn told(page: &Page, error: RecordError) -> Result<String, Problem> {
    let faults: Vec<String> = error.faults().iter().map(|fault| page.fault_text(fault)).collect();
    match faults.is_empty() {
        false => Ok(faults.join(" ")),
        true => whole_message(page, &error).map_or_else(|| Err(error.into()), Ok),
    }
}

/// `POST /records/{entity}/{id}/shares/{share}/end`
pub(super) async fn end(page: Page, Path((slug, id_text, share)): Path<(String, String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let (_, share) = RecordId::parse(&share).filter(|(prefix, _)| *prefix == "share").ok_or_else(Problem::not_found)?;
    // One that has ended meanwhile is what was asked for.
    page.state.records.end_share(&page.actor, &page.catalog, entity.ix, id, share, false).await?;
    Ok(page.go(&format!("/records/{slug}/{id_text}/shares?done=share-ended")))
}

impl Page {
    /// `user_…`, `team_…` or `role:…`.
    fn with(&self, text: &str) -> Option<ShareWith> {
        if let Some(role) = text.strip_prefix("role:") {
            return Some(ShareWith::Role(role.to_owned()));
        }
        let id = |entity: &str| parse_id(&self.catalog, self.catalog.find_entity(entity)?.ix, text);
        id("core.user").map(ShareWith::Person).or_else(|| id("core.team").map(ShareWith::Team))
    }

    /// Live people or teams by name, and whether there are more.
    pub(super) async fn to_share_with(&self, entity: &Entity, found: &str) -> Result<(Vec<Choice>, bool), Problem> {
        let known = |name: &str| entity.find_field(name).is_some_and(|field| !field.is_hidden);
        let mut filters = Vec::new();
        if known("active") {
            filters.push("(active is null or active = true)".to_owned());
        }
        if known("name") && !found.is_empty() {
            filters.push(format!("name contains '{}'", found.chars().take(100).collect::<String>().replace('\'', "''")));
        }
        let mut asked = json!({ "select": "id,_title", "limit": OFFERED });
        if !filters.is_empty() {
            asked["filter"] = filters.join(" and ").into();
        }
        if known("name") {
            asked["sort"] = "name".into();
        }
        let records = &self.state.records;
        let Ok(request) = query::parse_list_json(&self.catalog, records.cursor_key(), entity.ix, &asked) else {
            return Ok((Vec::new(), false));
        };
        let rows = records.list(&self.actor, &self.catalog, request).await?;
        let choice = |id: RecordId, title: Option<String>| {
            let value = id.display(&entity.prefix);
            Choice { label: title.unwrap_or_else(|| value.clone()), value, ..Choice::default() }
        };
        let more = rows.next_cursor.is_some();
        Ok((rows.iter().map(|row| choice(row.id(), row.title())).collect(), more))
    }

    pub(super) async fn share_rows(&self, shares: &[Share]) -> Result<Vec<ShareRow>, Problem> {
        let whole = self.catalog.whole();
        let shown = |entity: &str, id: RecordId| id.display(whole.find_entity(entity).map_or("", |found| &found.prefix));
        let named = |share: &Share| match &share.with {
            ShareWith::Person(id) => shown("core.user", *id),
            ShareWith::Team(id) => shown("core.team", *id),
            ShareWith::Role(role) => role.clone(),
        };
        let by = |share: &Share| (share.created_by != 0).then(|| shown("core.user", RecordId(share.created_by)));
        let ids: Vec<String> = shares.iter().flat_map(|share| [Some(named(share)), by(share)]).flatten().collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let name = |id: String| titles.get(&id).cloned().unwrap_or(id);
        let stamp = |at| Stamp::new(at, &self.ui, self.messages());
        let rows = shares.iter().map(|share| ShareRow {
            id: encode(&share.id.display("share")),
            icon: match share.with {
                ShareWith::Person(_) => "user",
                ShareWith::Team(_) => "users",
                ShareWith::Role(_) => "shield",
            }
            .to_owned(),
            who: match &share.with {
                ShareWith::Role(role) => self.role_label(role),
                _ => name(named(share)),
            },
            may: self.say(if share.may_edit { "share-may-edit" } else { "share-may-read" }, &[]),
            until: share.ends_at.map(stamp),
            since: stamp(share.created_at),
            by: by(share).map(name).unwrap_or_default(),
        });
        Ok(rows.collect())
    }

    /// A role in the reader's words.
    pub(super) fn role_label(&self, role: &str) -> String {
        let whole = self.catalog.whole();
        let known = whole.roles.iter().find(|known| known.id == role).map(|known| &known.label);
        // The built-in one stands among the options of people alone.
        let options = match whole.find_entity("core.user").and_then(|people| people.find_field("roles")).map(|field| &field.ty) {
            Some(FieldType::Select(options) | FieldType::MultiSelect { options, .. }) => &options.list.options[..],
            _ => &[],
        };
        let label = known.or_else(|| options.iter().find(|option| option.key == role).map(|option| &option.label));
        let label = label.map(|label| label.get(self.ui.locale).to_owned());
        label.filter(|label| !label.is_empty()).unwrap_or_else(|| role.to_owned())
    }
}
