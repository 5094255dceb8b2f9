//! Moving a condition over a link.

use super::tree::{Hop, Node, Over, Path, Root, Typed};

/// A condition about the linked record as one about the record that holds the link.
pub fn through(condition: &Typed, hop: Hop) -> Typed {
    let own = |root: &Root| *root == Root::Record;
    let path = |path: &Path| {
        let mut moved = path.clone();
        if own(&path.root) {
            moved.hops.insert(0, hop);
        }
        moved
    };
    let over = |over: &Over| {
        let mut moved = over.clone();
        if own(&over.root) {
            moved.hops.insert(0, hop);
        }
        moved
    };
    let go = |typed: &Typed| through(typed, hop);
    let boxed = |typed: &Typed| Box::new(through(typed, hop));
    let all = |items: &[Typed]| items.iter().map(go).collect::<Vec<_>>();
    let node = match &condition.node {
        Node::Path(of) => Node::Path(path(of)),
        Node::Changed(of) => Node::Changed(path(of)),
        Node::And(items) => Node::And(all(items)),
        Node::Or(items) => Node::Or(all(items)),
        Node::Not(inner) => Node::Not(boxed(inner)),
        Node::Compare { op, left, right } => Node::Compare { op: *op, left: boxed(left), right: boxed(right) },
        Node::In { item, list } => Node::In { item: boxed(item), list: all(list) },
        Node::IsNull(inner) => Node::IsNull(boxed(inner)),
        Node::Match { kind, item, pattern } => Node::Match { kind: *kind, item: boxed(item), pattern: boxed(pattern) },
        Node::Has { kind, set, keys } => Node::Has { kind: *kind, set: path(set), keys: all(keys) },
        Node::Arithmetic { op, left, right } => Node::Arithmetic { op: *op, left: boxed(left), right: boxed(right) },
        Node::Negate(inner) => Node::Negate(boxed(inner)),
        Node::Rescale(inner) => Node::Rescale(boxed(inner)),
        Node::Case { arms, otherwise } => {
            Node::Case { arms: arms.iter().map(|(when, then)| (go(when), go(then))).collect(), otherwise: boxed(otherwise) }
        }
        Node::Coalesce(items) => Node::Coalesce(all(items)),
        Node::Call { function, args } => Node::Call { function: *function, args: all(args) },
        Node::Quantifier { kind, over: rows, filter } => {
            Node::Quantifier { kind: *kind, over: over(rows), filter: filter.as_deref().map(boxed) }
        }
        Node::Aggregate { kind, over: rows, filter, value } => {
            Node::Aggregate { kind: *kind, over: over(rows), filter: filter.as_deref().map(boxed), value: value.as_deref().map(boxed) }
        }
        Node::Shared { item, may_edit, with } => Node::Shared { item: boxed(item), may_edit: *may_edit, with: with.clone() },
        Node::Literal(_) | Node::Me | Node::Mine(_) | Node::Now | Node::Today => condition.node.clone(),
    };
    Typed::new(condition.ty.clone(), node, condition.span.clone())
}
