#!/usr/bin/env bash
# Remove the backups that no retention rule keeps.
# Usage: rotate_backups.sh [--dry-run] [--daily N] [--weekly N] [--monthly N] [--] DIR
set -euo pipefail
export LC_ALL=C
shopt -s nullglob

readonly USAGE='usage: rotate_backups.sh [--dry-run] [--daily N] [--weekly N] [--monthly N] [--] DIR'
readonly -a DAYS_BEFORE_MONTH=(0 0 31 59 90 120 151 181 212 243 273 304 334)
readonly -a DAYS_IN_MONTH=(0 31 28 31 30 31 30 31 31 30 31 30 31)

fail() {
    printf 'rotate_backups: %s\n' "$1" >&2
    exit 2
}

# Set day_number, week_number (weeks start on Monday) and month_number, or fail if there is no such day.
parse_date() {
    [[ $1 =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})$ ]] || return 1
    local year=$((10#${BASH_REMATCH[1]})) month=$((10#${BASH_REMATCH[2]})) day=$((10#${BASH_REMATCH[3]}))
    ((year >= 1 && month >= 1 && month <= 12)) || return 1
    local leap=$((year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
    ((day >= 1 && day <= DAYS_IN_MONTH[month] + (month == 2 && leap))) || return 1
    local past=$((year - 1))
    day_number=$((past * 365 + past / 4 - past / 100 + past / 400))
    ((day_number += DAYS_BEFORE_MONTH[month] + (month > 2 && leap) + day - 1, 1))
    week_number=$((day_number / 7))
    month_number=$((year * 12 + month))
}

daily=7 weekly=4 monthly=6 dry_run=false
while (($#)); do
    case $1 in
        --dry-run) dry_run=true ;;
        --daily | --weekly | --monthly)
            [[ ${2-} =~ ^[0-9]{1,4}$ ]] || fail "$1 needs a number of at most four digits"
            printf -v "${1#--}" %d "$((10#$2))"
            shift
            ;;
        --) shift && break ;;
        -*) fail "unknown option $1; $USAGE" ;;
        *) break ;;
    esac
    shift
done
(($# == 1)) || fail "$USAGE"
dir=$1
[ -d "$dir" ] || fail "not a directory: $dir"

parse_date "${ROTATE_TODAY:-$(date -u +%Y-%m-%d)}" || fail "ROTATE_TODAY is not a date: $ROTATE_TODAY"
today=$day_number this_week=$week_number this_month=$month_number

names=() sets=() days=() weeks=() months=()
declare -A newest last_of_week first_of_month
for path in "$dir"/*; do
    name=${path##*/}
    [[ -f $path && ! -L $path && $name != *$'\n'* && $name =~ ^(.+)_([0-9-]{10})\.tar\.gz$ ]] || continue
    set=${BASH_REMATCH[1]}
    parse_date "${BASH_REMATCH[2]}" && ((day_number <= today)) || continue
    names+=("$name") sets+=("$set")
    days+=("$day_number") weeks+=("$week_number") months+=("$month_number")
    ((${newest[$set]:-0} > day_number)) || newest[$set]=$day_number
    ((${last_of_week[$week_number/$set]:-0} > day_number)) || last_of_week[$week_number/$set]=$day_number
    ((${first_of_month[$month_number/$set]:-$today} < day_number)) || first_of_month[$month_number/$set]=$day_number
done

for i in "${!names[@]}"; do
    set=${sets[i]} day=${days[i]}
    ((day == ${newest[$set]})) && continue
    ((today - day < daily)) && continue
    ((this_week - weeks[i] < weekly && day == ${last_of_week[${weeks[i]}/$set]})) && continue
    ((this_month - months[i] < monthly && day == ${first_of_month[${months[i]}/$set]})) && continue
    printf 'remove %s\n' "${names[i]}"
    "$dry_run" || rm -f -- "$dir/${names[i]}"
done
