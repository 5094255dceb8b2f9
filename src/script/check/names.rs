//! Did you mean?

use crate::base::text::fold;

/// The known name most like `name`, as a hint; `None` when none is like it.
pub(in crate::script) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|found| format!("did you mean `{found}`?"))
}

fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(name);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for a name of a closed set: the nearest, else the set when it is small.
pub(super) fn one_of(name: &str, known: &[&str]) -> Option<String> {
    match nearest(name, known.iter().copied()) {
        Some(found) => Some(format!("did you mean `{found}`?")),
        None if known.len() <= 12 && !known.is_empty() => Some(format!("known are {}", known.join(", "))),
        None => None,
    }
}
