//! Drafts to entities: system fields, then each written field with its type. Expressions follow later; until
//! then a condition that always holds stands in their place.

use std::collections::HashMap;

use super::drafts::EntityDraft;
use super::types::field_type;
use super::{Work, ends, labels, options};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::schema::catalog::{Actions, Entity, Features, Field, FieldClass, FieldType, OnDelete, Title};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type;
use crate::schema::node::Node;

pub(super) fn build(work: &mut Work) {
    options::picklists(work);
    let user = work.by_id.get("core.user").copied().unwrap_or(EntityIx(0));
    for ix in work.all() {
        let entity = entity(work.draft(ix), ix, user);
        work.catalog.entities.push(entity);
    }
    for ix in work.all() {
        for position in 0..work.draft(ix).fields.len() {
            field(work, ix, position);
        }
    }
    for ix in work.all() {
        ends::find(work, ix);
    }
}

fn entity(draft: &EntityDraft, ix: EntityIx, user: EntityIx) -> Entity {
    let features = draft.node.get("features");
    let feature = |name: &str| features.and_then(|node| node.flag(name)).unwrap_or(true);
    let features =
        Features { owner: feature("owner"), history: feature("history"), soft_delete: feature("soft_delete"), search: feature("search") };
    let label = labels::of(draft.node.get("label")).unwrap_or_else(|| labels::from_name(&draft.slug));
    let mut entity = Entity {
        ix,
        uid: draft.uid.clone(),
        id: draft.id.clone(),
        slug: draft.slug.clone(),
        prefix: draft.slug.clone(),
        package: draft.package.clone(),
        label_plural: labels::of(draft.node.get("label_plural")).unwrap_or_else(|| labels::plural(&label)),
        label,
        description: labels::of(draft.node.get("description")).unwrap_or_default(),
        icon: draft.node.text("icon").unwrap_or("box").to_owned(),
        title: Title { parts: Vec::new() },
        features,
        requires_if_match: draft.node.text("concurrency") == Some("required"),
        fields: Vec::new(),
        by_name: HashMap::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        views: Vec::new(),
        layouts: Vec::new(),
        buttons: Vec::new(),
        retention: Vec::new(),
        approvals: Vec::new(),
        pools: Vec::new(),
        registrations: Vec::new(),
        duplicates: Vec::new(),
        pipelines: Vec::new(),
        conversions: Vec::new(),
        clocks: Vec::new(),
        scripts: Vec::new(),
        computed_order: Vec::new(),
        dependents: Vec::new(),
        table: String::new(),
        is_junction: draft.is_made,
        is_made: draft.is_made,
        may: Actions::ALL,
    };
    system_fields(&mut entity, user);
    entity
}

fn system_fields(entity: &mut Entity, user: EntityIx) {
    let by = || FieldType::User { to: user, on_delete: OnDelete::SetNull };
    let mut fields: Vec<(&str, FieldType, [&str; 3])> = vec![
        ("id", FieldType::Id, ["ID", "ID", "ID"]),
        ("version", FieldType::Integer { min: None, max: None }, ["Version", "版本", "版本"]),
        ("created_at", FieldType::DateTime, ["Created at", "创建时间", "建立時間"]),
        ("created_by", by(), ["Created by", "创建人", "建立者"]),
        ("updated_at", FieldType::DateTime, ["Updated at", "更新时间", "更新時間"]),
        ("updated_by", by(), ["Updated by", "更新人", "更新者"]),
    ];
    if entity.features.owner {
        fields.push(("owner", by(), ["Owner", "负责人", "負責人"]));
    }
    if entity.features.soft_delete {
        fields.push(("deleted_at", FieldType::DateTime, ["Deleted at", "删除时间", "刪除時間"]));
    }
    for (name, ty, [en, cn, tw]) in fields {
        let label = Labels([("en", en), ("zh-CN", cn), ("zh-TW", tw)].map(|(tag, text)| (tag.to_owned(), text.to_owned())).into());
        let mut field = plain_field(format!("{}.{name}", entity.uid), name, label, ty);
        field.is_system = true;
        field.read_only = name != "owner";
        field.indexed = name == "owner";
        push(entity, field);
    }
}

fn plain_field(uid: String, name: &str, label: Labels, ty: FieldType) -> Field {
    Field {
        ix: FieldIx(0),
        uid,
        name: name.to_owned(),
        label,
        help: Labels::default(),
        ty,
        columns: Vec::new(),
        fold_column: None,
        side_table: None,
        is_system: false,
        required: false,
        unique: false,
        indexed: false,
        search: false,
        read_only: false,
        required_if: None,
        readonly_if: None,
        visible_if: None,
        default: None,
        retired: false,
        alias: None,
        widget: None,
        placeholder: Labels::default(),
        exposes: false,
        is_hidden: false,
        is_locked: false,
        class: None,
        encrypted: false,
    }
}

fn push(entity: &mut Entity, mut field: Field) {
    field.ix = FieldIx(u32::try_from(entity.fields.len()).unwrap_or(u32::MAX));
    entity.by_name.insert(field.name.clone(), field.ix);
    entity.fields.push(field);
}

/// Makes one field. What its type refers to inside of entities (a children's link, a junction's ends) is looked up in
/// the second pass, when all fields are there.
fn field(work: &mut Work, ix: EntityIx, position: usize) {
    let draft = &work.draft(ix).fields[position];
    let (key, node, package, uid) = (draft.key.clone(), draft.node.clone(), draft.package.clone(), draft.uid.clone());
    let Some(ty) = field_type(work, &node, &package, &uid) else {
        work.broken.insert((ix.0, key.text));
        return;
    };
    let is_computed = matches!(ty, FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. });
    let flag = |name| node.flag(name).unwrap_or(false);
    let label = labels::of(node.get("label")).unwrap_or_else(|| match &ty {
        FieldType::Children { of, .. } if work.draft(ix).fields[position].is_made => work.entity(*of).label_plural.clone(),
        FieldType::Link { to, .. } if work.draft(ix).fields[position].is_made => work.entity(*to).label.clone(),
        _ => labels::from_name(&key.text),
    });
    let mut field = plain_field(uid, &key.text, label, ty);
    field.help = labels::of(node.get("help")).unwrap_or_default();
    field.placeholder = labels::of(node.get("placeholder")).unwrap_or_default();
    field.exposes = node.text("expose") == Some("value");
    field.widget = node.text("widget").map(str::to_owned);
    field.required = flag("required");
    field.unique = flag("unique");
    field.indexed = flag("index") || matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. });
    field.search = flag("search");
    field.class = node.text("class").and_then(FieldClass::parse);
    field.encrypted = flag("encrypted") || field.is_secret();
    // What the program adds is a link or its other side, which are written, or kept by it alone.
    let is_kept = work.draft(ix).fields[position].is_made && !matches!(field.ty, FieldType::Link { .. } | FieldType::Children { .. });
    field.read_only = is_computed || is_kept || matches!(field.ty, FieldType::AutoNumber { .. });
    field.alias = node.text("was").map(str::to_owned);
    flags(work, &node, &field);
    push(work.entity_mut(ix), field);
}

/// Refuses flags that make no sense for the type.
fn flags(work: &mut Work, node: &Node, field: &Field) {
    let name = field_type::type_name(&field.ty);
    let parts = field_type::columns_of(&field.ty, "x", &["x"]);
    if field.unique
        && (parts.is_empty()
            || !matches!(parts.len(), 1 | 2)
            || matches!(
                field.ty,
                FieldType::Json { .. }
                    | FieldType::Geo
                    | FieldType::LongText { .. }
                    | FieldType::RichText { .. }
                    | FieldType::AnyLink { .. }
            ))
    {
        flag_fault(
            work,
            node,
            "unique",
            "DEF317",
            &format!("a field of type `{name}` cannot be unique"),
            "take `unique` out, or make another field unique",
        );
    }
    if node.flag("index") == Some(true)
        && (parts.is_empty() || matches!(field.ty, FieldType::Json { .. } | FieldType::Address | FieldType::PersonName))
    {
        let hint = "what has no single column has its own index, or none: take `index` out";
        flag_fault(work, node, "index", "DEF318", &format!("a field of type `{name}` cannot be indexed"), hint);
    }
    if field.search && !field_type::is_searchable(&field.ty) {
        let hint = "search finds texts, tags, addresses and names of people";
        flag_fault(work, node, "search", "DEF319", &format!("a field of type `{name}` holds no text to search"), hint);
    }
    privacy_flags(work, node, field);
    let read_only = field.read_only || matches!(field.ty, FieldType::Children { .. });
    for key in ["required", "required_if", "default", "readonly_if"] {
        if read_only && node.get(key).is_some_and(|value| value.as_bool() != Some(false)) {
            let message = format!("nobody writes a field of type `{name}`, so `{key}` has no meaning");
            flag_fault(work, node, key, "DEF321", &message, "take it out");
        }
    }
}

/// Refuses what an encrypted value cannot be, and classes of what holds no value of its own.
fn privacy_flags(work: &mut Work, node: &Node, field: &Field) {
    let name = field_type::type_name(&field.ty);
    let is_many = matches!(field.ty, FieldType::Children { .. } | FieldType::Links { .. });
    if field.class.is_some() && (field.read_only || is_many) {
        let hint = "give the class to the fields whose values these are";
        flag_fault(work, node, "class", "DEF322", &format!("a field of type `{name}` has no values of its own to classify"), hint);
    }
    if field.is_secret() && node.flag("encrypted") == Some(false) {
        let hint = "take `encrypted: false` out, or give it another class";
        flag_fault(work, node, "encrypted", "DEF324", "a secret is always encrypted", hint);
    }
    if !field.encrypted {
        return;
    }
    let key = if node.flag("encrypted") == Some(true) { "encrypted" } else { "class" };
    let can = if field.is_secret() {
        matches!(field.ty, FieldType::Text { .. } | FieldType::LongText { .. })
    } else {
        matches!(field.ty, FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::Email | FieldType::Phone | FieldType::Url)
    };
    if !can {
        let types = if field.is_secret() { "`text` and `long_text`" } else { "`text`, `long_text`, `email`, `phone` and `url`" };
        let message = format!("a field of type `{name}` cannot be {}", if field.is_secret() { "secret" } else { "encrypted" });
        flag_fault(work, node, key, "DEF324", &message, &format!("this is for fields of type {types}"));
    }
    if field.search {
        let hint = "the search index would hold its words: take `search` out, people find it with `=` in a filter";
        flag_fault(work, node, "search", "DEF324", "an encrypted field cannot be searched", hint);
    }
    if field.is_secret() && field.unique {
        flag_fault(work, node, "unique", "DEF324", "a secret cannot be unique: others would learn that it is in use", "take `unique` out");
    }
}

fn flag_fault(work: &mut Work, node: &Node, key: &str, code: &'static str, message: &str, hint: &str) {
    let place = node.entry(key).map_or(&node.place, |(key, _)| &key.place).clone();
    work.fault(Diagnostic::error(code, &place, message).hint(hint));
}
