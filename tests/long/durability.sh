# 100 rounds of `kill -9` under 8 writing clients; then, with strace, that the log is synced before each answer.
apt_install strace strace
cargo build -q --release
RELATA_BIN="$target/release/relata" python3 tests/long/durability.py "${RELATA_ROUNDS:-100}"
