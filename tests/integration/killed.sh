#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Whatever of sandboxd is killed, and whenever: after a restart there is no
# sandbox without a row in the database, and no row without a sandbox.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

# Every process of it, those in the middle of a call among them.
processes() {
	pgrep -f -- "^$BUILDDIR/sandboxd .*--state-dir $broker_state " |
		LC_ALL=C sort
}

none_left() {
	[ -z "$(processes)" ]
}

# A call's own process takes nothing with it; any of the four all of them.
is_settled() {
	if [ -n "$(comm -12 <(echo "$four") <(echo "$killed"))" ]; then
		none_left
	else
		[ "$(processes)" = "$four" ]
	fi
}

rows() {
	broker_database 'for row in db.execute(
    "SELECT id FROM sandboxes ORDER BY id"): print(row[0])'
}

folders() {
	find "$broker_state/sandboxes" -mindepth 1 -maxdepth 1 -type d \
	    -printf '%f\n' | LC_ALL=C sort
}

slots() {
	local slot
	for slot in "$broker_state"/slots/*; do
		echo "$(cat "$slot")"
	done | LC_ALL=C sort
}

# Left-overs go within moments of the start.
are_the_same() {
	diff <(rows) <(folders) && diff <(rows) <(slots) || {
		tail -n 20 "$broker_log"
		return 1
	}
}

ids_of_processes() {
	local pid
	for pid in $(pgrep -x sandbox-init); do
		nsenter -t "$pid" -u hostname
	done | LC_ALL=C sort
}

# What runs has a row that says so, or that its last call failed: whoever was
# killed in the middle of one cannot know, and the next start mends it.
runs_as_told() {
	local id
	for id in $(ids_of_processes); do
		broker_database "row = db.execute('SELECT state FROM sandboxes '
    'WHERE id = ?', ('$id',)).fetchone()
assert row and row[0] in ('running', 'failed'), row"
	done
}

request() {
	curl -sS --max-time 60 --unix-socket "$broker_socket" -X "$@" \
	    >/dev/null 2>&1 || :
}

# one ROUND SIGNALLED: while sandboxes come, go and start.
one() {
	local round=$1 whom=$2 four killed pid calls=()
	four=$(processes)
	for n in 1 2; do
		request POST -d "{\"id\":\"new-$round-$n\"}" \
		    http://localhost/v1/sandboxes &
		calls+=($!)
	done
	request DELETE "http://localhost/v1/sandboxes/old-$round" &
	calls+=($!)
	request POST "http://localhost/v1/sandboxes/stays/stop" &
	calls+=($!)
	read -rt "0.$(printf '%03d' $((round * 23)))" <> <(:) || :
	killed=$("$whom" | LC_ALL=C sort)
	for pid in $killed; do
		kill -9 "$pid" 2>/dev/null || :
	done
	wait "${calls[@]}" || :
	wait_for "round $round: all or one call ends" is_settled
	! none_left || broker_serve
	wait_for "round $round: rows and sandboxes are the same" are_the_same
	runs_as_told || fail "round $round: one that runs has no row that says so"
	rows | grep -qx stays || fail "round $round: one is lost"
	broker_call root 200 "round $round" \
	    POST "/v1/sandboxes/stays/start?wait=60"
}

all() {
	processes
}

# One of its four, another one each time.
one_of_them() {
	processes | shuf -n 1
}

broker_programs
broker_serve
broker_call root 201 "one that stays" POST /v1/sandboxes -d '{"id":"stays"}'
for round in {1..12}; do
	broker_call root 201 "one to delete" POST /v1/sandboxes \
	    -d "{\"id\":\"old-$round\"}"
	# Enough to be in the middle of its removal.
	seq -f "$broker_state/sandboxes/old-$round/home/%g" 20000 |
		xargs touch
	one "$round" "$([ $((round % 2)) = 0 ] && echo all || echo one_of_them)"
done
broker_stop
done_testing
