//! `rich_text`: HTML of people, cleaned on the way in: no script, no style, no `hx-*` or `data-*`, links
//! only to http, https and mailto, opened without the opener.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::FieldFault;
use super::common::text_of;
use crate::base::Value;

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "del",
        "div",
        "em",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ];
    let mut cleaner = ammonia::Builder::empty();
    cleaner
        .tags(tags.into())
        .clean_content_tags(["script", "style", "template", "iframe", "object"].into())
        .tag_attributes(
            [
                ("a", ["href", "title"].into()),
                ("img", ["alt", "title", "width", "height"].into()),
                ("td", ["colspan", "rowspan"].into()),
                ("th", ["colspan", "rowspan"].into()),
            ]
            .into(),
        )
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true);
    cleaner
});

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "an HTML text").map(from_text)
}

/// Cleans the HTML; without any text or rule left it is null.
pub fn from_text(html: &str) -> Value {
    let clean = CLEANER.clean(&html.replace(['\0', '\r'], "")).to_string();
    if plain(&clean).trim().is_empty() && !clean.contains("<hr") {
        return Value::Null;
    }
    Value::Text(clean)
}

/// The text without markup, for titles, search and exports.
pub fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                if !out.ends_with([' ', '\n']) && !out.is_empty() {
                    out.push(' ');
                }
            }
            _ if in_tag => {}
            c => out.push(c),
        }
    }
    let text = out.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    text.trim().to_owned()
}
