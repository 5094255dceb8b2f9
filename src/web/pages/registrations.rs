//! Registrations: what somebody filed and is to decide, and the box on a record's page.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::approvals::told;
use super::page::{Page, address};
use super::post::Post;
use super::record::record_page;
use crate::base::RecordId;
use crate::record::{ClaimFilter, ClaimStanding, FileClaim, RecordError, Rival, Source, parse_id};
use crate::render::Arg;
use crate::render::context::{Choice, ClaimBox, ClaimCard, ClaimOffer, Notice, RegistrationsPage, RivalRow, Stamp};
use crate::render::show::Titles;
use crate::schema::catalog::{Entity, Registration};
use crate::web::Problem;

const SHOWN: u32 = 50;
/// Claims on a record's page.
const RECENT: usize = 5;

/// `GET /registrations`
pub(super) async fn registrations(page: Page) -> Result<Response, Problem> {
    page.requester.identity()?;
    list(&page, StatusCode::OK, None).await
}

async fn list(page: &Page, status: StatusCode, notice: Option<Notice>) -> Result<Response, Problem> {
    let (filter, word) = match page.params.get("show") {
        Some("contested") => (ClaimFilter::Contested, "contested"),
        _ => (ClaimFilter::Filed, "mine"),
    };
    let before = page.params.get("before").and_then(|text| text.parse().ok());
    let (found, next) = page.state.records.claims(&page.actor, filter, before, SHOWN).await?;
    let titles = page.claim_titles(&found).await?;
    let tab = |name: &str, key: &str| Choice {
        value: if name == "mine" { "/registrations".to_owned() } else { format!("/registrations?show={name}") },
        label: page.say(key, &[]),
        selected: name == word,
        ..Choice::default()
    };
    let older = next.map(|id| vec![("show".to_owned(), word.to_owned()), ("before".to_owned(), id.to_string())]);
    let mut shell = page.shell(&page.say("registrations-title", &[]), ":registrations", Vec::new());
    shell.notices.extend(notice);
    let context = RegistrationsPage {
        shell,
        tabs: vec![tab("mine", "registrations-mine"), tab("contested", "registrations-contested")],
        cards: found.iter().map(|one| page.claim_card(one, &titles, true)).collect(),
        empty_text: page.say(if word == "mine" { "registrations-none-mine" } else { "registrations-none-contested" }, &[]),
        older_href: older.map(|params| address("/registrations", &params)),
    };
    page.html(status, "page/registrations", &context)
}

/// `POST /records/{entity}/{id}/registrations`
pub(super) async fn file(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    page.requester.may_write(entity)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let new = FileClaim { registration: post.get("registration").to_owned(), comment: post.get("comment").to_owned() };
    match page.state.records.file_claim(&page.actor, &page.catalog, entity.ix, id, new, Source::Form).await {
        Ok(filed) => Ok(page.go(&format!("/records/{slug}/{id_text}?done=registration-{}#registrations", filed.state))),
        Err(fault) => {
            let text = told_of_claim(&page, fault)?;
            record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(error(text))).await
        }
    }
}

/// `POST /registrations/{claim}/{act}`
pub(super) async fn act(page: Page, Path((claim, act)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let id: i64 = claim.parse().map_err(|_| Problem::not_found())?;
    let records = &page.state.records;
    let found = records.claim_of(&page.actor, id).await?.ok_or_else(Problem::not_found)?;
    page.requester.may_write(page.catalog.whole().entity(found.entity))?;
    let (done, acted) = match act.as_str() {
        "decide" => {
            let grants = match post.get("_do") {
                "grant" => true,
                "refuse" => false,
                _ => return Err(Problem::new("WEB400", "the form does not say what is decided")),
            };
            ("decided", records.decide_claim(&page.actor, id, grants, post.get("reason"), Source::Form).await)
        }
        "extend" => ("extended", records.extend_claim(&page.actor, id, Source::Form).await),
        "withdraw" => ("withdrawn", records.withdraw_claim(&page.actor, id, post.get("reason"), Source::Form).await),
        _ => return Err(Problem::not_found()),
    };
    match acted {
        Ok(()) => {
            let whole = page.catalog.whole();
            let entity = whole.entity(found.entity);
            let record = found.claim.record.display(&entity.prefix);
            Ok(page.go(&format!("/records/{}/{record}?done=registration-{done}#registrations", entity.slug)))
        }
        Err(fault) => {
            let text = told_of_claim(&page, fault)?;
            list(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(error(text))).await
        }
    }
}

fn told_of_claim(page: &Page, fault: RecordError) -> Result<String, Problem> {
    match fault {
        RecordError::Forbidden(_) => Ok(page.say("registration-forbidden", &[])),
        other => told(page, other),
    }
}

fn error(text: String) -> Notice {
    Notice { kind: "error".to_owned(), text, detail: None, action: None }
}

impl Page {
    /// Whether anything can be registered here, as far as the reader knows.
    pub(super) fn has_registrations(&self) -> bool {
        self.requester.identity.is_some() && self.catalog.by_slug.values().any(|ix| !self.catalog.entity(*ix).registrations.is_empty())
    }

    /// Titles of the records and people of claims, as far as the reader may know them.
    async fn claim_titles(&self, found: &[ClaimStanding]) -> Result<Titles, Problem> {
        let whole = self.catalog.whole();
        let mut ids: Vec<String> = Vec::new();
        for one in found {
            let prefix = &whole.entity(one.entity).prefix;
            ids.push(one.claim.record.display(prefix));
            ids.extend(one.rivals.iter().filter_map(|rival| rival.record).map(|record| record.display(prefix)));
            let people = one.rivals.iter().filter_map(|rival| rival.filer).chain([one.claim.filer, RecordId(one.claim.ended_by)]);
            ids.extend(people.filter(|id| id.0 != 0).map(|id| self.person_id(id)));
        }
        self.titles(ids.iter().map(String::as_str)).await
    }

    fn claim_card(&self, one: &ClaimStanding, titles: &Titles, names_record: bool) -> ClaimCard {
        let whole = self.catalog.whole();
        let entity = whole.entity(one.entity);
        let stamp = |at| Stamp::new(at, &self.ui, self.messages());
        let title = |id: RecordId| {
            let shown = id.display(&entity.prefix);
            titles.get(&shown).cloned().unwrap_or(shown)
        };
        let href = |id: RecordId| format!("/records/{}/{}", entity.slug, id.display(&entity.prefix));
        let rival = |rival: &Rival| RivalRow {
            href: rival.record.map(href).unwrap_or_default(),
            record: rival.record.map(title).unwrap_or_default(),
            filer: rival.filer.map(|id| self.decider_name(titles, id.0)).unwrap_or_default(),
            until: rival.until_at.map(stamp),
        };
        let claim = &one.claim;
        let label = one.registration.map(|at| entity.registrations[at].label.get(self.ui.locale).to_owned());
        ClaimCard {
            id: claim.id.to_string(),
            label: label.unwrap_or_else(|| claim.registration.clone()),
            record: title(claim.record),
            record_href: if names_record { href(claim.record) } else { String::new() },
            state_text: self.say(&format!("registration-state-{}", one.state), &[]),
            tone: match one.state.as_str() {
                "protected" => "approved",
                "contested" => "running",
                "refused" | "lost" => "rejected",
                _ => "void",
            }
            .to_owned(),
            filer: self.decider_name(titles, claim.filer.0),
            filed: stamp(claim.filed_at),
            until: claim.until_at.map(stamp),
            extended: claim.extended,
            comment: claim.comment.clone().unwrap_or_default(),
            decided_by: if claim.ended_by == 0 { String::new() } else { self.decider_name(titles, claim.ended_by) },
            reason: claim.reason.clone().unwrap_or_default(),
            rivals: one.rivals.iter().map(rival).collect(),
            action: format!("/registrations/{}", claim.id),
            may_decide: one.may_decide,
            may_extend: one.may_extend,
            may_withdraw: one.may_withdraw,
            is_others: one.is_others,
        }
    }

    /// The claims on a record; `None` where none was filed and none can be.
    pub(super) async fn claim_box(&self, entity: &Entity, id: RecordId, href: &str) -> Result<Option<ClaimBox>, Problem> {
        let whole = self.catalog.whole();
        let definition = whole.entity(entity.ix);
        if definition.registrations.is_empty() {
            return Ok(None);
        }
        let (found, offered) = self.state.records.claims_of(&self.actor, &self.catalog, entity.ix, id).await?;
        let titles = self.claim_titles(&found).await?;
        let chosen = self.params.get("file").unwrap_or("");
        let offer = |known: &Registration| {
            let names: Vec<String> = definition
                .fields
                .iter()
                .filter(|field| known.rules.iter().any(|at| definition.duplicates[*at].reads(field.ix)))
                .filter(|field| !entity.field(field.ix).is_hidden)
                .map(|field| self.label(field))
                .collect();
            let (time, fields) = (self.span(known.protect_seconds), names.join(", "));
            ClaimOffer {
                id: known.id.clone(),
                label: known.label.get(self.ui.locale).to_owned(),
                text: self.say("registration-file-text", &[("time", Arg::Text(&time)), ("fields", Arg::Text(&fields))]),
                is_open: known.id == chosen,
            }
        };
        let made = ClaimBox {
            cards: found.iter().take(RECENT).map(|one| self.claim_card(one, &titles, false)).collect(),
            offers: offered.iter().map(|one| offer(&definition.registrations[one.registration])).collect(),
            action: format!("{href}/registrations"),
        };
        Ok((!made.cards.is_empty() || !made.offers.is_empty()).then_some(made))
    }
}
