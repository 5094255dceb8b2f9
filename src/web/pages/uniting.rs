//! Merging a record with others that are the same one: finding those, choosing values, taking a merge apart.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::form::{Stored, stored};
use super::form_model::whole_message;
use super::page::{Page, encode};
use super::post::Post;
use crate::base::RecordId;
use crate::record::{MERGE_PREFIX, MergeRequest, RecordError, Source, WriteOptions, is_takeable, parse_id};
use crate::render::Arg;
use crate::render::context::{Crumb, MergeField, MergePage, MergedRow, Stamp};
use crate::render::show::Titles;
use crate::schema::catalog::Entity;
use crate::web::Problem;

/// `GET /records/{entity}/{id}/merge`: `with` names the other one.
pub(super) async fn ask(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let with = page.params.get("with").map(|text| last_part(text).to_owned());
    merge_page(&page, &slug, &id_text, with.as_deref(), StatusCode::OK, None).await
}

/// What somebody pasted: an id, or the address of a record.
pub(super) fn last_part(text: &str) -> &str {
    let path = text.trim().split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

async fn merge_page(
    page: &Page,
    slug: &str,
    id_text: &str,
    with: Option<&str>,
    status: StatusCode,
    error: Option<String>,
) -> Result<Response, Problem> {
    let entity = page.entity(slug)?;
    let id = parse_id(&page.catalog, entity.ix, id_text).ok_or_else(Problem::not_found)?;
    if !entity.is_mergeable() {
        return Err(Problem::not_found());
    }
    let own = stored(page, entity, id_text).await?;
    let href = format!("/records/{slug}/{id_text}");
    let mut context = MergePage {
        shell: page.shell(
            &page.say("merge-title", &[]),
            slug,
            vec![page.entity_crumb(entity), Crumb { label: own.title.clone(), href: Some(href.clone()) }],
        ),
        title: own.title.clone(),
        href: href.clone(),
        id: id_text.to_owned(),
        version: own.version.to_string(),
        error,
        ..MergePage::default()
    };
    let mut status = status;
    let other = match with.filter(|with| !with.is_empty()) {
        None => None,
        Some(with) => match parse_id(&page.catalog, entity.ix, with).filter(|other| *other != id) {
            Some(_) => stored(page, entity, with).await.ok(),
            None => None,
        },
    };
    match (&other, with) {
        (Some(other), _) => {
            context.other_title.clone_from(&other.title);
            context.other_id = other.id.display(&entity.prefix);
            context.swap_href = format!("/records/{slug}/{}/merge?with={id_text}", context.other_id);
            context.fields = page.merge_fields(entity, &own, other);
        }
        (None, Some(with)) if context.error.is_none() && !with.is_empty() => {
            status = StatusCode::UNPROCESSABLE_ENTITY;
            context.error = Some(page.say("merge-unknown", &[]));
        }
        _ => {}
    }
    if other.is_none() {
        let found = page.state.records.look_alikes(&page.actor, &page.catalog, entity.ix, id).await?;
        context.similar = page.similar(entity, &found);
        context.merges = page.merged_rows(entity, id).await?;
    }
    page.html(status, "page/merge", &context)
}

/// `POST /records/{entity}/{id}/merge`
pub(super) async fn merge(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let with = post.get("_from").to_owned();
    let from = parse_id(&page.catalog, entity.ix, &with).ok_or_else(Problem::not_found)?;
    let taken = post.pairs.iter().filter(|(_, value)| value == "other");
    let take = taken.filter_map(|(name, _)| Some((entity.find_field(name.strip_prefix("take.")?)?.ix, from))).collect();
    let options = WriteOptions::from(Source::Form).if_match(post.get("_version").parse().ok());
    let request = MergeRequest { from: vec![from], take };
    match page.state.records.merge(&page.actor, &page.catalog, entity.ix, id, request, options).await {
        Ok(merged) => {
            let moved: u64 = merged.parts.iter().map(|part| part.moved).sum();
            Ok(page.go(&format!("/records/{slug}/{id_text}?done=merged&moved={moved}")))
        }
        Err(error) => {
            let told = page.merge_refusal(&error).ok_or_else(|| Problem::from(error.clone()))?;
            merge_page(&page, &slug, &id_text, Some(&with), StatusCode::CONFLICT, Some(told)).await
        }
    }
}

/// `POST /records/{entity}/{id}/merges/{merge}/undo`
pub(super) async fn undo(page: Page, Path((slug, id_text, merge)): Path<(String, String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let merge = RecordId::parse(&merge).filter(|(prefix, _)| *prefix == MERGE_PREFIX).ok_or_else(Problem::not_found)?.1;
    let options = WriteOptions::from(Source::Form);
    match page.state.records.unmerge(&page.actor, &page.catalog, entity.ix, id, merge, options).await {
        Ok(done) => {
            let title =
                page.titles(std::iter::once(done.from.display(&entity.prefix).as_str())).await?.into_values().next().unwrap_or_default();
            let left = done.kept_links + done.kept_fields.len() as u64;
            Ok(page.go(&format!("/records/{slug}/{id_text}?done=unmerged&what={}&moved={}&left={left}", encode(&title), done.moved)))
        }
        Err(error) => {
            let told = page.merge_refusal(&error).ok_or_else(|| Problem::from(error.clone()))?;
            merge_page(&page, &slug, &id_text, None, StatusCode::CONFLICT, Some(told)).await
        }
    }
}

impl Page {
    /// Why a merge was not made, where that is no fault of ours or of an address.
    fn merge_refusal(&self, error: &RecordError) -> Option<String> {
        match error {
            RecordError::Stale { .. } => Some(self.say("merge-stale", &[])),
            RecordError::Unique { entity, message, .. } => {
                let label = self.catalog.find_entity(entity).map_or(entity.as_str(), |found| found.label.get(self.ui.locale));
                Some(self.say("merge-clash", &[("entity", Arg::Text(label)), ("why", Arg::Text(message))]))
            }
            RecordError::Access(_) => Some(self.say("merge-not-allowed", &[])),
            other => {
                let faults: Vec<String> = other.faults().iter().map(|fault| self.fault_text(fault)).collect();
                whole_message(self, other).or_else(|| Some(faults.join(" ")).filter(|told| !told.is_empty()))
            }
        }
    }

    /// Fields in which two records differ, with both values.
    fn merge_fields(&self, entity: &Entity, own: &Stored, other: &Stored) -> Vec<MergeField> {
        let titles = Titles::new();
        let fields = entity.known_fields().filter(|field| is_takeable(entity, field.ix));
        let both = fields.map(|field| (field, own.json.get(&field.name), other.json.get(&field.name)));
        both.filter(|(_, own, other)| own != other)
            .map(|(field, own_value, _)| {
                let mine = self.shown(&titles, field, &own.json);
                let theirs = self.shown(&titles, field, &other.json);
                let is_empty = own_value.is_none_or(serde_json::Value::is_null) || mine.kind == "none";
                // What the one that stays has not, it takes.
                let takes_other = is_empty && theirs.kind != "none";
                MergeField { name: format!("take.{}", field.name), label: self.label(field), mine, theirs, takes_other }
            })
            .collect()
    }

    async fn merged_rows(&self, entity: &Entity, id: RecordId) -> Result<Vec<MergedRow>, Problem> {
        let merges = self.state.records.merges(id).await?;
        let user = self.catalog.find_entity("core.user").map_or("user", |user| user.prefix.as_str()).to_owned();
        let ids: Vec<String> = merges
            .iter()
            .flat_map(|merge| [Some(merge.from.display(&entity.prefix)), merge.actor.map(|actor| actor.display(&user))])
            .flatten()
            .collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        Ok(merges
            .iter()
            .map(|merge| {
                let from = merge.from.display(&entity.prefix);
                let by = merge.actor.and_then(|actor| titles.get(&actor.display(&user)).cloned()).unwrap_or_default();
                MergedRow {
                    id: merge.id.display(MERGE_PREFIX),
                    title: titles.get(&from).cloned().unwrap_or(from),
                    stamp: Stamp::new(merge.at, &self.ui, self.messages()),
                    by,
                    is_undone: merge.undone_at.is_some(),
                }
            })
            .collect())
    }
}
