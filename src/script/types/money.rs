//! Money in scripts: exact, and never two currencies in one sum.

use rhai::{Dynamic, Engine};
use rust_decimal::Decimal as Wide;

use super::super::call::{self, Failure, failure};
use super::{from_base, to_base};
use crate::base::{Currency, Decimal, Money};

/// An amount from a wide number; more than nine places are rounded half to even.
fn amount(number: Wide) -> Result<Decimal, Failure> {
    to_base(number, Decimal::MAX_SCALE).ok_or_else(|| failure("the amount is too large"))
}

fn same(a: Money, b: Money, what: &str) -> Result<(), Failure> {
    if a.currency == b.currency {
        return Ok(());
    }
    Err(failure(format!("cannot {what} {} and {}: use `.base`, the amount in the workspace's currency", a.currency, b.currency)))
}

/// Amount and base computed alike; a base that either side lacks is lost.
fn combine(a: Money, b: Money, sign: i64) -> Result<Money, Failure> {
    let add = |x: Decimal, y: Decimal| {
        let sum = from_base(x).checked_add(from_base(y) * Wide::from(sign)).ok_or_else(|| failure("the amount is too large"))?;
        amount(sum)
    };
    let base = match (a.base, b.base) {
        (Some(x), Some(y)) => Some(add(x, y)?),
        _ => None,
    };
    Ok(Money { amount: add(a.amount, b.amount)?, currency: a.currency, base })
}

fn scale(money: Money, change: impl Fn(Wide) -> Option<Wide>) -> Result<Money, Failure> {
    let apply = |number: Decimal| amount(change(from_base(number)).ok_or_else(|| failure("the amount cannot be computed"))?);
    let base = money.base.map(apply).transpose()?;
    Ok(Money { amount: apply(money.amount)?, currency: money.currency, base })
}

fn make(number: Wide, code: &str) -> Result<Money, Failure> {
    let currency =
        Currency::parse(code).ok_or_else(|| failure(format!("`{code}` is no currency code: three capital letters, for example CNY")))?;
    Ok(Money { amount: amount(number)?, currency, base: None })
}

fn make_in_workspace_currency(number: Wide) -> Result<Money, Failure> {
    let currency = call::with(|call| Ok(call.context.currency))?;
    Ok(Money { amount: amount(number)?, currency, base: None })
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Money>("money");
    engine
        .register_fn("money", |number: i64| make_in_workspace_currency(number.into()))
        .register_fn("money", make_in_workspace_currency)
        .register_fn("money", |number: i64, code: &str| make(number.into(), code))
        .register_fn("money", |number: Wide, code: &str| make(number, code))
        .register_fn("money", |text: &str, code: &str| {
            let number = Decimal::parse_any(text.trim()).map_err(|error| failure(format!("`{text}` {error}")))?;
            make(from_base(number), code)
        })
        .register_get("amount", |money: &mut Money| from_base(money.amount))
        .register_get("currency", |money: &mut Money| money.currency.code().to_owned())
        .register_get("base", |money: &mut Money| money.base.map_or(Dynamic::UNIT, |base| Dynamic::from(from_base(base))))
        .register_fn("to_string", |money: Money| money.to_string())
        .register_fn("to_debug", |money: Money| money.to_string())
        .register_fn("is_zero", |money: Money| money.amount.units == 0)
        .register_fn("abs", |money: Money| scale(money, |number| Some(number.abs())))
        .register_fn("round", |money: Money, digits: i64| {
            let digits = u8::try_from(digits.clamp(0, 9)).unwrap_or(0);
            scale(money, |number| to_base(number, digits).map(from_base))
        })
        .register_fn("-", |money: Money| scale(money, |number| Some(-number)))
        .register_fn("+", |a: Money, b: Money| same(a, b, "add").and_then(|()| combine(a, b, 1)))
        .register_fn("-", |a: Money, b: Money| same(a, b, "subtract").and_then(|()| combine(a, b, -1)))
        .register_fn("*", |money: Money, by: i64| scale(money, |number| number.checked_mul(by.into())))
        .register_fn("*", |money: Money, by: Wide| scale(money, |number| number.checked_mul(by)))
        .register_fn("*", |by: i64, money: Money| scale(money, |number| number.checked_mul(by.into())))
        .register_fn("*", |by: Wide, money: Money| scale(money, |number| number.checked_mul(by)))
        .register_fn("/", |money: Money, by: i64| scale(money, |number| number.checked_div(by.into())))
        .register_fn("/", |money: Money, by: Wide| scale(money, |number| number.checked_div(by)))
        .register_fn("/", |a: Money, b: Money| -> Result<Wide, Failure> {
            same(a, b, "divide")?;
            from_base(a.amount).checked_div(from_base(b.amount)).ok_or_else(|| failure("division by zero"))
        });
    register_comparison(engine);
}

/// Money with money of the same currency, and the amount with a plain number.
fn register_comparison(engine: &mut Engine) {
    engine
        .register_fn("==", |a: Money, b: Money| a.currency == b.currency && a.amount == b.amount)
        .register_fn("!=", |a: Money, b: Money| a.currency != b.currency || a.amount != b.amount);
    macro_rules! order {
        ($($symbol:literal $operator:tt),*) => {$(
            engine
                .register_fn($symbol, |a: Money, b: Money| same(a, b, "compare").map(|()| a.amount $operator b.amount))
                .register_fn($symbol, |a: Money, b: i64| from_base(a.amount) $operator Wide::from(b))
                .register_fn($symbol, |a: Money, b: Wide| from_base(a.amount) $operator b)
                .register_fn($symbol, |a: i64, b: Money| Wide::from(a) $operator from_base(b.amount))
                .register_fn($symbol, |a: Wide, b: Money| a $operator from_base(b.amount));
        )*};
    }
    order!("<" <, "<=" <=, ">" >, ">=" >=);
    engine
        .register_fn("==", |a: Money, b: i64| from_base(a.amount) == Wide::from(b))
        .register_fn("!=", |a: Money, b: i64| from_base(a.amount) != Wide::from(b))
        .register_fn("==", |a: Money, b: Wide| from_base(a.amount) == b)
        .register_fn("!=", |a: Money, b: Wide| from_base(a.amount) != b);
}
