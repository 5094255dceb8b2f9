//! From a script's text to something that can run, or all its faults.

use std::sync::Arc;

use rhai::{AST, Stmt};

use super::engine::Engine;
use super::limits::{Kind, Limits, SOURCE_BYTES};
use super::{check, syntax};
use crate::base::EntityIx;
use crate::schema::catalog::{Catalog, ScriptLimits};

/// A script's text with all that checking it needs.
#[derive(Debug, Clone, Copy)]
pub struct ScriptSource<'a> {
    /// Full id, `crm.check_lines`.
    pub id: &'a str,
    /// Path shown in messages.
    pub file: &'a str,
    pub text: &'a str,
    pub kind: Kind,
    /// The entity of `rec` and `old`; None for a schedule.
    pub entity: Option<EntityIx>,
    pub limits: ScriptLimits,
}

/// A script ready to run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub id: Arc<str>,
    pub file: Arc<str>,
    pub kind: Kind,
    pub limits: Limits,
    /// The body of `run` as the main statements, its helpers as functions.
    ///
    /// rhai overwrites the place of a reached limit with the place of the call around it, at each function it leaves. A body
    /// that is not called keeps the place.
    pub(super) ast: Arc<AST>,
    /// Names of the three parameters of `run`.
    pub(super) parameters: [Arc<str>; 3],
    /// Where `run` is defined, for failures that have no place.
    pub(super) run_place: (u32, u32),
}

/// A fault of a script's text, with its place (lines and columns count from 1, columns in characters).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFault {
    pub script: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// `AUT1…`
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

/// Parses a script and checks every name in it against the catalog.
///
/// # Errors
/// All faults, by line. A text that does not parse has one.
pub fn compile(source: &ScriptSource<'_>, catalog: &Catalog) -> Result<Compiled, Vec<ScriptFault>> {
    let fault = |line, column, code, message: String, hint| ScriptFault {
        script: source.id.to_owned(),
        file: source.file.to_owned(),
        line,
        column,
        code,
        message,
        hint,
    };
    if source.text.len() > SOURCE_BYTES {
        return Err(vec![fault(1, 1, "AUT105", format!("the script is longer than {} KB", SOURCE_BYTES / 1024), None)]);
    }
    let engine = Engine::shared();
    let ast = match engine.parse(source.text) {
        Ok(ast) => ast,
        Err(error) => {
            let found = syntax::explain(&error, source.text);
            return Err(vec![fault(found.line, found.column, found.code, found.message, found.hint)]);
        }
    };
    let mut faults: Vec<ScriptFault> = check::check(&ast, source, catalog)
        .into_iter()
        .map(|found| fault(found.line, found.column, found.code, found.message, found.hint))
        .collect();
    if !faults.is_empty() {
        faults.sort_by_key(|fault| (fault.line, fault.column, fault.code));
        faults.dedup();
        return Err(faults);
    }
    let Some((main, parameters)) = unfold_run(&ast) else {
        return Err(vec![fault(1, 1, "AUT110", "the script has no function `run`".to_owned(), None)]);
    };
    Ok(Compiled {
        run_place: check::function_line(source.text, "run"),
        parameters,
        id: source.id.into(),
        file: source.file.into(),
        kind: source.kind,
        limits: Limits::with(source.kind, source.limits),
        ast: Arc::new(main),
    })
}

/// The body of `run` as main statements.
fn unfold_run(ast: &AST) -> Option<(AST, [Arc<str>; 3])> {
    let run = ast.iter_fn_def().find(|function| function.name == "run")?;
    let [rec, old, context] = run.params.as_slice() else { return None };
    let mut body: Vec<Stmt> = Vec::new();
    check::each_statement(ast, "run", 3, &mut |statement| body.push(statement.clone()));
    Some((AST::new(body, ast.shared_lib().clone()), [rec.as_str().into(), old.as_str().into(), context.as_str().into()]))
}

/// Compiles all scripts of a catalog: those that are sound, by their position in `Catalog::scripts`, and the faults of the others.
pub fn compile_all(catalog: &Catalog) -> (Vec<Option<Compiled>>, Vec<ScriptFault>) {
    let mut compiled = Vec::with_capacity(catalog.scripts.len());
    let mut faults = Vec::new();
    for script in &catalog.scripts {
        let source = ScriptSource {
            id: &script.id,
            file: &script.file,
            text: &script.source,
            kind: Kind::of(&script.trigger),
            entity: script.entity,
            limits: script.limits,
        };
        match compile(&source, catalog) {
            Ok(sound) => compiled.push(Some(sound)),
            Err(found) => {
                compiled.push(None);
                faults.extend(found);
            }
        }
    }
    (compiled, faults)
}
