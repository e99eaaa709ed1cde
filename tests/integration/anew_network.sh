#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# An id that was made anew by somebody else, of a sandbox that is reached over a
# network at the same address as before: another host key, and an sshd that
# takes none of the earlier certificates.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/lab.sh"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh
incarnation=0

# replace NAME: another key for the lab.
replace() {
	rm "$lab/$1" "$lab/$1.pub"
	ssh-keygen -q -t ed25519 -N '' -f "$lab/$1"
}

told() {
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\",
	    \"incarnation\": \"i-$incarnation\"}"
	echo "{\"incarnation\": \"i-$incarnation\"}" >"$lab/told"
}

remake() {
	incarnation=$((incarnation + 1))
	replace host
	replace ca
	told
}

requests() {
	wc -l <"$lab/requests"
}

gets_in() {
	local name=$1
	shift
	check 0 "$name" "$@"
	is "$name: without a word" "$(cat "$err")" ""
}

made_anew() {
	gets_in "the first" ssh "$host" true
	: >"$lab/requests"
	gets_in "as it was" ssh "$host" true
	is "as it was: nobody is asked" "$(requests)" 0
	remake
	gets_in "made anew" ssh "$host" true
	is "made anew: asked once" "$(requests)" 1
	remake
	gets_in "made anew at once" ssh "$host" true
	remake
	gets_in "and again" ssh "$host" true
	touch -d '-1 minute' "$cache/$host/id_ed25519-anew"
	gets_in "later" ssh "$host" true
	[ ! -e "$cache/$host/id_ed25519-anew" ] || fail "what is done with goes"
	ok "what is done with goes"
	remake
	gets_in "scp" scp -O -q "$host:/etc/hostname" "$HOME/copy"
	remake
	gets_in "with a relay" ssh -o ProxyUseFdpass=no \
	    -o "ProxyCommand=sandbox-proxy connect %h %p" "$host" true
	remake
	gets_in "doctor" sandbox-proxy doctor "$host"
}

at_once() {
	local i pids=() good=0
	touch -d '-1 minute' "$cache/$host/id_ed25519-anew"
	gets_in "warm" ssh "$host" true
	remake
	for i in {1..8}; do
		ssh "$host" true >/dev/null 2>"$HOME/err.$i" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && good=$((good + 1))
	done
	cat "$HOME"/err.* >"$err"
	is "eight at once" "$good" 8
	is "eight at once: without a word" "$(cat "$err")" ""
}

# The broker knows nothing of it: that is no sandbox of ours.
mismatch() {
	local before
	rm -rf "$cache"
	gets_in "warm" ssh "$host" true
	before=$(cat "$lab/host.pub")
	replace host
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\",
	    \"host_keys\": [\"$(cut -d' ' -f1,2 <<<"$before")\"],
	    \"incarnation\": \"i-$incarnation\"}"
	check 255 "a real mismatch" ssh "$host" true
	grep -q 'IDENTIFICATION HAS CHANGED' "$err" || fail "alarms"
	ok "alarms"
	lab_mode silent
	lab_config '[broker]' "url = unix:$lab/broker.sock" 'timeout = 2s'
	lab_mode honest
	told
	gets_in "credentials of that configuration" ssh "$host" true
	remake
	lab_mode silent
	check 255 "the broker is mute" timeout 20 ssh "$host" true
	grep -q 'run-1234.*another host key.*cannot be asked.*in time' "$err" ||
		fail "the broker is mute: says so"
	ok "the broker is mute: says so"
	lab_mode honest
}

# Nobody but its owner can give ssh such a key late.
own_key() {
	rm -rf "$cache"
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/own"
	lab_config '[broker]' "url = unix:$lab/broker.sock" \
	    '[ssh]' "public_key = $HOME/own.pub"
	gets_in "a key of one's own" ssh "$host" true
	remake
	check 255 "a key of one's own: made anew" ssh "$host" true
	grep -q 'run-1234 was made anew.*: .*ssh again' "$err" ||
		fail "a key of one's own: says what to do"
	! grep -q 'IDENTIFICATION HAS CHANGED' "$err" ||
		fail "a key of one's own: no alarm"
	ok "a key of one's own: says what to do"
	gets_in "a key of one's own: again" ssh "$host" true
}

world_install
lab_make
lab_sshd
sandbox-proxy setup >/dev/null
lab_config '[broker]' "url = unix:$lab/broker.sock"
told
made_anew
at_once
mismatch
own_key
lab_end
done_testing
