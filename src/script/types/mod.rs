//! The types a script works with beside rhai's own: record, money, date, datetime, time.

mod date;
mod datetime;
mod decimal;
mod money;
pub(super) mod record;

pub(super) use decimal::{from_base, to_base};
pub(super) use record::Record;

pub(super) fn register(engine: &mut rhai::Engine) {
    decimal::register(engine);
    money::register(engine);
    date::register(engine);
    datetime::register(engine);
    record::register(engine);
}

/// Registers `==`, `!=`, `<`, `<=`, `>`, `>=` for a type with a total order.
fn register_order<T: rhai::Variant + Clone + Ord>(engine: &mut rhai::Engine) {
    engine
        .register_fn("==", |a: T, b: T| a == b)
        .register_fn("!=", |a: T, b: T| a != b)
        .register_fn("<", |a: T, b: T| a < b)
        .register_fn("<=", |a: T, b: T| a <= b)
        .register_fn(">", |a: T, b: T| a > b)
        .register_fn(">=", |a: T, b: T| a >= b)
        .register_fn("max", |a: T, b: T| a.max(b))
        .register_fn("min", |a: T, b: T| a.min(b));
}
