//! Bounds on expressions, so that an untrusted filter costs little to read and to run.

use super::ast::{Ast, AstKind};
use super::error::{ExprError, ExprErrorKind};

/// How large an expression may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub bytes: usize,
    /// Nesting of operators, calls and parentheses.
    pub depth: usize,
    /// Comparisons and other conditions.
    pub terms: usize,
    /// Links followed by one path.
    pub hops: usize,
    /// Quantifiers and aggregates.
    pub quantifiers: usize,
}

impl Limits {
    /// For definitions, which an admin writes.
    pub const DEFINITION: Limits = Limits { bytes: 16 * 1024, depth: 32, terms: 400, hops: 4, quantifiers: 12 };
    /// For filters of requests.
    pub const FILTER: Limits = Limits { bytes: 8 * 1024, depth: 12, terms: 100, hops: 4, quantifiers: 3 };
}

/// Counts terms, quantifiers and the length of paths of a parsed expression.
///
/// # Errors
/// `EXP004`.
pub fn check(ast: &Ast, limits: &Limits) -> Result<(), ExprError> {
    let mut count = Count { limits: *limits, terms: 0, quantifiers: 0 };
    count.visit(ast, 1)
}

struct Count {
    limits: Limits,
    terms: usize,
    quantifiers: usize,
}

impl Count {
    fn visit(&mut self, ast: &Ast, depth: usize) -> Result<(), ExprError> {
        let refuse = |what, limit| Err(ExprError::new(ExprErrorKind::Limit { what, limit }, ast.span.clone()));
        if depth > self.limits.depth * 2 {
            return refuse("deep", self.limits.depth);
        }
        match &ast.kind {
            AstKind::Compare { .. }
            | AstKind::In { .. }
            | AstKind::Between { .. }
            | AstKind::IsNull { .. }
            | AstKind::Match { .. }
            | AstKind::Has { .. } => self.terms += 1,
            AstKind::Call { name, args, .. } => {
                self.terms += 1;
                let over = matches!(name.text.as_str(), "exists" | "none" | "all" | "count" | "sum" | "avg");
                if over || (args.len() < 2 && matches!(name.text.as_str(), "min" | "max")) {
                    self.quantifiers += 1;
                }
            }
            // Two more segments than links: the first root word (`old`) and the part.
            AstKind::Path(names) if names.len() > self.limits.hops + 3 => return refuse("far-reaching (links)", self.limits.hops),
            _ => {}
        }
        if self.terms > self.limits.terms {
            return refuse("long (conditions)", self.limits.terms);
        }
        if self.quantifiers > self.limits.quantifiers {
            return refuse("costly (exists, count and the like)", self.limits.quantifiers);
        }
        ast.children().into_iter().try_for_each(|child| self.visit(child, depth + 1))
    }
}
