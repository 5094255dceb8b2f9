# The log of the suite's servers at debug level, in both formats, until it has MEGABYTES (100): the whole suite on SQLite and on
# PostgreSQL, then requests and reads of other seeds. None of the values that requests and answers carried is in it. A round
# whose tests fail is told, and the others go on: what it wrote is looked through all the same, and the command fails at the end.
cargo test -q --test it --no-run
binary=$(cargo test --test it --no-run --message-format=json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\/it-[^"]*\)".*/\1/p' | tail -n 1)
megabytes=${MEGABYTES:-100}
folder=$(mktemp -d -t relata-logs.XXXXXX)
log=$folder/log
: >"$log"
export CARGO_MANIFEST_DIR=$root RELATA_TEST_LOG=$log
failed=()
idle=0
# round NAME COMMAND...: runs tests that write into the log, and says how long it is.
round() {
  local name=$1 before
  shift
  before=$(stat -c %s "$log")
  if ! "$@" -q >"$folder/out" 2>&1; then
    tail -n 40 "$folder/out"
    failed+=("$name")
  fi
  [ "$(stat -c %s "$log")" -gt "$before" ] && idle=0 || idle=$((idle + 1))
  echo "$(($(stat -c %s "$log") / 1000000)) MB after $name"
  if [ "$idle" -ge 3 ]; then
    echo "three rounds wrote nothing: the log does not grow" >&2
    exit 1
  fi
}
say "the suite's log, until it has $megabytes MB"
round "the suite on SQLite" env -u RELATA_TEST_DATABASE "$binary"
round "the suite on PostgreSQL" "$binary"
seed=${RELATA_SEED:-1000}
while [ "$(stat -c %s "$log")" -lt $((megabytes * 1000000)) ]; do
  seed=$((seed + 1))
  if [ $((seed % 4)) = 0 ]; then database=(env); else database=(env -u RELATA_TEST_DATABASE); fi
  round "requests of seed $seed" "${database[@]}" RELATA_FUZZ_SEED=$seed RELATA_FUZZ_REQUESTS=20000 "$binary" fuzz::
  round "reads of seed $seed" "${database[@]}" RELATA_LONG=1 RELATA_SEED=$seed RELATA_QUESTIONS=1000 "$binary" access::interference::long
done
say "compared with every value of every run"
env -u RELATA_TEST_LOG RELATA_TEST_LOG_SCAN="$log" "$binary" logs::long --nocapture
rm -rf "$folder"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
