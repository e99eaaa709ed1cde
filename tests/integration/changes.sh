#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The log answers where a sandbox is: every change is a line with its id, its
# owner and the cause, whoever or whatever brought it about.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

log=/var/lib/sandbox-ssh/sandboxd.log

as() {
	local who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" "$@"
}

# The lines about a sandbox, without the time, the number and particulars.
lines_of() {
	sed -nE "s/^[^ ]* sandboxd: (sandbox=$1 .*) number=[0-9]*(:.*)?$/\1/p" \
	    "$log"
}

# The rows about it, as such lines.
rows_of() {
	sandboxctl events --json "$1" | jq -r '"sandbox=\(.sandbox) " +
	    "owner=\(.owner) event=\(.event) cause=\(.cause)" +
	    if .by then " by=\(.by)" else "" end'
}

# tells NAME ID LINE...: these, in this order, and no others.
tells() {
	local name=$1 id=$2
	shift 2
	is "$name" "$(lines_of "$id")" "$(printf "sandbox=$id %s\n" "$@")"
	is "$name, in the database" "$(rows_of "$id")" "$(lines_of "$id")"
}

ended() {
	lines_of "$1" | grep -q "$2"
}

world_install
world_user alice
world_user bob
sandboxctl list >/dev/null
as alice sandbox-proxy setup >/dev/null

as alice sandboxctl create run-1 >/dev/null
sandboxctl stop run-1 >/dev/null
sandboxctl stop run-1 >/dev/null
as alice sandboxctl start run-1 >/dev/null
as alice sandboxctl extend run-1 --timeout 1h >/dev/null
as alice sandboxctl stop --hold run-1 >/dev/null
! as alice ssh run-1.sandbox true 2>/dev/null || fail "held"
sandboxctl start run-1 >/dev/null
sandboxctl stop run-1 >/dev/null
as alice ssh run-1.sandbox true || fail "ssh"
sandboxctl kill run-1 >/dev/null
tells "what people do" run-1 \
    "owner=alice event=created cause=create by=alice" \
    "owner=alice event=stopped cause=stop by=root" \
    "owner=alice event=started cause=start by=alice" \
    "owner=alice event=extended cause=extend by=alice" \
    "owner=alice event=held cause=stop by=alice" \
    "owner=alice event=stopped cause=stop by=alice" \
    "owner=alice event=certificate cause=ssh by=alice" \
    "owner=alice event=refused cause=state by=alice" \
    "owner=alice event=released cause=start by=root" \
    "owner=alice event=started cause=start by=root" \
    "owner=alice event=stopped cause=stop by=root" \
    "owner=alice event=woken cause=connect by=alice" \
    "owner=alice event=certificate cause=ssh by=alice" \
    "owner=alice event=removed cause=delete by=root"

as alice sandboxctl create run-2 --timeout 1s >/dev/null
wait_for "its end" ended run-2 event=removed
tells "what time does" run-2 \
    "owner=alice event=created cause=create by=alice" \
    "owner=alice event=stopped cause=expired" \
    "owner=alice event=removed cause=expired"

sandboxctl create run-3 >/dev/null
kill -9 "$(pgrep -x sandbox-init)"
wait_for "the end of its first process" \
    sh -c 'sandboxctl list | grep -q "^run-3 *stopped"'
tells "what comes about by itself" run-3 \
    "owner=root event=created cause=create by=root" \
    "owner=root event=stopped cause=found"

id=$(sandboxctl create | cut -d' ' -f1)
tells "an id that was chosen" "$id" \
    "owner=root event=created cause=create by=root"

# An id that another had before: whose events they are stays.
as bob sandboxctl create run-1 >/dev/null
is "bob sees his own alone" \
    "$(as bob sandboxctl events run-1 | grep -c .)" 1
is "as does alice" "$(as alice sandboxctl events --json |
    jq -r .by | sort -u | tr '\n' ' ')" "alice null root "
is "root sees both" "$(sandboxctl events run-1 | grep -c created)" 2
check 66 "one that never was" sandboxctl events nosuch

# What a sandbox says of its gate: nothing of another form, nothing of a time
# to come, and nothing twice.
report=/var/lib/sandbox-ssh/sandboxes/run-1/report/refused
denied() {
	printf '%-63s\n' "$*" >"$report"
	sandboxctl show run-1 >/dev/null
	sandboxctl events --json run-1 | jq -c 'select(.event == "denied") |
	    [.cause, .time]' | tail -n 1
}
now=$(date +%s)
is "no reason of ours" "$(denied "$now" "x=y")" ""
is "a time to come" "$(denied $((now + 1000)) expired)" ""
is "a reason" "$(denied "$now" expired)" "[\"expired\",$now]"
is "an earlier time" "$(denied $((now - 1)) used)" "[\"expired\",$now]"
is "the same again" "$(denied "$now" used)" "[\"expired\",$now]"
is "once" "$(sandboxctl events run-1 | grep -c denied)" 1

as bob sandboxctl share run-1 --with alice --verbs show >/dev/null
is "who may see it sees what happened to it" \
    "$(as alice sandboxctl events run-1 | grep -c 'of bob')" 2
is "with whom it is shared is told to its owner" \
    "$(as bob sandboxctl events run-1 | grep -c ' shared')" 1
as bob sandboxctl unshare run-1 --with alice >/dev/null
is "and then no more" \
    "$(as alice sandboxctl events run-1 | grep -c 'of bob')" 0
is "that is told, too" "$(sandboxctl events --json run-1 |
    jq -r 'select(.owner == "bob") | .event' | tail -n 2)" \
    "shared${IFS:2:1}unshared"

# Following: what happens is told at once, over a reload of the broker, too.
sandboxctl events --follow >followed 2>&1 &
follower=$!
wait_for "all so far" grep -q denied followed
sandboxctl stop run-1 >/dev/null
wait_for "a stop" sh -c 'tail -n 1 followed | grep -q stopped'
kill -HUP "$(cat /var/lib/sandbox-ssh/sandboxd.lock)"
wait_for "a reload" grep -q reloaded "$log"
sandboxctl start run-1 >/dev/null
wait_for "a start" sh -c 'tail -n 1 followed | grep -q started'
sandboxctl kill run-1 >/dev/null
wait_for "a removal" sh -c 'tail -n 1 followed | grep -q removed'
sandboxd --stop >/dev/null
status=0
wait "$follower" || status=$?
is "it ends with the broker" "$status" 69
is "nothing twice, nothing left out" "$(head -n -1 followed)" \
    "$(sandboxctl events)"
number=$(sandboxctl events --json | tail -n 2 | jq .number | head -n 1)
is "from a number on" "$(sandboxctl events --after "$number")" \
    "$(sandboxctl events | tail -n 1)"

# Who waits has but so many calls, and those of who has gone are over.
poll() {
	as bob curl -sS -m 100 -w '%{http_code}' -o /dev/null --unix-socket \
	    /run/sandbox-ssh/sandboxd.sock \
	    "http://localhost/v1/events?after=99999&wait=$1"
}
free() {
	[ "$(poll 1)" = 200 ]
}
turned_away() {
	[ "$(grep -c 429 answers)" = 14 ]
}
setpriv --reuid bob --regid bob --init-groups stdbuf -oL \
    curl -sS -Z --parallel-immediate \
    --unix-socket /run/sandbox-ssh/sandboxd.sock -o /dev/null \
    -w '%{http_code}\n' \
    'http://localhost/v1/events?after=99999&wait=60&limit=[1-30]' \
    >answers 2>/dev/null &
many=$!
wait_for "16 to wait" turned_away
is "one too many" "$(poll 1)" 429
kill "$many"
wait_for "room again" free
ok "callers that have gone do not count"

done_testing
