//! What the server counts, and how Prometheus reads it. Labels are classes and statuses, never anything of a request.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::admission::{Admission, Class};

/// Upper bounds of the histogram's buckets, milliseconds.
const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const CLASSES: usize = Class::ALL.len();

/// Why a request was refused before it began.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shed {
    QueueFull,
    Waited,
    Actor,
}

const SHED: [&str; 3] = ["queue_full", "waited", "actor"];

/// Connections since the start.
#[derive(Debug, Default)]
pub(super) struct Connections {
    opened: AtomicU64,
    closed: AtomicU64,
    ended_early: AtomicU64,
    gave_way: AtomicU64,
    handshake_failed: AtomicU64,
}

impl Connections {
    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(super) fn closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    /// The peer stalled, went away or did not speak HTTP.
    pub(super) fn ended_early(&self) {
        self.ended_early.fetch_add(1, Relaxed);
    }

    /// An idle one was closed for a new one.
    pub(super) fn gave_way(&self) {
        self.gave_way.fetch_add(1, Relaxed);
    }

    pub(super) fn handshake_failed(&self) {
        self.handshake_failed.fetch_add(1, Relaxed);
    }
}

/// Everything counted by one process. Shared by the accept loop and the router.
#[derive(Debug, Default)]
pub struct Meters {
    pub(super) connections: Connections,
    /// By class and first digit of the status.
    requests: [[AtomicU64; 6]; CLASSES],
    buckets: [[AtomicU64; BOUNDS_MS.len()]; CLASSES],
    micros: [AtomicU64; CLASSES],
    shed: [[AtomicU64; SHED.len()]; CLASSES],
}

/// A value that `app` knows: name, help, labels (already written) and value.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    pub name: &'static str,
    pub help: &'static str,
    /// `state="ready"`, or empty.
    pub labels: String,
    pub value: i64,
}

impl Meters {
    pub(super) fn answered(&self, class: Class, status: u16, took: Duration) {
        let class = place(class);
        self.requests[class][usize::from(status / 100).min(5)].fetch_add(1, Relaxed);
        self.micros[class].fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS_MS.iter().position(|bound| ms < *bound) {
            self.buckets[class][bucket].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn shed(&self, class: Class, why: Shed) {
        self.shed[place(class)][why as usize].fetch_add(1, Relaxed);
    }

    /// Prometheus' text format 0.0.4.
    pub(super) fn text(&self, admission: &Admission, panics: u64, gauges: &[Gauge]) -> String {
        let mut out = String::with_capacity(8192);
        self.write_requests(&mut out);
        head(&mut out, "relata_http_requests_running", "gauge", "Requests at work.");
        for (class, running, _) in admission.load() {
            line(&mut out, "relata_http_requests_running", &format!("class=\"{}\"", name(class)), running as u64);
        }
        head(&mut out, "relata_http_requests_waiting", "gauge", "Requests that wait for a place.");
        for (class, _, waiting) in admission.load() {
            line(&mut out, "relata_http_requests_waiting", &format!("class=\"{}\"", name(class)), waiting as u64);
        }
        let open = self.connections.opened.load(Relaxed).saturating_sub(self.connections.closed.load(Relaxed));
        head(&mut out, "relata_connections_open", "gauge", "Open connections.");
        line(&mut out, "relata_connections_open", "", open);
        head(&mut out, "relata_connections_total", "counter", "Connections by what became of them.");
        for (outcome, count) in [
            ("accepted", &self.connections.opened),
            ("ended_early", &self.connections.ended_early),
            ("gave_way", &self.connections.gave_way),
            ("handshake_failed", &self.connections.handshake_failed),
        ] {
            line(&mut out, "relata_connections_total", &format!("outcome=\"{outcome}\""), count.load(Relaxed));
        }
        head(&mut out, "relata_panics_total", "counter", "Handlers that panicked; must stay 0.");
        line(&mut out, "relata_panics_total", "", panics);
        let mut last = "";
        for gauge in gauges {
            if gauge.name != last {
                head(&mut out, gauge.name, "gauge", gauge.help);
                last = gauge.name;
            }
            let labels = if gauge.labels.is_empty() { String::new() } else { format!("{{{}}}", gauge.labels) };
            let _ = writeln!(out, "{}{labels} {}", gauge.name, gauge.value);
        }
        out
    }

    fn write_requests(&self, out: &mut String) {
        head(out, "relata_http_requests_total", "counter", "Requests answered.");
        for (class, name) in Class::ALL {
            for (digit, count) in self.requests[place(class)].iter().enumerate().skip(1) {
                line(out, "relata_http_requests_total", &format!("class=\"{name}\",status=\"{digit}xx\""), count.load(Relaxed));
            }
        }
        head(out, "relata_http_request_duration_seconds", "histogram", "From the head's end to the answer's begin.");
        for (class, name) in Class::ALL {
            let class = place(class);
            let mut sum = 0;
            for (bound, count) in BOUNDS_MS.iter().zip(&self.buckets[class]) {
                sum += count.load(Relaxed);
                let labels = format!("class=\"{name}\",le=\"{}\"", *bound as f64 / 1000.0);
                line(out, "relata_http_request_duration_seconds_bucket", &labels, sum);
            }
            let all: u64 = self.requests[class].iter().map(|count| count.load(Relaxed)).sum();
            line(out, "relata_http_request_duration_seconds_bucket", &format!("class=\"{name}\",le=\"+Inf\""), all);
            let seconds = self.micros[class].load(Relaxed) as f64 / 1e6;
            let _ = writeln!(out, "relata_http_request_duration_seconds_sum{{class=\"{name}\"}} {seconds}");
            line(out, "relata_http_request_duration_seconds_count", &format!("class=\"{name}\""), all);
        }
        head(out, "relata_http_requests_shed_total", "counter", "Requests refused because there were too many.");
        for (class, name) in Class::ALL {
            for (reason, count) in SHED.iter().zip(&self.shed[place(class)]) {
                line(out, "relata_http_requests_shed_total", &format!("class=\"{name}\",reason=\"{reason}\""), count.load(Relaxed));
            }
        }
    }
}

fn place(class: Class) -> usize {
    Class::ALL.iter().position(|(one, _)| *one == class).unwrap_or(0)
}

fn name(class: Class) -> &'static str {
    Class::ALL.iter().find(|(one, _)| *one == class).map_or("", |(_, name)| name)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let _ = writeln!(out, "{name}{labels} {value}");
}
