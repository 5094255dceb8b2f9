//! Someone leaves: they can no longer sign in, and another person takes over what is theirs.

use serde_json::json;

use super::{Auth, AuthError, person};
use crate::access::Actor;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::query;
use crate::record::{Input, ManyUpdate, OneUpdate, Source, WriteOptions};
use crate::schema::catalog::{Catalog, FieldType};
use crate::store::audit::{self, Entry};
use crate::store::{credentials, setup};

/// Records of one unit of work.
const AT_ONCE: u32 = 200;

/// Records of one entity that name a person in one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub entity: EntityIx,
    pub field: FieldIx,
    pub count: i64,
}

/// What became of a person's records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handover {
    pub moved: u64,
    /// Refused by rules or scripts of the definitions; they stay as they were.
    pub left: u64,
}

impl Auth {
    /// The live records that name a person as owner or in another field of people: what a successor would take over. Where
    /// there are none, nothing is told.
    pub async fn records_of(&self, actor: &Actor, user: RecordId) -> Result<Vec<Held>, AuthError> {
        let catalog = self.records.catalog();
        let mut held = Vec::new();
        for (entity, field) in places(&catalog) {
            let asked = json!({ "filter": filter(&catalog, entity, field, user), "measures": ["count()"] });
            let request = query::parse_aggregate_json(&catalog, entity, &asked).map_err(|_| unreadable())?;
            let rows = self.records.aggregate(actor, &catalog, request).await?;
            let counted = rows.first().and_then(|row| row.as_object()).and_then(|row| row.values().next().cloned());
            let count = counted.and_then(|count| count.as_i64().or_else(|| count.as_str()?.parse().ok())).unwrap_or(0);
            if count > 0 {
                held.push(Held { entity, field, count });
            }
        }
        Ok(held)
    }

    /// Shuts a person out at once, on every node, and hands their records to `heir`. Their tokens stop working, their
    /// invitations end.
    ///
    /// # Errors
    /// `ATH015` for an heir who is not active or the same person; what the record service refuses (the last administrator).
    pub async fn deactivate(&self, actor: &Actor, user: RecordId, heir: Option<RecordId>) -> Result<Handover, AuthError> {
        if let Some(heir) = heir {
            let takes = person::get(&self.records, heir).await?.is_some_and(|person| person.active);
            if !takes || heir == user {
                return Err(AuthError::BadHeir);
            }
        }
        self.set_active(actor, user, false).await?;
        self.store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    credentials::raise_epoch(tx, user.0).await?;
                    Ok(setup::end_links_of(tx, user.0).await?)
                })
            })
            .await?;
        match heir {
            Some(heir) => {
                let done = self.hand_over(actor, user, heir).await?;
                let entry = Entry::new("records.handover").on("core.user", user.0).fact("to", heir.0);
                audit::note(&self.store, entry.fact("moved", done.moved).fact("left", done.left)).await?;
                Ok(done)
            }
            None => Ok(Handover::default()),
        }
    }

    /// Lets someone in again; sessions from before stay ended.
    pub async fn reactivate(&self, actor: &Actor, user: RecordId) -> Result<(), AuthError> {
        self.set_active(actor, user, true).await
    }

    async fn set_active(&self, actor: &Actor, user: RecordId, active: bool) -> Result<(), AuthError> {
        let catalog = self.records.catalog();
        let entity = person::user_entity(&catalog)?;
        let field = entity.find_field("active").ok_or_else(|| AuthError::Internal("`core.user` has no field `active`".into()))?;
        let mut input = Input::new();
        input.set(field.ix, Value::Bool(active));
        self.records.update(actor, &catalog, entity.ix, user, input, WriteOptions::from(Source::System)).await?;
        Ok(())
    }

    /// Page by page, each a unit of work; what is refused is left and told.
    async fn hand_over(&self, actor: &Actor, user: RecordId, heir: RecordId) -> Result<Handover, AuthError> {
        let catalog = self.records.catalog();
        let mut handover = Handover::default();
        for (entity, field) in places(&catalog) {
            let mut cursor: Option<String> = None;
            loop {
                let mut asked = json!({ "filter": filter(&catalog, entity, field, user), "select": "id", "limit": AT_ONCE });
                if let Some(cursor) = &cursor {
                    asked["cursor"] = cursor.as_str().into();
                }
                let request = query::parse_list_json(&catalog, self.records.cursor_key(), entity, &asked).map_err(|_| unreadable())?;
                let page = self.records.list(actor, &catalog, request).await?;
                let update = |id| {
                    let mut set = Input::new();
                    set.set(field, Value::Link(heir));
                    OneUpdate { id, version: None, set }
                };
                let updates: Vec<OneUpdate> = page.iter().map(|row| update(row.id())).collect();
                if updates.is_empty() {
                    break;
                }
                let options = WriteOptions::from(Source::System);
                let done = self.records.update_many(actor, &catalog, entity, ManyUpdate::Each(updates), options).await?;
                handover.moved += done.changed() as u64;
                handover.left += done.failed() as u64;
                cursor.clone_from(&page.next_cursor);
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(handover)
    }
}

/// Fields that name people and can be written: owners, assignees and the like. Who leads a team or manages whom is decided
/// anew by those who stay.
fn places(catalog: &Catalog) -> Vec<(EntityIx, FieldIx)> {
    let entities = catalog.entities.iter().filter(|entity| !matches!(entity.id.as_str(), "core.user" | "core.team"));
    entities
        .flat_map(|entity| {
            let names_people = |ty: &FieldType| match ty {
                FieldType::User { .. } => true,
                FieldType::Link { to, .. } => catalog.entity(*to).id == "core.user",
                _ => false,
            };
            let fields = entity.fields.iter().filter(move |field| !field.read_only && !field.columns.is_empty() && names_people(&field.ty));
            fields.map(|field| (entity.ix, field.ix))
        })
        .collect()
}

fn filter(catalog: &Catalog, entity: EntityIx, field: FieldIx, user: RecordId) -> String {
    let prefix = catalog.find_entity("core.user").map_or("user", |user| user.prefix.as_str());
    format!("{} = '{}'", catalog.entity(entity).field(field).name, user.display(prefix))
}

fn unreadable() -> AuthError {
    AuthError::Internal("records of a person could not be asked for".into())
}
