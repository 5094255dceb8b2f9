//! What links imply: the children field named by `inverse`, the entity between two sides of `links`.

use serde_json::json;

use super::Work;
use super::drafts::{EntityDraft, FieldDraft, add_field};
use crate::base::EntityIx;
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::{Key, Node};

pub(super) fn complete(work: &mut Work) {
    for ix in work.all() {
        for position in 0..work.draft(ix).fields.len() {
            let field = &work.draft(ix).fields[position];
            let (key, node, package) = (field.key.clone(), field.node.clone(), field.package.clone());
            match node.text("type") {
                Some("link") => inverse(work, ix, &key, &node, &package),
                Some("links") if node.get("through").is_none() => junction(work, ix, position, &key, &node, &package),
                _ => {}
            }
        }
    }
}

fn made(key: &Key, json: &serde_json::Value, package: &str) -> FieldDraft {
    FieldDraft { key: key.clone(), node: Node::from_json(json, &key.place), package: package.to_owned(), uid: String::new(), is_made: true }
}

fn inverse(work: &mut Work, ix: EntityIx, key: &Key, node: &Node, package: &str) {
    let (Some(to), Some(name)) = (node.get("to"), node.get("inverse")) else { return };
    let Some(text) = name.as_text().filter(|text| crate::schema::shape::identifier(text)) else { return };
    let Some(target) = to.as_text().and_then(|to| work.lookup_entity(to, package)) else { return };
    let from = work.draft(ix).id.clone();
    let same = work.draft(target).fields.iter().find(|field| field.key.text == text);
    if let Some(same) = same
        && same.node.text("type") == Some("children")
        && same.node.text("by") == Some(&key.text)
        && same.node.text("of").and_then(|of| work.lookup_entity(of, &same.package)) == Some(ix)
    {
        return;
    }
    let mut json = json!({"type": "children", "of": from, "by": key.text});
    let label = node.get("inverse_label").or_else(|| work.draft(ix).node.get("label_plural")).map(Node::to_json);
    if let Some(label) = label {
        json["label"] = label;
    }
    let key = Key { text: text.to_owned(), place: name.place.clone() };
    add_field(work, target, made(&key, &json, package));
}

fn junction(work: &mut Work, ix: EntityIx, position: usize, key: &Key, node: &Node, package: &str) {
    let Some(target) = node.text("to").and_then(|to| work.lookup_entity(to, package)) else { return };
    let (from, to) = (work.draft(ix), work.draft(target));
    let slug: String = format!("{}_{}", from.slug, key.text).chars().take(40).collect();
    let slug = slug.trim_end_matches('_').to_owned();
    let id = format!("{package}.{slug}");
    let near = from.slug.clone();
    let far = if to.slug == near { format!("other_{near}") } else { to.slug.clone() };
    if let Some(other) = work.drafts.iter().find(|draft| draft.slug == slug) {
        let fault = Diagnostic::error(
            "DEF204",
            &key.place,
            format!("the links `{}` need an entity `{id}` between, but `{}` has this short name", key.text, other.id),
        )
        .hint("name the entity between (`through: …`), or give the other a `slug`");
        work.fault(fault);
        return;
    }
    let document = json!({
        "kind": "entity", "id": id, "title": format!("{{{far}}}"),
        "features": {"owner": false, "history": true, "soft_delete": false, "search": false},
        "unique": [{"name": "once", "fields": [near, far]}],
    });
    let (from_id, to_id) = (from.id.clone(), to.id.clone());
    let between = EntityIx(u32::try_from(work.drafts.len()).unwrap_or(u32::MAX));
    let place = key.place.clone();
    let node = Node::from_json(&document, &place);
    work.by_id.insert(id.clone(), between);
    let unique = node.get("unique").map(|list| list.items().to_vec()).unwrap_or_default();
    work.drafts.push(EntityDraft {
        id: id.clone(),
        slug,
        package: package.to_owned(),
        node,
        uid: String::new(),
        fields: Vec::new(),
        parts: unique
            .into_iter()
            .map(|node| super::drafts::PartDraft {
                section: "unique",
                node,
                package: package.to_owned(),
                folder: String::new(),
                path: String::new(),
            })
            .collect(),
        is_made: true,
    });
    for (name, to) in [(&near, &from_id), (&far, &to_id)] {
        let key = Key { text: name.clone(), place: place.clone() };
        add_field(work, between, made(&key, &json!({"type": "link", "to": to, "required": true, "on_delete": "cascade"}), package));
    }
    // From here on the field is like one that names its entity between.
    let field = &mut work.drafts[ix.0 as usize].fields[position];
    if let crate::schema::node::NodeKind::Map(entries) = &mut field.node.kind {
        for (name, value) in [("through", id.as_str()), ("near", near.as_str()), ("far", far.as_str())] {
            let key = Key { text: name.to_owned(), place: place.clone() };
            entries.push((key, Node::from_json(&serde_json::Value::from(value), &place)));
        }
    }
}
