# A merge of two records with 10,000 linked ones and its undo, on both databases: what records hold is the same before and after.
say "10,000 links on SQLite"
env -u RELATA_TEST_DATABASE RELATA_LONG=1 cargo test -q --release --test it duplicates::merges::long -- --nocapture
say "10,000 links on PostgreSQL"
RELATA_LONG=1 cargo test -q --release --test it duplicates::merges::long -- --nocapture
