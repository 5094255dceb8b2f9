//! Rules about duplicates: which values of which fields are compared, and how.

use super::{Work, labels};
use crate::base::{EntityIx, alike};
use crate::schema::catalog::{DuplicateRule, FieldType, Likeness, Match};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::field_type;
use crate::schema::node::Node;

/// Characters that may differ where nothing is said.
const EDITS: i64 = 2;
/// Conditions of one rule: each multiplies the keys that are kept for a record.
const MOST: usize = 5;

/// How the keys of nearly equal texts are cut; another way makes other keys.
const PIECES: &str = "/2";

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let written: Vec<Node> = node.get("match").map(|list| list.items().to_vec()).unwrap_or_default();
    let place = node.entry("match").map_or(&node.place, |(key, _)| &key.place).clone();
    if written.is_empty() {
        work.fault(
            Diagnostic::error("DEF113", &place, format!("the duplicate rule `{id}` compares nothing"))
                .hint("give it `match: [{field: …, by: …}]`"),
        );
        return;
    }
    if written.len() > MOST {
        let fault = Diagnostic::error("DEF381", &place, format!("`{id}` has {} conditions, a rule has {MOST} at most", written.len()));
        work.fault(fault.hint("keep those that tell two records apart; several rules are looked at one by one"));
        return;
    }
    let mut matches: Vec<Match> = Vec::new();
    for one in &written {
        let Some(found) = condition(work, ix, one) else { continue };
        if matches.iter().any(|known| known.field == found.field) {
            let name = work.entity(ix).field(found.field).name.clone();
            let fault = Diagnostic::error("DEF382", &one.place, format!("`{name}` is compared twice in `{id}`"));
            work.fault(fault.hint("all conditions must hold: keep the stricter one, or write a rule for each"));
            continue;
        }
        if matches!(found.by, Likeness::Fuzzy(_)) && matches.iter().any(|known| matches!(known.by, Likeness::Fuzzy(_))) {
            let fault = Diagnostic::error("DEF383", &one.place, format!("`{id}` has two conditions that are `fuzzy`"));
            work.fault(fault.hint("keep one of them, and compare the other field with `normalised` or `company`"));
            continue;
        }
        matches.push(found);
    }
    let refuses = node.text("then") == Some("refuse");
    let among_all = node.text("among") == Some("all");
    if let Some(among) = node.get("among").filter(|_| among_all && !refuses) {
        let fault = Diagnostic::error("DEF384", &among.place, "a warning about records that may not be read would say nothing");
        work.fault(fault.hint("add `then: refuse`, or leave `among` out"));
        return;
    }
    if matches.len() < written.len() {
        return;
    }
    let number = number(work, ix, id, &matches);
    work.entity_mut(ix).duplicates.push(DuplicateRule {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        message: labels::of(node.get("message")).unwrap_or_default(),
        matches,
        refuses,
        among_all,
        number,
    });
}

fn condition(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Match> {
    let written = node.get("field")?;
    let name = written.as_text()?.to_owned();
    let field = work.find_field(written, &name, ix)?;
    let found = work.entity(ix).field(field);
    let word = node.text("by").unwrap_or("normalised");
    let type_name = field_type::type_name(&found.ty);
    let refused = |message: String, hint: &str| Diagnostic::error("DEF380", &written.place, message).hint(hint.to_owned());
    if found.encrypted {
        let fault = refused(
            format!("`{name}` is encrypted: what would find its duplicates would tell its values"),
            "compare another field, or give this one `unique: true`",
        );
        work.fault(fault);
        return None;
    }
    let is_text = matches!(
        found.ty,
        FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::PersonName | FieldType::Url | FieldType::Email | FieldType::Phone
    );
    let is_plain = is_text
        || matches!(
            found.ty,
            FieldType::Integer { .. }
                | FieldType::Date { .. }
                | FieldType::Select(_)
                | FieldType::Link { .. }
                | FieldType::User { .. }
                | FieldType::AnyLink { .. }
        );
    if !is_plain || (found.is_system && found.name != "owner") {
        let fault = refused(
            format!("a field of type `{type_name}` cannot tell duplicates"),
            "compare a text, name, e-mail address, telephone, address of the web, number, date, option or link of the record",
        );
        work.fault(fault);
        return None;
    }
    if !is_text && !matches!(word, "exact" | "normalised") {
        let fault = refused(format!("`{word}` compares texts, `{name}` is of type `{type_name}`"), "compare it with `by: exact`");
        work.fault(fault);
        return None;
    }
    if word != "fuzzy"
        && let Some((key, _)) = node.entry("edits")
    {
        let fault = Diagnostic::error("DEF385", &key.place, format!("`edits` has no meaning for `{word}`"));
        work.fault(fault.hint("write `by: fuzzy`, or take `edits` out"));
        return None;
    }
    let by = match word {
        "exact" => Likeness::Exact,
        "company" => Likeness::Company,
        "fuzzy" => Likeness::Fuzzy(usize::try_from(node.int("edits").unwrap_or(EDITS)).unwrap_or(2)),
        "pinyin" => Likeness::Pinyin,
        _ => Likeness::Normalised,
    };
    Some(Match { field, by })
}

/// What the keys of the rule begin with: other conditions, other keys.
fn number(work: &Work, ix: EntityIx, id: &str, matches: &[Match]) -> u64 {
    let entity = work.entity(ix);
    let mut text = format!("{}|{id}", entity.uid);
    for one in matches {
        text.push_str(&format!("|{}:{:?}", entity.field(one.field).uid, one.by));
        if matches!(one.by, Likeness::Fuzzy(_)) {
            text.push_str(PIECES);
        }
    }
    alike::number(&text)
}
