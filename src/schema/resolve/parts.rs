//! Parts of entities: uniques, indexes, rules, views, layouts, buttons; and the groups of the sidebar.

use super::automations::called;
use super::drafts::PartDraft;
use super::expressions::condition;
use super::{Work, labels, uids};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;
use crate::schema::catalog::{
    App, Button, Entity, Field, FieldType, Index, Layout, LayoutField, Press, Rule, Section, Tab, Trigger, Unique, View,
};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type;
use crate::schema::node::Node;

pub(super) fn build(work: &mut Work) {
    for ix in work.all() {
        own_indexes(work, ix);
        let parts: Vec<PartDraft> = work.draft(ix).parts.clone();
        let of = |section: &'static str| parts.iter().filter(move |part| part.section == section);
        // Registrations name duplicate rules, gates name approvals and registrations.
        of("duplicates").for_each(|part| super::duplicates::read(work, ix, &part.node));
        of("registrations").for_each(|part| super::registrations::read(work, ix, &part.node));
        of("approvals").for_each(|part| super::approvals::read(work, ix, &part.node));
        for part in &parts {
            match part.section {
                "unique" => unique(work, ix, &part.node),
                "indexes" => index(work, ix, &part.node),
                "rules" => rule(work, ix, &part.node),
                "retention" => super::retention::read(work, ix, &part.node),
                "pools" => super::pools::read(work, ix, &part.node, &part.package),
                "pipelines" => super::pipelines::read(work, ix, &part.node),
                "conversions" => super::conversions::read(work, ix, part),
                "clocks" => super::clocks::read(work, ix, part),
                "views" => view(work, ix, &part.node),
                "layouts" => layout(work, ix, &part.node),
                "buttons" => button(work, ix, part),
                _ => {}
            }
        }
        let entity = work.entity_mut(ix);
        if entity.views.is_empty() {
            entity.views.push(default_view(entity));
        }
        if entity.layouts.is_empty() {
            let layout = default_layout(work, ix);
            work.entity_mut(ix).layouts.push(layout);
        }
        let searches = work.entity(ix).fields.iter().any(|field| field.search);
        work.entity_mut(ix).features.search &= searches;
    }
    apps(work);
}

fn names(entity: &Entity, fields: &[FieldIx]) -> Vec<String> {
    fields.iter().map(|at| entity.field(*at).uid.clone()).collect()
}

/// `unique: true` and `index: true` of fields, and the indexes every link has.
fn own_indexes(work: &mut Work, ix: EntityIx) {
    let entity = work.entity(ix);
    let mut uniques = Vec::new();
    let mut indexes = Vec::new();
    for field in &entity.fields {
        if field.unique {
            uniques.push((field.name.clone(), vec![field.ix]));
        } else if field.indexed {
            indexes.push(vec![field.ix]);
        }
    }
    for (name, fields) in uniques {
        add_unique(work, ix, name, fields, None, "", Labels::default());
    }
    for fields in indexes {
        add_index(work, ix, fields);
    }
}

fn add_unique(
    work: &mut Work,
    ix: EntityIx,
    name: String,
    fields: Vec<FieldIx>,
    filter: Option<Typed>,
    filter_text: &str,
    message: Labels,
) {
    let entity = work.entity(ix);
    let uid = uids::of_index("unq", &entity.uid, &names(entity, &fields), filter_text);
    let index = index_name("ux", &uid, &name);
    work.entity_mut(ix).uniques.push(Unique { uid, name, fields, filter, message, index });
}

fn add_index(work: &mut Work, ix: EntityIx, fields: Vec<FieldIx>) {
    let entity = work.entity(ix);
    let uid = uids::of_index("idx", &entity.uid, &names(entity, &fields), "");
    if entity.indexes.iter().any(|known| known.uid == uid) {
        return;
    }
    let shown: Vec<&str> = fields.iter().map(|at| entity.field(*at).name.as_str()).collect();
    let index = index_name("ix", &uid, &shown.join("_"));
    work.entity_mut(ix).indexes.push(Index { uid, fields, index });
}

fn index_name(prefix: &str, uid: &str, name: &str) -> String {
    let short: String = name.chars().take(40).collect();
    format!("{prefix}_{}_{}", uids::short_hex(uid), short.trim_end_matches('_'))
}

/// Fields of a list, each of which must exist.
pub(super) fn field_list(work: &mut Work, ix: EntityIx, node: Option<&Node>) -> Vec<(FieldIx, Node)> {
    let items: Vec<Node> = node.map(|list| list.items().to_vec()).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| {
            let name = item.as_text()?.to_owned();
            Some((work.find_field(&item, &name, ix)?, item))
        })
        .collect()
}

fn in_columns(work: &mut Work, ix: EntityIx, fields: Vec<(FieldIx, Node)>, what: &str, code: &'static str) -> Vec<FieldIx> {
    let mut kept = Vec::new();
    for (at, node) in fields {
        let ty = &work.entity(ix).field(at).ty;
        let columns = field_type::columns_of(ty, "x", &["x"]).len();
        let fits = columns > 0
            && !matches!(
                ty,
                FieldType::Json { .. } | FieldType::Address | FieldType::PersonName | FieldType::Geo | FieldType::AnyLink { .. }
            );
        if fits {
            kept.push(at);
        } else {
            let message = format!("a field of type `{}` cannot be part of {what}", field_type::type_name(ty));
            work.fault(Diagnostic::error(code, &node.place, message).hint("use fields that are kept in one column"));
        }
    }
    kept
}

fn unique(work: &mut Work, ix: EntityIx, node: &Node) {
    let fields = field_list(work, ix, node.get("fields"));
    if fields.is_empty() && node.get("fields").is_some_and(|list| list.items().is_empty()) {
        let place = node.get("fields").map_or(&node.place, |list| &list.place).clone();
        work.fault(Diagnostic::error("DEF113", &place, "a unique over no fields"));
        return;
    }
    let fields = in_columns(work, ix, fields, "a unique", "DEF317");
    if fields.is_empty() {
        return;
    }
    let filter = condition(work, node.get("where"), ix, false);
    let filter_text = node.get("where").and_then(Node::scalar_text).unwrap_or_default();
    let shown: Vec<String> = fields.iter().map(|at| work.entity(ix).field(*at).name.clone()).collect();
    let name = node.text("name").map_or_else(|| shown.join("_"), str::to_owned);
    if work.entity(ix).uniques.iter().any(|known| known.name == name) {
        let place = node.get("name").map_or(&node.place, |name| &name.place).clone();
        work.fault(
            Diagnostic::error("DEF201", &place, format!("the unique `{name}` is defined twice"))
                .hint("`unique: true` in a field makes a unique of the field's name"),
        );
        return;
    }
    let message = labels::of(node.get("message")).unwrap_or_default();
    add_unique(work, ix, name, fields, filter, &filter_text, message);
}

fn index(work: &mut Work, ix: EntityIx, node: &Node) {
    let fields = field_list(work, ix, node.get("fields"));
    if fields.is_empty() && node.get("fields").is_some_and(|list| list.items().is_empty()) {
        let place = node.get("fields").map_or(&node.place, |list| &list.place).clone();
        work.fault(Diagnostic::error("DEF113", &place, "an index over no fields"));
        return;
    }
    let fields = in_columns(work, ix, fields, "an index", "DEF318");
    if !fields.is_empty() {
        add_index(work, ix, fields);
    }
}

fn rule(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let (Some(assert), when) = (condition(work, node.get("assert"), ix, true), condition(work, node.get("when"), ix, true)) else { return };
    let at = node.get("at").and_then(|field| {
        let name = field.as_text()?.to_owned();
        work.find_field(field, &name, ix)
    });
    let message = labels::of(node.get("message")).unwrap_or_else(|| labels::from_name(id));
    let code = node.text("code").unwrap_or(id).to_owned();
    work.entity_mut(ix).rules.push(Rule { id: id.to_owned(), assert, when, at, code, message });
}

fn view(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let columns: Vec<FieldIx> = field_list(work, ix, node.get("columns")).into_iter().map(|(at, _)| at).collect();
    let columns = if columns.is_empty() { default_columns(work.entity(ix)) } else { columns };
    let filter = condition(work, node.get("filter"), ix, false);
    let mut sort = Vec::new();
    let items: Vec<Node> = node.get("sort").map(|list| list.items().to_vec()).unwrap_or_default();
    for item in items {
        let Some(text) = item.as_text() else { continue };
        let (name, descending) = text.strip_prefix('-').map_or((text.strip_prefix('+').unwrap_or(text), false), |name| (name, true));
        let Some(at) = work.find_field(&item, name, ix) else { continue };
        if field_type::is_sortable(work.entity(ix).field(at)) {
            sort.push((at, descending));
        } else {
            let ty = field_type::type_name(&work.entity(ix).field(at).ty);
            work.fault(
                Diagnostic::error("DEF401", &item.place, format!("a list cannot be sorted by `{name}`, a field of type `{ty}`"))
                    .hint("sort by a text, number, date or option"),
            );
        }
    }
    let label = labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id));
    let filter_text = node.get("filter").and_then(Node::scalar_text).unwrap_or_default();
    work.entity_mut(ix).views.push(View { id: id.to_owned(), label, columns, filter, filter_text, sort });
}

fn layout(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let header = field_list(work, ix, node.get("header").and_then(|header| header.get("fields"))).into_iter().map(|(at, _)| at).collect();
    let written: Vec<Node> = node.get("tabs").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut tabs: Vec<Tab> = Vec::new();
    for tab in &written {
        let Some(tab_id) = tab.text("id") else { continue };
        if tabs.iter().any(|known| known.id == tab_id) {
            let place = tab.get("id").map_or(&tab.place, |id| &id.place).clone();
            work.fault(Diagnostic::error("DEF201", &place, format!("the tab `{tab_id}` is defined twice")));
            continue;
        }
        let sections: Vec<Node> = tab.get("sections").map(|list| list.items().to_vec()).unwrap_or_default();
        let sections = sections.iter().filter_map(|node| section(work, ix, node)).collect();
        let related = related(work, ix, tab);
        tabs.push(Tab {
            id: tab_id.to_owned(),
            label: labels::of(tab.get("label")).unwrap_or_else(|| labels::from_name(tab_id)),
            sections,
            related,
            inline_edit: tab.get("inline_edit").and_then(Node::as_bool) != Some(false),
        });
    }
    work.entity_mut(ix).layouts.push(Layout { id: id.to_owned(), header, tabs });
}

fn section(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Section> {
    let id = node.text("id")?;
    let items: Vec<Node> = node.get("fields").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut fields: Vec<LayoutField> = Vec::new();
    for item in &items {
        let (name_node, widget, visible) =
            if item.is_map() { (item.get("field"), item.text("widget"), item.get("visible_if")) } else { (Some(item), None, None) };
        let Some(name_node) = name_node else { continue };
        let Some(name) = name_node.as_text() else { continue };
        let Some(field) = work.find_field(name_node, name, ix) else { continue };
        if fields.iter().any(|known| known.field == field) {
            work.fault(
                Diagnostic::error("DEF404", &name_node.place, format!("`{name}` stands twice in this section"))
                    .hint("take one of the two out"),
            );
            continue;
        }
        let visible_if = condition(work, visible, ix, true);
        fields.push(LayoutField { field, widget: widget.map(str::to_owned), visible_if });
    }
    let visible_if = condition(work, node.get("visible_if"), ix, true);
    let columns =
        node.int("columns").and_then(|columns| u8::try_from(columns).ok()).filter(|columns| (1..=4).contains(columns)).unwrap_or(2);
    Some(Section {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        columns,
        fields,
        visible_if,
    })
}

fn related(work: &mut Work, ix: EntityIx, tab: &Node) -> Option<(FieldIx, Vec<FieldIx>)> {
    let node = tab.get("related")?;
    let name = node.as_text()?;
    let at = work.find_field(node, name, ix)?;
    let of = match &work.entity(ix).field(at).ty {
        FieldType::Children { of, .. } => *of,
        FieldType::Links { to, .. } => *to,
        _ => {
            let fault = Diagnostic::error("DEF403", &node.place, format!("`{name}` does not hold many records"))
                .hint("a related list shows a field of type `children` or `links`");
            work.fault(fault);
            return None;
        }
    };
    let columns: Vec<FieldIx> = field_list(work, of, tab.get("columns")).into_iter().map(|(at, _)| at).collect();
    let columns = if columns.is_empty() { default_columns(work.entity(of)) } else { columns };
    Some((at, columns))
}

fn button(work: &mut Work, ix: EntityIx, part: &PartDraft) {
    let node = &part.node;
    let Some(id) = node.text("id") else { return };
    let visible_if = condition(work, node.get("visible_if"), ix, true);
    let press = match (node.get("script"), node.get("automation")) {
        (Some(script), None) => scripted(work, ix, part, script, id).map(Press::Script),
        (None, Some(automation)) => called(work, automation, ix, &part.package).map(Press::Automation),
        (script, _) => {
            let place = script.map_or(&node.place, |node| &node.place);
            let fault = Diagnostic::error("DEF466", place, format!("the button `{id}` does nothing, or two things"))
                .hint("name a `script` or an `automation`");
            work.fault(fault);
            None
        }
    };
    let Some(press) = press else { return };
    let label = labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id));
    work.entity_mut(ix).buttons.push(Button { id: id.to_owned(), label, visible_if, press });
}

/// The script of a button.
fn scripted(work: &mut Work, ix: EntityIx, part: &PartDraft, script_node: &Node, id: &str) -> Option<usize> {
    let name = script_node.as_text()?;
    let full = if name.contains('.') { name.to_owned() } else { format!("{}.{name}", part.package) };
    let scripts: Vec<(usize, String)> = work.entity(ix).scripts.iter().map(|at| (*at, work.catalog.scripts[*at].id.clone())).collect();
    let found = scripts.iter().find(|(at, id)| *id == full && matches!(work.catalog.scripts[*at].trigger, Trigger::Button(_)));
    let Some((script, _)) = found else {
        if !work.intake.incomplete {
            let on_buttons: Vec<String> = scripts
                .iter()
                .filter(|(at, _)| matches!(work.catalog.scripts[*at].trigger, Trigger::Button(_)))
                .map(|(_, id)| id.rsplit('.').next().unwrap_or(id).to_owned())
                .collect();
            let fault = Diagnostic::error(
                "DEF409",
                &script_node.place,
                format!("`{}` has no script `{name}` with `trigger: button`", work.entity(ix).id),
            )
            .near(nearest(name, on_buttons.iter().map(String::as_str)))
            .hint("a button runs a script of the same entity whose trigger is `button`");
            work.fault(fault);
        }
        return None;
    };
    let script = *script;
    if let Trigger::Button(slot) = &mut work.catalog.scripts[script].trigger
        && slot.is_empty()
    {
        id.clone_into(slot);
    }
    Some(script)
}

/// What a list shows where nobody said: up to seven fields people look for first.
fn default_columns(entity: &Entity) -> Vec<FieldIx> {
    let is_shown = |field: &&Field| {
        let has_column = !field_type::columns_of(&field.ty, "x", &["x"]).is_empty();
        !field.is_system
            && has_column
            && !matches!(field.ty, FieldType::LongText { .. } | FieldType::RichText { .. } | FieldType::Json { .. })
    };
    let mut columns: Vec<FieldIx> = entity.fields.iter().filter(is_shown).take(6).map(|field| field.ix).collect();
    columns.extend(entity.by_name.get("owner"));
    if columns.is_empty() {
        columns.push(FieldIx(0));
    }
    columns
}

fn default_view(entity: &Entity) -> View {
    let label = Labels([("en", "All"), ("zh-CN", "全部"), ("zh-TW", "全部")].map(|(tag, text)| (tag.to_owned(), text.to_owned())).into());
    View { id: "all".to_owned(), label, columns: default_columns(entity), filter: None, filter_text: String::new(), sort: Vec::new() }
}

/// One section with what people write, one with what is computed, a tab for each list of related records.
fn default_layout(work: &Work, ix: EntityIx) -> Layout {
    let entity = work.entity(ix);
    let many = |field: &&Field| matches!(field.ty, FieldType::Children { .. } | FieldType::Links { .. });
    let own = || {
        // Clocks have a place of their own on the page.
        let is_shown = |field: &&Field| (!field.is_system || field.name == "owner") && entity.clock_in(field.ix).is_none();
        entity.fields.iter().filter(is_shown).filter(|field| !matches!(field.ty, FieldType::Children { .. }))
    };
    let layout_field = |field: &Field| LayoutField { field: field.ix, widget: None, visible_if: None };
    let label = |en: &str, cn: &str, tw: &str| {
        Labels([("en", en), ("zh-CN", cn), ("zh-TW", tw)].map(|(tag, text)| (tag.to_owned(), text.to_owned())).into())
    };
    let mut sections = vec![Section {
        id: "basics".to_owned(),
        label: label("Details", "详情", "詳情"),
        columns: 2,
        fields: own().filter(|field| !field.read_only).map(layout_field).collect(),
        visible_if: None,
    }];
    let computed: Vec<LayoutField> = own().filter(|field| field.read_only).map(layout_field).collect();
    if !computed.is_empty() {
        sections.push(Section {
            id: "computed".to_owned(),
            label: label("Computed", "自动计算", "自動計算"),
            columns: 2,
            fields: computed,
            visible_if: None,
        });
    }
    let mut tabs =
        vec![Tab { id: "main".to_owned(), label: label("Details", "详情", "詳情"), sections, related: None, inline_edit: true }];
    for field in entity.fields.iter().filter(many) {
        let of = match &field.ty {
            FieldType::Children { of, .. } => *of,
            FieldType::Links { to, .. } => *to,
            _ => continue,
        };
        tabs.push(Tab {
            id: field.name.clone(),
            label: field.label.clone(),
            sections: Vec::new(),
            related: Some((field.ix, default_columns(work.entity(of)))),
            inline_edit: true,
        });
    }
    Layout { id: "default".to_owned(), header: Vec::new(), tabs }
}

fn apps(work: &mut Work) {
    let intake = work.intake;
    for document in intake.documents.iter().filter(|document| document.kind.name == "app") {
        let Some(id_node) = document.node.get("id") else { continue };
        let Some(written) = id_node.as_text() else { continue };
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        let id = if written.contains('.') { written.to_owned() } else { format!("{package}.{written}") };
        if work.catalog.apps.iter().any(|app| app.id == id) {
            work.fault(Diagnostic::error("DEF201", &id_node.place, format!("the app `{id}` is defined twice")));
            continue;
        }
        let items: Vec<Node> = document.node.get("entities").map(|list| list.items().to_vec()).unwrap_or_default();
        let entities = items.iter().filter_map(|item| work.find_entity(item, &package)).collect();
        let label = labels::of(document.node.get("label")).unwrap_or_else(|| labels::from_name(&id));
        work.catalog.apps.push(App { id, label, entities });
    }
}
