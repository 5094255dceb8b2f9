//! The state of a form while it is filled in: the server alone evaluates conditions.

use super::error::FieldFault;
use crate::base::{FieldIx, Value};

/// Every field of the entity, in its order.
#[derive(Debug, Clone)]
pub struct FormState {
    pub fields: Vec<FieldState>,
    /// Faults of the record as a whole.
    pub faults: Vec<FieldFault>,
}

impl FormState {
    pub fn field(&self, field: FieldIx) -> Option<&FieldState> {
        self.fields.get(field.0 as usize)
    }
}

#[derive(Debug, Clone)]
pub struct FieldState {
    pub field: FieldIx,
    /// The field's own `visible_if`.
    pub visible: bool,
    /// `required` or `required_if` holds.
    pub required: bool,
    /// Read-only by type or because `readonly_if` holds.
    pub readonly: bool,
    /// Keys of the options allowed now, of a select or multi-select; `None` for other types.
    pub options: Option<Vec<String>>,
    pub faults: Vec<FieldFault>,
    /// The value as it would be saved: what was sent, else stored, else the default; computed for formulas.
    pub value: Value,
}
