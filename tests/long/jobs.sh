# 100 kills during 20,000 jobs, of the one process on SQLite and of one of three on PostgreSQL: what jobs do is done exactly once, and
# every message to an endpoint and every e-mail arrives, a second time only with the same id.
cargo build -q --release
RELATA_BIN="$target/release/relata" PYTHONPATH=tests/long python3 tests/long/jobs.py "${RELATA_KILLS:-100}" "${RELATA_ORDERS:-10000}"
