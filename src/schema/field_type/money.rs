//! `money`: an exact amount, its currency, and the amount in the workspace's currency at a dated rate.
//!
//! Columns: amount units, `currency`, `base` units (both at the field's scale).

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{decimal_of, format_fault, in_range, number_text, plain_number, wrong_type, wrong_value};
use crate::base::{Cell, Currency, Date, Decimal, Money, Value};
use crate::schema::catalog::{MoneyCurrency, Settings};

/// More digits than any currency has; enough for unit prices.
pub const MAX_SCALE: u8 = 6;

pub fn from_json(json: &Json, scale: u8, currency: MoneyCurrency, settings: &Settings) -> Result<Value, FieldFault> {
    let Json::Object(parts) = json else {
        if matches!(json, Json::Number(_) | Json::String(_)) {
            return Ok(money(decimal_of(&number_text(json)?, scale)?, default_currency(currency, settings)));
        }
        return Err(wrong_type("an amount or {amount, currency}", json));
    };
    if let Some(unknown) = parts.keys().find(|key| !matches!(key.as_str(), "amount" | "currency" | "base")) {
        return Err(FieldFault::new("unknown_part", format!("unknown part `{unknown}`; money has amount and currency")).under(unknown));
    }
    let amount = match parts.get("amount") {
        None | Some(Json::Null) => return Ok(Value::Null),
        Some(amount) => number_text(amount).and_then(|text| decimal_of(&text, scale)).map_err(|fault| fault.under("amount"))?,
    };
    let code = match parts.get("currency") {
        None | Some(Json::Null) => default_currency(currency, settings),
        Some(Json::String(code)) => {
            Currency::parse(code).ok_or_else(|| format_fault("a currency code such as `CNY`", code).under("currency"))?
        }
        Some(other) => return Err(wrong_type("a currency code", other).under("currency")),
    };
    Ok(money(amount, code))
}

/// `1234.50`, `1,234.50 CNY`, `CNY 12`, `¥12.50`.
pub fn from_text(text: &str, scale: u8, currency: MoneyCurrency, settings: &Settings) -> Result<Value, FieldFault> {
    let text = text.trim();
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let code = if letters.is_empty() {
        default_currency(currency, settings)
    } else {
        Currency::parse(&letters.to_ascii_uppercase()).ok_or_else(|| format_fault("an amount such as `12.50 CNY`", text))?
    };
    let number: String = text.chars().filter(|c| !c.is_ascii_alphabetic() && !matches!(c, '$' | '€' | '£' | '¥' | '￥')).collect();
    Ok(money(decimal_of(&plain_number(&number), scale)?, code))
}

fn money(amount: Decimal, currency: Currency) -> Value {
    Value::Money(Money { amount, currency, base: None })
}

fn default_currency(currency: MoneyCurrency, settings: &Settings) -> Currency {
    match currency {
        MoneyCurrency::Fixed(code) => code,
        MoneyCurrency::Record => settings.currency,
    }
}

pub fn check(value: &Value, scale: u8, currency: MoneyCurrency, min: Option<Decimal>, max: Option<Decimal>) -> Result<(), FieldFault> {
    let Value::Money(money) = value else {
        return Err(wrong_value("an amount of money"));
    };
    if money.amount.rescale_exact(scale).is_err() {
        return Err(FieldFault::new("too_precise", format!("has more than {scale} decimal places"))
            .params(json!({"scale": scale}))
            .under("amount"));
    }
    if let MoneyCurrency::Fixed(code) = currency
        && code != money.currency
    {
        return Err(FieldFault::new("wrong_currency", format!("must be in {code}"))
            .params(json!({"currency": code.code()}))
            .under("currency"));
    }
    in_range(money.amount, min, max)
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Money(money) => json!({
            "amount": money.amount.to_string(),
            "currency": money.currency.code(),
            "base": money.base.map(|base| base.to_string()),
        }),
        _ => Json::Null,
    }
}

pub fn to_cells(value: &Value, scale: u8, out: &mut Vec<Cell>) {
    let Value::Money(money) = value else {
        out.extend([Cell::Null, Cell::Null, Cell::Null]);
        return;
    };
    let units = |number: Decimal| number.round(scale).map_or(Cell::Null, |number| Cell::Int(number.units));
    out.push(units(money.amount));
    out.push(Cell::Text(money.currency.code().to_owned()));
    out.push(money.base.map_or(Cell::Null, units));
}

pub fn from_cells(cells: &[Cell], scale: u8) -> Value {
    let (Some(Cell::Int(units)), Some(currency)) = (cells.first(), cells.get(1).and_then(Cell::as_text).and_then(Currency::parse)) else {
        return Value::Null;
    };
    let base = cells.get(2).and_then(Cell::as_int).map(|units| Decimal::new(units, scale));
    Value::Money(Money { amount: Decimal::new(*units, scale), currency, base })
}

/// The amount in the workspace's currency at the newest rate not after `on`; `None` without such a rate or on overflow.
pub fn base_amount(settings: &Settings, money: &Money, on: Date) -> Option<Decimal> {
    if money.currency == settings.currency {
        return Some(money.amount);
    }
    let rate = settings.rates.iter().filter(|rate| rate.currency == money.currency && rate.from <= on).max_by_key(|rate| rate.from)?;
    let product = i128::from(money.amount.units).checked_mul(i128::from(rate.rate.units))?;
    let units = crate::base::decimal::div_half_even(product, i128::from(crate::base::decimal::pow10(rate.rate.scale)))?;
    Some(Decimal::new(i64::try_from(units).ok()?, money.amount.scale))
}
