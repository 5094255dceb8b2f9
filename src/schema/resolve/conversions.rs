//! Conversions: what a record becomes, which values go where, what leads to it afterwards. Everything is named and typed here,
//! so that no field is lost on the way unseen.

use super::automations::given_value;
use super::drafts::PartDraft;
use super::expressions::condition;
use super::pipelines::roles;
use super::{Work, labels};
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{
    Carry, Conversion, ConversionTarget, CopiedRows, Existing, Field, FieldType, Given, Mapped, MappedValue, Options, Origin,
};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::{Key, Node, NodeKind, Style};

/// Records that one conversion makes.
const MOST_TARGETS: usize = 10;
/// What a link to the record that is converted says.
const RECORD: &str = "record";

pub(super) fn read(work: &mut Work, ix: EntityIx, part: &PartDraft) {
    let node = &part.node;
    let Some(id) = node.text("id") else { return };
    let targets = targets(work, ix, part, id);
    let set = node.get("set").map(|values| own_values(work, ix, values)).unwrap_or_default();
    let links = links(work, ix, node.get("links"), None, &targets)
        .into_iter()
        .filter_map(|(field, origin)| if let Origin::Target(at) = origin { Some((field, at)) } else { None })
        .collect::<Vec<_>>();
    let is_repeated = node.flag("again").unwrap_or(false);
    if !is_repeated && node.get("set").is_none() && node.get("links").is_none() {
        let fault = Diagnostic::error("DEF390", &node.place, format!("nothing of the record would say that `{id}` converted it"));
        work.fault(fault.hint("say what it is then: `set: {status: converted}`, or where it leads: `links: {account: account}`; or let it go on as it is: `again: true`"));
    }
    let carry = node.get("carry").map(|list| list.items().to_vec()).unwrap_or_default();
    let carry = carry.iter().filter_map(|one| self::carry(work, ix, one, part, &targets)).collect();
    let shares = node.get("shares").and_then(|name| target(work, name, &targets));
    let conversion = Conversion {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        when: condition(work, node.get("when"), ix, false),
        targets,
        set,
        links,
        carry,
        shares,
        editors: roles(work, node.get("edit")),
        is_repeated,
    };
    work.entity_mut(ix).conversions.push(conversion);
}

/// The conversion of an entity that a text names.
pub(super) fn find(work: &mut Work, ix: EntityIx, node: &Node) -> Option<String> {
    let name = node.as_text()?;
    if work.entity(ix).find_conversion(name).is_some() {
        return Some(name.to_owned());
    }
    let entity = work.entity(ix).id.clone();
    let known: Vec<String> = work.entity(ix).conversions.iter().map(|conversion| conversion.id.clone()).collect();
    let hint = match known.is_empty() {
        true => "give the entity `conversions`".to_owned(),
        false => format!("conversions: {}", known.join(", ")),
    };
    let fault = Diagnostic::error("DEF397", &node.place, format!("`{entity}` has no conversion `{name}`"));
    work.fault(fault.near(nearest(name, known.iter().map(String::as_str))).hint(hint));
    None
}

fn targets(work: &mut Work, ix: EntityIx, part: &PartDraft, conversion: &str) -> Vec<ConversionTarget> {
    let written: Vec<Node> = part.node.get("targets").map(|list| list.items().to_vec()).unwrap_or_default();
    if (written.is_empty() || written.len() > MOST_TARGETS)
        && let Some((key, _)) = part.node.entry("targets")
    {
        let message = if written.is_empty() { "a conversion into nothing" } else { "more targets than one conversion may have" };
        let fault = Diagnostic::error("DEF113", &key.place.clone(), message);
        work.fault(fault.hint(format!("give `{conversion}` 1 to {MOST_TARGETS} targets: `targets: [{{id: deal, entity: deal}}]`")));
    }
    let mut found: Vec<ConversionTarget> = Vec::new();
    for node in written.iter().take(MOST_TARGETS) {
        let (Some(id_node), Some(named)) = (node.get("id"), node.get("entity")) else { continue };
        let Some(id) = id_node.as_text() else { continue };
        if id == RECORD || found.iter().any(|known| known.id == id) {
            let fault = Diagnostic::error("DEF201", &id_node.place, format!("the conversion `{conversion}` has `{id}` already"));
            work.fault(fault.hint("give the target another id; `record` is the one that is converted"));
            continue;
        }
        let Some(entity) = work.find_entity(named, &part.package) else { continue };
        if work.entity(entity).is_junction || matches!(work.entity(entity).id.as_str(), "core.user" | "core.team") {
            let message = format!("`{}` is nothing that a record becomes", work.entity(entity).id);
            let fault = Diagnostic::error("DEF391", &named.place, message);
            work.fault(fault.hint("people and teams are made by administrators, rows between two records by lists of links"));
            continue;
        }
        let values = node.get("values").map(|values| mapped(work, ix, entity, values)).unwrap_or_default();
        let links = links(work, entity, node.get("links"), Some(ix), &found);
        let rows: Vec<Node> = node.get("rows").map(|rows| rows.items().to_vec()).unwrap_or_default();
        let rows = rows.iter().filter_map(|rows| copied_rows(work, ix, entity, rows)).collect();
        let target = ConversionTarget {
            id: id.to_owned(),
            label: labels::of(node.get("label")).unwrap_or_else(|| work.entity(entity).label.clone()),
            entity,
            when: condition(work, node.get("when"), ix, false),
            is_optional: node.flag("optional").unwrap_or(false),
            existing: match node.text("existing") {
                Some("use") => Existing::Use,
                Some("never") => Existing::Never,
                _ => Existing::Ask,
            },
            fills: node.flag("fill").unwrap_or(false),
            values,
            links,
            rows,
        };
        if let Some((key, _)) = node.entry("fill").filter(|_| target.fills && target.existing == Existing::Never) {
            let fault = Diagnostic::error("DEF392", &key.place.clone(), "no existing record is ever used here, so none is filled in");
            work.fault(fault.hint("take `fill` out, or let existing records be used: `existing: ask`"));
        }
        found.push(target);
    }
    found
}

/// Records below the one that is converted, and where they are made.
fn copied_rows(work: &mut Work, from: EntityIx, to: EntityIx, node: &Node) -> Option<CopiedRows> {
    let mut below = |key: &str, entity: EntityIx| {
        let written = node.get(key)?;
        let name = written.as_text()?.to_owned();
        let field = work.find_field(written, &name, entity)?;
        if let FieldType::Children { of, by } = work.entity(entity).field(field).ty {
            return Some((field, of, by));
        }
        let message = format!("`{name}` of `{}` holds no records below it", work.entity(entity).id);
        work.fault(Diagnostic::error("DEF398", &written.place, message).hint("name a field of type `children`"));
        None
    };
    let (_, of, by) = below("from", from)?;
    let (into, below, _) = below("into", to)?;
    let when = condition(work, node.get("when"), of, false);
    let values = node.get("values").map(|values| mapped(work, of, below, values)).unwrap_or_default();
    Some(CopiedRows { of, by, into, to: below, when, values })
}

fn text_node(key: &Key) -> Node {
    Node { kind: NodeKind::Text(key.text.clone()), place: key.place.clone(), style: Style::Plain }
}

/// Values of the record itself.
fn own_values(work: &mut Work, ix: EntityIx, node: &Node) -> Vec<Given> {
    let mut found = Vec::new();
    for (key, item) in node.entries() {
        let named = text_node(key);
        let Some(field) = work.find_field(&named, &key.text, ix) else { continue };
        found.extend(given_value(work, &named, item, ix, ix, field));
    }
    found
}

/// Values of a target, about the record that is converted.
fn mapped(work: &mut Work, from: EntityIx, to: EntityIx, node: &Node) -> Vec<Mapped> {
    let mut found = Vec::new();
    for (key, item) in node.entries() {
        let named = text_node(key);
        let Some(field) = work.find_field(&named, &key.text, to) else { continue };
        let source = item.as_text().and_then(|text| text.strip_prefix('=')).map(str::trim);
        let source = source.and_then(|name| work.entity(from).find_field(name)).map(|field| field.ix);
        if let Some(source) = source
            && copies(work.entity(from).field(source), work.entity(to).field(field))
        {
            if expect_options(work, item, from, source, to, field) {
                found.push(Mapped { field, value: MappedValue::Copy(source) });
            }
            continue;
        }
        if let Some(given) = given_value(work, &named, item, from, to, field) {
            found.push(Mapped { field, value: MappedValue::Given(given.value) });
        }
    }
    found
}

fn is_text(ty: &FieldType) -> bool {
    matches!(ty, FieldType::Text { .. } | FieldType::LongText { .. })
}

/// Whether a value of one field is taken by the other as it is; others go through expressions.
fn copies(from: &Field, to: &Field) -> bool {
    let is_sealed = |field: &Field| field.encrypted || field.is_secret();
    if is_sealed(from) || is_sealed(to) || to.read_only {
        return false;
    }
    match (&from.ty, &to.ty) {
        (FieldType::Tags { .. }, FieldType::Tags { .. })
        | (FieldType::Select(_), FieldType::Select(_))
        | (FieldType::MultiSelect { .. }, FieldType::MultiSelect { .. })
        | (FieldType::Address, FieldType::Address)
        | (FieldType::Geo, FieldType::Geo)
        | (FieldType::PersonName, FieldType::PersonName) => true,
        // A name is read from a text, and written as one.
        (ty, FieldType::PersonName) | (FieldType::PersonName, ty) => is_text(ty),
        _ => false,
    }
}

/// Options of the one must be options of the other, or some records could not be converted.
fn expect_options(work: &mut Work, item: &Node, from: EntityIx, source: FieldIx, to: EntityIx, field: FieldIx) -> bool {
    fn options(ty: &FieldType) -> Option<&Options> {
        match ty {
            FieldType::Select(options) | FieldType::MultiSelect { options, .. } => Some(options),
            _ => None,
        }
    }
    let (from, to) = (work.entity(from).field(source), work.entity(to).field(field));
    let (Some(mine), Some(theirs)) = (options(&from.ty), options(&to.ty)) else { return true };
    let is_there = |key: &str| theirs.list.options.iter().any(|option| option.key == key && !option.retired);
    let missing: Vec<String> =
        mine.list.options.iter().filter(|option| !option.retired && !is_there(&option.key)).map(|option| option.key.clone()).collect();
    if missing.is_empty() {
        return true;
    }
    let message = format!("`{}` has no option for {} of `{}`", to.name, missing.join(", "), from.name);
    let fault = Diagnostic::error("DEF393", &item.place, message);
    work.fault(fault.hint("give both the same options, or say what becomes of them with an expression: `=if(kind = 'a', 'b', null)`"));
    false
}

/// Links by field: to another target, or to the record that is converted, which is of `record`.
fn links(
    work: &mut Work,
    of: EntityIx,
    node: Option<&Node>,
    record: Option<EntityIx>,
    targets: &[ConversionTarget],
) -> Vec<(FieldIx, Origin)> {
    let mut found = Vec::new();
    for (key, item) in node.map(Node::entries).unwrap_or_default() {
        let Some(field) = work.find_field(&text_node(key), &key.text, of) else { continue };
        let origin = match (item.as_text(), record) {
            (Some(RECORD), Some(record)) => Some((Origin::Record, record)),
            _ => target(work, item, targets).map(|at| (Origin::Target(at), targets[at].entity)),
        };
        let Some((origin, entity)) = origin else { continue };
        if leads_to(&work.entity(of).field(field).ty, entity) {
            found.push((field, origin));
        } else {
            let message = format!("`{}` does not lead to `{}`", key.text, work.entity(entity).id);
            work.fault(Diagnostic::error("DEF394", &key.place, message).hint("name a field of type `link`, `any_link` or `links`"));
        }
    }
    found
}

fn leads_to(ty: &FieldType, entity: EntityIx) -> bool {
    match ty {
        FieldType::Link { to, .. } | FieldType::Links { to, .. } => *to == entity,
        FieldType::AnyLink { to, .. } => to.contains(&entity),
        _ => false,
    }
}

/// The position of a target that stands before.
fn target(work: &mut Work, node: &Node, targets: &[ConversionTarget]) -> Option<usize> {
    let name = node.as_text()?;
    if let Some(at) = targets.iter().position(|target| target.id == name) {
        return Some(at);
    }
    let known: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
    let hint = match known.is_empty() {
        true => "name a target that stands before this one".to_owned(),
        false => format!("targets: {}", known.join(", ")),
    };
    let near = nearest(name, known.iter().copied());
    work.fault(Diagnostic::error("DEF395", &node.place, format!("there is no target `{name}` before this")).near(near).hint(hint));
    None
}

fn carry(work: &mut Work, ix: EntityIx, node: &Node, part: &PartDraft, targets: &[ConversionTarget]) -> Option<Carry> {
    let entity = work.find_entity(node.get("entity")?, &part.package)?;
    let mut field = |key: &str| {
        let written = node.get(key)?;
        let name = written.as_text()?.to_owned();
        work.find_field(written, &name, entity)
    };
    let from = field("field")?;
    let into = if node.get("into").is_some() { field("into")? } else { from };
    let written: Vec<Node> = node.get("to").map(|to| to.one_or_many().into_iter().cloned().collect()).unwrap_or_default();
    let to: Vec<usize> = written.iter().filter_map(|name| target(work, name, targets)).collect();
    let is_link = |ty: &FieldType| matches!(ty, FieldType::Link { .. } | FieldType::AnyLink { .. });
    let found = work.entity(entity);
    let refused = |key: &str, message: String, hint: &str| {
        let place = node.get(key).map_or(&node.place, |node| &node.place);
        Diagnostic::error("DEF396", place, message).hint(hint.to_owned())
    };
    let (first, second) = (found.field(from), found.field(into));
    let fault = if !is_link(&first.ty) || !leads_to(&first.ty, ix) {
        let message = format!("`{}` of `{}` does not lead to `{}`", first.name, found.id, work.entity(ix).id);
        Some(refused("field", message, "name the link by which these records lead to the one that is converted"))
    } else if let Some(at) = to.iter().find(|at| !is_link(&second.ty) || !leads_to(&second.ty, targets[**at].entity)) {
        let message = format!("`{}` of `{}` does not lead to `{}`", second.name, found.id, work.entity(targets[*at].entity).id);
        let key = if from == into { "field" } else { "into" };
        Some(refused(key, message, "say with `into` which link leads there then"))
    } else if from != into && first.required {
        let message = format!("`{}` of `{}` must hold something, so that nothing can be led elsewhere", first.name, found.id);
        Some(refused("field", message, "let `required` go, or carry these records by a link to several entities (`any_link`)"))
    } else {
        None
    };
    if let Some(fault) = fault {
        work.fault(fault);
        return None;
    }
    (!to.is_empty()).then_some(Carry { entity, field: from, into, to })
}
