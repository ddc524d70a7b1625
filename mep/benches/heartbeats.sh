#!/bin/sh
# Measures heartbeats: `PATCH …/liveness` of 10,000 services, over HTTP, on the release binary.
# For docs/benchmarks.md, on an otherwise idle machine; needs wrk, curl and jq:
#   cargo build --release --bin mep && mep/benches/heartbeats.sh [SECONDS]
set -eu
seconds=${1:-10}
here=$(dirname "$0")
target=$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/release
directory=$(mktemp -d)
base=http://127.0.0.1:18080/mec_service_mgmt/v1
MEP_LOG_ACCESS=false "$target/mep" --listen 127.0.0.1:18080 --dns-listen off --dataplane disabled \
  --data-dir "$directory/data" >/dev/null 2>"$directory/log" &
mep=$!
trap 'kill $mep 2>/dev/null || true; rm -rf "$directory"' EXIT
until curl -sf -o /dev/null http://127.0.0.1:18080/readyz; do sleep 0.01; done
curl -sf -o /dev/null -H 'Content-Type: application/json' http://127.0.0.1:18080/mec_app_support/v1/registrations \
  -d '{"appName":"bench","appInstanceId":"bench","endpoint":{"uris":["http://10.0.0.1"]}}'
# Every service offers heartbeats; the interval is long enough for none to be missed.
sed 's/"isLocal":true/"isLocal":true,"livenessInterval":600/' "$here/register.lua" >"$directory/register.lua"
wrk -t1 -c16 -d2 -s "$directory/register.lua" "$base/applications/bench/services" >/dev/null
curl -sf "$base/services" | jq -r '.[]._links.liveness.href' | head -10000 | sed 's|http://[^/]*||; s|/liveness$||' >"$directory/ids"
echo "$(wc -l <"$directory/ids") services"
before=$(curl -sf http://127.0.0.1:18080/metrics | grep '^mep_store_revision ')
IDS=$directory/ids BASE= wrk -t2 -c64 -d"$seconds" -s "$here/heartbeat.lua" http://127.0.0.1:18080 |
  grep -E 'Requests/sec|Non-2xx'
after=$(curl -sf http://127.0.0.1:18080/metrics | grep '^mep_store_revision ')
echo "before: $before, after: $after (a heartbeat writes nothing)"
