#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# From creation to kill: waking, renewal, refusal, and what never happens.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

state() {
	sandboxctl show --json run-1234 |
		/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["state"])'
}

cache_digest() {
	(cd "$HOME/.cache/sandbox-ssh" &&
		find . -printf '%p %m %T@ %s\n' | sort | sha256sum)
}

main() {
	cache=$HOME/.cache/sandbox-ssh
	nothing_happens
	workspace_stays
	twenty_at_once
	renewal
	files_gone
	damaged
	wrong_host_key
	other_sandbox
	killed
	less_than_usual
}

nothing_happens() {
	check 0 "credentials" ssh "$host" true
	check 0 "stop" sandboxctl stop run-1234
	local before
	before=$(cache_digest)
	check 0 "ssh -G" ssh -G "$host"
	is "ssh -G changes nothing" "$(cache_digest)" "$before"
	is "ssh -G wakes nothing" "$(state)" stopped
}

workspace_stays() {
	check 0 "ssh wakes a stopped sandbox" \
	    ssh "$host" 'echo kept >workspace/note'
	is "it runs" "$(state)" running
	check 0 "stop again" sandboxctl stop run-1234
	check 0 "start" sandboxctl start run-1234
	check 0 "the workspace is there" ssh "$host" cat workspace/note
	is "what was written stays" "$(cat "$out")" kept
}

# Which process 1 is this? Its start time tells.
boot_time() {
	ssh "$host" 'cut -d" " -f22 /proc/1/stat'
}

twenty_at_once() {
	local i pids=() good=0
	sandboxctl stop run-1234 >/dev/null
	for i in {1..20}; do
		ssh "$host" 'cut -d" " -f22 /proc/1/stat' \
		    >"$HOME/boot.$i" 2>"$HOME/boot.$i.err" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && good=$((good + 1))
	done
	cat "$HOME"/boot.*.err >"$err"
	is "twenty ssh to a stopped sandbox: all succeed" "$good" 20
	is "one start" "$(sort -u "$HOME"/boot.{1..20} | wc -l)" 1
}

# A certificate of one second, in the place of the good one.
short_life() {
	local folder=$cache/$host key
	key=$(ssh-keygen -y -f "$folder/id_ed25519")
	curl -sS --fail --unix-socket "$(broker)" \
	    -d "{\"public_key\": \"$key\", \"ttl\": \"1s\"}" \
	    http://localhost/v1/sandboxes/run-1234/ssh |
		/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["certificate"])' >"$folder/id_ed25519-cert.pub"
	expires=$(($(date +%s) + 1))
	sed -i "s/^not_after=.*/not_after=$expires/" "$folder/session"
}

broker() {
	local socket
	for socket in "$HOME/.local/state/sandbox-ssh/run/sandboxd.sock" \
	    /run/sandbox-ssh/sandboxd.sock; do
		[ ! -S "$socket" ] || break
	done
	echo "$socket"
}

is_over() {
	[ "$(date +%s)" -gt "$expires" ]
}

renewal() {
	local before folder=$cache/$host
	check 0 "credentials" ssh "$host" true
	short_life
	before=$(sha256sum <"$folder/id_ed25519-cert.pub")
	wait_for "the certificate's end" is_over
	cp -R "$folder" "$HOME/old"
	check 255 "an expired certificate opens nothing" ssh -F none \
	    -o "ProxyCommand=sandbox-proxy connect $host" \
	    -o "UserKnownHostsFile=$folder/known_hosts" -o BatchMode=yes \
	    -i "$HOME/old/id_ed25519" "sandbox@$host" true
	grep -q 'Permission denied' "$err" || fail "the gate refuses it"
	is "the broker knows why" \
	    "$(sandboxctl show --json run-1234 | jq -r .last_refusal.code)" \
	    expired
	check 0 "people read it" sandboxctl show run-1234
	grep -q '^last_refusal: .*Z ([0-9]*s)$' "$out" || fail "when"
	grep -q '^refused_because: certificate has expired$' "$out" ||
		fail "why"
	check 0 "the doctor" sandbox-proxy doctor "$host"
	grep -Eq '^warn  gate: .* [0-9]+ s ago: certificate has expired \(expired\): see ' \
	    "$out" || fail "the doctor tells"
	ok "the doctor tells"
	cp -p "$HOME/old/"* "$folder"
	check 0 "an expired certificate is renewed" ssh "$host" echo fine
	is "without a word" "$(cat "$err")" ""
	[ "$before" != "$(sha256sum <"$folder/id_ed25519-cert.pub")" ] ||
		fail "the certificate is a new one"
	ok "the certificate is a new one"
}

# Somebody tidied the cache: what ssh needs comes back, without a word.
files_gone() {
	local folder=$cache/$host name before
	for name in id_ed25519 id_ed25519-cert.pub known_hosts ../hosts.conf; do
		rm "$folder/$name"
		check 0 "without $name" ssh "$host" echo fine
		is "without $name: not a word" "$(cat "$err")" ""
		[ -s "$folder/$name" ] || fail "$name is back"
		ok "$name is back"
	done
	: >"$folder/known_hosts"
	check 0 "with an empty known_hosts" ssh "$host" echo fine
	before=$(sha256sum <"$folder/id_ed25519-cert.pub")
	check 0 "with all of them" ssh "$host" echo fine
	is "with all of them: the same certificate" \
	    "$(sha256sum <"$folder/id_ed25519-cert.pub")" "$before"
}

# damage COMMAND, which may be what root or an editor does.
damage() {
	[ ! -f "$cache/hosts.conf" ] || [ "${1#chmod}" != "$1" ] ||
		chmod 600 "$cache/hosts.conf"
	sh -c "$1"
}

# hosts.conf that ssh would stop at, whatever host it is for.
damaged() {
	local hosts=$cache/hosts.conf damage
	for damage in "echo garbage >>$hosts" "echo garbage >$hosts" \
	    "echo Host >$hosts" ": >$hosts" "head -c 3000 /dev/urandom >$hosts" \
	    "head -c 40 $hosts >$hosts.half; mv -f $hosts.half $hosts" \
	    "chmod 666 $hosts" "rm -f $hosts; mkfifo $hosts" \
	    "rm -f $hosts; mkdir $hosts" "rm -f $hosts; ln -s /dev/zero $hosts" \
	    "rm -f $hosts"; do
		damage "$damage"
		check 0 "another host after '${damage//"$HOME"/\~}'" \
		    timeout 20 ssh -TG example.org
		is "another host: without a word" "$(cat "$err")" ""
		damage "$damage"
		check 0 "after '${damage//"$HOME"/\~}'" ssh "$host" echo fine
		is "without a word" "$(cat "$err")" ""
		check 0 "other hosts, too" ssh -G example.org
		grep -qx "Host $host" "$hosts" || fail "it is not whole"
	done
	# An editor, or a hurried ">>", does not get that far.
	[ "$(id -u)" = 0 ] || [ ! -w "$hosts" ] || fail "it can be written to"
}

wrong_host_key() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/other"
	printf '%s %s\n' "$host" "$(cut -d' ' -f1,2 "$HOME/other.pub")" \
	    >"$cache/$host/known_hosts"
	check 255 "another host key stops the connection" ssh "$host" true
	grep -q 'IDENTIFICATION HAS CHANGED' "$err" || fail "ssh says why"
	ok "ssh says why"
	rm -r "${cache:?}/$host"
	check 0 "fresh credentials repair it" ssh "$host" true
}

# A certificate of one sandbox, offered to another one.
other_sandbox() {
	sandboxctl create run-5 >/dev/null
	check 0 "the other sandbox" ssh run-5.sandbox true
	check 255 "a certificate for another sandbox is refused" ssh -F none \
	    -o "ProxyCommand=sandbox-proxy connect $host" \
	    -o "UserKnownHostsFile=$cache/$host/known_hosts" -o BatchMode=yes \
	    -i "$cache/run-5.sandbox/id_ed25519" "sandbox@$host" true
	grep -q 'Permission denied' "$err" || fail "by the gate"
	ok "by the gate"
	sandboxctl kill run-5
}

# A broker that allows less than the hour that is usual.
less_than_usual() {
	local conf=$HOME/.config/sandbox-ssh/sandboxd.conf
	local from to
	[ "$(id -un)" = alice ] || return 0
	install -D -m 0644 /dev/stdin "$conf" <<-END
	[limits]
	max_ttl = 30m
	END
	sandboxd --stop
	rm -r "${cache:?}/$host"
	check 0 "max_ttl = 30m: plain ssh" ssh "$host" true
	ssh-keygen -L -f "$cache/$host/id_ed25519-cert.pub" >"$out"
	read -r _ _ from _ to < <(grep Valid: "$out")
	is "max_ttl = 30m: half an hour, and a minute before" \
	    $(($(date -d "$to" +%s) - $(date -d "$from" +%s))) 1860
	check 64 "more is refused" sandboxctl ssh run-1234 --ttl 1h -- true
	rm "$conf"
	sandboxd --stop
	check 0 "the usual again" sandboxctl list
}

killed() {
	sandboxctl create run-6 >/dev/null
	check 0 "a sandbox" ssh run-6.sandbox true
	ssh run-6.sandbox 'echo up; cat' </dev/zero >"$out" 2>"$err" &
	local client=$!
	wait_for "a session" grep -qa up "$out"
	check 0 "kill" sandboxctl kill run-6
	wait "$client" && fail "the session goes on"
	ok "kill ends its sessions"
	check 255 "a killed sandbox is refused" ssh run-6.sandbox true
	# ssh adds two lines of its own: that no descriptor came.
	is "with one clear line" "$(grep -c '^sandbox' "$err")" 1
	grep -q "run-6: no such sandbox" "$err" || fail "that names it"
	ok "that names it"
	check 66 "sandboxctl show says the same" sandboxctl show run-6
	sandboxctl create run-6 >/dev/null
	check 0 "the id can be used again" ssh run-6.sandbox true
	sandboxctl kill run-6
}

world_main "$@"
