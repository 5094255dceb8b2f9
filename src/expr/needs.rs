//! What must be loaded before an expression can be evaluated.
use std::collections::BTreeSet;

use crate::base::FieldIx;

use super::tree::{Node, Over, Path, Root, Type, Typed};

/// What an expression reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Fields of the record itself, links that paths start with included.
    pub fields: BTreeSet<FieldIx>,
    /// Paths that leave the record over links (at least one hop). Each once.
    pub paths: Vec<Path>,
    /// To-many fields with what is needed of each row.
    pub children: Vec<ChildNeed>,
    /// Fields of `old`.
    pub old_fields: BTreeSet<FieldIx>,
    /// Paths that leave `old` over links.
    pub old_paths: Vec<Path>,
    pub uses_old: bool,
    /// `now()` or `today()`: the value changes without any write.
    pub uses_now: bool,
    pub uses_me: bool,
    /// Dates of date-times: depends on the zone.
    pub uses_zone: bool,
}

/// The rows of a to-many field, needed with these fields.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildNeed {
    pub over: Over,
    pub needs: Needs,
}

/// Collects the needs of one expression.
pub fn needs(typed: &Typed) -> Needs {
    let mut collector = Collector { stack: vec![Needs::default()] };
    collector.visit(typed);
    collector.stack.pop().unwrap_or_default()
}

/// The needs of several expressions about one record.
pub fn needs_of<'a>(expressions: impl IntoIterator<Item = &'a Typed>) -> Needs {
    let mut collector = Collector { stack: vec![Needs::default()] };
    for typed in expressions {
        collector.visit(typed);
    }
    collector.stack.pop().unwrap_or_default()
}

/// Bottom of the stack: the record; above it a level for each quantifier being visited.
struct Collector {
    stack: Vec<Needs>,
}

impl Collector {
    fn visit(&mut self, typed: &Typed) {
        match &typed.node {
            Node::Path(path) => self.path(path),
            Node::Changed(path) => {
                self.path(path);
                self.path(&Path { root: Root::Old, ..path.clone() });
            }
            Node::Has { set, .. } => self.path(set),
            // Shares end at some moment: those who keep what was made of them look at it themselves.
            Node::Me | Node::Mine(_) | Node::Shared { .. } => self.stack[0].uses_me = true,
            Node::Now => self.stack[0].uses_now = true,
            Node::Today => {
                self.stack[0].uses_now = true;
                self.stack[0].uses_zone = true;
            }
            Node::Call { args, .. } => {
                self.stack[0].uses_zone |= args.iter().any(|arg| arg.ty == Type::DateTime);
            }
            Node::Quantifier { over, .. } | Node::Aggregate { over, .. } => return self.over(over, &typed.children()),
            _ => {}
        }
        typed.children().into_iter().for_each(|child| self.visit(child));
    }

    fn path(&mut self, path: &Path) {
        let (level, is_old) = self.level(path.root);
        let needs = &mut self.stack[level];
        let first = path.hops.first().map_or(path.field, |hop| hop.field);
        if is_old {
            needs.uses_old = true;
            needs.old_fields.insert(first);
            if !path.hops.is_empty() && !needs.old_paths.contains(path) {
                needs.old_paths.push(path.clone());
            }
            return;
        }
        needs.fields.insert(first);
        let whole = Path { part: None, ..path.clone() };
        if !path.hops.is_empty() && !needs.paths.contains(&whole) {
            needs.paths.push(whole);
        }
    }

    fn over(&mut self, over: &Over, inner: &[&Typed]) {
        let (level, is_old) = self.level(over.root);
        self.stack[level].uses_old |= is_old;
        if let Some(hop) = over.hops.first() {
            self.stack[level].fields.insert(hop.field);
        }
        self.stack.push(Needs::default());
        inner.iter().for_each(|child| self.visit(child));
        let of_rows = self.stack.pop().unwrap_or_default();
        let children = &mut self.stack[level].children;
        match children.iter_mut().find(|child| child.over == *over) {
            Some(child) => child.needs.merge(of_rows),
            None => children.push(ChildNeed { over: over.clone(), needs: of_rows }),
        }
    }

    fn level(&self, root: Root) -> (usize, bool) {
        match root {
            Root::Record => (0, false),
            Root::Old => (0, true),
            Root::Row(level) => ((usize::from(level) + 1).min(self.stack.len() - 1), false),
        }
    }
}

impl Needs {
    /// Adds the needs of another expression about the same record.
    pub fn merge(&mut self, other: Needs) {
        self.fields.extend(other.fields);
        self.old_fields.extend(other.old_fields);
        for (mine, theirs) in [(&mut self.paths, other.paths), (&mut self.old_paths, other.old_paths)] {
            for path in theirs {
                if !mine.contains(&path) {
                    mine.push(path);
                }
            }
        }
        for child in other.children {
            match self.children.iter_mut().find(|mine| mine.over == child.over) {
                Some(mine) => mine.needs.merge(child.needs),
                None => self.children.push(child),
            }
        }
        self.uses_old |= other.uses_old;
        self.uses_now |= other.uses_now;
        self.uses_me |= other.uses_me;
        self.uses_zone |= other.uses_zone;
    }
}
