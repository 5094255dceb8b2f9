//! Sending a message to an endpoint that administrators named: the step says which, and which values.

use serde_json::{Map, Value as Json, json};

use super::steps::About;
use crate::base::Value;
use crate::expr::Type;
use crate::jobs::webhooks::{body, message_id};
use crate::record::{RecordError, RecordTx};
use crate::schema::catalog::{Catalog, Sent, Step};
use crate::store::webhooks;

/// Longest body of a message.
const LONGEST: usize = 64 * 1024;

/// Has the message sent after the commit; gives what the log says of it.
///
/// # Errors
/// `REC013` where no such endpoint listens: a step that sends nothing is not done.
pub(super) async fn send(
    tx: &mut RecordTx<'_>,
    step: &Step,
    to: &[String],
    kind: &str,
    values: &[(String, Sent)],
    about: &About<'_>,
) -> Result<(Json, Json), RecordError> {
    let catalog = tx.catalog().clone();
    let entity = catalog.entity(about.record.entity);
    let mut sent = Map::new();
    for (name, value) in values {
        let value = match value {
            Sent::Plain(json) => json.clone(),
            Sent::Expr(expr) => {
                let value = tx.value(expr, about.record, about.old).await?;
                told(&catalog, &expr.ty, value)
            }
        };
        sent.insert(name.clone(), value);
    }
    let data = json!({ "entity": entity.slug, "id": about.record.id.display(&entity.prefix), "values": sent });
    let text = body(kind, tx.now(), &data);
    if text.len() > LONGEST {
        return Err(RecordError::State { message: format!("the message is longer than {LONGEST} bytes") });
    }
    let mut messages = Vec::new();
    for name in to {
        let endpoint = webhooks::named(tx.store(), name).await?;
        let Some(endpoint) = endpoint else {
            return Err(RecordError::State { message: format!("there is no endpoint `{name}` (administrators make them under Webhooks)") });
        };
        if !endpoint.is_active {
            return Err(RecordError::State { message: format!("the endpoint `{name}` is stopped") });
        }
        let id = webhooks::send(tx.store(), endpoint.id, kind, &text, Some((about.run, step.id.as_str()))).await?;
        messages.push(message_id(id));
    }
    Ok((json!({ "to": to, "type": kind, "values": super::log::short(Json::Object(sent)) }), json!({ "queued": messages })))
}

/// A value as the API writes it.
fn told(catalog: &Catalog, ty: &Type, value: Value) -> Json {
    match (value, ty) {
        (Value::Bool(is), _) => is.into(),
        (Value::Int(number), _) => number.into(),
        (Value::Decimal(number), _) => number.to_string().into(),
        (Value::Text(text), _) => text.into(),
        (Value::Date(date), _) => date.to_string().into(),
        (Value::DateTime(at), _) => at.to_string().into(),
        (Value::Time(time), _) => time.to_string().into(),
        (Value::Money(money), Type::Money(_)) => json!({
            "amount": money.amount.to_string(), "currency": money.currency.to_string(),
        }),
        (Value::Link(id), Type::Link(entities)) => match entities.as_slice() {
            [one] => id.display(&catalog.entity(*one).prefix).into(),
            _ => id.0.to_string().into(),
        },
        (Value::List(items), ty) => items.into_iter().map(|item| told(catalog, ty, item)).collect(),
        (Value::Json(json), _) => json,
        _ => Json::Null,
    }
}
