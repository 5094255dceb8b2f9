//! What becomes of a form when someone else saved the record meanwhile: fields that one side alone changed are merged, for
//! the others a person chooses. Works on the texts of the form, so without any script of the browser.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::form::Stored;
use super::page::Page;
use super::post::Post;
use crate::record::{Input, NestedItem};
use crate::render::FormTexts;
use crate::render::context::{Conflict, ConflictRow, Stamp};
use crate::render::show;
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::schema::field_type;
use crate::web::Problem;

/// The name of a choice is this and the field's.
const PICK: &str = "_pick.";
/// Entries of the history that are looked at for what a field held before.
const MOST_ENTRIES: u32 = 200;

/// The form beside what is stored now.
#[derive(Default)]
pub(super) struct Merge {
    /// What is still to be written.
    pub input: Input,
    /// Fields that hold what is stored: only others changed them, or both to the same.
    pub taken: BTreeSet<String>,
    /// Fields both sides changed, each to something else.
    pub both: Vec<Both>,
    /// The form brings rows of other records that differ from what is stored; whose change that is cannot be told apart, so a
    /// person looks at it first.
    pub has_rows: bool,
}

/// A field that both sides changed.
pub(super) struct Both {
    name: String,
    /// What it held when the form was opened; `None` where no history says so.
    original: Option<Json>,
    mine: Json,
    theirs: Json,
}

impl Merge {
    /// Nothing to ask: what is left of the form can be saved over the present record.
    pub fn is_settled(&self) -> bool {
        self.both.is_empty() && !self.has_rows
    }

    /// The form's texts with what is stored in the fields that were taken.
    pub fn texts(&self, page: &Page, entity: &Entity, stored: &Stored, pairs: &[(String, String)]) -> Vec<(String, String)> {
        let head = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
        let mut texts: Vec<(String, String)> = pairs.iter().filter(|(name, _)| !self.taken.contains(&head(name))).cloned().collect();
        for field in self.taken.iter().filter_map(|name| entity.find_field(name)) {
            let theirs = stored.json.get(&field.name).cloned().unwrap_or(Json::Null);
            texts.extend(texts_of(page, field, &theirs));
        }
        texts
    }
}

/// Leaves out of the input what the person chose to leave to the others.
pub(super) fn drop_picked(entity: &Entity, post: &Post, input: &mut Input) {
    let left = |name: &str| post.get(&format!("{PICK}{name}")) == "theirs";
    input.values.retain(|(ix, _)| !left(&entity.field(*ix).name));
}

impl Page {
    /// Tells apart who changed what since the version the form was made from; `changed` are the fields others changed.
    pub async fn merge(
        &self,
        entity: &Entity,
        stored: &Stored,
        mut input: Input,
        since: i64,
        changed: &[String],
    ) -> Result<Merge, Problem> {
        let originals = self.originals(entity, stored, since).await?;
        let mut merge = Merge { has_rows: self.rows_differ(entity, stored, &input), ..Merge::default() };
        if !merge.has_rows {
            input.children.clear();
        }
        let mut kept = Vec::new();
        for (ix, value) in std::mem::take(&mut input.values) {
            let field = entity.field(ix);
            let name = field.name.as_str();
            // Without a history nobody knows what others changed.
            let may_differ = !entity.features.history || changed.iter().any(|other| other == name);
            let mine = field_type::to_json(&self.catalog, field, &value);
            let theirs = stored.json.get(name).cloned().unwrap_or(Json::Null);
            let original = originals.get(name).cloned();
            let same = |one: &Json, other: &Json| texts_of(self, field, one) == texts_of(self, field, other);
            if !may_differ {
                kept.push((ix, value));
            } else if same(&mine, &theirs) || original.as_ref().is_some_and(|original| same(&mine, original)) {
                merge.taken.insert(name.to_owned());
            } else if original.as_ref().is_some_and(|original| same(original, &theirs)) {
                kept.push((ix, value));
            } else {
                merge.both.push(Both { name: name.to_owned(), original, mine, theirs });
                kept.push((ix, value));
            }
        }
        input.values = kept;
        merge.input = input;
        Ok(merge)
    }

    /// Whether the rows of the form say something else than those that are stored.
    fn rows_differ(&self, entity: &Entity, stored: &Stored, input: &Input) -> bool {
        input.children.iter().any(|(ix, nested)| {
            let field = entity.field(*ix);
            let FieldType::Children { of, .. } = &field.ty else { return true };
            let below = self.catalog.entity(*of);
            let rows = stored.json.get(&field.name).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            nested.items.iter().any(|item| {
                let NestedItem::Update { id, input } = item else { return true };
                let id = id.display(&below.prefix);
                let Some(row) = rows.iter().find(|row| row.get("id").and_then(Json::as_str) == Some(id.as_str())) else { return true };
                input.values.iter().any(|(ix, value)| {
                    let part = below.field(*ix);
                    let (mine, theirs) = (field_type::to_json(&self.catalog, part, value), row.get(&part.name).unwrap_or(&Json::Null));
                    texts_of(self, part, &mine) != texts_of(self, part, theirs)
                })
            })
        })
    }

    /// What the fields held at that version, where they have changed since.
    async fn originals(&self, entity: &Entity, stored: &Stored, since: i64) -> Result<BTreeMap<String, Json>, Problem> {
        let mut originals = BTreeMap::new();
        if !entity.features.history {
            return Ok(originals);
        }
        let history = self.state.records.history(&self.actor, entity.ix, stored.id, None, MOST_ENTRIES).await?;
        // Newest first: the last one put in is the oldest change after that version.
        for entry in history.entries.into_iter().take_while(|entry| entry.version > since) {
            originals.extend(entry.changes.into_iter().map(|change| (change.field, change.old)));
        }
        Ok(originals)
    }

    /// The fields to choose for, with what was there, theirs and one's own.
    pub async fn conflict(&self, entity: &Entity, stored: &Stored, merge: &Merge, post: &Post) -> Result<Conflict, Problem> {
        let history = self.state.records.history(&self.actor, entity.ix, stored.id, None, 1).await?;
        let last = history.entries.first();
        let who = match last.and_then(|entry| entry.by) {
            Some(user) => self.person_name(user).await?,
            None => self.say("history-system", &[]),
        };
        let mut ids: Vec<&str> = Vec::new();
        for both in &merge.both {
            ids.extend(links(&both.mine));
            ids.extend(both.original.as_ref().map(links).unwrap_or_default());
        }
        let titles = self.titles(ids.into_iter()).await?;
        let rows = merge.both.iter().filter_map(|both| {
            let field = entity.find_field(&both.name)?;
            let shown = |json: &Json| show::show(self.show(&titles), field, json);
            Some(ConflictRow {
                label: self.label(field),
                name: format!("{PICK}{}", both.name),
                original: both.original.as_ref().map(shown),
                mine: shown(&both.mine),
                theirs: shown(&both.theirs),
                takes_theirs: post.get(&format!("{PICK}{}", both.name)) == "theirs",
            })
        });
        Ok(Conflict {
            who,
            stamp: last.map(|entry| Stamp::new(entry.at, &self.ui, self.messages())),
            rows: rows.collect(),
            record_href: format!("/records/{}/{}", entity.slug, stored.id.display(&entity.prefix)),
        })
    }
}

/// A value as the controls of a form hold it: what two values have in common that a person cannot tell apart.
fn texts_of(page: &Page, field: &Field, value: &Json) -> Vec<(String, String)> {
    let mut texts = FormTexts::default();
    texts.write(field, &field.name, value, &page.ui);
    let pairs = texts.iter().flat_map(|(name, all)| all.iter().map(move |text| (name.to_owned(), text.clone())));
    pairs.filter(|(_, text)| !text.is_empty()).collect()
}

/// Ids a value may hold.
fn links(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}
