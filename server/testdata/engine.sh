#!/bin/sh
# An engine in a few lines: it counts the words of a task's first text.
# usage: engine.sh http://127.0.0.1:8025 RUN_ID
set -eu
run=$1/runs/$2
report() { curl -fsS "$run/events" -H 'Content-Type: application/x-ndjson' --data-binary "$1" >/dev/null; }

report '{"schema_version":2,"type":"thought","data":{"id":"t1","kind":"plan","delta":"Count the words.","final":true}}'
words=$(curl -fsS "$run/task" | sed -n 's/.*"text": *"\([^"]*\)".*/\1/p' | wc -w | tr -d ' ')
report '{"schema_version":2,"type":"token","data":{"id":"a1","delta":"'"$words"' words","final":true}}
{"schema_version":2,"type":"budget","data":{"used":{"tokens_in":'"$words"',"tokens_out":2}}}'
curl -fsS "$run/answer" -H 'Content-Type: application/json' -d '{"message_id":"a1","text":"'"$words"' words"}'
