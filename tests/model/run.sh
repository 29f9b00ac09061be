#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [FOLDER] - checks cohort.pml with spin, one line a check; exit status 1 when one fails.
# Every search is exhaustive (no bitstate hashing) and within 3.5 GB. `holds` wants the whole state
# space searched without an error; `breaks` wants a counterexample to the one property named, from
# a device that is broken on purpose or a claim that is false on purpose. FOLDER (default: a
# temporary one) receives spin's files.
set -u
model=$(cd "$(dirname "$0")" && pwd)/cohort.pml
if [ $# -gt 0 ]; then
    work=$1
    mkdir -p "$work"
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
cd "$work" || exit 1
if ! command -v spin >/dev/null 2>&1; then
    echo "run.sh: spin is not installed (Debian package: spin)" >&2
    exit 1
fi
passed=0
failed=0

# search NAME CC-FLAGS PAN-FLAGS SPIN-FLAGS...: leaves the verifier's words in NAME/log
search() {
    name=$1 cc_flags=$2 pan_flags=$3
    shift 3
    rm -rf "$name"
    mkdir "$name"
    (
        cd "$name" || exit 1
        # -w: gcc cannot see that pan's own Index() keeps the generated subscripts in range.
        spin -a "$@" "$model" && nice "${CC:-cc}" -w -O2 -DCOLLAPSE -DMEMLIM=3500 $cc_flags -o pan pan.c &&
            nice ./pan -m200000 -n $pan_flags
    ) >"$name/log" 2>&1
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$name/log")
    seconds=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) seconds/\1/p' "$name/log")
}

report() { # ok or not
    if [ "$1" = ok ]; then
        passed=$((passed + 1))
        echo "[       OK ] $name (${states:-0} states, ${seconds:-0} s)"
    else
        failed=$((failed + 1))
        echo "[  FAILED  ] $name"
        tail -n 15 "$name/log"
    fi
}

# The whole space, nothing found.
holds() {
    search "$@"
    if grep -q ' errors: 0$' "$name/log" && [ -n "$states" ] &&
        ! grep -q -e 'not completed' -e 'too small' -e 'memory limit' -e 'out of memory' "$name/log"; then
        report ok
    else
        report failed
    fi
}

# ORDERED loses nothing: the final states of both searches, compared.
same() { # spin flags
    label=$1
    shift
    search "$label.full" -DSAFETY "" "$@" -DPRINT_OUTCOMES
    search "$label.ordered" -DSAFETY -E "$@" -DORDERED -DPRINT_OUTCOMES
    name=$label
    mkdir -p "$name"
    if python3 "$(dirname "$model")/same_outcomes.py" "$name.full/log" "$name.ordered/log" >"$name/log"; then
        report ok
    else
        report failed
    fi
}

# The counterexample wanted, and nothing else.
breaks() { # pattern, search...
    want=$1
    shift
    search "$@"
    if grep -q "^pan:1: $want" "$name/log" && grep -q ' errors: 1$' "$name/log"; then
        report ok
    else
        report failed
    fi
}

n3="-DN=3 -DA=0 -DT=2 -DMIN=3"
n3a="-DN=3 -DA=1 -DT=2 -DMIN=3"
n4="-DN=4 -DA=0 -DT=2 -DMIN=3"
n4all="-DN=4 -DA=0 -DT=2 -DMIN=4"
n4a="-DN=4 -DA=1 -DT=3 -DMIN=4"
n5="-DN=5 -DA=0 -DT=3 -DMIN=4"
n5all="-DN=5 -DA=0 -DT=3 -DMIN=5"
n5a="-DN=5 -DA=1 -DT=3 -DMIN=4"
n5a_all="-DN=5 -DA=1 -DT=3 -DMIN=5"

# ---- every interleaving: all properties, no deadlock -------------------------------------------
holds every_order_n3 -DSAFETY "" $n3
holds every_order_n3_colluder -DSAFETY "" $n3a
holds every_order_n3_exact_ciphertexts -DSAFETY "" $n3 -DEXACT_OPENED
holds every_order_n4_colluder -DSAFETY "" $n4a
holds every_order_n5_colluder_none_missing -DSAFETY "" $n5a_all
holds every_order_n4_without_refusals -DSAFETY "" $n4 -DROSTERS=1 -DHUNT

# ---- one order for each outcome (see ORDERED): every pair of bitmaps for every device -----------
# -E: runs that a renaming makes another's twin are cut off there, which spin would call deadlock.
holds every_view_n3 -DSAFETY -E $n3 -DORDERED
holds every_view_n4 -DSAFETY -E $n4 -DORDERED
holds every_view_n4_none_missing -DSAFETY -E $n4all -DORDERED
holds every_view_n4_colluder -DSAFETY -E $n4a -DORDERED
holds every_view_n5 -DSAFETY -E $n5 -DORDERED
holds every_view_n5_none_missing -DSAFETY -E $n5all -DORDERED
holds every_view_n5_colluder -DSAFETY -E $n5a -DORDERED

same one_order_is_enough_n3 $n3
same one_order_is_enough_n3_colluder $n3a
same one_order_is_enough_n4_colluder $n4a
same one_order_is_enough_n4_without_refusals $n4 -DROSTERS=1 -DHUNT

# ---- it ends: no run goes on for ever (there is no progress label, so any cycle is an error) ----
holds cohort_ends_n3 -DNP -l $n3 -DPOLLS=2
holds cohort_ends_n4_colluder -DNP -l $n4a -DPOLLS=1
breaks 'non-progress cycle' no_deadline_never_ends -DNP -l $n3a -DBROKEN_DEADLINE

# ---- the model can say yes: sums are opened, of all and of all but one --------------------------
claim='assertion violated'
breaks "$claim" a_sum_of_all_opens -DSAFETY -E $n4 -DORDERED -DNO_SUM=4 -DPROPERTIES=128
breaks "$claim" a_sum_of_all_but_one_opens -DSAFETY -E $n4 -DORDERED -DNO_SUM=3 -DPROPERTIES=128
breaks "$claim" a_sum_beside_a_colluder_opens -DSAFETY -E $n5a -DORDERED -DNO_SUM=3 -DPROPERTIES=128

# ---- the model can say no: devices broken on purpose, one property looked at --------------------
hunt="$n4 -DROSTERS=1 -DHUNT"
breaks "$claim" kept_secrets_reveal_both_kinds -DSAFETY "" $hunt -DBROKEN_RESTART -DPROPERTIES=1
breaks "$claim" kept_secrets_reveal_after_restart -DSAFETY "" $hunt -DBROKEN_RESTART -DPROPERTIES=2
breaks "$claim" kept_secrets_open_both_secrets -DSAFETY "" $hunt -DBROKEN_RESTART -DPROPERTIES=4
breaks "$claim" no_agree_check_reveals_too_soon -DSAFETY "" $n4 -DBROKEN_AGREE -DPROPERTIES=8
breaks "$claim" no_agree_check_opens_a_small_sum -DSAFETY -E $n4 -DORDERED -DBROKEN_AGREE -DPROPERTIES=16
breaks "$claim" no_agree_check_with_colluder_too -DSAFETY -E $n5a -DORDERED -DBROKEN_AGREE -DPROPERTIES=16
breaks "$claim" no_minimum_opens_a_small_sum -DSAFETY -E $n4all -DORDERED -DBROKEN_MINIMUM -DPROPERTIES=16
breaks "$claim" lower_threshold_opens_both_secrets -DSAFETY -E -DN=5 -DA=1 -DT=2 -DMIN=4 -DORDERED -DPROPERTIES=4
breaks "$claim" no_used_round_joins_twice -DSAFETY "" $n3 -DBROKEN_JOURNAL -DPROPERTIES=32

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
