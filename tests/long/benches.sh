# Ordinary requests against a hand-written handler at three sizes; prints the tables of docs/performance.md.
for records in ${RELATA_BENCH_RECORDS:-10000 100000 1000000}; do
  cargo bench -q --bench ordinary -- --records "$records" --rounds "${RELATA_BENCH_ROUNDS:-5}" --seconds "${RELATA_BENCH_SECONDS:-2}"
done
