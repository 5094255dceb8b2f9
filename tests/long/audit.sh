# 10,000 random changes of the stored audit by somebody without its key, on each database: all are seen.
say "10,000 mutations of the audit on SQLite"
env -u RELATA_TEST_DATABASE RELATA_LONG=1 cargo test -q --test it -- audit::table::long --nocapture
say "10,000 mutations of the audit on PostgreSQL"
RELATA_LONG=1 cargo test -q --test it -- audit::table::long --nocapture
