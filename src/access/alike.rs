//! Whose eyes are alike: what one of them may know of records every other one may, too.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::actor::{Actor, Rights, Standing};
use super::error::AccessError;
use super::policy::Holder;
use crate::base::RecordId;
use crate::schema::catalog::Catalog;

/// What decides what somebody may read under one catalog. Equal ones read the same records and values at the same moment.
#[derive(Debug, Clone)]
pub struct Alike {
    version: i64,
    /// 0 where nothing is kept back.
    policy: u64,
    /// Who it is, where a rule asks for that: the person, with the roles, teams and reports they had when they were looked up.
    person: Option<(Option<RecordId>, Arc<Holder>)>,
}

impl PartialEq for Alike {
    fn eq(&self, other: &Self) -> bool {
        let same_person = match (&self.person, &other.person) {
            (None, None) => true,
            (Some((me, mine)), Some((them, theirs))) => me == them && (Arc::ptr_eq(mine, theirs) || mine == theirs),
            _ => false,
        };
        same_person && self.version == other.version && self.policy == other.policy
    }
}

impl Eq for Alike {}

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.version, self.policy, self.person.as_ref().map(|(person, _)| *person)).hash(state);
    }
}

impl Actor {
    /// # Errors
    /// `ACL001` for an anonymous actor.
    pub fn alike(&self, catalog: &Catalog) -> Result<Alike, AccessError> {
        let (policy, person) = match self.standing(catalog)? {
            Standing::Everything => (0, None),
            Standing::Part(granted) => match &self.rights {
                Rights::Roles(holder) if granted.policy.is_personal() => (granted.policy.number(), Some((self.user, holder.clone()))),
                _ => (granted.policy.number(), None),
            },
        };
        Ok(Alike { version: catalog.version, policy, person })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Own, Policies};
    use crate::schema::{Bindings, SourceFile, load};

    const ROLES: &str = "kind: entity\nid: deal\nfields: {name: {type: text}, open: {type: boolean}, owner_of: {type: user}}\n---\n\
        kind: role\nid: reader\npermissions:\n  deal: read\n---\n\
        kind: role\nid: some\npermissions:\n  deal: {rows: \"open = true\"}\n---\n\
        kind: role\nid: own\npermissions:\n  deal: {rows: \"owner_of = me()\"}\n---\n\
        kind: role\nid: team\npermissions:\n  deal: {rows: \"owner_of in my_reports()\"}\n";

    fn actor(person: i64, role: &str, own: &Own, policies: &Arc<Policies>) -> Actor {
        let holder = Holder::new(vec![role.to_owned()], own.clone(), policies.clone());
        let rights = Rights::Roles(Arc::new(holder));
        let kind = crate::access::ActorKind::Person;
        Actor { rights, user: Some(RecordId(person)), kind, ..Actor::system() }
    }

    #[test]
    fn eyes_are_alike_where_no_rule_asks_whose_they_are() {
        let core = "kind: entity\nid: core.user\nfields: {name: {type: text}, manager: {type: user}}\n";
        let files = [("core.yaml", core), ("site.yaml", ROLES)].map(|(path, text)| SourceFile { path: path.into(), text: text.into() });
        let catalog = load(&files, &Bindings::default()).expect("definitions").catalog;
        let policies = Arc::<Policies>::default();
        let (none, some) = (Own::default(), Own { reports: vec![RecordId(7)], ..Own::default() });
        let of = |person: i64, role: &str, own: &Own| actor(person, role, own, &policies).alike(&catalog).expect("signed in");
        assert_eq!(of(1, "reader", &none), of(2, "reader", &none));
        // Beside what a rule lets be read, each has what was shared with them.
        assert_ne!(of(1, "some", &none), of(2, "some", &none));
        assert_ne!(of(1, "own", &none), of(2, "own", &none));
        assert_eq!(of(1, "own", &none), of(1, "own", &none));
        assert_ne!(of(1, "reader", &none), of(1, "own", &none));
        // The same person with other reports than a moment ago is not alike.
        assert_ne!(of(1, "team", &none), of(1, "team", &some));
        assert_ne!(of(1, "reader", &none), Actor::system().alike(&catalog).expect("the program"));
        assert!(Actor::anonymous().alike(&catalog).is_err());
    }
}
