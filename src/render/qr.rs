//! QR codes as SVG inside a page: no picture is loaded and no script runs.

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code, as the standard asks for.
const MARGIN: i32 = 4;

/// The code of a text as an `<svg>` element; empty when the text is too long for any code. The text itself does not stand
/// in the element, so that nothing needs escaping.
pub fn svg(text: &str) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return String::new() };
    let side = code.size() + 2 * MARGIN;
    let mut dark = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            dark.push_str(&format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN));
        }
    }
    format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" width=\"220\" height=\"220\" shape-rendering=\"crispEdges\" aria-hidden=\"true\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{dark}\" fill=\"#000\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_code_is_drawn_without_its_text_and_a_text_too_long_gives_none() {
        let drawn = svg("otpauth://totp/x?secret=<script>");
        assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>") && !drawn.contains("script"));
        assert!(drawn.matches("h1v1h-1z").count() > 100);
        assert_eq!(svg(&"x".repeat(5000)), "");
    }
}
