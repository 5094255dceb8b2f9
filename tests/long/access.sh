# 20,000 random reads of somebody from whom much is kept: two databases that differ in nothing else give the same bytes.
# With RELATA_TEST_DATABASE on PostgreSQL, else on SQLite.
say "20,000 random reads, twice"
RELATA_LONG=1 cargo test -q --test it -- access::interference::long
