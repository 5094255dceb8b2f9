//! Decimals of scripts (28 digits) and of the house (64-bit units); arithmetic between a decimal and an integer is rhai's own.

use rhai::Engine;
use rust_decimal::{Decimal as Wide, RoundingStrategy};

use super::super::call::{Failure, failure};
use crate::base::Decimal;

/// The house's decimal with at most `scale` places, rounded half to even.
pub(in crate::script) fn to_base(number: Wide, scale: u8) -> Option<Decimal> {
    let rounded = number.round_dp_with_strategy(u32::from(scale), RoundingStrategy::MidpointNearestEven);
    let units = i64::try_from(rounded.mantissa()).ok()?;
    Some(Decimal::new(units, u8::try_from(rounded.scale()).ok()?))
}

pub(in crate::script) fn from_base(number: Decimal) -> Wide {
    Wide::new(number.units, u32::from(number.scale))
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("decimal", |text: &str| -> Result<Wide, Failure> {
            let number = Decimal::parse_any(text.trim()).map_err(|error| failure(format!("`{text}` {error}")))?;
            Ok(from_base(number))
        })
        .register_fn("decimal", |number: i64| Wide::from(number))
        .register_fn("decimal", |number: Wide| number)
        .register_fn("round_even", |number: Wide, digits: i64| {
            number.round_dp_with_strategy(u32::try_from(digits.clamp(0, 9)).unwrap_or(0), RoundingStrategy::MidpointNearestEven)
        })
        .register_fn("round_even", |number: i64, _: i64| number);
}
