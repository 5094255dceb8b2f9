//! Templates: e-mails about a record, in each language.

use crate::base::{EntityIx, Labels};
use crate::expr::Typed;

/// An e-mail about a record. Its texts are templates that `render` reads; the names in them are fields of the record, paths to
/// what it leads to, and the values named here.
#[derive(Debug, Clone)]
pub struct Template {
    pub uid: String,
    /// Full id, `crm.offer_sent`.
    pub id: String,
    pub label: Labels,
    pub entity: EntityIx,
    /// The file it is written in.
    pub file: String,
    pub subject: Labels,
    pub text: Labels,
    /// Empty: it is sent as plain text.
    pub html: Labels,
    pub values: Vec<(String, Typed)>,
}

impl Template {
    /// The texts by what they are called in the definition.
    pub fn texts(&self) -> [(&'static str, &Labels); 3] {
        [("subject", &self.subject), ("text", &self.text), ("html", &self.html)]
    }
}
