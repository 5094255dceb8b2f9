//! Sharing a record: with whom, how far, until when. What a share opens is decided where rights are (`access`).

use std::sync::Arc;

use super::error::{FieldFault, RecordError};
use super::hooks::BoxFuture;
use super::moved::Moved;
use super::options::Source;
use super::read::only_id;
use super::rights::Eyes;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{ADMINISTRATOR, AccessError, Action, Actor, EVERYDAY, ShareWith};
use crate::base::{DateTime, EntityIx, RecordId, Value};
use crate::query::{Deleted, GetRequest};
use crate::schema::catalog::{Catalog, Entity};
use crate::store::audit::{self, Entry};
use crate::store::compile::Lock;
use crate::store::shares::{self, MOST, Share};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShare {
    pub with: ShareWith,
    pub may_edit: bool,
    pub ends_at: Option<DateTime>,
}

/// What shall be otherwise in a share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareChange {
    pub may_edit: Option<bool>,
    /// `Some(None)`: without an end.
    pub ends_at: Option<Option<DateTime>>,
}

impl Records {
    /// The shares of a record, in the recycle bin or not, that have not ended. `catalog` is the one the request was read with,
    /// here and below.
    ///
    /// # Errors
    /// As for a record that is not there; `ACL005` for one who may neither share it nor look after its shares.
    pub async fn shares(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Vec<Share>, RecordError> {
        let catalog = catalog.whole();
        let definition = catalog.entity(entity);
        let request = GetRequest { entity, id, select: only_id(definition), deleted: Deleted::All };
        if self.get(actor, &catalog, request).await?.is_none() {
            return Err(missing(definition, id));
        }
        if let Some(granted) = actor.standing(&catalog)?.part() {
            let compiled = self.compiled(&catalog);
            expect_any(&mut self.eyes(&compiled, granted, actor), &LOOKS_AFTER, definition, id).await?;
        }
        Ok(shares::list(self.store(), &definition.uid, id, self.clock().now()).await?)
    }

    /// Shares a record, in place of what was shared with the same person, team or role before.
    ///
    /// # Errors
    /// As for a record that is not there; `ACL005` for one who may not share it; faults where there is nobody of that name, or
    /// the end is over already.
    pub async fn share(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        new: NewShare,
        dry_run: bool,
    ) -> Result<(Share, bool), RecordError> {
        self.kept_unless(dry_run, actor, catalog, entity, move |tx, entity| {
            let new = new.clone();
            Box::pin(async move { tx.share(entity, id, new).await })
        })
        .await
    }

    /// A unit of work on the shares of a record, undone in a dry run; it gets the entity as the definitions it runs with have it.
    async fn kept_unless<T, F>(
        &self,
        dry_run: bool,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        unit: F,
    ) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>, EntityIx) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        let from = catalog.whole();
        match dry_run {
            true => self.rehearse(actor, Source::Api, Vec::new(), move |tx| moved(tx, &from, entity, &unit)).await,
            false => self.unit(actor, Source::Api, Vec::new(), move |tx| moved(tx, &from, entity, &unit)).await,
        }
    }

    /// Changes how far a share goes and when it ends; `None` when there is no such share.
    ///
    /// # Errors
    /// As [`Records::share`].
    #[expect(clippy::too_many_arguments, reason = "each says another part of one request")]
    pub async fn change_share(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        share: RecordId,
        change: ShareChange,
        dry_run: bool,
    ) -> Result<Option<Share>, RecordError> {
        self.kept_unless(dry_run, actor, catalog, entity, move |tx, entity| {
            Box::pin(async move {
                tx.shareable(entity, id, false).await?;
                let uid = tx.catalog().entity(entity).uid.clone();
                let known = shares::list_in(tx.store, &uid, id).await?.into_iter().find(|known| known.id == share);
                let Some(known) = known else { return Ok(None) };
                let new = NewShare {
                    with: known.with,
                    may_edit: change.may_edit.unwrap_or(known.may_edit),
                    ends_at: change.ends_at.unwrap_or(known.ends_at),
                };
                Ok(Some(tx.share(entity, id, new).await?.0))
            })
        })
        .await
    }

    /// Ends a share; `false` when there is none.
    ///
    /// # Errors
    /// As [`Records::shares`].
    pub async fn end_share(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        share: RecordId,
        dry_run: bool,
    ) -> Result<bool, RecordError> {
        self.kept_unless(dry_run, actor, catalog, entity, move |tx, entity| {
            Box::pin(async move {
                tx.expect_looks_after(entity, id).await?;
                let definition = tx.scope.compiled.clone();
                let definition = definition.entity(entity);
                let known = shares::list_in(tx.store, &definition.uid, id).await?.into_iter().find(|known| known.id == share);
                let Some(known) = known else { return Ok(false) };
                shares::end(tx.store, &definition.uid, id, share).await?;
                let entry = about(tx.catalog(), Entry::new("share.end").on(&definition.id, id.0), &known);
                audit::append(tx.store, entry).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Runs a unit for an entity of the catalog its request was read with.
fn moved<'a, 't, T, F>(tx: &'a mut RecordTx<'t>, from: &Arc<Catalog>, entity: EntityIx, unit: &F) -> BoxFuture<'a, Result<T, RecordError>>
where
    T: Send + 'static,
    F: Fn(&'a mut RecordTx<'t>, EntityIx) -> BoxFuture<'a, Result<T, RecordError>>,
{
    match Moved::new(from, tx.catalog(), entity) {
        Ok(moved) => unit(tx, moved.entity),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

/// Who sees and ends the shares of a record: whoever gives some, or looks after those of all.
const LOOKS_AFTER: [Action; 2] = [Action::Share, Action::Admin];

/// Refused, by the name of the first of the actions, to one who may do none of them with a record they read.
async fn expect_any(eyes: &mut Eyes<'_>, actions: &[Action], entity: &Entity, id: RecordId) -> Result<(), RecordError> {
    for action in actions {
        let grants = eyes.grants(*action, entity.ix, id).await?;
        if !grants.ok_or_else(|| missing(entity, id))?.is_empty() {
            return Ok(());
        }
    }
    let action = actions.first().map_or("", |action| action.word());
    Err(AccessError::NotAllowed { action, entity: entity.slug.clone() }.into())
}

fn missing(entity: &Entity, id: RecordId) -> RecordError {
    RecordError::NotFound { entity: entity.slug.clone(), id: id.display(&entity.prefix) }
}

impl RecordTx<'_> {
    /// A live record the actor may share; to edit only what the actor may edit.
    async fn shareable(&mut self, entity: EntityIx, id: RecordId, may_edit: bool) -> Result<(), RecordError> {
        self.load_live(entity, id, Lock::None).await?;
        if let Some(granted) = self.granted()? {
            let compiled = self.scope.compiled.clone();
            let definition = compiled.entity(entity);
            expect_any(&mut self.eyes(&compiled, &granted), &[Action::Share], definition, id).await?;
            if may_edit {
                expect_any(&mut self.eyes(&compiled, &granted), &[Action::Update], definition, id).await?;
            }
        }
        let definition = self.scope.compiled.entity(entity);
        if !definition.is_shareable() {
            let message = format!("records of `{}` are not shared", definition.slug);
            return Err(RecordError::fault(FieldFault::whole("not_shared", message)));
        }
        Ok(())
    }

    /// A record, in the recycle bin or not, whose shares the actor sees and ends.
    async fn expect_looks_after(&mut self, entity: EntityIx, id: RecordId) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        if self.load(entity, &[id], Lock::None).await?.is_empty() {
            return Err(missing(definition, id));
        }
        match self.granted()? {
            Some(granted) => expect_any(&mut self.eyes(&compiled, &granted), &LOOKS_AFTER, definition, id).await,
            None => Ok(()),
        }
    }

    async fn share(&mut self, entity: EntityIx, id: RecordId, new: NewShare) -> Result<(Share, bool), RecordError> {
        self.shareable(entity, id, new.may_edit).await?;
        self.expect_with(&new.with).await?;
        if new.ends_at.is_some_and(|ends| ends <= self.now()) {
            return Err(RecordError::fault(FieldFault::at("until", "over", "this moment is over; a share ends later than now")));
        }
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let known = shares::list_in(self.store, &definition.uid, id).await?;
        let before = known.iter().find(|known| known.with == new.with);
        if before.is_none() && known.len() >= MOST {
            return Err(RecordError::TooMany { what: "shares of a record".to_owned(), got: known.len() as u64 + 1, limit: MOST as u64 });
        }
        let share = Share {
            id: before.map_or_else(|| self.scope.ids.next(), |before| before.id),
            with: new.with,
            may_edit: new.may_edit,
            ends_at: new.ends_at,
            created_at: self.now(),
            created_by: self.scope.actor.user_id(),
        };
        shares::put(self.store, &definition.uid, id, &share).await?;
        let entry = Entry::new(if before.is_none() { "share.add" } else { "share.change" }).on(&definition.id, id.0);
        audit::append(self.store, about(&compiled.catalog, entry, &share)).await?;
        Ok((share, before.is_none()))
    }

    /// Somebody the actor may know of.
    async fn expect_with(&mut self, with: &ShareWith) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let (entity, id) = match with {
            ShareWith::Person(id) => ("core.user", *id),
            ShareWith::Team(id) => ("core.team", *id),
            ShareWith::Role(role) if is_role(&compiled.catalog, role) => return Ok(()),
            ShareWith::Role(role) => {
                let fault = FieldFault::at("role", "not_found", format!("there is no role `{role}` that records are shared with"));
                return Err(RecordError::fault(fault.with("entity", "role").with("id", role.as_str())));
            }
        };
        let found = match compiled.catalog.find_entity(entity) {
            Some(entity) => {
                let found = self.load(entity.ix, &[id], Lock::None).await?.pop().filter(|found| !found.is_deleted(entity));
                let active = entity.find_field("active").map(|field| field.ix);
                let found = found.filter(|found| active.is_none_or(|active| *found.get(active) != Value::Bool(false)));
                match found {
                    Some(_) => self.readable(entity.ix, &[id]).await?.contains(&id),
                    None => false,
                }
            }
            None => false,
        };
        if found {
            return Ok(());
        }
        let (word, shown) = (with.word(), shown(&compiled.catalog, entity, id));
        let fault = FieldFault::at(word, "not_found", format!("there is no {word} `{shown}`")).with("entity", word).with("id", shown);
        Err(RecordError::fault(fault))
    }
}

/// The roles a record may be shared with: all but the one that sees everything anyway.
pub fn roles_to_share_with(catalog: &Catalog) -> Vec<String> {
    let mut roles: Vec<String> = catalog.whole.as_deref().unwrap_or(catalog).roles.iter().map(|role| role.id.clone()).collect();
    if !roles.iter().any(|role| role == EVERYDAY) {
        roles.push(EVERYDAY.to_owned());
    }
    roles
}

fn is_role(catalog: &Catalog, role: &str) -> bool {
    role != ADMINISTRATOR && roles_to_share_with(catalog).iter().any(|known| known == role)
}

fn about(catalog: &Catalog, entry: Entry, share: &Share) -> Entry {
    let who = match &share.with {
        ShareWith::Person(id) => shown(catalog, "core.user", *id),
        ShareWith::Team(id) => shown(catalog, "core.team", *id),
        ShareWith::Role(role) => role.clone(),
    };
    let may = if share.may_edit { "edit" } else { "read" };
    let entry = entry.fact("with", share.with.word()).fact(share.with.word(), who).fact("may", may);
    match share.ends_at {
        Some(ends) => entry.fact("until", ends.to_string()),
        None => entry,
    }
}

fn shown(catalog: &Catalog, entity: &str, id: RecordId) -> String {
    id.display(catalog.find_entity(entity).map_or("", |entity| entity.prefix.as_str()))
}
