//! Automations and events by dice: every trigger and every step that there is.
//!
//! Events write fields `f0` to `f9`, `both`, `stage`; automations write `e0` to `e9`, `both`, `phase`, `helper` and what they
//! make. What somebody saves without changing anything leaves nothing in the history, so that nothing knows of it afterwards:
//! here no save of an event is one, whatever automations did before it.

use std::fmt::Write as _;
use std::path::Path;

use relata::base::{Random, SeededRandom};
use serde_json::{Value, json};

/// The workspace, and with a service clock of deals: time is looked at every minute then.
pub fn definitions(with_clocks: bool) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/what_if");
    let mut files = vec!["relata.yaml", "package.yaml"];
    files.extend(with_clocks.then_some("clocks.yaml"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of the case");
    let path = |name: &str| if name == "relata.yaml" { name.to_owned() } else { format!("definitions/shop/{name}") };
    files.into_iter().map(|name| (path(name), read(name))).collect()
}

pub struct Dice(SeededRandom);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    pub fn below(&self, limit: u64) -> u64 {
        self.0.next_u64() % limit.max(1)
    }

    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).expect("small")]
    }
}

/// Automations that steps begin.
const CALLED: u64 = 6;

/// So many automations; the first ones have each trigger and each step once.
pub fn automations(count: u64, seed: u64, with_clocks: bool) -> String {
    let dice = Dice::new(seed);
    let mut out = String::new();
    for number in 0..count {
        if number > 0 {
            out.push_str("---\n");
        }
        let _ = write!(out, "kind: automation\nfor: deal\nid: a{number}\n");
        let trigger = if number < CALLED { "{event: called}".to_owned() } else { trigger(&dice, number, with_clocks) };
        let _ = writeln!(out, "trigger: {trigger}");
        if let Some(when) = condition(&dice, number, &trigger) {
            let _ = writeln!(out, "when: \"{when}\"");
        }
        let is_timed = ["schedule", "due", "clock"].iter().any(|word| trigger.starts_with(&format!("{{event: {word}")));
        match dice.below(8) {
            _ if is_timed => out.push_str("run_as: [writer]\n"),
            0 => out.push_str("run_as: [looker]\n"),
            1..=3 => out.push_str("run_as: [writer]\n"),
            _ => {}
        }
        out.push_str("steps:\n");
        // What is begun by others begins nobody itself: a chain has an end. A record that is gone is not changed.
        let kinds: &[u64] = match () {
            () if number < CALLED => &[0, 1, 2, 3, 4, 5, 6, 7],
            () if trigger.contains("deleted") => &[1, 3, 4, 12],
            () => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        };
        let len = kinds.len() as u64;
        for at in 0..=dice.below(3) {
            let place = if at == 0 { number % len } else { dice.below(len) };
            let kind = kinds[usize::try_from(place).expect("small")];
            let _ = writeln!(out, "  - {}", step(&dice, kind, number, at));
        }
    }
    out
}

fn trigger(dice: &Dice, number: u64, with_clocks: bool) -> String {
    let field = dice.below(10);
    match number % if with_clocks { 12 } else { 11 } {
        0 => "{event: created}".to_owned(),
        1 | 2 => format!("{{event: updated, watch: [f{field}]}}"),
        // Automations write `both`, too: a few are enough to begin one another.
        3 if number < 72 => format!("{{event: updated, watch: [f{field}, both]}}"),
        3 => format!("{{event: updated, watch: [f{field}, stage]}}"),
        4 => format!("{{event: updated, watch: [e{field}]}}"),
        // Whatever changes: two of them, or the log of runs that came to nothing is most of the work.
        5 if number < 24 => "{event: updated}".to_owned(),
        5 => format!("{{event: updated, watch: [f{field}, stage]}}"),
        6 => "{event: deleted}".to_owned(),
        7 => format!("{{event: stage, pipeline: sales, to: {}}}", dice.one(&["offer", "won", "[won, lost]"])),
        8 => format!("{{event: stage, pipeline: care, from: [one], to: {}}}", dice.one(&["two", "three"])),
        9 => format!("{{event: schedule, cron: \"{} */6 * * *\", tz: UTC, limit: 5000}}", dice.below(60)),
        10 if number % 24 == 10 => format!("{{event: due, field: close_on, days: -{}, at: \"08:00\"}}", 1 + dice.below(3)),
        10 => "{event: due, field: due_at, hours: 1}".to_owned(),
        _ => format!("{{event: clock, clock: answer, {}: 1h}}", dice.one(&["before", "after"])),
    }
}

fn condition(dice: &Dice, number: u64, trigger: &str) -> Option<String> {
    let (field, limit) = (dice.below(10), dice.below(100));
    match () {
        () if trigger.starts_with("{event: updated}") => Some(format!("f{field} > 70 and (old.f{field} is null or old.f{field} <= 70)")),
        () if trigger.starts_with("{event: schedule") => Some(format!("f{field} > {}", 80 + limit / 10)),
        () if number.is_multiple_of(5) => None,
        () if trigger.contains("watch: [e") => Some(format!("e{} > {}", dice.below(10), limit)),
        () => Some(format!("f{field} {} {limit}", dice.one(&[">", "<=", "!="]))),
    }
}

fn step(dice: &Dice, kind: u64, number: u64, at: u64) -> String {
    let (e, f, small) = (dice.below(10), dice.below(10), dice.below(20));
    match kind {
        0 => format!("{{do: set, values: {{e{e}: \"=e{e} + f{f} + 1\"}}}}"),
        1 => format!(
            "{{do: create, entity: remark, values: {{subject: \"=concat('N{number}.{at} ', name)\", n: \"=f{f}\", deal: \"=id\"}}}}"
        ),
        2 => format!("{{do: task, due_in: 3, values: {{subject: \"=concat('T{number}.{at} ', name)\", about: \"=id\"}}}}"),
        3 => format!("{{do: update, entity: account, match: {{id: \"=account\"}}, values: {{level: \"=e{e} + {small}\"}}}}"),
        // Each remark once, or a deal with a hundred of them changes all of them for ever.
        4 => format!(
            "{{do: update, entity: remark, match: {{deal: \"=id\"}}, where: \"n < 60\", values: {{n: \"=e{e} + {}\"}}}}",
            60 + small
        ),
        5 => format!("{{do: set, values: {{both: \"=both + {}\", text: \"=concat(text, '.{number}')\"}}}}", 1_000_000 + number),
        6 => "{do: notify, to: [rep, \"=owner\"], text: {en: \"{name} moved on\"}}".to_owned(),
        7 => format!(
            "{{do: branch, if: \"e{e} > f{f}\", then: [{{do: set, values: {{e{f}: \"=f{e}\"}}}}], else: [{{do: set, values: {{e{e}: {small}}}}}]}}"
        ),
        8 => format!(
            "{{do: loop, entity: deal, match: {{account: \"=account\"}}, where: \"f{f} > 95\", limit: 50, automation: a{}}}",
            dice.below(CALLED)
        ),
        9 => format!("{{do: run, automation: a{}}}", dice.below(CALLED)),
        10 => format!("{{do: assign, to: [rep], field: helper, by: {}}}", dice.one(&["turn", "load"])),
        11 => "{do: email, to: [\"=owner\", \"client@example.com\", \"=account.email\"], template: letter}".to_owned(),
        12 => format!("{{do: webhook, to: billing, type: deal.seen, values: {{name: \"=name\", at: \"=e{e}\"}}}}"),
        13 => "{do: script, script: rank}".to_owned(),
        14 => format!("{{do: wait, time: {}h}}", 1 + small),
        15 => format!(
            "{{do: wait_for, if: \"f{f} > 60\", time: {}m, else: [{{do: set, values: {{phase: {}}}}}]}}",
            20 * (1 + small),
            dice.one(&["two", "three"])
        ),
        _ => format!("{{do: approval, approval: large, then: [{{do: set, values: {{e{e}: 1}}}}]}}"),
    }
}

/// Something that somebody does.
#[derive(Debug, Clone)]
pub enum Deed {
    Account(Value),
    ChangeAccount(usize, Value),
    /// With the account of this number.
    Deal(usize, Value),
    Change(usize, Value),
    Delete(usize),
}

/// One of them: so many milliseconds after the one before, by the person of this number.
pub type Event = (i64, usize, Deed);

/// So many events, `people` who do them, about this many records that are there already.
pub fn events(count: usize, people: usize, there: usize, seed: u64) -> Vec<Event> {
    let dice = Dice::new(seed);
    let pick = |limit: usize| usize::try_from(dice.below(limit as u64)).expect("small");
    let (mut accounts, mut deals) = (there, there);
    // A value that the field had is not given again at once: such a save leaves no trace.
    let mut values: Vec<[u64; 10]> = vec![[0; 10]; there];
    let mut stages: Vec<usize> = vec![0; there];
    let mut gone: Vec<bool> = vec![false; there];
    let mut sizes: Vec<u64> = vec![0; there];
    let mut found = Vec::with_capacity(count);
    for number in 0..count {
        let deed = match dice.below(100) {
            0..=2 => {
                accounts += 1;
                sizes.push(0);
                Deed::Account(json!({ "name": format!("A{accounts}"), "email": format!("a{accounts}@example.com"), "size": 0 }))
            }
            3..=6 => {
                let at = pick(accounts);
                sizes[at] += 1;
                Deed::ChangeAccount(at, json!({ "size": sizes[at] }))
            }
            7..=16 => {
                deals += 1;
                values.push([0; 10]);
                stages.push(0);
                gone.push(false);
                let mut made = json!({ "name": format!("D{deals}"), "both": number });
                for field in 0..10_u64 {
                    let value = dice.below(101);
                    made[format!("f{field}")] = value.into();
                    values[deals - 1][usize::try_from(field).expect("small")] = value;
                }
                Deed::Deal(pick(accounts), made)
            }
            17..=19 => {
                let at = pick(deals);
                gone[at] = true;
                Deed::Delete(at)
            }
            20..=29 => {
                let at = pick(deals);
                stages[at] = (stages[at] + 1 + pick(3)) % 4;
                let stage = ["new", "offer", "won", "lost"][stages[at]];
                Deed::Change(at, json!({ "stage": stage }))
            }
            30..=34 => Deed::Change(pick(deals), json!({ "both": 10_000 + number })),
            _ => {
                let (at, field) = (pick(deals), pick(10));
                let value = (values[at][field] + 1 + dice.below(100)) % 101;
                values[at][field] = value;
                let mut change = json!({});
                change[format!("f{field}")] = value.into();
                Deed::Change(at, change)
            }
        };
        let by = pick(people);
        found.push((1_000 + i64::try_from(dice.below(15_000)).expect("small"), by, deed));
    }
    found
}
