//! What a step sends to endpoints.

use crate::expr::Expected;
use crate::schema::catalog::{Act, Sent};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::Node;
use crate::schema::resolve::Work;
use crate::schema::resolve::expressions::value;

use super::steps::List;

/// Longest type of a message.
const LONGEST: usize = 100;

impl List {
    pub(super) fn webhook(&self, work: &mut Work, item: &Node) -> Option<Act> {
        let node = item.get("to")?;
        let to: Vec<String> = node.one_or_many().into_iter().filter_map(|name| name.as_text().map(str::to_owned)).collect();
        if to.is_empty() {
            work.fault(Diagnostic::error("DEF113", &node.place, "nothing is sent").hint("name an endpoint: `to: billing`"));
            return None;
        }
        let kind = match item.get("type") {
            None => self.automation.clone(),
            Some(node) => {
                let text = node.as_text()?;
                let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                if text.is_empty() || text.len() > LONGEST || !text.chars().all(is_word) {
                    let fault = Diagnostic::error("DEF377", &node.place, "this is no type of a message")
                        .hint(format!("write words with dots between them, at most {LONGEST} characters: `deal.won`"));
                    work.fault(fault);
                    return None;
                }
                text.to_owned()
            }
        };
        let mut values = Vec::new();
        let mut is_sound = true;
        for (key, node) in item.get("values")?.entries() {
            let sent = if node.as_text().is_some_and(|text| text.starts_with('=')) {
                let Some(typed) = value(work, node, self.entity, &Expected::Any) else {
                    is_sound = false;
                    continue;
                };
                if work.catalog.reads_personal(self.entity, &typed) {
                    let fault = Diagnostic::error("DEF378", &node.place, "what says something of a person is not sent in a message")
                        .hint("messages are kept and sent again; who receives one reads the record over the API with a token of its own");
                    work.fault(fault);
                    is_sound = false;
                    continue;
                }
                Sent::Expr(typed)
            } else {
                Sent::Plain(node.to_json())
            };
            values.push((key.text.clone(), sent));
        }
        is_sound.then_some(Act::Webhook { to, kind, values })
    }
}
