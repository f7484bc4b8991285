#!/usr/bin/env bash
# Runs the tests, and what failed once more, alone. Arguments go to `cargo test`.
#
# Many tests here have real daemons, registries and engines in them; on a crowded machine one of
# hundreds may run into a time limit. A test that fails twice has failed. One that fails once is
# listed as flaky, so that somebody mends it.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

if cargo test --no-fail-fast "$@" 2>&1 | tee "$log"; then
    exit 0
fi

# `TARGET TEST`, one failed test a line. Cargo heads each program with its path, libtest ends each
# test's line with FAILED; a program of another harness has no such lines and is run again whole.
failed=$(awk '
    /^ +Running / { target = $0; sub(/.*\(.*\//, "", target); sub(/-[0-9a-f]+\).*/, "", target); unit = /unittests src\/lib/ ? "--lib" : /unittests/ ? "--bins" : "--test " target }
    /^test .* \.\.\. FAILED$/ { print unit "\t" $2 }
' "$log")
targets=$(sed -n 's/^ *`\(.*\)`$/\1/p' "$log" | sort -u)
if [[ -z $targets ]]; then
    # It did not get as far as running: nothing to repeat.
    exit 1
fi

# The rest of the arguments say how to build, and stay; which programs to run is decided here.
how=()
for argument in "$@"; do
    [[ $argument =~ ^--(lib|bins|tests)$ ]] || how+=("$argument")
done

printf '\n== once more, alone: what failed\n%s\n' "${failed:-$targets}"
while read -r target; do
    target=${target#-p learn }
    mapfile -t names < <(awk -F'\t' -v target="$target" '$1 == target { print $2 }' <<<"$failed")
    # shellcheck disable=SC2086 # `--test NAME` is two words
    cargo test "${how[@]}" $target -- ${names[@]+--exact "${names[@]}" --test-threads=1}
done <<<"$targets"
printf '\n== flaky: failed once, passed alone\n%s\n' "${failed:-$targets}"
