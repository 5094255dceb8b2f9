//! Exact decimals: a 64-bit count of units of a power of ten.

use std::cmp::Ordering;
use std::fmt;

/// `units / 10^scale`; never a float. The scale is at most [`Decimal::MAX_SCALE`].
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    pub units: i64,
    pub scale: u8,
}

/// Why a text is no decimal of the wanted scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("is not a number")]
    NotANumber,
    #[error("has more than {0} decimal places")]
    TooPrecise(u8),
    #[error("is too large")]
    TooLarge,
}

impl Decimal {
    pub const MAX_SCALE: u8 = 9;
    pub const ZERO: Decimal = Decimal { units: 0, scale: 0 };

    pub fn new(units: i64, scale: u8) -> Self {
        debug_assert!(scale <= Self::MAX_SCALE);
        Self { units, scale }
    }

    /// Reads `-12.50`, `1e3` and the like exactly, with at most `scale` decimal places.
    pub fn parse(text: &str, scale: u8) -> Result<Self, DecimalError> {
        let parsed = Self::parse_any(text)?;
        parsed.rescale_exact(scale)
    }

    /// Reads a number with as many decimal places as it is written with (trailing zeros kept), at most nine.
    pub fn parse_any(text: &str) -> Result<Self, DecimalError> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let exponent: i32 = text[at + 1..].parse().map_err(|_| DecimalError::NotANumber)?;
                (&text[..at], exponent)
            }
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.as_bytes().first() {
            Some(b'-') => (true, &mantissa[1..]),
            Some(b'+') => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        let mut units: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(DecimalError::NotANumber);
            }
            units = units.checked_mul(10).and_then(|u| u.checked_add(i128::from(byte - b'0'))).ok_or(DecimalError::TooLarge)?;
        }
        if negative {
            units = -units;
        }
        let mut scale = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooPrecise(Self::MAX_SCALE))?.saturating_sub(exponent);
        while scale < 0 {
            if units == 0 {
                scale = 0;
                break;
            }
            units = units.checked_mul(10).ok_or(DecimalError::TooLarge)?;
            scale += 1;
        }
        while scale > i32::from(Self::MAX_SCALE) {
            if units % 10 != 0 {
                return Err(DecimalError::TooPrecise(Self::MAX_SCALE));
            }
            units /= 10;
            scale -= 1;
            if units == 0 {
                scale = 0;
            }
        }
        let units = i64::try_from(units).map_err(|_| DecimalError::TooLarge)?;
        Ok(Self { units, scale: u8::try_from(scale).unwrap_or(0) })
    }

    /// The same number with another scale, refused when digits would be lost.
    pub fn rescale_exact(self, scale: u8) -> Result<Self, DecimalError> {
        if scale >= self.scale {
            let units = self.units.checked_mul(pow10(scale - self.scale)).ok_or(DecimalError::TooLarge)?;
            return Ok(Self { units, scale });
        }
        let step = pow10(self.scale - scale);
        if self.units % step != 0 {
            return Err(DecimalError::TooPrecise(scale));
        }
        Ok(Self { units: self.units / step, scale })
    }

    /// The number rounded half-even to `scale`; `None` on overflow.
    pub fn round(self, scale: u8) -> Option<Self> {
        if scale >= self.scale {
            let units = self.units.checked_mul(pow10(scale - self.scale))?;
            return Some(Self { units, scale });
        }
        let units = div_half_even(i128::from(self.units), i128::from(pow10(self.scale - scale)))?;
        Some(Self { units: i64::try_from(units).ok()?, scale })
    }

    /// Without trailing zeros in the fraction.
    pub fn normalised(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }
}

/// Ten to the power of `exponent` (at most 18).
pub fn pow10(exponent: u8) -> i64 {
    10_i64.pow(u32::from(exponent))
}

/// `numerator / denominator` rounded half to even (IEEE 754 roundTiesToEven); `None` for a zero denominator.
pub fn div_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let quotient = numerator / denominator;
    let remainder = numerator % denominator;
    let twice = remainder.unsigned_abs().checked_mul(2)?;
    let step = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    match twice.cmp(&denominator.unsigned_abs()) {
        Ordering::Less => Some(quotient),
        Ordering::Greater => Some(quotient + step),
        Ordering::Equal if quotient % 2 == 0 => Some(quotient),
        Ordering::Equal => Some(quotient + step),
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let left = i128::from(self.units) * i128::from(pow10(scale - self.scale));
        let right = i128::from(other.units) * i128::from(pow10(scale - other.scale));
        left.cmp(&right)
    }
}

impl std::hash::Hash for Decimal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let same = self.normalised();
        same.units.hash(state);
        same.scale.hash(state);
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.units);
        }
        let step = pow10(self.scale).unsigned_abs();
        let magnitude = self.units.unsigned_abs();
        let sign = if self.units < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:0width$}", magnitude / step, magnitude % step, width = usize::from(self.scale))
    }
}
