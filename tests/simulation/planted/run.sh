#!/usr/bin/env bash
# Plants one bug after the other in a copy of this working tree, and runs seeds of the simulation until one catches it.
# Prints how many that took; ends with 1 if a bug is not caught.
#
#   tests/simulation/planted/run.sh                     all of them, each within 20 seeds
#   SEEDS=200 tests/simulation/planted/run.sh look-up-skipped    one of them
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
root=$(git -C "$here" rev-parse --show-toplevel)
seeds=${SEEDS:-20} failed=0
export CARGO_TARGET_DIR=$root/target/planted CARGO_INCREMENTAL=0
tree=$CARGO_TARGET_DIR/tree

# What other crates were built to is the same there, and need not be built again: a bug costs one build of ours, not of theirs.
ours='libhandoffd*' built=$root/target/debug
if [[ ! -d $CARGO_TARGET_DIR/debug && -d $built/deps ]]; then
    mkdir -p "$CARGO_TARGET_DIR/debug/deps"
    cp -a "$built/build" "$built/.fingerprint" "$CARGO_TARGET_DIR/debug/"
    find "$built/deps" -type f ! -name "$ours" \( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \) \
        -exec cp -a -t "$CARGO_TARGET_DIR/debug/deps" {} +
fi

# The copy is a repository of its own, so that a patch is applied there and nowhere else.
rm -rf "$tree" && mkdir -p "$tree" && cd "$root"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -cf - --ignore-failed-read | tar -xf - -C "$tree"
cd "$tree" && git init -q

caught_at() {
    local binary seed
    binary=$(cargo test -q --test simulation --locked --no-run --message-format=json |
        sed -n 's/.*"name":"simulation".*"executable":"\([^"]*\)".*/\1/p')
    for ((seed = 1; seed <= seeds; seed++)); do
        HANDOFFD_SIM_SEED=$seed "$binary" --skip the_same_seed >"$CARGO_TARGET_DIR/out" 2>&1 ||
            { grep -q 'promises broken' "$CARGO_TARGET_DIR/out" && echo "$seed" && return; }
    done
}

[[ $# -gt 0 ]] || set -- $(cd "$here" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')
for bug in "$@"; do
    git apply "$here/$bug.patch"
    seed=$(caught_at)
    if [[ -n $seed ]]; then
        printf '%-24s caught by seed %3d: %s\n' "$bug" "$seed" "$(grep -m1 -o '^seed [0-9]*: .\{0,100\}' "$CARGO_TARGET_DIR/out" || true)"
    else
        printf '%-24s NOT CAUGHT within %d seeds\n' "$bug" "$seeds" && failed=1
    fi
    git apply -R "$here/$bug.patch"
done
exit "$failed"
