//! The product's own words in its three languages, from the Fluent files under `locale/`.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::format;
use crate::base::Locale;

macro_rules! sources {
    ($($file:literal),*) => {
        [
            (Locale::En, &[$(include_str!(concat!("locale/en/", $file))),*]),
            (Locale::ZhCn, &[$(include_str!(concat!("locale/zh-CN/", $file))),*]),
            (Locale::ZhTw, &[$(include_str!(concat!("locale/zh-TW/", $file))),*]),
        ]
    };
}

const FILES: [(Locale, &[&str]); 3] = sources![
    "shell.ftl",
    "list.ftl",
    "record.ftl",
    "field.ftl",
    "entry.ftl",
    "identity.ftl",
    "audit.ftl",
    "approvals.ftl",
    "conversions.ftl",
    "twins.ftl",
    "pools.ftl",
    "registrations.ftl",
    "surveys.ftl",
    "access.ftl",
    "definitions.ftl",
    "import.ftl",
    "jobs.ftl",
    "notifications.ftl",
    "webhooks.ftl",
    "what-if.ftl",
    "mails.ftl"
];

/// A value inside a message.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    Text(&'a str),
    /// Chooses the plural form and is written with its thousands grouped.
    Count(i64),
}

/// All messages of all languages.
pub struct Messages {
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl Default for Messages {
    fn default() -> Self {
        Self::new()
    }
}

impl Messages {
    pub fn new() -> Self {
        Self { bundles: Locale::ALL.into_iter().map(bundle).collect() }
    }

    /// The message in a language; English when that language has a hole, the key itself when there is no such message.
    pub fn text(&self, locale: Locale, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.find(locale, key, args).or_else(|| self.find(Locale::En, key, args)).unwrap_or_else(|| key.to_owned())
    }

    pub fn has(&self, locale: Locale, key: &str) -> bool {
        self.bundle(locale).is_some_and(|bundle| bundle.has_message(key))
    }

    fn find(&self, locale: Locale, key: &str, args: &[(&str, Arg<'_>)]) -> Option<String> {
        let bundle = self.bundle(locale)?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut given = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            let value = match value {
                Arg::Text(text) => FluentValue::from((*text).to_owned()),
                Arg::Count(number) => FluentValue::from(*number),
            };
            given.set((*name).to_owned(), value);
        }
        let mut faults = Vec::new();
        Some(bundle.format_pattern(pattern, Some(&given), &mut faults).into_owned())
    }

    fn bundle(&self, locale: Locale) -> Option<&FluentBundle<FluentResource>> {
        let at = Locale::ALL.iter().position(|known| *known == locale)?;
        self.bundles.get(at)
    }
}

fn bundle(locale: Locale) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = locale.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks around values would end up in attributes and in the clipboard.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        FluentValue::Number(number) => Some(format::group_digits(&number.as_string())),
        _ => None,
    }));
    for (_, texts) in FILES.iter().filter(|(of, _)| *of == locale) {
        for text in *texts {
            // A file with a fault still gives its good messages; `tests/it/templates.rs` refuses faults.
            let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(good, _)| good);
            bundle.add_resource_overriding(resource);
        }
    }
    bundle
}

/// The raw Fluent files of a language, for the test that compares them.
pub fn sources(locale: Locale) -> &'static [&'static str] {
    FILES.iter().find(|(of, _)| *of == locale).map_or(&[], |(_, texts)| texts)
}
