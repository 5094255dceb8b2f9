# 20,000 random reads of somebody from whom much is kept, over every endpoint and position, on each database: two workspaces
# that differ in nothing else give the same bytes. RELATA_SEED chooses others.
say "20,000 random reads on SQLite, twice"
env -u RELATA_TEST_DATABASE RELATA_LONG=1 cargo test -q --test it -- access::interference::long --nocapture
say "20,000 random reads on PostgreSQL, twice"
RELATA_LONG=1 cargo test -q --test it -- access::interference::long --nocapture
