#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandboxd below a real systemd: restarts, deaths and rivals, while clients
# call without a pause.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/systemd.sh
. "$(dirname "$0")/../world/systemd.sh"
world_enter "$0" "$@"

RESTARTS=40
work=/srv/restarts

# Processes of sandboxd's; a broker is four.
processes() {
	inside pgrep -c sandboxd || :
}

are_four() {
	[ "$(processes)" = 4 ] && [ "$(main_pid)" != 0 ]
}

# knock NAME COMMAND...: again and again until the flag is gone; whatever
# fails is written down.
knock() {
	local name=$1
	shift
	while [ -e "$work/go" ]; do
		"$@" >"$work/$name.out" 2>&1 ||
			cat "$work/$name.out" >>"$work/$name.failed"
		echo >>"$work/$name.calls"
	done
}

knock_begin() {
	mkdir -p "$work"
	: >"$work/go"
	knock root inside sandboxctl show run-1 &
	knockers=$!
	knock alice inside_as alice sandboxctl show run-2 &
	knockers="$knockers $!"
	knock ssh inside ssh run-1.sandbox true &
	knockers="$knockers $!"
}

knock_end() {
	local name
	rm "$work/go"
	# shellcheck disable=SC2086 # words are wanted
	wait $knockers
	for name in root alice ssh; do
		[ ! -s "$work/$name.failed" ] ||
			fail "$name was told: $(head -3 "$work/$name.failed")"
		ok "$name called $(wc -l <"$work/$name.calls") times"
	done
}

test_restarts() {
	local i
	session_begin
	knock_begin
	for ((i = 0; i < RESTARTS; i++)); do
		inside systemctl restart sandboxd || fail "restart $i"
	done
	knock_end
	ok "$RESTARTS restarts"
	wait_for "four processes" are_four
	is "the service runs" "$(inside systemctl is-active sandboxd)" active
	[ ! -e /home/alice/.local/state/sandbox-ssh ] ||
		fail "alice has a broker of her own"
	session_says "after all of them"
}

# killed NAME PID: the next one serves, and nothing of the last is left.
killed() {
	local before
	before=$(main_pid)
	inside kill -9 "$2"
	wait_for "the next one after the $1" another_than "$before"
	wait_for "the end of the last ones" are_four
	check 0 "the $1 was killed: the next serves" inside sandboxctl list
	grep -q '^run-1 *running' "$out" || fail "run-1 does not run"
	ok "sandboxes run"
}

another_than() {
	local now
	now=$(main_pid)
	[ "$now" != 0 ] && [ "$now" != "$1" ] &&
		[ "$(inside systemctl is-active sandboxd)" = active ]
}

test_deaths() {
	local title
	killed "first process" "$(main_pid)"
	for title in http signer prov; do
		killed "$title" "$(inside pgrep "^sandboxd:$title")"
	done
	session_says "after the deaths"
}

# With one that hangs there is no end by itself.
test_stuck() {
	local http
	http=$(inside pgrep "^sandboxd:http")
	inside kill -STOP "$http"
	check 0 "restart with http stopped" inside systemctl restart sandboxd
	wait_for "four processes" are_four
	check 0 "the next serves" inside sandboxctl list
}

# Nobody's client starts one beside the unit's.
test_down() {
	check 0 "stop all" inside systemctl stop sandboxd.socket sandboxd
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '[broker]\ntimeout = 1s\n' >"$HOME/.config/sandbox-ssh/config"
	check 69 "down: root's client" inside sandboxctl list
	says "down: says how to start it" \
	    "start it with 'systemctl start sandboxd.socket'"
	rm "$HOME/.config/sandbox-ssh/config"
	check 69 "down: alice's" inside_as alice sandboxctl list
	says "down: says who starts it" \
	    "root starts it with 'systemctl start sandboxd.socket'"
	is "down: nothing runs" "$(processes)" 0
	# Who calls meanwhile is served as soon as it is back.
	inside_as alice sandboxctl show run-2 >"$work/late" 2>&1 </dev/null &
	local caller=$!
	wait_for "a call" inside pgrep -x sandboxctl
	check 0 "start" inside systemctl start sandboxd.socket
	wait "$caller" || fail "down: a call was not served: $(<"$work/late")"
	ok "down: who waited is served"
	session_says "after that"
}

# One that was started by hand while there was no unit.
test_stray() {
	check 0 "stop all" inside systemctl stop sandboxd.socket sandboxd
	check 0 "one by hand" inside sandboxd --daemon
	check 0 "it serves" inside sandboxctl list
	check 0 "the service starts all the same" \
	    inside systemctl start sandboxd
	wait_for "four processes" are_four
	is "by systemd" "$(inside systemctl is-active sandboxd)" active
	check 0 "it serves" inside sandboxctl list
	grep -q '^run-1 *running' "$out" || fail "run-1 does not run"
	session_says "after the change"
}

systemd_install
systemd_boot
check 0 "enable" inside systemctl enable --now sandboxd.socket
check 0 "a sandbox" inside sandboxctl create run-1
check 0 "and alice's" inside_as alice sandboxctl create run-2
inside sandbox-proxy setup >/dev/null
for part in restarts deaths stuck down stray; do
	"test_$part"
done
session_end
done_testing
