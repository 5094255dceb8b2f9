//! Who is told something by a step, and what.

use crate::expr::{Expected, Type};
use crate::schema::catalog::{Act, Audience, Title, TitlePart};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::{Node, NodeKind};
use crate::schema::resolve::expressions::value;
use crate::schema::resolve::fields::title_parts;
use crate::schema::resolve::{Work, pipelines};

use super::steps::List;

impl List {
    pub(super) fn notify(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let to = self.audience(work, item.get("to")?);
        let texts = self.texts(work, item.get("text")?);
        Some(Act::Notify { to: to?, texts: texts? })
    }

    /// Roles by their names; people and teams by expressions.
    pub(super) fn audience(&self, work: &mut Work, node: &Node) -> Option<Vec<Audience>> {
        let items: Vec<Node> = node.one_or_many().into_iter().cloned().collect();
        if items.is_empty() {
            work.fault(Diagnostic::error("DEF113", &node.place, "nobody is named").hint("name a role, or somebody: `to: \"=owner\"`"));
            return None;
        }
        let known = ["core.user", "core.team"].into_iter().filter_map(|name| work.lookup_entity(name, "core")).collect();
        let expected = Expected::Value(Type::Link(known));
        let mut found = Vec::new();
        for item in &items {
            if item.as_text()?.starts_with('=') {
                found.push(Audience::Expr(value(work, item, self.entity, &expected)?));
            } else {
                let named = pipelines::roles(work, Some(item));
                found.push(Audience::Role(named.into_iter().next()?));
            }
        }
        Some(found)
    }

    fn texts(&self, work: &mut Work, node: &Node) -> Option<Vec<(String, Title)>> {
        let texts: Vec<(String, Node)> = match &node.kind {
            NodeKind::Map(entries) => entries.iter().map(|(key, text)| (key.text.clone(), text.clone())).collect(),
            _ => vec![("en".to_owned(), node.clone())],
        };
        let mut found = Vec::new();
        for (locale, text) in texts {
            let parts = title_parts(work, self.entity, &text, text.as_text()?)?;
            if self.is_gone && parts.iter().any(|part| matches!(part, TitlePart::Field(_))) {
                let fault =
                    Diagnostic::error("DEF362", &text.place, "the record is deleted when this runs: nobody can be shown its values")
                        .hint("say it without fields in braces");
                work.fault(fault);
                return None;
            }
            found.push((locale, Title { parts }));
        }
        Some(found)
    }
}
