#!/usr/bin/env bash
# Say which host files changed since the last release. Usage: check.sh STAMP
set -euo pipefail
find "$(dirname -- "$0")" -name '*.hosts' -newer "$1" -print | LC_ALL=C sort
