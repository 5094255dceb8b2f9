//! The metadata engine: definitions (texts) become a resolved, checked [`catalog::Catalog`]. It works on
//! texts handed in: no IO, no SQL, no async.
//!
//! The stages: read (`yaml`) → shapes (`shape`) → names and layers → entities and links → expressions →
//! computed order → physical names (`bindings`) → catalog.

pub mod bindings;
mod bundle;
pub mod catalog;
pub mod diagnostic;
pub mod diff;
pub mod field_type;
pub mod fmt;
mod intake;
pub mod json_schema;
pub mod moment;
pub mod node;
mod resolve;
pub mod scope;
pub mod shape;
pub mod source;
pub mod standing;
pub mod working;
pub mod yaml;

use std::collections::BTreeMap;

pub use bindings::{Binding, BindingKind, BindingState, Bindings};
pub use catalog::Catalog;
pub use diagnostic::{Diagnostic, Severity};
pub use diff::{Change, Op, OpKind, Part, diff};
pub use json_schema::json_schema;
pub use resolve::humanise;
pub use scope::{CatalogScope, expr_type};
pub use source::{Place, SourceFile, Workspace};

/// A workspace that checked without errors.
#[derive(Debug)]
pub struct Loaded {
    pub catalog: Catalog,
    /// The bindings handed in, with what is new in these definitions allotted and what is gone retired.
    pub bindings: Bindings,
    pub warnings: Vec<Diagnostic>,
    /// All definitions and scripts, normalised: stored with the catalog version and read again by [`from_bundle`].
    pub bundle: serde_json::Value,
    /// SHA-256 of the bundle, lower-case hex; also `catalog.digest`. Comments, order of files and of keys do not change it.
    pub digest: String,
    /// Where each uid is defined.
    pub places: BTreeMap<String, Place>,
    pub data: Vec<DataSet>,
    pub tests: Vec<TestFile>,
    /// Texts of the files by path, for excerpts; empty for what came from a bundle.
    pub texts: std::collections::HashMap<String, String>,
}

/// Records shipped with a package, checked for entity and field names.
#[derive(Debug, Clone)]
pub struct DataSet {
    pub package: String,
    pub kind: DataKind,
    pub entity: String,
    /// Records in order. `key` is the stable name of a record inside its package (`$acme` in a link field
    /// of another record refers to it).
    pub records: Vec<DataRecord>,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    Seed,
    Sample,
}

#[derive(Debug, Clone)]
pub struct DataRecord {
    pub key: Option<String>,
    pub values: serde_json::Map<String, serde_json::Value>,
    pub place: Place,
}

/// A test file beside definitions, to be read by `proof`.
#[derive(Debug, Clone)]
pub struct TestFile {
    pub package: String,
    pub path: String,
    /// The documents of the file as JSON, each with its place.
    pub documents: Vec<(serde_json::Value, Place)>,
    /// The text, for excerpts.
    pub text: String,
}

/// Reads, checks and resolves all files. Scripts (`*.rhai`) are taken as text and named by `kind: script`;
/// files that are neither YAML, JSON nor rhai are ignored.
///
/// # Errors
/// All faults of all files, sorted by file and line; warnings among them.
pub fn load(files: &[SourceFile], bindings: &Bindings) -> Result<Loaded, Vec<Diagnostic>> {
    resolve::resolve(&intake::take(files), bindings)
}

/// Loads what [`Loaded::bundle`] holds. Places are those of the files it came from, without excerpts.
///
/// # Errors
/// `DEF010` when it is no bundle; faults as from [`load`].
pub fn from_bundle(bundle: &serde_json::Value, bindings: &Bindings) -> Result<Loaded, Vec<Diagnostic>> {
    let intake = bundle::open(bundle).map_err(|fault| vec![fault])?;
    resolve::resolve(&intake, bindings)
}

/// The documents of one YAML or JSON file as JSON with their places, for files that are no definitions (configuration,
/// import mappings).
///
/// # Errors
/// Faults of the syntax, with excerpts.
pub fn read_documents(file: &SourceFile) -> Result<Vec<(serde_json::Value, Place)>, Vec<Diagnostic>> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let (documents, faults, _) = yaml::read(&std::sync::Arc::from(file.path.as_str()), text);
    if faults.is_empty() {
        return Ok(documents.iter().map(|node| (node.to_json(), node.place.clone())).collect());
    }
    Err(intake::finish(faults, &std::collections::HashMap::from([(file.path.clone(), text.to_owned())])))
}
