//! Random well-typed expressions, as text.

use super::Dice;

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Decimal,
    Text,
    Date,
    DateTime,
    Time,
    Duration,
    Money,
    Link,
}

pub const KINDS: [Kind; 10] =
    [Kind::Bool, Kind::Int, Kind::Decimal, Kind::Text, Kind::Date, Kind::DateTime, Kind::Time, Kind::Duration, Kind::Money, Kind::Link];

/// Which record names are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Thing,
    Line,
    Member,
}

pub struct Generator<'a> {
    pub dice: &'a mut Dice,
    /// Quantifiers and aggregates still allowed.
    pub rows: u32,
}

impl Generator<'_> {
    /// An expression at most `depth` deep.
    pub fn of(&mut self, kind: Kind, depth: u32, about: About) -> String {
        if depth == 0 || self.dice.chance(15) {
            return self.leaf(kind, about);
        }
        let depth = depth - 1;
        if self.dice.chance(10) && kind != Kind::Bool {
            return self.choice(kind, depth, about);
        }
        match kind {
            Kind::Bool => self.bool(depth, about),
            Kind::Int => self.int(depth, about),
            Kind::Decimal => self.decimal(depth, about),
            Kind::Text => self.text(depth, about),
            Kind::Date => self.date(depth, about),
            Kind::DateTime => self.moment(depth, about),
            Kind::Time => self.time(depth, about),
            Kind::Duration => self.duration(depth, about),
            Kind::Money => self.money(depth, about),
            Kind::Link => self.leaf(kind, about),
        }
    }

    fn pick(&mut self, items: &[&str]) -> String {
        (*self.dice.pick(items)).to_owned()
    }

    fn leaf(&mut self, kind: Kind, about: About) -> String {
        if self.dice.chance(30) && kind != Kind::Money {
            return self.literal(kind);
        }
        let fields: &[&str] = match (about, kind) {
            (About::Thing, Kind::Bool) => &["b"],
            (About::Thing, Kind::Int) => &["i1", "i2", "org.score", "org.parent.score", "length_plus", "pieces"],
            (About::Thing, Kind::Decimal) => &["d2", "d9", "m1.amount", "m2.base", "org.worth.base", "doubled.base"],
            (About::Thing, Kind::Text) => &["t1", "t2", "trim(stage)", "org.name", "m1.currency", "org.parent.name", "org_name"],
            (About::Thing, Kind::Date) => &["day", "due", "org.opened", "today()"],
            (About::Thing, Kind::DateTime) => &["at", "ends", "now()"],
            (About::Thing, Kind::Time) => &["clock"],
            (About::Thing, Kind::Duration) => &["dur"],
            (About::Thing, Kind::Money) => &["m1", "m2", "org.worth", "doubled"],
            (About::Thing, Kind::Link) => &["org", "org.parent", "org.id"],
            (About::Line, Kind::Bool) => &["done", "record.b"],
            (About::Line, Kind::Int) => &["qty", "record.i1", "thing.i2", "thing.length_plus", "record.pieces"],
            (About::Line, Kind::Decimal) => &["price", "total.amount", "record.d2"],
            (About::Line, Kind::Text) => &["note", "record.t1", "total.currency"],
            (About::Line, Kind::Date) => &["date(at)", "thing.day"],
            (About::Line, Kind::DateTime) => &["at", "record.ends"],
            (About::Line, Kind::Time) => &["record.clock"],
            (About::Line, Kind::Duration) => &["record.dur"],
            (About::Line, Kind::Money) => &["total", "record.m1"],
            (About::Line, Kind::Link) => &["thing.org", "record.org"],
            (About::Member, Kind::Bool) => &["record.b"],
            (About::Member, Kind::Int) => &["score", "record.i1", "parent.score"],
            (About::Member, Kind::Decimal) => &["worth.amount", "record.d9"],
            (About::Member, Kind::Text) => &["role", "name", "record.t2", "parent.name"],
            (About::Member, Kind::Date) => &["opened", "thing.due"],
            (About::Member, Kind::DateTime) => &["record.at"],
            (About::Member, Kind::Time) => &["record.clock"],
            (About::Member, Kind::Duration) => &["thing.dur"],
            (About::Member, Kind::Money) => &["worth", "record.m2"],
            (About::Member, Kind::Link) => &["parent", "id", "org"],
        };
        self.pick(fields)
    }

    fn literal(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Bool => self.pick(&["true", "false"]),
            Kind::Int => self.pick(&["0", "1", "-1", "2", "3", "10", "-250", "9223372036854775807", "-9223372036854775808", "4000000000"]),
            Kind::Decimal => {
                self.pick(&["0.5", "-0.25", "2.50", "0.000000001", "12.345", "9223372036.854775807", "-92233720368547758.08", "1.0"])
            }
            Kind::Text => self.pick(&["'a'", "'ABC'", "'客户'", "''", "'ÄÖÜ'", "'%'", "' x '", "'won'", "'O''Brien'"]),
            Kind::Date => self.pick(&["date('2026-11-21')", "date('2024-02-29')", "date('0001-01-01')", "date('9999-12-31')", "today()"]),
            Kind::DateTime => self.pick(&[
                "datetime('2026-03-08T07:00:00Z')",
                "datetime('2026-11-01T05:59:59.999999Z')",
                "datetime('0001-01-01T00:00:00Z')",
                "datetime('9999-12-30T21:00:00Z')",
                "now()",
            ]),
            Kind::Time => self.pick(&["time('00:00')", "time('23:59:59')", "time('08:30')"]),
            Kind::Duration => self.pick(&["days(1)", "hours(-5)", "minutes(90)", "seconds(9223372036854775807)", "days(4000000)"]),
            // Texts become ids beside a link only: a link stands beside it everywhere.
            Kind::Link | Kind::Money => format!("coalesce(null, {})", if kind == Kind::Link { "record.org" } else { "record.m1" }),
        }
    }

    /// `if`, `case` and `coalesce` of one kind.
    fn choice(&mut self, kind: Kind, depth: u32, about: About) -> String {
        let depth = depth.saturating_sub(1);
        let (a, b) = (self.of(kind, depth, about), self.of(kind, depth, about));
        match self.dice.below(4) {
            0 => format!("coalesce({a}, {b})"),
            1 => format!("if({}, {a}, {b})", self.of(Kind::Bool, depth, about)),
            2 => format!("case when {} then {a} else {b} end", self.of(Kind::Bool, depth, about)),
            _ => format!("if({}, {a}, null)", self.of(Kind::Bool, depth, about)),
        }
    }

    fn bool(&mut self, depth: u32, about: About) -> String {
        let kind = *self.dice.pick(&KINDS);
        match self.dice.below(18) {
            17 if about == About::Thing => self.pick(&[
                "marks has_any ('green', '蓝')",
                "marks has_any ('red')",
                "marks has_all ('red', '蓝')",
                "marks is not null",
                "stage = 'won'",
                "stage != 'lost'",
                "stage in ('new', 'won')",
            ]),
            16 => {
                let id = relata::base::RecordId(1_000 + i64::from(self.dice.below(8))).display("org");
                let owner = if about == About::Thing { "owner" } else { "record.owner" };
                let choice = [
                    format!("{owner} = me()"),
                    format!("({owner} != me())"),
                    format!("record.org = '{id}'"),
                    format!("(record.org in ('{id}', record.org))"),
                ];
                self.dice.pick(&choice).clone()
            }
            0 => format!("({} and {})", self.of(Kind::Bool, depth, about), self.of(Kind::Bool, depth, about)),
            1 => format!("({} or {})", self.of(Kind::Bool, depth, about), self.of(Kind::Bool, depth, about)),
            2 | 3 => format!("not ({})", self.of(Kind::Bool, depth, about)),
            4 => format!("({}) is {}null", self.of(kind, depth, about), if self.dice.chance(50) { "not " } else { "" }),
            5 => self.membership(depth, about),
            6 => {
                let kind = *self.dice.pick(&[Kind::Int, Kind::Decimal, Kind::Date, Kind::Text, Kind::DateTime]);
                let item = self.of(kind, depth, about);
                format!("(({item}) between {} and {})", self.of(kind, 1, about), self.of(kind, 1, about))
            }
            7 | 8 => self.text_match(about),
            9 if about == About::Thing => self.pick(&[
                "marks has 'red'",
                "marks has_any ('green', '蓝')",
                "marks has_all ('red', '蓝')",
                "marks is null",
                "not marks has 'green'",
            ]),
            10 | 11 if about == About::Thing && self.rows > 0 => self.quantifier(depth),
            12 if about == About::Thing => {
                // The form that becomes a range of moments.
                let op = self.pick(&["=", "!=", "<", "<=", ">", ">="]);
                format!("date(at) {op} date('2026-{}')", self.dice.pick(&["03-08", "11-01", "11-21"]))
            }
            _ => self.comparison(kind, depth, about),
        }
    }

    fn comparison(&mut self, kind: Kind, depth: u32, about: About) -> String {
        let equality = matches!(kind, Kind::Bool | Kind::Link);
        let op = if equality { self.pick(&["=", "!="]) } else { self.pick(&["=", "!=", "<", "<=", ">", ">="]) };
        let left = self.of(kind, depth, about);
        let other = match kind {
            Kind::Int | Kind::Decimal => *self.dice.pick(&[Kind::Int, Kind::Decimal]),
            Kind::Money => *self.dice.pick(&[Kind::Money, Kind::Decimal]),
            Kind::Duration => *self.dice.pick(&[Kind::Duration, Kind::Int]),
            Kind::DateTime => *self.dice.pick(&[Kind::DateTime, Kind::Date]),
            same => same,
        };
        format!("(({left}) {op} ({}))", self.of(other, depth, about))
    }

    fn membership(&mut self, depth: u32, about: About) -> String {
        let kind = *self.dice.pick(&[Kind::Int, Kind::Text, Kind::Date, Kind::Decimal]);
        let not = if self.dice.chance(40) { "not " } else { "" };
        let item = self.of(kind, depth, about);
        let list = [self.literal(kind), self.of(kind, 1, about), self.literal(kind)].join(", ");
        format!("(({item}) {not}in ({list}))")
    }

    fn text_match(&mut self, about: About) -> String {
        let field = match about {
            About::Thing => self.pick(&["t1", "t2", "org.name"]),
            About::Line => self.pick(&["note", "record.t1"]),
            About::Member => self.pick(&["role", "name", "org.name"]),
        };
        let word = self.pick(&["contains", "starts_with", "ends_with", "like", "not contains", "not like"]);
        let pattern = if word.ends_with("like") {
            self.pick(&["'a%'", "'%C'", "'_b%'", "'%客户%'", "'100\\%%'", "'%\\'", "''", "'%straße'", "'__'", "'%ß%'"])
        } else {
            self.pick(&["'a'", "'BC'", "'客户'", "''", "'ä'", "'ＡＢ'", "'İ'", "'%'", "upper('a')", "record.t2", "record.t1"])
        };
        let pattern = if about == About::Thing { pattern.replace("record.", "") } else { pattern };
        format!("({field} {word} {pattern})")
    }

    fn quantifier(&mut self, depth: u32) -> String {
        self.rows -= 1;
        let word = self.pick(&["exists", "none", "all"]);
        let (field, about) = if self.dice.chance(60) { ("lines", About::Line) } else { ("orgs", About::Member) };
        let filter = self.of(Kind::Bool, depth.min(2), about);
        if word != "all" && self.dice.chance(20) { format!("{word}({field})") } else { format!("{word}({field} where {filter})") }
    }

    /// An aggregate of a kind, if one is allowed here.
    fn aggregate(&mut self, kind: Kind, depth: u32, about: About) -> Option<String> {
        if about != About::Thing || self.rows == 0 {
            return None;
        }
        self.rows -= 1;
        let filter =
            if self.dice.chance(50) { format!(" where {}", self.of(Kind::Bool, depth.min(2), About::Line)) } else { String::new() };
        let inner = if self.dice.chance(50) { 0 } else { depth.min(2) };
        let value = |this: &mut Self, kind: Kind| this.of(kind, inner, About::Line);
        Some(match kind {
            Kind::Int => match self.dice.below(4) {
                0 => format!("count(lines{filter})"),
                1 => format!("count(orgs where {})", self.of(Kind::Bool, 1, About::Member)),
                2 => format!("{}(lines, {}{filter})", self.pick(&["sum", "min", "max"]), value(self, Kind::Int)),
                _ => format!("{}(lines.qty{filter})", self.pick(&["sum", "min", "max"])),
            },
            Kind::Decimal => match self.dice.below(3) {
                0 => format!("avg(lines.price{filter})"),
                1 => format!("avg(lines.qty{filter})"),
                _ => format!("{}(lines, {}{filter})", self.pick(&["sum", "min", "max", "avg"]), value(self, Kind::Decimal)),
            },
            Kind::Text => format!("{}(lines, {}{filter})", self.pick(&["min", "max"]), value(self, Kind::Text)),
            Kind::Date => format!("{}(lines, {}{filter})", self.pick(&["min", "max"]), value(self, Kind::Date)),
            Kind::DateTime => format!("{}(lines.at{filter})", self.pick(&["min", "max"])),
            Kind::Duration => format!("{}(lines, {}{filter})", self.pick(&["sum", "min", "max"]), value(self, Kind::Duration)),
            Kind::Money => {
                if self.dice.chance(50) {
                    format!("sum(lines.total{filter})")
                } else {
                    format!("sum(lines, {}{filter})", value(self, Kind::Money))
                }
            }
            _ => return None,
        })
    }

    fn int(&mut self, depth: u32, about: About) -> String {
        use Kind::{Date, DateTime, Decimal, Duration, Int, Text, Time};
        let mut of = |kind: Kind| self.of(kind, depth, about);
        let (a, b) = (of(Int), of(Int));
        match self.dice.below(19) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} * {b})"),
            3 => format!("({a} % {b})"),
            4 => format!("-({a})"),
            5 => format!("abs({a})"),
            6 => format!("{}({})", self.pick(&["round", "floor", "ceil"]), self.of(Decimal, depth, about)),
            7 => format!("{}({a}, {b}, 5)", self.pick(&["min", "max"])),
            8 => format!("length({})", self.of(Text, depth, about)),
            9 | 10 => {
                let kind = if self.dice.chance(40) { DateTime } else { Date };
                format!("{}({})", self.pick(&["year", "quarter", "month", "day", "weekday"]), self.of(kind, depth, about))
            }
            11 | 12 => {
                let kind = if self.dice.chance(30) { Time } else { DateTime };
                format!("{}({})", self.pick(&["hour", "minute"]), self.of(kind, depth, about))
            }
            13 => format!("days_between({}, {})", self.of(Date, depth, about), self.of(DateTime, depth, about)),
            14 => format!("hours_between({}, {})", self.of(DateTime, depth, about), self.of(DateTime, depth, about)),
            15 => format!("in_seconds({})", self.of(Duration, depth, about)),
            16 => format!("({} - {})", self.of(Date, depth, about), self.of(Date, depth, about)),
            _ => self.aggregate(Int, depth, about).unwrap_or(a),
        }
    }

    fn decimal(&mut self, depth: u32, about: About) -> String {
        use Kind::{Decimal, Int, Money};
        let first = *self.dice.pick(&[Int, Decimal]);
        let either = *self.dice.pick(&[Decimal, Money]);
        let (a, b) = (self.of(first, depth, about), self.of(Decimal, depth, about));
        match self.dice.below(12) {
            0 => format!("({a} + {b})"),
            1 => format!("({b} - {a})"),
            2 => format!("({a} * {b})"),
            3 => format!("({a} % {b})"),
            4 | 5 => format!("({a} / {b})"),
            6 => format!("-({b})"),
            7 => format!("abs({})", self.of(either, depth.min(2), about)),
            8 => format!("round({b}, {})", self.dice.pick(&["1", "2", "5"])),
            9 => format!("{}({a}, {b})", self.pick(&["min", "max"])),
            10 => format!("({} / {})", self.of(Money, depth.min(2), about), self.of(Money, depth.min(2), about)),
            _ => self.aggregate(Decimal, depth, about).unwrap_or(b),
        }
    }

    fn text(&mut self, depth: u32, about: About) -> String {
        use Kind::{Date, Decimal, Int, Text};
        let a = self.of(Text, depth, about);
        let printable = *self.dice.pick(&[Text, Int, Decimal, Date]);
        let small = self.pick(&["0", "1", "2", "5", "-3", "12"]);
        match self.dice.below(13) {
            0 => format!("upper({a})"),
            1 => format!("lower({a})"),
            2 => format!("trim({a})"),
            3 => format!("substring({a}, {small}, {})", self.of(Int, 1, about)),
            4 => format!("left({a}, {small})"),
            5 => format!("right({a}, {})", self.of(Int, 1, about)),
            6 => format!("replace({a}, {}, {})", self.of(Text, 1, about), self.of(Text, 1, about)),
            7 => format!("pad_left({a}, {small}, {})", self.of(Text, 1, about)),
            8 => format!("pad_right({a}, {small}, '客x')"),
            9 => format!("concat({a}, {})", self.of(printable, depth, about)),
            10 => format!("text({})", self.of(printable, depth, about)),
            11 => format!("concat('<', {a}, {}, '>')", self.of(Date, 1, about)),
            _ => self.aggregate(Text, depth, about).unwrap_or(a),
        }
    }

    fn date(&mut self, depth: u32, about: About) -> String {
        let a = self.of(Kind::Date, depth, about);
        let n = self.of(Kind::Int, depth.min(2), about);
        match self.dice.below(8) {
            0 => format!("({a} + {n})"),
            1 => format!("({a} - {n})"),
            2 => format!("{}({a}, {n})", self.pick(&["add_months", "add_years"])),
            3 => format!("date({})", self.of(Kind::DateTime, depth, about)),
            4 | 5 => {
                let words = [
                    "start_of_week",
                    "start_of_month",
                    "start_of_quarter",
                    "start_of_year",
                    "end_of_week",
                    "end_of_month",
                    "end_of_quarter",
                    "end_of_year",
                ];
                format!("{}({a})", self.pick(&words))
            }
            6 => format!("{}({a}, {})", self.pick(&["add_months", "add_years"]), self.pick(&["1", "-1", "-13", "120000"])),
            _ => self.aggregate(Kind::Date, depth, about).unwrap_or(a),
        }
    }

    fn moment(&mut self, depth: u32, about: About) -> String {
        let a = self.of(Kind::DateTime, depth, about);
        match self.dice.below(3) {
            0 => format!("({a} + {})", self.of(Kind::Duration, depth, about)),
            1 => format!("({a} - {})", self.of(Kind::Duration, depth, about)),
            _ => self.aggregate(Kind::DateTime, depth, about).unwrap_or(a),
        }
    }

    fn time(&mut self, depth: u32, about: About) -> String {
        let (a, b) = (self.of(Kind::Time, depth, about), self.of(Kind::Time, depth, about));
        format!("coalesce({a}, {b})")
    }

    fn duration(&mut self, depth: u32, about: About) -> String {
        use Kind::{DateTime, Duration, Int, Time};
        let a = self.of(Duration, depth, about);
        match self.dice.below(8) {
            0 => format!("({a} + {})", self.of(Duration, depth, about)),
            1 => format!("({a} - {})", self.of(Duration, depth, about)),
            2 => format!("({a} * {})", self.of(Int, depth, about)),
            3 => format!("({} - {})", self.of(DateTime, depth, about), self.of(DateTime, depth, about)),
            4 => format!("({} - {})", self.of(Time, depth, about), self.of(Time, depth, about)),
            5 => format!("{}({})", self.pick(&["days", "hours", "minutes", "seconds"]), self.of(Int, depth, about)),
            6 => format!("-({a})"),
            _ => self.aggregate(Duration, depth, about).unwrap_or(a),
        }
    }

    fn money(&mut self, depth: u32, about: About) -> String {
        let depth = depth.min(2);
        let a = self.of(Kind::Money, depth, about);
        let number = *self.dice.pick(&[Kind::Int, Kind::Decimal]);
        match self.dice.below(7) {
            0 => format!("({a} + {})", self.of(Kind::Money, depth, about)),
            1 => format!("({a} - {})", self.of(Kind::Money, depth, about)),
            2 => format!("({a} * {})", self.of(number, depth, about)),
            3 => format!("({} * {a})", self.of(number, depth, about)),
            4 => format!("({a} / {})", self.of(number, depth, about)),
            5 => format!("-({a})"),
            _ => self.aggregate(Kind::Money, depth, about).unwrap_or(a),
        }
    }
}
