//! Scripts written inside a YAML file: where in the file a place in the script is.

/// Line and column in `yaml` of a place in `source`, which stands in it as a block (`source: |`) or on one line.
/// `None` when the text cannot be found, for example because the YAML writes it with escapes.
pub fn place_in(yaml: &str, source: &str, line: u32, column: u32) -> Option<(u32, u32)> {
    let wanted: Vec<&str> = source.lines().collect();
    let lines: Vec<&str> = yaml.lines().collect();
    let (line_number, skipped) = (line, line.checked_sub(1)?);
    if let [one] = wanted.as_slice() {
        let (number, at) = lines.iter().enumerate().find_map(|(number, text)| Some((number, text.find(one)?)))?;
        let before = lines[number][..at].chars().count();
        return Some((count(number)? + 1, count(before)?.checked_add(column)?));
    }
    // A block: the same lines, all moved in by the same spaces.
    let start = (0..lines.len()).find(|start| {
        let block = lines.get(*start..*start + wanted.len());
        block.is_some_and(|block| block.iter().zip(&wanted).all(|(there, line)| there.trim() == line.trim()))
    })?;
    let (there, line) = (lines.get(start + skipped as usize)?, wanted.get(skipped as usize)?);
    let indent = |text: &str| text.chars().take_while(|c| *c == ' ').count();
    let moved = indent(there).saturating_sub(indent(line));
    Some((count(start)?.checked_add(line_number)?, count(moved)?.checked_add(column)?))
}

fn count(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}
