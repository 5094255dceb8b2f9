//! Roles: what each allows, entity by entity, and their keys among the options of `core.user.roles`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expressions::rule_of_role;
use super::layers::package_of;
use super::{Work, labels, uids};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Hop, Node as Expr, Path, Root, Type, Typed, through};
use crate::schema::catalog::{Allowed, Entity, FieldType, Grant, Role, SelectOption};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::intake::Document;
use crate::schema::node::{Key, Node, NodeKind, Style};

/// The role that is built in and has every right; nobody can narrow it.
const ADMINISTRATOR: &str = "admin";
/// Words in place of a mapping.
const WORDS: [&str; 4] = ["none", "read", "write", "all"];

pub(super) fn build(work: &mut Work) {
    let intake = work.intake;
    let mut documents: Vec<&Document> = intake.documents.iter().filter(|document| document.kind.name == "role").collect();
    documents.sort_by_key(|document| (work.packages.position(&package_of(document)), document.path.clone(), document.node.place.line));
    let mut layers: Vec<(String, Vec<&Document>)> = Vec::new();
    for document in documents {
        let Some(id) = document.node.get("id") else { continue };
        let Some(name) = id.as_text() else { continue };
        if name == ADMINISTRATOR {
            let fault = Diagnostic::error("DEF330", &id.place, "the role `admin` is built in")
                .hint("it may do everything, so that nobody locks themselves out: choose another name");
            work.fault(fault);
            continue;
        }
        let package = package_of(document);
        let is_below = |known: &&Document| package_of(known) != package && work.packages.sees(&package, &package_of(known));
        match layers.iter_mut().find(|(known, _)| known == name) {
            None => layers.push((name.to_owned(), vec![document])),
            Some((_, below)) if below.iter().all(is_below) => below.push(document),
            Some(_) => work.fault(Diagnostic::error("DEF201", &id.place, format!("the role `{name}` is defined twice"))),
        }
    }
    for (name, documents) in layers {
        role(work, &name, &documents);
    }
    offer(work);
}

/// One role, with what packages above say of more entities, or of the same ones in its place.
fn role(work: &mut Work, name: &str, layers: &[&Document]) {
    let mut written: BTreeMap<EntityIx, (Key, Node)> = BTreeMap::new();
    let mut others: Option<Node> = None;
    let mut label = None;
    for document in layers {
        written.extend(permissions(work, document, &mut others));
        label = labels::of(document.node.get("label")).or(label);
    }
    let mut maker = Maker { written, others, made: BTreeMap::new(), at_work: Vec::new(), has_circle: false };
    for entity in work.all() {
        maker.grant(work, entity);
    }
    let grants = maker.made.into_iter().filter_map(|(entity, grant)| Some((entity, grant?))).collect();
    work.catalog.roles.push(Role { id: name.to_owned(), label: label.unwrap_or_else(|| labels::from_name(name)), grants });
}

/// What one document says, entity by entity.
fn permissions(work: &mut Work, document: &Document, others: &mut Option<Node>) -> BTreeMap<EntityIx, (Key, Node)> {
    let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
    let mut written: BTreeMap<EntityIx, (Key, Node)> = BTreeMap::new();
    for (key, node) in document.node.get("permissions").map(Node::entries).unwrap_or_default() {
        if key.text == "*" {
            *others = Some(node.clone());
            continue;
        }
        let named = Node { place: key.place.clone(), kind: NodeKind::Text(key.text.clone()), style: Style::Plain };
        let Some(entity) = work.find_entity(&named, &package) else { continue };
        if let Some((first, _)) = written.get(&entity) {
            let fault = Diagnostic::error("DEF201", &key.place, format!("`{}` stands here a second time", key.text))
                .label(&first.place.clone(), "first here");
            work.fault(fault);
            continue;
        }
        written.insert(entity, (key.clone(), node.clone()));
    }
    written
}

/// Makes the grants of one role; those that inherit after those they inherit from.
struct Maker {
    written: BTreeMap<EntityIx, (Key, Node)>,
    others: Option<Node>,
    made: BTreeMap<EntityIx, Option<Grant>>,
    at_work: Vec<EntityIx>,
    /// A circle was found and told: what it leaves without rights is not told again.
    has_circle: bool,
}

impl Maker {
    fn grant(&mut self, work: &mut Work, entity: EntityIx) -> Option<Grant> {
        if let Some(known) = self.made.get(&entity) {
            return known.clone();
        }
        self.at_work.push(entity);
        let mut made = match self.written.get(&entity).cloned() {
            Some((_, node)) => self.of_node(work, entity, &node),
            // The rows between two records belong to the one that lists the others.
            None if work.entity(entity).is_made => near_of(work, entity).and_then(|near| self.inherited(work, entity, near)),
            None => self.others.clone().and_then(|node| self.of_node(work, entity, &node)),
        };
        if let Some(grant) = &mut made {
            shared_too(work.entity(entity), grant);
        }
        self.at_work.pop();
        self.made.insert(entity, made.clone());
        made
    }

    fn of_node(&mut self, work: &mut Work, entity: EntityIx, node: &Node) -> Option<Grant> {
        let count = work.entity(entity).fields.len();
        if !node.is_map() {
            let word = node.scalar_text().unwrap_or_default();
            let reads =
                Grant { read: Allowed::All, readable: vec![true; count], writable: vec![true; count], ..Grant::of(|| Allowed::None) };
            return match word.as_str() {
                "none" => None,
                "read" => Some(reads),
                "write" => Some(Grant { create: Allowed::All, update: Allowed::All, ..reads }),
                "all" => Some(Grant::all(count)),
                _ => {
                    let fault = Diagnostic::error("DEF107", &node.place, format!("`{word}` is not one of the allowed values"))
                        .near(nearest(&word, WORDS))
                        .hint(format!("allowed: {}, or a mapping", WORDS.join(", ")));
                    work.fault(fault);
                    None
                }
            };
        }
        let inherited = match node.get("inherit") {
            Some(link) => Some(self.of_link(work, entity, link)?),
            None => None,
        };
        let rows = node.get("rows").map_or(Some(Allowed::All), |rows| allowed(work, rows, entity));
        let mut action = |key: &str, otherwise: Allowed, from: Option<&Allowed>| -> Option<Allowed> {
            let own = match node.get(key) {
                Some(written) if written.kind != NodeKind::Null => allowed(work, written, entity)?,
                _ => from.map_or(otherwise, |_| Allowed::All),
            };
            Some(both(both(own, rows.clone()?), from.cloned().unwrap_or(Allowed::All)))
        };
        let read = action("read", Allowed::All, inherited.as_ref().map(|grant| &grant.read));
        let create = action("create", Allowed::None, inherited.as_ref().map(|grant| &grant.create));
        let update = action("update", Allowed::None, inherited.as_ref().map(|grant| &grant.update));
        let delete = action("delete", Allowed::None, inherited.as_ref().map(|grant| &grant.delete));
        let share = action("share", Allowed::None, inherited.as_ref().map(|grant| &grant.share));
        let export = action("export", Allowed::None, inherited.as_ref().map(|grant| &grant.export));
        let import = action("import", Allowed::None, inherited.as_ref().map(|grant| &grant.import));
        let admin = action("admin", Allowed::None, inherited.as_ref().map(|grant| &grant.admin));
        let (readable, writable) = fields(work, entity, node.get("fields"));
        Some(Grant {
            read: read?,
            create: create?,
            update: update?,
            delete: delete?,
            share: share?,
            export: export?,
            import: import?,
            admin: admin?,
            readable,
            writable,
        })
    }

    /// `inherit: deal`.
    fn of_link(&mut self, work: &mut Work, entity: EntityIx, node: &Node) -> Option<Grant> {
        let name = node.as_text()?.to_owned();
        let link = work.find_field(node, &name, entity)?;
        let target = match &work.entity(entity).field(link).ty {
            FieldType::Link { to, .. } => *to,
            other => {
                let found = crate::schema::field_type::type_name(other);
                let fault = Diagnostic::error("DEF331", &node.place, format!("`{name}` is of type `{found}`; rights come over a `link`"))
                    .hint("name the link to the record this one belongs to");
                work.fault(fault);
                return None;
            }
        };
        if self.at_work.contains(&target) {
            let circle: Vec<&str> = self.at_work.iter().map(|ix| work.entity(*ix).slug.as_str()).collect();
            let message = format!("rights go round in a circle: {} → {}", circle.join(" → "), work.entity(target).slug);
            self.has_circle = true;
            work.fault(Diagnostic::error("DEF332", &node.place, message).hint("give one of them its own `rows`"));
            return None;
        }
        if let Some(grant) = self.inherited(work, entity, link) {
            return Some(grant);
        }
        if self.has_circle {
            return None;
        }
        let slug = work.entity(target).slug.clone();
        let fault =
            Diagnostic::error("DEF331", &node.place, format!("the role allows nothing on `{slug}`, so there is nothing to inherit"))
                .hint(format!("add `{slug}` to its permissions"));
        work.fault(fault);
        None
    }

    /// The rights on the record a link leads to, told about the record that holds the link.
    fn inherited(&mut self, work: &mut Work, entity: EntityIx, link: FieldIx) -> Option<Grant> {
        let FieldType::Link { to, .. } = work.entity(entity).field(link).ty else { return None };
        if self.at_work.contains(&to) {
            return None;
        }
        let above = self.grant(work, to)?;
        let hop = Hop { field: link, to };
        let over = |allowed: &Allowed| match allowed {
            Allowed::None => Allowed::None,
            Allowed::All => Allowed::All,
            Allowed::Where(condition) => Allowed::Where(through(condition, hop)),
        };
        let count = work.entity(entity).fields.len();
        Some(Grant {
            read: over(&above.read),
            create: over(&above.update),
            update: over(&above.update),
            delete: over(&above.update),
            share: over(&above.share),
            export: over(&above.export),
            import: over(&above.import),
            admin: over(&above.admin),
            readable: vec![true; count],
            writable: vec![true; count],
        })
    }
}

/// Where a role reads or changes some records, it also does those that were shared with whoever has it. What a role does with
/// no record it does not do with a shared one either.
fn shared_too(entity: &Entity, grant: &mut Grant) {
    let Some(id) = entity.find_field("id").filter(|_| entity.is_shareable()) else { return };
    let path = Path { root: Root::Record, hops: Vec::new(), field: id.ix, part: None };
    let item = Typed::new(Type::Link(vec![entity.ix]), Expr::Path(path), 0..0);
    for (allowed, may_edit) in [(&mut grant.read, false), (&mut grant.update, true)] {
        let Allowed::Where(condition) = allowed else { continue };
        let shared = Typed::new(Type::Bool, Expr::Shared { item: Box::new(item.clone()), may_edit, with: Vec::new() }, 0..0);
        let mut parts = match &mut condition.node {
            Expr::Or(parts) => std::mem::take(parts),
            _ => vec![condition.clone()],
        };
        parts.push(shared);
        *condition = Typed::new(Type::Bool, Expr::Or(parts), condition.span.clone());
    }
}

/// The side of a made junction that lists the others.
fn near_of(work: &Work, junction: EntityIx) -> Option<FieldIx> {
    work.catalog.entities.iter().flat_map(|entity| &entity.fields).find_map(|field| match &field.ty {
        FieldType::Links { through, near, .. } if *through == junction => Some(*near),
        _ => None,
    })
}

fn allowed(work: &mut Work, node: &Node, entity: EntityIx) -> Option<Allowed> {
    match node.as_bool() {
        Some(true) => Some(Allowed::All),
        Some(false) => Some(Allowed::None),
        None => {
            let condition = rule_of_role(work, node, entity)?;
            Some(match &condition.node {
                Expr::Literal(crate::base::Value::Bool(true)) => Allowed::All,
                Expr::Literal(crate::base::Value::Bool(false)) => Allowed::None,
                _ => Allowed::Where(condition),
            })
        }
    }
}

/// Where both allow it.
fn both(one: Allowed, other: Allowed) -> Allowed {
    match (one, other) {
        (Allowed::None, _) | (_, Allowed::None) => Allowed::None,
        (Allowed::All, rest) | (rest, Allowed::All) => rest,
        (Allowed::Where(one), Allowed::Where(other)) => Allowed::Where(Typed::all_of(vec![one, other])),
    }
}

/// Which fields are read and written.
fn fields(work: &mut Work, entity: EntityIx, node: Option<&Node>) -> (Vec<bool>, Vec<bool>) {
    let count = work.entity(entity).fields.len();
    let (mut readable, mut writable) = (vec![true; count], vec![true; count]);
    let Some(node) = node else { return (readable, writable) };
    let mut listed = |key: &str| -> Option<Vec<usize>> {
        let items: Vec<Node> = node.get(key)?.items().to_vec();
        let found = items.iter().filter_map(|item| {
            let at = work.find_field(item, item.as_text()?, entity)?;
            Some(at.0 as usize)
        });
        Some(found.collect())
    };
    let (read, hide, write, read_only) = (listed("read"), listed("hide"), listed("write"), listed("read_only"));
    let is_system: Vec<(bool, String)> = work.entity(entity).fields.iter().map(|field| (field.is_system, field.name.clone())).collect();
    for at in 0..count {
        let (is_system, name) = &is_system[at];
        if let Some(read) = &read {
            readable[at] = *is_system || read.contains(&at);
        }
        // Without them a record cannot be told from another.
        if hide.as_ref().is_some_and(|hide| hide.contains(&at)) && !matches!(name.as_str(), "id" | "version") {
            readable[at] = false;
        }
        if let Some(write) = &write {
            writable[at] = write.contains(&at);
        }
        if read_only.as_ref().is_some_and(|list| list.contains(&at)) || !readable[at] {
            writable[at] = false;
        }
    }
    (readable, writable)
}

/// Every role stands among the options of `core.user.roles`, whoever wrote it.
fn offer(work: &mut Work) {
    let Some(user) = work.catalog.find_entity("core.user").map(|entity| entity.ix) else { return };
    let Some(at) = work.entity(user).by_name.get("roles").copied() else { return };
    let field_uid = work.entity(user).field(at).uid.clone();
    let roles: Vec<(String, crate::base::Labels)> = work.catalog.roles.iter().map(|role| (role.id.clone(), role.label.clone())).collect();
    let mut added = Vec::new();
    for (id, label) in roles {
        added.push((uids::option(work, &field_uid, &id, None), id, label));
    }
    let FieldType::MultiSelect { options, .. } = &mut work.entity_mut(user).fields[at.0 as usize].ty else { return };
    let list = Arc::make_mut(&mut options.list);
    for (uid, key, label) in added {
        match list.options.iter_mut().find(|option| option.key == key) {
            Some(option) if option.retired => {
                option.retired = false;
                option.label = label;
            }
            Some(_) => {}
            None => {
                let hue = u8::try_from(list.options.len() % 10).unwrap_or(0);
                list.options.push(SelectOption { key, uid, label, hue, retired: false });
            }
        }
    }
}
