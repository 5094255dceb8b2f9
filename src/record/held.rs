//! How many records each of some people holds, whoever asks: what is chosen by it is told to nobody.

use std::collections::HashMap;

use super::error::RecordError;
use super::unit::RecordTx;
use crate::access::Actor;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{Node, Path, Root, Type, Typed};
use crate::query::parse_aggregate_json;
use crate::schema::catalog::FieldType;

impl RecordTx<'_> {
    /// Live records of an entity by the person in `field`, of these people, for which the condition holds.
    ///
    /// # Errors
    /// The database.
    pub async fn held_by(
        &mut self,
        entity: EntityIx,
        field: FieldIx,
        people: &[RecordId],
        condition: Option<&Typed>,
    ) -> Result<HashMap<RecordId, i64>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let found = compiled.entity(entity).field(field);
        let (FieldType::User { to, .. } | FieldType::Link { to, .. }) = &found.ty else { return Ok(HashMap::new()) };
        let asked = serde_json::json!({ "group": [found.name], "measures": { "held": "count()" }, "limit": people.len().clamp(1, 1000) });
        let mut request = parse_aggregate_json(&compiled.catalog, entity, &asked).map_err(RecordError::Query)?;
        let ty = Type::Link(vec![*to]);
        let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field, part: None });
        let item = Box::new(Typed::new(ty.clone(), path, 0..0));
        let list = people.iter().map(|id| Typed::literal(ty.clone(), Value::Link(*id))).collect();
        let mut parts = vec![Typed::new(Type::Bool, Node::In { item, list }, 0..0)];
        parts.extend(condition.cloned());
        request.filter = Some(Typed::all_of(parts));
        let mut held = HashMap::new();
        for row in self.aggregate_as(&Actor::system(), request).await? {
            let of = |name: &str| row.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            if let (Some(Value::Link(person)), Some(Value::Int(count))) = (of(&found.name), of("held")) {
                held.insert(*person, *count);
            }
        }
        Ok(held)
    }
}
