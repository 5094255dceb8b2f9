//! Where templates find style sheets, scripts and icons.

/// Icons of the sprite that an entity may name; another name shows [`FALLBACK_ICON`].
const ICONS: &str = include_str!("../web/assets/icons/sprite.svg");

pub const FALLBACK_ICON: &str = "box";

/// Whether the sprite has a symbol of this name.
pub fn has_icon(name: &str) -> bool {
    let mut rest = ICONS;
    while let Some(at) = rest.find("symbol id=\"") {
        rest = &rest[at + 11..];
        if rest.strip_prefix(name).is_some_and(|after| after.starts_with('"')) {
            return true;
        }
    }
    false
}
