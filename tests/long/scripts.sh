# Every hostile script at every moment that runs inside a transaction: ends with its file and line at most 100 ms past its
# limit, memory back within 20 MB, point reads beside it at most three times slower at p99.
RELATA_LONG=scripts cargo test -q --release --test it scripts::long -- --nocapture
