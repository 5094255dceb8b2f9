//! Reading what happened, and titles.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::error::RecordError;
use super::history::{FieldChange, HistoryEntry, HistoryPage};
use super::plan::Compiled;
use super::rights::{Eyes, Seen, names_others};
use super::sealing::open_changes;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Action, Actor, Granted, authorise_list};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{Node, Path, Root, Type, Typed};
use crate::query::{Count, Deleted, GetRequest, Item, ListRequest, Paging, Select};
use crate::schema::catalog::{Actions, Catalog, Entity, Field, FieldType};
use crate::store::{compile, files, history};

impl RecordTx<'_> {
    /// API names of the fields that changed after a version, as far as the history tells.
    pub(super) async fn changed_since(&mut self, entity: &Entity, id: RecordId, version: i64) -> Result<Vec<String>, RecordError> {
        let mut names = BTreeSet::new();
        for entry in history::since(self.store, id, version).await? {
            names.extend(changes_of(entity, &entry.changes_json).into_iter().map(|change| change.field));
        }
        self.readable_names(entity, id, names.into_iter().collect()).await
    }
}

impl Records {
    /// The record's changes, newest first. A record in the recycle bin still has its history.
    pub async fn history(
        &self,
        actor: &Actor,
        entity: EntityIx,
        id: RecordId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<HistoryPage, RecordError> {
        let catalog = self.catalog();
        let Some(definition) = catalog.entities.get(entity.0 as usize) else {
            return Err(RecordError::NotFound { entity: String::new(), id: id.to_string() });
        };
        let request = GetRequest { entity, id, select: only_id(definition), deleted: Deleted::All };
        if self.get(actor, &catalog, request).await?.is_none() {
            return Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) });
        }
        let before = match cursor {
            None => None,
            Some(text) => {
                let version = text.strip_prefix('v').and_then(|number| number.parse::<i64>().ok()).filter(|version| *version > 0);
                Some(version.ok_or_else(|| RecordError::BadRequest {
                    message: "the cursor is not one this history gave".to_owned(),
                    hint: Some("start again without `cursor`".to_owned()),
                })?)
            }
        };
        let limit = limit.clamp(1, 200);
        let mut found = history::list(self.store(), id, before, limit + 1).await?;
        let has_more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next_cursor = if has_more { found.last().map(|entry| format!("v{}", entry.version)) } else { None };
        let sight = self.sight(actor, &catalog, entity, &[id]).await?;
        let is_shown = |change: &FieldChange| sight.as_ref().is_none_or(|sight| sight.shows(definition, id, &change.field));
        let mut entries: Vec<HistoryEntry> = found
            .into_iter()
            .map(|entry| HistoryEntry {
                version: entry.version,
                kind: entry.action,
                at: entry.at,
                by: (entry.actor != 0).then_some(RecordId(entry.actor)),
                source: entry.actor_kind,
                changes: changes_of(definition, &entry.changes_json).into_iter().filter(is_shown).collect(),
            })
            .collect();
        let changes = entries.iter_mut().flat_map(|entry| entry.changes.iter_mut()).collect();
        open_changes(self.store(), definition, changes).await?;
        let shown = entries.iter().flat_map(|entry| &entry.changes).filter_map(|change| Some(definition.find_field(&change.field)?.ix));
        self.witness_fields(actor, &self.compiled(&catalog), entity, id, shown).await?;
        Ok(HistoryPage { entries, next_cursor })
    }

    /// Titles of records, for links shown in pages: one statement an entity. Unknown ones are absent.
    pub async fn titles(&self, actor: &Actor, ids: &[(EntityIx, RecordId)]) -> Result<HashMap<RecordId, String>, RecordError> {
        let catalog = self.catalog();
        let mut by_entity: HashMap<EntityIx, BTreeSet<RecordId>> = HashMap::new();
        for (entity, id) in ids {
            by_entity.entry(*entity).or_default().insert(*id);
        }
        let mut titles = HashMap::new();
        for (entity, ids) in by_entity {
            let Some(definition) = catalog.entities.get(entity.0 as usize) else {
                continue;
            };
            if actor.standing(&catalog)?.part().is_some_and(|granted| !granted.entity(entity).actions().is_any()) {
                continue;
            }
            let Some(id_field) = definition.find_field("id").map(|field| field.ix) else {
                continue;
            };
            let ids: Vec<RecordId> = ids.into_iter().collect();
            for part in ids.chunks(500) {
                let request = ListRequest {
                    entity,
                    select: Select { entity, items: vec![Item::Field(id_field), Item::Title] },
                    filter: Some(one_of(definition, id_field, part)),
                    sort: Vec::new(),
                    paging: Paging::First,
                    limit: u32::try_from(part.len()).unwrap_or(500),
                    count: Count::None,
                    search: None,
                    deleted: Deleted::All,
                    digest: [0; 8],
                };
                let authorised = authorise_list(&catalog, actor, request)?;
                let plan = compile::list(&catalog, self.store().dialect(), &authorised, &self.context(&catalog, actor));
                let page = compile::fetch_list(&mut compile::Source::Store(self.store()), &plan, self.cursor_key()).await?;
                titles.extend(page.rows.iter().filter_map(|row| Some((row.id(), row.title()?))));
            }
        }
        Ok(titles)
    }

    /// Live records with their titles and the values of some fields, as far as they may be read: one statement an entity.
    ///
    /// # Errors
    /// As [`Records::list`].
    pub async fn some(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        ids: &[RecordId],
        fields: &[FieldIx],
    ) -> Result<Vec<(RecordId, String, Vec<Value>)>, RecordError> {
        let definition = catalog.entity(entity);
        let Some(id) = definition.find_field("id").map(|field| field.ix) else { return Ok(Vec::new()) };
        let mut items = vec![Item::Field(id), Item::Title];
        items.extend(fields.iter().map(|field| Item::Field(*field)));
        let request = ListRequest {
            entity,
            select: Select { entity, items },
            filter: Some(one_of(definition, id, ids)),
            sort: Vec::new(),
            paging: Paging::First,
            limit: u32::try_from(ids.len()).unwrap_or(500),
            count: Count::None,
            search: None,
            deleted: Deleted::Live,
            digest: [0; 8],
        };
        let page = self.list(actor, catalog, request).await?;
        let found = page.iter().map(|row| {
            let values = fields.iter().map(|field| row.value(*field).unwrap_or_default()).collect();
            (row.id(), row.title().unwrap_or_default(), values)
        });
        Ok(found.collect())
    }
}

/// What an actor may know of some records of one entity, as things stand now.
pub(super) struct Sight {
    granted: Arc<Granted>,
    seen: HashMap<RecordId, Seen>,
}

impl Sight {
    pub fn sees(&self, id: RecordId) -> bool {
        self.seen.contains_key(&id)
    }

    /// Whether a field, by name, may be told of a record. What is gone from the definitions has no rights any more.
    pub fn shows(&self, entity: &Entity, id: RecordId, field: &str) -> bool {
        let Some(field) = entity.find_field(field).map(|field| field.ix) else { return false };
        self.seen.get(&id).is_some_and(|seen| !seen.hides(field)) && !names_others(&self.granted, entity, field)
    }
}

impl Records {
    /// `None`: nothing is kept from the actor.
    pub(super) async fn sight(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        ids: &[RecordId],
    ) -> Result<Option<Sight>, RecordError> {
        let Some(granted) = actor.standing(catalog)?.part().cloned() else { return Ok(None) };
        let compiled = self.compiled(catalog);
        let seen = self.eyes(&compiled, &granted, actor).seen(entity, ids).await?;
        Ok(Some(Sight { granted, seen }))
    }

    /// Looks at records outside of a unit of work.
    pub(super) fn eyes<'a>(&'a self, compiled: &'a Compiled, granted: &'a Granted, actor: &Actor) -> Eyes<'a> {
        Eyes {
            source: compile::Source::Store(self.store()),
            dialect: self.store().dialect(),
            compiled,
            granted,
            now: self.clock().now(),
            zone: compiled.zone.clone(),
            me: actor.user,
        }
    }

    /// What an actor may do with one record. `catalog` is the one the request was read with.
    pub async fn may(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Actions, RecordError> {
        let catalog = catalog.whole();
        let Some(granted) = actor.standing(&catalog)?.part().cloned() else { return Ok(Actions::ALL) };
        let compiled = self.compiled(&catalog);
        let mut may = granted.entity(entity).actions();
        for (action, place) in [
            (Action::Update, &mut may.update),
            (Action::Delete, &mut may.delete),
            (Action::Share, &mut may.share),
            (Action::Admin, &mut may.admin),
        ] {
            if *place {
                let grants = self.eyes(&compiled, &granted, actor).grants(action, entity, id).await?;
                *place = grants.is_some_and(|grants| !grants.is_empty());
            }
        }
        Ok(may)
    }

    /// Whether an actor may read some record through a field that holds the file.
    pub async fn reads_file(&self, actor: &Actor, file: RecordId) -> Result<bool, RecordError> {
        let catalog = self.catalog();
        let Some(granted) = actor.standing(&catalog)?.part().cloned() else { return Ok(true) };
        for entity in catalog.entities.iter().filter(|entity| granted.entity(entity.ix).actions().read) {
            for field in entity.fields.iter().filter(|field| matches!(field.ty, FieldType::File { .. } | FieldType::Image { .. })) {
                let holders = files::holders(self.store(), field, file.0).await?;
                let sight = self.sight(actor, &catalog, entity.ix, &holders).await?;
                let Some(sight) = sight else { return Ok(true) };
                if holders.iter().any(|id| sight.seen.get(id).is_some_and(|seen| !seen.hides(field.ix))) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// `id in (…)`.
fn one_of(entity: &Entity, id_field: crate::base::FieldIx, ids: &[RecordId]) -> Typed {
    let ty = Type::Link(vec![entity.ix]);
    let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field: id_field, part: None });
    let item = Box::new(Typed::new(ty.clone(), path, 0..0));
    let list = ids.iter().map(|id| Typed::literal(ty.clone(), Value::Link(*id))).collect();
    Typed::new(Type::Bool, Node::In { item, list }, 0..0)
}

pub(super) fn only_id(entity: &Entity) -> Select {
    let items = entity.find_field("id").map(|field| Item::Field(field.ix)).into_iter().collect();
    Select { entity: entity.ix, items }
}

pub(super) fn field_of<'e>(entity: &'e Entity, uid: &str) -> Option<&'e Field> {
    entity.fields.iter().find(|field| field.uid == uid).or_else(|| entity.find_field(uid))
}

/// The changes of one entry with the fields' present names; a field that is gone goes by its uid.
fn changes_of(entity: &Entity, changes_json: &str) -> Vec<FieldChange> {
    let Ok(Json::Object(map)) = crate::base::json::parse(changes_json.as_bytes()) else {
        return Vec::new();
    };
    map.into_iter()
        .map(|(uid, pair)| FieldChange {
            field: field_of(entity, &uid).map_or(uid, |field| field.name.clone()),
            old: pair.get(0).cloned().unwrap_or(Json::Null),
            new: pair.get(1).cloned().unwrap_or(Json::Null),
            by_script: pair.get(2) == Some(&Json::Bool(true)),
        })
        .collect()
}

/// A catalog's entity that is the same as another catalog's.
pub(super) fn same_entity<'c>(from: &Entity, to: &'c Catalog) -> Option<&'c Entity> {
    to.entities.iter().find(|entity| entity.uid == from.uid && !from.uid.is_empty()).or_else(|| to.find_entity(&from.id))
}
