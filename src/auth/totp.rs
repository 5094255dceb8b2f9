//! Codes of an authenticator app: HOTP (RFC 4226) over steps of time (RFC 6238) with what every app knows: SHA-1, six
//! digits, thirty seconds.

use ring::hmac;

use crate::base::{DateTime, Random};

const STEP_SECONDS: i64 = 30;
/// 160 bits, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret in base32 (RFC 4648), as apps and people type it.
pub(super) fn new_secret(random: &dyn Random) -> String {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    let (mut text, mut buffer, mut bits) = (String::with_capacity(32), 0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[((buffer >> bits) & 31) as usize]));
        }
    }
    text
}

/// The step of time whose code this is: now, or one before or after, for clocks that differ a little. Steps up to `used` are
/// used up.
pub(super) fn step_of(secret: &str, code: &str, now: DateTime, used: i64) -> Option<i64> {
    let code = code.trim();
    let digits = code.parse::<u32>().ok().filter(|_| code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()))?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode(secret)?);
    let current = now.0.div_euclid(1_000_000).div_euclid(STEP_SECONDS);
    // All three are computed whatever the first says.
    let found = [current, current - 1, current + 1].map(|step| (step, code_at(&key, step)));
    found.into_iter().filter(|(step, _)| *step > used).find(|(_, right)| *right == Some(digits)).map(|(step, _)| step)
}

fn code_at(key: &hmac::Key, step: i64) -> Option<u32> {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last()? & 15);
    let four: [u8; 4] = bytes.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

fn decode(secret: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut buffer, mut bits) = (Vec::with_capacity(SECRET_BYTES), 0_u32, 0);
    for c in secret.bytes() {
        let value = ALPHABET.iter().position(|known| *known == c.to_ascii_uppercase())?;
        buffer = ((buffer << 5) | u32::try_from(value).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 255).ok()?);
        }
    }
    Some(bytes)
}

/// What an app reads from the QR code (the key URI format of Google Authenticator).
pub(super) fn key_uri(issuer: &str, account: &str, secret: &str) -> String {
    let (issuer, account) = (encode(issuer), encode(account));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// The code an app shows at a moment, for tests.
#[doc(hidden)]
pub fn code_for_tests(secret: &str, now: DateTime) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode(secret).unwrap_or_default());
    format!("{:06}", code_at(&key, now.0.div_euclid(1_000_000).div_euclid(STEP_SECONDS)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{DateTime, code_at, code_for_tests, hmac, key_uri, new_secret, step_of};
    use crate::base::SeededRandom;

    /// The ASCII secret `12345678901234567890` of RFC 6238, appendix B, in base32.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_standard() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
        for (seconds, code) in
            [(59, 287_082), (1_111_111_109, 81_804), (1_111_111_111, 50_471), (1_234_567_890, 5_924), (2_000_000_000, 279_037)]
        {
            assert_eq!(code_at(&key, seconds / 30), Some(code), "{seconds}");
            assert_eq!(step_of(SECRET, &format!("{code:06}"), DateTime(seconds * 1_000_000), 0), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_holds_for_its_step_and_the_ones_beside_it_and_once() {
        let at = |seconds: i64| DateTime(seconds * 1_000_000);
        let code = code_for_tests(SECRET, at(3000));
        for (seconds, holds) in [(2939, false), (2970, true), (3000, true), (3059, true), (3060, false)] {
            assert_eq!(step_of(SECRET, &code, at(seconds), 0).is_some(), holds, "{seconds}");
        }
        assert_eq!(step_of(SECRET, &code, at(3000), 100), None, "used");
        for bad in ["", "12345", "1234567", "12345a", "+12345", "１２３４５６"] {
            assert_eq!(step_of(SECRET, bad, at(3000), 0), None, "{bad}");
        }
    }

    #[test]
    fn a_new_secret_can_be_typed_and_its_address_holds_any_name() {
        let secret = new_secret(&SeededRandom::new(5));
        assert_eq!(secret.len(), 32);
        assert!(secret.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)));
        let uri = key_uri("客户 & Co", "a:b@example.com", "S");
        assert_eq!(uri.matches(':').count(), 2, "{uri}");
        assert!(uri.contains("%26") && !uri.contains('&') || uri.matches('&').count() == 4, "{uri}");
    }
}
