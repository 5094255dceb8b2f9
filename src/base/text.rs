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
