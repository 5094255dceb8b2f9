# 100,000 requests, signed in, most of them mutations of valid ones: no panic, no 5xx; RELATA_TEST_DATABASE chooses the database.
RELATA_FUZZ_REQUESTS=${RELATA_FUZZ_REQUESTS:-100000} cargo test -q --release --test it fuzz:: -- --nocapture
