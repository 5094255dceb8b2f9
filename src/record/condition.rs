//! A condition about one record, inside a unit of work.

use super::error::RecordError;
use super::hooks::Record;
use super::unit::RecordTx;
use super::world::World;
use crate::base::Value;
use crate::expr::Typed;
use crate::expr::needs::needs_of;

impl RecordTx<'_> {
    /// Whether `condition` holds about `record`; `old` is what it was before. What the condition reads around the record
    /// is loaded.
    pub async fn holds(&mut self, condition: &Typed, record: &Record, old: Option<&Record>) -> Result<bool, RecordError> {
        let compiled = self.scope.compiled.clone();
        let needs = needs_of([condition]);
        let mut world = World::default();
        let mut roots = vec![record.clone()];
        roots.extend(old.cloned());
        self.gather(&mut world, &roots, &needs, false).await?;
        Ok(self.setting(&compiled).holds(&world, condition, record, old))
    }

    /// The value of an expression about `record`, likewise.
    pub async fn value(&mut self, expr: &Typed, record: &Record, old: Option<&Record>) -> Result<Value, RecordError> {
        let compiled = self.scope.compiled.clone();
        let needs = needs_of([expr]);
        let mut world = World::default();
        let mut roots = vec![record.clone()];
        roots.extend(old.cloned());
        self.gather(&mut world, &roots, &needs, false).await?;
        Ok(self.setting(&compiled).eval(&world, expr, record, old))
    }
}
