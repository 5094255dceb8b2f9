# Ordinary requests against a hand-written handler at three sizes, an import, start and memory, and Relata on PostgreSQL; prints
# the tables of docs/performance.md and ends with 1 when a wanted figure was missed.
rounds=${RELATA_BENCH_ROUNDS:-5}
seconds=${RELATA_BENCH_SECONDS:-2}
missed=0
bench() { cargo bench -q --bench ordinary -- --rounds "$rounds" --seconds "$seconds" "$@" || missed=1; }
for records in ${RELATA_BENCH_RECORDS:-10000 100000 1000000}; do
  extra=
  [ "$records" -lt 1000000 ] || extra="--growth 10000 --scan"
  # shellcheck disable=SC2086
  bench --records "$records" $extra
done
bench --access --records "${RELATA_BENCH_ACCESS:-1000000}"
bench --automations --records 10000
bench --only none --records 100 --import 100000 --program
# Measured beside, without a ratio to reach: the handler stays on SQLite.
cargo bench -q --bench ordinary -- --rounds "$rounds" --seconds "$seconds" --records 10000 --postgres "$RELATA_TEST_DATABASE" || true
exit "$missed"
