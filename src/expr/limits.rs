//! Bounds on expressions, so that an untrusted filter costs little to read and to run.

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
