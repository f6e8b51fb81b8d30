#!/usr/bin/env bash
# Unpack a delivery and check it. Usage: receive.sh ARCHIVE DIR
set -euo pipefail

here=$(dirname -- "$0")
mkdir -p -- "$2"
tar -xzf "$1" -C "$2"
bash "$here/../manifest.sh" verify "$2" "$2/MANIFEST"
