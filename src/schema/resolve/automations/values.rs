//! Values that steps give to fields and compare them with.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Expected, FieldKind, Scope, Type, Typed};
use crate::schema::catalog::{Field, FieldType, Given, GivenValue};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type;
use crate::schema::node::{Node, NodeKind, Style};
use crate::schema::resolve::Work;
use crate::schema::resolve::expressions::value;
use crate::schema::scope::{CatalogScope, expr_type};

use super::steps::List;

impl List {
    pub(super) fn given(&mut self, work: &mut Work, node: &Node, target: EntityIx) -> Option<Vec<Given>> {
        self.given_for(work, node, target, true)
    }

    /// Values by field; `None` when one of them has a fault.
    pub(super) fn given_for(&mut self, work: &mut Work, node: &Node, target: EntityIx, is_written: bool) -> Option<Vec<Given>> {
        let mut found = Vec::new();
        let mut is_sound = true;
        for (key, item) in node.entries() {
            let named = Node { kind: NodeKind::Text(key.text.clone()), place: key.place.clone(), style: Style::Plain };
            let Some(field) = work.find_field(&named, &key.text, target) else {
                is_sound = false;
                continue;
            };
            match self.one(work, &named, item, target, field, is_written) {
                Some(given) => found.push(given),
                None => is_sound = false,
            }
        }
        is_sound.then_some(found)
    }

    fn one(&mut self, work: &mut Work, key: &Node, item: &Node, target: EntityIx, field: FieldIx, is_written: bool) -> Option<Given> {
        let found = work.entity(target).field(field).clone();
        let refused = |why: &str| {
            Diagnostic::error("DEF363", &key.place, format!("`{}` {why}", found.name)).hint("name a field with a value of its own")
        };
        let is_many = matches!(found.ty, FieldType::Children { .. } | FieldType::Links { .. });
        if is_many || is_written && (found.read_only || found.is_system && found.name != "owner") {
            work.fault(refused(if is_many { "is a list of records" } else { "is not written by anybody" }));
            return None;
        }
        let Some(ty) = type_of(work, target, &found) else {
            // What has no type in expressions can still be given as it is written.
            if is_written && !item.as_text().is_some_and(|text| text.starts_with('=')) {
                return self.plain(work, item, &found, Type::Json);
            }
            work.fault(refused("has no value that an expression could give or find"));
            return None;
        };
        if item.as_text().is_none_or(|text| !text.starts_with('=')) {
            return self.plain(work, item, &found, ty);
        }
        let expected = if ty == Type::Bool { Expected::Condition } else { Expected::Value(ty.clone()) };
        let typed: Typed = value(work, item, self.entity, &expected)?;
        Some(Given { field, ty, value: GivenValue::Expr(typed) })
    }

    fn plain(&mut self, work: &mut Work, item: &Node, field: &Field, ty: Type) -> Option<Given> {
        match field_type::parse_json(&work.catalog, field, &item.to_json()) {
            Ok(value) => Some(Given { field: field.ix, ty, value: GivenValue::Plain(value) }),
            Err(fault) => {
                let near = fault.params.get("near").and_then(|near| near.as_str()).map(str::to_owned);
                let message = format!("the value of `{}` does not fit: {}", field.name, fault.message);
                work.fault(Diagnostic::error("DEF309", &item.place, message).near(near).hint("an expression begins with `=`"));
                None
            }
        }
    }
}

/// Values by field that a record of an entity is given, outside of automations.
pub(in crate::schema::resolve) fn given_values(work: &mut Work, node: &Node, entity: EntityIx) -> Option<Vec<Given>> {
    List::new(entity, String::new(), String::new(), false).given(work, node, entity)
}

/// Values by field that a record of `target` is given, about a record of another entity.
pub(in crate::schema::resolve) fn given_about(work: &mut Work, node: &Node, about: EntityIx, target: EntityIx) -> Option<Vec<Given>> {
    List::new(about, String::new(), String::new(), false).given(work, node, target)
}

/// The value of one field of `target`, about a record of another entity.
pub(in crate::schema::resolve) fn given_value(
    work: &mut Work,
    key: &Node,
    item: &Node,
    about: EntityIx,
    target: EntityIx,
    field: FieldIx,
) -> Option<Given> {
    List::new(about, String::new(), String::new(), false).one(work, key, item, target, field, true)
}

/// What a field is to an expression that gives its value; `None` for what none can give.
pub(super) fn type_of(work: &Work, entity: EntityIx, field: &Field) -> Option<Type> {
    match &field.ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => return Some(Type::Link(vec![*to])),
        FieldType::AnyLink { to, .. } => return Some(Type::Link(to.clone())),
        _ => {}
    }
    if field.encrypted || field.is_secret() {
        return None;
    }
    if let Some(scalar) = field_type::scalar_type(&field.ty) {
        return Some(expr_type(scalar));
    }
    match CatalogScope::new(&work.catalog).field(entity, &field.name)?.kind {
        FieldKind::Value(ty) => Some(ty),
        FieldKind::Select(_) => Some(Type::Text),
        _ => None,
    }
}
