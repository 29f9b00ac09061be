#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# virtual_test.sh - rounds in virtual time from fixed seeds, as `make simulate` and CI run them:
# clean rounds, light and heavy faults, a graph of cycles, each fault by itself, what is printed when
# a check finds something, and that the printed command repeats it.
# Prints the lines of cmocka that tests/run.sh counts. BUILD names the folder of the programs.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$here/$build ;; esac
work=$(mktemp -d)
bad=0
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
# The printed commands name the program as it stands in the source tree.
mkdir build && ln -s "$build/tacit" build/tacit || exit 1

test_case() { # name: runs the function of that name; a subshell keeps its variables apart
    echo "[ RUN      ] $1"
    if "$1" >"$work/out" 2>&1; then
        echo "[       OK ] $1"
    else
        sed 's/^/    /' "$work/out" | tail -n 40
        echo "[  FAILED  ] $1"
        bad=$((bad + 1))
    fi
}

simulate() { build/tacit simulate --virtual "$@"; }

# json FILE EXPRESSION: the Python expression over the object `r` is true.
json() {
    python3 -c 'import json,sys
r = json.load(open(sys.argv[1]))
if not eval(sys.argv[2]): sys.exit("false: %s\n%s" % (sys.argv[2], json.dumps(r)[:1500]))' "$1" "$2"
}

a_clean_round_is_exact_and_says_its_cost() {
    simulate --devices 60 --dims 256 --dropout 0.05 --max-dropout 0.2 --seed 1 >text.txt || return 1
    grep -q 'floors of their own' text.txt && grep -q '^0 findings' text.txt &&
        grep -q 'exact sum' text.txt && grep -q 'peak memory' text.txt
}

a_hundred_devices_keep_the_shipped_floors() {
    simulate --devices 100 --dims 16 --dropout 0.03 --seed 2 --json >r.json || return 1
    json r.json 'r["shipped_floors"] and r["finding_count"] == 0' &&
        json r.json 'r["rounds"][0]["end"] == "exact sum" and r["rounds"][0]["receipts"] > 80' &&
        json r.json 'r["ended"]["OK"] + r["vanished"] == 100' &&
        json r.json 'r["wall_seconds"] > 0 and r["peak_mib"] > 1 and r["messages"] > 1000' &&
        json r.json 'len(r["rounds"][0]["sum_digest"]) == 64'
}

light_faults() {
    for seed in 11 12 13 14 15 16; do
        simulate --devices 40 --dims 64 --faults light --rounds 4 --max-dropout 0.2 \
            --dropout 0.03 --seed $seed || return 1
    done
}

# Above 512 in the roster the graph is made of cycles. The plan's numbers are the cheapest that the
# shipped floors and these faults leave.
light_faults_on_cycles_leave_an_exact_sum() {
    simulate --devices 530 --dims 16 --faults light --max-dropout 0.08 --max-colluding 0.05 \
        --seed 51 --json >cycles.json || return 1
    json cycles.json 'r["rounds"][0]["joined"] > 512 and r["shipped_floors"]' &&
        json cycles.json 'r["rounds"][0]["end"] == "exact sum" and r["finding_count"] == 0' &&
        json cycles.json 'r["crashes"] > 0 and r["disk_errors"] > 0 and r["restored_copies"] > 0'
}

heavy_faults() {
    for seed in 21 22 23 24 25 26 27 28; do
        simulate --devices 30 --dims 32 --faults heavy --rounds 4 --max-dropout 0.3 \
            --seed $seed || return 1
    done
}

each_fault_by_itself() {
    seed=30
    for fault in "--loss 0.05" "--delay-ms 20000" "--duplicate 0.5" "--partition 0.15" \
        "--crash 0.2" "--server-crash 0.6" "--disk-error 0.4" "--slow 0.15" \
        "--clock-jump 0.3" "--restore 0.2"; do
        seed=$((seed + 1))
        # One option and its value. shellcheck disable=SC2086
        simulate --devices 25 --dims 32 --rounds 3 --max-dropout 0.3 --seed $seed $fault || return 1
    done
}

the_number_of_threads_changes_nothing() {
    for threads in 1 2 4; do
        simulate --devices 30 --dims 32 --faults heavy --rounds 3 --max-dropout 0.3 --seed 41 \
            --threads $threads --json >t$threads.json || return 1
    done
    python3 -c 'import json
runs = [json.load(open("t%d.json" % t)) for t in (1, 2, 4)]
for r in runs:
    for cost in ("wall_seconds", "core_seconds", "peak_mib", "cpu_seconds"): del r[cost]
assert runs[0] == runs[1] == runs[2], runs'
}

a_finding_is_printed_with_the_command_that_repeats_it() {
    for plant in sum reveal secret; do
        simulate --devices 10 --dims 16 --seed 7731 --loss 0.003 --plant $plant >first.txt \
            2>first.err && { echo "the planted $plant was not found"; return 1; }
        grep -q '^FINDING round 1: ' first.err || { cat first.err; return 1; }
        repeat=$(sed -n 's/^repeat: //p' first.err)
        sh -c "$repeat" >second.txt 2>second.err && return 1
        cmp first.err second.err && test "$(grep ^trace first.txt)" = "$(grep ^trace second.txt)" ||
            return 1
    done
}

without_receipts_there_is_no_mean() {
    simulate --devices 10 --dims 16 --dropout 0.9 --max-dropout 0.2 --seed 1 >none.txt || return 1
    grep -q 'given up' none.txt &&
        grep -q '^bytes for each receipt: - up, - down' none.txt
}

random_runs_end_in_time() {
    simulate --random-seconds 2 --json >random.json || { cat random.json; return 1; }
    json random.json 'r["runs"] >= 1 and r["failed"] == 0 and r["contributions"] > 0'
}

wrong_arguments_are_named() {
    simulate --devices 2 2>wrong.txt
    test $? = 2 && grep -q 'devices 3' wrong.txt || return 1
    simulate --faults many 2>wrong.txt
    test $? = 2 && grep -q 'light' wrong.txt || return 1
    simulate --plant bug 2>wrong.txt
    test $? = 2 && grep -q 'reveal' wrong.txt || return 1
    # Every device would refuse this plan.
    simulate --devices 100 --max-colluding 0.01 2>wrong.txt
    test $? = 1 && grep -q 'colluding' wrong.txt || return 1
    simulate --help | grep -q -- '--clock-jump'
}

for name in a_clean_round_is_exact_and_says_its_cost a_hundred_devices_keep_the_shipped_floors \
    light_faults light_faults_on_cycles_leave_an_exact_sum heavy_faults each_fault_by_itself \
    the_number_of_threads_changes_nothing a_finding_is_printed_with_the_command_that_repeats_it \
    without_receipts_there_is_no_mean random_runs_end_in_time wrong_arguments_are_named; do
    test_case "$name"
done
[ "$bad" = 0 ]
