//! What can be measured of the process and its database, for `/metrics`.

use super::Workspace;
use crate::base::system::OpenFiles;
use crate::store::{jobs, outbox};
use crate::web::Gauge;

/// All gauges; what cannot be read now is left out.
pub async fn measure(workspace: &Workspace) -> Vec<Gauge> {
    let mut gauges = Vec::new();
    let mut put = |name, help, labels: String, value| gauges.push(Gauge { name, help, labels, value });
    put("relata_build_info", "The program's version.", format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
    put("relata_catalog_version", "Version of the definitions in force.", String::new(), workspace.catalog.load().version);
    let has_fault = i64::from(workspace.fault.load().is_some());
    put("relata_definitions_faulty", "1 while the definitions on disk cannot be applied.", String::new(), has_fault);
    if let Ok(counts) = jobs::counts(&workspace.store).await {
        for (state, count) in counts {
            put("relata_jobs", "Jobs by state; `dead` ones failed for good.", format!("state=\"{state}\""), count);
        }
    }
    if let Ok(behind) = outbox::behind(&workspace.store).await {
        put("relata_outbox_behind", "Events that the slowest reader has not seen.", String::new(), behind);
    }
    process(&mut put);
    gauges
}

/// Figures of Linux's `/proc/self`; elsewhere there are none.
fn process(put: &mut impl FnMut(&'static str, &'static str, String, i64)) {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<i64>().ok());
        if let Some(kilobytes) = kilobytes {
            put("process_resident_memory_bytes", "Memory in use.", String::new(), kilobytes * 1024);
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let count = i64::try_from(open.count()).unwrap_or(i64::MAX);
        put("process_open_fds", "Open files and connections.", String::new(), count);
    }
    let most = i64::try_from(OpenFiles::ask().now).unwrap_or(i64::MAX);
    put("process_max_fds", "Most files and connections that may be open.", String::new(), most);
}
