# Adds, renames and retires fields of an entity while a client works on it; shows table, REST, OpenAPI, form and list.
cargo build -q --release
RELATA_BIN="$target/release/relata" python3 tests/long/live_apply.py
