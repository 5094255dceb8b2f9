//! The records both sides hold.

/// One deal.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    pub code: String,
    pub stage: &'static str,
    /// Hundredths.
    pub amount: i64,
    /// `YYYY-MM-DD`.
    pub close_on: String,
    /// Position of the account.
    pub account: usize,
}

pub const STAGES: [&str; 5] = ["new", "qualified", "proposal", "won", "lost"];
/// Accounts both sides hold.
pub const ACCOUNTS: usize = 500;

/// `count` rows, always the same.
pub fn rows(count: u64) -> Vec<Row> {
    let words = ["alpha", "harbor", "north", "valley", "copper", "silver", "quiet", "river", "stone", "maple", "cloud", "signal"];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..count)
        .map(|number| {
            let mut name = format!("{} {} {}", words[next(12) as usize], words[next(12) as usize], words[next(12) as usize]);
            // One record in a thousand or so carries one of 97 rare words.
            if next(1000) == 0 || number < 97 {
                name.push_str(&format!(" rare{}", number % 97));
            }
            Row {
                name,
                code: format!("C-{number:08}"),
                stage: STAGES[next(5) as usize],
                amount: next(10_000_000) as i64,
                close_on: format!("2026-{:02}-{:02}", 1 + next(12), 1 + next(28)),
                account: next(ACCOUNTS as u64) as usize,
            }
        })
        .collect()
}

/// The rows as both sides import them; the account is named by its name.
pub fn csv(rows: &[Row]) -> String {
    let mut csv = String::from("name,code,stage,amount,close_on,account\n");
    for row in rows {
        csv.push_str(&format!(
            "{},{},{},{}.{:02},{},{}\n",
            row.name,
            row.code,
            row.stage,
            row.amount / 100,
            row.amount % 100,
            row.close_on,
            account(row.account)
        ));
    }
    csv
}

/// Name of the account at a position.
pub fn account(position: usize) -> String {
    format!("Account {}", position + 1)
}

/// A folder below the system's temporary one that goes when this goes.
pub struct Folder(pub std::path::PathBuf);

static FOLDERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

impl Folder {
    pub fn new(name: &str) -> Self {
        let number = FOLDERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("relata-bench-{}-{name}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
