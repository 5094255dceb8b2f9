//! Many values looked for in a text at once.

use std::collections::{HashMap, HashSet};

/// Values shorter than this, in bytes, occur by chance.
pub const SHORTEST: usize = 8;

/// Values that must not be in a text, in each of the forms in which a log could write them.
#[derive(Debug, Default)]
pub struct Needles {
    known: HashSet<String>,
    /// Forms by their first bytes.
    forms: HashMap<[u8; SHORTEST], Vec<Box<[u8]>>>,
}

impl Needles {
    /// `false` when it is known or too short to be told from chance.
    pub fn add(&mut self, value: &str) -> bool {
        if value.len() < SHORTEST || self.known.contains(value) {
            return false;
        }
        self.known.insert(value.to_owned());
        let inside = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
        let quoted = |text: &str| inside(serde_json::Value::from(text).to_string());
        let debugged = inside(format!("{value:?}"));
        for form in [value.to_owned(), quoted(value), quoted(&debugged), debugged] {
            let Some(start) = form.as_bytes().first_chunk::<SHORTEST>() else { continue };
            let forms = self.forms.entry(*start).or_default();
            if !forms.iter().any(|known| **known == *form.as_bytes()) {
                forms.push(form.as_bytes().into());
            }
        }
        true
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Those that are in the text, each with its place.
    pub fn find(&self, text: &[u8]) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, start) in text.windows(SHORTEST).enumerate() {
            let Some(forms) = <&[u8; SHORTEST]>::try_from(start).ok().and_then(|start| self.forms.get(start)) else { continue };
            let here = forms.iter().filter(|form| text[at..].starts_with(form));
            found.extend(here.map(|form| (at, String::from_utf8_lossy(form).into_owned())));
        }
        found
    }
}

#[test]
fn a_value_is_found_wherever_and_however_it_is_written() {
    let mut needles = Needles::default();
    let values = ["zq-first-1", "tab\there and \"quotes\"", "客户甲乙", "zq-first-1-and-more"];
    assert!(values.iter().all(|value| needles.add(value)) && !needles.add("zq-first-1") && !needles.add("short"));
    let found = |text: &str| needles.find(text.as_bytes()).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert!(found("2026-11-21 DEBUG request http.method=GET zq-firs t-1 客户甲 short").is_empty());
    assert_eq!(found("x zq-first-1"), ["zq-first-1"]);
    assert_eq!(found("zq-first-1-and-more").len(), 2);
    assert_eq!(found(r#"{"a":"tab\there and \"quotes\""}"#).len(), 1);
    assert_eq!(found("a 客户甲乙。"), ["客户甲乙"]);
}
