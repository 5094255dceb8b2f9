//! What was written for each thing, by uid, with references by full id: the ground of the diff.

use serde_json::{Map, Value as Json};

use super::Work;
use crate::base::EntityIx;
use crate::schema::catalog::{Described, DescribedKind, FieldType, SelectOption};
use crate::schema::diff::Part;
use crate::schema::node::Node;

/// A script's uid, name, entity and properties.
type ScriptPart = (String, String, Option<String>, Map<String, Json>);

pub(super) fn describe(work: &mut Work) {
    for ix in work.all() {
        entity(work, ix);
    }
    lists(work);
    calendars(work);
    documents(work);
    settings(work);
}

fn put(work: &mut Work, uid: String, kind: DescribedKind, parent: Option<String>, name: String, properties: Map<String, Json>) {
    work.catalog.described.insert(uid, Described { kind, parent, name, properties });
}

/// The keys of a mapping but for some, as JSON.
fn properties(node: &Node, without: &[&str]) -> Map<String, Json> {
    node.entries()
        .iter()
        .filter(|(key, _)| !without.contains(&key.text.as_str()))
        .map(|(key, value)| (key.text.clone(), value.to_json()))
        .collect()
}

fn entity(work: &mut Work, ix: EntityIx) {
    let draft = work.draft(ix);
    let without = [
        "kind",
        "format",
        "was",
        "fields",
        "unique",
        "indexes",
        "retention",
        "approvals",
        "pools",
        "registrations",
        "duplicates",
        "pipelines",
        "conversions",
        "clocks",
        "rules",
        "views",
        "layouts",
        "buttons",
        "scripts",
        "id",
        "title",
    ];
    let mut own = properties(&draft.node, &without);
    own.insert("id".to_owned(), Json::String(draft.id.clone()));
    if let Some(title) = draft.node.text("title") {
        own.insert("title".to_owned(), Json::String(title.to_owned()));
    }
    let (uid, id) = (draft.uid.clone(), draft.id.clone());
    put(work, uid.clone(), DescribedKind::Entity, None, id, own);
    fields(work, ix, &uid);
    indexes(work, ix, &uid);
    let parts = work.draft(ix).parts.clone();
    for part in parts {
        let kind = match part.section {
            "retention" => Part::Retention,
            "approvals" => Part::Approval,
            "pools" => Part::Pool,
            "registrations" => Part::Registration,
            "duplicates" => Part::Duplicate,
            "pipelines" => Part::Pipeline,
            "conversions" => Part::Conversion,
            "clocks" => Part::Clock,
            "rules" => Part::Rule,
            "views" => Part::View,
            "layouts" => Part::Layout,
            "buttons" => Part::Button,
            _ => continue,
        };
        let Some(name) = part.node.text("id") else { continue };
        let own = properties(&part.node, &["kind", "format", "for", "id"]);
        let part_uid = format!("{uid}/{}/{name}", part.section);
        let place = part.node.get("id").map_or(&part.node.place, |id| &id.place).clone();
        work.places.insert(part_uid.clone(), place);
        put(work, part_uid, DescribedKind::Part(kind), Some(uid.clone()), name.to_owned(), own);
    }
}

fn fields(work: &mut Work, ix: EntityIx, entity_uid: &str) {
    for (name, node) in super::fields::written(work, ix) {
        let Some(field) = work.entity(ix).find_field(&name) else { continue };
        let mut own = properties(&node, &["was", "alias_until", "options", "to", "of", "through", "near", "far"]);
        let id = |ix: &EntityIx| Json::String(work.entity(*ix).id.clone());
        match &field.ty {
            FieldType::Link { to, .. } => drop(own.insert("to".to_owned(), id(to))),
            FieldType::AnyLink { to, .. } => drop(own.insert("to".to_owned(), to.iter().map(id).collect())),
            FieldType::Children { of, .. } => drop(own.insert("of".to_owned(), id(of))),
            FieldType::Links { to, through, .. } => {
                own.insert("to".to_owned(), id(to));
                own.insert("through".to_owned(), id(through));
            }
            FieldType::Rollup { .. } => drop(own.insert("of".to_owned(), node.get("of").map_or(Json::Null, Node::to_json))),
            _ => {}
        }
        if let Some(FieldType::Select(options) | FieldType::MultiSelect { options, .. }) = Some(&field.ty)
            && !options.list.id.is_empty()
        {
            own.insert("options".to_owned(), serde_json::json!({"ref": options.list.id}));
        }
        // Whether a formula is stored may be decided by the engine: a change of it is a change of columns.
        if let FieldType::Formula { stored, .. } | FieldType::Rollup { stored, .. } = &field.ty {
            own.insert("stored".to_owned(), Json::Bool(*stored));
        }
        let uid = field.uid.clone();
        let own_options: Vec<SelectOption> = match &field.ty {
            FieldType::Select(options) | FieldType::MultiSelect { options, .. } if options.list.id.is_empty() => {
                options.list.options.clone()
            }
            _ => Vec::new(),
        };
        put(work, uid.clone(), DescribedKind::Field, Some(entity_uid.to_owned()), name, own);
        options(work, &uid, &own_options);
    }
}

fn options(work: &mut Work, parent: &str, options: &[SelectOption]) {
    for (position, option) in options.iter().enumerate() {
        let labels: Map<String, Json> = option.label.0.iter().map(|(tag, text)| (tag.clone(), Json::String(text.clone()))).collect();
        let own = serde_json::json!({"label": labels, "hue": option.hue, "retired": option.retired, "position": position});
        let Json::Object(own) = own else { continue };
        put(work, option.uid.clone(), DescribedKind::Option, Some(parent.to_owned()), option.key.clone(), own);
    }
}

fn indexes(work: &mut Work, ix: EntityIx, entity_uid: &str) {
    let entity = work.entity(ix);
    let names =
        |fields: &[crate::base::FieldIx]| -> Json { fields.iter().map(|at| Json::String(entity.field(*at).name.clone())).collect() };
    let mut found = Vec::new();
    for unique in &entity.uniques {
        let labels: Map<String, Json> = unique.message.0.iter().map(|(tag, text)| (tag.clone(), Json::String(text.clone()))).collect();
        let own = Map::from_iter([
            ("fields".to_owned(), names(&unique.fields)),
            ("message".to_owned(), Json::Object(labels)),
            ("index".to_owned(), Json::String(unique.index.clone())),
        ]);
        found.push((unique.uid.clone(), DescribedKind::Unique, unique.name.clone(), own));
    }
    for index in &entity.indexes {
        let own = Map::from_iter([("fields".to_owned(), names(&index.fields)), ("index".to_owned(), Json::String(index.index.clone()))]);
        found.push((index.uid.clone(), DescribedKind::Index, index.index.clone(), own));
    }
    for (uid, kind, name, own) in found {
        put(work, uid, kind, Some(entity_uid.to_owned()), name, own);
    }
}

fn lists(work: &mut Work) {
    let lists: Vec<_> = work.catalog.picklists.values().cloned().collect();
    let intake = work.intake;
    for list in lists {
        let document = intake.documents.iter().find(|document| {
            document.kind.name == "picklist"
                && document.node.text("id").is_some_and(|id| id == list.id || list.id.ends_with(&format!(".{id}")))
        });
        let given = document.and_then(|document| document.node.text("uid"));
        let uid = super::uids::named(work, crate::schema::bindings::BindingKind::Picklist, &list.id, given);
        let own = document.map(|document| properties(&document.node, &["kind", "format", "id", "uid", "options"])).unwrap_or_default();
        put(work, uid.clone(), DescribedKind::Part(Part::Picklist), None, list.id.clone(), own);
        options(work, &uid, &list.options);
    }
}

fn calendars(work: &mut Work) {
    for calendar in work.catalog.calendars.values().cloned().collect::<Vec<_>>() {
        let days = calendar.days.iter().map(|(day, own)| (day.to_string(), serde_json::json!({"hours": own.hours, "label": own.label.0})));
        let own = serde_json::json!({
            "label": calendar.label.0, "time_zone": calendar.zone.name(), "week": calendar.week,
            "days": days.collect::<Map<_, _>>(),
        });
        let Json::Object(own) = own else { continue };
        put(work, format!("calendar/{}", calendar.id), DescribedKind::Part(Part::Calendar), None, calendar.id.clone(), own);
    }
}

fn documents(work: &mut Work) {
    let intake = work.intake;
    for document in &intake.documents {
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        let full = || {
            let id = document.node.text("id").unwrap_or("");
            if id.contains('.') { id.to_owned() } else { format!("{package}.{id}") }
        };
        let (kind, name) = match document.kind.name {
            "package" => (Part::Package, document.node.text("id").unwrap_or("").to_owned()),
            "automation" => (Part::Automation, format!("{package}.{}", document.node.text("id").unwrap_or(""))),
            "template" => (Part::Template, format!("{package}.{}", document.node.text("id").unwrap_or(""))),
            "survey" => (Part::Survey, format!("{package}.{}", document.node.text("id").unwrap_or(""))),
            "role" => (Part::Role, document.node.text("id").unwrap_or("").to_owned()),
            "app" => (Part::App, full()),
            "i18n" => (Part::Package, format!("{package}/i18n/{}", document.node.text("locale").unwrap_or(""))),
            "rates" => (Part::Settings, format!("rates/{}/{}", document.path, document.node.place.line)),
            _ => continue,
        };
        let uid = format!("{}/{name}", document.kind.name);
        work.places.insert(uid.clone(), document.node.place.clone());
        put(work, uid, DescribedKind::Part(kind), None, name, properties(&document.node, &["kind", "format", "id"]));
    }
    let scripts: Vec<ScriptPart> = work
        .catalog
        .scripts
        .iter()
        .map(|script| {
            let own = serde_json::json!({
                "file": script.file, "source": script.source, "trigger": format!("{:?}", script.trigger), "priority": script.priority,
                "watch": script.watch.iter().filter_map(|at| script.entity.map(|ix| work.entity(ix).field(*at).name.clone())).collect::<Vec<_>>(),
                "limits": [script.limits.operations, script.limits.wall_ms],
            });
            let own = if let Json::Object(own) = own { own } else { Map::new() };
            (script.uid.clone(), script.id.clone(), script.entity.map(|ix| work.entity(ix).uid.clone()), own)
        })
        .collect();
    for (uid, name, parent, mut own) in scripts {
        let when = work
            .drafts
            .iter()
            .flat_map(|draft| &draft.parts)
            .find(|part| part.section == "scripts" && part.node.text("id").is_some_and(|id| format!("{}.{id}", part.package) == name));
        if let Some(when) = when.and_then(|part| part.node.get("when")) {
            own.insert("when".to_owned(), when.to_json());
        }
        put(work, uid, DescribedKind::Part(Part::Script), parent, name, own);
    }
}

fn settings(work: &mut Work) {
    let found = &work.catalog.settings;
    let own = serde_json::json!({
        "name": found.name, "currency": found.currency.code(), "locale": found.locale.tag(), "time_zone": found.time_zone_name,
        "fiscal_year_start": found.fiscal_year_start,
    });
    if let Json::Object(own) = own {
        put(work, "settings".to_owned(), DescribedKind::Part(Part::Settings), None, "settings".to_owned(), own);
    }
}
