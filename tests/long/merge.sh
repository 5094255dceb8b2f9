# A merge of two records with 10,000 linked ones and its undo, on both databases: what records hold is the same before and after.
start_postgres
for database in "" "${RELATA_TEST_DATABASE:-}"; do
  env RELATA_TEST_DATABASE="$database" cargo test -q --release --test it duplicates::merges::long -- --ignored --nocapture
done
