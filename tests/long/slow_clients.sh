# 2,000 half-sent requests and 10,000 idle connections; ordinary requests beside them keep their times; memory is told.
cargo build -q --release
RELATA_BIN="$target/release/relata" python3 tests/long/slow_clients.py
