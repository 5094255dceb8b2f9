//! Workspace settings and exchange rates.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;

use super::Work;
use crate::base::{Currency, Date, Decimal, Locale};
use crate::schema::catalog::{Catalog, Rate, Settings};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::Node;

pub(super) fn empty_catalog() -> Catalog {
    Catalog {
        version: 0,
        digest: String::new(),
        settings: Settings {
            name: "Relata".to_owned(),
            currency: Currency::parse("USD").expect("three capital letters are a currency code"),
            locale: Locale::En,
            time_zone_name: "UTC".to_owned(),
            time_zone: TimeZone::UTC,
            fiscal_year_start: 1,
            rates: Vec::new(),
        },
        packages: Vec::new(),
        entities: Vec::new(),
        by_slug: HashMap::new(),
        by_prefix: HashMap::new(),
        picklists: BTreeMap::new(),
        calendars: BTreeMap::new(),
        scripts: Vec::new(),
        automations: Default::default(),
        templates: Vec::new(),
        surveys: Vec::new(),
        roles: Vec::new(),
        apps: Vec::new(),
        described: BTreeMap::new(),
        blind: None,
        whole: None,
    }
}

pub(super) fn read(work: &mut Work) {
    let intake = work.intake;
    let mut first: Option<&Node> = None;
    for document in intake.documents.iter().filter(|document| document.kind.name == "workspace") {
        if let Some(first) = first {
            let fault = Diagnostic::error("DEF201", &document.node.place, "a second document with settings of the workspace")
                .label(&first.place, "first here");
            work.fault(fault);
            continue;
        }
        first = Some(&document.node);
        workspace(work, &document.node);
    }
    for document in intake.documents.iter().filter(|document| document.kind.name == "rates") {
        for node in document.node.get("rates").map(Node::items).unwrap_or_default() {
            rate(work, node);
        }
    }
    work.catalog.settings.rates.sort_by_key(|rate| (rate.currency, rate.from));
}

fn workspace(work: &mut Work, node: &Node) {
    if let Some(name) = node.text("name") {
        work.catalog.settings.name = name.to_owned();
    }
    if let Some(code) = node.get("currency")
        && let Some(currency) = currency(work, code)
    {
        work.catalog.settings.currency = currency;
    }
    if let Some(locale) = node.text("locale").and_then(Locale::from_tag) {
        work.catalog.settings.locale = locale;
    }
    if let Some(zone) = node.get("time_zone")
        && let Some(found) = time_zone(work, zone)
    {
        work.catalog.settings.time_zone_name = zone.as_text().unwrap_or("UTC").to_owned();
        work.catalog.settings.time_zone = found;
    }
    if let Some(month) = node.int("fiscal_year_start").and_then(|month| u8::try_from(month).ok()) {
        work.catalog.settings.fiscal_year_start = month;
    }
}

/// A currency code, or the fault that it is none.
pub(super) fn currency(work: &mut Work, node: &Node) -> Option<Currency> {
    let code = node.as_text()?;
    let found = Currency::parse(code);
    if found.is_none() {
        let upper = code.to_ascii_uppercase();
        let fault = Diagnostic::error("DEF323", &node.place, format!("`{code}` is not a currency code"))
            .near(Currency::parse(&upper).map(|_| upper))
            .hint("a code of three capital letters (ISO 4217), such as `CNY`");
        work.fault(fault);
    }
    found
}

pub(super) fn time_zone(work: &mut Work, node: &Node) -> Option<TimeZone> {
    let name = node.as_text()?;
    match TimeZone::get(name) {
        Ok(zone) => Some(zone),
        Err(_) => {
            let common = [
                "Asia/Shanghai",
                "Asia/Taipei",
                "Asia/Hong_Kong",
                "Asia/Singapore",
                "Asia/Tokyo",
                "Europe/London",
                "Europe/Berlin",
                "Europe/Paris",
                "America/New_York",
                "America/Chicago",
                "America/Los_Angeles",
                "UTC",
            ];
            let fault = Diagnostic::error("DEF407", &node.place, format!("unknown time zone `{name}`"))
                .near(crate::schema::diagnostic::nearest(name, common))
                .hint("use an IANA name such as `Asia/Shanghai`");
            work.fault(fault);
            None
        }
    }
}

fn rate(work: &mut Work, node: &Node) {
    let (Some(code), Some(rate)) = (node.get("currency"), node.get("rate")) else { return };
    let Some(currency) = currency(work, code) else { return };
    let from = node.text("from").and_then(Date::parse);
    let value = rate.scalar_text().and_then(|text| Decimal::parse(&text, 9).ok());
    match (from, value) {
        (Some(from), Some(value)) if value.units > 0 => {
            if work.catalog.settings.rates.iter().any(|known| known.currency == currency && known.from == from) {
                let fault = Diagnostic::error("DEF413", &code.place, format!("a second rate of {currency} from {from}"))
                    .hint("keep one of the two");
                work.fault(fault);
                return;
            }
            work.catalog.settings.rates.push(Rate { currency, from, rate: value });
        }
        (Some(_), _) => {
            let fault = Diagnostic::error("DEF413", &rate.place, "a rate must be greater than zero and fit nine decimal places");
            work.fault(fault);
        }
        _ => {}
    }
}
