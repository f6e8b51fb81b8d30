#!/usr/bin/env bash
# Pack a delivery: the folder and its manifest. Usage: pack.sh DIR ARCHIVE
set -euo pipefail

here=$(dirname -- "$0")
bash "$here/../manifest.sh" write "$1" "$1/MANIFEST"
tar -czf "$2" -C "$1" .
