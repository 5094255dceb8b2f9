//! Arithmetic on units: what the evaluator and the SQL functions of both databases agree on. Overflow of 64 bits
//! and division by zero give `None`.

use crate::base::decimal::div_half_even;

/// Ten to a power, wide enough for every scale.
pub fn pow10(exponent: u8) -> i128 {
    10_i128.pow(u32::from(exponent))
}

fn narrow(number: i128) -> Option<i64> {
    i64::try_from(number).ok()
}

/// `units` with `digits` more decimal places.
pub fn scale_up(units: i64, digits: u8) -> Option<i64> {
    narrow(i128::from(units) * pow10(digits))
}

/// `units` with `digits` fewer decimal places, rounded half-even.
pub fn scale_down(units: i64, digits: u8) -> Option<i64> {
    narrow(div_half_even(i128::from(units), pow10(digits))?)
}

/// From one scale to another.
pub fn rescale(units: i64, from: u8, to: u8) -> Option<i64> {
    if to >= from { scale_up(units, to - from) } else { scale_down(units, from - to) }
}

/// The product with `digits` decimal places dropped, half-even.
pub fn multiply(left: i64, right: i64, digits: u8) -> Option<i64> {
    narrow(div_half_even(i128::from(left) * i128::from(right), pow10(digits))?)
}

/// `left * 10^up / right`, half-even.
pub fn divide(left: i64, right: i64, up: u8) -> Option<i64> {
    narrow(div_half_even(i128::from(left) * pow10(up), i128::from(right))?)
}

/// The remainder with the sign of `left`; both of the same scale.
pub fn remainder(left: i64, right: i64) -> Option<i64> {
    if right == 0 { None } else { narrow(i128::from(left) % i128::from(right)) }
}

/// Towards negative infinity, to a whole number.
pub fn floor(units: i64, scale: u8) -> Option<i64> {
    narrow(i128::from(units).div_euclid(pow10(scale)))
}

/// Towards positive infinity, to a whole number.
pub fn ceil(units: i64, scale: u8) -> Option<i64> {
    narrow(-((-i128::from(units)).div_euclid(pow10(scale))))
}

/// Rounded half-even to `digits` places, with the same scale as before.
pub fn round(units: i64, scale: u8, digits: u8) -> Option<i64> {
    if digits >= scale {
        return Some(units);
    }
    let step = pow10(scale - digits);
    narrow(div_half_even(i128::from(units), step)? * step)
}

/// Compares numbers of different scales exactly.
pub fn compare(left: i64, left_scale: u8, right: i64, right_scale: u8) -> std::cmp::Ordering {
    let scale = left_scale.max(right_scale);
    (i128::from(left) * pow10(scale - left_scale)).cmp(&(i128::from(right) * pow10(scale - right_scale)))
}

/// The mean of `sum` over `count` values with `up` more decimal places, half-even.
pub fn mean(sum: i128, count: i64, up: u8) -> Option<i64> {
    narrow(div_half_even(sum.checked_mul(pow10(up))?, i128::from(count))?)
}
