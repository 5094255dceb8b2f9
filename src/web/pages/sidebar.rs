//! What stands beside every page: who is signed in and where they can go.

use std::collections::BTreeSet;

use crate::access::ADMINISTRATOR;
use crate::render::context::{NavGroup, NavItem, Person};
use crate::render::format;
use crate::schema::catalog::{Catalog, Entity, FieldType, OnDelete};
use crate::schema::humanise;
use crate::web::Requester;

/// Whether an administrator asks (who looks as somebody else is none).
pub(super) fn is_admin(requester: &Requester) -> bool {
    requester.identity.as_ref().is_some_and(|identity| identity.viewer.is_none() && identity.roles.iter().any(|role| role == ADMINISTRATOR))
}

/// Who is signed in.
pub(super) fn person(requester: &Requester) -> Option<Person> {
    requester.identity.as_ref().map(|identity| Person {
        initials: format::initials(&identity.name),
        hue: format::hue_of(&identity.name),
        name: identity.name.clone(),
        email: identity.email.clone(),
        is_admin: is_admin(requester),
    })
}

/// Groups of the definitions, then what no group names, by package; nothing for somebody who is not signed in. `current` is the slug
/// of the entity shown.
pub(super) fn groups(requester: &Requester, catalog: &Catalog, current: &str) -> Vec<NavGroup> {
    if requester.identity.is_none() {
        return Vec::new();
    }
    let locale = requester.locale;
    let item = |entity: &Entity| NavItem {
        label: entity.label_plural.get(locale).to_owned(),
        href: format!("/records/{}", entity.slug),
        icon: entity.icon.clone(),
        current: entity.slug == current,
    };
    let mut named = Vec::new();
    let mut groups: Vec<NavGroup> = Vec::new();
    for app in &catalog.apps {
        named.extend(app.entities.iter().copied());
        let entities = app.entities.iter().map(|ix| catalog.entity(*ix)).filter(|entity| entity.may.read);
        let items: Vec<NavItem> = entities.map(item).collect();
        if !items.is_empty() {
            groups.push(NavGroup { label: app.label.get(locale).to_owned(), items });
        }
    }
    let described = catalog.packages.iter().rev().map(|package| (package.id.as_str(), package.label.get(locale).to_owned()));
    // A folder of definitions without a description of its package is one too.
    let ids: BTreeSet<&str> = catalog.entities.iter().map(|entity| entity.package.as_str()).collect();
    let bare = ids.into_iter().filter(|id| catalog.packages.iter().all(|package| package.id != *id));
    let bare: Vec<(&str, String)> = bare.map(|id| (id, humanise(id))).collect();
    for (package, label) in bare.into_iter().chain(described) {
        if package == "core" && !is_admin(requester) {
            continue;
        }
        let rest = catalog.entities.iter().filter(|entity| {
            entity.may.read && entity.package == package && !entity.is_junction && !is_part(entity) && !named.contains(&entity.ix)
        });
        let items: Vec<NavItem> = rest.map(item).collect();
        if !items.is_empty() {
            groups.push(NavGroup { label, items });
        }
    }
    groups
}

/// A record of it exists only inside another one: it is reached from there.
pub(super) fn is_part(entity: &Entity) -> bool {
    entity.fields.iter().any(|field| field.required && matches!(field.ty, FieldType::Link { on_delete: OnDelete::Cascade, .. }))
}
