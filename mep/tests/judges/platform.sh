# Shell functions that both judges share: a platform on a fresh data directory, in a network namespace of its own.
#
# MEP_BIN names the binary; without it, target/release/mep or target/debug/mep of this checkout is taken.
# The platform's rules go to a network namespace that is made for it, so that this machine's own tables stay as
# they are; without the right to make one, traffic rules are off.

judges=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$judges/../../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/mep-judges.XXXXXX")
platform=
namespace=

stop_platform() {
    [ -z "$platform" ] || kill "$platform" 2>/dev/null || true
    [ -z "$platform" ] || wait "$platform" 2>/dev/null || true
    [ -z "$namespace" ] || ip netns delete "$namespace" || true
    platform='' namespace=''
}

trap 'stop_platform; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

binary() {
    for candidate in "${MEP_BIN:-}" "$root/target/release/mep" "$root/target/debug/mep"; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
    echo "no mep: build it (cargo build --release --bin mep) or name it in MEP_BIN" >&2
    return 1
}

# Starts mep with $judges/mep.toml, a copy of whose data plane is put into the namespace; sets MEP_URL.
start_platform() {
    mep=$(binary)
    namespace="judges-$$"
    if ip netns add "$namespace" 2>"$work/netns"; then
        dataplane="[dataplane]
network_namespace = \"$namespace\""
    else
        echo "traffic rules are off: $(cat "$work/netns")" >&2
        namespace=
        dataplane='[dataplane]
backend = "disabled"'
    fi
    { cat "$judges/mep.toml"; echo "$dataplane"; } >"$work/mep.toml"
    # mep refuses MEP_ variables that it does not know.
    env -u MEP_BIN -u MEP_URL "$mep" --config "$work/mep.toml" --listen 127.0.0.1:0 --dns-listen 127.0.0.1:0 --data-dir "$work/data" \
        >"$work/mep.log" 2>&1 &
    platform=$!
    for _ in $(seq 100); do
        MEP_URL=$(sed -n 's/.* listens on \(http:[^ ,]*\).*/\1/p' "$work/mep.log")
        if [ -n "$MEP_URL" ] && grep -q 'platform is ready' "$work/mep.log"; then
            export MEP_URL
            return
        fi
        kill -0 "$platform" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/mep.log" >&2
    echo "mep did not start" >&2
    return 1
}

# virtual_environment DIRECTORY PACKAGE...: makes it once and installs what is missing.
virtual_environment() {
    directory=$1
    shift
    [ -x "$directory/bin/python" ] || python3 -m venv "$directory"
    "$directory/bin/pip" install --quiet --disable-pip-version-check "$@"
}
