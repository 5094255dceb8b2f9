//! Expressions of fields: formulas, rollups, conditions, defaults. A fault points at the character inside the YAML.

use super::Work;
use super::ends::forget;
use super::fields::written;
use crate::base::{EntityIx, Explain, FieldIx};
use crate::expr::{self, Expected, ExprError, ExprErrorKind, Needs, Type, Typed};
use crate::schema::catalog::{Default, FieldType, ScalarType};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type;
use crate::schema::node::Node;
use crate::schema::scope::{CatalogScope, expr_type};

pub(super) fn compile(work: &mut Work) {
    rollups(work);
    for ix in work.all() {
        for (name, node) in written(work, ix) {
            formula(work, ix, &name, &node);
            conditions(work, ix, &name, &node);
            default(work, ix, &name, &node);
        }
    }
}

/// Compiles a condition about a record of `entity`.
pub(super) fn condition(work: &mut Work, node: Option<&Node>, entity: EntityIx, has_old: bool) -> Option<Typed> {
    let node = node?;
    let compiled = {
        let text = node.scalar_text()?;
        let scope = CatalogScope { catalog: &work.catalog, has_old, has_mine: false, hidden: &[] };
        expr::compile(&text, &scope, entity, &Expected::Condition)
    };
    settle(work, node, 0, entity, compiled)
}

/// Compiles the expression that gives a value, behind the `=` it begins with.
pub(super) fn value(work: &mut Work, node: &Node, entity: EntityIx, expected: &Expected) -> Option<Typed> {
    let compiled = {
        let text = node.as_text()?.strip_prefix('=')?;
        let scope = CatalogScope { catalog: &work.catalog, has_old: true, has_mine: false, hidden: &[] };
        expr::compile(text, &scope, entity, expected)
    };
    settle(work, node, 1, entity, compiled)
}

/// Compiles the condition of a role about records of `entity`.
pub(super) fn rule_of_role(work: &mut Work, node: &Node, entity: EntityIx) -> Option<Typed> {
    let text = node.scalar_text()?;
    let compiled = {
        let scope = CatalogScope { catalog: &work.catalog, has_old: false, has_mine: true, hidden: &[] };
        expr::compile(&text, &scope, entity, &Expected::Condition)
    };
    settle(work, node, 0, entity, compiled)
}

/// Compiles an expression about a record of `entity` that gives a value.
pub(super) fn bare_value(work: &mut Work, node: &Node, entity: EntityIx, expected: &Expected) -> Option<Typed> {
    let compiled = {
        let text = node.scalar_text()?;
        let scope = CatalogScope::new(&work.catalog);
        expr::compile(&text, &scope, entity, expected)
    };
    settle(work, node, 0, entity, compiled)
}

fn settle(work: &mut Work, node: &Node, skipped: usize, entity: EntityIx, compiled: Result<Typed, Vec<ExprError>>) -> Option<Typed> {
    match compiled {
        Ok(typed) => Some(typed),
        Err(errors) => {
            for error in errors {
                report(work, node, skipped, entity, &error);
            }
            None
        }
    }
}

/// Makes a diagnostic of an expression's fault; `skipped` bytes stand in front of the expression in its text (the `=` of a default).
fn report(work: &mut Work, node: &Node, skipped: usize, entity: EntityIx, error: &ExprError) {
    if let ExprErrorKind::UnknownField { entity: slug, field, .. } = &error.kind {
        let owner = work.catalog.by_slug.get(slug).copied().unwrap_or(entity);
        if work.intake.unread || work.broken.contains(&(owner.0, field.clone())) {
            return;
        }
    }
    let place = work.inside(node, error.span.start + skipped..error.span.end + skipped);
    let mut fault = Diagnostic::error(error.code(), &place, error.to_string()).near(error.near().map(str::to_owned));
    if error.near().is_none()
        && let Some(hint) = error.hint()
    {
        fault = fault.hint(hint);
    }
    work.fault(fault);
}

fn formula(work: &mut Work, ix: EntityIx, name: &str, node: &Node) {
    let Some(at) = work.entity(ix).by_name.get(name).copied() else { return };
    let FieldType::Formula { returns, .. } = &work.entity(ix).field(at).ty else { return };
    let returns = *returns;
    let Some(written) = node.get("expr") else { return };
    let Some(text) = written.scalar_text() else { return };
    let scope = CatalogScope::new(&work.catalog);
    let expected = if returns == ScalarType::Boolean { Expected::Condition } else { Expected::Value(expr_type(returns)) };
    let compiled = expr::compile(&text, &scope, ix, &expected);
    let Some(typed) = settle(work, written, 0, ix, compiled) else { return };
    let needs = expr::needs(&typed);
    let stored = match node.flag("stored") {
        Some(false) => false,
        Some(true) => {
            let keep = node.get("stored").unwrap_or(written);
            match unstorable(work, ix, &needs) {
                None => true,
                Some((code, why)) => {
                    let fault = Diagnostic::error(code, &keep.place, format!("the formula `{name}` cannot be stored: {why}"))
                        .hint("write `stored: false`: it is computed when it is read");
                    work.fault(fault);
                    false
                }
            }
        }
        None => unstorable(work, ix, &needs).is_none(),
    };
    work.entity_mut(ix).fields[at.0 as usize].ty = FieldType::Formula { returns, expr: typed, stored };
    if !stored && node.flag("stored").is_none() {
        virtual_flags(work, ix, at, node);
    }
}

/// A value that is not kept has no index and is not unique.
fn virtual_flags(work: &mut Work, ix: EntityIx, at: FieldIx, node: &Node) {
    for (key, code) in [("index", "DEF318"), ("unique", "DEF317"), ("search", "DEF319")] {
        if node.flag(key) == Some(true) {
            let name = work.entity(ix).field(at).name.clone();
            let place = node.entry(key).map_or(&node.place, |(key, _)| &key.place).clone();
            work.fault(
                Diagnostic::error(code, &place, format!("`{name}` is computed when it is read, so `{key}` has no meaning"))
                    .hint("store it (`stored: true`), or take the key out"),
            );
        }
    }
}

/// Why a formula's value would change without a write of its record.
pub(super) fn unstorable(work: &Work, ix: EntityIx, needs: &Needs) -> Option<(&'static str, String)> {
    if needs.uses_now {
        return Some(("DEF314", "it depends on the time".to_owned()));
    }
    if needs.uses_me {
        return Some(("DEF314", "it depends on who reads it".to_owned()));
    }
    if let Some(path) = needs.paths.first() {
        let first = path.hops.first().map_or(path.field, |hop| hop.field);
        return Some(("DEF327", format!("it reads another record over `{}`", work.entity(ix).field(first).name)));
    }
    if let Some(child) = needs.children.first() {
        return Some((
            "DEF327",
            format!("it reads the records of `{}`; a rollup keeps such a value up to date", work.entity(ix).field(child.over.field).name),
        ));
    }
    for field in &needs.fields {
        let field = work.entity(ix).field(*field);
        match &field.ty {
            FieldType::Lookup { .. } => return Some(("DEF327", format!("`{}` belongs to another record", field.name))),
            FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } => {
                return Some(("DEF327", format!("`{}` is not stored", field.name)));
            }
            FieldType::Children { .. } | FieldType::Links { .. } => {
                return Some(("DEF327", format!("it reads the records of `{}`", field.name)));
            }
            _ => {}
        }
    }
    None
}

/// Rollups whose type is not written take that of their aggregate; one may read another, so they are settled in rounds.
fn rollups(work: &mut Work) {
    let mut open: Vec<(EntityIx, FieldIx, Node)> = Vec::new();
    for ix in work.all() {
        for (name, node) in written(work, ix) {
            if let Some(at) = work.entity(ix).by_name.get(&name).copied()
                && matches!(work.entity(ix).field(at).ty, FieldType::Rollup { .. })
            {
                open.push((ix, at, node));
            }
        }
    }
    let mut hidden: Vec<(EntityIx, FieldIx)> =
        open.iter().filter(|(_, _, node)| node.get("returns").is_none()).map(|(ix, at, _)| (*ix, *at)).collect();
    loop {
        let before = open.len();
        let mut later = Vec::new();
        for (ix, at, node) in std::mem::take(&mut open) {
            if rollup(work, ix, at, &node, &hidden, false) {
                hidden.retain(|known| *known != (ix, at));
            } else {
                later.push((ix, at, node));
            }
        }
        open = later;
        if open.is_empty() {
            return;
        }
        if open.len() == before {
            break;
        }
    }
    for (ix, at, node) in open {
        rollup(work, ix, at, &node, &[], true);
        let name = work.entity(ix).field(at).name.clone();
        if node.get("returns").is_none() {
            forget(work, ix, &name);
        }
    }
}

fn rollup(work: &mut Work, ix: EntityIx, at: FieldIx, node: &Node, hidden: &[(EntityIx, FieldIx)], is_last: bool) -> bool {
    let FieldType::Rollup { of, returns, stored, .. } = &work.entity(ix).field(at).ty else { return true };
    let (of, returns, stored) = (*of, *returns, *stored);
    let Some(written) = node.get("agg") else { return true };
    let Some(text) = written.as_text() else { return true };
    let of_name = work.entity(ix).field(of).name.clone();
    let expected = if node.get("returns").is_some() { Expected::Value(expr_type(returns)) } else { Expected::Any };
    let compiled = {
        let scope = CatalogScope { catalog: &work.catalog, has_old: false, has_mine: false, hidden };
        expr::compile_rollup(text, &scope, ix, &of_name, &expected)
    };
    let typed = match compiled {
        Ok(typed) => typed,
        Err(errors) if is_last => {
            settle(work, written, 0, ix, Err(errors));
            return true;
        }
        Err(_) => return false,
    };
    let returns = if node.get("returns").is_some() { Some(returns) } else { scalar_of(&typed.ty) };
    let Some(returns) = returns else {
        let fault = Diagnostic::error("DEF312", &written.place, format!("a rollup cannot hold a {}", typed.ty.name()));
        work.fault(fault);
        return true;
    };
    if stored && let Some((code, why)) = rollup_unstorable(work, &typed) {
        let fault = Diagnostic::error(code, &written.place, format!("the rollup cannot be stored: {why}"))
            .hint("write `stored: false`: it is computed when it is read");
        work.fault(fault);
    }
    work.entity_mut(ix).fields[at.0 as usize].ty = FieldType::Rollup { of, aggregate: typed, returns, stored };
    true
}

fn rollup_unstorable(work: &Work, typed: &Typed) -> Option<(&'static str, String)> {
    let needs = expr::needs(typed);
    if needs.uses_now || needs.uses_me {
        return Some(("DEF314", "it depends on the time or on who reads it".to_owned()));
    }
    for child in &needs.children {
        let rows = child.over.rows.entity();
        if child.needs.uses_now || child.needs.uses_me {
            return Some(("DEF314", "it depends on the time or on who reads it".to_owned()));
        }
        if let Some(path) = child.needs.paths.first() {
            let first = path.hops.first().map_or(path.field, |hop| hop.field);
            let name = &work.entity(rows).field(first).name;
            return Some(("DEF327", format!("it reads records beyond its rows, over `{name}`; a change of those would not be noticed")));
        }
        for field in &child.needs.fields {
            let field = work.entity(rows).field(*field);
            let is_fleeting = matches!(
                field.ty,
                FieldType::Lookup { .. } | FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. }
            );
            if is_fleeting {
                return Some(("DEF327", format!("`{}` of its rows is not stored", field.name)));
            }
        }
    }
    None
}

fn scalar_of(ty: &Type) -> Option<ScalarType> {
    Some(match ty {
        Type::Bool => ScalarType::Boolean,
        Type::Int => ScalarType::Integer,
        Type::Decimal(scale) => ScalarType::Decimal { scale: *scale },
        Type::Text => ScalarType::Text,
        Type::Date => ScalarType::Date,
        Type::DateTime => ScalarType::DateTime,
        Type::Time => ScalarType::Time,
        Type::Duration => ScalarType::Duration,
        Type::Money(scale) => ScalarType::Money { scale: *scale },
        Type::Null | Type::Link(_) | Type::Set | Type::Json | Type::Sealed(..) | Type::Secret => return None,
    })
}

fn conditions(work: &mut Work, ix: EntityIx, name: &str, node: &Node) {
    let Some(at) = work.entity(ix).by_name.get(name).copied() else { return };
    let position = at.0 as usize;
    let required_if = condition(work, node.get("required_if"), ix, true);
    let readonly_if = condition(work, node.get("readonly_if"), ix, true);
    let visible_if = condition(work, node.get("visible_if"), ix, true);
    let filter = match &work.entity(ix).field(at).ty {
        FieldType::Link { to, .. } => {
            let to = *to;
            condition(work, node.get("filter"), to, false)
        }
        _ => None,
    };
    let field = &mut work.entity_mut(ix).fields[position];
    field.required_if = required_if;
    field.readonly_if = readonly_if;
    field.visible_if = visible_if;
    if let FieldType::Link { filter: slot, .. } = &mut field.ty {
        *slot = filter;
    }
}

fn default(work: &mut Work, ix: EntityIx, name: &str, node: &Node) {
    let Some(written) = node.get("default") else { return };
    let Some(at) = work.entity(ix).by_name.get(name).copied() else { return };
    let field = work.entity(ix).field(at);
    if field.read_only {
        return;
    }
    if let Some(text) = written.as_text()
        && let Some(source) = text.strip_prefix('=')
    {
        let expected = match &field.ty {
            FieldType::Link { to, .. } | FieldType::User { to, .. } => Expected::Value(Type::Link(vec![*to])),
            FieldType::Boolean => Expected::Condition,
            other => match field_type::scalar_type(other) {
                Some(scalar) => Expected::Value(expr_type(scalar)),
                None => {
                    let message = format!("a field of type `{}` cannot have a computed default", field_type::type_name(other));
                    work.fault(Diagnostic::error("DEF309", &written.place, message).hint("give a plain value, or set it in a script"));
                    return;
                }
            },
        };
        let compiled = {
            let scope = CatalogScope::new(&work.catalog);
            expr::compile(source, &scope, ix, &expected)
        };
        if let Some(typed) = settle(work, written, 1, ix, compiled) {
            work.entity_mut(ix).fields[at.0 as usize].default = Some(Default::Expr(typed));
        }
        return;
    }
    let json = written.to_json();
    match field_type::parse_json(&work.catalog, field, &json) {
        Ok(value) => work.entity_mut(ix).fields[at.0 as usize].default = Some(Default::Value(value)),
        Err(fault) => {
            let message = format!("the default of `{name}` does not fit: {}", fault.message);
            let near = fault.params.get("near").and_then(|near| near.as_str()).map(str::to_owned);
            let hint = if fault.code == "wrong_type" { Some("an expression as default begins with `=`") } else { None };
            let mut diagnostic = Diagnostic::error("DEF309", &written.place, message).near(near);
            if let Some(hint) = hint {
                diagnostic = diagnostic.hint(hint);
            }
            work.fault(diagnostic);
        }
    }
}
