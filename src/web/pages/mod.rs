//! Pages for people, rendered on the server. Each screen is an address and each form works as plain HTML; htmx asks for
//! the same addresses and gets the region it names. All data comes through `Records`; no SQL and no rules here.

mod access;
mod account;
mod act;
mod approvals;
mod assets;
mod audit;
mod automations;
mod board;
mod choices;
mod clocks;
mod converting;
mod definitions;
mod docs;
mod entry;
mod error;
mod field;
mod filter;
mod form;
mod form_model;
mod history;
mod home;
mod import;
mod jobs;
mod list;
mod mails;
mod merge;
mod moves;
mod notifications;
mod page;
mod passkeys;
mod people;
mod pools;
mod post;
mod record;
mod registrations;
mod search;
mod second_factor;
mod shares;
mod sidebar;
mod sso;
mod survey;
mod surveys;
mod table;
mod tasks;
mod twins;
mod uniting;
mod visible;
mod webhooks;
mod what_if;

use std::sync::LazyLock;

use axum::Router;
use axum::routing::{get, post as on_post};

use super::State;
use crate::render::Renderer;

pub(super) use error::error_page;
pub(super) use page::theme_of;

/// Templates are the same for the whole process; addresses of assets carry their digest.
static RENDERER: LazyLock<Renderer> = LazyLock::new(|| Renderer::with_assets(&assets::base()));

/// All pages. The surrounding layers have already found out who asks; a visitor who is not signed in reaches
/// only `/sign-in`, `/setup` and `/assets`.
pub fn routes(state: State) -> Router {
    // A form's pieces are counted as they come.
    let counted = axum::extract::DefaultBodyLimit::disable();
    Router::new()
        .route("/", get(home::home))
        .route("/search", get(search::search))
        .route("/sign-in", get(entry::sign_in_form).post(entry::sign_in))
        .route("/sign-in/link", get(entry::link_form).post(entry::link))
        .route("/sign-in/code", on_post(second_factor::code))
        .route("/sign-in/enrol", on_post(second_factor::enrol))
        .route("/account/second-factor/begin", on_post(second_factor::set_up))
        .route("/account/second-factor/finish", on_post(second_factor::finish))
        .route("/account/second-factor/codes", on_post(second_factor::new_codes))
        .route("/account/second-factor/remove", on_post(second_factor::remove))
        .route("/view-as/end", on_post(people::end_view))
        .route("/invitation", get(people::invitation).post(people::accept))
        .route("/people", get(people::people))
        .route("/people/invite", on_post(people::invite))
        .route("/people/second-factor", on_post(people::require))
        .route("/people/{id}", get(people::person))
        .route("/people/{id}/access", get(access::seen))
        .route("/access", get(access::access))
        .route("/people/{id}/{act}", on_post(people::act))
        .route("/sign-in/passkey", on_post(passkeys::finish_use))
        .route("/sign-in/passkey/begin", on_post(passkeys::begin_use))
        .route("/account/passkeys", on_post(passkeys::finish_new))
        .route("/account/passkeys/begin", on_post(passkeys::begin_new))
        .route("/account/passkeys/{id}/remove", on_post(passkeys::remove))
        .route("/sign-in/sso", on_post(sso::begin))
        .route("/sign-in/sso/callback", get(sso::back))
        .route("/sign-in/sso/join", on_post(sso::join))
        .route("/sign-out", on_post(entry::sign_out))
        .route("/setup", get(entry::setup_form).post(entry::set_up))
        .route("/account", get(account::account))
        .route("/account/settings", on_post(account::settings))
        .route("/account/password", on_post(account::password))
        .route("/account/sessions/end-others", on_post(account::end_other_sessions))
        .route("/account/sessions/{id}/end", on_post(account::end_session))
        .route("/account/tokens", on_post(account::create_token))
        .route("/account/tokens/{id}/revoke", on_post(account::revoke_token))
        .route("/approvals", get(approvals::approvals))
        .route("/approvals/stand-ins", on_post(approvals::add_stand_in))
        .route("/approvals/stand-ins/{id}/end", on_post(approvals::end_stand_in))
        .route("/approvals/{id}", get(approvals::approval))
        .route("/approvals/{id}/{act}", on_post(approvals::act))
        .route("/records/{entity}/{id}/approvals", on_post(approvals::ask))
        .route("/pools", get(pools::pools))
        .route("/pools/{entity}/{pool}", get(pools::pool))
        .route("/pools/{entity}/{pool}/claim", on_post(pools::claim))
        .route("/pools/{entity}/{pool}/hand-out", on_post(pools::hand_out))
        .route("/registrations", get(registrations::registrations))
        .route("/registrations/{claim}/{act}", on_post(registrations::act))
        .route("/records/{entity}/{id}/registrations", on_post(registrations::file))
        .route("/records/{entity}/{id}/return", on_post(pools::give_back))
        .route("/survey/{token}", get(survey::asked).post(survey::answer))
        .route("/surveys", get(surveys::surveys))
        .route("/surveys/{survey}", get(surveys::results))
        .route("/records/{entity}/{id}/surveys", on_post(surveys::ask))
        .route("/audit", get(audit::audit))
        .route("/audit/export", get(audit::export))
        .route("/automations", get(automations::automations))
        .route("/automations/runs/{id}", get(automations::run))
        .route("/automations/what-if", get(what_if::form).post(what_if::ask))
        .route("/automations/{id}/{act}", on_post(automations::act))
        .route("/notifications", get(notifications::list))
        .route("/notifications/read", on_post(notifications::read_all))
        .route("/notifications/{id}/{act}", on_post(notifications::act))
        .route("/mails", get(mails::list))
        .route("/mails/test", on_post(mails::test))
        .route("/mails/release", on_post(mails::release))
        .route("/mails/{id}", get(mails::mail))
        .route("/mails/{id}/send", on_post(mails::send_again))
        .route("/mails/templates/{template}", get(mails::template))
        .route("/mails/templates/{template}/test", on_post(mails::test_template))
        .route("/webhooks", get(webhooks::list).post(webhooks::make))
        .route("/webhooks/{id}", get(webhooks::endpoint))
        .route("/webhooks/{id}/{act}", on_post(webhooks::act))
        .route("/webhooks/{id}/deliveries/{delivery}", on_post(webhooks::send_again))
        .route("/jobs", get(jobs::jobs))
        .route("/jobs/{id}/{act}", on_post(jobs::act))
        .route("/definitions", get(definitions::definitions))
        .route("/definitions/apply", on_post(definitions::apply))
        .route("/docs/api", get(docs::api))
        .route("/records/{entity}", get(list::list).post(form::create))
        .route("/records/{entity}/new", get(form::new))
        .route("/records/{entity}/form-state", on_post(form::state))
        .route("/records/{entity}/import", get(import::form).merge(on_post(import::import).layer(counted)))
        .route("/records/{entity}/filter", get(filter::add))
        .route("/records/{entity}/filter-value", get(filter::value))
        .route("/records/{entity}/board/{pipeline}", get(board::board))
        .route("/records/{entity}/choices", get(choices::choices))
        .route("/records/{entity}/duplicates", get(twins::twins).post(twins::act))
        .route("/records/{entity}/{id}", get(record::record).post(form::update))
        .route("/records/{entity}/{id}/edit", get(form::edit))
        .route("/records/{entity}/{id}/delete", get(act::delete_page).post(act::delete))
        .route("/records/{entity}/{id}/erase", get(act::erase_page).post(act::erase))
        .route("/records/{entity}/{id}/move", get(moves::ask).post(moves::make))
        .route("/records/{entity}/{id}/convert", get(converting::ask).post(converting::convert))
        .route("/records/{entity}/{id}/merge", get(uniting::ask).post(uniting::merge))
        .route("/records/{entity}/{id}/merges/{merge}/undo", on_post(uniting::undo))
        .route("/records/{entity}/{id}/tasks", on_post(tasks::act))
        .route("/records/{entity}/{id}/restore", on_post(act::restore))
        .route("/records/{entity}/{id}/access", get(access::why))
        .route("/records/{entity}/{id}/shares", get(shares::shares).post(shares::share))
        .route("/records/{entity}/{id}/shares/{share}/end", on_post(shares::end))
        .route("/records/{entity}/{id}/actions/{name}", on_post(act::press))
        .route("/assets/{hash}/{*file}", get(assets::serve))
        .with_state(state)
}
