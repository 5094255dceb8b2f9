//! The shipped plugins: their definitions check beside `crm`, and their own cases hold.

use std::path::Path;

use relata::deploy::{self, Folders};
use relata::proof;

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_of_the_shipped_plugins_hold() {
    let files = deploy::read(&Folders::new(Path::new(env!("CARGO_MANIFEST_DIR")), None)).expect("readable");
    let files = files.into_iter().filter(|file| !file.path.contains("/retail/")).collect::<Vec<_>>();
    match proof::run(&files, None).await {
        Ok(report) => {
            assert!(report.is_ok(), "{}", report.text());
            assert!(report.cases >= 25, "{} cases", report.cases);
        }
        Err(deploy::DeployError::Faults(faults)) => panic!("{}", relata::schema::diagnostic::render_text(&faults)),
        Err(error) => panic!("{error}"),
    }
}
