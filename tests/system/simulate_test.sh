#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# simulate_test.sh - the programs as a person uses them: a generated shop, a training run with real
# devices over TLS of which some vanish, the same machines in one process with stores on disk, what
# the tools then say of the folder, and a server that is killed in an open round and started again.
# Prints the lines of cmocka that tests/run.sh counts. BUILD names the folder of the programs.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-build}
case "$build" in /*) ;; *) build=$here/$build ;; esac
tacit=$build/tacit
tacitd=$build/tacitd
work=$(mktemp -d)
daemon=""
bad=0
trap 'test -z "$daemon" || kill -9 "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

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

# json FILE EXPRESSION: the Python expression over the object `r` is true. (python3 is there: the
# generator of the message code needs it.)
json() {
    python3 -c 'import json,sys
r = json.load(open(sys.argv[1]))
if not eval(sys.argv[2]): sys.exit("false: %s\n%s" % (sys.argv[2], json.dumps(r)[:1500]))' "$1" "$2"
}

# soon COMMAND...: true as soon as the command is, for 15 s at most.
soon() {
    n=0
    until "$@" >/dev/null 2>&1; do
        n=$((n + 1))
        [ "$n" -lt 75 ] || { echo "never: $*"; return 1; }
        sleep 0.2
    done
}

status_says() { "$tacit" status server --json >status.json && json status.json "$1"; }

serve() { # starts tacitd on the folder; its port is in server/port
    rm -f server/port
    "$tacitd" server --port 0 >daemon.out 2>>daemon.log &
    daemon=$!
    soon test -s server/port || { cat daemon.log; return 1; }
}

stop() { # signal: ends tacitd; the status is tacitd's
    kill "-$1" "$daemon"
    wait "$daemon"
    ended=$?
    daemon=""
    return "$ended"
}

a_folder_is_made_once() {
    "$tacit" generate shop --people 90 --items 150 --events 25 --seed 3 &&
        "$tacit" init server --catalogue shop/catalogue.csv --port 0 --json >init.json &&
        test -s server/app/pins.ini && test -s server/app/server.crt || return 1
    # Secrets are their owner's alone.
    loose=$(find server/keys server/authority -name '*.key' -perm /077) && test -z "$loose" || return 1
    before=$(cksum server/keys/plan.key)
    "$tacit" init server && { echo "made twice"; return 1; }
    test "$before" = "$(cksum server/keys/plan.key)"
}

a_run_over_tls_reports_what_it_did() {
    "$tacit" simulate --data shop --server server --devices 80 --dropout 0.05 --quiet-seconds 1 \
        --seed 1 --report report.json || return 1
    json report.json 'r["dataset"] == "shop" and r["devices"] == 80 and r["tls"] is True' &&
        json report.json '0 < r["seconds"] < 90 and r["epsilon"] == 8 and r["delta"] == 1e-5' &&
        json report.json 'len(r["rounds"]) == 1 and r["rounds"][0]["status"] == "OK"' &&
        json report.json '57 <= r["rounds"][0]["survivors"] <= r["rounds"][0]["joined"] <= 80' &&
        json report.json 'sum(r["rounds"][0]["vanished_before"]) > 0' &&
        json report.json 'r["rounds"][0]["left_otherwise"] == 0' &&
        json report.json 'isinstance(r["rounds"][0]["kind"], str) and r["rounds"][0]["kind"]' &&
        json report.json '0 < r["rounds"][0]["epsilon_so_far"] <= 8' &&
        json report.json 'r["rounds"][0]["bytes_up"] > 1000 and r["rounds"][0]["bytes_down"] > 1000' &&
        json report.json '0 < r["rounds"][0]["ndcg20"] <= 1' &&
        json report.json 'set(r["ndcg20"]) == {"popularity", "federated", "central"}' &&
        json report.json 'set(r["recall20"]) == {"popularity", "federated", "central"}' &&
        json report.json 'all(0 < v <= 1 for q in ("ndcg20", "recall20") for v in r[q].values())' &&
        # Every recommendation is the sum of its parts, up to the shares not listed one by one.
        json report.json 'all(abs(i["score"] - i["bias"] - i["base"] - i["rest"] -
            sum(b["share"] for b in i["because"])) < 1e-4
            for p in r["people"] for i in p["recommended"]) and len(r["people"]) == 2'
}

the_tools_agree_about_the_folder() {
    "$tacit" round server list --json >rounds.json && "$tacit" model server list --json >models.json &&
        "$tacit" model server verify >verify.txt || return 1
    status_says 'r["models"] == 2 and r["open_round"] is None and r["record"]["rounds"] == 1' &&
        status_says 'r["record"]["succeeded"] == 1 and r["catalogue"]["items"] == 150' &&
        json rounds.json 'len(r["record"]) == 1 and r["record"][0]["survivors"] >= 57' &&
        json models.json 'len(r["models"]) == 2' || return 1
    # The run's own report, the record and the folder's status tell one story.
    python3 -c 'import json
report, rounds, models, status = (json.load(open(f + ".json")) for f in
                                  ("report", "rounds", "models", "status"))
mine, record = report["rounds"][0], rounds["record"][0]
assert mine["joined"] == record["joined"] == status["record"]["joined"], (mine, record)
assert mine["survivors"] == record["survivors"] == status["record"]["survivors"], (mine, record)
assert max(models["models"], key=lambda m: m["number"])["digest"] == status["model"]["digest"], (models, status)' || return 1
    # A model file that was tampered with does not verify; the untouched one does.
    "$tacit" model server export model.bin && "$tacit" model model.bin --pins server/app/pins.ini || return 1
    python3 -c 'import sys
b = bytearray(open("model.bin", "rb").read()); b[len(b) // 2] ^= 1; open("bad.bin", "wb").write(b)'
    "$tacit" model bad.bin --pins server/app/pins.ini && { echo "a bad model verified"; return 1; }
    "$tacit" recommend --server server --data shop --person p00001 --json >recommend.json &&
        "$tacit" recommend --model model.bin --pins server/app/pins.ini --data shop \
            --person p00001 --json >recommend2.json && cmp recommend.json recommend2.json
}

one_process_with_stores_on_disk() {
    "$tacit" simulate --data shop --server other --devices 64 --in-process --stores stores \
        --quiet-seconds 1 --no-central --report in_process.json || return 1
    json in_process.json 'r["devices"] == 64 and r["tls"] is False' &&
        json in_process.json 'r["rounds"][0]["joined"] == 64 == r["rounds"][0]["survivors"]' &&
        json in_process.json 'r["ndcg20"]["central"] is None and r["ndcg20"]["federated"] > 0' &&
        test "$(find stores -name data.mdb | wc -l)" = 64
}

a_run_devices_refuse_is_refused_at_once() {
    "$tacit" simulate --data shop --server few --devices 40 2>few.txt && return 1
    grep -q '40 devices' few.txt || { cat few.txt; return 1; }
    "$tacit" simulate --data shop --server wide --devices 80 --max-colluding 0.02 2>wide.txt && return 1
    grep -q "fewer colluding devices" wide.txt || { cat wide.txt; return 1; }
}

a_killed_server_forgets_nothing() {
    serve || return 1
    # One server a folder.
    "$tacitd" server --port 0 && { echo "two servers on one folder"; return 1; }
    "$tacit" round server start --devices 80 --n-lo 72 --n-hi 80 &&
        soon status_says 'r["open_round"] is not None' || return 1
    first=$(python3 -c 'import json; print(json.load(open("status.json"))["open_round"])')
    stop 9
    serve && soon status_says "(r['open_round'] or 0) > $first" &&
        status_says 'r["models"] == 2 and r["record"]["succeeded"] == 1' &&
        # The round that was cut off stands in the record as failed, its number used up.
        status_says "r['record']['failed'] == 1 and r['record']['last']['round'] == $first" &&
        "$tacit" model server verify || return 1
    stop TERM && status_says 'r["models"] == 2'
}

wrong_arguments_and_lines_are_named() {
    cp server/tacit.ini saved.ini
    echo 'frobnicate = 1' >>server/tacit.ini
    "$tacitd" server --port 0 2>line.txt && return 1
    cp saved.ini server/tacit.ini
    grep -q "tacit.ini:$(($(wc -l <saved.ini) + 1)): " line.txt || { cat line.txt; return 1; }
    "$tacitd" 2>/dev/null
    test $? = 2 || return 1
    "$tacit" status nowhere 2>nowhere.txt
    test $? = 1 && grep -q nowhere nowhere.txt || return 1
    "$tacit" round server start --devices 10 2>/dev/null
    test $? = 2
}

for name in a_folder_is_made_once a_run_over_tls_reports_what_it_did \
    the_tools_agree_about_the_folder one_process_with_stores_on_disk \
    a_run_devices_refuse_is_refused_at_once a_killed_server_forgets_nothing \
    wrong_arguments_and_lines_are_named; do
    test_case "$name"
done
[ "$bad" = 0 ]
