#!/bin/sh
# Checks the simulated Plex with python-plexapi, a client that others wrote against the real one.
set -eu
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-target}
venv=$target/plexapi-venv
work=$(mktemp -d)
server=

clean_up() {
    # Closing its standard input ends the server; the kill is for one that does not listen.
    exec 3>&- || true
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

if ! "$venv/bin/python" -c 'import plexapi' 2>/dev/null; then
    python3 -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/plexapi/requirements.txt

cargo build --quiet --example simulated_plex
mkfifo "$work/stdin"
"$target/debug/examples/simulated_plex" <"$work/stdin" >"$work/address" &
server=$!
exec 3>"$work/stdin"

tries=0
until [ -s "$work/address" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "the simulated Plex did not start" >&2
        exit 1
    fi
    sleep 0.1
done
read -r url token <"$work/address"
"$venv/bin/python" tests/plexapi/check.py "$url" "$token"
