# Changes the definitions and scripts of every shipped package on purpose: its own tests must notice 80 % of the changes.
cargo build -q --release
relata=$target/release/relata
work=$(mktemp -d -t relata-mutants.XXXXXX)
cp -r definitions plugins "$work/"
rm -f "$work/plugins/README.md"
say "retail"
"$relata" test --definitions "$work/definitions" --mutate --package retail --at-least 80
rm -rf "$work/definitions/retail"
# Both have contracts: a workspace with the two names one of them anew.
mv "$work/definitions/sales" "$work/sales"
cp -r "$work"/plugins/* "$work/definitions/"
say "crm and the plugins"
"$relata" test --definitions "$work/definitions" --mutate --at-least 80
say "sales"
mkdir "$work/alone"
cp -r "$work/definitions/core" "$work/definitions/crm" "$work/sales" "$work/alone/"
"$relata" test --definitions "$work/alone" --mutate --package sales --at-least 80
rm -rf "$work"
