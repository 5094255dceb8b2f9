//! The REST API under `/api/v1`, and the two health addresses. One handler decodes, asks one lower room, and writes
//! down what it answers; no rule lives here.

use axum::Router;
use axum::routing::{delete, get, patch, post, put};

use super::State;

pub(in crate::web) mod access;
mod actions;
mod answer;
mod approvals;
mod automations;
pub(in crate::web) mod body;
mod conversions;
mod definitions;
mod duplicates;
mod export;
mod files;
mod head;
mod headers;
mod health;
mod identity;
mod import;
mod jobs;
mod locate;
mod mails;
mod many;
mod merge;
pub(in crate::web) mod moves;
mod notifications;
mod paging;
mod people;
mod pools;
mod read;
mod received;
mod registrations;
mod shares;
mod stream;
mod surveys;
mod webhooks;
pub(in crate::web) mod what_if;
mod write;

/// All routes of the API.
pub(super) fn routes(state: State) -> Router {
    // Only multipart forms are read through axum's own limit; raw bodies are counted piece by piece.
    let upload_limit = axum::extract::DefaultBodyLimit::max(state.config.upload_limit_bytes + 64 * 1024);
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/v1/records/{entity}", get(read::list).post(write::create).patch(many::update_many))
        .route("/api/v1/records/{entity}/query", post(read::query_list))
        .route("/api/v1/records/{entity}/aggregate", post(read::aggregate))
        .route("/api/v1/records/{entity}/by/{unique}/{value}", put(write::upsert))
        .route("/api/v1/records/{entity}/export", get(export::export))
        .route("/api/v1/records/{entity}/import", post(import::import))
        .route("/api/v1/records/{entity}/duplicates", get(duplicates::list).post(duplicates::look))
        .route("/api/v1/records/{entity}/duplicates/look", post(duplicates::begin))
        .route("/api/v1/records/{entity}/duplicates/apart", post(duplicates::apart))
        .route("/api/v1/records/{entity}/{id}", get(read::get).merge(patch(write::update).delete(write::delete)))
        .route("/api/v1/records/{entity}/{id}/restore", post(write::restore))
        .route("/api/v1/records/{entity}/{id}/erase", post(write::erase))
        .route("/api/v1/records/{entity}/{id}/actions/{name}", post(actions::run))
        .route("/api/v1/records/{entity}/{id}/history", get(read::history))
        .route("/api/v1/records/{entity}/{id}/convert", get(conversions::list).post(conversions::convert))
        .route("/api/v1/records/{entity}/{id}/merge", post(merge::merge))
        .route("/api/v1/records/{entity}/{id}/merges", get(merge::list))
        .route("/api/v1/records/{entity}/{id}/merges/{merge}/undo", post(merge::undo))
        .route("/api/v1/records/{entity}/{id}/moves", get(moves::list).post(moves::make))
        .route("/api/v1/records/{entity}/{id}/stages", get(moves::stages))
        .route("/api/v1/records/{entity}/{id}/tasks", post(moves::add_task))
        .route("/api/v1/records/{entity}/{id}/approvals", get(approvals::of_record).post(approvals::ask))
        .route("/api/v1/approvals", get(approvals::list))
        .route("/api/v1/approvals/{request}", get(approvals::get))
        .route("/api/v1/approvals/{request}/decide", post(approvals::decide))
        .route("/api/v1/approvals/{request}/hand-on", post(approvals::hand_on))
        .route("/api/v1/approvals/{request}/withdraw", post(approvals::withdraw))
        .route("/api/v1/stand-ins", get(approvals::stand_ins).post(approvals::add_stand_in))
        .route("/api/v1/stand-ins/{id}", delete(approvals::end_stand_in))
        .route("/api/v1/pools", get(pools::list))
        .route("/api/v1/pools/{entity}/{pool}", get(pools::in_pool))
        .route("/api/v1/pools/{entity}/{pool}/held", get(pools::held))
        .route("/api/v1/pools/{entity}/{pool}/claim", post(pools::claim))
        .route("/api/v1/pools/{entity}/{pool}/hand-out", post(pools::hand_out))
        .route("/api/v1/records/{entity}/{id}/registrations", get(registrations::of_record).post(registrations::file))
        .route("/api/v1/registrations", get(registrations::list))
        .route("/api/v1/registrations/{claim}", get(registrations::get))
        .route("/api/v1/registrations/{claim}/decide", post(registrations::decide))
        .route("/api/v1/registrations/{claim}/extend", post(registrations::extend))
        .route("/api/v1/registrations/{claim}/withdraw", post(registrations::withdraw))
        .route("/api/v1/records/{entity}/{id}/holding", get(pools::holding))
        .route("/api/v1/records/{entity}/{id}/return", post(pools::give_back))
        .route("/api/v1/records/{entity}/{id}/shares", get(shares::list).post(shares::add))
        .route("/api/v1/records/{entity}/{id}/shares/{share}", patch(shares::change).delete(shares::end))
        .route("/api/v1/records/{entity}/{id}/surveys", post(surveys::ask))
        .route("/api/v1/surveys", get(surveys::list))
        .route("/api/v1/surveys/{survey}", get(surveys::results))
        .route("/api/v1/received/{automation}", post(received::receive))
        .route("/api/v1/automations/{id}/secret", post(received::secret))
        .route("/api/v1/batch", post(many::batch))
        .route("/api/v1/changes", get(read::changes))
        .route("/api/v1/files", post(files::upload).layer(upload_limit))
        .route("/api/v1/files/{id}", get(files::download))
        .route("/files/{id}", get(files::download))
        .route("/api/v1/schema", get(definitions::schemas))
        .route("/api/v1/schema/{entity}", get(definitions::schema))
        .route("/api/v1/openapi.json", get(definitions::openapi))
        .route("/api/v1/sessions", get(identity::sessions))
        .route("/api/v1/sessions/{id}", delete(identity::end_session))
        .route("/api/v1/session/confirm", post(identity::confirm))
        .route("/api/v1/tokens", get(identity::tokens).post(identity::create_token))
        .route("/api/v1/tokens/{id}", delete(identity::revoke_token))
        .route("/api/v1/people", get(people::people))
        .route("/api/v1/people/invite", post(people::invite))
        .route("/api/v1/people/{id}/invite", post(people::invite_again))
        .route("/api/v1/people/{id}/records", get(people::held))
        .route("/api/v1/people/{id}/deactivate", post(people::deactivate))
        .route("/api/v1/people/{id}/reactivate", post(people::reactivate))
        .route("/api/v1/people/{id}/sessions", delete(people::end_sessions))
        .route("/api/v1/automations", get(automations::list))
        .route("/api/v1/automations/{id}/pause", post(automations::pause))
        .route("/api/v1/automations/{id}/resume", post(automations::resume))
        .route("/api/v1/what-if", post(what_if::ask))
        .route("/api/v1/runs", get(automations::runs_list))
        .route("/api/v1/runs/{id}", get(automations::run))
        .route("/api/v1/notifications", get(notifications::list))
        .route("/api/v1/notifications/read", post(notifications::read_all))
        .route("/api/v1/notifications/{id}/read", post(notifications::read))
        .route("/api/v1/notifications/{id}/unread", post(notifications::unread))
        .route("/api/v1/webhooks", get(webhooks::list).post(webhooks::make))
        .route("/api/v1/webhooks/{id}", get(webhooks::get).patch(webhooks::change).delete(webhooks::delete))
        .route("/api/v1/webhooks/{id}/rotate", post(webhooks::rotate))
        .route("/api/v1/webhooks/{id}/test", post(webhooks::test))
        .route("/api/v1/webhooks/{id}/deliveries", get(webhooks::deliveries))
        .route("/api/v1/webhooks/{id}/deliveries/{delivery}/send", post(webhooks::send_again))
        .route("/api/v1/mails", get(mails::list))
        .route("/api/v1/mails/templates", get(mails::templates))
        .route("/api/v1/mails/preview", post(mails::preview))
        .route("/api/v1/mails/test", post(mails::test))
        .route("/api/v1/mails/stops", get(mails::stops))
        .route("/api/v1/mails/stops/release", post(mails::release))
        .route("/api/v1/mails/{id}", get(mails::get))
        .route("/api/v1/mails/{id}/send", post(mails::send_again))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/jobs/{id}", get(jobs::get))
        .route("/api/v1/jobs/{id}/retry", post(jobs::retry))
        .route("/api/v1/jobs/{id}/cancel", post(jobs::cancel))
        .route("/api/v1/access/why", get(access::why))
        .route("/api/v1/access/who", get(access::who))
        .route("/api/v1/access/as", get(access::seen))
        .route("/api/v1/definitions/check", post(definitions::check))
        .route("/api/v1/definitions/plan", post(definitions::plan))
        .route("/api/v1/definitions/apply", post(definitions::apply))
        .route("/api/v1/definitions/versions", get(definitions::versions))
        .with_state(state)
}
