# The log of the suite's servers at debug level, in both formats, until it has MEGABYTES (100): the whole suite on SQLite and on
# PostgreSQL, then requests and reads of other seeds. None of the values that requests and answers carried is in it.
cargo test -q --test it --no-run
binary=$(cargo test --test it --no-run --message-format=json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\/it-[^"]*\)".*/\1/p' | tail -n 1)
megabytes=${MEGABYTES:-100}
folder=$(mktemp -d -t relata-logs.XXXXXX)
export CARGO_MANIFEST_DIR=$root RELATA_TEST_LOG="$folder/log"
round() {
  "$@" -q >"$folder/out" 2>&1 || { tail -n 40 "$folder/out"; exit 1; }
  echo "$(($(stat -c %s "$folder/log") / 1000000)) MB"
}
say "the suite's log, until it has $megabytes MB"
round env -u RELATA_TEST_DATABASE "$binary"
round "$binary"
seed=${RELATA_SEED:-1000}
while [ "$(stat -c %s "$folder/log")" -lt $((megabytes * 1000000)) ]; do
  seed=$((seed + 1))
  database=(env -u RELATA_TEST_DATABASE)
  [ $((seed % 4)) != 0 ] || database=(env)
  round "${database[@]}" RELATA_FUZZ_SEED=$seed RELATA_FUZZ_REQUESTS=20000 "$binary" fuzz::
  round "${database[@]}" RELATA_LONG=1 RELATA_SEED=$seed RELATA_QUESTIONS=1000 "$binary" access::interference::long
done
say "compared with every value of every run"
env -u RELATA_TEST_LOG RELATA_TEST_LOG_SCAN="$folder/log" "$binary" logs::long --nocapture
rm -rf "$folder"
