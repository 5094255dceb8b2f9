//! Taking a merge apart: everything is as it was before, but what was changed since.

use std::sync::Arc;

use super::relink::{Relink, Stale};
use super::{MERGE_PREFIX, Unmerged, is_own_link, refused};
use crate::access::Action;
use crate::base::{EntityIx, RecordId};
use crate::record::convert::{from_json, link_id};
use crate::record::error::RecordError;
use crate::record::hooks::Record;
use crate::record::input::Input;
use crate::record::options::WriteOptions;
use crate::record::plan::Compiled;
use crate::record::prepare::Target;
use crate::record::unit::RecordTx;
use crate::schema::catalog::Entity;
use crate::schema::field_type;
use crate::store::compile::Lock;
use crate::store::merges;

impl RecordTx<'_> {
    pub(super) async fn unmerge_record(
        &mut self,
        entity: EntityIx,
        survivor: RecordId,
        id: RecordId,
        options: &WriteOptions,
    ) -> Result<Unmerged, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let no_merge = || RecordError::NotFound { entity: "merge".to_owned(), id: id.display(MERGE_PREFIX) };
        let found = merges::find(self.store, id).await?;
        let merge = found.filter(|merge| merge.entity_uid == definition.uid && merge.survivor == survivor).ok_or_else(no_merge)?;
        let mut ids = [merge.survivor, merge.loser];
        ids.sort_unstable();
        let records = self.load(entity, &ids, Lock::Remove).await?;
        let stays = records.iter().find(|record| record.id == merge.survivor);
        let gone = records.iter().find(|record| record.id == merge.loser);
        // Who may not read the one that stays is told of nothing.
        let Some(stays) = stays else { return Err(no_merge()) };
        self.expect_may(Action::Update, stays, None).await?;
        if merge.undone_at.is_some() {
            return Err(refused("this merge was undone already"));
        }
        if stays.is_deleted(definition) {
            let message = match merges::into_in(self.store, merge.survivor).await? {
                Some(next) => {
                    format!("this {} was merged into `{}` since: undo that first", definition.slug, next.display(&definition.prefix))
                }
                None => format!("this {} is in the recycle bin: restore it first", definition.slug),
            };
            return Err(refused(message));
        }
        let Some(gone) = gone.cloned() else {
            return Err(refused(format!("`{}` was deleted for good and cannot be brought back", merge.loser.display(&definition.prefix))));
        };
        self.expect_may(Action::Delete, &gone, None).await?;
        if !gone.is_deleted(definition) {
            return Err(refused(format!("`{}` is not in the recycle bin any more", merge.loser.display(&definition.prefix))));
        }
        self.expect_version(&stays.clone(), options).await?;
        let asker = self.raised();
        let done = self.take_apart(&compiled, stays.clone(), gone, &merge, options).await;
        self.scope.actor = asker;
        done
    }

    async fn take_apart(
        &mut self,
        compiled: &Arc<Compiled>,
        stays: Record,
        gone: Record,
        merge: &merges::Merge,
        options: &WriteOptions,
    ) -> Result<Unmerged, RecordError> {
        let entity = stays.entity;
        let definition = compiled.entity(entity);
        let own = WriteOptions { allow_duplicates: true, if_match: None, ..options.clone() };
        // A link to the one that comes back is set once it is there.
        let (mut input, mut later, mut kept_fields) = (Input::new(), Input::new(), Vec::new());
        let taken = crate::base::json::parse(merge.taken_json.as_bytes()).unwrap_or_default();
        for (uid, pair) in taken.as_object().into_iter().flatten() {
            let Some(field) = definition.fields.iter().find(|field| field.uid == *uid) else { continue };
            let now = field_type::to_json(&compiled.catalog, field, stays.get(field.ix));
            let before = pair.get(0).map(|before| from_json(&compiled.catalog, field, before));
            match before {
                Some(Ok(before)) if pair.get(1) == Some(&now) => {
                    let leads_back = is_own_link(definition, field.ix, entity) && link_id(&before) == Some(merge.loser);
                    if leads_back {
                        later.set(field.ix, before)
                    } else {
                        input.set(field.ix, before)
                    };
                }
                _ => kept_fields.push(field.name.clone()),
            }
        }
        let prepared = self.prepare(entity, Target::Update(stays), input, Vec::new(), &own).await?;
        self.write(prepared, &own).await?;
        let marked = merges::count(self.store, merge.id).await?;
        let mut stale = Stale::default();
        let back = Relink { compiled, entity, merge: merge.id, from: merge.survivor, to: merge.loser, options };
        let moved = self.move_links(&back, false, &mut stale).await?;
        merges::lead_shares_back(self.store, merge.id, (merge.survivor, merge.loser)).await?;
        merges::note_undone(self.store, merge.id).await?;
        // Its version may have grown, where it was linked to the other itself.
        let gone = self.load_one(entity, gone.id).await?.unwrap_or(gone);
        let below = WriteOptions { source: options.source, without_hooks: options.without_hooks, ..WriteOptions::default() };
        self.bring_back(compiled, gone, &below, 0).await?;
        if !later.is_empty() {
            let stays = self.load_live(entity, merge.survivor, Lock::Change).await?;
            let prepared = self.prepare(entity, Target::Update(stays), later, Vec::new(), &own).await?;
            self.write(prepared, &own).await?;
        }
        stale.put(entity, merge.survivor);
        stale.put(entity, merge.loser);
        self.settle_stale(compiled, stale).await?;
        Ok(Unmerged { from: merge.loser, survivor: merge.survivor, moved, kept_fields, kept_links: marked.saturating_sub(moved) })
    }

    /// A record that went into another comes back by taking the merge apart, not by itself.
    pub(in crate::record) async fn expect_not_merged(&mut self, entity: &Entity, id: RecordId) -> Result<(), RecordError> {
        match merges::into_in(self.store, id).await? {
            Some(into) => {
                let into = into.display(&entity.prefix);
                Err(refused(format!("this {} was merged into `{into}`: undo that merge to bring it back", entity.slug)))
            }
            None => Ok(()),
        }
    }
}
