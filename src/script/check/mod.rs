//! Checks a parsed script against the catalog and the list of functions: every name in it must be there.
//!
//! The walk keeps a small type for each expression (`types`), so that `get("account", rec.account).nmae` is found as
//! well as `rec.nmae`. What it cannot know it lets pass; the run reports it with its place.

mod calls;
mod filter;
mod names;
mod types;
mod walk;

use rhai::{AST, ASTNode, Position, ScriptFuncDef, Stmt};

use super::compile::ScriptSource;
use crate::schema::catalog::Catalog;

pub(super) use names::near;

/// A fault with its place.
#[derive(Debug)]
pub(super) struct Found {
    pub line: u32,
    pub column: u32,
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

impl Found {
    pub fn at(position: Position, code: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        let number = |part: Option<usize>| part.and_then(|part| u32::try_from(part).ok()).unwrap_or(1);
        Self { line: number(position.line()), column: number(position.position()), code, message: message.into(), hint }
    }
}

const SHAPE: &str = "a script is `fn run(rec, old, ctx) { … }`, with helper functions beside it";

/// All faults of a script that parses.
pub(super) fn check(ast: &AST, source: &ScriptSource<'_>, catalog: &Catalog) -> Vec<Found> {
    let mut faults = Vec::new();
    if let Some(statement) = ast.statements().iter().find(|statement| !statement.is_noop()) {
        let place = statement.position();
        faults.push(Found::at(place, "AUT104", "statements outside functions never run", Some(SHAPE.to_owned())));
    }
    match ast.iter_fn_def().find(|function| function.name == "run") {
        None => faults.push(Found::at(Position::new(1, 1), "AUT110", "the script has no function `run`", Some(SHAPE.to_owned()))),
        Some(run) if run.params.len() != 3 => {
            let message = format!("`run` takes {}, not three parameters", run.params.len());
            faults.push(Found::at(function_place(source.text, "run"), "AUT111", message, Some(SHAPE.to_owned())));
        }
        Some(_) => {}
    }
    let own: Vec<&ScriptFuncDef> = ast.iter_fn_def().map(AsRef::as_ref).collect();
    for function in &own {
        if super::api().iter().any(|known| known.name == function.name) {
            let message = format!("`{}` is already a function of the host", function.name);
            faults.push(Found::at(function_place(source.text, &function.name), "AUT117", message, Some("give it another name".to_owned())));
        }
    }
    for function in &own {
        walk::function(ast, function, &own, source, catalog, &mut faults);
    }
    faults
}

/// The statements of one function's body, in order.
///
/// rhai does not export the type of a body, so a tree with this function alone is walked. (`clone_functions_only_filtered` of
/// rhai 1.27 does not filter; `retain_functions` does.)
pub(super) fn each_statement(ast: &AST, name: &str, arity: usize, visit: &mut dyn FnMut(&Stmt)) {
    let mut alone = ast.clone_functions_only();
    alone.retain_functions(|_, _, other, parameters| other == name && parameters == arity);
    alone.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            visit(statement);
        }
        true
    });
}

/// Line and column of a function's definition.
pub(super) fn function_line(text: &str, name: &str) -> (u32, u32) {
    let found = Found::at(function_place(text, name), "", "", None);
    (found.line, found.column)
}

/// Where a function is defined: rhai keeps no place of it.
fn function_place(text: &str, name: &str) -> Position {
    for (number, line) in text.lines().enumerate() {
        let Some(start) = line.find("fn ") else { continue };
        let rest = line[start + 3..].trim_start();
        if rest.strip_prefix(name).is_some_and(|after| after.trim_start().starts_with('(')) {
            let column = line[..start].chars().count() + 1;
            return Position::new(u16::try_from(number + 1).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(1));
        }
    }
    Position::new(1, 1)
}
