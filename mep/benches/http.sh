#!/bin/sh
# Measures mep beside a bare hyper server that answers with the same bytes, and durable registrations.
# For docs/benchmarks.md, on an otherwise idle machine; needs wrk, curl and jq:
#   cargo build --release -p mep --bin mep --example bare_hyper && mep/benches/http.sh [SECONDS]
set -eu
seconds=${1:-10}
target=$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/release
directory=$(mktemp -d)
base=http://127.0.0.1:18080/mec_service_mgmt/v1
started=
trap 'kill $started 2>/dev/null || true; rm -rf "$directory"' EXIT

start() { # LOG_ACCESS: starts mep on an empty directory with one application
  MEP_LOG_ACCESS=$1 "$target/mep" --listen 127.0.0.1:18080 --dns-listen off --dataplane disabled --data-dir "$directory/data-$1" \
    >/dev/null 2>"$directory/log" &
  mep=$!
  started="$started $mep"
  until curl -sf -o /dev/null http://127.0.0.1:18080/readyz; do sleep 0.01; done
  curl -sf -o /dev/null -H 'Content-Type: application/json' http://127.0.0.1:18080/mec_app_support/v1/registrations \
    -d '{"appName":"bench","appInstanceId":"bench","endpoint":{"uris":["http://10.0.0.1"]}}'
}
memory() { grep VmRSS "/proc/$1/status"; }
rate() { wrk -t2 -c64 -d"$seconds" "$@" | grep -E 'Requests/sec|Non-2xx'; }

for access in false true; do
  echo "== access log: $access"
  start "$access"
  echo "idle:"; memory "$mep"
  # At least 10,000 services, of which one is read over and over, then 10,000 at random.
  wrk -t1 -c16 -d2 -s "$(dirname "$0")/register.lua" "$base/applications/bench/services" >/dev/null
  curl -sf "$base/services" | jq -r '.[].serInstanceId' | head -10000 >"$directory/ids"
  echo "$(wc -l <"$directory/ids") services"; memory "$mep"
  one=$(head -1 "$directory/ids")
  curl -sf "$base/services/$one" >"$directory/body"
  echo "GET one service:"; rate "$base/services/$one"
  echo "GET one of 10,000 services:"; IDS=$directory/ids BASE=/mec_service_mgmt/v1 rate -s "$(dirname "$0")/get.lua" "$base"
  echo "POST a service, durably:"; rate -s "$(dirname "$0")/register.lua" "$base/applications/bench/services"
  kill "$mep"; wait "$mep" || true
done
echo "== bare hyper, the same bytes"
"$target/examples/bare_hyper" 127.0.0.1:18081 "$directory/body" &
started="$started $!"
sleep 0.3
echo "GET:"; rate "http://127.0.0.1:18081/mec_service_mgmt/v1/services/$one"
echo "GET with 10,000 paths:"; IDS=$directory/ids BASE=/mec_service_mgmt/v1 rate -s "$(dirname "$0")/get.lua" http://127.0.0.1:18081
