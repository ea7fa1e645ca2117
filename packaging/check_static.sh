#!/bin/sh
# Runs a static build in a root that holds nothing but the program: no libraries, no /etc, no /proc, no /tmp.
# Usage: packaging/check_static.sh PROGRAM
set -eu

if [ "$(id -u)" -ne 0 ]; then
    echo "NOT CHECKED: an empty root needs chroot, which needs root; run this as root" >&2
    exit 0
fi

work=$(mktemp -d)
root=$work/root
peer=
service=
clean_up() {
    for process in $service $peer; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
    echo "$1" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}

# Waits up to 20 seconds until a file has a line with this.
wait_for() {
    tries=0
    until grep -q "$1" "$2"; do
        tries=$((tries + 1))
        [ "$tries" -le 200 ] || fail "there is no \"$1\" in $2"
        sleep 0.1
    done
}

in_root() {
    env -i TMPDIR=/ "$(command -v chroot)" "$root" /plexsync "$@"
}

mkdir "$root"
cp "$1" "$root/plexsync"
in_root --version

# The service, its peers and the hooks, by their addresses.
in_root demo --scenes 10 --calm >"$work/demo.log" 2>&1 || fail "the demo failed"
wait_for "everything that was edited in Stash shows in Plex" "$work/demo.log"
echo "demo: everything shows, and Stash started the hooks"

# The peer refuses everything, and says who asked.
: >"$work/peer.log"
python3 -u -m http.server --bind 127.0.0.1 0 >>"$work/peer.log" 2>&1 &
peer=$!
wait_for "port [0-9]" "$work/peer.log"
port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$work/peer.log")
for name in localhost 127.0.0.1; do
    : >"$work/peer.log"
    : >"$work/service.log"
    cat >"$root/config.toml" <<END
server.listen = "127.0.0.1:0"
queue.debounce = 0
stash.url = "http://$name:$port"
plex.token = "none"
END
    (exec env -i "$(command -v chroot)" "$root" /plexsync run --config /config.toml) >"$work/service.log" 2>&1 &
    service=$!
    wait_for "listening on http" "$work/service.log"
    url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$work/service.log")
    echo '{"args":{"hookContext":{"id":1,"type":"Scene.Update.Post"}}}' |
        in_root hook --url "$url" --spool /spool >"$work/hook.log" 2>&1
    wait_for '"output":"delivered"' "$work/hook.log"
    wait_for '"POST /graphql' "$work/peer.log"
    kill "$service"
    wait "$service" || fail "the service did not end well"
    service=
    echo "run: Stash is reached as $name"
done
