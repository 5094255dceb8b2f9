//! Secrets and passwords on their own.

use std::sync::Arc;

use super::password::{Passwords, check_strength};
use super::secret::{is_secret, is_token, new_secret, new_token};
use crate::base::SeededRandom;

#[test]
fn a_token_with_one_wrong_character_is_told_without_the_database() {
    let token = new_token(&SeededRandom::new(1));
    assert!(is_token(&token), "{token}");
    for position in 3..token.len() {
        let mut wrong: Vec<u8> = token.clone().into_bytes();
        wrong[position] = if wrong[position] == b'0' { b'1' } else { b'0' };
        assert!(!is_token(&String::from_utf8(wrong).expect("ASCII")), "position {position}");
    }
    assert!(!is_token(""));
    assert!(!is_token("rl_"));
    assert!(!is_token(&token[..token.len() - 1]));
}

#[test]
fn secrets_are_52_characters_and_differ() {
    let random = SeededRandom::new(2);
    let (one, two) = (new_secret(&random), new_secret(&random));
    assert!(is_secret(&one) && is_secret(&two));
    assert_ne!(one, two);
    assert!(!is_secret("short"));
}

#[test]
fn weak_passwords_are_refused_and_sentences_are_not() {
    for weak in ["", "short", "password12", "1234567890", "aaaaaaaaaaaa", "Password123", "anna.schmidt1"] {
        assert!(check_strength(weak, "anna.schmidt@example.com").is_err(), "{weak}");
    }
    assert!(check_strength(&"x".repeat(257), "a@b.c").is_err());
    for good in ["correct horse battery", "客户关系管理系统真好用", "tr0ub4dor&3x"] {
        assert!(check_strength(good, "anna@example.com").is_ok(), "{good}");
    }
}

#[tokio::test]
async fn a_hash_holds_its_password_and_no_other() {
    let passwords = Passwords::new(Arc::new(SeededRandom::new(3)));
    let hash = passwords.hash("correct horse battery").await.expect("hashed");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(passwords.verify("correct horse battery", Some(&hash)).await.expect("checked"));
    assert!(!passwords.verify("correct horse batterz", Some(&hash)).await.expect("checked"));
    assert!(!passwords.verify("correct horse battery", None).await.expect("checked"));
    assert!(!passwords.verify("", Some("not a hash")).await.expect("checked"));
    assert!(!Passwords::is_outdated(&hash));
}
