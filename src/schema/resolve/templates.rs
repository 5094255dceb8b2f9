//! Templates of e-mails: their entity is found, further values are compiled. The texts are read by `render`.

use std::collections::BTreeMap;

use super::expressions::bare_value;
use super::{Declared, Work, labels};
use crate::base::{Labels, Locale};
use crate::expr::Expected;
use crate::schema::catalog::Template;
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::intake::Document;
use crate::schema::source::Place;

pub(super) fn build(work: &mut Work) {
    let intake = work.intake;
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for document in intake.documents.iter().filter(|document| document.kind.name == "template") {
        template(work, document, &mut seen);
    }
}

fn template(work: &mut Work, document: &Document, seen: &mut BTreeMap<String, Place>) {
    let node = &document.node;
    let Some(Declared { id, name, entity, .. }) = work.declared(document, seen) else { return };
    let uid = format!("template/{id}");
    let mut texts: BTreeMap<&str, Labels> = BTreeMap::new();
    for key in ["subject", "text", "html"] {
        let Some(text) = node.get(key) else { continue };
        for (language, _) in text.entries() {
            // What is no language at all was told with the shape of the document.
            if Locale::of_tag(&language.text).is_none() && !language.text.contains('_') {
                let known = Locale::ALL.map(Locale::tag);
                let fault = Diagnostic::error("DEF460", &language.place, format!("nobody is written to in `{}`", language.text))
                    .near(nearest(&language.text, known))
                    .hint(format!("languages: {}", known.join(", ")));
                work.fault(fault);
            }
        }
        work.places.insert(format!("{uid}/{key}"), text.place.clone());
        texts.insert(key, labels::of(Some(text)).unwrap_or_default());
    }
    let mut values = Vec::new();
    for (key, expression) in node.get("values").map(|values| values.entries().to_vec()).unwrap_or_default() {
        values.extend(bare_value(work, &expression, entity, &Expected::Any).map(|typed| (key.text.clone(), typed)));
    }
    let mut take = |key: &str| texts.remove(key).unwrap_or_default();
    let (subject, text, html) = (take("subject"), take("text"), take("html"));
    work.catalog.templates.push(Template {
        uid,
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(name)),
        id,
        entity,
        file: document.path.clone(),
        subject,
        text,
        html,
        values,
    });
}
