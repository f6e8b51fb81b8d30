#!/usr/bin/env bash
# Merge host files; later files take precedence. The format is described in FORMAT.md. Usage: merge_hosts.sh FILE...
set -euo pipefail
export LC_ALL=C

fail() {
    printf 'merge_hosts: %s\n' "$1" >&2
    exit 2
}

# Print "RANK ADDRESS NAME" for each name of the file on standard input, or a message for each malformed line.
parse() {
    FILE=$1 RANK=$2 awk -F '[ \t]+' '
        {
            sub(/\r$/, "")
            sub(/#.*/, "")
            gsub(/^[ \t]+|[ \t]+$/, "")
            if (NF == 0) next
            bad = NF < 2 || ($1 != "-" && ($1 !~ /^[0-9A-Fa-f:][0-9A-Fa-f.:]*$/ || $1 !~ /[.:]/))
            for (i = 2; i <= NF; i++) if ($i !~ /^[A-Za-z0-9._-]+$/) bad = 1
            if (bad) {
                print "merge_hosts: malformed line: " ENVIRON["FILE"] ":" NR > "/dev/stderr"
                failed = 1
            }
            for (i = 2; i <= NF; i++) print ENVIRON["RANK"], $1, tolower($i)
        }
        END { exit failed }
    '
}

# Keep the entries of the highest rank for each name, each of them once.
decide() {
    sort -u | sort -k3,3 -k1,1r -k2,2 | awk '
        $3 "" != name { name = $3; rank = $1 }
        $1 == rank { print $2, $3 }
    '
}

(($# > 0)) || fail 'usage: merge_hosts.sh FILE...'
for file in "$@"; do
    [[ -e $file ]] || fail "no such file: $file"
    [[ ! -d $file && -r $file ]] || fail "cannot be read: $file"
done

entries='' status=0 rank=0
for file in "$@"; do
    rank=$((rank + 1))
    found=$(parse "$file" "$rank" < "$file") || status=2
    entries+=${found:+$found$'\n'}
done
((status == 0)) || exit "$status"

decided=$(printf '%s' "$entries" | decide)
conflicts=$(awk '
    NF { count[$2]++; addresses[$2] = addresses[$2] " " $1 }
    END { for (name in count) if (count[name] > 1) print "conflict: " name addresses[name] }
' <<< "$decided" | sort)
if [[ $conflicts ]]; then
    printf '%s\n' "$conflicts" >&2
    exit 1
fi

sort -k1,1 -k2,2 <<< "$decided" | awk '
    NF == 0 || $1 == "-" { next }
    $1 "" != address { printf "%s%s", (address == "" ? "" : "\n"), $1; address = $1 }
    { printf " %s", $2 }
    END { if (address != "") print "" }
'
