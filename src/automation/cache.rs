//! Compiled scripts of the catalog in force.

use std::sync::{Arc, Mutex, PoisonError};

use crate::schema::catalog::Catalog;
use crate::script::{self, Compiled, ScriptFault};

/// The scripts of one catalog, compiled when first needed and again when definitions change.
#[derive(Default)]
pub(super) struct Cache(Mutex<Option<Held>>);

struct Held {
    catalog: Arc<Catalog>,
    scripts: Arc<Vec<Result<Compiled, ScriptFault>>>,
}

impl Cache {
    /// All scripts, by their position in `Catalog::scripts`.
    pub fn scripts(&self, catalog: &Arc<Catalog>) -> Arc<Vec<Result<Compiled, ScriptFault>>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref()
            && Arc::ptr_eq(&held.catalog, catalog)
        {
            return Arc::clone(&held.scripts);
        }
        let scripts = Arc::new(compile(catalog));
        *held = Some(Held { catalog: Arc::clone(catalog), scripts: Arc::clone(&scripts) });
        scripts
    }
}

/// Definitions with faulty scripts are not applied; one that is faulty all the same refuses only what it belongs to.
fn compile(catalog: &Catalog) -> Vec<Result<Compiled, ScriptFault>> {
    let (compiled, faults) = script::compile_all(catalog);
    compiled
        .into_iter()
        .zip(&catalog.scripts)
        .map(|(compiled, script)| {
            compiled.ok_or_else(|| {
                faults.iter().find(|fault| fault.script == script.id).cloned().unwrap_or_else(|| ScriptFault {
                    script: script.id.clone(),
                    file: script.file.clone(),
                    line: 1,
                    column: 1,
                    code: "AUT101",
                    message: "the script does not compile".to_owned(),
                    hint: None,
                })
            })
        })
        .collect()
}
