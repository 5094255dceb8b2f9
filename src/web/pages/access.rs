//! Why somebody may or may not do what with a record, what somebody sees, who reads a field.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::Page;
use crate::access::{ADMINISTRATOR, Action};
use crate::base::RecordId;
use crate::record::explain::{Seen, Why};
use crate::record::parse_id;
use crate::record::shares::roles_to_share_with;
use crate::render::Arg;
use crate::render::context::{AccessPage, Choice, Crumb, Reader, ReasonRow, SeenPage, SeenRow, ShareGroup, WhyAction, WhyPage};
use crate::schema::catalog::Entity;
use crate::web::Problem;
use crate::web::api::access::named;

/// `GET /records/{entity}/{id}/access`: about oneself; about others for those who look after access.
pub(super) async fn why(page: Page, Path((slug, id_text)): Path<(String, String)>) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let me = page.requester.identity()?.user;
    let records = &page.state.records;
    let own =
        records.why(me, &page.catalog, entity.ix, id).await?.filter(|why| why.reads() || page.is_admin()).ok_or_else(Problem::not_found)?;
    let may_ask = page.is_admin() || records.may(&page.actor, &page.catalog, entity.ix, id).await?.admin;
    let people = page.catalog.find_entity("core.user").filter(|people| may_ask && people.may.read);
    let asked = page.params.get("person").filter(|text| !text.is_empty());
    let person = match (asked, people) {
        (Some(text), Some(people)) => parse_id(&page.catalog, people.ix, text).ok_or_else(Problem::not_found)?,
        (Some(_), None) => return Err(crate::access::AccessError::AdministratorsOnly.into()),
        (None, _) => me,
    };
    if let Some(people) = people.filter(|_| person != me && !page.is_admin())
        && !records.reads(&page.actor, &page.catalog, people.ix, person).await?
    {
        return Err(Problem::not_found());
    }
    let why = match person == me {
        true => own,
        false => records.why(person, &page.catalog, entity.ix, id).await?.ok_or_else(Problem::not_found)?,
    };
    let why = if page.is_admin() { why } else { why.without_rules(entity) };
    let (mut choices, more) = match people {
        Some(people) => page.to_share_with(people, page.params.get("q").unwrap_or("").trim()).await?,
        None => (Vec::new(), false),
    };
    let person_text = page.person_text(person);
    for choice in &mut choices {
        choice.selected = choice.value == person_text;
    }
    let titles = page.titles([id_text.as_str(), person_text.as_str()].into_iter()).await?;
    let title = titles.get(&id_text).cloned().unwrap_or_else(|| id_text.clone());
    let who = titles.get(&person_text).cloned().unwrap_or_else(|| person_text.clone());
    if !choices.is_empty() && !choices.iter().any(|choice| choice.selected) {
        choices.insert(0, Choice { value: person_text, label: who.clone(), selected: true, ..Choice::default() });
    }
    let href = format!("/records/{slug}/{id_text}");
    let context = WhyPage {
        shell: page.shell(
            &page.say("access-why-title", &[]),
            &slug,
            vec![page.entity_crumb(entity), Crumb { label: title.clone(), href: Some(href.clone()) }],
        ),
        heading: page.say("access-why-heading", &[("who", Arg::Text(&who)), ("title", Arg::Text(&title))]),
        roles: why.roles.iter().map(|role| page.role_label(role)).collect::<Vec<_>>().join(", "),
        everything: why.is_everything,
        actions: page.why_actions(&why),
        hidden: hidden(&page, entity, &why.hidden),
        shares: page.share_rows(&why.shares).await?,
        is_searched: more || page.params.get("q").is_some_and(|text| !text.trim().is_empty()),
        found: page.params.get("q").unwrap_or("").trim().to_owned(),
        people: choices,
        href,
    };
    page.html(StatusCode::OK, "page/access-why", &context)
}

fn hidden(page: &Page, entity: &Entity, names: &[String]) -> String {
    let labels = names.iter().filter_map(|name| entity.find_field(name)).map(|field| page.label(field));
    labels.collect::<Vec<_>>().join(", ")
}

/// `GET /people/{id}/access`: what somebody sees, for administrators.
pub(super) async fn seen(page: Page, Path(id_text): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let people = page.catalog.find_entity("core.user").ok_or_else(Problem::not_found)?;
    let id = parse_id(&page.catalog, people.ix, &id_text).ok_or_else(Problem::not_found)?;
    let titles = page.titles(std::iter::once(id_text.as_str())).await?;
    let name = titles.get(&id_text).cloned().ok_or_else(Problem::not_found)?;
    let seen = page.state.records.seen_by(id).await?;
    let crumb = |label: String, href: &str| Crumb { label, href: Some(href.to_owned()) };
    let context = SeenPage {
        shell: page.shell(
            &page.say("access-seen-title", &[]),
            ":people",
            vec![crumb(page.say("people-title", &[]), "/people"), crumb(name.clone(), &format!("/people/{id_text}"))],
        ),
        heading: page.say("access-seen-heading", &[("who", Arg::Text(&name))]),
        may_sign_in: seen.is_some(),
        rows: page.seen_rows(&seen.unwrap_or_default()),
    };
    page.html(StatusCode::OK, "page/access-seen", &context)
}

/// `GET /access?role=…&of=…`: what a role shows, and who reads an entity or a field; for administrators.
pub(super) async fn access(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let role = page.params.get("role").unwrap_or("").to_owned();
    let seen = match role.is_empty() {
        true => None,
        false => Some(page.state.records.seen_with(&role).await?.ok_or_else(Problem::not_found)?),
    };
    let of = page.params.get("of").unwrap_or("").to_owned();
    let readers = match of.is_empty() {
        true => Vec::new(),
        false => page.readers(&of).await?,
    };
    let roles = std::iter::once(ADMINISTRATOR.to_owned()).chain(roles_to_share_with(&page.catalog));
    let roles =
        roles.map(|name| Choice { label: page.role_label(&name), selected: name == role, value: name, ..Choice::default() }).collect();
    let context = AccessPage {
        shell: page.shell(&page.say("access-title", &[]), ":access", Vec::new()),
        roles,
        role: if role.is_empty() { String::new() } else { page.role_label(&role) },
        rows: page.seen_rows(&seen.unwrap_or_default()),
        fields: page.fields_to_ask_of(&of),
        readers,
        of,
    };
    page.html(StatusCode::OK, "page/access", &context)
}

impl Page {
    fn person_text(&self, person: RecordId) -> String {
        person.display(self.catalog.whole().find_entity("core.user").map_or("", |entity| entity.prefix.as_str()))
    }

    fn action_label(&self, action: Action) -> String {
        self.say(&format!("may-{}", action.word()), &[])
    }

    fn why_actions(&self, why: &Why) -> Vec<WhyAction> {
        let reason = |reason: &crate::record::explain::Reason| ReasonRow {
            role: self.role_label(&reason.role),
            rule: reason.rule.clone(),
            holds: reason.holds,
        };
        let actions = why.actions.iter().map(|(action, allowed, reasons)| WhyAction {
            label: self.action_label(*action),
            allowed: *allowed,
            reasons: reasons.iter().map(reason).collect(),
        });
        actions.collect()
    }

    fn seen_rows(&self, seen: &[Seen]) -> Vec<SeenRow> {
        let labels = |entity: &Entity, names: &[String]| {
            let labels = names.iter().filter_map(|name| entity.find_field(name)).map(|field| self.label(field));
            labels.collect::<Vec<_>>().join(", ")
        };
        let rows = seen.iter().filter_map(|one| {
            let entity = self.catalog.find_entity(&one.entity)?;
            Some(SeenRow {
                label: entity.label_plural.get(self.ui.locale).to_owned(),
                records: match (one.records, one.is_more) {
                    (None, _) => self.say("access-depends", &[]),
                    (Some(count), false) => count.to_string(),
                    (Some(count), true) => self.say("access-more-than", &[("count", Arg::Count(i64::try_from(count).unwrap_or(i64::MAX)))]),
                },
                actions: one.actions.iter().map(|action| self.action_label(*action)).collect::<Vec<_>>().join(", "),
                hidden: labels(entity, &one.hidden),
                masked: labels(entity, &one.masked),
            })
        });
        rows.collect()
    }

    async fn readers(&self, of: &str) -> Result<Vec<Reader>, Problem> {
        let (entity, field) = named(&self.catalog, of).ok_or_else(Problem::not_found)?;
        let people = self.state.auth.people().await?;
        let readers =
            std::iter::once((ADMINISTRATOR.to_owned(), String::new())).chain(self.state.records.readers(&self.catalog, entity, field));
        let named = |role: &String| {
            let having = people.iter().filter(|person| person.active && person.roles.contains(role));
            having.map(|person| (self.person_text(person.id), person.name.clone())).collect()
        };
        Ok(readers.map(|(role, rule)| Reader { people: named(&role), label: self.role_label(&role), rule }).collect())
    }

    /// Every entity with its fields.
    fn fields_to_ask_of(&self, of: &str) -> Vec<ShareGroup> {
        let entities = self.catalog.known_entities().filter(|entity| !entity.is_made);
        let groups = entities.map(|entity| {
            let label = entity.label_plural.get(self.ui.locale).to_owned();
            let choice = |value: String, label: String| Choice { selected: value == of, value, label, ..Choice::default() };
            let fields = entity.known_fields().map(|field| choice(format!("{}.{}", entity.slug, field.name), self.label(field)));
            let whole = choice(entity.slug.clone(), self.say("access-whole", &[("entity", Arg::Text(&label))]));
            ShareGroup { choices: std::iter::once(whole).chain(fields).collect(), label }
        });
        groups.collect()
    }
}
