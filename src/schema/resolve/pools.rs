//! Public pools: which records are in them, who claims them, for how long they are held.

use super::automations::seconds;
use super::expressions::{condition, unstorable};
use super::parts::field_list;
use super::pipelines::roles;
use super::{Work, labels};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Node as ExprNode, Path, Root, Type, Typed, needs};
use crate::schema::catalog::{Activity, Fairness, FieldClass, FieldType, HandOut, HoldCap, Pool};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::Node;

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node, package: &str) {
    let Some(id) = node.text("id") else { return };
    let Some(owner) = work.entity(ix).by_name.get("owner").copied().filter(|_| work.entity(ix).features.owner) else {
        let message = format!("`{}` has no owner, so nobody can hold its records", work.entity(ix).id);
        let place = node.get("id").map_or(&node.place, |id| &id.place);
        work.fault(Diagnostic::error("DEF421", place, message).hint("take `owner: false` out of its `features`, or the pool"));
        return;
    };
    let when = own_condition(work, ix, node);
    let open = open(work, ix, owner, when.as_ref());
    let written = node.get("caps").map(|list| list.items().to_vec()).unwrap_or_default();
    let caps = written.iter().filter_map(|one| cap(work, one)).collect();
    let times = times(work, node);
    let activity = activity(work, ix, node, package);
    let pool = Pool {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        when,
        open,
        roles: roles(work, node.get("roles")),
        managers: roles(work, node.get("managers")),
        show: shown(work, ix, node),
        caps,
        claims_per_day: node.int("claims_per_day"),
        protect_seconds: times.protect,
        reclaim_seconds: times.reclaim,
        warn_seconds: times.warn,
        activity,
        cool_down_seconds: times.cool_down,
        hand_out: node.get("hand_out").map(hand_out),
    };
    if let (Some((key, _)), true) = (node.entry("hand_out"), pool.roles.is_empty()) {
        let fault = Diagnostic::error("DEF425", &key.place.clone(), "there is nobody to hand out to");
        work.fault(fault.hint("name the roles whose people claim from the pool: `roles: [sales_rep]`"));
    }
    work.entity_mut(ix).pools.push(pool);
}

/// Which pool a record belongs to must change with a save of the record and never by itself.
fn own_condition(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Typed> {
    let typed = condition(work, node.get("when"), ix, false)?;
    if let Some((_, why)) = unstorable(work, ix, &needs(&typed)) {
        let place = node.get("when").map_or(&node.place, |when| &when.place).clone();
        let fault = Diagnostic::error("DEF423", &place, format!("what belongs to a pool is known from the record alone: {why}"));
        work.fault(fault.hint("compare stored fields of the record itself; for others a stored formula or rollup"));
        return None;
    }
    Some(typed)
}

/// Without an owner, of this pool, and of none that is asked first.
fn open(work: &Work, ix: EntityIx, owner: FieldIx, when: Option<&Typed>) -> Typed {
    let entity = work.entity(ix);
    let ty = match &entity.field(owner).ty {
        FieldType::User { to, .. } => Type::Link(vec![*to]),
        _ => Type::Link(Vec::new()),
    };
    let bool = |node| Typed::new(Type::Bool, node, 0..0);
    let path = ExprNode::Path(Path { root: Root::Record, hops: Vec::new(), field: owner, part: None });
    let mut parts = vec![bool(ExprNode::IsNull(Box::new(Typed::new(ty, path, 0..0))))];
    for earlier in &entity.pools {
        let earlier = earlier.when.clone().unwrap_or_else(Typed::always);
        parts.push(bool(ExprNode::Not(Box::new(earlier))));
    }
    parts.extend(when.cloned());
    Typed::all_of(parts)
}

/// What anybody with a role of the pool reads of a record in it.
fn shown(work: &mut Work, ix: EntityIx, node: &Node) -> Vec<FieldIx> {
    let mut kept = Vec::new();
    for (field, written) in field_list(work, ix, node.get("show")) {
        let found = work.entity(ix).field(field);
        let why = match &found.ty {
            FieldType::Children { .. } | FieldType::Links { .. } => Some("is a list of records"),
            FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } => Some("leads to another record"),
            FieldType::File { .. } | FieldType::Image { .. } => Some("is a file"),
            FieldType::Lookup { .. } | FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } => {
                Some("is computed when it is read")
            }
            _ if found.encrypted || matches!(found.class, Some(FieldClass::Sensitive | FieldClass::Secret)) => {
                Some("is sensitive, secret or encrypted")
            }
            _ => None,
        };
        if let Some(why) = why {
            let message = format!("`{}` {why}, so a pool cannot show it", found.name);
            let fault = Diagnostic::error("DEF422", &written.place, message);
            work.fault(fault.hint("show stored values that tell whether a record is worth claiming: its name, industry, city"));
        } else if !kept.contains(&field) {
            kept.push(field);
        }
    }
    if node.get("show").is_some_and(|list| list.items().is_empty()) {
        let place = node.entry("show").map_or(&node.place, |(key, _)| &key.place).clone();
        let fault = Diagnostic::error("DEF113", &place, "a pool that shows nothing");
        work.fault(fault.hint("name the fields people see before they claim a record: `show: [company, industry]`"));
    }
    kept
}

fn cap(work: &mut Work, node: &Node) -> Option<HoldCap> {
    let people = work.by_id.get("core.user").copied()?;
    let when = condition(work, node.get("when"), people, false);
    Some(HoldCap { roles: roles(work, node.get("roles")), when, most: node.int("most")? })
}

#[derive(Default)]
struct Times {
    protect: Option<i64>,
    reclaim: Option<i64>,
    warn: Option<i64>,
    cool_down: Option<i64>,
}

fn times(work: &mut Work, node: &Node) -> Times {
    let mut read = |key: &str| {
        let written = node.get(key)?;
        let found = seconds(written.as_text()?);
        if found.is_none() {
            let message = format!("`{}` is no time", written.as_text().unwrap_or_default());
            let fault = Diagnostic::error("DEF369", &written.place, message);
            work.fault(fault.hint("write days, hours or minutes, at most ten years: `14d`, `12h`, `45m`"));
        }
        found
    };
    let times = Times { protect: read("protect"), reclaim: read("reclaim"), warn: read("warn"), cool_down: read("cool_down") };
    if let Some(warn) = node.get("warn")
        && times.reclaim.is_some() == node.get("reclaim").is_some()
        && times.warn.is_some_and(|before| times.reclaim.is_none_or(|after| before >= after))
    {
        let fault = Diagnostic::error("DEF425", &warn.place, "there is no such moment before a record goes back");
        work.fault(fault.hint("give `reclaim` a longer time than `warn`: `reclaim: 14d`, `warn: 2d`"));
    }
    if let (Some(activity), None) = (node.entry("activity"), node.get("reclaim")) {
        let fault = Diagnostic::error("DEF425", &activity.0.place.clone(), "nothing goes back here, so nothing counts as activity");
        work.fault(fault.hint("say after how long without activity a record goes back: `reclaim: 14d`"));
    }
    times
}

fn activity(work: &mut Work, ix: EntityIx, node: &Node, package: &str) -> Vec<Activity> {
    let written = node.get("activity").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut found = Vec::new();
    for one in &written {
        match (one.get("fields"), one.get("entity"), one.get("by")) {
            (Some(fields), None, None) => {
                let fields = field_list(work, ix, Some(fields)).into_iter().map(|(field, _)| field).collect();
                found.push(Activity::Fields(fields));
            }
            (None, Some(entity), Some(by)) => {
                let Some(of) = work.find_entity(entity, package) else { continue };
                let Some(name) = by.as_text().map(str::to_owned) else { continue };
                let Some(field) = work.find_field(by, &name, of) else { continue };
                let leads = match &work.entity(of).field(field).ty {
                    FieldType::Link { to, .. } => *to == ix,
                    FieldType::AnyLink { to, .. } => to.contains(&ix),
                    _ => false,
                };
                if leads {
                    found.push(Activity::Rows { entity: of, by: field });
                    continue;
                }
                let message = format!("`{name}` does not lead to a {}", work.entity(ix).slug);
                let fault = Diagnostic::error("DEF424", &by.place, message);
                work.fault(fault.hint("name a link of that entity that leads here"));
            }
            _ => {
                let fault = Diagnostic::error("DEF424", &one.place, "activity is a change of fields, or a new record that leads here");
                work.fault(fault.hint("write `{fields: [status]}` or `{entity: core.activity, by: lead}`"));
            }
        }
    }
    found
}

fn hand_out(node: &Node) -> HandOut {
    let how = if node.text("by") == Some("load") { Fairness::Load } else { Fairness::Turns };
    HandOut { how, automatic: node.flag("auto").unwrap_or(false) }
}
