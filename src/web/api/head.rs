//! What the requests of the API have in common before they differ: who asks, the catalog they are read against, the
//! parts of the path, the parameters, the headers.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::body::read_json;
use super::headers::write_options;
use super::locate;
use crate::access::Actor;
use crate::auth::Identity;
use crate::base::{EntityIx, RecordId};
use crate::query::Params;
use crate::record::WriteOptions;
use crate::schema::catalog::{Catalog, Entity};
use crate::web::{Problem, Requester, State};

/// The head of a request. Handlers take it as an argument; only those that need more take the body beside it.
pub(super) struct Head {
    pub state: State,
    pub requester: Requester,
    /// One version for the whole request.
    pub catalog: Arc<Catalog>,
    pub actor: Actor,
    pub headers: HeaderMap,
    path: RawPathParams,
    query: Option<String>,
}

impl FromRequestParts<State> for Head {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let requester = Requester::from_request_parts(parts, state).await?;
        // An unreadable variable (bad percent-encoding) is an address that does not exist.
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let whole = state.catalog();
        let actor = requester.actor(&whole);
        // As far as the asker may know of it: what they may not, is not there.
        let catalog = actor.sees(&whole);
        Ok(Self {
            actor,
            state: state.clone(),
            requester,
            catalog,
            // What comes after, if anything, is the body.
            headers: std::mem::take(&mut parts.headers),
            path,
            query: parts.uri.query().map(str::to_owned),
        })
    }
}

impl Head {
    /// Whether there are newer definitions than this request was read with, which then takes them: another process may have
    /// applied some a moment ago.
    async fn catch_up(&mut self) -> bool {
        let Some(newer) = self.state.records.newer(&self.catalog).await else { return false };
        self.actor = self.requester.actor(&newer);
        self.catalog = self.actor.sees(&newer);
        true
    }

    /// A variable of the path.
    pub fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The parameters as they were written.
    pub fn query_text(&self) -> Result<&str, Problem> {
        locate::query_text(self.query.as_deref())
    }

    /// The parameters, which may be no others than `known`.
    pub fn params(&self, known: &[&str]) -> Result<Params, Problem> {
        locate::only_params(self.query.as_deref(), known)
    }

    /// What a write takes from its headers; it has no parameters.
    pub fn options(&self) -> Result<WriteOptions, Problem> {
        self.params(&[])?;
        write_options(&self.headers)
    }

    /// The body as JSON.
    pub async fn json(&self, body: Body, accepted: &'static [&'static str]) -> Result<Value, Problem> {
        read_json(&self.headers, body, accepted, self.state.config.body_limit_bytes).await
    }

    /// The person or token, at an address without parameters.
    pub fn signed_in(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.requester.identity()?;
        self.params(&[])?;
        Ok(identity)
    }

    /// [`Head::administrator`] for a dangerous act: who asks proved who they are a short time ago.
    pub fn fresh_administrator(&self) -> Result<&Arc<Identity>, Problem> {
        self.requester.fresh_administrator()?;
        self.administrator()
    }

    /// The administrator, at an address without parameters.
    pub fn administrator(&self) -> Result<&Arc<Identity>, Problem> {
        let identity = self.requester.administrator()?;
        self.params(&[])?;
        Ok(identity)
    }
}

/// The head of a request about `{entity}`, which is there.
pub(super) struct EntityHead {
    head: Head,
    ix: EntityIx,
}

impl FromRequestParts<State> for EntityHead {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let mut head = Head::from_request_parts(parts, state).await?;
        let ix = match locate_entity(&head) {
            Err(_) if head.catch_up().await => locate_entity(&head)?,
            found => found?,
        };
        Ok(Self { head, ix })
    }
}

fn locate_entity(head: &Head) -> Result<EntityIx, Problem> {
    Ok(locate::entity(&head.catalog, head.part("entity"))?.ix)
}

impl EntityHead {
    /// Reads what the request says against the definitions; what they refuse is read once more when there are newer ones.
    pub async fn read<T>(&mut self, read: impl Fn(&Self) -> Result<T, Problem>) -> Result<T, Problem> {
        match read(self) {
            Err(refused) if self.may_be_known_now(&refused).await => read(self),
            outcome => outcome,
        }
    }

    /// Whether it is worth asking again after `refused`: there are newer definitions, with which this request goes on.
    pub async fn may_be_known_now(&mut self, refused: &Problem) -> bool {
        if !matches!(refused.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY)
            || !self.head.catch_up().await
        {
            return false;
        }
        locate_entity(&self.head).map(|ix| self.ix = ix).is_ok()
    }

    pub fn entity(&self) -> &Entity {
        self.catalog.entity(self.ix)
    }

    /// The record of `{id}`.
    pub fn id(&self) -> Result<RecordId, Problem> {
        locate::record_id(&self.catalog, self.entity(), self.part("id"))
    }
}

impl Deref for EntityHead {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}
