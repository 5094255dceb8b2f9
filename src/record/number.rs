//! Auto numbers: `D-{yyyy}-{seq:5}` and the period in which the sequence counts.

use crate::base::Date;
use crate::schema::catalog::Reset;

/// The period of a sequence on a day: empty for one that never starts anew, `2026`, `2026-11` or `2026-11-21`.
pub(super) fn period(reset: Reset, today: Date) -> String {
    let day = today.to_string();
    match reset {
        Reset::Never => String::new(),
        Reset::Yearly => day[..4].to_owned(),
        Reset::Monthly => day[..7].to_owned(),
        Reset::Daily => day,
    }
}

/// Fills `{yyyy}`, `{yy}`, `{mm}`, `{dd}`, `{seq}` and `{seq:5}` (at least five digits). Other braces stay as written.
pub(super) fn format(pattern: &str, sequence: i64, today: Date) -> String {
    let day = today.to_string();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}').map(|at| open + at) else {
            break;
        };
        let name = &rest[open + 1..close];
        match name {
            "yyyy" => out.push_str(&day[..4]),
            "yy" => out.push_str(&day[2..4]),
            "mm" => out.push_str(&day[5..7]),
            "dd" => out.push_str(&day[8..10]),
            "seq" => out.push_str(&sequence.to_string()),
            _ => match name.strip_prefix("seq:").and_then(|width| width.parse::<usize>().ok()) {
                Some(width) => out.push_str(&format!("{sequence:0width$}", width = width.min(18))),
                None => out.push_str(&rest[open..=close]),
            },
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_in() {
        let day = Date::parse("2026-03-07").unwrap();
        for (pattern, sequence, wanted) in [
            ("D-{yyyy}-{seq:5}", 42, "D-2026-00042"),
            ("{yy}{mm}{dd}/{seq}", 7, "260307/7"),
            ("{seq:3}", 12345, "12345"),
            ("{other}{seq", 1, "{other}{seq"),
        ] {
            assert_eq!(format(pattern, sequence, day), wanted);
        }
    }

    #[test]
    fn a_period_ends_with_its_year_month_or_day() {
        let day = Date::parse("2026-03-07").unwrap();
        assert_eq!(period(Reset::Never, day), "");
        assert_eq!(period(Reset::Yearly, day), "2026");
        assert_eq!(period(Reset::Monthly, day), "2026-03");
        assert_eq!(period(Reset::Daily, day), "2026-03-07");
    }
}
