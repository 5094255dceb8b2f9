//! Forms of texts in which those that mean the same are equal, and pieces by which those that are nearly equal are found.
//! What finds duplicates is made of these; the same text always gives the same forms.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::text::{fold, is_cjk};

/// Longer texts are compared by this many characters.
const LONGEST: usize = 120;
/// Readings of one text that are kept: characters with several readings multiply them.
const MOST_READINGS: usize = 16;
/// Digits that tell a telephone apart, from its end: without the country, which people leave out.
const PHONE_DIGITS: usize = 9;
/// Fewer digits are an extension.
const FEWEST_DIGITS: usize = 5;

/// Legal forms behind a company's name, folded and without punctuation.
const FORMS: [&str; 46] = [
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "llc",
    "llp",
    "lp",
    "plc",
    "gmbh",
    "mbh",
    "ag",
    "kg",
    "ohg",
    "se",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "bv",
    "nv",
    "oy",
    "oyj",
    "ab",
    "as",
    "asa",
    "aps",
    "kk",
    "pte",
    "pty",
    "sdn",
    "bhd",
    "jsc",
    "ooo",
    "zrt",
    "kft",
    "sro",
    "doo",
    "lda",
    "ltda",
    "pvt",
    "cv",
];
/// Legal forms that are written without a space, longest first.
const JOINED_FORMS: [&str; 14] = [
    "集团股份有限公司",
    "集團股份有限公司",
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "股份公司",
    "有限公司",
    "株式会社",
    "株式會社",
    "合同会社",
    "有限会社",
    "주식회사",
    "유한회사",
    "公司",
];

/// Case, width, punctuation and spaces do not count: `ＡＣＭＥ, east-side` is `acmeeastside`.
pub fn letters(text: &str) -> String {
    let folded = fold(text).replace('&', " and ");
    folded.chars().filter(|c| c.is_alphanumeric()).take(LONGEST).collect()
}

/// A company's name without its legal form: `Acme Co., Ltd.` and `ACME` are the same, `华为技术有限公司` and `华为技术` too.
/// A name that is nothing but a legal form stays as it is.
pub fn company(text: &str) -> String {
    let folded = fold(text).replace('&', " and ").replace(['.', '\'', '’'], "");
    let mut words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.len() > 1 && words[0] == "the" {
        words.remove(0);
    }
    while words.len() > 1 && words.last().is_some_and(|last| FORMS.contains(last)) {
        words.pop();
    }
    let whole: String = words.concat();
    let without = |form: &str| whole.strip_suffix(form).or_else(|| whole.strip_prefix(form));
    let name = JOINED_FORMS.iter().find_map(|form| without(form)).filter(|rest| !rest.is_empty()).unwrap_or(&whole);
    let name = name.strip_prefix('株').filter(|rest| !rest.is_empty() && folded.starts_with("(株)")).unwrap_or(name);
    name.chars().take(LONGEST).collect()
}

/// The digits that tell a telephone apart: `+86 138 0013 8000` and `13800138000` are the same. Empty where there are too few.
pub fn phone(text: &str) -> String {
    let folded = fold(text);
    // An extension is not part of the number.
    let number = folded.split(['x', 'e', ';', '*']).next().unwrap_or("");
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < FEWEST_DIGITS {
        return String::new();
    }
    digits[digits.len().saturating_sub(PHONE_DIGITS)..].iter().collect()
}

/// An e-mail address regardless of case and width.
pub fn email(text: &str) -> String {
    fold(text.trim()).chars().take(254).collect()
}

/// How a name is said, letter by letter and without tones: `张伟` and `Zhang Wei` both give `zhangwei`. A character with
/// several readings gives several forms, a name of several words also the one with its last word first.
pub fn pinyin(text: &str) -> Vec<String> {
    use ::pinyin::ToPinyinMulti;
    let mut forms = vec![String::new()];
    let mut words: Vec<String> = vec![String::new()];
    let mut has_han = false;
    for c in fold(text).chars().take(LONGEST) {
        if let Some(readings) = Some(c).filter(|c| is_cjk(*c)).and_then(|c| c.to_pinyin_multi()) {
            has_han = true;
            let said: BTreeSet<&str> = readings.into_iter().map(|reading| reading.plain()).collect();
            let most = (MOST_READINGS / forms.len()).max(1);
            // The commonest reading comes first, and is the only one where there are too many.
            let first = c.to_pinyin_multi().and_then(|readings| readings.into_iter().next()).map_or("", |reading| reading.plain());
            let mut said: Vec<&str> = said.into_iter().filter(|reading| *reading != first).collect();
            said.insert(0, first);
            said.truncate(most);
            forms = forms.iter().flat_map(|form| said.iter().map(move |reading| format!("{form}{reading}"))).collect();
            continue;
        }
        let plain: Vec<char> = c.nfd().filter(|part| !is_combining_mark(*part) && part.is_alphanumeric()).collect();
        if c.is_whitespace() || c == ',' {
            words.push(String::new());
        }
        for part in plain {
            forms.iter_mut().for_each(|form| form.push(part));
            if let Some(word) = words.last_mut() {
                word.push(part);
            }
        }
    }
    // `ü` is written `v`, `u` or `ü` where tones are left out.
    let plain = |text: &String| text.nfd().filter(|part| !is_combining_mark(*part)).collect::<String>().replace('v', "u");
    forms = forms.iter().map(plain).collect();
    words = words.iter().map(plain).filter(|word| !word.is_empty()).collect();
    if !has_han && words.len() > 1 {
        let mut turned = words[words.len() - 1].clone();
        turned.extend(words[..words.len() - 1].iter().map(String::as_str));
        forms.push(turned);
    }
    forms.retain(|form| !form.is_empty());
    forms.sort();
    forms.dedup();
    forms
}

/// Characters by which two texts may differ: none where the shorter one has less than five, one up to eight, two up to twelve,
/// then three; at most `edits`.
pub fn allowed_edits(length: usize, edits: usize) -> usize {
    edits.min(length.saturating_sub(1) / 4)
}

/// What of a text is a number: `Load 1` is not `Load 2`, however long the rest is.
fn digits(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_numeric())
}

/// By how many characters two texts differ (inserted, left out, replaced), where that is allowed. Their digits must be the same.
pub fn differ(one: &str, other: &str, edits: usize) -> Option<usize> {
    let (n, m) = (one.chars().count(), other.chars().count());
    let allowed = allowed_edits(n.min(m), edits);
    if n.abs_diff(m) > allowed || !digits(one).eq(digits(other)) {
        return None;
    }
    let distance = strsim::levenshtein(one, other);
    (distance <= allowed).then_some(distance)
}

/// Pieces of a text, one more than it may have edits: of two texts that differ by no more than that, one has a piece of the
/// other unchanged (Li, Deng, Wang, Feng: Pass-Join, VLDB 2011). Each says the length of its text and its place.
pub fn pieces(text: &str, edits: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    places(chars.len(), edits).enumerate().map(|(at, (start, size))| piece(chars.len(), at, &chars[start..start + size])).collect()
}

/// The pieces that texts within so many edits of this one may have.
pub fn probes(text: &str, edits: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let own = allowed_edits(chars.len(), edits);
    let mut found = BTreeSet::new();
    for length in chars.len().saturating_sub(own).max(1)..=chars.len() + own {
        let shift = own.min(allowed_edits(length, edits));
        if length.abs_diff(chars.len()) > shift {
            continue;
        }
        for (at, (start, size)) in places(length, edits).enumerate() {
            for from in start.saturating_sub(shift)..=start + shift {
                if let Some(part) = chars.get(from..from + size) {
                    found.insert(piece(length, at, part));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Where the pieces of a text of this length begin, and their sizes: as even as can be.
fn places(length: usize, edits: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = allowed_edits(length, edits) + 1;
    let (size, longer) = (length / count, length % count);
    let short = count - longer;
    (0..count).map(move |at| (at * size + at.saturating_sub(short), size + usize::from(at >= short)))
}

fn piece(length: usize, at: usize, chars: &[char]) -> String {
    let text: String = chars.iter().collect();
    format!("{length}:{at}:{text}")
}

/// A number for a text: FNV-1a, the same in every process and version.
pub fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests;
