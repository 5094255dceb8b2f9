# Imports the 9,994 order lines of `definitions/retail/import` twice and checks the sums through `aggregate`.
cargo build -q --release
RELATA_BIN="$target/release/relata" python3 tests/long/superstore.py
