# Changes the definitions and scripts of every shipped package on purpose: its own tests must notice 80 % of the changes.
# RELATA_MUTANTS=150 takes so many of each package, always the same ones, RELATA_MUTANTS_SEED other ones.
sample=()
[ -z "${RELATA_MUTANTS:-}" ] || sample=(--limit "$RELATA_MUTANTS" --seed "${RELATA_MUTANTS_SEED:-1}")
cargo build -q --release
relata=$target/release/relata
work=$(mktemp -d -t relata-mutants.XXXXXX)
# `retail` and `crm` have entities of one short name: each is tried without the other.
mkdir -p "$work/shop/definitions" "$work/office"
cp -r definitions/core definitions/retail "$work/shop/definitions/"
say "retail"
cd "$work/shop"
"$relata" test --mutate --package retail "${sample[@]}" --at-least 80
cp -r "$root/definitions" "$root/plugins" "$work/office/"
rm -rf "$work/office/definitions/retail" "$work/office/plugins/README.md"
say "core, crm, sales, service and the plugins"
cd "$work/office"
"$relata" test --mutate "${sample[@]}" --at-least 80
cd "$root"
rm -rf "$work"
