//! Physical names: those remembered for a uid, new ones for what is new. A name once used is never given to something
//! else, also not after its field was retired.

use std::collections::BTreeSet;

use super::{Work, uids};
use crate::base::EntityIx;
use crate::schema::bindings::{Binding, BindingKind, BindingState, Bindings};
use crate::schema::catalog::{Column, Field, FieldType};
use crate::schema::field_type;

/// The longest physical name: leaves room for prefixes of indexes within PostgreSQL's 63 bytes.
const MAX: usize = 40;

/// Column names a database gives a meaning of its own.
const TAKEN_BY_DATABASES: [&str; 9] = ["rowid", "oid", "_rowid_", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// The id prefix of an entity: the remembered one, else its short name, with a suffix when another entity has it.
pub(super) fn prefix_of(old: &Bindings, uid: &str, slug: &str) -> String {
    if let Some(prefix) = old.get(uid).and_then(|binding| binding.prefix.clone()) {
        return prefix;
    }
    let is_taken = old.by_uid.values().any(|binding| binding.prefix.as_deref() == Some(slug));
    if is_taken { format!("{slug}_{}", uids::suffix(uid)) } else { slug.to_owned() }
}

pub(super) fn bind(work: &mut Work) -> Bindings {
    let mut new = Bindings::default();
    for ix in work.all() {
        entity(work, ix, &mut new);
    }
    for binding in lists(work) {
        new.by_uid.insert(binding.uid.clone(), binding);
    }
    for binding in work.old.by_uid.values() {
        if !new.by_uid.contains_key(&binding.uid) {
            let retired = Binding { state: BindingState::Retired, ..binding.clone() };
            new.by_uid.insert(retired.uid.clone(), retired);
        }
    }
    new
}

fn fitting(name: &str, uid: &str, room: usize, taken: &BTreeSet<String>) -> String {
    let short: String = name.chars().take(room).collect();
    if short == name && !taken.contains(name) {
        return short;
    }
    let suffix = uids::suffix(uid);
    let cut: String = name.chars().take(room - 5).collect();
    let mut candidate = format!("{}_{suffix}", cut.trim_end_matches('_'));
    let mut count = 1;
    while taken.contains(&candidate) {
        count += 1;
        let cut: String = name.chars().take(room - 8).collect();
        candidate = format!("{}_{suffix}{count}", cut.trim_end_matches('_'));
    }
    candidate
}

fn entity(work: &mut Work, ix: EntityIx, new: &mut Bindings) {
    let (uid, slug, id) = {
        let entity = work.entity(ix);
        (entity.uid.clone(), entity.slug.clone(), entity.id.clone())
    };
    let known = work.old.get(&uid).cloned();
    let table = known.as_ref().and_then(|binding| binding.table.clone()).unwrap_or_else(|| {
        let taken: BTreeSet<String> =
            work.old.by_uid.values().chain(new.by_uid.values()).filter_map(|binding| binding.table.clone()).collect();
        fitting(&format!("e_{slug}"), &uid, MAX + 2, &taken)
    });
    let was = work
        .draft(ix)
        .node
        .text("was")
        .map(|was| if was.contains('.') { was.to_owned() } else { format!("{}.{was}", work.draft(ix).package) });
    let prefix = work.entity(ix).prefix.clone();
    work.entity_mut(ix).table.clone_from(&table);
    new.by_uid.insert(
        uid.clone(),
        Binding {
            uid: uid.clone(),
            kind: BindingKind::Entity,
            parent: None,
            name: id,
            table: Some(table),
            columns: Vec::new(),
            prefix: Some(prefix),
            state: BindingState::Live,
            shape: was.map_or(String::new(), |was| format!(";was={was}")),
        },
    );
    fields(work, ix, &uid, &slug, new);
    let table = work.entity(ix).table.clone();
    let entity = work.entity(ix);
    let uniques = entity.uniques.iter().map(|unique| (BindingKind::Unique, &unique.uid, &unique.name, &unique.index));
    let indexes = entity.indexes.iter().map(|index| (BindingKind::Index, &index.uid, &index.index, &index.index));
    for (kind, index_uid, name, index) in uniques.chain(indexes) {
        let binding = Binding {
            uid: index_uid.clone(),
            kind,
            parent: Some(uid.clone()),
            name: name.clone(),
            table: Some(index.clone()),
            columns: Vec::new(),
            prefix: None,
            state: BindingState::Live,
            shape: table.clone(),
        };
        new.by_uid.insert(index_uid.clone(), binding);
    }
}

fn fields(work: &mut Work, ix: EntityIx, entity_uid: &str, slug: &str, new: &mut Bindings) {
    let mut taken: BTreeSet<String> = TAKEN_BY_DATABASES.iter().map(|name| (*name).to_owned()).collect();
    taken.extend(super::drafts::SYSTEM.iter().map(|name| (*name).to_owned()));
    let of_entity =
        work.old.by_uid.values().filter(|binding| binding.kind == BindingKind::Field && binding.parent.as_deref() == Some(entity_uid));
    taken.extend(of_entity.flat_map(|binding| binding.columns.iter().cloned()));
    for position in 0..work.entity(ix).fields.len() {
        let field = &work.entity(ix).fields[position];
        if field.is_system {
            let columns = field_type::columns_of(&field.ty, &field.name, &[]);
            work.entity_mut(ix).fields[position].columns = columns;
            continue;
        }
        let targets = target_slugs(work, field);
        let known = work.old.get(&field.uid);
        let shape = shape(work, field);
        let columns = columns(field, &targets, known, &shape, &taken);
        taken.extend(columns.iter().map(|column| column.name.clone()));
        let fold = fold(field, known, columns.len(), &taken);
        taken.extend(fold.clone());
        let side = side_table(work, field, slug, known, new);
        let was = work.draft(ix).fields.iter().find(|draft| draft.key.text == field.name).and_then(|draft| draft.node.text("was"));
        let binding = Binding {
            uid: field.uid.clone(),
            kind: BindingKind::Field,
            parent: Some(entity_uid.to_owned()),
            name: field.name.clone(),
            table: side.clone(),
            columns: remembered(&columns, fold.as_ref(), known),
            prefix: None,
            state: BindingState::Live,
            shape: was.map_or_else(|| shape.clone(), |was| format!("{shape};was={was}")),
        };
        new.by_uid.insert(binding.uid.clone(), binding);
        let alias = work.entity(ix).fields[position].alias.clone().filter(|alias| !work.entity(ix).by_name.contains_key(alias));
        let at = work.entity(ix).fields[position].ix;
        let entity = work.entity_mut(ix);
        if let Some(alias) = &alias {
            entity.by_name.insert(alias.clone(), at);
        }
        let field = &mut entity.fields[position];
        field.alias = alias;
        field.columns = columns;
        field.fold_column = fold;
        field.side_table = side;
    }
}

/// The physical names to remember: those in use; for what has none now (a formula no longer stored) those it had.
fn remembered(columns: &[Column], fold: Option<&String>, known: Option<&Binding>) -> Vec<String> {
    if columns.is_empty() {
        return known.map(|binding| binding.columns.clone()).unwrap_or_default();
    }
    columns.iter().map(|column| column.name.clone()).chain(fold.cloned()).collect()
}

fn target_slugs(work: &Work, field: &Field) -> Vec<(String, String)> {
    match &field.ty {
        FieldType::AnyLink { to, .. } => {
            to.iter().map(|target| (work.entity(*target).uid.clone(), work.entity(*target).slug.clone())).collect()
        }
        _ => Vec::new(),
    }
}

fn columns(field: &Field, targets: &[(String, String)], known: Option<&Binding>, shape: &str, taken: &BTreeSet<String>) -> Vec<Column> {
    let slugs: Vec<&str> = targets.iter().map(|(_, slug)| slug.as_str()).collect();
    let mut columns = field_type::columns_of(&field.ty, &field.name, &slugs);
    if let FieldType::AnyLink { .. } = &field.ty {
        // Each target keeps its column, whatever the order of targets is now.
        let before: Vec<&str> =
            known.and_then(|binding| class(&binding.shape).strip_prefix("any/")).map(|uids| uids.split(',').collect()).unwrap_or_default();
        for (column, (uid, _)) in columns.iter_mut().zip(targets) {
            let kept = before.iter().position(|known| known == uid).and_then(|at| known?.columns.get(at));
            column.name = kept.cloned().unwrap_or_else(|| fitting(&column.name, &field.uid, MAX, taken));
        }
        return columns;
    }
    let same =
        known.filter(|binding| binding.columns.len() >= columns.len() && !columns.is_empty() && storage(&binding.shape) == storage(shape));
    if let Some(binding) = same {
        for (column, name) in columns.iter_mut().zip(&binding.columns) {
            column.name.clone_from(name);
        }
        return columns;
    }
    // Parts share the base name, so a suffix goes to it and not to each part.
    let longest = columns.iter().map(|column| column.name.len() - field.name.len()).max().unwrap_or(0);
    let clashes = columns.iter().any(|column| taken.contains(&column.name)) || field.name.len() + longest > MAX;
    if clashes && !columns.is_empty() {
        let mut blocked = taken.clone();
        blocked.insert(field.name.clone());
        let base = fitting(&field.name, &field.uid, MAX - longest, &blocked);
        columns = field_type::columns_of(&field.ty, &base, &slugs);
    }
    columns
}

fn fold(field: &Field, known: Option<&Binding>, own: usize, taken: &BTreeSet<String>) -> Option<String> {
    if !field_type::needs_fold(&field.ty) {
        return None;
    }
    let kept = known.and_then(|binding| binding.columns.get(own)).filter(|name| name.ends_with("_k") || name.contains("_k_"));
    let base = field.columns.first().map_or(field.name.as_str(), |column| column.name.as_str());
    Some(kept.cloned().unwrap_or_else(|| fitting(&format!("{base}_k"), &field.uid, MAX, taken)))
}

fn side_table(work: &Work, field: &Field, slug: &str, known: Option<&Binding>, new: &Bindings) -> Option<String> {
    if !field_type::has_side_table(&field.ty) {
        return None;
    }
    if let Some(table) = known.and_then(|binding| binding.table.clone()) {
        return Some(table);
    }
    let taken: BTreeSet<String> = work.old.by_uid.values().chain(new.by_uid.values()).filter_map(|binding| binding.table.clone()).collect();
    Some(fitting(&format!("j_{slug}_{}", field.name), &field.uid, MAX + 2, &taken))
}

/// How the values of a field are stored, in one word; a change of it needs a conversion.
fn shape(work: &Work, field: &Field) -> String {
    use crate::schema::catalog::ScalarType;
    let scalar = |ty: ScalarType| match ty {
        ScalarType::Text => "text".to_owned(),
        ScalarType::Integer => "int".to_owned(),
        ScalarType::Duration => "duration".to_owned(),
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => format!("dec/{scale}"),
        ScalarType::Money { scale } => format!("money/{scale}"),
        ScalarType::Boolean => "bool".to_owned(),
        ScalarType::Date => "date".to_owned(),
        ScalarType::DateTime => "datetime".to_owned(),
        ScalarType::Time => "time".to_owned(),
    };
    let uid = |ix: &EntityIx| work.entity(*ix).uid.clone();
    if field.encrypted {
        return "encrypted text".to_owned();
    }
    match &field.ty {
        FieldType::Formula { returns, stored: true, .. } | FieldType::Rollup { returns, stored: true, .. } => {
            format!("computed/{}", scalar(*returns))
        }
        FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. } => "virtual".to_owned(),
        FieldType::Select(_) => "select".to_owned(),
        FieldType::RichText { .. } => "html".to_owned(),
        FieldType::AutoNumber { .. } => "auto_number".to_owned(),
        FieldType::Rating { .. } => "int".to_owned(),
        FieldType::Link { to, .. } | FieldType::User { to, .. } => format!("link/{}", uid(to)),
        FieldType::AnyLink { to, .. } => format!("any/{}", to.iter().map(uid).collect::<Vec<_>>().join(",")),
        FieldType::Links { to, through, .. } => format!("links/{}/{}", uid(to), uid(through)),
        FieldType::Children { of, .. } => format!("children/{}", uid(of)),
        FieldType::MultiSelect { .. } => "set".to_owned(),
        FieldType::Tags { .. } => "tags".to_owned(),
        FieldType::File { .. } | FieldType::Image { .. } => "files".to_owned(),
        FieldType::Address => "address".to_owned(),
        FieldType::PersonName => "person_name".to_owned(),
        FieldType::Geo => "geo".to_owned(),
        FieldType::Json { .. } => "json".to_owned(),
        FieldType::Color => "text".to_owned(),
        other => field_type::scalar_type(other).map_or_else(|| field_type::type_name(other).to_owned(), scalar),
    }
}

/// The shape without what is noted behind it.
pub(crate) fn class(shape: &str) -> &str {
    shape.split(';').next().unwrap_or(shape)
}

/// The part of a shape that decides which columns hold the value: a select and a text are stored alike.
pub(crate) fn storage(shape: &str) -> &str {
    match class(shape) {
        "select" | "html" | "text" | "computed/text" => "text",
        other => other.strip_prefix("computed/").unwrap_or(other),
    }
}

fn lists(work: &Work) -> Vec<Binding> {
    let mut found = Vec::new();
    let options = |parent: &str, list: &crate::schema::catalog::Picklist, found: &mut Vec<Binding>| {
        for option in &list.options {
            found.push(Binding {
                uid: option.uid.clone(),
                kind: BindingKind::Option,
                parent: Some(parent.to_owned()),
                name: option.key.clone(),
                table: None,
                columns: Vec::new(),
                prefix: None,
                state: if option.retired { BindingState::Retired } else { BindingState::Live },
                shape: serde_json::to_string(&option.label.0).unwrap_or_default(),
            });
        }
    };
    let plain = |uid: &str, kind: BindingKind, name: &str| Binding {
        uid: uid.to_owned(),
        kind,
        parent: None,
        name: name.to_owned(),
        table: None,
        columns: Vec::new(),
        prefix: None,
        state: BindingState::Live,
        shape: String::new(),
    };
    for list in work.catalog.picklists.values() {
        let given = work.intake.documents.iter().find(|document| {
            document.kind.name == "picklist"
                && document.node.text("id").is_some_and(|id| id == list.id || list.id.ends_with(&format!(".{id}")))
        });
        let uid = uids::named(work, BindingKind::Picklist, &list.id, given.and_then(|document| document.node.text("uid")));
        options(&uid, list, &mut found);
        found.push(plain(&uid, BindingKind::Picklist, &list.id));
    }
    for entity in &work.catalog.entities {
        for field in &entity.fields {
            if let FieldType::Select(own) | FieldType::MultiSelect { options: own, .. } = &field.ty
                && own.list.id.is_empty()
            {
                options(&field.uid, &own.list, &mut found);
            }
        }
    }
    for script in &work.catalog.scripts {
        found.push(plain(&script.uid, BindingKind::Script, &script.id));
    }
    found
}
