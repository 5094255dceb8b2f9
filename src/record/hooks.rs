//! What `record` asks of a higher room: scripts on record events. `automation` implements [`RecordHooks`].

use std::future::Future;
use std::pin::Pin;

use super::error::{FieldFault, RecordError};
use super::input::Nested;
use super::unit::RecordTx;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One record in memory: a value for each field of its entity, by [`FieldIx`]. Fields that live in other tables
/// (children, links) are null here; multi-select, tags and files are loaded when the entity has hooks or needs them.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub entity: EntityIx,
    pub id: RecordId,
    pub version: i64,
    pub values: Vec<Value>,
}

impl Record {
    pub fn get(&self, field: FieldIx) -> &Value {
        self.values.get(field.0 as usize).unwrap_or(&Value::Null)
    }

    pub fn is_deleted(&self, entity: &Entity) -> bool {
        entity.by_name.get("deleted_at").is_some_and(|field| !self.get(*field).is_null())
    }
}

/// A record about to be saved. A `before_save` hook may change `values` and add faults and warnings.
#[derive(Debug, Clone)]
pub struct Draft {
    pub entity: EntityIx,
    pub id: RecordId,
    /// Wanted values by [`FieldIx`]; what hooks change here is validated like everything else.
    pub values: Vec<Value>,
    /// The stored record; `None` on create.
    pub old: Option<Record>,
    /// Nested records of the request, not written yet.
    pub children: Vec<(FieldIx, Nested)>,
    /// What `reject` collected: the save is refused when there is one.
    pub faults: Vec<FieldFault>,
    /// What `warn` collected: told to the person, refuses nothing.
    pub warnings: Vec<String>,
    /// Fields a script set, for the history (`by: script`).
    pub by_script: Vec<FieldIx>,
}

impl Draft {
    /// The draft as a record with this version.
    pub(super) fn record(&self, version: i64) -> Record {
        Record { entity: self.entity, id: self.id, version, values: self.values.clone() }
    }

    pub fn get(&self, field: FieldIx) -> &Value {
        self.values.get(field.0 as usize).unwrap_or(&Value::Null)
    }

    /// Sets a value on behalf of a script.
    pub fn set(&mut self, field: FieldIx, value: Value) {
        if let Some(place) = self.values.get_mut(field.0 as usize)
            && *place != value
        {
            *place = value;
            if !self.by_script.contains(&field) {
                self.by_script.push(field);
            }
        }
    }

    /// Fields whose value differs from the stored record (all that are not null on create).
    pub fn changed(&self) -> Vec<FieldIx> {
        let old = self.old.as_ref().map(|old| old.values.as_slice());
        (0..self.values.len())
            .filter(|ix| match old.and_then(|old| old.get(*ix)) {
                Some(before) => *before != self.values[*ix],
                None => !self.values[*ix].is_null(),
            })
            .map(|ix| FieldIx(u32::try_from(ix).unwrap_or(u32::MAX)))
            .collect()
    }

    /// Adds a fault at a field (or the whole record).
    pub fn reject(&mut self, entity: &Entity, field: Option<FieldIx>, code: &str, message: &str) {
        self.faults.push(match field {
            Some(field) => FieldFault::at(&entity.field(field).name, code, message),
            None => FieldFault::whole(code, message),
        });
    }
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    Create,
    Update,
    Delete,
    Restore,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Create => "create",
            EventKind::Update => "update",
            EventKind::Delete => "delete",
            EventKind::Restore => "restore",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [EventKind::Create, EventKind::Update, EventKind::Delete, EventKind::Restore].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A written change, inside its transaction.
#[derive(Debug, Clone)]
pub struct RecordEvent {
    pub kind: EventKind,
    pub entity: EntityIx,
    pub id: RecordId,
    pub version: i64,
    /// `None` for a create.
    pub old: Option<Record>,
    /// As it stands now (for a delete: as it was).
    pub record: Record,
    pub changed: Vec<FieldIx>,
}

/// Where hooks may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPoint {
    BeforeSave,
    BeforeDelete,
    AfterWrite,
    AfterCommit,
}

/// Scripts and automations on record events. A hook gets the unit of work as an argument and stores no handle to the
/// record service.
pub trait RecordHooks: Send + Sync {
    /// Whether a hook of this entity could run at this point. Answered from the catalog alone: what it says decides what is loaded.
    fn matches(&self, catalog: &Catalog, entity: EntityIx, point: HookPoint) -> bool;

    /// May change the draft or reject it; may read through `tx`, must not write.
    fn before_save<'a>(&'a self, tx: &'a mut RecordTx<'_>, draft: &'a mut Draft) -> BoxFuture<'a, Result<(), RecordError>>;

    /// May refuse the delete by an error; may read through `tx`, must not write.
    fn before_delete<'a>(&'a self, tx: &'a mut RecordTx<'_>, record: &'a Record) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Runs after the row is written, in the same transaction; may read and write through `tx`.
    fn after_write<'a>(&'a self, tx: &'a mut RecordTx<'_>, event: &'a RecordEvent) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Names of the handlers that want this event after the commit. Each becomes one job of kind
    /// [`DELIVER`](crate::record::DELIVER) in the same transaction, ordered per record and tried again on its own;
    /// its payload is a [`Delivery`](crate::record::Delivery).
    fn deliveries(&self, catalog: &Catalog, event: &RecordEvent) -> Vec<String>;
}

/// No hooks at all, for imports of raw data and for tests.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoHooks;

impl RecordHooks for NoHooks {
    fn matches(&self, _: &Catalog, _: EntityIx, _: HookPoint) -> bool {
        false
    }

    fn before_save<'a>(&'a self, _: &'a mut RecordTx<'_>, _: &'a mut Draft) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async { Ok(()) })
    }

    fn before_delete<'a>(&'a self, _: &'a mut RecordTx<'_>, _: &'a Record) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async { Ok(()) })
    }

    fn after_write<'a>(&'a self, _: &'a mut RecordTx<'_>, _: &'a RecordEvent) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async { Ok(()) })
    }

    fn deliveries(&self, _: &Catalog, _: &RecordEvent) -> Vec<String> {
        Vec::new()
    }
}
