# A year of a pool (200 people, 100,000 leads) against a model, in one process on SQLite; then 10,000 claims in the same moment
# against three processes on one PostgreSQL.
say "200 people, 100,000 leads, one year"
env -u RELATA_TEST_DATABASE RELATA_LONG=1 cargo test -q --release --test it pools::simulation -- --nocapture
say "10,000 claims at once against three processes on PostgreSQL"
cargo build -q --release
RELATA_BIN="$target/release/relata" python3 tests/long/pool.py "${RELATA_CLAIMS:-10000}"
