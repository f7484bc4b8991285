#!/usr/bin/env bash
# All tests: installs what they need, then runs them. Arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/setup.sh
exec cargo test "$@"
