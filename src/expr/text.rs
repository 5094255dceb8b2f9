//! Text functions with the same result everywhere: case by the simple mapping of one character to one, lengths in
//! characters (code points), results bounded.

/// Longer results of text functions are null, so that nested calls cannot grow without end. In bytes.
pub const MAX_BYTES: usize = 65_536;

/// Spaces `trim` removes: ASCII white space, the no-break space and the ideographic space.
pub const SPACES: [char; 8] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r', '\u{a0}', '\u{3000}'];

/// Lower case of one character when that is one character, else the character itself. The same mapping is written
/// into the PostgreSQL functions; a test compares them.
pub fn lower_char(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Upper case, likewise.
pub fn upper_char(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

pub fn lower(text: &str) -> String {
    text.chars().map(lower_char).collect()
}

pub fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

pub fn trim(text: &str) -> &str {
    text.trim_matches(SPACES)
}

pub fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// `count` characters from the 1-based `start` on. A start before the text counts from there, as in SQL.
pub fn substring(text: &str, start: i64, count: i64) -> String {
    let end = start.saturating_add(count.max(0));
    let skip = usize::try_from(start.max(1) - 1).unwrap_or(usize::MAX);
    let take = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    text.chars().skip(skip).take(take).collect()
}

pub fn left(text: &str, count: i64) -> String {
    text.chars().take(usize::try_from(count).unwrap_or(0)).collect()
}

pub fn right(text: &str, count: i64) -> String {
    let keep = usize::try_from(count).unwrap_or(0);
    let skip = text.chars().count().saturating_sub(keep);
    text.chars().skip(skip).collect()
}

/// All occurrences from the left, not overlapping; an empty `find` changes nothing.
pub fn replace(text: &str, find: &str, with: &str) -> Option<String> {
    if find.is_empty() {
        return bounded(text.to_owned());
    }
    let count = text.matches(find).count();
    let size = text.len() - count * find.len() + count.checked_mul(with.len())?;
    (size <= MAX_BYTES).then(|| text.replace(find, with))
}

/// Filled on the left with repetitions of `fill` up to `width` characters; never cut. An empty `fill` changes nothing.
pub fn pad_left(text: &str, width: i64, fill: &str) -> Option<String> {
    let padding = padding(text, width, fill)?;
    bounded(format!("{padding}{text}"))
}

/// Filled on the right, likewise.
pub fn pad_right(text: &str, width: i64, fill: &str) -> Option<String> {
    let padding = padding(text, width, fill)?;
    bounded(format!("{text}{padding}"))
}

fn padding(text: &str, width: i64, fill: &str) -> Option<String> {
    let missing = usize::try_from(width.saturating_sub(length(text))).unwrap_or(0);
    if fill.is_empty() {
        return Some(String::new());
    }
    (missing <= MAX_BYTES).then(|| fill.chars().cycle().take(missing).collect())
}

/// The text, unless it is longer than [`MAX_BYTES`].
pub fn bounded(text: String) -> Option<String> {
    (text.len() <= MAX_BYTES).then_some(text)
}

/// One piece of a `like` pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Char(char),
    /// `_`
    One,
    /// `%`
    Many,
}

/// Reads a pattern: `%`, `_`, and `\` before a character that is meant literally. A last `\` is itself.
pub fn pieces(pattern: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let piece = match c {
            '%' => Piece::Many,
            '_' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            other => Piece::Char(other),
        };
        if piece != Piece::Many || found.last() != Some(&Piece::Many) {
            found.push(piece);
        }
    }
    found
}

/// The pattern in the one spelling every database reads alike (a last `\` doubled).
pub fn normal_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for piece in pieces(pattern) {
        match piece {
            Piece::Many => out.push('%'),
            Piece::One => out.push('_'),
            Piece::Char(c) => {
                if matches!(c, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out
}

/// Whether the whole text matches the pattern; linear memory, at most length times length steps.
pub fn like(text: &str, pattern: &str) -> bool {
    let pieces = pieces(pattern);
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut piece) = (0, 0);
    // Where to go on after the last `%` when a later piece does not fit.
    let mut back: Option<(usize, usize)> = None;
    while at < chars.len() {
        match pieces.get(piece) {
            Some(Piece::Many) => {
                back = Some((at, piece));
                piece += 1;
            }
            Some(Piece::One) => {
                at += 1;
                piece += 1;
            }
            Some(Piece::Char(c)) if *c == chars[at] => {
                at += 1;
                piece += 1;
            }
            _ => {
                let Some((from, many)) = back else { return false };
                back = Some((from + 1, many));
                at = from + 1;
                piece = many + 1;
            }
        }
    }
    pieces[piece..].iter().all(|rest| *rest == Piece::Many)
}

/// The least text greater than every text that begins with `prefix`; `None` when there is none.
pub fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
