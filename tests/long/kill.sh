# 100 rounds of `kill -9` under 8 writing clients: no acknowledged write lost, none half there, integrity ok.
RELATA_TEST_KILL_ROUNDS=${1:-100} cargo test -q --release --test it store::durability -- --nocapture
