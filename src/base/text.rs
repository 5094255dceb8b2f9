//! Folding text for comparison and cutting it into search tokens, the same for both databases.

use unicode_normalization::UnicodeNormalization;

/// The form in which texts are compared without regard to case or width: NFKC, each character in lower case
/// (Unicode simple mapping where it has one, else the full one), NFKC again.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

/// Han, kana and hangul: scripts written without spaces, searched by character and bigram.
pub fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

/// Characters that are in no word, and those of scripts without spaces, which are words by themselves: after each of them a
/// word begins. Not all there are: a word behind any other is found by the search index alone.
pub const WORD_BOUNDARIES: &[(char, char)] = &[
    ('\u{1}', '/'),
    (':', '@'),
    ('[', '`'),
    ('{', '\u{a9}'),
    ('\u{ab}', '\u{b1}'),
    ('\u{b6}', '\u{b8}'),
    ('\u{bb}', '\u{bb}'),
    ('\u{bf}', '\u{bf}'),
    ('\u{d7}', '\u{d7}'),
    ('\u{f7}', '\u{f7}'),
    ('\u{2000}', '\u{206f}'),
    ('\u{20a0}', '\u{20cf}'),
    ('\u{2190}', '\u{245f}'),
    ('\u{2500}', '\u{2767}'),
    ('\u{3000}', '\u{3004}'),
    ('\u{3008}', '\u{3020}'),
    ('\u{3030}', '\u{3030}'),
    ('\u{3040}', '\u{30ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7af}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{1f300}', '\u{1faff}'),
    ('\u{20000}', '\u{2fa1f}'),
];

/// Whether a word of a folded text begins with `beginning`, which is folded too. Whatever does is a token of the text that a
/// query finds by that beginning.
pub fn begins_word(folded: &str, beginning: &str) -> bool {
    let is_boundary = |c: char| WORD_BOUNDARIES.iter().any(|(first, last)| (*first..=*last).contains(&c));
    let mut from = 0;
    while let Some(at) = folded.get(from..).and_then(|rest| rest.find(beginning)) {
        let at = from + at;
        if folded[..at].chars().next_back().is_none_or(is_boundary) {
            return true;
        }
        from = at + folded[at..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// Tokens of a stored text: folded words of letters and digits; CJK single characters and bigrams;
/// the pinyin initials of each run of Han (`华为` gives `hw`), marked by a leading `p`. Sorted, without repeats.
pub fn index_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => tokens.push(word),
            Run::Cjk(chars) => {
                for pair in chars.windows(2) {
                    tokens.push(pair.iter().collect());
                }
                tokens.extend(chars.iter().map(char::to_string));
                let initials: String = chars.iter().filter_map(|c| pinyin_initial(*c)).collect();
                if initials.len() >= 2 {
                    tokens.push(format!("p{initials}"));
                }
            }
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Tokens a query must all find: words (the last one as a prefix), CJK bigrams or a single character.
/// Each is `(token, is_prefix)`.
pub fn query_tokens(text: &str) -> Vec<(String, bool)> {
    let mut tokens = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => tokens.push((word, true)),
            Run::Cjk(chars) if chars.len() == 1 => tokens.push((chars[0].to_string(), false)),
            Run::Cjk(chars) => tokens.extend(chars.windows(2).map(|pair| (pair.iter().collect(), false))),
        }
    }
    tokens.dedup();
    tokens
}

enum Run {
    Word(String),
    Cjk(Vec<char>),
}

/// Cuts folded text into words and CJK runs.
fn runs(text: &str) -> Vec<Run> {
    let folded = fold(text);
    let mut found = Vec::new();
    let mut word = String::new();
    let mut cjk: Vec<char> = Vec::new();
    for c in folded.chars().chain(std::iter::once(' ')) {
        let in_cjk = is_cjk(c);
        if !in_cjk && !cjk.is_empty() {
            found.push(Run::Cjk(std::mem::take(&mut cjk)));
        }
        if (in_cjk || !c.is_alphanumeric()) && !word.is_empty() {
            // A word longer than this is no word; the database's index entry stays small.
            found.push(Run::Word(word.chars().take(64).collect()));
            word.clear();
        }
        if in_cjk {
            cjk.push(c);
        } else if c.is_alphanumeric() {
            word.push(c);
        }
    }
    found
}

/// The first letter of a Han character's commonest pinyin reading.
pub fn pinyin_initial(c: char) -> Option<char> {
    use pinyin::ToPinyin;
    c.to_pinyin().and_then(|reading| reading.first_letter().chars().next())
}

/// Lower-case hexadecimal digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

/// Bytes of hexadecimal digits; `None` for anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_word_is_found_by_its_tokens_and_nothing_else_is() {
        for (first, last) in WORD_BOUNDARIES {
            for c in *first..=*last {
                assert!(!c.is_alphanumeric() || is_cjk(c), "{c:?} is part of words");
            }
        }
        let texts = ["Shared", "a share", "mail@Example.com", "张三Share", "x、share", "O'Share", "éshare", "re-share share", "жshare"];
        for text in texts {
            let folded = fold(text);
            for beginning in ["s", "share", "shared", "hare", "exa", "com", "ж"] {
                let begins = begins_word(&folded, beginning);
                let token = index_tokens(text).iter().any(|token| token.starts_with(beginning));
                assert_eq!(begins, token, "{text}: {beginning}");
            }
        }
    }
}
