//! What is asked of the operating system beyond files and sockets.

use rustix::process::{self, Resource, Rlimit};

/// How many files and connections the process may have open, and up to how many it may raise that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    pub now: u64,
    pub most: u64,
}

impl OpenFiles {
    /// The limits in force.
    pub fn ask() -> Self {
        let limit = process::getrlimit(Resource::Nofile);
        Self { now: limit.current.unwrap_or(u64::MAX), most: limit.maximum.unwrap_or(u64::MAX) }
    }

    /// Sets both limits. `false` when the system refuses.
    pub fn set(now: u64, most: u64) -> bool {
        let bound = |files: u64| (files != u64::MAX).then_some(files);
        process::setrlimit(Resource::Nofile, Rlimit { current: bound(now), maximum: bound(most) }).is_ok()
    }
}

/// Asks that the calling thread comes before others (a negative number) or after them. Only some accounts may come before
/// others; everyone else is left as they are.
pub fn prefer_this_thread(nice: i32) {
    // On Linux the number belongs to the thread, elsewhere to the process, which is left alone.
    if cfg!(target_os = "linux") {
        let _ = process::setpriority_process(None, nice);
    }
}
