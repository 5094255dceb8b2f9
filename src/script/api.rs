//! The list of all that a script can call: checked against by `check`, printed in docs/scripting.md, served to editors.

use super::limits::Kind;

/// The moments at which a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    All,
    /// after_write, after_commit, button, schedule: those that may write other records.
    Writing,
    /// before_save, before_delete, after_write, button: those that can still refuse.
    Refusing,
}

impl Kinds {
    pub fn has(self, kind: Kind) -> bool {
        match self {
            Kinds::All => true,
            Kinds::Writing => kind.may_write(),
            Kinds::Refusing => kind.may_reject(),
        }
    }

    /// For messages and the reference.
    pub fn words(self) -> &'static str {
        match self {
            Kinds::All => "every script",
            Kinds::Writing => "after_write, after_commit, button, schedule",
            Kinds::Refusing => "before_save, before_delete, after_write, button",
        }
    }
}

/// A function with all the ways to call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiFunction {
    pub name: &'static str,
    /// As written in a script; several ways are separated by ` · `.
    pub signature: &'static str,
    pub group: &'static str,
    /// Allowed numbers of arguments; the receiver of a method counts as the first.
    pub arguments: &'static [usize],
    pub kinds: Kinds,
    pub doc: &'static str,
}

/// Every function a script can call, by group.
pub fn api() -> &'static [ApiFunction] {
    API
}

/// The list as JSON, for an editor's completion.
pub fn api_json() -> serde_json::Value {
    let functions = API.iter().map(|function| {
        let kinds: Vec<&str> = Kind::ALL.iter().filter(|kind| function.kinds.has(**kind)).map(|kind| kind.word()).collect();
        serde_json::json!({
            "name": function.name,
            "signatures": function.signature.split(" · ").collect::<Vec<_>>(),
            "group": function.group,
            "arguments": function.arguments,
            "triggers": kinds,
            "doc": function.doc,
        })
    });
    serde_json::json!({"functions": functions.collect::<Vec<_>>()})
}

const fn f(
    group: &'static str,
    name: &'static str,
    arguments: &'static [usize],
    kinds: Kinds,
    signature: &'static str,
    doc: &'static str,
) -> ApiFunction {
    ApiFunction { name, signature, group, arguments, kinds, doc }
}

use Kinds::{All, Refusing, Writing};

const API: &[ApiFunction] = &[
    f(
        "Refusing and telling",
        "reject",
        &[1, 3],
        Refusing,
        "reject(message) · reject(field, code, message)",
        "Refuses what is going on. Several rejects are all shown; the script runs on.",
    ),
    f(
        "Refusing and telling",
        "warn",
        &[1, 3],
        All,
        "warn(message) · warn(field, code, message)",
        "Tells the person something without refusing.",
    ),
    f("Refusing and telling", "log", &[1], All, "log(value)", "Writes a line to the server's log, with the script's id."),
    f(
        "Reading records",
        "find",
        &[1, 2, 3, 4],
        All,
        "find(entity) · find(entity, filter) · find(entity, filter, values) · find(entity, filter, values, options) · list.find(|x| …)",
        "Records that match a filter of the expression language. `:name` in the filter stands for `values.name`. Options: `sort` (a field or a list, `-` in front sorts downwards), `limit` (100, at most 1000).",
    ),
    f(
        "Reading records",
        "first",
        &[2, 3, 4],
        All,
        "first(entity, filter) · first(entity, filter, values) · first(entity, filter, values, options)",
        "The first record that matches, or `()`.",
    ),
    f(
        "Reading records",
        "count",
        &[1, 2, 3],
        All,
        "count(entity) · count(entity, filter) · count(entity, filter, values)",
        "How many records match.",
    ),
    f(
        "Reading records",
        "get",
        &[2],
        All,
        "get(entity, id) · map.get(name)",
        "The record with this id, or `()`. `get(entity, ())` is `()`.",
    ),
    f(
        "Reading records",
        "aggregate",
        &[2],
        All,
        "aggregate(entity, #{filter, values, group, measures, limit})",
        "Groups and measures: `aggregate(\"deal\", #{group: \"stage\", measures: #{total: \"sum(amount.base)\"}})` gives a list of maps.",
    ),
    f("Reading records", "changed", &[3], All, "changed(rec, old, field)", "Whether a field holds something else than before."),
    f("Reading records", "entity", &[1], All, "entity(record)", "The short name of a record's entity."),
    f("Writing records", "create", &[2], Writing, "create(entity, values)", "Creates a record through all its rules and gives it."),
    f(
        "Writing records",
        "update",
        &[2, 3],
        Writing,
        "update(record, values) · update(entity, id, values)",
        "Changes a record through all its rules and gives it.",
    ),
    f("Writing records", "delete", &[1, 2], Writing, "delete(record) · delete(entity, id)", "Deletes a record."),
    f(
        "Writing records",
        "enqueue",
        &[2, 3],
        Writing,
        "enqueue(script, payload) · enqueue(script, payload, delay_seconds)",
        "Runs another script later; it finds the payload in `ctx.payload`. The job is written with this transaction.",
    ),
    f(
        "Money and numbers",
        "money",
        &[1, 2],
        All,
        "money(number) · money(number, currency) · money(text, currency)",
        "An amount; without a currency in the workspace's.",
    ),
    f("Money and numbers", "decimal", &[1], All, "decimal(text) · decimal(number)", "An exact decimal number."),
    f("Money and numbers", "round", &[1, 2], All, "round(number, digits) · round(money, digits)", "Rounded half to even."),
    f("Money and numbers", "round_even", &[2], All, "round_even(number, digits)", "Rounded half to even; integers stay as they are."),
    f("Money and numbers", "round_up", &[2], All, "round_up(decimal, digits)", "Rounded away from zero."),
    f("Money and numbers", "round_down", &[2], All, "round_down(decimal, digits)", "Rounded towards zero."),
    f("Money and numbers", "round_half_up", &[2], All, "round_half_up(decimal, digits)", "Rounded, halves away from zero."),
    f("Money and numbers", "round_half_down", &[2], All, "round_half_down(decimal, digits)", "Rounded, halves towards zero."),
    f("Money and numbers", "floor", &[1], All, "floor(decimal)", "The next lower whole number."),
    f("Money and numbers", "ceiling", &[1], All, "ceiling(decimal)", "The next higher whole number."),
    f("Money and numbers", "abs", &[1], All, "abs(number)", "Without its sign."),
    f("Money and numbers", "sign", &[1], All, "sign(number)", "-1, 0 or 1."),
    f("Money and numbers", "is_zero", &[1], All, "is_zero(number)", "Whether it is zero."),
    f("Money and numbers", "is_odd", &[1], All, "is_odd(integer)", "Whether it is odd."),
    f("Money and numbers", "is_even", &[1], All, "is_even(integer)", "Whether it is even."),
    f("Money and numbers", "min", &[2], All, "min(a, b)", "The smaller."),
    f("Money and numbers", "max", &[2], All, "max(a, b)", "The greater."),
    f("Money and numbers", "to_int", &[1], All, "to_int(decimal)", "The whole part as an integer."),
    f("Money and numbers", "to_decimal", &[1], All, "to_decimal(integer)", "The same number as a decimal."),
    f("Money and numbers", "parse_int", &[1, 2], All, "parse_int(text) · parse_int(text, radix)", "An integer from a text."),
    f("Money and numbers", "parse_decimal", &[1], All, "parse_decimal(text)", "A decimal from a text."),
    f("Dates and times", "today", &[0], All, "today()", "The current day in the workspace's time zone."),
    f("Dates and times", "now", &[0], All, "now()", "The current instant; the same during one run."),
    f(
        "Dates and times",
        "date",
        &[1, 3],
        All,
        "date(text) · date(year, month, day)",
        "A date. `date + 3` and `date - 3` move by days, `date - date` counts days. Properties: year, month, day, quarter, weekday (Monday is 1).",
    ),
    f(
        "Dates and times",
        "datetime",
        &[1],
        All,
        "datetime(text)",
        "An instant, `2026-11-21T08:00:00Z`. Properties in the workspace's zone: date, year, month, day, weekday, hour, minute, second. `datetime - datetime` counts seconds.",
    ),
    f("Dates and times", "time", &[1], All, "time(text)", "A time of day, `08:30`. Properties: hour, minute, second."),
    f(
        "Dates and times",
        "format",
        &[2],
        All,
        "format(date, pattern) · format(datetime, pattern)",
        "Text with yyyy, MM, dd, HH, mm, ss replaced.",
    ),
    f("Dates and times", "days_between", &[2], All, "days_between(from, to)", "Whole days from the first to the second."),
    f("Dates and times", "add_days", &[2], All, "add_days(date, n)", "n days later."),
    f("Dates and times", "add_months", &[2], All, "add_months(date, n)", "The same day n months later, or that month's last day."),
    f("Dates and times", "add_years", &[2], All, "add_years(date, n)", "The same day n years later; 29 February becomes the 28th."),
    f("Dates and times", "with_year", &[2], All, "with_year(date, year)", "The same day of another year; 29 February becomes the 28th."),
    f("Dates and times", "start_of_week", &[1], All, "start_of_week(date)", "Its Monday."),
    f("Dates and times", "start_of_month", &[1], All, "start_of_month(date)", "Its first."),
    f("Dates and times", "end_of_month", &[1], All, "end_of_month(date)", "Its last."),
    f("Dates and times", "at", &[2], All, "at(date, time)", "The instant at which the workspace's clocks show `time` on that day."),
    f("Dates and times", "add_seconds", &[2], All, "add_seconds(datetime, n)", "n seconds later."),
    f("Dates and times", "add_minutes", &[2], All, "add_minutes(datetime, n)", "n minutes later."),
    f("Dates and times", "add_hours", &[2], All, "add_hours(datetime, n)", "n hours later."),
    f("Text", "fold", &[1], All, "fold(text)", "Lower case and plain width, as searches compare."),
    f("Text", "digits", &[1], All, "digits(text)", "Only its digits 0 to 9."),
    f("Text", "matches", &[2], All, "matches(text, pattern)", "Whether a regular expression is found in it (linear time)."),
    f("Text", "join", &[2], All, "join(list, separator)", "The items as one text."),
    f("Text", "trim", &[1], All, "text.trim()", "Takes spaces off both ends, in place."),
    f("Text", "to_upper", &[1], All, "text.to_upper()", "In capital letters."),
    f("Text", "to_lower", &[1], All, "text.to_lower()", "In small letters."),
    f("Text", "contains", &[2], All, "text.contains(part) · list.contains(item) · map.contains(name)", "Whether it is in there."),
    f("Text", "starts_with", &[2], All, "text.starts_with(part)", "Whether it begins so."),
    f("Text", "ends_with", &[2], All, "text.ends_with(part)", "Whether it ends so."),
    f("Text", "index_of", &[2, 3], All, "text.index_of(part) · list.index_of(item)", "Where it is first found, from 0; -1 if nowhere."),
    f("Text", "sub_string", &[2, 3], All, "text.sub_string(start) · text.sub_string(start, length)", "A part, counted in characters."),
    f("Text", "replace", &[3], All, "text.replace(part, other)", "Replaces every occurrence, in place."),
    f("Text", "split", &[1, 2, 3], All, "text.split(separator) · list.split(index)", "A list of parts."),
    f("Text", "split_rev", &[2, 3], All, "text.split_rev(separator)", "Parts from the end."),
    f("Text", "crop", &[2, 3], All, "text.crop(start, length)", "Keeps only a part, in place."),
    f("Text", "chars", &[1, 2, 3], All, "text.chars()", "Its characters, for `for`."),
    f("Text", "to_chars", &[1], All, "text.to_chars()", "A list of its characters."),
    f("Text", "bytes", &[1], All, "text.bytes()", "Its length in UTF-8 bytes."),
    f("Text", "make_upper", &[1], All, "text.make_upper()", "Capital letters, in place."),
    f("Text", "make_lower", &[1], All, "text.make_lower()", "Small letters, in place."),
    f("Text", "to_string", &[1], All, "value.to_string()", "As text."),
    f("Text", "to_json", &[1], All, "to_json(value)", "As JSON text."),
    f("Text", "parse_json", &[1], All, "parse_json(text)", "Reads JSON: maps, lists, texts, integers, decimals."),
    f("Text", "hash", &[1], All, "hash(text)", "SHA-256, in hexadecimal."),
    f("Text", "uuid", &[0], All, "uuid()", "A random identifier."),
    f("Lists and maps", "len", &[1], All, "list.len() · text.len() · map.len()", "How many items or characters."),
    f("Lists and maps", "is_empty", &[1], All, "list.is_empty()", "Whether there is nothing in it."),
    f("Lists and maps", "push", &[2], All, "list.push(item)", "Adds at the end."),
    f("Lists and maps", "append", &[2], All, "list.append(list) · text.append(value)", "Adds all items at the end."),
    f("Lists and maps", "insert", &[3], All, "list.insert(index, item)", "Puts an item at a place."),
    f("Lists and maps", "pop", &[1, 2], All, "list.pop()", "Takes the last item."),
    f("Lists and maps", "shift", &[1], All, "list.shift()", "Takes the first item."),
    f("Lists and maps", "remove", &[2], All, "list.remove(index) · map.remove(name) · text.remove(part)", "Takes an item away."),
    f("Lists and maps", "clear", &[1], All, "list.clear()", "Empties it."),
    f("Lists and maps", "truncate", &[2], All, "list.truncate(length)", "Cuts off the end."),
    f("Lists and maps", "chop", &[2], All, "list.chop(length)", "Cuts off the beginning."),
    f("Lists and maps", "reverse", &[1], All, "list.reverse()", "Turns it round, in place."),
    f("Lists and maps", "pad", &[3], All, "list.pad(length, item) · text.pad(length, character)", "Fills up to a length."),
    f("Lists and maps", "extract", &[2, 3], All, "list.extract(start, length)", "A copy of a part."),
    f("Lists and maps", "splice", &[3, 4], All, "list.splice(start, length, list)", "Replaces a part."),
    f("Lists and maps", "map", &[2], All, "list.map(|x| …)", "A list of results."),
    f("Lists and maps", "filter", &[2], All, "list.filter(|x| …)", "The items for which it is true."),
    f("Lists and maps", "find_map", &[2, 3], All, "list.find_map(|x| …)", "The first result that is not `()`."),
    f("Lists and maps", "some", &[2], All, "list.some(|x| …)", "Whether it is true for one."),
    f("Lists and maps", "all", &[2], All, "list.all(|x| …)", "Whether it is true for all."),
    f("Lists and maps", "for_each", &[2], All, "list.for_each(|| …)", "Does it with each as `this`."),
    f("Lists and maps", "reduce", &[2, 3], All, "list.reduce(|sum, x| …, start)", "One value from all."),
    f("Lists and maps", "reduce_rev", &[2, 3], All, "list.reduce_rev(|sum, x| …, start)", "The same from the end."),
    f("Lists and maps", "sort", &[1, 2], All, "list.sort() · list.sort(|a, b| …)", "Sorts in place."),
    f("Lists and maps", "sort_desc", &[1], All, "list.sort_desc()", "Sorts in place, downwards."),
    f("Lists and maps", "order", &[1, 2], All, "list.order() · list.order(|a, b| …)", "A sorted copy."),
    f("Lists and maps", "order_desc", &[1], All, "list.order_desc()", "A sorted copy, downwards."),
    f("Lists and maps", "dedup", &[1, 2], All, "list.dedup()", "Removes repeated neighbours."),
    f("Lists and maps", "zip", &[3], All, "list.zip(list, |a, b| …)", "Joins two lists item by item."),
    f("Lists and maps", "drain", &[2, 3], All, "list.drain(|x| …)", "Takes out the items for which it is true."),
    f("Lists and maps", "retain", &[2, 3], All, "list.retain(|x| …)", "Keeps the items for which it is true."),
    f("Lists and maps", "set", &[3], All, "list.set(index, item) · map.set(name, value)", "Sets an item."),
    f("Lists and maps", "keys", &[1], All, "map.keys()", "Its names."),
    f("Lists and maps", "values", &[1], All, "map.values()", "Its values."),
    f("Lists and maps", "mixin", &[2], All, "map.mixin(map)", "Takes over all entries of another."),
    f("Lists and maps", "fill_with", &[2], All, "map.fill_with(map)", "Takes over the entries it lacks."),
    f("Lists and maps", "range", &[2, 3], All, "range(from, to) · range(from, to, step)", "Numbers, for `for`."),
    f("Lists and maps", "call", &[1, 2, 3, 4, 5], All, "function.call(…)", "Calls a closure."),
    f("Lists and maps", "type_of", &[1], All, "type_of(value)", "The name of a value's type."),
];
