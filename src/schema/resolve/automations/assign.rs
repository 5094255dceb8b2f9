//! Of whom a step chooses one, and for which field.

use crate::schema::catalog::{Act, Choosing, FieldType};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::Node;
use crate::schema::resolve::Work;
use crate::schema::resolve::expressions::condition;

use super::steps::List;

impl List {
    pub(super) fn assign(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let to = self.audience(work, item.get("to")?);
        let open = item.get("open");
        let by = match item.text("by") {
            Some("load") => {
                let counted = condition(work, open, self.entity, false);
                if open.is_some() && counted.is_none() {
                    return None;
                }
                Choosing::Load(counted)
            }
            _ => {
                if let Some((key, _)) = item.entry("open") {
                    let fault = Diagnostic::error("DEF361", &key.place, "`open` has no meaning where people come one after the other")
                        .hint("say `by: load`, or leave it out");
                    work.fault(fault);
                }
                Choosing::Turn
            }
        };
        let (node, name) = match item.get("field") {
            Some(node) => (node.clone(), node.as_text()?.to_owned()),
            None => (item.get("do")?.clone(), "owner".to_owned()),
        };
        let field = work.find_field(&node, &name, self.entity)?;
        let people = work.lookup_entity("core.user", "core");
        let found = work.entity(self.entity).field(field);
        let holds_person = match &found.ty {
            FieldType::User { .. } => true,
            FieldType::Link { to, .. } => Some(*to) == people,
            _ => false,
        };
        if !holds_person || found.read_only {
            let fault = Diagnostic::error("DEF465", &node.place, format!("`{name}` holds no person that could be chosen"))
                .hint("name a field of type `user` that can be written");
            work.fault(fault);
            return None;
        }
        Some(Act::Assign { to: to?, by, field })
    }
}
