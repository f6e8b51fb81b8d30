#!/usr/bin/env bash
# Pack every set of sets.conf into the backup folder. Usage: make_backup.sh DIR
set -euo pipefail

target=$1
today=$(date -u +%Y-%m-%d)

while IFS=$'\t' read -r set folder; do
    case $set in '' | '#'*) continue ;; esac
    archive=${set}_$today.tar.gz
    tar -czf "$target/.$archive" -C "$folder" .
    mv -- "$target/.$archive" "$target/$archive"
done < "$(dirname -- "$0")/sets.conf"
