# 20,000 random expressions have the same value in SQLite, in PostgreSQL and in memory; each operator and function is
# among them at least 100 times. RELATA_SEED chooses other ones.
say "20,000 random expressions on both databases and in memory"
RELATA_LONG=1 cargo test -q --test it -- expressions::random_expressions_agree_everywhere
