//! The base amount of money: frozen at the dated rate when the value is written.

use crate::base::decimal::{div_half_even, pow10};
use crate::base::{Currency, Date, Decimal, Money};
use crate::schema::catalog::Settings;

/// `amount` in the workspace's currency with the amount's own scale; `None` while no rate is known or on overflow.
pub(super) fn base_amount(settings: &Settings, amount: Decimal, currency: Currency, on: Date) -> Option<Decimal> {
    if currency == settings.currency {
        return Some(amount);
    }
    let rate = settings.rates.iter().filter(|rate| rate.currency == currency && rate.from <= on).max_by_key(|rate| rate.from)?;
    let product = i128::from(amount.units).checked_mul(i128::from(rate.rate.units))?;
    let units = div_half_even(product, i128::from(pow10(rate.rate.scale)))?;
    Some(Decimal::new(i64::try_from(units).ok()?, amount.scale))
}

/// The money with its base amount set.
pub(super) fn with_base(settings: &Settings, money: Money, on: Date) -> Money {
    Money { base: base_amount(settings, money.amount, money.currency, on), ..money }
}
