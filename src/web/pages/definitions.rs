//! The definitions, for administrators: what the files on disk would change and for whom, applying that, former versions.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::page::Page;
use super::post::Post;
use crate::base::{DateTime, RecordId};
use crate::render::Arg;
use crate::render::context::{ConfirmationRow, DefinitionFault, DefinitionsPage, PlanView, RoleRow, Stamp, StepRow, VersionRow};
use crate::web::Problem;
use crate::web::api::moves::label;

/// Versions that are listed.
const SHOWN_VERSIONS: usize = 50;

/// `GET /definitions`
pub(super) async fn definitions(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    definitions_page(&page, StatusCode::OK, None, &[]).await
}

/// `POST /definitions/apply`: exactly the plan that was shown, with what was accepted of it.
pub(super) async fn apply(mut page: Page, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let accept: Vec<String> = post.pairs.iter().filter(|(name, _)| name == "accept").map(|(_, value)| value.clone()).collect();
    if let Some(why) = page.confirm(&post).await? {
        return definitions_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(why), &accept).await;
    }
    let by = page.requester.identity()?.user.0;
    let plan = post.get("plan").to_owned();
    if plan.is_empty() {
        let told = page.say("plan-is-another", &[]);
        return definitions_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(told), &accept).await;
    }
    match page.state.definitions.apply(Vec::new(), Some(plan), accept.clone(), by).await {
        Ok(_) => Ok(page.go("/definitions?done=applied")),
        Err(refused) => {
            let told = match refused.code {
                "DEP005" | "DEP006" => page.say("plan-is-another", &[]),
                "DEP008" => page.say("plan-is-blocked", &[]),
                "DEP009" => page.say("plan-not-accepted", &[]),
                code if code.starts_with("DE") => page.say("plan-not-applied", &[]),
                _ => return Err(refused),
            };
            definitions_page(&page, refused.status, Some(told), &accept).await
        }
    }
}

async fn definitions_page(page: &Page, status: StatusCode, error: Option<String>, accepted: &[String]) -> Result<Response, Problem> {
    let door = &page.state.definitions;
    let (plan, faults) = match door.plan(Vec::new()).await {
        Ok(plan) => (Some(page.plan_view(&plan, accepted)), Vec::new()),
        Err(refused) if refused.code.starts_with("DE") => (None, faults(&refused)),
        Err(refused) => return Err(refused),
    };
    let versions = page.versions(&door.versions().await?).await?;
    let context = DefinitionsPage {
        shell: page.shell(&page.say("definitions-title", &[]), ":definitions", Vec::new()),
        version: page.catalog.version,
        faults,
        plan,
        versions,
        must_confirm: !page.requester.is_fresh,
        error,
    };
    page.html(status, "page/definitions", &context)
}

fn faults(refused: &Problem) -> Vec<DefinitionFault> {
    let of = |place: &str, code: &str, message: &str, hint: Option<&str>| DefinitionFault {
        place: place.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        hint: hint.unwrap_or_default().to_owned(),
    };
    if refused.errors.is_empty() {
        return vec![of("", refused.code, &refused.detail, refused.hint.as_deref())];
    }
    let each = refused.errors.iter().map(|fault| of(&fault.path, &fault.code, &fault.message, text(&fault.params, "hint")));
    each.collect()
}

fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Json::as_str)
}

fn list<'j>(json: &'j Json, name: &str) -> impl Iterator<Item = &'j Json> {
    json.get(name).and_then(Json::as_array).into_iter().flatten()
}

/// A word of the plan as a part of a key of messages.
fn key(word: &str) -> String {
    word.replace('_', "-")
}

impl Page {
    fn plan_view(&self, plan: &Json, accepted: &[String]) -> PlanView {
        let steps: Vec<StepRow> = list(plan, "changes").map(|step| self.step_row(step)).collect();
        let accept = list(plan, "confirmations").filter_map(|one| text(one, "name")).map(|name| ConfirmationRow {
            label: self.acceptance(plan, name),
            is_given: accepted.iter().any(|given| given == name),
            name: name.to_owned(),
        });
        PlanView {
            id: text(plan, "id").unwrap_or_default().to_owned(),
            confirmations: accept.collect(),
            roles: list(plan, "access")
                .map(|effect| self.role_row(effect))
                .filter(|row| !row.gains.is_empty() || !row.losses.is_empty())
                .collect(),
            is_blocked: steps.iter().any(|step| !step.blocked.is_empty()),
            steps,
        }
    }

    fn step_row(&self, step: &Json) -> StepRow {
        let kind = text(step, "kind").unwrap_or_default();
        let risk = text(step, "risk").unwrap_or_default();
        let blocked = step.get("blocked_by").filter(|blocked| !blocked.is_null()).map(|blocked| {
            let fields: Vec<&str> = list(blocked, "fields").filter_map(Json::as_str).collect();
            let count = |name: &str| Arg::Count(blocked.get(name).and_then(Json::as_i64).unwrap_or(0));
            if text(blocked, "kind") == Some("stranded") {
                let stages: Vec<&str> = list(blocked, "stages").filter_map(Json::as_str).collect();
                let pipeline = Arg::Text(text(blocked, "pipeline").unwrap_or_default());
                return self.say(
                    "plan-stranded",
                    &[("records", count("records")), ("stages", Arg::Text(&stages.join(", "))), ("pipeline", pipeline)],
                );
            }
            self.say(
                "plan-blocked",
                &[("groups", count("groups")), ("records", count("records")), ("fields", Arg::Text(&fields.join(", ")))],
            )
        });
        let icon = match (blocked.is_some() || risk == "widening_access", kind.split('_').next()) {
            (true, _) => "triangle-alert",
            (_, Some("create" | "restore")) => "plus",
            (_, Some("retire" | "drop" | "remove")) => "minus",
            _ => "pencil",
        };
        StepRow {
            icon: icon.to_owned(),
            kind: self.say(&format!("plan-kind-{}", key(kind)), &[]),
            subject: text(step, "subject").unwrap_or_default().to_owned(),
            effect: self.effect(step),
            risk: self.say(&format!("plan-risk-{}", key(risk)), &[]),
            blocked: blocked.unwrap_or_default(),
            file: text(step, "file").unwrap_or_default().to_owned(),
        }
    }

    fn effect(&self, step: &Json) -> String {
        let Some(told) = step.get("consequence") else { return String::new() };
        if text(told, "kind") == Some("opened") {
            return self.opened(step, told);
        }
        let count = |name: &'static str| (name, Arg::Count(told.get(name).and_then(Json::as_i64).unwrap_or(0)));
        let name = ("name", Arg::Text(text(told, "name").unwrap_or_default()));
        let args = [count("count"), count("fields"), count("indexes"), count("views"), name];
        self.say(&format!("plan-effect-{}", key(text(told, "kind").unwrap_or("meta"))), &args)
    }

    /// Who may pass over the gates of a pipeline from now on, and which moves are for more people than before.
    fn opened(&self, step: &Json, told: &Json) -> String {
        let entity = text(step, "entity").and_then(|id| self.catalog.find_entity(id));
        let found = entity.and_then(|entity| {
            let name = text(step, "name")?;
            Some((entity, entity.pipelines.iter().find(|pipeline| pipeline.id == name)?))
        });
        let stage = |one: &Json, end: &str| {
            let key = text(one, end).unwrap_or_default();
            found.map_or_else(|| key.to_owned(), |(entity, pipeline)| label(entity, pipeline, key, self.ui.locale))
        };
        let by = |gained: &Json| {
            if gained.get("everybody") == Some(&Json::Bool(true)) {
                return self.say("plan-opened-everybody", &[]);
            }
            let roles: Vec<String> = list(gained, "roles").filter_map(Json::as_str).map(|role| self.role_label(role)).collect();
            let count = gained.get("people").and_then(Json::as_i64).unwrap_or(0);
            let people = self.say("plan-people-count", &[("count", Arg::Count(count))]);
            self.say("plan-opened-roles", &[("roles", Arg::Text(&roles.join(", "))), ("people", Arg::Text(&people))])
        };
        let gates = told.get("gates").filter(|gates| !gates.is_null());
        let gates = gates.map(|gained| self.say("plan-opened-gates", &[("who", Arg::Text(&by(gained)))]));
        let moves = list(told, "moves").map(|one| {
            let (from, to) = (stage(one, "from"), stage(one, "to"));
            let who = by(one.get("by").unwrap_or(&Json::Null));
            self.say("plan-opened-move", &[("from", Arg::Text(&from)), ("to", Arg::Text(&to)), ("who", Arg::Text(&who))])
        });
        gates.into_iter().chain(moves).collect::<Vec<_>>().join("; ")
    }

    /// What is accepted, as a sentence: the change and what it means.
    fn acceptance(&self, plan: &Json, name: &str) -> String {
        let (risk, uid) = name.split_once(':').unwrap_or((name, ""));
        let Some(step) = list(plan, "changes").find(|step| text(step, "uid") == Some(uid) && text(step, "risk") == Some(risk)) else {
            return name.to_owned();
        };
        let what = text(step, "subject").unwrap_or_default();
        let is_role = step.get("consequence").and_then(|told| text(told, "kind")) == Some("role");
        let role = list(plan, "access").find(|effect| text(step, "name") == text(effect, "role") && is_role);
        let role = role.map(|effect| self.role_row(effect)).filter(|row| !row.gains.is_empty());
        let effect = match role {
            Some(row) => {
                let gains = row.gains.join("; ");
                let args = [("role", Arg::Text(&row.role)), ("people", Arg::Text(&row.people)), ("what", Arg::Text(&gains))];
                return self.say("plan-accept-role", &args);
            }
            None => self.effect(step),
        };
        self.say("plan-accept-one", &[("what", Arg::Text(what)), ("effect", Arg::Text(&effect))])
    }

    fn role_row(&self, effect: &Json) -> RoleRow {
        let people = effect.get("people").and_then(Json::as_i64).unwrap_or(0);
        // That some records are gained says that the action is.
        let counted = |name: &str, one: &Json| {
            let same = |other: &&Json| ["action", "entity"].iter().all(|key| text(other, key) == text(one, key));
            text(one, "kind") == Some("action") && list(effect, name).filter(same).any(|other| text(other, "kind") == Some("records"))
        };
        let told = |name: &str| list(effect, name).filter(|one| !counted(name, one)).map(|one| self.gain(one)).collect();
        RoleRow {
            role: self.role_label(text(effect, "role").unwrap_or_default()),
            people: self.say("plan-people-count", &[("count", Arg::Count(people))]),
            gains: told("gains"),
            losses: told("losses"),
            widens: effect.get("widens") == Some(&Json::Bool(true)),
        }
    }

    /// One thing that is gained or lost.
    fn gain(&self, one: &Json) -> String {
        let slug = text(one, "entity").unwrap_or_default();
        let action = self.say(&format!("may-{}", text(one, "action").unwrap_or_default()), &[]);
        let found = self.catalog.find_entity(slug);
        let plural = found.map_or(slug, |found| found.label_plural.get(self.ui.locale));
        let (action, entity) = (("action", Arg::Text(&action)), ("entity", Arg::Text(plural)));
        match text(one, "kind") {
            Some("action") => self.say("plan-gain-action", &[action, entity]),
            Some("field") => {
                let name = text(one, "field").unwrap_or_default();
                let field = found.and_then(|found| found.find_field(name)).map(|field| self.label(field));
                self.say("plan-gain-field", &[action, entity, ("field", Arg::Text(field.as_deref().unwrap_or(name)))])
            }
            _ => {
                let Some(count) = one.get("records").and_then(Json::as_i64) else {
                    return self.say("plan-gain-uncounted", &[action, entity]);
                };
                let flag = |name: &str| one.get(name) == Some(&Json::Bool(true));
                let key = match (flag("more"), flag("at_least")) {
                    (true, _) => "plan-gain-more",
                    (false, true) => "plan-gain-at-least",
                    (false, false) => "plan-gain-records",
                };
                self.say(key, &[action, entity, ("count", Arg::Count(count))])
            }
        }
    }

    async fn versions(&self, versions: &Json) -> Result<Vec<VersionRow>, Problem> {
        let whole = self.catalog.whole();
        let prefix = whole.find_entity("core.user").map_or("", |found| found.prefix.as_str());
        let who = |row: &Json| row.get("by").and_then(Json::as_i64).filter(|by| *by != 0).map(|by| RecordId(by).display(prefix));
        let rows: Vec<&Json> = versions.as_array().into_iter().flatten().take(SHOWN_VERSIONS).collect();
        let ids: Vec<String> = rows.iter().filter_map(|row| who(row)).collect();
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let row = |row: &&Json| {
            let version = row.get("version").and_then(Json::as_i64).unwrap_or(0);
            let at = text(row, "at").and_then(DateTime::parse);
            VersionRow {
                version,
                stamp: at.map(|at| Stamp::new(at, &self.ui, self.messages())).unwrap_or_default(),
                by: who(row).map_or_else(|| self.say("version-by-program", &[]), |id| titles.get(&id).cloned().unwrap_or(id)),
                digest: text(row, "digest").unwrap_or_default().chars().take(12).collect(),
                is_current: version == self.catalog.version,
            }
        };
        Ok(rows.iter().map(row).collect())
    }
}
