use super::*;
use crate::base::{Random, SeededRandom};

#[test]
fn forms_of_what_means_the_same_are_equal() {
    let same = [
        (company as fn(&str) -> String, vec!["Acme Inc.", "ACME", "acme, incorporated", "Ａｃｍｅ Co., Ltd.", "The Acme Company"]),
        (company, vec!["华为技术有限公司", "华为技术", "华为技术股份有限公司"]),
        (company, vec!["Smith & Sons LLC", "Smith and Sons"]),
        (company, vec!["株式会社トヨタ", "トヨタ株式会社", "トヨタ"]),
        (letters, vec!["O’Neill-Smith", "oneill smith", "ONEILLSMITH"]),
        (phone, vec!["+86 138 0013 8000", "138-0013-8000", "13800138000", "0086 13800138000 x12"]),
        (email, vec!["Ada@Example.com", " ada@example.COM", "ａｄａ@example.com"]),
    ];
    for (form, texts) in same {
        let first = form(texts[0]);
        assert!(!first.is_empty());
        for text in &texts {
            assert_eq!(form(text), first, "{text}");
        }
    }
}

#[test]
fn what_differs_stays_apart() {
    assert_ne!(company("Acme East"), company("Acme West"));
    assert_eq!(company("Ltd"), "ltd");
    assert_eq!(company("有限公司"), "有限公司");
    assert_eq!(phone("x 12"), "");
    assert_ne!(phone("13800138000"), phone("13800138001"));
}

#[test]
fn a_name_is_found_by_how_it_is_said() {
    let meets = |one: &str, other: &str| pinyin(one).iter().any(|form| pinyin(other).contains(form));
    for (one, other) in [
        ("张伟", "Zhang Wei"),
        ("张伟", "Wei ZHANG"),
        ("張偉", "张伟"),
        ("吕布", "Lü Bu"),
        ("单雄信", "Shan Xiongxin"),
        ("曾国藩", "Zeng, Guofan"),
        ("华为", "Huawei"),
        ("Zhāng Wěi", "张伟"),
    ] {
        assert!(meets(one, other), "{one} {other}: {:?} {:?}", pinyin(one), pinyin(other));
    }
    assert!(!meets("张伟", "Li Wei"));
    assert!(pinyin("").is_empty());
    assert!(pinyin(&"长".repeat(500)).len() <= MOST_READINGS);
}

#[test]
fn nearly_equal_is_stricter_for_short_names_and_for_numbers() {
    for (one, other, edits) in
        [("acmes", "acmee", 2), ("northwinds", "nortwindt", 2), ("load12", "loads12", 2), ("globexindustry", "globxindustrie", 3)]
    {
        assert!(differ(one, other, edits).is_some(), "{one} {other}");
    }
    for (one, other) in
        [("acme", "acne"), ("华为技术", "华中技术"), ("load1", "load2"), ("branch12berlin", "branch13berlin"), ("northwind", "southwend")]
    {
        assert_eq!(differ(one, other, 3), None, "{one} {other}");
    }
    assert_eq!([0, 4, 5, 8, 9, 12, 13, 60].map(|length| allowed_edits(length, 3)), [0, 0, 1, 1, 2, 2, 3, 3]);
    assert_eq!(allowed_edits(60, 1), 1);
}

#[test]
fn texts_within_the_allowed_edits_always_share_a_piece() {
    let random = SeededRandom::new(7);
    let below = |most: usize| usize::try_from(random.next_u64() % most.max(1) as u64).unwrap_or(0);
    let letters = ['a', 'b', 'c', '华', '为'];
    let mut met = 0;
    for _ in 0..20_000 {
        let length = below(24) + 1;
        let one: Vec<char> = (0..length).map(|_| letters[below(letters.len())]).collect();
        let mut other = one.clone();
        for _ in 0..below(4) {
            let at = below(other.len() + 1);
            match below(3) {
                0 => other.insert(at, letters[below(letters.len())]),
                1 if at < other.len() => drop(other.remove(at)),
                _ if at < other.len() => other[at] = letters[below(letters.len())],
                _ => {}
            }
        }
        let (one, other): (String, String) = (one.into_iter().collect(), other.into_iter().collect());
        for edits in 1..=3 {
            if differ(&one, &other, edits).is_some() && !other.is_empty() {
                let stored = pieces(&other, edits);
                assert!(probes(&one, edits).iter().any(|probe| stored.contains(probe)), "{one} {other} {edits}");
                met += 1;
            }
        }
    }
    assert!(met > 10_000, "{met}");
}
