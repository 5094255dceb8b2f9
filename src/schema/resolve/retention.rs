//! Rules about how long records are kept.

use super::Work;
use super::expressions::condition;
use crate::base::EntityIx;
use crate::expr::{self, Expected, Typed};
use crate::schema::catalog::{Entity, FieldType, Retention, RetentionAction};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type::{address, person_name};
use crate::schema::node::Node;
use crate::schema::scope::CatalogScope;

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let (Some(id), Some(days)) = (node.text("id"), node.get("days").and_then(Node::scalar_text)) else { return };
    let Ok(days) = days.parse::<u32>() else { return };
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
        let text = filled(work.entity(ix));
        if text.is_empty() {
            let fault = Diagnostic::error("DEF325", &node.place, format!("`{}` has no personal field to erase", work.entity(ix).id))
                .hint("give the fields that say something of a person a `class`, or use `action: delete`");
            work.fault(fault);
            return;
        }
        let scope = CatalogScope::new(&work.catalog);
        parts.extend(expr::compile(&text, &scope, ix, &Expected::Condition).ok());
    }
    let when = if parts.is_empty() { Typed::always() } else { Typed::all_of(parts) };
    work.entity_mut(ix).retention.push(Retention { id: id.to_owned(), when, since, days, action });
}

/// The condition that a record still has a personal value.
fn filled(entity: &Entity) -> String {
    let personal = entity.fields.iter().filter(|field| !field.is_system && (field.class.is_some() || field.encrypted));
    let each = personal.flat_map(|field| {
        let part = |part: &&str| format!("{}.{part} is not null", field.name);
        match &field.ty {
            FieldType::Address => address::PARTS.iter().map(part).collect(),
            FieldType::PersonName => person_name::PARTS.iter().map(part).collect(),
            FieldType::Geo => vec![format!("{}.lat is not null", field.name)],
            _ => vec![format!("{} is not null", field.name)],
        }
    });
    each.collect::<Vec<String>>().join(" or ")
}
