//! Numbers, money, dates and sizes as people of a language write them (CLDR 46 patterns of en, zh-Hans, zh-Hant).

use jiff::civil;

use super::Ui;
use super::messages::{Arg, Messages};
use crate::base::{Currency, Date, DateTime, Decimal, Locale, Time};

/// `1234567.50` with its thousands grouped: `1,234,567.50`. All three languages write it alike.
pub fn group_digits(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::with_capacity(plain.len() + plain.len() / 3);
    out.push_str(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

pub fn integer(number: i64) -> String {
    group_digits(&number.to_string())
}

pub fn decimal(number: Decimal) -> String {
    group_digits(&number.to_string())
}

/// `12.5%`, without zeros nobody needs.
pub fn percent(number: Decimal) -> String {
    format!("{}%", group_digits(&number.normalised().to_string()))
}

/// `$1,234.50`: the sign people of this language read without doubt. A money with more decimals than its
/// currency has keeps the ones that say something.
pub fn money(amount: Decimal, currency: Currency, locale: Locale) -> String {
    let least = currency.digits().min(Decimal::MAX_SCALE);
    let mut shown = amount.normalised();
    if shown.scale < least {
        shown = shown.round(least).unwrap_or(shown);
    }
    let digits = decimal(shown);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    match symbol(currency, locale) {
        Some(symbol) => format!("{sign}{symbol}{digits}"),
        None => format!("{sign}{}\u{a0}{digits}", currency.code()),
    }
}

fn symbol(currency: Currency, locale: Locale) -> Option<&'static str> {
    Some(match (currency.code(), locale) {
        ("USD", Locale::En) | ("TWD", Locale::ZhTw) => "$",
        ("USD", _) => "US$",
        ("CNY", Locale::ZhCn) | ("JPY", Locale::En | Locale::ZhTw) => "¥",
        ("CNY", _) => "CN¥",
        ("JPY", Locale::ZhCn) => "JP¥",
        ("TWD", _) => "NT$",
        ("HKD", _) => "HK$",
        ("EUR", _) => "€",
        ("GBP", _) => "£",
        ("KRW", _) => "₩",
        ("INR", _) => "₹",
        ("AUD", Locale::ZhCn | Locale::ZhTw) => "AU$",
        ("AUD", _) => "A$",
        ("CAD", _) => "CA$",
        _ => return None,
    })
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Nov 21, 2026`, `2026年11月21日`.
pub fn date(date: Date, locale: Locale) -> String {
    civil_date(date.civil(), locale)
}

fn civil_date(date: civil::Date, locale: Locale) -> String {
    match locale {
        Locale::En => {
            let month = MONTHS.get(usize::from(date.month().unsigned_abs()).wrapping_sub(1)).copied().unwrap_or("");
            format!("{month} {}, {}", date.day(), date.year())
        }
        Locale::ZhCn | Locale::ZhTw => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    }
}

/// `Nov 21, 2026, 08:05` in the person's zone.
pub fn datetime(at: DateTime, ui: &Ui) -> String {
    let local = ui.zone.to_datetime(at.timestamp());
    let separator = if ui.locale == Locale::En { ", " } else { " " };
    format!("{}{separator}{:02}:{:02}", civil_date(local.date(), ui.locale), local.hour(), local.minute())
}

/// What a `datetime-local` control holds: `2026-11-21T08:05`, with seconds when there are some.
pub fn datetime_local(at: DateTime, zone: &jiff::tz::TimeZone) -> String {
    let local = zone.to_datetime(at.timestamp());
    let mut text = format!("{:04}-{:02}-{:02}T{:02}:{:02}", local.year(), local.month(), local.day(), local.hour(), local.minute());
    if local.second() != 0 {
        text.push_str(&format!(":{:02}", local.second()));
    }
    text
}

/// `08:05`, with seconds when there are some.
pub fn time(time: Time) -> String {
    let text = time.to_string();
    text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
}

/// Near moments by their distance (`5 minutes ago`), others by date and time. Days are those of the calendar in the person's zone:
/// what is 47 hours away is the day after tomorrow.
pub fn relative(at: DateTime, ui: &Ui, messages: &Messages) -> String {
    let seconds = (ui.now.0 - at.0).div_euclid(1_000_000);
    let say = |key: &str, count: i64| messages.text(ui.locale, key, &[("count", Arg::Count(count))]);
    let day = |moment: DateTime| ui.zone.to_datetime(moment.timestamp()).date();
    let days = || (day(ui.now) - day(at)).get_days();
    match seconds {
        -59..=59 => messages.text(ui.locale, "time-now", &[]),
        60..=3_599 => say("time-minutes-ago", seconds / 60),
        3_600..=86_399 => say("time-hours-ago", seconds / 3_600),
        86_400..=604_799 => say("time-days-ago", i64::from(days())),
        -3_599..=-60 => say("time-in-minutes", -seconds / 60),
        -86_399..=-3_600 => say("time-in-hours", -seconds / 3_600),
        -604_799..=-86_400 => say("time-in-days", i64::from(-days())),
        _ => datetime(at, ui),
    }
}

/// `1h 30m`, the form people also type.
pub fn duration(seconds: i64) -> String {
    if seconds == 0 {
        return "0m".to_owned();
    }
    let (sign, rest) = if seconds < 0 { ("-", seconds.unsigned_abs()) } else { ("", seconds.unsigned_abs()) };
    let parts = [(rest / 3_600, "h"), (rest / 60 % 60, "m"), (rest % 60, "s")];
    let words: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    format!("{sign}{}", words.join(" "))
}

/// The same for people who read it: `1h 30m`, `1 小时 30 分钟`; of seconds that are no whole minute nothing is said.
pub fn span(seconds: i64, locale: Locale, messages: &Messages) -> String {
    let minutes = seconds.max(0) / 60;
    let say = |key: &str, count: i64| messages.text(locale, key, &[("count", Arg::Count(count))]);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => say("span-minutes", minutes),
        (hours, 0) => say("span-hours", hours),
        (hours, minutes) => format!("{} {}", say("span-hours", hours), say("span-minutes", minutes)),
    }
}

/// `1.4 MB` (powers of 1,024).
pub fn file_size(bytes: u64) -> String {
    let mut unit = "B";
    let mut tenths = bytes.saturating_mul(10);
    for next in ["KB", "MB", "GB"] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1_024;
        unit = next;
    }
    if unit == "B" || tenths >= 100 { format!("{} {unit}", tenths / 10) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// A person's name in the order of the language: family first where the name or the language is Chinese.
pub fn person_name(given: &str, family: &str, middle: &str, prefix: &str, suffix: &str, locale: Locale) -> String {
    let is_han = |text: &str| text.chars().any(crate::base::text::is_cjk);
    if (is_han(given) || is_han(family)) && !given.contains(' ') {
        return format!("{family}{given}{suffix}");
    }
    let _ = locale;
    let words = [prefix, given, middle, family, suffix];
    words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// One or two letters for a round badge: initials, or the last characters of a Chinese name.
pub fn initials(name: &str) -> String {
    let name = name.trim();
    if name.chars().any(crate::base::text::is_cjk) {
        let chars: Vec<char> = name.chars().collect();
        return chars[chars.len().saturating_sub(2)..].iter().collect();
    }
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A hue of the ten for a name, always the same one.
pub fn hue_of(name: &str) -> u8 {
    let sum = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    u8::try_from(sum % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::relative;
    use crate::base::{DateTime, Locale};
    use crate::render::{Messages, Ui};

    fn moment(text: &str) -> DateTime {
        DateTime::parse(text).expect("a moment")
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let messages = Messages::new();
        let zone = |name: &str| jiff::tz::TimeZone::get(name).expect("a zone");
        let utc = Ui { locale: Locale::En, zone: zone("UTC"), now: moment("2026-11-21T08:00:00Z") };
        let shanghai = Ui { zone: zone("Asia/Shanghai"), now: moment("2026-11-21T17:00:00Z"), ..utc.clone() };
        for (ui, at, wanted) in [
            (&utc, "2026-11-21T08:59:00Z", "in 59 minutes"),
            (&utc, "2026-11-22T07:59:00Z", "in 23 hours"),
            (&utc, "2026-11-22T08:00:00Z", "tomorrow"),
            (&utc, "2026-11-23T07:59:00Z", "in 2 days"),
            (&utc, "2026-11-20T08:00:00Z", "yesterday"),
            (&utc, "2026-11-19T08:01:00Z", "2 days ago"),
            // There it is one in the morning of the 22nd.
            (&shanghai, "2026-11-20T15:00:00Z", "2 days ago"),
        ] {
            assert_eq!(relative(moment(at), ui, &messages), wanted, "{at}");
        }
    }
}
