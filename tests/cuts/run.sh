#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh CUT_SEARCH OUT - samples GRAPHS graphs over SIZES (for SECONDS_MOST at most, when given),
# looks for cuts in each, writes the extremes it found beside the bounds as JSON to OUT and a table
# of them to stdout. Exit status 1 when a bound is violated.
set -u
search=$1
out=$2
# The search must be able to say no: graphs of a third of the cycles have cuts.
nice "$search" --weak 8 1 1 600 >"$out" 2>/dev/null
if [ $? != 1 ] || [ ! -s "$out" ]; then
    echo "run.sh: no cut found in graphs that have some" >&2
    exit 1
fi
[ -n "${SECONDS_MOST:-}" ] && set -- timeout "$SECONDS_MOST" || set --
nice "$@" "$search" "${GRAPHS:-2000}" "${JOBS:-2}" "${SEED:-1}" ${SIZES:-600 1000 2000} >"$out"
status=$?
[ $status = 124 ] && status=0 # out of time: a report of what was done; violations are read from it
[ $status -le 1 ] && [ -s "$out" ] || exit $status
python3 - "$out" <<'TABLE'
import json
import sys

found = json.load(open(sys.argv[1]))
print('| n | max_colluding, max_dropout | graphs | cut off, r* | thinnest cut, dropouts | dense set, '
      's_min | readable set, to drop | on own side, needed | passing, at most | two groups |')
print('|---|---|---|---|---|---|---|---|---|---|')
for c in found['configurations']:
    two, dense, read = c['two_lists'], c['dense_set'], c['readable_set']
    print(f"| {c['devices']} | {c['max_colluding']:g}, {c['max_dropout']:g} | {c['graphs']} | "
          f"{c['cut_off']['largest']} ({c['cut_off']['largest_with_chosen_colluders']}), "
          f"{c['cut_off']['bound_r_star']} | "
          f"{c['thinnest_cut']['honest_devices_to_drop']}, {c['thinnest_cut']['dropouts_allowed']} | "
          f"{dense['smallest']}, {dense['bound_s_min']} | {read['smallest']}, "
          f"{read['honest_devices_to_drop']} | "
          f"{two['mean_on_own_side']:.1f}, {two['mean_needed']:.1f} | "
          f"{two['devices_passing']}, {two['devices_passing_at_most']} of {two['of_devices']} | "
          f"{two['in_the_smaller_group_that_signs']} |")
print(f"\n{found['graphs']} graphs in {found['seconds']:.0f} s, {found['violations']} violations; {sys.argv[1]}")
sys.exit(found['violations'] > 0)
TABLE
