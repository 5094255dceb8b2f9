//! `relata access`: why somebody may or may not, who reads what, what somebody sees.

use serde_json::json;

use super::operation::Answer;
use super::{AppError, Workspace};
use crate::base::RecordId;
use crate::record::explain::{Seen, Why};
use crate::schema::catalog::Catalog;

/// Why a person may or may not do things with a record (`deal_…`).
pub(super) async fn why(workspace: &Workspace, email: &str, record: &str) -> Result<Answer, AppError> {
    let user = workspace.auth.find_user(email).await?;
    let catalog = workspace.catalog.load_full();
    let found = RecordId::parse(record).and_then(|(prefix, id)| Some((*catalog.by_prefix.get(prefix)?, id)));
    let (entity, id) = found.ok_or_else(|| AppError::Input {
        message: format!("`{record}` is no id of a record"),
        hint: "an id begins with its entity, as in `deal_0aknk4r000004`".to_owned(),
    })?;
    let Some(why) = workspace.records.why(user, &catalog, entity, id).await? else {
        return Ok(Answer::new(format!("{email} may not sign in, or there is no {record}"), json!({"ok": true, "found": false})));
    };
    let mut object = why.to_json(&catalog);
    object["ok"] = true.into();
    object["found"] = true.into();
    Ok(Answer::new(why_text(email, record, &why), object))
}

fn why_text(email: &str, record: &str, why: &Why) -> String {
    let roles = if why.roles.is_empty() { "no role".to_owned() } else { why.roles.join(", ") };
    let mut lines = vec![format!("{email} ({roles}) and {record}:")];
    if why.is_everything {
        lines.push("  everything: nothing is kept from these roles".to_owned());
    }
    for (action, holds, reasons) in why.actions.iter().filter(|_| !why.is_everything) {
        lines.push(format!("  {:<7} {}", action.word(), if *holds { "yes" } else { "no" }));
        for reason in reasons {
            lines.push(format!("    {} {}  {}", if reason.holds { "+" } else { "-" }, reason.role, reason.rule));
        }
        if reasons.is_empty() {
            lines.push("    - no role says anything about it".to_owned());
        }
    }
    for share in &why.shares {
        let until = share.ends_at.map(|at| format!(" until {at}")).unwrap_or_default();
        lines.push(format!("  shared  with their {} to {}{until}", share.with.word(), if share.may_edit { "edit" } else { "read" }));
    }
    if !why.hidden.is_empty() {
        lines.push(format!("  hidden  {}", why.hidden.join(", ")));
    }
    lines.join("\n")
}

/// Who reads an entity (`deal`) or a field of it (`deal.margin`).
pub(super) async fn who(workspace: &Workspace, what: &str) -> Result<Answer, AppError> {
    let catalog = workspace.catalog.load_full();
    let (entity, field) = named(&catalog, what).ok_or_else(|| AppError::Input {
        message: format!("there is no entity or field `{what}`"),
        hint: "name an entity (`deal`) or a field of it (`deal.amount`)".to_owned(),
    })?;
    let readers = workspace.records.readers(&catalog, entity, field);
    let people = workspace.auth.list_users().await?;
    let mut lines = vec![format!("{what} is read by")];
    let mut object = Vec::new();
    lines.push("  admin  everything".to_owned());
    for (role, rule) in std::iter::once(("admin".to_owned(), String::new())).chain(readers) {
        let having: Vec<&str> =
            people.iter().filter(|person| person.active && person.roles.contains(&role)).map(|person| person.email.as_str()).collect();
        if role != "admin" {
            lines.push(format!("  {role}  {rule}"));
        }
        lines.extend(having.iter().map(|email| format!("    {email}")));
        object.push(json!({"role": role, "rule": rule, "people": having}));
    }
    Ok(Answer::new(lines.join("\n"), json!({"ok": true, "readers": object})))
}

fn named(catalog: &Catalog, what: &str) -> Option<(crate::base::EntityIx, Option<crate::base::FieldIx>)> {
    if let Some(entity) = catalog.find_entity(what) {
        return Some((entity.ix, None));
    }
    let (entity, field) = what.rsplit_once('.')?;
    let entity = catalog.find_entity(entity)?;
    Some((entity.ix, Some(entity.find_field(field)?.ix)))
}

/// What a person sees, entity by entity.
pub(super) async fn seen(workspace: &Workspace, email: &str) -> Result<Answer, AppError> {
    let user = workspace.auth.find_user(email).await?;
    let Some(seen) = workspace.records.seen_by(user).await? else {
        return Ok(Answer::new(format!("{email} may not sign in"), json!({"ok": true, "entities": []})));
    };
    let mut lines = Vec::new();
    for one in &seen {
        let actions: Vec<&str> = one.actions.iter().map(|action| action.word()).collect();
        let mut line = format!(
            "{:<16} {:>6}{} records  {}",
            one.entity,
            one.records.unwrap_or(0),
            if one.is_more { "+" } else { " " },
            actions.join(" ")
        );
        if !one.hidden.is_empty() {
            line.push_str(&format!("  without {}", one.hidden.join(", ")));
        }
        if !one.masked.is_empty() {
            line.push_str(&format!("  in some {}", one.masked.join(", ")));
        }
        lines.push(line);
    }
    if seen.is_empty() {
        lines.push(format!("{email} sees nothing: no role of theirs allows anything"));
    }
    let entities: Vec<_> = seen.iter().map(Seen::to_json).collect();
    Ok(Answer::new(lines.join("\n"), json!({"ok": true, "entities": entities})))
}
