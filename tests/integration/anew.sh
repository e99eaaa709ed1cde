#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# An id that was made anew by somebody else, and one that was stopped on
# purpose.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

socket() {
	local socket
	for socket in "$HOME/.local/state/sandbox-ssh/run/sandboxd.sock" \
	    /run/sandbox-ssh/sandboxd.sock; do
		[ ! -S "$socket" ] || break
	done
	echo "$socket"
}

# api METHOD PATH [BODY]: another client than ours, with no cache of ours.
api() {
	curl -sS --fail --unix-socket "$(socket)" -X "$1" \
	    ${3:+-d "$3"} "http://localhost/v1/sandboxes$2"
}

remake() {
	api DELETE /run-1234
	api POST "" '{"id": "run-1234"}' >/dev/null
}

# gets_in NAME: without a word, and into the one that is there now.
gets_in() {
	check 0 "$1" ssh "$host" 'cat workspace/mark 2>/dev/null; echo in'
	is "$1: into the new one" "$(cat "$out")" in
	is "$1: without a word" "$(cat "$err")" ""
	check 0 "$1: mark" ssh "$host" 'echo old >workspace/mark'
}

main() {
	cache=$HOME/.cache/sandbox-ssh
	made_anew
	other_cache
	masters
	only_stopped
	mismatch
	held
	no_wake
}

made_anew() {
	local first second
	check 0 "credentials" ssh "$host" 'echo old >workspace/mark'
	first=$(sed -n 's/^endpoint=//p' "$cache/$host/session")
	remake
	gets_in "made anew"
	second=$(sed -n 's/^endpoint=//p' "$cache/$host/session")
	[ "$first" != "$second" ] || fail "another socket"
	[ ! -e "${first#unix:}" ] || fail "the old socket is gone"
	ok "its socket is another"
	remake
	check 0 "made anew: scp" scp -q "$host:/etc/hostname" "$HOME/copy"
	is "made anew: scp: without a word" "$(cat "$err")" ""
	remake
	check 0 "made anew: prepare" sandbox-proxy prepare "$host"
	check 0 "made anew: prepare: then ssh" ssh "$host" true
	remake
	check 0 "made anew: doctor" sandbox-proxy doctor "$host"
	api POST /run-1234/stop >/dev/null
	remake
	gets_in "stopped and made anew"
}

# The cache of another machine, or of another home.
other_cache() {
	local other=(ssh -F "$HOME/other.conf" "$host")
	sandbox-proxy --cache "$HOME/other" print-config >"$HOME/other.conf"
	check 0 "another cache" "${other[@]}" 'echo old >workspace/mark'
	check 0 "kill" sandboxctl kill run-1234
	check 0 "create" sandboxctl create run-1234
	check 0 "another cache: made anew" "${other[@]}" \
	    'cat workspace/mark 2>/dev/null; echo in'
	is "another cache: into the new one" "$(cat "$out")" in
	is "another cache: without a word" "$(cat "$err")" ""
	# Several at once: one of them asks, and all get in.
	api DELETE /run-1234
	api POST "" '{"id": "run-1234"}' >/dev/null
	local i pids=() good=0
	for i in {1..8}; do
		"${other[@]}" true >/dev/null 2>"$HOME/err.$i" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && good=$((good + 1))
	done
	cat "$HOME"/err.* >"$err"
	is "eight at once" "$good" 8
	is "eight at once: without a word" "$(cat "$err")" ""
	rm -r "$HOME/other" "$HOME/other.conf"
}

# A connection that is shared ends with its sandbox.
masters() {
	local mux=(-o "ControlPath=$HOME/mux" -o ControlMaster=auto
	    -o ControlPersist=60)
	check 0 "a master" ssh "${mux[@]}" "$host" 'echo old >workspace/mark'
	[ -S "$HOME/mux" ] || fail "a master that stays"
	remake
	check 0 "a master to the old one" ssh "${mux[@]}" "$host" \
	    'cat workspace/mark 2>/dev/null; echo in'
	is "a master to the old one: into the new one" "$(cat "$out")" in
	check 0 "its end" ssh -o "ControlPath=$HOME/mux" -O exit "$host"
}

# Nothing changes, and nothing is signed, for one that sleeps.
only_stopped() {
	local before
	check 0 "credentials" ssh "$host" true
	before=$(sha256sum "$cache/$host"/*)
	check 0 "stop" sandboxctl stop run-1234
	check 0 "ssh -G of one that sleeps" ssh -G "$host"
	is "its credentials stay" "$(sha256sum "$cache/$host"/*)" "$before"
	check 0 "and it wakes" ssh "$host" true
	is "without a word" "$(cat "$err")" ""
}

# The sandbox is the same: what answers is not.
mismatch() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/other"
	printf '%s %s\n' "$host" "$(cut -d' ' -f1,2 "$HOME/other.pub")" \
	    >"$cache/$host/known_hosts"
	check 255 "a real mismatch" ssh "$host" true
	grep -q 'IDENTIFICATION HAS CHANGED' "$err" || fail "alarms"
	ok "alarms"
	rm -r "${cache:?}/$host" "$HOME"/other*
}

member() {
	sandboxctl show --json run-1234 | jq -r ".$1"
}

# restart_broker: of our own; of root's only root can.
restart_broker() {
	[ "$(id -un)" != bob ] || return 0
	sandboxd --stop >/dev/null
	sandboxd --daemon
}

held() {
	local how='start it with sandboxctl start run-1234'
	check 0 "stop --hold" sandboxctl stop --hold run-1234
	is "it is held" "$(member held) $(member state)" "true stopped"
	check 0 "show" sandboxctl show run-1234
	grep -qx 'held: yes' "$out" || fail "show tells"
	check 0 "list" sandboxctl list
	grep -q '^run-1234  *stopped,held ' "$out" || fail "list tells"
	restart_broker
	check 69 "held: connect" sandbox-proxy connect "$host"
	says "held: says how to start it" "$how"
	check 255 "held: ssh" ssh "$host" true
	grep -q "$how" "$err" || fail "held: ssh says how to start it"
	check 1 "held: doctor" sandbox-proxy doctor "$host"
	grep -q '^fail .*is held.*sandboxctl start run-1234$' "$out" ||
		fail "held: doctor says so"
	ok "held: doctor says so"
	is "held: nothing woke it" "$(member state)" stopped
	check 0 "held: stop leaves it so" sandboxctl stop run-1234
	is "held: it is" "$(member held)" true
	check 0 "start" sandboxctl start run-1234
	is "held no longer" "$(member held) $(member state)" "false running"
	check 0 "ssh" ssh "$host" true
	check 0 "stop" sandboxctl stop run-1234
	check 0 "an ordinary stop is woken" ssh "$host" true
	# Somebody connects all the time while it is being held.
	(while :; do ssh "$host" true || :; done) >/dev/null 2>&1 </dev/null &
	local loop=$!
	check 0 "held under fire" sandboxctl stop --hold run-1234
	check 69 "held under fire: connect" sandbox-proxy connect "$host"
	is "held under fire: it stays down" "$(member state)" stopped
	kill "$loop"
	wait "$loop" || :
	check 0 "start" sandboxctl start run-1234
}

no_wake() {
	local file=$HOME/.config/sandbox-ssh/config
	mkdir -p "${file%/*}"
	printf '[ssh]\nwake = no\n' >"$file"
	check 0 "wake = no: one that runs" ssh "$host" true
	rm -r "${cache:?}/$host"
	check 0 "wake = no: with an empty cache" ssh "$host" true
	check 0 "stop" sandboxctl stop run-1234
	check 69 "wake = no: connect" sandbox-proxy connect "$host"
	says "wake = no: says how to start it" \
	    'is stopped, and with \[ssh\] wake = no .*: sandboxctl start run-1234'
	check 255 "wake = no: ssh" ssh "$host" true
	is "wake = no: nothing woke it" "$(member state)" stopped
	check 0 "start" sandboxctl start run-1234
	check 0 "wake = no: it runs again" ssh "$host" true
	is "wake = no: without a word" "$(cat "$err")" ""
	printf '[ssh]\nwake = maybe\n' >"$file"
	check 78 "wake = maybe" sandbox-proxy connect other.sandbox
	says "wake = maybe: says where" "$file:2: wake"
	rm "$file"
}

world_main "$@"
