# Inserts at 1 and 16 clients and point reads, beside a hand-written writer with shared commits on the same table.
RELATA_TEST_SPEED=1 cargo test -q --release --test it store::speed -- --nocapture
