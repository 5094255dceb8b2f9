# Changes the definitions and scripts of every shipped package on purpose: its own tests must notice 80 % of the changes.
cargo build -q --release
relata=$target/release/relata
work=$(mktemp -d -t relata-mutants.XXXXXX)
cp -r definitions plugins "$work/"
rm -f "$work/plugins/README.md"
say "retail"
"$relata" test --definitions "$work/definitions" --mutate --package retail --at-least 80
rm -rf "$work/definitions/retail"
cp -r "$work"/plugins/* "$work/definitions/"
say "core, crm, sales, service and the plugins"
"$relata" test --definitions "$work/definitions" --mutate --at-least 80
rm -rf "$work"
