# Ordinary requests against a hand-written handler at three sizes; prints the tables of docs/performance.md.
rounds=${RELATA_BENCH_ROUNDS:-5}
for records in ${RELATA_BENCH_RECORDS:-10000 100000 1000000}; do
  extra=
  [ "$records" -lt 1000000 ] || extra="--growth 10000 --scan"
  cargo bench -q --bench ordinary -- --records "$records" --rounds "$rounds" --seconds "${RELATA_BENCH_SECONDS:-2}" $extra
done
cargo bench -q --bench ordinary -- --only none --records 100 --import 100000 --program --rounds "$rounds"
