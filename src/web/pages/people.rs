//! People, for administrators: inviting, ending sessions, helping with a second factor, leaving and coming back.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::entry::{locales, unkept};
use super::page::Page;
use super::post::Post;
use super::second_factor::go_on;
use crate::access::AccessError;
use crate::auth::{AuthError, Invitation, PersonInfo};
use crate::base::RecordId;
use crate::record::{RecordError, parse_id};
use crate::render::Arg;
use crate::render::context::{Choice, Crumb, EntryPage, HeldRow, PeoplePage, PersonPage, PersonRow, Stamp};
use crate::schema::catalog::FieldType;
use crate::web::{Problem, mailing};

/// `GET /people`
pub(super) async fn people(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    people_page(&page, StatusCode::OK, None, None).await
}

/// A link that is shown once, and whether it was sent by e-mail too.
type NewLink = Option<(String, bool)>;

async fn people_page(page: &Page, status: StatusCode, error: Option<String>, invited: NewLink) -> Result<Response, Problem> {
    let required = page.state.auth.second_factor_roles().await?;
    let people = page.state.auth.people().await?;
    let context = PeoplePage {
        shell: page.shell(&page.say("people-title", &[]), ":people", Vec::new()),
        people: people.iter().map(|person| row(page, person)).collect(),
        roles: roles(page, &[]),
        required_roles: roles(page, &required.into_iter().collect::<Vec<_>>()),
        is_mailed: invited.as_ref().is_some_and(|(_, is_mailed)| *is_mailed),
        link: invited.map(|(link, _)| link),
        must_confirm: !page.requester.is_fresh,
        error,
    };
    Ok(unkept(page.html(status, "page/people", &context)?))
}

/// The roles people can have, in the reader's words.
fn roles(page: &Page, chosen: &[String]) -> Vec<Choice> {
    let field = page.catalog.find_entity("core.user").and_then(|user| user.find_field("roles").or_else(|| user.find_field("role")));
    let options = match field.map(|field| &field.ty) {
        Some(FieldType::Select(options) | FieldType::MultiSelect { options, .. }) => options,
        _ => return Vec::new(),
    };
    options
        .list
        .options
        .iter()
        .map(|option| Choice {
            value: option.key.clone(),
            label: option.label.get(page.ui.locale).to_owned(),
            selected: chosen.contains(&option.key),
            ..Choice::default()
        })
        .collect()
}

fn row(page: &Page, person: &PersonInfo) -> PersonRow {
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let labels = roles(page, &person.roles);
    let state = match (person.active, person.has_password, person.invited_until) {
        (false, ..) => ("inactive", "people-state-inactive"),
        (true, false, Some(_)) => ("invited", "people-state-invited"),
        (true, false, None) => ("no-password", "people-state-no-password"),
        (true, true, _) => ("active", "people-state-active"),
    };
    let prefix = page.catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str());
    PersonRow {
        id: person.id.display(prefix),
        name: person.name.clone(),
        email: person.email.clone(),
        roles: labels.into_iter().filter(|role| role.selected).map(|role| role.label).collect::<Vec<_>>().join(", "),
        state: state.0.to_owned(),
        state_text: page.say(state.1, &[]),
        has_totp: person.has_totp,
        sessions: person.sessions,
        seen: person.seen_at.map(stamp),
    }
}

/// `POST /people/invite`: answers the page itself, since the link is shown once.
pub(super) async fn invite(mut page: Page, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    if let Some(why) = page.confirm(&post).await? {
        return people_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(why), None).await;
    }
    let chosen = post.pairs.iter().filter(|(name, _)| name == "role").map(|(_, role)| role.clone()).collect();
    let invitation = Invitation { name: post.get("name").to_owned(), email: post.get("email").trim().to_owned(), roles: chosen };
    match page.state.auth.invite(&page.actor, invitation).await {
        Ok(invited) => {
            let link = page.state.config.public_url.join(&invited.path);
            let is_mailed = mailing::invite(&page.state, invited.user, &link).await?;
            people_page(&page, StatusCode::OK, None, Some((link, is_mailed))).await
        }
        Err(fault) => {
            let told = told(&page, fault)?;
            people_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(told), None).await
        }
    }
}

/// `POST /people/second-factor`: the roles that must have one.
pub(super) async fn require(mut page: Page, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    if let Some(why) = page.confirm(&post).await? {
        return people_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(why), None).await;
    }
    let chosen = post.pairs.iter().filter(|(name, _)| name == "required").map(|(_, role)| role.clone()).collect();
    page.state.auth.set_second_factor_roles(chosen).await?;
    Ok(page.go("/people?done=settings"))
}

/// What to tell the administrator; what is no refusal stays a problem.
fn told(page: &Page, fault: AuthError) -> Result<String, Problem> {
    match fault {
        AuthError::CannotInvite => Ok(page.say("people-cannot-invite", &[])),
        AuthError::BadHeir => Ok(page.say("people-bad-heir", &[])),
        AuthError::NoSuchRole(_) => Ok(page.say("people-bad-role", &[])),
        AuthError::Record(RecordError::Access(AccessError::StepUpNeeded)) => Ok(page.say("confirm-needed", &[])),
        AuthError::Record(error) => {
            let faults: Vec<String> = error.faults().iter().map(|fault| page.fault_text(fault)).collect();
            match faults.is_empty() {
                false => Ok(faults.join(" ")),
                true => super::form_model::whole_message(page, &error).map_or_else(|| Err(error.into()), Ok),
            }
        }
        fault => Err(fault.into()),
    }
}

/// `GET /people/{id}`
pub(super) async fn person(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    person_page(&page, &id, StatusCode::OK, None, None).await
}

fn id_of(page: &Page, text: &str) -> Result<RecordId, Problem> {
    let entity = page.catalog.find_entity("core.user").ok_or_else(Problem::not_found)?;
    parse_id(&page.catalog, entity.ix, text).ok_or_else(Problem::not_found)
}

async fn person_page(page: &Page, id_text: &str, status: StatusCode, error: Option<String>, link: NewLink) -> Result<Response, Problem> {
    let id = id_of(page, id_text)?;
    let people = page.state.auth.people().await?;
    let found = people.iter().find(|person| person.id == id).ok_or_else(Problem::not_found)?;
    let held = page.state.auth.records_of(&page.actor, id).await?;
    let held = held.into_iter().map(|held| {
        let entity = page.catalog.entity(held.entity);
        HeldRow {
            label: entity.label_plural.get(page.ui.locale).to_owned(),
            field: entity.field(held.field).label.get(page.ui.locale).to_owned(),
            count: held.count,
        }
    });
    let heirs = people.iter().filter(|person| person.id != id && person.active).map(|person| {
        let row = row(page, person);
        Choice { value: row.id, label: format!("{} ({})", row.name, row.email), ..Choice::default() }
    });
    let title = page.say("people-title", &[]);
    let context = PersonPage {
        shell: page.shell(&found.name, ":people", vec![Crumb { label: title, href: Some("/people".to_owned()) }]),
        person: row(page, found),
        held: held.collect(),
        heirs: heirs.collect(),
        is_self: page.requester.identity()?.user == id,
        is_mailed: link.as_ref().is_some_and(|(_, is_mailed)| *is_mailed),
        link: link.map(|(link, _)| link),
        must_confirm: !page.requester.is_fresh,
        error,
    };
    Ok(unkept(page.html(status, "page/person", &context)?))
}

/// `POST /people/{id}/{act}`
pub(super) async fn act(mut page: Page, Path((id_text, act)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id = id_of(&page, &id_text)?;
    if let Some(why) = page.confirm(&post).await? {
        return person_page(&page, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(why), None).await;
    }
    let auth = page.state.auth.clone();
    let outcome = match act.as_str() {
        "end-sessions" => auth.end_sessions_of(id).await.map(|_| "sessions-ended".to_owned()),
        "reset-factor" => auth.reset_second_factor_of(id).await.map(|()| "factor-removed".to_owned()),
        "view" => {
            let viewer = page.requester.identity()?.clone();
            return match auth.view_as(&viewer, id).await {
                Ok(()) => Ok(page.go("/")),
                Err(AuthError::NoSuchSession) => Err(Problem::new("WEB422", "only somebody signed in with a browser looks as others do")),
                Err(_) => {
                    let told = page.say("view-cannot", &[]);
                    person_page(&page, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(told), None).await
                }
            };
        }
        "reactivate" => auth.reactivate(&page.actor, id).await.map(|()| "person-active".to_owned()),
        "invite" => match auth.invite_again(id).await {
            Ok(invited) => {
                let link = page.state.config.public_url.join(&invited.path);
                let is_mailed = mailing::invite(&page.state, invited.user, &link).await?;
                return person_page(&page, &id_text, StatusCode::OK, None, Some((link, is_mailed))).await;
            }
            Err(fault) => Err(fault),
        },
        "deactivate" => {
            let heir = match post.get("heir") {
                "" => None,
                text => Some(id_of(&page, text)?),
            };
            auth.deactivate(&page.actor, id, heir).await.map(|done| {
                let (moved, left) = (done.moved, done.left);
                format!("person-inactive&moved={moved}&left={left}")
            })
        }
        _ => return Err(Problem::not_found()),
    };
    match outcome {
        Ok(done) => Ok(page.go(&format!("/people/{id_text}?done={done}"))),
        Err(fault) => {
            let told = told(&page, fault)?;
            person_page(&page, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(told), None).await
        }
    }
}

/// `POST /view-as/end`: back to one's own eyes.
pub(super) async fn end_view(page: Page) -> Result<Response, Problem> {
    let identity = page.requester.identity()?.clone();
    page.state.auth.end_view(&identity).await?;
    let prefix = page.catalog.whole().find_entity("core.user").map_or("", |entity| &entity.prefix).to_owned();
    Ok(page.go(&match identity.viewer {
        Some(_) => format!("/people/{}", identity.user.display(&prefix)),
        None => "/".to_owned(),
    }))
}

/// `GET /invitation?token=…`: looks only; a mail scanner that follows the link must not use it up.
pub(super) async fn invitation(page: Page) -> Result<Response, Problem> {
    let token = page.params.get("token").unwrap_or("").to_owned();
    invitation_page(&page, StatusCode::OK, &token, None).await
}

async fn invitation_page(page: &Page, status: StatusCode, token: &str, error: Option<String>) -> Result<Response, Problem> {
    let found = page.state.auth.invited(token).await?;
    let closed = found.is_none().then(|| page.say("invitation-bad", &[]));
    let (name, email) = found.unwrap_or_default();
    let context = EntryPage {
        shell: page.shell(&page.say("invitation-title", &[("workspace", Arg::Text(&page.catalog.settings.name))]), "", Vec::new()),
        error,
        name,
        email,
        token: token.to_owned(),
        locales: locales(Some(page.ui.locale)),
        closed,
        ..EntryPage::default()
    };
    Ok(unkept(page.html(status, "page/invitation", &context)?))
}

/// `POST /invitation`
pub(super) async fn accept(page: Page, post: Post) -> Result<Response, Problem> {
    let token = post.get("token");
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    match page.state.auth.accept_invitation(token, post.get("password"), &page.requester.caller()).await {
        Err(AuthError::BadLink) => invitation_page(&page, status, "", None).await,
        Err(AuthError::WeakPassword(_)) => invitation_page(&page, status, token, Some(page.say("account-weak-password", &[]))).await,
        outcome => go_on(&page, outcome, "/").await,
    }
}
