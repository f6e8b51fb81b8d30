#!/usr/bin/env bash
# Record the files of a folder, or compare the folder with the record. The format is described in MANIFEST.md.
# Usage: manifest.sh write|verify DIR MANIFEST
set -euo pipefail
export LC_ALL=C

fail() {
    printf 'manifest: %s\n' "$1" >&2
    exit 2
}

# Print the manifest lines of the folder.
lines() {
    local file sum path
    find "$dir/" -type f -print0 | while IFS= read -r -d '' file; do
        [[ $file -ef $manifest ]] && continue
        sum=$(sha256sum < "$file") || exit
        path=${file#"$dir/"}
        path=${path//\\/\\\\}
        path=${path//$'\n'/\\n}
        printf '%s  %s\n' "${sum%% *}" "$path"
    done | sort -k1.67
}

write() {
    local found
    found=$(lines) || fail 'cannot read all files'
    { printf '%s' "${found:+$found$'\n'}" > "$manifest"; } 2> /dev/null || fail "cannot write: $manifest"
}

verify() {
    local line path found
    local -A recorded=() present=()
    [[ -f $manifest && -r $manifest ]] || fail "cannot read: $manifest"
    while IFS= read -r line || [[ $line ]]; do
        [[ $line =~ ^[0-9a-f]{64}\ \ ([^\\]|\\\\|\\n)+$ ]] || fail "malformed line in $manifest: $line"
        recorded[${line:66}]=${line:0:64}
    done < "$manifest"

    found=$(lines) || fail 'cannot read all files'
    while IFS= read -r line; do
        [[ $line ]] && present[${line:66}]=${line:0:64}
    done <<< "$found"

    found=$(
        for path in "${!present[@]}"; do
            if [[ -z ${recorded[$path]-} ]]; then
                printf 'added %s\n' "$path"
            elif [[ ${recorded[$path]} != "${present[$path]}" ]]; then
                printf 'changed %s\n' "$path"
            fi
        done
        for path in "${!recorded[@]}"; do
            [[ ${present[$path]-} ]] || printf 'missing %s\n' "$path"
        done
    )
    [[ $found ]] || return 0
    sort -t ' ' -k2 <<< "$found"
    return 1
}

(($# == 3)) && [[ $1 == write || $1 == verify ]] || fail 'usage: manifest.sh write|verify DIR MANIFEST'
dir=$2 manifest=$3
[[ $1 == verify ]] || { : > "$manifest"; } 2> /dev/null || fail "cannot write: $manifest"
[[ -d $dir ]] || fail "not a folder: $dir"
[[ $dir == /* ]] || dir=./$dir
[[ $manifest == /* ]] || manifest=./$manifest
while [[ $dir == */ ]]; do
    dir=${dir%/}
done
"$1"
