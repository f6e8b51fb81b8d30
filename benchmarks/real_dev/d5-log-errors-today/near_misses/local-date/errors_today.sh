#!/usr/bin/env bash
# Count today's ERROR records per service. Usage: errors_today.sh FILE...
set -euo pipefail
export LC_ALL=C

fail() {
    printf 'errors_today: %s\n' "$1" >&2
    exit 2
}

# Print the service of each ERROR record of the day, one per line.
services() {
    awk -v day="$day" '
        substr($0, 1, 11) == day "T" && $2 == "ERROR" && $3 ~ /^[A-Za-z0-9._-]+:$/ {
            print substr($3, 1, length($3) - 1)
        }
    '
}

[ "$#" -gt 0 ] || fail 'usage: errors_today.sh FILE...'

day=${LOG_DATE:-$(date +%Y-%m-%d)}
[[ $day =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || fail "LOG_DATE is not of the form YYYY-MM-DD: $day"

for file in "$@"; do
    [ -e "$file" ] || fail "no such file: $file"
    [ ! -d "$file" ] || fail "is a directory: $file"
    [ -r "$file" ] || fail "cannot be read: $file"
done

for file in "$@"; do
    services < "$file"
done | sort | uniq -c | awk '{ print $1, $2 }' | sort -k1,1nr -k2,2
