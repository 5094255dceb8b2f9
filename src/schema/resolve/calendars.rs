//! Calendars: hours of the week, holidays, make-up workdays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Work, labels, layers, settings};
use crate::base::{Date, Labels};
use crate::expr::Zone;
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::intake::Document;
use crate::schema::node::Node;
use crate::schema::source::Place;
use crate::schema::working::{ALWAYS, Hours, OwnDay, WorkCalendar};

/// Names of the days, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Days of one holiday.
const LONGEST: i64 = 366;

pub(super) fn build(work: &mut Work) {
    let intake = work.intake;
    let package_of = |document: &Document| document.package.clone().unwrap_or_else(|| layers::SITE.to_owned());
    let mut documents: Vec<&Document> = intake.documents.iter().filter(|document| document.kind.name == "calendar").collect();
    documents.sort_by_key(|document| work.packages.position(&package_of(document)));
    let mut seen: BTreeMap<String, (String, Place)> = BTreeMap::new();
    for document in documents {
        let Some(node) = document.node.get("id") else { continue };
        let Some(written) = node.as_text() else { continue };
        let package = package_of(document);
        let id = if written.contains('.') { written.to_owned() } else { format!("{package}.{written}") };
        // A layer above replaces a calendar of the same id.
        if let Some((_, first)) = seen.get(&id).filter(|(known, _)| *known == package) {
            let fault =
                Diagnostic::error("DEF201", &node.place, format!("the calendar `{id}` is defined twice")).label(first, "first here");
            work.fault(fault.hint("give one of the two another id"));
            continue;
        }
        seen.insert(id.clone(), (package, node.place.clone()));
        work.places.insert(format!("calendar/{id}"), node.place.clone());
        if let Some(calendar) = calendar(work, &document.node, &id) {
            work.catalog.calendars.insert(id, Arc::new(calendar));
        }
    }
}

/// The calendar a text names, seen from a package.
pub(super) fn find(work: &mut Work, node: Option<&Node>, package: &str) -> Option<Arc<WorkCalendar>> {
    let Some((node, name)) = node.and_then(|node| Some((node, node.as_text()?))).filter(|(_, name)| *name != ALWAYS) else {
        let label = Labels(
            [("en", "Round the clock"), ("zh-CN", "全天候"), ("zh-TW", "全天候")]
                .map(|(tag, text)| (tag.to_owned(), text.to_owned()))
                .into(),
        );
        return Some(Arc::new(WorkCalendar::always(label, workspace_zone(work))));
    };
    let known = &work.catalog.calendars;
    let own = known.get(&format!("{package}.{name}")).or_else(|| known.get(name));
    let by_name = || known.values().find(|one| one.id.rsplit('.').next() == Some(name));
    if let Some(found) = own.or_else(by_name) {
        return Some(found.clone());
    }
    if !work.intake.incomplete && !work.intake.unread {
        let names: Vec<&str> = known.keys().map(String::as_str).chain([ALWAYS]).collect();
        let short = names.iter().map(|id| id.rsplit('.').next().unwrap_or(id));
        let fault = Diagnostic::error("DEF432", &node.place, format!("unknown calendar `{name}`"))
            .near(nearest(name, short))
            .hint(format!("write a document of `kind: calendar`; calendars: {}", names.join(", ")));
        work.fault(fault);
    }
    None
}

fn workspace_zone(work: &Work) -> Zone {
    Zone::named(&work.catalog.settings.time_zone_name).unwrap_or_else(Zone::utc)
}

fn calendar(work: &mut Work, node: &Node, id: &str) -> Option<WorkCalendar> {
    let zone = match node.get("time_zone") {
        Some(written) => {
            settings::time_zone(work, written)?;
            Zone::named(written.as_text()?)?
        }
        None => workspace_zone(work),
    };
    let mut week: [Hours; 7] = Default::default();
    for (hours, name) in week.iter_mut().zip(WEEKDAYS) {
        *hours = self::hours(work, node.get("week").and_then(|week| week.get(name)))?;
    }
    if week.iter().all(Vec::is_empty) {
        let place = node.entry("week").map_or(&node.place, |(key, _)| &key.place).clone();
        let fault = Diagnostic::error("DEF431", &place, format!("the calendar `{id}` never opens"));
        work.fault(fault.hint("give at least one weekday its hours: `week: {mon: \"09:00-18:00\"}`"));
        return None;
    }
    let mut days = BTreeMap::new();
    for section in ["holidays", "workdays"] {
        for day in node.get(section).map(Node::items).unwrap_or_default() {
            own_day(work, day, section == "workdays", &week, &mut days)?;
        }
    }
    let short = id.rsplit('.').next().unwrap_or(id);
    let label = labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(short));
    Some(WorkCalendar { id: id.to_owned(), label, zone, week, days })
}

/// A holiday (of one day or several), or a workday out of turn.
fn own_day(work: &mut Work, node: &Node, is_workday: bool, week: &[Hours; 7], days: &mut BTreeMap<Date, OwnDay>) -> Option<()> {
    let written = node.get("on")?;
    let first = Date::parse(written.as_text()?)?;
    let last = node.text("until").and_then(Date::parse).unwrap_or(first);
    if last < first || i64::from(last.0) - i64::from(first.0) >= LONGEST {
        let place = node.get("until").map_or(&node.place, |until| &until.place).clone();
        let fault = Diagnostic::error("DEF436", &place, format!("the days from {first} to {last} are no holiday"));
        work.fault(fault.hint("`until` is the last day of it, on or after `on` and within a year"));
        return None;
    }
    let hours = match node.get("hours") {
        Some(written) => self::hours(work, Some(written))?,
        None if is_workday => as_weekday(work, node, week)?,
        None => Vec::new(),
    };
    let label = labels::of(node.get("label")).unwrap_or_default();
    for day in first.0..=last.0 {
        if days.insert(Date(day), OwnDay { hours: hours.clone(), label: label.clone() }).is_some() {
            let fault = Diagnostic::error("DEF436", &written.place, format!("{} is told twice in this calendar", Date(day)));
            work.fault(fault.hint("a day is one holiday, or one make-up workday: take one of the two out"));
            return None;
        }
    }
    Some(())
}

/// A make-up workday has the hours of another weekday: of the one that is named, or of the first that has any.
fn as_weekday(work: &mut Work, node: &Node, week: &[Hours; 7]) -> Option<Hours> {
    let named = node.text("as").and_then(|name| WEEKDAYS.iter().position(|known| *known == name));
    let found = named.map_or_else(|| week.iter().find(|hours| !hours.is_empty()), |at| Some(&week[at]));
    if let Some(hours) = found.filter(|hours| !hours.is_empty()) {
        return Some(hours.clone());
    }
    let place = node.get("as").map_or(&node.place, |name| &name.place).clone();
    let fault = Diagnostic::error("DEF431", &place, "nobody works on this day of the week: the workday would have no hours");
    work.fault(fault.hint("name a weekday that has hours (`as: mon`), or give the day its own: `hours: \"09:00-18:00\"`"));
    None
}

/// `09:00-12:00`, or several, in order.
fn hours(work: &mut Work, node: Option<&Node>) -> Option<Hours> {
    let mut found = Hours::new();
    for one in node.map(Node::one_or_many).unwrap_or_default() {
        let span = one.as_text().and_then(span);
        let follows = |(from, _): &(u16, u16)| found.last().is_none_or(|(_, end)| from >= end);
        let Some(span) = span.filter(follows) else {
            let message = format!("`{}` are no hours of a day, or not behind those before", one.as_text().unwrap_or_default());
            let hint = "write `09:00-12:00`, several in order: [\"09:00-12:00\", \"13:00-18:00\"]; `24:00` ends the day, a night is two days' hours";
            work.fault(Diagnostic::error("DEF430", &one.place, message).hint(hint));
            return None;
        };
        found.push(span);
    }
    Some(found)
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from.trim())?, minute(to.trim())?);
    (from < to).then_some((from, to))
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str, most: u16| part.parse::<u16>().ok().filter(|number| *number <= most && part.len() == 2);
    let (hour, minute) = (number(hour, 24)?, number(minute, 59)?);
    Some(hour * 60 + minute).filter(|minutes| *minutes <= 1440)
}
