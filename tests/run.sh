#!/usr/bin/env bash
# All tests: installs what they need, then runs them. Arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/setup.sh
# CI gives what failed a second chance, alone; at a desk the first failure is news enough.
if [[ -n ${LEARN_TESTS_TWICE-} ]]; then
    exec tests/twice.sh "$@"
fi
exec cargo test "$@"
