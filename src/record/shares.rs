//! Sharing a record: with whom, how far, until when. What a share opens is decided where rights are (`access`).

use super::error::{FieldFault, RecordError};
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

impl Records {
    /// The shares of a record that have not ended.
    ///
    /// # Errors
    /// As for a record that is not there; `ACL005` for one who may not share it.
    pub async fn shares(&self, actor: &Actor, entity: EntityIx, id: RecordId) -> Result<Vec<Share>, RecordError> {
        let catalog = self.catalog();
        let definition = catalog.entity(entity);
        let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        let request = GetRequest { entity, id, select: only_id(definition), deleted: Deleted::Live };
        if self.get(actor, &catalog, request).await?.is_none() {
            return Err(missing());
        }
        if let Some(granted) = actor.standing(&catalog)?.part() {
            let compiled = self.compiled(&catalog);
            if !may_share(&mut self.eyes(&compiled, granted, actor), definition, id).await? {
                return Err(AccessError::NotAllowed { action: Action::Share.word(), entity: definition.slug.clone() }.into());
            }
        }
        Ok(shares::list(self.store(), &definition.uid, id, self.clock().now()).await?)
    }

    /// Shares a record, in place of what was shared with the same person, team or role before.
    ///
    /// # Errors
    /// As [`Records::shares`]; faults where there is nobody of that name, or the end is over already.
    pub async fn share(&self, actor: &Actor, entity: EntityIx, id: RecordId, new: NewShare) -> Result<(Share, bool), RecordError> {
        self.unit(actor, Source::Api, Vec::new(), move |tx| {
            let new = new.clone();
            Box::pin(async move { tx.share(entity, id, new).await })
        })
        .await
    }

    /// Changes how far a share goes and when it ends; `None` when there is no such share.
    ///
    /// # Errors
    /// As [`Records::share`].
    pub async fn change_share(
        &self,
        actor: &Actor,
        entity: EntityIx,
        id: RecordId,
        share: RecordId,
        may_edit: Option<bool>,
        ends_at: Option<Option<DateTime>>,
    ) -> Result<Option<Share>, RecordError> {
        self.unit(actor, Source::Api, Vec::new(), move |tx| {
            Box::pin(async move {
                tx.shareable(entity, id, false).await?;
                let uid = tx.catalog().entity(entity).uid.clone();
                let known = shares::list_in(tx.store, &uid, id).await?.into_iter().find(|known| known.id == share);
                let Some(known) = known else { return Ok(None) };
                let new =
                    NewShare { with: known.with, may_edit: may_edit.unwrap_or(known.may_edit), ends_at: ends_at.unwrap_or(known.ends_at) };
                Ok(Some(tx.share(entity, id, new).await?.0))
            })
        })
        .await
    }

    /// Ends a share; `false` when there is none.
    ///
    /// # Errors
    /// As [`Records::shares`].
    pub async fn end_share(&self, actor: &Actor, entity: EntityIx, id: RecordId, share: RecordId) -> Result<bool, RecordError> {
        self.unit(actor, Source::Api, Vec::new(), move |tx| {
            Box::pin(async move {
                tx.shareable(entity, id, false).await?;
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

/// Whether somebody may give others a share in a record they read, or look after the shares of all.
async fn may_share(eyes: &mut Eyes<'_>, entity: &Entity, id: RecordId) -> Result<bool, RecordError> {
    for action in [Action::Share, Action::Admin] {
        let grants = eyes.grants(action, entity.ix, id).await?;
        let missing = || RecordError::NotFound { entity: entity.slug.clone(), id: id.display(&entity.prefix) };
        if !grants.ok_or_else(missing)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl RecordTx<'_> {
    /// A live record the actor may share; to edit only what the actor may edit.
    async fn shareable(&mut self, entity: EntityIx, id: RecordId, may_edit: bool) -> Result<(), RecordError> {
        self.load_live(entity, id, Lock::None).await?;
        if let Some(granted) = self.granted()? {
            let compiled = self.scope.compiled.clone();
            let definition = compiled.entity(entity);
            let refused = |action: Action| AccessError::NotAllowed { action: action.word(), entity: definition.slug.clone() };
            if !may_share(&mut self.eyes(&compiled, &granted), definition, id).await? {
                return Err(refused(Action::Share).into());
            }
            if may_edit {
                let grants = self.eyes(&compiled, &granted).grants(Action::Update, entity, id).await?;
                if grants.is_none_or(|grants| grants.is_empty()) {
                    return Err(refused(Action::Update).into());
                }
            }
        }
        let definition = self.scope.compiled.entity(entity);
        if !definition.is_shareable() {
            let message = format!("records of `{}` are not shared", definition.slug);
            return Err(RecordError::fault(FieldFault::whole("not_shared", message)));
        }
        Ok(())
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
