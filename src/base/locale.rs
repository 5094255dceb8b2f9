//! Languages of people and labels of definitions.

use std::collections::BTreeMap;
use std::fmt;

/// A language the product itself speaks. Labels may be given in any other too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Locale {
    #[default]
    En,
    ZhCn,
    ZhTw,
}

impl Locale {
    pub const ALL: [Locale; 3] = [Locale::En, Locale::ZhCn, Locale::ZhTw];

    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::ZhCn => "zh-CN",
            Locale::ZhTw => "zh-TW",
        }
    }

    /// The language of this very tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    /// The product's language for a BCP 47 tag: `zh-HK` and `zh-Hant` read zh-TW, `zh`, `zh-SG` and `zh-Hans` read zh-CN.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let lower = tag.trim().to_ascii_lowercase().replace('_', "-");
        let mut parts = lower.split('-');
        match parts.next()? {
            "en" => Some(Locale::En),
            "zh" => match parts.next() {
                Some("tw" | "hk" | "mo" | "hant") => Some(Locale::ZhTw),
                _ => Some(Locale::ZhCn),
            },
            _ => None,
        }
    }

    /// The best match of an `Accept-Language` header.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let mut wanted: Vec<(f32, Locale)> = header
            .split(',')
            .filter_map(|item| {
                let (tag, quality) = item.split_once(";q=").unwrap_or((item, "1"));
                let quality: f32 = quality.trim().parse().ok()?;
                Some((quality, Locale::from_tag(tag)?)).filter(|(quality, _)| *quality > 0.0)
            })
            .collect();
        wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
        wanted.first().map(|(_, locale)| *locale)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A text per language tag, as written in a definition. A plain string is stored under `en`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(pub BTreeMap<String, String>);

impl Labels {
    pub fn plain(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([("en".to_owned(), text.into())]))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text for a person: their language, else English, else any. One Chinese script never stands in for the other
    /// while English is there.
    pub fn get(&self, locale: Locale) -> &str {
        self.0.get(locale.tag()).or_else(|| self.0.get("en")).or_else(|| self.0.values().next()).map_or("", String::as_str)
    }
}
