//! Messages signed after the Standard Webhooks specification (https://www.standardwebhooks.com): who receives one can tell that
//! it is ours, unchanged and new.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{HttpMethod, HttpRequest};
use crate::base::{DateTime, Random};

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret; the specification wants 24 to 64.
const SECRET_BYTES: usize = 32;
/// Signatures of one message that are looked at.
const MOST_SIGNATURES: usize = 10;
/// Longest answer that is read.
const LONGEST_ANSWER: usize = 256 * 1024;

/// A new secret: `whsec_` and 32 random bytes in base64.
pub fn new_secret(random: &dyn Random) -> String {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// A secret out of a key's bytes.
pub fn secret_from(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// Whether one of `signatures` (`v1,…`, with spaces between them) is that of a message.
pub fn verify(secret: &str, id: &str, timestamp: i64, body: &str, signatures: &str) -> bool {
    let Some(expected) = sign(secret, id, timestamp, body) else { return false };
    // Each is compared in full, whatever the others are.
    signatures.split(' ').take(MOST_SIGNATURES).fold(false, |is, one| is | bool::from(expected.as_bytes().ct_eq(one.as_bytes())))
}

/// `v1,` and the signature of a message; `None` for a secret that is none.
pub fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// The request that brings a message, signed with each of the secrets. Each attempt has its own moment; the id is the message's.
pub fn request(url: &str, secrets: &[String], id: &str, now: DateTime, body: &str) -> HttpRequest {
    let timestamp = now.0.div_euclid(1_000_000);
    let signatures: Vec<String> = secrets.iter().filter_map(|secret| sign(secret, id, timestamp, body)).collect();
    let mut request = HttpRequest::new(HttpMethod::Post, url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signatures.join(" "));
    request.body = body.as_bytes().to_vec();
    request.longest_answer = LONGEST_ANSWER;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_known_message_has_the_known_signature() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        let is_right = |signatures: &str, body: &str| verify(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body, signatures);
        let good = signed.unwrap_or_default();
        assert!(is_right(&good, "{\"test\": 2432232314}") && is_right(&format!("v1,AAAA {good} v1a,x"), "{\"test\": 2432232314}"));
        assert!(
            !is_right(&good, "{\"test\": 2432232315}")
                && !is_right("", "{\"test\": 2432232314}")
                && !is_right(&good[..20], "{\"test\": 2432232314}")
        );
        assert_eq!(sign("secret", "msg_1", 1, "{}"), None);
        assert_eq!(sign("whsec_*", "msg_1", 1, "{}"), None);
    }
}
