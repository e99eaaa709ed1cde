#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A broker whose socket somebody removed, and a lock whose holder has died.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/broker.sh"

answers() {
	curl -sS --fail --max-time 5 --unix-socket "$broker_socket" \
	    http://localhost/v1/health
}

says_so() {
	grep -q "$broker_socket was removed: listening there again" \
	    "$broker_log"
}

# Process 1 has seen it, too.
is_over() {
	[ ! -e "/proc/$1" ]
}

removed() {
	local before
	broker_serve '[broker]'
	before=$(cat "$broker_state/sandboxd.lock")
	rm "$broker_socket"
	wait_for "the socket is there again" answers
	is "by the same broker" "$(cat "$broker_state/sandboxd.lock")" "$before"
	wait_for "it says so" says_so
	rm -r "$broker_run"
	wait_for "the folder, too" answers
	broker_call 0 201 "it works" POST /v1/sandboxes -d '{"id": "run-1"}'
	broker_call 0 204 "and removes" DELETE /v1/sandboxes/run-1
	# What is somebody else's is left to them.
	rm "$broker_socket"
	mkdir "$broker_socket"
	check 0 "stop: by the lock" broker_sandboxd --stop
	wait_for "it has ended" is_over "$before"
	rmdir "$broker_socket"
}

# A pid that the dead left behind is anybody's, of that name, too.
stale() {
	cp /usr/bin/sleep "$broker_work/sandboxd"
	"$broker_work/sandboxd" 1000 &
	local pid=$!
	echo "$pid" >"$broker_state/sandboxd.lock"
	check 69 "stop: a stale lock" broker_sandboxd --stop
	says "stop: a stale lock: says so" 'nothing to stop'
	kill -0 "$pid" || fail "the bystander lives"
	ok "the bystander lives"
	kill "$pid"
	wait "$pid" || :
	broker_serve '[broker]'
	check 0 "a start takes the lock" answers
	broker_stop
}

broker_programs
removed
stale
done_testing
