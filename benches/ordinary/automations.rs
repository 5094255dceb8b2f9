//! What automations and scripts add to a save: the median of saves sent one by one, beside those of the same table without any. The
//! runs that a save begins are done between one save and the next, by the same process.

use std::fmt::Write;
use std::time::Duration;

use crate::client::{self, Load, Sample};
use crate::{ours, rows};

/// Saves of a round.
const SAVES: usize = 100;

/// From one save to the next; twenty runs have ended by then.
const GAP: Duration = Duration::from_millis(60);

/// A server's definitions and how much a save of it may cost beside one without; 0 where nothing is set.
struct Case {
    name: &'static str,
    documents: String,
    most: f64,
}

fn cases() -> [Case; 4] {
    let mut busy = String::from(SCRIPTS);
    (0..20).for_each(|number| automation(&mut busy, number, "{event: updated, watch: [amount]}", "amount >= 0"));
    let (mut others, mut conditions) = (String::new(), String::new());
    for number in 0..1_000 {
        let trigger =
            ["{event: created}", "{event: updated, watch: [code]}", "{event: updated, watch: [name, close_on]}", "{event: called}"]
                [number % 4];
        automation(&mut others, number, trigger, "amount >= 0");
        let of_amount = number % 10 == 0;
        automation(&mut conditions, number, if of_amount { "{event: updated, watch: [amount]}" } else { trigger }, "amount < 0");
    }
    [
        Case { name: "without any", documents: String::new(), most: 0.0 },
        Case { name: "20 automations that begin, 5 scripts", documents: busy, most: 3.0 },
        Case { name: "1,000 automations that wait for something else", documents: others, most: 1.05 },
        Case { name: "1,000 automations, 100 of them looked at", documents: conditions, most: 0.0 },
    ]
}

fn automation(text: &mut String, number: usize, trigger: &str, when: &str) {
    let _ = write!(
        text,
        "---\nkind: automation\nid: a{number}\nfor: bench.deal\ntrigger: {trigger}\nwhen: \"{when}\"\nsteps:\n  \
         - {{id: grade, do: set, values: {{close_on: 2026-06-01}}}}\n"
    );
}

/// Three that compute, one that refuses, one that looks at another record.
const SCRIPTS: &str = "---
kind: extension
of: bench.deal
scripts:
  - {id: s1, trigger: before_save, source: \"fn run(rec, old, ctx) { if rec.name == () { rec.name = `none`; } }\"}
  - {id: s2, trigger: before_save, source: \"fn run(rec, old, ctx) { let n = 0; for i in 0..50 { n += i; } if n < 0 { rec.name = `never`; } }\"}
  - {id: s3, trigger: before_save, source: \"fn run(rec, old, ctx) { if rec.close_on == () { rec.close_on = ctx.today; } }\"}
  - {id: s4, trigger: before_save, source: \"fn run(rec, old, ctx) { if rec.amount < 0 { reject(`amount`, `negative`, `must not be negative`); } }\"}
  - {id: s5, trigger: after_write, source: \"fn run(rec, old, ctx) { let account = get(`account`, rec.account); if account == () { warn(`account`, `gone`, `there is no account`); } }\"}
";

/// Gives the names of what was missed.
pub async fn cost(records: u64, rounds: usize, postgres: Option<&str>) -> Vec<String> {
    let rows = rows::rows(records);
    let cases = cases();
    let mut servers = Vec::new();
    for case in &cases {
        servers.push(ours::start_with(&rows, postgres, &case.documents).await);
    }
    let loads: Vec<Load> = servers.iter().map(|server| Load::update(&server.target, "/api/v1/records/deal/")).collect();
    let mut found: Vec<Vec<Sample>> = vec![Vec::new(); cases.len()];
    for round in 0..=rounds {
        for (load, samples) in loads.iter().zip(&mut found) {
            let sample = client::run_paced(load, SAVES, GAP).await;
            // The first round warms up.
            samples.extend((round > 0).then_some(sample));
        }
    }
    println!("{records} records, {rounds} rounds of {SAVES} saves, one each {} ms, interleaved, median round\n", GAP.as_millis());
    println!("| a save | p50/p99 ms | cost to cost without any | at most |");
    println!("|---|---|---|---|");
    let medians: Vec<Sample> = found.into_iter().map(by_median).collect();
    let plain = medians[0].p50_ms;
    let mut missed = Vec::new();
    for (case, sample) in cases.iter().zip(&medians) {
        let ratio = sample.p50_ms / plain.max(0.001);
        let most = if case.most > 0.0 { case.most.to_string() } else { "-".to_owned() };
        println!("| {} | {:.2}/{:.2} | {ratio:.2} | {most} |", case.name, sample.p50_ms, sample.p99_ms);
        if case.most > 0.0 && ratio > case.most {
            missed.push(case.name.to_owned());
        }
    }
    missed
}

fn by_median(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by(|a, b| a.p50_ms.total_cmp(&b.p50_ms));
    samples.swap_remove(samples.len() / 2)
}
