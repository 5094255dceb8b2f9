//! Duplicates: what is about to be saved is held against the records that are there.
//!
//! Keys of each record stand in an index ([`matches`]); those of a new one find the few that may be alike, whose values are
//! then compared. A save asks a fixed number of statements, whatever the number of records, and none where an entity has no
//! rule. What somebody may not read is named to nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::error::{FieldFault, RecordError};
use super::hooks::{EventKind, Record};
use super::input::Input;
use super::moved::Moved;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::rights::Seen;
use super::service::Records;
use super::steps::changed_fields;
use super::trace::Trace;
use super::unit::RecordTx;
use crate::access::Actor;
use crate::base::{EntityIx, FieldIx, Locale, RecordId, Value, alike};
use crate::schema::catalog::{Catalog, DuplicateRule, Entity, FieldType, Likeness, Match, TitlePart};
use crate::schema::field_type;
use crate::store::compile::Lock;
use crate::store::{alike as unlikeness, matches};

/// Rows looked at in the index.
const ROWS: u32 = 200;
/// Records whose values are compared.
const COMPARED: usize = 60;
/// Records that are named.
const NAMED: usize = 10;
/// Keys of one rule.
const MOST_KEYS: usize = 400;
/// Bits of a key that its values make; the others are its rule's.
const VALUE_BITS: u32 = 40;

/// What one rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    pub rule: String,
    pub label: String,
    pub message: String,
    /// The fields that are alike.
    pub fields: Vec<String>,
    pub refuses: bool,
    /// Those the asker may read, likest first.
    pub records: Vec<Alike>,
    /// There are others, which the asker may not read.
    pub has_hidden: bool,
    /// The definitions say what to tell.
    pub has_own_message: bool,
}

/// A record that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    pub id: String,
    pub title: String,
    /// From 1 to 100.
    pub likeness: u8,
}

impl Duplicates {
    pub fn to_json(&self) -> Json {
        let records: Vec<Json> =
            self.records.iter().map(|one| json!({ "id": one.id, "title": one.title, "likeness": one.likeness })).collect();
        json!({
            "rule": self.rule,
            "label": self.label,
            "message": self.message,
            "action": if self.refuses { "refuse" } else { "warn" },
            "fields": self.fields,
            "records": records,
            "has_hidden": self.has_hidden,
        })
    }

    /// The fault at the first field that is alike.
    pub fn fault(&self) -> FieldFault {
        let code = if self.has_own_message { "duplicate_rule" } else { "duplicate" };
        let field = self.fields.first().map_or("", String::as_str);
        let likest = self.records.first();
        FieldFault::at(field, code, self.message.clone())
            .with("rule", self.rule.as_str())
            .with("count", self.records.len() as u64 + u64::from(self.has_hidden))
            .with("title", likest.map_or("", |one| one.title.as_str()))
    }
}

fn key(rule: &DuplicateRule, text: &str) -> i64 {
    let mask = (1 << VALUE_BITS) - 1;
    let value = alike::number(text);
    // Both halves of the number count.
    ((rule.number & !mask) | ((value ^ (value >> VALUE_BITS)) & mask)).cast_signed()
}

/// A value as a text for comparing; `None` for one that is empty.
fn text_of(catalog: &Catalog, entity: &Entity, field: FieldIx, value: &Value) -> Option<String> {
    let field = entity.field(field);
    let text = match value {
        Value::Null => return None,
        Value::Text(text) => text.clone(),
        _ if matches!(field.ty, FieldType::PersonName) => {
            field_type::to_text(catalog, field, value, Locale::En, &catalog.settings.time_zone)
        }
        other => match field_type::to_json(catalog, field, other) {
            Json::String(text) => text,
            json => json.to_string(),
        },
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The forms of a value in which those that are alike meet; empty for a value that nothing is like.
fn forms(catalog: &Catalog, entity: &Entity, one: Match, value: &Value) -> Vec<String> {
    let Some(text) = text_of(catalog, entity, one.field, value) else { return Vec::new() };
    let form = match one.by {
        Likeness::Exact => text.trim().to_owned(),
        Likeness::Normalised => match entity.field(one.field).ty {
            FieldType::Phone => alike::phone(&text),
            FieldType::Email => alike::email(&text),
            FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::PersonName => alike::letters(&text),
            FieldType::Url => site(&text),
            _ => text,
        },
        Likeness::Company | Likeness::Fuzzy(_) => alike::company(&text),
        Likeness::Pinyin => return alike::pinyin(&text),
    };
    if form.is_empty() { Vec::new() } else { vec![form] }
}

/// An address of the web without how it is reached: `https://www.example.com/` is `example.com`.
fn site(text: &str) -> String {
    let folded = crate::base::text::fold(text.trim());
    let bare = folded.split_once("://").map_or(folded.as_str(), |(_, rest)| rest);
    bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/').to_owned()
}

/// The keys of a record under a rule: those it is found by, or those that find others. None when a value is missing.
fn keys(catalog: &Catalog, entity: &Entity, rule: &DuplicateRule, record: &Record, finds: bool) -> Vec<i64> {
    let mut all = vec![String::new()];
    for one in &rule.matches {
        let mut parts = forms(catalog, entity, *one, record.get(one.field));
        if let Likeness::Fuzzy(edits) = one.by {
            let cut = if finds { alike::probes } else { alike::pieces };
            parts = parts.iter().flat_map(|form| cut(form, edits)).collect();
        }
        all = all.iter().flat_map(|before| parts.iter().map(move |part| format!("{before}\u{1f}{part}"))).take(MOST_KEYS).collect();
    }
    let found: BTreeSet<i64> = all.iter().map(|text| key(rule, text)).collect();
    found.into_iter().collect()
}

/// How alike two records are under a rule, from 1 to 100; `None` when a condition does not hold.
pub(super) fn likeness(catalog: &Catalog, entity: &Entity, rule: &DuplicateRule, record: &Record, other: &Record) -> Option<u8> {
    let mut least = 100;
    for one in &rule.matches {
        let mine = forms(catalog, entity, *one, record.get(one.field));
        let theirs = forms(catalog, entity, *one, other.get(one.field));
        let like = match one.by {
            Likeness::Fuzzy(edits) => {
                let (mine, theirs) = (mine.first()?, theirs.first()?);
                let longest = mine.chars().count().max(theirs.chars().count()).max(1);
                let differs = alike::differ(mine, theirs, edits)?;
                u8::try_from(100 - (100 * differs).div_ceil(longest).min(99)).unwrap_or(1)
            }
            Likeness::Pinyin => {
                mine.iter().find(|form| theirs.contains(form))?;
                let texts = [record, other]
                    .map(|record| text_of(catalog, entity, one.field, record.get(one.field)).map(|text| alike::letters(&text)));
                if texts[0] == texts[1] { 100 } else { 90 }
            }
            _ => {
                mine.iter().find(|form| theirs.contains(form))?;
                100
            }
        };
        least = least.min(like);
    }
    Some(least)
}

/// The title of a record without what may not be read.
pub(super) fn title(catalog: &Catalog, entity: &Entity, record: &Record) -> String {
    let mut title = String::new();
    for part in &entity.title.parts {
        match part {
            TitlePart::Text(text) => title.push_str(text),
            TitlePart::Field(field) => {
                let zone = &catalog.settings.time_zone;
                title.push_str(&field_type::to_text(catalog, entity.field(*field), record.get(*field), Locale::En, zone));
            }
        }
    }
    let title = title.trim();
    if title.is_empty() { record.id.display(&entity.prefix) } else { title.to_owned() }
}

/// Which rules a save is held against: those that compare a field it changes.
fn asked<'c>(compiled: &Compiled, entity: &'c Entity, record: &Record, old: Option<&Record>) -> Vec<&'c DuplicateRule> {
    let changed = changed_fields(compiled, record, old);
    entity.duplicates.iter().filter(|rule| old.is_none() || changed.iter().any(|field| rule.reads(*field))).collect()
}

impl RecordTx<'_> {
    /// Looks for duplicates of a record that is about to be written. Gives what to warn of where nobody can be asked.
    ///
    /// # Errors
    /// `Duplicate` where a rule refuses, or warns and the writer has not said to go on.
    pub(super) async fn expect_no_duplicate(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        old: Option<&Record>,
        options: &WriteOptions,
    ) -> Result<Vec<String>, RecordError> {
        let entity = compiled.entity(record.entity);
        // What the program itself fills in (sample data, seeds) is taken as it is.
        if entity.duplicates.is_empty() || options.source == Source::System {
            return Ok(Vec::new());
        }
        let mut rules = asked(compiled, entity, record, old);
        rules.retain(|rule| rule.refuses || !options.allow_duplicates);
        let found = self.duplicates_of(compiled, record, &rules).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        // Nobody looks at what a script or an automation saves.
        let asks = self.scope.depth == 0 && !matches!(options.source, Source::Script | Source::Automation);
        if found.iter().any(|one| one.refuses) || asks {
            return Err(RecordError::Duplicate { entity: entity.slug.clone(), found });
        }
        Ok(found.into_iter().map(|one| one.message).collect())
    }

    /// The duplicates of a record under these rules, as far as the actor may know of them.
    pub(super) async fn duplicates_of(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        rules: &[&DuplicateRule],
    ) -> Result<Vec<Duplicates>, RecordError> {
        let (catalog, entity) = (&compiled.catalog, compiled.entity(record.entity));
        let mut held: Vec<i64> = Vec::new();
        for rule in rules.iter().filter(|rule| rule.refuses) {
            held.extend(keys(catalog, entity, rule, record, true));
            held.extend(keys(catalog, entity, rule, record, false));
        }
        matches::hold(self.store, &held).await?;
        let others = self.compared(compiled, record, rules).await?;
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let seen = self.seen_of(compiled, &others).await?;
        let unlike = unlikeness::unlike(self.store, record.id).await?;
        let mut found = Vec::new();
        for rule in rules {
            // What somebody said is not the same is not asked about again; what a rule refuses stays refused.
            let counts = |other: &&Record| rule.refuses || !unlike.contains(&other.id);
            let mut alike: Vec<(u8, &Record)> =
                others.iter().filter(counts).filter_map(|other| Some((likeness(catalog, entity, rule, record, other)?, other))).collect();
            alike.sort_by_key(|(likeness, other)| (std::cmp::Reverse(*likeness), other.id));
            let is_told = |other: &Record| {
                seen.as_ref()
                    .is_none_or(|seen| seen.get(&other.id).is_some_and(|seen| !rule.matches.iter().any(|one| seen.hides(one.field))))
            };
            let has_hidden = rule.among_all && alike.iter().any(|(_, other)| !is_told(other));
            let records: Vec<Alike> = alike
                .iter()
                .filter(|(_, other)| is_told(other))
                .take(NAMED)
                .map(|(likeness, other)| {
                    let mut shown = Record::clone(other);
                    if let Some(seen) = seen.as_ref().and_then(|seen| seen.get(&other.id)) {
                        seen.blank(&mut shown);
                    }
                    Alike { id: other.id.display(&entity.prefix), title: title(catalog, entity, &shown), likeness: *likeness }
                })
                .collect();
            if records.is_empty() && !has_hidden {
                continue;
            }
            found.push(self.told(entity, rule, records, has_hidden));
        }
        Ok(found)
    }

    /// The live records that may be alike, found by their keys.
    pub(super) async fn compared(
        &mut self,
        compiled: &Compiled,
        record: &Record,
        rules: &[&DuplicateRule],
    ) -> Result<Vec<Record>, RecordError> {
        let (catalog, entity) = (&compiled.catalog, compiled.entity(record.entity));
        let wanted: Vec<i64> = rules.iter().flat_map(|rule| keys(catalog, entity, rule, record, true)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids = matches::find(self.store, &wanted, record.id, ROWS).await?;
        ids.truncate(COMPARED);
        let mut others = self.load(record.entity, &ids, Lock::None).await?;
        others.retain(|other| !other.is_deleted(entity));
        Ok(others)
    }

    /// Records that one of these rules takes for the same, whoever may read them. Nobody else looks for them until this unit ends.
    pub(super) async fn all_alike(
        &mut self,
        compiled: &Compiled,
        record: &Record,
        rules: &[&DuplicateRule],
    ) -> Result<Vec<Record>, RecordError> {
        let (catalog, entity) = (&compiled.catalog, compiled.entity(record.entity));
        let all = |finds: bool| rules.iter().flat_map(move |rule| keys(catalog, entity, rule, record, finds));
        let held: Vec<i64> = all(true).chain(all(false)).collect();
        matches::hold(self.store, &held).await?;
        let mut others = self.compared(compiled, record, rules).await?;
        others.retain(|other| rules.iter().any(|rule| likeness(catalog, entity, rule, record, other).is_some()));
        Ok(others)
    }

    /// What of these records the actor may read; `None`: everything.
    async fn seen_of(
        &mut self,
        compiled: &Arc<Compiled>,
        records: &[Record],
    ) -> Result<Option<std::collections::HashMap<RecordId, Seen>>, RecordError> {
        let (Some(granted), Some(first)) = (self.granted()?, records.first()) else { return Ok(None) };
        let ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
        Ok(Some(self.eyes(compiled, &granted).seen(first.entity, &ids).await?))
    }

    fn told(&self, entity: &Entity, rule: &DuplicateRule, records: Vec<Alike>, has_hidden: bool) -> Duplicates {
        let locale = self.scope.actor.locale;
        let own = rule.message.get(locale);
        let message = match (own, records.first()) {
            ("", Some(first)) => format!("`{}` ({}) looks the same", first.title, first.id),
            ("", None) => format!("another {} looks the same, which you may not see", entity.slug),
            (own, _) => own.to_owned(),
        };
        Duplicates {
            rule: rule.id.clone(),
            label: rule.label.get(locale).to_owned(),
            has_own_message: !own.is_empty(),
            message,
            fields: rule
                .matches
                .iter()
                .map(|one| entity.field(one.field))
                .filter(|field| !field.is_hidden)
                .map(|field| field.name.clone())
                .collect(),
            refuses: rule.refuses,
            records,
            has_hidden,
        }
    }

    /// Writes the keys by which a changed record is found.
    pub(super) async fn trace_matches(&mut self, compiled: &Compiled, change: &Trace<'_>) -> Result<(), RecordError> {
        let entity = compiled.entity(change.record.entity);
        let concerns = match change.kind {
            EventKind::Delete => return Ok(matches::forget(self.store, change.record.id).await?),
            EventKind::Create | EventKind::Restore => true,
            EventKind::Update => entity.duplicates.iter().any(|rule| change.changed.iter().any(|field| rule.reads(*field))),
        };
        if !concerns {
            return Ok(());
        }
        self.write_matches(compiled, change.record, change.kind == EventKind::Create).await
    }

    /// Writes the keys of a record anew, whatever changed; a deleted one has none.
    pub(super) async fn write_matches(&mut self, compiled: &Compiled, record: &Record, is_new: bool) -> Result<(), RecordError> {
        let entity = compiled.entity(record.entity);
        let rules = entity.duplicates.iter().filter(|_| !record.is_deleted(entity));
        let all: BTreeSet<i64> = rules.flat_map(|rule| keys(&compiled.catalog, entity, rule, record, false)).collect();
        let all: Vec<i64> = all.into_iter().collect();
        Ok(matches::put(self.store, record.id, &all, is_new).await?)
    }
}

impl Records {
    /// What a record with these values would be a duplicate of, as far as the actor may know; nothing is written. `id`: of the
    /// record that has them, where there is one.
    pub async fn duplicates(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: Option<RecordId>,
        input: Input,
    ) -> Result<Vec<Duplicates>, RecordError> {
        let from = catalog.whole();
        if from.entity(entity).duplicates.is_empty() {
            return Ok(Vec::new());
        }
        let input = Arc::new(input);
        self.rehearse(actor, Source::Api, Vec::new(), move |tx| {
            let (from, input) = (from.clone(), input.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                let compiled = tx.scope.compiled.clone();
                let definition = compiled.entity(moved.entity);
                let mut record = Record {
                    entity: moved.entity,
                    id: id.unwrap_or(RecordId(0)),
                    version: 0,
                    values: vec![Value::Null; definition.fields.len()],
                };
                for (field, value) in moved.input(&input).values {
                    record.values[field.0 as usize] = value;
                }
                let rules: Vec<&DuplicateRule> = definition.duplicates.iter().collect();
                tx.duplicates_of(&compiled, &record, &rules).await
            })
        })
        .await
    }

    /// What a stored record looks like, as far as the actor may know.
    pub async fn look_alikes(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Vec<Duplicates>, RecordError> {
        let from = catalog.whole();
        if from.entity(entity).duplicates.is_empty() {
            return Ok(Vec::new());
        }
        self.rehearse(actor, Source::Api, Vec::new(), move |tx| {
            let from = from.clone();
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                let compiled = tx.scope.compiled.clone();
                let Some(record) = tx.get(moved.entity, id).await? else { return Ok(Vec::new()) };
                let rules: Vec<&DuplicateRule> = compiled.entity(moved.entity).duplicates.iter().collect();
                tx.duplicates_of(&compiled, &record, &rules).await
            })
        })
        .await
    }
}
