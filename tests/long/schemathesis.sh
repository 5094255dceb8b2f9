#!/bin/sh
# Reads the OpenAPI document of a running workspace with openapi-spec-validator, then lets schemathesis ask every operation
# at least 100 times, signed in. Fails on a 5xx, an undocumented status or media type, an answer against its schema, or an
# operation that never answered 2xx.
#
#   tests/long/schemathesis.sh [requests per operation, default 100]
#
# Builds the program, starts it on a free loopback port with the crm package and its sample data in a temporary folder.
set -eu
cd "$(dirname "$0")/../.."
examples=${1:-100}
venv=target/schemathesis
work=$(mktemp -d)
port=$((20000 + $$ % 20000))
url="http://127.0.0.1:$port"
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT INT TERM

[ -x "$venv/bin/schemathesis" ] || {
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet schemathesis openapi-spec-validator
}
relata=${RELATA:-}
[ -n "$relata" ] || {
    cargo build --quiet
    relata=${CARGO_TARGET_DIR:-target}/debug/relata
}

relata=$(realpath "$relata")

# A mail server that cannot be reached: what is sent waits.
printf 'mail_host: 127.0.0.1\nmail_security: none\nmail_from: proof@example.com\n' >"$work/server.yaml"
"$relata" --config "$work/server.yaml" demo "$work/site" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
server=$!
tries=0
until curl -fsS "$url/readyz" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$work/server.log"; echo "the server did not start"; exit 1; }
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
    sleep 0.1
done
token=$("$relata" --data "$work/site/relata-data" token create --user admin@example.com --name schemathesis --scope admin,erase 2>/dev/null | grep -o 'rl_[0-9a-z]*' | head -1)
[ -n "$token" ] || { echo "no token could be made"; exit 1; }
# Each deal that is made leaves a job that waits, one that failed, to be cancelled and tried again, and a notification. What is asked about a
# deal is decided by whoever asks.
mkdir -p "$work/site/definitions/site/automations"
cat >"$work/site/definitions/site/automations/jobs.yaml" <<'YAML'
kind: template
for: crm.deal
id: proof
subject: {en: "About {{ name }}", zh-CN: "关于{{ name }}"}
text: "{{ name }}: {{ link }}"
---
kind: approval
for: crm.deal
id: proof
fields: [next_step]
own: true
steps: [{id: one, roles: [admin]}]
---
# Without caps: what is asked makes more leads than one person may hold.
kind: extension
of: crm.lead
pools:
  - {id: open_leads, when: "status in ('open', 'contacted')", roles: [sales_rep, sales_manager], managers: [sales_manager], show: [company], hand_out: {by: load}}
---
kind: automation
for: crm.deal
id: waits
trigger: {event: created}
steps: [{do: wait, time: 30d}]
---
kind: automation
for: crm.deal
id: fails
trigger: {event: created}
steps: [{do: set, values: {name: "=null"}}]
---
kind: automation
for: crm.lead
id: heard
trigger: {event: received, values: {name: customer.name, company: customer.company, phone: customer.phone}}
run_as: [user]
steps: [{do: set, values: {need: Heard}}]
---
kind: automation
for: crm.deal
id: tells
trigger: {event: created}
steps: [{do: notify, to: [admin], text: {en: "{name} is new", zh-CN: "{name}：新建", zh-TW: "{name}：新建"}}]
YAML
(cd "$work/site" && "$relata" apply >/dev/null)
email=someone@example.com password="seven quiet rivers of stone"
printf '%s\n' "$password" | "$relata" --data "$work/site/relata-data" user add "$email" --name Someone >/dev/null
# Two more who file registrations, so that whoever asks has claims to decide that are not their own.
others=
for name in one two; do
    printf '%s\n' "$password" | "$relata" --data "$work/site/relata-data" user add "$name@example.com" --name "$name" >/dev/null
    others="$others $("$relata" --data "$work/site/relata-data" token create --user "$name@example.com" --name schemathesis 2>/dev/null | grep -o 'rl_[0-9a-z]*' | head -1)"
done
curl -fsS -H "Authorization: Bearer $token" "$url/api/v1/openapi.json" -o "$work/openapi.json"

"$venv/bin/openapi-spec-validator" "$work/openapi.json"

# One worker: Python's own parser fails now and then in several threads at once (cpython issue 106905).
failed=
RELATA_OTHERS=$others RELATA_EMAIL=$email RELATA_PASSWORD=$password RELATA_URL=$url RELATA_TOKEN=$token RELATA_SPEC=$work/openapi.json RELATA_REPORT=$work/report.json \
    PYTHONPATH=tests/long SCHEMATHESIS_HOOKS=schemathesis_hooks \
    "$venv/bin/schemathesis" run "$work/openapi.json" --url "$url" \
    -H "Authorization: Bearer $token" \
    --max-examples "$examples" --phases=examples,coverage,fuzzing \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
    --continue-on-failure --suppress-health-check all --seed 1 --workers 1 --no-color || failed=yes
PYTHONPATH=tests/long "$venv/bin/python" -m schemathesis_report "$work/report.json" "$work/openapi.json"
curl -fsS "$url/healthz" | grep -q '"panics":0' || { echo "a handler panicked"; exit 1; }
[ -z "$failed" ] || exit 1
