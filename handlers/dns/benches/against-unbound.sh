#!/bin/sh
# Measures our name server beside Debian's unbound, in turns in the same run, with the same names and the same client.
#
# Usage: handlers/dns/benches/against-unbound.sh [SECONDS] [ROUNDS] [NAMES]
# Needs unbound and dnsperf (Debian packages of these names). Prints the rates and the ratio of their medians.
set -eu

seconds=${1:-5}
rounds=${2:-3}
names=${3:-1000}
here=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
ours_port=5391
unbound_port=5392
ours_pid=
unbound_pid=
finish() {
    [ -z "$ours_pid" ] || kill "$ours_pid" 2>/dev/null || true
    [ -z "$unbound_pid" ] || kill "$unbound_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

cd "$here"
cargo build --quiet --release -p mecforge-dns --example name_server
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

{
    cat <<CONF
server:
    interface: 127.0.0.1@$unbound_port
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "$work"
    pidfile: "$work/unbound.pid"
    use-syslog: no
    num-threads: $(nproc)
    so-reuseport: yes
    module-config: "iterator"
    local-zone: "bench.example." static
CONF
    i=0
    while [ "$i" -lt "$names" ]; do
        echo "    local-data: \"h$i.bench.example. 300 IN A 10.0.$((i / 256)).$((i % 256))\""
        i=$((i + 1))
    done
} >"$work/unbound.conf"
i=0
while [ "$i" -lt "$names" ]; do
    echo "h$i.bench.example A"
    i=$((i + 1))
done >"$work/queries"

"$target/release/examples/name_server" "127.0.0.1:$ours_port" "$names" >"$work/ours.log" 2>&1 &
ours_pid=$!
/usr/sbin/unbound -d -c "$work/unbound.conf" >"$work/unbound.log" 2>&1 &
unbound_pid=$!
sleep 2

# One measurement: queries per second; fails unless practically all were answered.
rate() {
    dnsperf -s 127.0.0.1 -p "$1" -d "$work/queries" -l "$seconds" -c 8 -T 2 -q 200 >"$work/out" 2>&1
    lost=$(sed -n 's/.*Queries lost:.*(\(.*\)%).*/\1/p' "$work/out")
    noerror=$(sed -n 's/.*Response codes:.*NOERROR.*(\(.*\)%).*/\1/p' "$work/out")
    if ! awk "BEGIN { exit !($lost < 0.1 && $noerror > 99.9) }"; then
        cat "$work/out" >&2
        exit 1
    fi
    sed -n 's/.*Queries per second: *//p' "$work/out"
}

round=0
while [ "$round" -lt "$rounds" ]; do
    rate "$ours_port" >>"$work/ours"
    rate "$unbound_port" >>"$work/unbound"
    round=$((round + 1))
done
median() {
    sort -n "$1" | awk '{ rates[NR] = $1 } END { print rates[int((NR + 1) / 2)] }'
}
printf 'ours:    %s queries/s\n' $(cat "$work/ours")
printf 'unbound: %s queries/s\n' $(cat "$work/unbound")
awk "BEGIN { printf \"ratio of medians: %.2f\\n\", $(median "$work/ours") / $(median "$work/unbound") }"
