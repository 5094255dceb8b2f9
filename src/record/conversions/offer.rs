//! What a record could be converted into, as things are.

use std::sync::Arc;

use super::work::Work;
use super::{ConvertRequest, Offer, OfferedTarget};
use crate::access::Action;
use crate::base::{EntityIx, RecordId};
use crate::record::error::{FieldFault, RecordError};
use crate::record::hooks::Record;
use crate::record::options::WriteOptions;
use crate::record::plan::Compiled;
use crate::record::unit::RecordTx;
use crate::schema::catalog::{Conversion, Existing};
use crate::store::compile::Lock;
use crate::store::conversions;

impl RecordTx<'_> {
    pub(super) async fn offers(&mut self, entity: EntityIx, id: RecordId) -> Result<Vec<Offer>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let old = self.load_live(entity, id, Lock::None).await?;
        let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        let shown = self.shown(vec![old.clone()]).await?.pop().ok_or_else(missing)?;
        match self.expect_may(Action::Update, &old, None).await {
            Err(RecordError::Access(_)) => return Ok(Vec::new()),
            other => other?,
        }
        if definition.conversions.is_empty() || conversions::find_in(self.store, id).await?.is_some() {
            return Ok(Vec::new());
        }
        let mut offers = Vec::new();
        for conversion in &definition.conversions {
            let is_offered = match &conversion.when {
                Some(when) => self.holds(when, &shown, None).await?,
                None => true,
            };
            if is_offered {
                offers.push(self.offer(&compiled, conversion, &old, &shown).await?);
            }
        }
        Ok(offers)
    }

    async fn offer(
        &mut self,
        compiled: &Arc<Compiled>,
        conversion: &Conversion,
        old: &Record,
        shown: &Record,
    ) -> Result<Offer, RecordError> {
        let options = WriteOptions { allow_duplicates: true, ..WriteOptions::default() };
        let mut work = Work::new(compiled, conversion, shown, &options);
        let mut targets = Vec::new();
        for target in &conversion.targets {
            if let Some(when) = &target.when
                && !self.holds(when, shown, None).await?
            {
                continue;
            }
            let input = self.mapped(&work, target).await?;
            let similar = match target.existing {
                Existing::Never => Vec::new(),
                Existing::Ask | Existing::Use => self.similar_to(&work, target, &input, &[]).await?,
            };
            targets.push(OfferedTarget { target: target.id.clone(), entity: target.entity, input, similar });
        }
        // What stands in the way is found by making it.
        self.begin_part().await?;
        let tried = self.try_out(&mut work, old).await;
        self.rollback_part().await?;
        let faults = match tried.and_then(|()| work.refusals.settle()) {
            Ok(()) | Err(RecordError::Duplicate { .. }) => Vec::new(),
            Err(error) if error.faults().is_empty() => vec![FieldFault::whole("refused", error.to_string())],
            Err(error) => error.faults(),
        };
        Ok(Offer { conversion: conversion.id.clone(), targets, faults })
    }

    async fn try_out(&mut self, work: &mut Work<'_>, old: &Record) -> Result<(), RecordError> {
        self.make_targets(work, &ConvertRequest::default()).await?;
        self.mark_converted(work, old.clone()).await?;
        Ok(())
    }
}
