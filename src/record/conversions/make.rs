//! Making the targets of a conversion, marking its record, and leading along what hangs on it.

use super::work::{Linked, Slot, Work, copied, lay_over, link_value};
use super::{Choice, ConvertRequest, ConvertedTarget};
use crate::access::Action;
use crate::base::{EntityIx, RecordId, Value};
use crate::expr::{Type, Typed};
use crate::record::duplicates::Duplicates;
use crate::record::error::{ErrorKind, FieldFault, RecordError, pointer};
use crate::record::hooks::Record;
use crate::record::input::{Input, Nested, NestedItem, Others};
use crate::record::options::{Saved, WriteOptions};
use crate::record::prepare::{Given, Target};
use crate::record::rights::{asked, refused};
use crate::record::unit::RecordTx;
use crate::schema::catalog::{Catalog, ConversionTarget, CopiedRows, Existing, FieldType, GivenValue, Mapped, MappedValue};
use crate::store::compile::Lock;

/// Records of one kind that lead elsewhere with one conversion.
const MOST_CARRIED: u32 = 500;
/// Records that one conversion makes below a target, of one kind.
const MOST_ROWS: u32 = 500;

impl RecordTx<'_> {
    /// Makes or finds the targets, in their order. What is wrong with one is noted, and the others are looked at all the same.
    pub(super) async fn make_targets(&mut self, work: &mut Work<'_>, request: &ConvertRequest) -> Result<(), RecordError> {
        let conversion = work.conversion;
        for (name, _) in &request.targets {
            if !conversion.targets.iter().any(|target| target.id == *name) {
                let message = format!("`{}` has no target `{name}`", conversion.id);
                let fault = FieldFault::at(name, "unknown_target", message).with("target", name.as_str());
                work.refusals.faults.push(fault.below("/targets"));
            }
        }
        for target in &conversion.targets {
            let choice = request.targets.iter().find(|(name, _)| *name == target.id).map(|(_, choice)| choice);
            let is_offered = match &target.when {
                Some(when) => self.holds(when, work.record, None).await?,
                None => true,
            };
            let slot = match choice {
                Some(Choice::Use(_) | Choice::Make(_)) if !is_offered => {
                    work.refuse(target, "target_not_offered", format!("`{}` is not made of this record", target.id))
                }
                _ if !is_offered => Slot::Absent,
                Some(Choice::Leave) if target.is_optional => Slot::Absent,
                Some(Choice::Leave) => work.refuse(target, "target_required", format!("`{}` cannot be left out", target.id)),
                Some(Choice::Use(_)) if target.existing == Existing::Never => {
                    work.refuse(target, "target_new", format!("`{}` is always a new record", target.id))
                }
                Some(Choice::Use(id)) => self.use_target(work, target, *id).await?,
                Some(Choice::Make(input)) => self.make_target(work, target, Some(input)).await?,
                None if target.is_optional && !self.may_make(target.entity)? => Slot::Absent,
                None => self.make_target(work, target, None).await?,
            };
            work.slots.push(slot);
        }
        Ok(())
    }

    /// Whether the actor may make records of an entity at all.
    fn may_make(&self, entity: EntityIx) -> Result<bool, RecordError> {
        Ok(self.granted()?.is_none_or(|granted| granted.entity(entity).actions().create))
    }

    async fn make_target(&mut self, work: &mut Work<'_>, target: &ConversionTarget, own: Option<&Input>) -> Result<Slot, RecordError> {
        let mut input = self.mapped(work, target).await?;
        if let Some(own) = own {
            lay_over(&mut input, own);
        }
        let Linked { mut given, lists, lost } = work.linked(target);
        given.retain(|(field, _)| own.is_none_or(|own| own.get(*field).is_none()));
        for (field, value) in lists {
            if !asked(&input).any(|known| known == field) {
                input.set(field, value);
            }
        }
        if own.is_none() && target.existing == Existing::Use {
            let similar = self.similar_to(work, target, &input, &given).await?;
            let mut ids: Vec<&str> = similar.iter().flat_map(|one| &one.records).map(|one| one.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            if let ([id], false) = (ids.as_slice(), similar.iter().any(|one| one.has_hidden))
                && let Some((_, id)) = RecordId::parse(id)
            {
                return self.use_target(work, target, id).await;
            }
        }
        match self.write_part(target.entity, None, input, given, &work.options).await? {
            Ok(saved) => {
                work.warnings.extend(saved.warnings);
                let (record, target_id) = (saved.id, target.id.clone());
                Ok(Slot::There(ConvertedTarget { target: target_id, entity: target.entity, record, is_new: true, filled: Vec::new() }))
            }
            Err(error) => {
                work.refusals.keep(error, &Work::place(target), &lost)?;
                Ok(Slot::Failed)
            }
        }
    }

    /// A record that is there stands for the target.
    async fn use_target(&mut self, work: &mut Work<'_>, target: &ConversionTarget, id: RecordId) -> Result<Slot, RecordError> {
        let definition = work.compiled.entity(target.entity);
        if self.get(target.entity, id).await?.is_none() {
            let shown = id.display(&definition.prefix);
            let fault = FieldFault::whole("not_found", format!("there is no {} `{shown}`", definition.slug));
            let fault = fault.with("entity", definition.slug.as_str()).with("id", shown);
            work.refusals.faults.push(fault.below(&Work::place(target)));
            return Ok(Slot::Failed);
        }
        let mut used = ConvertedTarget { target: target.id.clone(), entity: target.entity, record: id, is_new: false, filled: Vec::new() };
        if !target.fills {
            return Ok(Slot::There(used));
        }
        let mut input = self.mapped(work, target).await?;
        // What is below it is its own already.
        input.children.clear();
        let Linked { mut given, .. } = work.linked(target);
        let old = self.load_live(target.entity, id, Lock::Change).await?;
        input.values.retain(|(field, value)| !value.is_empty() && old.get(*field).is_empty());
        given.retain(|(field, _)| old.get(*field).is_empty());
        let mut wanted = input.clone();
        for (field, value) in &given {
            wanted.set(*field, value.clone());
        }
        // What whoever converts may not change stays as it is: the record is used all the same.
        let may = match self.expect_may(Action::Update, &old, Some(&wanted)).await {
            Ok(()) => !wanted.is_empty(),
            Err(RecordError::Access(_)) => false,
            Err(other) => return Err(other),
        };
        if !may {
            return Ok(Slot::There(used));
        }
        match self.write_part(target.entity, Some(old), input, given, &work.options).await? {
            Ok(saved) => {
                let names = asked(&wanted).filter(|field| saved.changed.contains(field));
                used.filled = names.map(|field| definition.field(field).name.clone()).collect();
                Ok(Slot::There(used))
            }
            Err(error) => {
                work.refusals.keep(error, &Work::place(target), &[])?;
                Ok(Slot::Failed)
            }
        }
    }

    /// Writes one record as a part of its own, so that what is refused leaves nothing and the others can be looked at.
    async fn write_part(
        &mut self,
        entity: EntityIx,
        old: Option<Record>,
        input: Input,
        given: Vec<Given>,
        options: &WriteOptions,
    ) -> Result<Result<Saved, RecordError>, RecordError> {
        self.begin_part().await?;
        let target = match old {
            Some(old) => Target::Update(old),
            None => Target::Create(self.mint()),
        };
        let done = match self.prepare(entity, target, input, given, options).await {
            Ok(prepared) => self.write(prepared, options).await,
            Err(error) => Err(error),
        };
        match done.is_ok() {
            true => self.keep_part().await?,
            false => self.rollback_part().await?,
        }
        Ok(done)
    }

    /// The values a target is made with.
    pub(super) async fn mapped(&mut self, work: &Work<'_>, target: &ConversionTarget) -> Result<Input, RecordError> {
        let mut input = self.mapped_values(work, &target.values, target.entity, work.record).await?;
        for rows in &target.rows {
            let items = self.mapped_rows(work, rows).await?;
            if !items.is_empty() {
                input.children.push((rows.into, Nested { items, others: Others::Keep }));
            }
        }
        Ok(input)
    }

    /// What is made below a target: one record for each below the one that is converted, of those whoever converts may read.
    async fn mapped_rows(&mut self, work: &Work<'_>, rows: &CopiedRows) -> Result<Vec<NestedItem>, RecordError> {
        let found = self.load_by(rows.of, rows.by, &[work.record.id], MOST_ROWS + 1, Lock::None).await?;
        if found.len() > MOST_ROWS as usize {
            let what = format!("records of {} that a conversion makes anew", work.compiled.entity(rows.of).slug);
            return Err(RecordError::TooMany { what, got: found.len() as u64, limit: u64::from(MOST_ROWS) });
        }
        let mut items = Vec::new();
        for row in self.shown(found).await? {
            let is_wanted = match &rows.when {
                Some(when) => self.holds(when, &row, None).await?,
                None => true,
            };
            if is_wanted {
                items.push(NestedItem::Create(self.mapped_values(work, &rows.values, rows.to, &row).await?));
            }
        }
        Ok(items)
    }

    /// Values of a record of the entity `to`, about another one.
    async fn mapped_values(&mut self, work: &Work<'_>, values: &[Mapped], to: EntityIx, record: &Record) -> Result<Input, RecordError> {
        let catalog = &work.compiled.catalog;
        let (from, to) = (work.compiled.entity(record.entity), work.compiled.entity(to));
        let mut input = Input::new();
        for one in values {
            let ty = &to.field(one.field).ty;
            let value = match &one.value {
                MappedValue::Copy(field) => copied(catalog, from, *field, ty, record),
                MappedValue::Given(value) => self.given_value(catalog, ty, value, record).await?,
            };
            // What the record has not is left to the default of the target.
            if !value.is_empty() {
                input.set(one.field, value);
            }
        }
        Ok(input)
    }

    async fn given_value(&mut self, catalog: &Catalog, ty: &FieldType, value: &GivenValue, record: &Record) -> Result<Value, RecordError> {
        match value {
            GivenValue::Plain(value) => Ok(value.clone()),
            GivenValue::Expr(expr) => {
                let value = self.value(expr, record, None).await?;
                self.as_stored(catalog, ty, expr, value).await
            }
        }
    }

    /// A link as a field that leads to records of several entities holds it: with the entity's prefix.
    async fn as_stored(&mut self, catalog: &Catalog, ty: &FieldType, expr: &Typed, value: Value) -> Result<Value, RecordError> {
        let (FieldType::AnyLink { .. }, Value::Link(id), Type::Link(entities)) = (ty, &value, &expr.ty) else { return Ok(value) };
        for entity in entities {
            if entities.len() == 1 || !self.load(*entity, &[*id], Lock::None).await?.is_empty() {
                return Ok(Value::Text(id.display(&catalog.entity(*entity).prefix)));
            }
        }
        Ok(Value::Null)
    }

    /// Records that look like the one that would be made.
    pub(super) async fn similar_to(
        &mut self,
        work: &Work<'_>,
        target: &ConversionTarget,
        input: &Input,
        given: &[Given],
    ) -> Result<Vec<Duplicates>, RecordError> {
        let definition = work.compiled.entity(target.entity);
        if definition.duplicates.is_empty() {
            return Ok(Vec::new());
        }
        let values = vec![Value::Null; definition.fields.len()];
        let mut draft = Record { entity: target.entity, id: RecordId(0), version: 0, values };
        for (field, value) in input.values.iter().chain(given) {
            draft.values[field.0 as usize] = value.clone();
        }
        let rules: Vec<_> = definition.duplicates.iter().collect();
        self.duplicates_of(work.compiled, &draft, &rules).await
    }

    /// Says of the record itself that it was converted. `None` where that was refused, which is noted.
    pub(super) async fn mark_converted(&mut self, work: &mut Work<'_>, old: Record) -> Result<Option<Saved>, RecordError> {
        let definition = work.compiled.entity(old.entity);
        let (mut given, mut lost): (Vec<Given>, Vec<String>) = (Vec::new(), Vec::new());
        for one in &work.conversion.set {
            let ty = &definition.field(one.field).ty;
            given.push((one.field, self.given_value(&work.compiled.catalog, ty, &one.value, work.record).await?));
        }
        let mut input = Input::new();
        for (field, at) in &work.conversion.links {
            let found = definition.field(*field);
            match &work.slots[*at] {
                Slot::Absent => {}
                Slot::Failed => lost.push(found.name.clone()),
                Slot::There(target) => match link_value(work.compiled, &found.ty, target.entity, target.record) {
                    value @ Value::List(_) => {
                        input.set(*field, value);
                    }
                    value => given.push((*field, value)),
                },
            }
        }
        // Without a link that belongs to it nothing could be said of the record: that target's faults are told.
        if !lost.is_empty() {
            return Ok(None);
        }
        let options = WriteOptions { allow_duplicates: true, ..work.options.clone() };
        // What the definition gives is not held against the rights to single fields.
        let entity = old.entity;
        match self.write_part(entity, Some(old), input, given, &options).await? {
            Ok(saved) => Ok(Some(saved)),
            Err(error) => {
                work.refusals.keep(error, "/record", &[])?;
                Ok(None)
            }
        }
    }

    /// Leads what led to the record to a target. Gives how many of them the actor may read.
    pub(super) async fn carry_along(&mut self, work: &Work<'_>) -> Result<u64, RecordError> {
        let mut count = 0;
        for carry in &work.conversion.carry {
            let Some(target) = carry.to.iter().find_map(|at| work.there(*at)) else { continue };
            let definition = work.compiled.entity(carry.entity);
            let rows = self.load_by(carry.entity, carry.field, &[work.record.id], MOST_CARRIED + 1, Lock::Change).await?;
            if rows.len() > MOST_CARRIED as usize {
                let what = format!("records of {} that a conversion leads elsewhere", definition.slug);
                return Err(RecordError::TooMany { what, got: rows.len() as u64, limit: u64::from(MOST_CARRIED) });
            }
            let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
            let readable = self.readable(carry.entity, &ids).await?;
            count += readable.len() as u64;
            let options = WriteOptions { allow_duplicates: true, ..work.options.clone() };
            let mut given = vec![(carry.into, link_value(work.compiled, &definition.field(carry.into).ty, target.entity, target.record))];
            if carry.into != carry.field {
                given.push((carry.field, Value::Null));
            }
            // Of one that may not be read no more is told than that it stands in the way.
            self.lead_along(rows, &given, &options).await.map_err(|(id, error)| match error.kind() {
                ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Forbidden if !readable.contains(&id) => RecordError::fault(refused()),
                _ => error.below(&format!("/carry{}", pointer(&id.display(&definition.prefix)))),
            })?;
        }
        Ok(count)
    }

    /// Gives each of these records the same values; the first one that is refused is told.
    async fn lead_along(&mut self, rows: Vec<Record>, given: &[Given], options: &WriteOptions) -> Result<(), (RecordId, RecordError)> {
        for row in rows {
            let id = row.id;
            let prepared = self.prepare(row.entity, Target::Update(row), Input::new(), given.to_vec(), options).await;
            let prepared = prepared.map_err(|error| (id, error))?;
            self.write(prepared, options).await.map_err(|error| (id, error))?;
        }
        Ok(())
    }
}
