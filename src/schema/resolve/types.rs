//! Drafts to entities: system fields, then each written field with its type. Expressions follow later; until
//! then a condition that always holds stands in their place.

use std::collections::HashMap;
use std::sync::Arc;

use super::drafts::{EntityDraft, FieldDraft};
use super::{Work, labels, uids};
use crate::base::{Currency, Date, Decimal, EntityIx, FieldIx, Labels};
use crate::expr::Typed;
use crate::schema::bindings::{BindingKind, BindingState};
use crate::schema::catalog::{
    Entity, Features, Field, FieldType, MoneyCurrency, OnDelete, Options, Picklist, Reset, ScalarType, SelectOption, Title,
};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type::{self, auto_number, json, text};
use crate::schema::node::Node;

pub(super) fn build(work: &mut Work) {
    picklists(work);
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
        second_pass(work, ix);
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
        scripts: Vec::new(),
        computed_order: Vec::new(),
        dependents: Vec::new(),
        table: String::new(),
        is_junction: draft.is_made,
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
    field.widget = node.text("widget").map(str::to_owned);
    field.required = flag("required");
    field.unique = flag("unique");
    field.indexed = flag("index") || matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. });
    field.search = flag("search");
    field.read_only = is_computed || matches!(field.ty, FieldType::AutoNumber { .. });
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
    let read_only = field.read_only || matches!(field.ty, FieldType::Children { .. });
    for key in ["required", "required_if", "default", "readonly_if"] {
        if read_only && node.get(key).is_some_and(|value| value.as_bool() != Some(false)) {
            let message = format!("nobody writes a field of type `{name}`, so `{key}` has no meaning");
            flag_fault(work, node, key, "DEF321", &message, "take it out");
        }
    }
}

fn flag_fault(work: &mut Work, node: &Node, key: &str, code: &'static str, message: &str, hint: &str) {
    let place = node.entry(key).map_or(&node.place, |(key, _)| &key.place).clone();
    work.fault(Diagnostic::error(code, &place, message).hint(hint));
}

fn field_type(work: &mut Work, node: &Node, package: &str, uid: &str) -> Option<FieldType> {
    let number = |key: &str| node.int(key).and_then(|number| u32::try_from(number).ok());
    let on_delete = |default| match node.text("on_delete") {
        Some("restrict") => OnDelete::Restrict,
        Some("set_null") => OnDelete::SetNull,
        Some("cascade") => OnDelete::Cascade,
        _ => default,
    };
    Some(match node.text("type")? {
        "text" => {
            let (min, max) = (number("min"), number("max").unwrap_or(text::DEFAULT_MAX));
            ordered(work, node, min.map(i64::from), Some(i64::from(max)));
            FieldType::Text { min, max, pattern: pattern(work, node) }
        }
        "long_text" => FieldType::LongText { max: number("max").unwrap_or(field_type::long_text::DEFAULT_MAX) },
        "rich_text" => FieldType::RichText { max: number("max").unwrap_or(field_type::long_text::DEFAULT_MAX) },
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "integer" => {
            ordered(work, node, node.int("min"), node.int("max"));
            FieldType::Integer { min: node.int("min"), max: node.int("max") }
        }
        "decimal" => {
            let scale = scale(node, field_type::decimal::DEFAULT_SCALE);
            let (min, max) = limits(work, node, scale);
            FieldType::Decimal { scale, min, max }
        }
        "percent" => {
            let scale = scale(node, field_type::percent::DEFAULT_SCALE);
            let (min, max) = limits(work, node, scale);
            FieldType::Percent { scale, min, max }
        }
        "money" => money(work, node)?,
        "boolean" => FieldType::Boolean,
        "date" => {
            let (min, max) = (node.text("min").and_then(Date::parse), node.text("max").and_then(Date::parse));
            ordered(work, node, min, max);
            FieldType::Date { min, max }
        }
        "datetime" => FieldType::DateTime,
        "time" => FieldType::Time,
        "duration" => {
            ordered(work, node, node.int("min"), node.int("max"));
            FieldType::Duration { min: node.int("min"), max: node.int("max") }
        }
        "select" => FieldType::Select(options(work, node, package, uid)?),
        "multi_select" => FieldType::MultiSelect { options: options(work, node, package, uid)?, max: number("max") },
        "tags" => FieldType::Tags { max: number("max") },
        "link" => FieldType::Link {
            to: work.find_entity(node.get("to")?, package)?,
            on_delete: kept(work, node, on_delete(OnDelete::Restrict)),
            inverse: node.text("inverse").map(str::to_owned),
            filter: None,
        },
        "links" => {
            let to = work.find_entity(node.get("to")?, package)?;
            let through = work.find_entity(node.get("through")?, package)?;
            FieldType::Links { to, through, near: FieldIx(0), far: FieldIx(0) }
        }
        "children" => FieldType::Children { of: work.find_entity(node.get("of")?, package)?, by: FieldIx(0) },
        "any_link" => {
            let mut to = Vec::new();
            for target in node.get("to")?.items() {
                let found = work.find_entity(target, package)?;
                if to.contains(&found) {
                    let fault = Diagnostic::error("DEF201", &target.place, format!("`{}` is named twice", target.as_text().unwrap_or("")));
                    work.fault(fault);
                } else {
                    to.push(found);
                }
            }
            if to.is_empty() {
                let fault = Diagnostic::error("DEF113", &node.get("to")?.place, "a link to any of no entities")
                    .hint("name at least one entity: `to: [crm.account]`");
                work.fault(fault);
                return None;
            }
            FieldType::AnyLink { to, on_delete: kept(work, node, on_delete(OnDelete::Restrict)) }
        }
        "user" => FieldType::User { to: *work.by_id.get("core.user")?, on_delete: kept(work, node, on_delete(OnDelete::SetNull)) },
        "address" => FieldType::Address,
        "person_name" => FieldType::PersonName,
        "geo" => FieldType::Geo,
        "rating" => {
            FieldType::Rating { max: node.int("max").and_then(|max| u8::try_from(max).ok()).unwrap_or(field_type::rating::DEFAULT_MAX) }
        }
        "color" => FieldType::Color,
        "json" => FieldType::Json { schema: json_schema(work, node) },
        "auto_number" => auto_number(work, node)?,
        "formula" => {
            FieldType::Formula { returns: returns(work, node)?, expr: Typed::always(), stored: node.flag("stored").unwrap_or(true) }
        }
        "rollup" => FieldType::Rollup {
            of: FieldIx(0),
            aggregate: Typed::always(),
            returns: returns(work, node).unwrap_or(ScalarType::Integer),
            stored: node.flag("stored").unwrap_or(true),
        },
        "lookup" => FieldType::Lookup { via: FieldIx(0), field: FieldIx(0), returns: ScalarType::Text },
        "file" => FieldType::File {
            max_count: number("max_count").unwrap_or(field_type::file::DEFAULT_MAX_COUNT),
            max_size_bytes: node
                .int("max_size")
                .and_then(|mb| u64::try_from(mb).ok())
                .map_or(field_type::file::DEFAULT_MAX_SIZE, |mb| mb << 20),
            accept: node
                .get("accept")
                .map(Node::one_or_many)
                .unwrap_or_default()
                .into_iter()
                .filter_map(Node::as_text)
                .map(str::to_owned)
                .collect(),
        },
        "image" => FieldType::Image {
            max_count: number("max_count").unwrap_or(field_type::image::DEFAULT_MAX_COUNT),
            max_size_bytes: node
                .int("max_size")
                .and_then(|mb| u64::try_from(mb).ok())
                .map_or(field_type::image::DEFAULT_MAX_SIZE, |mb| mb << 20),
        },
        _ => return None,
    })
}

/// A required link cannot be emptied.
fn kept(work: &mut Work, node: &Node, on_delete: OnDelete) -> OnDelete {
    if on_delete == OnDelete::SetNull
        && node.flag("required") == Some(true)
        && let Some(written) = node.get("on_delete")
    {
        let fault = Diagnostic::error("DEF304", &written.place, "a required link cannot be set to null when the linked record is deleted")
            .hint("use `restrict` or `cascade`, or take `required` out");
        work.fault(fault);
    }
    // The default of a user field gives way to `required`.
    if on_delete == OnDelete::SetNull && node.flag("required") == Some(true) { OnDelete::Restrict } else { on_delete }
}

fn scale(node: &Node, default: u8) -> u8 {
    node.int("scale").and_then(|scale| u8::try_from(scale).ok()).filter(|scale| *scale <= 9).unwrap_or(default)
}

fn ordered<T: PartialOrd + std::fmt::Display>(work: &mut Work, node: &Node, min: Option<T>, max: Option<T>) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let place = node.get("min").map_or(&node.place, |node| &node.place).clone();
        work.fault(
            Diagnostic::error("DEF305", &place, format!("`min` {min} is greater than `max` {max}"))
                .hint("no value could be saved: exchange the two"),
        );
    }
}

fn limits(work: &mut Work, node: &Node, scale: u8) -> (Option<Decimal>, Option<Decimal>) {
    let mut read = |key: &str| {
        let written = node.get(key)?;
        let text = written.scalar_text()?;
        match Decimal::parse(&text, scale) {
            Ok(number) => Some(number),
            Err(error) => {
                let fault = Diagnostic::error("DEF109", &written.place, format!("`{key}: {text}` {error}"))
                    .hint(format!("the field keeps {scale} decimal places"));
                work.fault(fault);
                None
            }
        }
    };
    let (min, max) = (read("min"), read("max"));
    ordered(work, node, min, max);
    (min, max)
}

fn money(work: &mut Work, node: &Node) -> Option<FieldType> {
    let (currency, digits) = match node.get("currency") {
        None => (MoneyCurrency::Record, work.catalog.settings.currency.digits()),
        Some(written) if written.as_text() == Some("record") => (MoneyCurrency::Record, work.catalog.settings.currency.digits()),
        Some(written) => {
            let code: Currency = super::settings::currency(work, written)?;
            (MoneyCurrency::Fixed(code), code.digits())
        }
    };
    let scale = scale(node, digits).min(field_type::money::MAX_SCALE);
    let (min, max) = limits(work, node, scale);
    Some(FieldType::Money { scale, currency, min, max })
}

fn pattern(work: &mut Work, node: &Node) -> Option<crate::schema::catalog::Pattern> {
    let written = node.get("pattern")?;
    match text::compile_pattern(written.as_text()?) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let fault = Diagnostic::error("DEF306", &written.place, format!("this is no regular expression: {error}"))
                .hint("look-around and back references are not supported; in YAML put a pattern in single quotes");
            work.fault(fault);
            None
        }
    }
}

fn json_schema(work: &mut Work, node: &Node) -> Option<crate::schema::catalog::JsonSchema> {
    let written = node.get("schema")?;
    match json::compile_schema(&written.to_json()) {
        Ok(schema) => Some(schema),
        Err(error) => {
            work.fault(
                Diagnostic::error("DEF307", &written.place, format!("this is no JSON Schema: {error}"))
                    .hint("draft 2020-12; `$ref` reaches only inside the schema"),
            );
            None
        }
    }
}

fn auto_number(work: &mut Work, node: &Node) -> Option<FieldType> {
    let format = node.text("format").unwrap_or("{seq}").to_owned();
    if let (Err((at, error)), Some(written)) = (auto_number::parse_format(&format), node.get("format")) {
        let place = work.inside(written, at..at + 1);
        work.fault(Diagnostic::error("DEF308", &place, error).hint("placeholders: {yyyy}, {yy}, {mm}, {dd}, {seq} and {seq:5}"));
        return None;
    }
    let reset = match node.text("reset") {
        Some("yearly") => Reset::Yearly,
        Some("monthly") => Reset::Monthly,
        Some("daily") => Reset::Daily,
        _ => Reset::Never,
    };
    Some(FieldType::AutoNumber { format, reset })
}

/// The result type of a formula or rollup.
fn returns(work: &mut Work, node: &Node) -> Option<ScalarType> {
    let given = node.int("scale").and_then(|scale| u8::try_from(scale).ok());
    Some(match node.text("returns")? {
        "text" => ScalarType::Text,
        "integer" => ScalarType::Integer,
        "decimal" => ScalarType::Decimal { scale: given.unwrap_or(2) },
        "percent" => ScalarType::Percent { scale: given.unwrap_or(2) },
        "money" => ScalarType::Money { scale: given.unwrap_or(work.catalog.settings.currency.digits()).min(6) },
        "boolean" => ScalarType::Boolean,
        "date" => ScalarType::Date,
        "datetime" => ScalarType::DateTime,
        "time" => ScalarType::Time,
        "duration" => ScalarType::Duration,
        _ => return None,
    })
}

fn picklists(work: &mut Work) {
    let intake = work.intake;
    for document in intake.documents.iter().filter(|document| document.kind.name == "picklist") {
        let Some(node) = document.node.get("id") else { continue };
        let Some(written) = node.as_text() else { continue };
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        let id = if written.contains('.') { written.to_owned() } else { format!("{package}.{written}") };
        if work.catalog.picklists.contains_key(&id) {
            let first = work.places.get(&uids::named(work, BindingKind::Picklist, &id, None)).cloned();
            let mut fault = Diagnostic::error("DEF201", &node.place, format!("the picklist `{id}` is defined twice"));
            if let Some(first) = first {
                fault = fault.label(&first, "first here");
            }
            work.fault(fault);
            continue;
        }
        let uid = uids::named(work, BindingKind::Picklist, &id, document.node.text("uid"));
        work.places.insert(uid.clone(), node.place.clone());
        let Some(list) = document.node.get("options") else { continue };
        let options = option_list(work, list, &uid);
        work.catalog.picklists.insert(id.clone(), Arc::new(Picklist { id, options }));
    }
}

fn options(work: &mut Work, node: &Node, package: &str, uid: &str) -> Option<Options> {
    let written = node.get("options")?;
    let list = if written.is_map() {
        let reference = written.get("ref")?;
        let name = reference.as_text()?;
        let id = if name.contains('.') { name.to_owned() } else { format!("{package}.{name}") };
        match work.catalog.picklists.get(&id) {
            Some(list) => list.clone(),
            None => {
                if !work.intake.incomplete {
                    let known: Vec<&str> = work.catalog.picklists.keys().map(String::as_str).collect();
                    let fault = Diagnostic::error("DEF209", &reference.place, format!("unknown picklist `{name}`"))
                        .near(nearest(name, known.iter().copied()))
                        .hint(if known.is_empty() {
                            "there is none yet: write `kind: picklist`".to_owned()
                        } else {
                            format!("picklists: {}", known.join(", "))
                        });
                    work.fault(fault);
                }
                return None;
            }
        }
    } else {
        Arc::new(Picklist { id: String::new(), options: option_list(work, written, uid) })
    };
    Some(Options { list, depends_on: None })
}

fn option_list(work: &mut Work, node: &Node, parent: &str) -> Vec<SelectOption> {
    if node.items().is_empty() {
        work.fault(Diagnostic::error("DEF113", &node.place, "a list of no options").hint("give it at least one: `options: [low, high]`"));
    }
    let mut found: Vec<SelectOption> = Vec::new();
    let mut places: Vec<crate::schema::Place> = Vec::new();
    for (position, item) in node.items().iter().enumerate() {
        let (key_node, body) = if item.is_map() { (item.get("key"), Some(item)) } else { (Some(item), None) };
        let Some(key_node) = key_node else { continue };
        let Some(key) = key_node.scalar_text() else { continue };
        if !option_key(&key) {
            let fault = Diagnostic::error("DEF108", &key_node.place, format!("`{key}` cannot be an option's key"))
                .hint("letters, digits, `_`, `-` and `.`, at most 60 characters; what people read is the `label`");
            work.fault(fault);
            continue;
        }
        if let Some(first) = found.iter().position(|known| known.key == key) {
            let fault = Diagnostic::error("DEF210", &key_node.place, format!("the option `{key}` stands here a second time"))
                .label(&places[first], "first here");
            work.fault(fault);
            continue;
        }
        let uid = uids::option(work, parent, &key, body.and_then(|body| body.text("uid")));
        work.places.insert(uid.clone(), key_node.place.clone());
        let hue = body.and_then(|body| body.int("hue")).and_then(|hue| u8::try_from(hue).ok());
        found.push(SelectOption {
            uid,
            label: body.and_then(|body| labels::of(body.get("label"))).unwrap_or_else(|| labels::from_name(&key)),
            hue: hue.unwrap_or(u8::try_from(position % 10).unwrap_or(0)),
            retired: body.and_then(|body| body.flag("retired")).unwrap_or(false),
            key,
        });
        places.push(key_node.place.clone());
    }
    found.extend(gone_options(work, parent, &found));
    found
}

fn option_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 60 && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Options that were there once and are no longer written: old records keep their value and its label.
fn gone_options(work: &Work, parent: &str, written: &[SelectOption]) -> Vec<SelectOption> {
    let of_parent =
        work.old.by_uid.values().filter(|binding| binding.kind == BindingKind::Option && binding.parent.as_deref() == Some(parent));
    of_parent
        .filter(|binding| !written.iter().any(|option| option.uid == binding.uid || option.key == binding.name))
        .map(|binding| {
            let texts: std::collections::BTreeMap<String, String> = serde_json::from_str(&binding.shape).unwrap_or_default();
            let label = if texts.is_empty() { labels::from_name(&binding.name) } else { Labels(texts) };
            debug_assert!(matches!(binding.state, BindingState::Live | BindingState::Retired));
            SelectOption { key: binding.name.clone(), uid: binding.uid.clone(), label, hue: 0, retired: true }
        })
        .collect()
}

/// What needs all fields to be there: the link behind children, the ends of a junction, what a rollup and a lookup name.
fn second_pass(work: &mut Work, ix: EntityIx) {
    let drafts: Vec<(String, Node)> =
        work.draft(ix).fields.iter().map(|FieldDraft { key, node, .. }| (key.text.clone(), node.clone())).collect();
    for (name, node) in drafts {
        let Some(at) = work.entity(ix).by_name.get(&name).copied() else { continue };
        let fixed = match &work.entity(ix).field(at).ty {
            FieldType::Children { of, .. } => {
                let of = *of;
                children_link(work, ix, of, &node).map(|by| FieldType::Children { of, by })
            }
            FieldType::Links { to, through, .. } => {
                let (to, through) = (*to, *through);
                ends(work, ix, to, through, &node).map(|(near, far)| {
                    work.entity_mut(through).is_junction = true;
                    FieldType::Links { to, through, near, far }
                })
            }
            _ => continue,
        };
        match fixed {
            Some(ty) => work.entity_mut(ix).fields[at.0 as usize].ty = ty,
            None => forget(work, ix, &name),
        }
    }
}

/// Takes a faulty field out of reach; its position stays, so that others keep theirs.
pub(super) fn forget(work: &mut Work, ix: EntityIx, name: &str) {
    work.entity_mut(ix).by_name.remove(name);
    work.broken.insert((ix.0, name.to_owned()));
}

fn links_to(entity: &Entity, target: EntityIx) -> Vec<(FieldIx, String)> {
    let points =
        |field: &&Field| matches!(&field.ty, FieldType::Link { to, .. } | FieldType::User { to, .. } if *to == target) && !field.is_system;
    entity.fields.iter().filter(points).map(|field| (field.ix, field.name.clone())).collect()
}

fn children_link(work: &mut Work, ix: EntityIx, of: EntityIx, node: &Node) -> Option<FieldIx> {
    let by = node.get("by")?;
    let name = by.as_text()?.to_owned();
    let links = links_to(work.entity(of), ix);
    if let Some((found, _)) = links.iter().find(|(_, link)| *link == name) {
        return Some(*found);
    }
    if work.broken.contains(&(of.0, name.clone())) || work.intake.incomplete {
        return None;
    }
    let names: Vec<&str> = links.iter().map(|(_, name)| name.as_str()).collect();
    let (child, owner) = (work.entity(of).id.clone(), work.entity(ix).id.clone());
    let hint = if names.is_empty() {
        format!("add a link to `{child}`: `{name}: {{type: link, to: {owner}}}`")
    } else {
        format!("links of `{child}` to `{owner}`: {}", names.join(", "))
    };
    let fault = Diagnostic::error("DEF302", &by.place, format!("`{child}` has no link `{name}` to `{owner}`"))
        .near(nearest(&name, names))
        .hint(hint);
    work.fault(fault);
    None
}

fn ends(work: &mut Work, ix: EntityIx, to: EntityIx, through: EntityIx, node: &Node) -> Option<(FieldIx, FieldIx)> {
    let named = |work: &mut Work, key: &str, target: EntityIx| -> Option<Option<FieldIx>> {
        let Some(written) = node.get(key) else { return Some(None) };
        let name = written.as_text()?;
        let found = links_to(work.entity(through), target).into_iter().find(|(_, link)| link == name);
        if found.is_none() {
            let (between, other) = (work.entity(through).id.clone(), work.entity(target).id.clone());
            work.fault(Diagnostic::error("DEF303", &written.place, format!("`{between}` has no link `{name}` to `{other}`")));
            return None;
        }
        Some(found.map(|(ix, _)| ix))
    };
    let near = named(work, "near", ix)?;
    let far = named(work, "far", to)?;
    let pick = |links: Vec<(FieldIx, String)>, given: Option<FieldIx>, other: Option<FieldIx>| match given {
        Some(given) => Some(given),
        None => {
            let free: Vec<FieldIx> = links.into_iter().map(|(ix, _)| ix).filter(|ix| Some(*ix) != other).collect();
            if free.len() == 1 || (ix == to && !free.is_empty()) { free.first().copied() } else { None }
        }
    };
    let near = pick(links_to(work.entity(through), ix), near, far);
    let far = pick(links_to(work.entity(through), to), far, near);
    if let (Some(near), Some(far)) = (near, far)
        && near != far
    {
        return Some((near, far));
    }
    if work.intake.incomplete || work.broken.iter().any(|(entity, _)| *entity == through.0) {
        return None;
    }
    let (between, here, there) = (work.entity(through).id.clone(), work.entity(ix).id.clone(), work.entity(to).id.clone());
    let place = node.get("through").map_or(&node.place, |node| &node.place).clone();
    let fault = Diagnostic::error("DEF303", &place, format!("`{between}` must have one link to `{here}` and one to `{there}`"))
        .hint("where it has several, say which: `near: …` and `far: …`");
    work.fault(fault);
    None
}
