//! How records are shown: saved lists, layouts, buttons.

use crate::base::{FieldIx, Labels};
use crate::expr::Typed;

/// A saved list.
#[derive(Debug, Clone)]
pub struct View {
    pub id: String,
    pub label: Labels,
    pub columns: Vec<FieldIx>,
    /// Source of the filter in the expression language (checked), empty for none.
    pub filter: Option<Typed>,
    pub filter_text: String,
    pub sort: Vec<(FieldIx, bool)>,
}

/// How a record page and form are arranged.
#[derive(Debug, Clone)]
pub struct Layout {
    pub id: String,
    pub header: Vec<FieldIx>,
    pub tabs: Vec<Tab>,
}

#[derive(Debug, Clone)]
pub struct Tab {
    pub id: String,
    pub label: Labels,
    pub sections: Vec<Section>,
    /// A related list instead of sections: a children or links field with its columns.
    pub related: Option<(FieldIx, Vec<FieldIx>)>,
    /// Rows of the list that go with the record are entered in its form, too.
    pub inline_edit: bool,
}

#[derive(Debug, Clone)]
pub struct Section {
    pub id: String,
    pub label: Labels,
    /// 1 to 4.
    pub columns: u8,
    pub fields: Vec<LayoutField>,
    pub visible_if: Option<Typed>,
}

#[derive(Debug, Clone)]
pub struct LayoutField {
    pub field: FieldIx,
    pub widget: Option<String>,
    pub visible_if: Option<Typed>,
}

/// A custom action that runs a script or begins an automation.
#[derive(Debug, Clone)]
pub struct Button {
    pub id: String,
    pub label: Labels,
    pub visible_if: Option<Typed>,
    pub press: Press,
}

/// What pressing a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Position in [`super::Catalog::scripts`].
    Script(usize),
    /// Id of an automation that others can begin.
    Automation(String),
}
