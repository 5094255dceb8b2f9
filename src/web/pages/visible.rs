//! What a layout shows only under conditions. Display only: what may be saved is decided by `record`.

use super::page::Page;
use crate::base::Value;
use crate::expr::tree::{Over, Path};
use crate::expr::{EvalContext, Row, Typed, Zone, holds, needs};
use crate::record::FormState;

/// The record's own values.
struct Own<'a>(&'a FormState);

impl Row for Own<'_> {
    fn value(&self, path: &Path) -> Value {
        if path.hops.is_empty() { self.0.field(path.field).map(|field| field.value.clone()).unwrap_or_default() } else { Value::Null }
    }

    fn rows<'a>(&'a self, _over: &Over) -> Vec<Box<dyn Row + 'a>> {
        Vec::new()
    }
}

impl Page {
    /// Whether a layout's condition holds. A condition over other records cannot be told here and shows its part.
    pub fn is_visible(&self, condition: Option<&Typed>, state: Option<&FormState>) -> bool {
        let (Some(condition), Some(state)) = (condition, state) else { return true };
        let needed = needs(condition);
        if !needed.paths.is_empty() || !needed.children.is_empty() || needed.uses_old {
            return true;
        }
        let Some(zone) = Zone::named(&self.catalog.settings.time_zone_name) else { return true };
        let context = EvalContext { now: self.ui.now, zone, me: self.actor.user, old: None };
        holds(condition, &Own(state), &context)
    }
}
