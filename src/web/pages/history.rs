//! What happened to a record, for people.

use serde_json::Value as Json;

use super::page::{Page, encode};
use crate::base::RecordId;
use crate::render::context::{History, HistoryChange, HistoryEntry, Shown, Stamp};
use crate::render::{format, show};
use crate::schema::catalog::Entity;
use crate::web::Problem;

const ENTRIES: u32 = 30;

impl Page {
    /// A page of changes, newest first; `base` is the address of the first page.
    pub async fn history(&self, entity: &Entity, id: RecordId, base: &str) -> Result<History, Problem> {
        let found = self.state.records.history(&self.actor, entity.ix, id, self.params.get("cursor"), ENTRIES).await?;
        let people = self.catalog.find_entity("core.user");
        let mut ids: Vec<String> = Vec::new();
        for entry in &found.entries {
            ids.extend(entry.by.and_then(|user| people.map(|entity| user.display(&entity.prefix))));
            for change in &entry.changes {
                collect(&change.old, &mut ids);
                collect(&change.new, &mut ids);
            }
        }
        let titles = self.titles(ids.iter().map(String::as_str)).await?;
        let entries = found
            .entries
            .iter()
            .map(|entry| {
                let who = match entry.by {
                    Some(user) => {
                        people.and_then(|entity| titles.get(&user.display(&entity.prefix)).cloned()).unwrap_or_else(|| user.to_string())
                    }
                    None => self.say("history-system", &[]),
                };
                let changes = entry.changes.iter().filter(|change| !(entry.kind == "create" && change.new.is_null())).map(|change| {
                    let field = entity.find_field(&change.field);
                    let shown = |json: &Json| match field {
                        Some(field) => show::show(self.show(&titles), field, json),
                        None if json.is_null() => Shown::none(),
                        None => Shown::text(json.as_str().map_or_else(|| json.to_string(), str::to_owned)),
                    };
                    HistoryChange {
                        label: field.map_or_else(|| change.field.clone(), |field| self.label(field)),
                        old: shown(&change.old),
                        new: shown(&change.new),
                    }
                });
                HistoryEntry {
                    kind: entry.kind.clone(),
                    initials: format::initials(&who),
                    who,
                    stamp: Stamp::new(entry.at, &self.ui, self.messages()),
                    changes: changes.collect(),
                }
            })
            .collect();
        Ok(History { entries, more_href: found.next_cursor.map(|cursor| format!("{base}&cursor={}", encode(&cursor))) })
    }
}

fn collect(json: &Json, ids: &mut Vec<String>) {
    match json {
        Json::String(text) if text.len() < 80 && text.is_ascii() && RecordId::parse(text).is_some() => ids.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        _ => {}
    }
}
