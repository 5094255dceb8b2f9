//! Converting a record into others: a lead into an account, a contact and a deal.
//!
//! All of it is one unit of work. What is made is made with the rights of whoever converts, through the same writer as
//! everything else (rules, gates, duplicates, scripts); what the definition alone says (links between what is made, the mark on
//! the record itself, what leads to a target afterwards) is written for them. All that is wrong is told at once.

mod make;
mod offer;
mod work;

use std::sync::Arc;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::duplicates::Duplicates;
use super::error::{FieldFault, RecordError};
use super::gates::has_role;
use super::input::Input;
use super::moved::Moved;
use super::options::{Source, WriteOptions};
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Action, Actor};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId};
use crate::schema::catalog::{Catalog, Entity};
use crate::store::compile::Lock;
use crate::store::{conversions, idempotency, shares};
use work::Work;

/// What shall be converted, and how.
#[derive(Debug, Clone, Default)]
pub struct ConvertRequest {
    pub conversion: String,
    /// By the id of a target; those that are not named are made as the definition says.
    pub targets: Vec<(String, Choice)>,
}

/// What whoever converts says of a target.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Not this time.
    Leave,
    /// This record, which is there.
    Use(RecordId),
    /// A new one; these values go before those of the definition.
    Make(Input),
}

/// What a conversion did.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Of the record that was converted.
    pub version: i64,
    pub targets: Vec<ConvertedTarget>,
    /// Records that lead to a target now, of those that the actor may read.
    pub carried: u64,
    pub warnings: Vec<String>,
    /// The answer of an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// One record that another became.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvertedTarget {
    /// Its id in the definition.
    pub target: String,
    pub entity: EntityIx,
    pub record: RecordId,
    pub is_new: bool,
    /// Names of fields that were filled in, of a record that was there.
    pub filled: Vec<String>,
}

/// How a record was converted.
#[derive(Debug, Clone)]
pub struct ConvertedInto {
    pub conversion: String,
    pub at: DateTime,
    pub by: Option<RecordId>,
    /// Those the asker may read.
    pub targets: Vec<ConvertedTarget>,
    /// The asker may change the record all the same.
    pub may_edit: bool,
}

/// A conversion that could be made now.
#[derive(Debug, Clone)]
pub struct Offer {
    pub conversion: String,
    pub targets: Vec<OfferedTarget>,
    /// What stands in the way as things are: `/targets/<id>/<field>`, `/record/<field>`.
    pub faults: Vec<FieldFault>,
}

/// One target of it.
#[derive(Debug, Clone)]
pub struct OfferedTarget {
    pub target: String,
    pub entity: EntityIx,
    /// The values it would be made with.
    pub input: Input,
    /// Records that look the same.
    pub similar: Vec<Duplicates>,
}

impl Records {
    /// Converts a record.
    ///
    /// # Errors
    /// What making the targets and changing the record may be refused with, all faults at once; `REC013` where the conversion is
    /// not offered, or the record was converted already.
    pub async fn convert(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        request: ConvertRequest,
        options: WriteOptions,
    ) -> Result<Converted, RecordError> {
        let from = catalog.whole();
        let digest: String = {
            let text = format!("convert {} {id} {:?} {request:?}", from.entity(entity).uid, options.if_match);
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (source, is_rehearsal) = (options.source, options.dry_run);
        let (request, options) = (Arc::new(request), Arc::new(options));
        self.run_whole(actor, source, is_rehearsal, move |tx| {
            let (from, digest, request, options) = (from.clone(), digest.clone(), request.clone(), options.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                if !moved.is_same {
                    return Err(RecordError::StaleCatalog);
                }
                let user = tx.actor().user_id();
                if let Some(key) = &options.idempotency_key {
                    match idempotency::begin(tx.store, user, key, &digest).await? {
                        idempotency::Seen::New => {}
                        idempotency::Seen::Mismatch => return Err(RecordError::KeyReused),
                        idempotency::Seen::Done { body, .. } => return Ok(remembered(tx.catalog(), &body)),
                    }
                }
                let converted = tx.convert_record(moved.entity, id, &request, &options).await?;
                if let Some(key) = &options.idempotency_key {
                    let body = remember(tx.catalog(), &converted);
                    idempotency::finish(tx.store, user, key, 200, &body).await?;
                }
                Ok(converted)
            })
        })
        .await
    }

    /// The conversions of a record that the actor could make now, with what they would make; nothing is written. None where
    /// the record was converted, or may not be changed.
    pub async fn offers(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Vec<Offer>, RecordError> {
        let from = catalog.whole();
        self.rehearse(actor, Source::Api, Vec::new(), move |tx| {
            let from = from.clone();
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                tx.offers(moved.entity, id).await
            })
        })
        .await
    }

    /// How a record was converted, as far as the actor may know. Ask only about one that may be read.
    pub async fn converted_into(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Option<ConvertedInto>, RecordError> {
        let whole = catalog.whole();
        let definition = whole.entity(entity);
        let Some(kept) = conversions::find(self.store(), id).await?.filter(|kept| kept.entity_uid == definition.uid) else {
            return Ok(None);
        };
        let mut targets = Vec::new();
        for target in targets_of(&whole, &kept.targets_json) {
            if self.reads(actor, catalog, target.entity, target.record).await? {
                targets.push(target);
            }
        }
        let editors = definition.find_conversion(&kept.conversion).map(|known| known.editors.as_slice()).unwrap_or_default();
        let may_edit = has_role(actor, editors);
        let by = (kept.actor != 0).then_some(RecordId(kept.actor));
        Ok(Some(ConvertedInto { conversion: kept.conversion, at: kept.at, by, targets, may_edit }))
    }
}

/// What of a conversion is kept: ids alone.
fn targets_json(catalog: &Catalog, targets: &[ConvertedTarget]) -> String {
    let one = |target: &ConvertedTarget| json!([target.target, catalog.entity(target.entity).uid, target.record.0, target.is_new]);
    Json::Array(targets.iter().map(one).collect()).to_string()
}

fn targets_of(catalog: &Catalog, text: &str) -> Vec<ConvertedTarget> {
    let kept: Vec<(String, String, i64, bool)> = serde_json::from_str(text).unwrap_or_default();
    let known = kept.into_iter().filter_map(|(target, uid, record, is_new)| {
        let entity = catalog.entities.iter().find(|entity| entity.uid == uid)?.ix;
        Some(ConvertedTarget { target, entity, record: RecordId(record), is_new, filled: Vec::new() })
    });
    known.collect()
}

/// The answer as it is kept for a request that is repeated.
fn remember(catalog: &Catalog, done: &Converted) -> String {
    let filled: Vec<&[String]> = done.targets.iter().map(|target| target.filled.as_slice()).collect();
    let targets = targets_json(catalog, &done.targets);
    json!({ "version": done.version, "targets": targets, "filled": filled, "carried": done.carried, "warnings": done.warnings }).to_string()
}

fn remembered(catalog: &Catalog, body: &str) -> Converted {
    let kept: Json = serde_json::from_str(body).unwrap_or_default();
    let texts = |value: Option<&Json>| -> Vec<String> {
        value.and_then(Json::as_array).into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut targets = targets_of(catalog, kept.get("targets").and_then(Json::as_str).unwrap_or_default());
    for (at, target) in targets.iter_mut().enumerate() {
        target.filled = texts(kept.get("filled").and_then(|filled| filled.get(at)));
    }
    Converted {
        version: kept.get("version").and_then(Json::as_i64).unwrap_or(0),
        targets,
        carried: kept.get("carried").and_then(Json::as_u64).unwrap_or(0),
        warnings: texts(kept.get("warnings")),
        replayed: true,
    }
}

fn refused(message: impl Into<String>) -> RecordError {
    RecordError::State { message: message.into() }
}

impl RecordTx<'_> {
    /// Converts a record, with the rights of whoever acts.
    ///
    /// # Errors
    /// See [`Records::convert`].
    pub async fn convert_record(
        &mut self,
        entity: EntityIx,
        id: RecordId,
        request: &ConvertRequest,
        options: &WriteOptions,
    ) -> Result<Converted, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let old = self.load_live(entity, id, Lock::Change).await?;
        self.expect_may(Action::Update, &old, None).await?;
        self.expect_version(&old, options).await?;
        let known = definition.find_conversion(&request.conversion);
        let conversion = known.ok_or_else(|| {
            let ids: Vec<&str> = definition.conversions.iter().map(|one| one.id.as_str()).collect();
            let message = format!("`{}` has no conversion `{}`; there are: {}", definition.slug, request.conversion, ids.join(", "));
            RecordError::fault(FieldFault::at("conversion", "unknown", message))
        })?;
        if conversions::find_in(self.store, id).await?.is_some() {
            return Err(refused(format!("this {} was converted already", definition.slug)));
        }
        let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        // What whoever converts may not read goes into nothing.
        let shown = self.shown(vec![old.clone()]).await?.pop().ok_or_else(missing)?;
        if let Some(when) = &conversion.when
            && !self.holds(when, &shown, None).await?
        {
            return Err(refused(format!("`{}` is not offered for this {} now", conversion.id, definition.slug)));
        }
        let mut work = Work::new(&compiled, conversion, &shown, options);
        self.make_targets(&mut work, request).await?;
        let saved = self.mark_converted(&mut work, old).await?;
        std::mem::take(&mut work.refusals).settle()?;
        let Some(saved) = saved else { return Err(refused("the record could not be changed")) };
        work.warnings.extend(saved.warnings);
        let carried = self.carry_along(&work).await?;
        if let Some(target) = conversion.shares.and_then(|at| work.there(at)).filter(|target| target.is_new) {
            let to = &compiled.entity(target.entity).uid;
            for share in shares::list_in(self.store, &definition.uid, id).await? {
                let share = shares::Share { id: self.mint(), ..share };
                shares::put(self.store, to, target.record, &share).await?;
            }
        }
        let targets = work.targets();
        if !conversion.is_repeated {
            let kept = conversions::Conversion {
                record: id,
                entity_uid: definition.uid.clone(),
                conversion: conversion.id.clone(),
                at: self.now(),
                actor: self.scope.actor.user_id(),
                targets_json: targets_json(&compiled.catalog, &targets),
            };
            conversions::put(self.store, &kept).await?;
        }
        let version = self.scope.versions.get(&(entity, id)).copied().unwrap_or(saved.version);
        Ok(Converted { version, targets, carried, warnings: work.warnings, replayed: false })
    }

    /// A converted record is changed only by those whom its conversion names.
    pub(super) async fn expect_unconverted(
        &mut self,
        entity: &Entity,
        id: RecordId,
        changed: &[FieldIx],
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        if entity.conversions.is_empty() || changed.iter().all(|field| entity.computed_order.contains(field)) {
            return Ok(());
        }
        let Some(kept) = conversions::find_in(self.store, id).await? else { return Ok(()) };
        let editors = entity.find_conversion(&kept.conversion).map(|known| known.editors.as_slice()).unwrap_or_default();
        if has_role(&self.scope.actor, editors) {
            return Ok(());
        }
        for field in changed.iter().filter(|field| !entity.computed_order.contains(field)) {
            let name = &entity.field(*field).name;
            let message = format!("`{name}` cannot be changed: this {} was converted", entity.slug);
            faults.push(FieldFault::at(name, "converted", message).with("field", name.as_str()));
        }
        Ok(())
    }
}
