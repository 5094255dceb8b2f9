# What-if of 200 generated automations over 10,000 events against really running them, on SQLite, and over 1,000 events on
# PostgreSQL, where that many runs are hours: the same changes (record, field, before, after), the same e-mails at a mail
# server, messages at an endpoint and notifications, and the same ends of runs. The copy is an embedded database in both.
# Of what people do some is refused, and is no event: 11,500 acts are 10,000 events.
# RELATA_WHATIF_AUTOMATIONS, RELATA_WHATIF_EVENTS, RELATA_WHATIF_EVENTS_POSTGRES and RELATA_WHATIF_SEED choose others.
export RELATA_WHATIF_AUTOMATIONS="${RELATA_WHATIF_AUTOMATIONS:-200}" RELATA_WHATIF_EVENTS="${RELATA_WHATIF_EVENTS:-11500}"
# The databases of tests lie in the temporary folder; the disk is not what is tried here.
[ -d /dev/shm ] && export TMPDIR=/dev/shm
say "$RELATA_WHATIF_AUTOMATIONS automations, $RELATA_WHATIF_EVENTS acts on SQLite"
env -u RELATA_TEST_DATABASE cargo test -q --release --test it what_if_says_what_really_comes -- --nocapture
start_postgres
export RELATA_WHATIF_EVENTS="${RELATA_WHATIF_EVENTS_POSTGRES:-1200}"
say "$RELATA_WHATIF_EVENTS acts on PostgreSQL"
cargo test -q --release --test it what_if_says_what_really_comes -- --nocapture
