//! Checked expressions as SQL, for both dialects.

use crate::access::RowRules;
use crate::base::EntityIx;
use crate::expr::{EvalContext, Typed};
use crate::schema::catalog::Catalog;
use crate::store::{Dialect, Sql};

/// What an expression is compiled with.
#[derive(Clone, Copy)]
pub struct ExprSql<'a> {
    pub catalog: &'a Catalog,
    pub dialect: Dialect,
    /// Every record that a hop or a to-many field reaches must be live and meet the rule of its entity.
    pub rows: &'a RowRules,
    /// Gives `now()`, `today()`, `me()` and the zone, as bound values.
    pub context: &'a EvalContext<'a>,
}

/// A condition about the record of `entity` whose table stands under `alias`; true or false, never null where it matters.
pub fn condition(_with: ExprSql<'_>, _entity: EntityIx, _alias: &str, _condition: &Typed) -> Sql {
    unimplemented!("compile::expr::condition")
}

/// The value of an expression as one column of the kind of its type. For money it is the amount.
pub fn value(_with: ExprSql<'_>, _entity: EntityIx, _alias: &str, _typed: &Typed) -> Sql {
    unimplemented!("compile::expr::value")
}

/// Amount, currency and base amount of an expression of type money.
pub fn money(_with: ExprSql<'_>, _entity: EntityIx, _alias: &str, _typed: &Typed) -> [Sql; 3] {
    unimplemented!("compile::expr::money")
}
