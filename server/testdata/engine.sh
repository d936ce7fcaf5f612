#!/bin/sh
# An engine in a few lines: it claims one run, and counts the words of the task's first text.
# usage: engine.sh http://127.0.0.1:8025
set -eu
claimed=$(curl -fsS "$1/claims" -H 'Content-Type: application/json' -d '{"backend":"external","worker":"sh","wait_ms":30000}')
[ -n "$claimed" ] || { echo 'no run came' >&2; exit 1; }
member() { printf %s "$claimed" | sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p'; }
run=$1/runs/$(member run_id)
lease="Axiom25-Lease: $(member token)"
report() { curl -fsS "$run/events" -H "$lease" -H 'Content-Type: application/x-ndjson' --data-binary "$1" >/dev/null; }

report '{"schema_version":2,"type":"thought","data":{"id":"t1","kind":"plan","delta":"Count the words.","final":true}}'
words=$(member text | wc -w | tr -d ' ')
report '{"schema_version":2,"type":"token","data":{"id":"a1","delta":"'"$words"' words","final":true}}
{"schema_version":2,"type":"budget","data":{"used":{"tokens_in":'"$words"',"tokens_out":2}}}'
curl -fsS "$run/answer" -H "$lease" -H 'Content-Type: application/json' -d '{"message_id":"a1","text":"'"$words"' words"}'
