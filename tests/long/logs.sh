# The log of the whole suite, at debug level, again and again until it has MEGABYTES (100): none of the values that its
# requests carried is in it.
cargo test -q --test it --no-run
binary=$(cargo test --test it --no-run --message-format=json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\/it-[^"]*\)".*/\1/p' | tail -n 1)
megabytes=${MEGABYTES:-100}
folder=$(mktemp -d -t relata-logs.XXXXXX)
say "the suite's log, until it has $megabytes MB"
while [ "$(du -m "$folder" | cut -f 1)" -lt "$megabytes" ]; do
  RELATA_TEST_LOG="$folder/log" "$binary" -q >"$folder/out" 2>&1 || { tail -n 40 "$folder/out"; exit 1; }
  echo "$(du -m "$folder/log" | cut -f 1) MB"
done
python3 tests/long/logs.py "$folder/log" "$folder/log.values"
rm -rf "$folder"
