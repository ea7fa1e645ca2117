#!/bin/sh
# Builds the program as one static file that needs nothing of the system it runs on, and prints where it is.
# With arguments, such as --config 'profile.release.lto="off"', these go to cargo.
set -eu
cd "$(dirname "$0")/.."

# With a target named, the flags are for the program alone and not for what runs while it is built.
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
# The kernel is asked for randomness by name: by default it is looked for in the C library that is loaded, where a static
# program has none, and then in /dev, which an empty root has not either.
flags='-C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom"'
# Each start reads all relocations, and a hook is started for each save: packed they take 10 KiB instead of 850.
RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo rustc --release --target "$target" --bin plexsync "$@" -- \
    -C link-arg=-Wl,-z,pack-relative-relocs >&2
echo "${CARGO_TARGET_DIR:-target}/$target/release/plexsync"
