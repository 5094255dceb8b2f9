//! Which records of an entity are taken for the same.

use crate::base::{FieldIx, Labels};

/// A rule that finds duplicates: all its conditions must hold.
#[derive(Debug, Clone)]
pub struct DuplicateRule {
    pub id: String,
    pub label: Labels,
    /// What a person reads; empty for the program's own words.
    pub message: Labels,
    pub matches: Vec<Match>,
    /// A duplicate is refused; otherwise whoever saves is asked.
    pub refuses: bool,
    /// Records count that the one who saves may not read. Nothing is told of them but that there is one.
    pub among_all: bool,
    /// Names what its keys are made of, in the upper 24 bits; other conditions make another number.
    pub number: u64,
}

/// One condition: the values of this field are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    pub field: FieldIx,
    pub by: Likeness,
}

/// When two values are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    Exact,
    /// Texts without regard to case, width, punctuation and spaces; telephones by their digits; addresses of e-mail.
    Normalised,
    /// Names of companies without their legal form.
    Company,
    /// Names of companies that differ by at most so many characters.
    Fuzzy(usize),
    /// Said the same.
    Pinyin,
}

impl Likeness {
    pub fn word(self) -> &'static str {
        match self {
            Likeness::Exact => "exact",
            Likeness::Normalised => "normalised",
            Likeness::Company => "company",
            Likeness::Fuzzy(_) => "fuzzy",
            Likeness::Pinyin => "pinyin",
        }
    }
}

impl DuplicateRule {
    pub fn reads(&self, field: FieldIx) -> bool {
        self.matches.iter().any(|one| one.field == field)
    }
}
