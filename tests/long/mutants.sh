# Changes the definitions and scripts of every shipped package on purpose: its own tests must notice 80 % of the changes.
# RELATA_MUTANTS=150 takes so many of each package, always the same ones, RELATA_MUTANTS_SEED other ones.
sample=()
[ -z "${RELATA_MUTANTS:-}" ] || sample=(--limit "$RELATA_MUTANTS" --seed "${RELATA_MUTANTS_SEED:-1}")
cargo build -q --release
relata=$target/release/relata
work=$(mktemp -d -t relata-mutants.XXXXXX)
cp -r definitions plugins "$work/"
say "retail"
"$relata" test --definitions "$work/definitions" --mutate --package retail "${sample[@]}" --at-least 80
rm -rf "$work/definitions/retail"
say "core, crm, sales, service and the plugins"
"$relata" test --definitions "$work/definitions" --mutate "${sample[@]}" --at-least 80
rm -rf "$work"
