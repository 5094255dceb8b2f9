//! Rules about how long records are kept.

use super::Work;
use super::expressions::condition;
use crate::base::EntityIx;
use crate::expr::{self, Expected, Node as ExprNode, Type, Typed};
use crate::schema::catalog::{Field, FieldType, Retention, RetentionAction};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type::{address, person_name};
use crate::schema::node::Node;
use crate::schema::scope::CatalogScope;

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let (Some(id), Some(days)) = (node.text("id"), node.get("days").and_then(Node::scalar_text)) else { return };
    // What is no such number was told by the shape; the rest is looked at all the same.
    let days = days.parse::<u32>().unwrap_or(u32::MAX);
    let action = match node.text("action") {
        Some("erase") => RetentionAction::Erase,
        Some("delete") => RetentionAction::Delete,
        _ => return,
    };
    let place = node.get("since").unwrap_or(node).clone();
    let Some(since) = work.find_field(&place, node.text("since").unwrap_or("updated_at"), ix) else { return };
    if !matches!(work.entity(ix).field(since).ty, FieldType::Date { .. } | FieldType::DateTime) {
        let fault = Diagnostic::error("DEF325", &place.place, "retention counts from a date or a date-time")
            .hint("say `since:` with such a field, for example `updated_at`");
        work.fault(fault);
        return;
    }
    let own = node.get("when").is_some();
    let when = condition(work, node.get("when"), ix, false);
    if own && when.is_none() {
        return;
    }
    let mut parts: Vec<Typed> = when.into_iter().collect();
    if action == RetentionAction::Erase {
        let Some(filled) = filled(work, ix, node) else { return };
        parts.push(filled);
    }
    let when = if parts.is_empty() { Typed::always() } else { Typed::all_of(parts) };
    work.entity_mut(ix).retention.push(Retention { id: id.to_owned(), when, since, days, action });
}

/// The condition that a record still has a personal value: who has none is not erased again each day.
fn filled(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Typed> {
    let entity = work.entity(ix);
    let personal = entity.fields.iter().filter(|field| !field.is_system && (field.class.is_some() || field.encrypted));
    let texts: Vec<(String, String)> =
        personal.flat_map(|field| values_of(field).into_iter().map(|value| (field.name.clone(), format!("{value} is not null")))).collect();
    if texts.is_empty() {
        let fault = Diagnostic::error("DEF325", &node.place, format!("`{}` has no personal field to erase", entity.id))
            .hint("give the fields that say something of a person a `class`, or use `action: delete`");
        work.fault(fault);
        return None;
    }
    let mut parts = Vec::with_capacity(texts.len());
    for (name, text) in &texts {
        let compiled = expr::compile(text, &CatalogScope::new(&work.catalog), ix, &Expected::Condition);
        match compiled {
            Ok(part) => parts.push(part),
            Err(errors) => {
                let why = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let place = node.get("action").unwrap_or(node).place.clone();
                let fault = Diagnostic::error("DEF325", &place, format!("nothing can tell whether `{name}` still has a value: {why}"))
                    .hint(format!("take the class of `{name}` away, or use `action: delete`"));
                work.fault(fault);
                return None;
            }
        }
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Typed::new(Type::Bool, ExprNode::Or(parts), 0..0) })
}

/// What of a field is asked, one by one: a value of several parts has no single one.
fn values_of(field: &Field) -> Vec<String> {
    let part = |part: &&str| format!("{}.{part}", field.name);
    match &field.ty {
        FieldType::Address => address::PARTS.iter().map(part).collect(),
        FieldType::PersonName => person_name::PARTS.iter().map(part).collect(),
        FieldType::Geo => vec![part(&"lat")],
        _ => vec![field.name.clone()],
    }
}
