#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Who is in a sandbox, by which certificate, since when and on which terminals.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

# Each session that the broker tells of, as jq's FILTER makes it.
sessions() {
	sandboxctl show --json run-1234 | jq -r ".sessions[] | $1"
}

are_sessions() {
	[ "$(sessions .since | wc -l)" = "$1" ]
}

# Its standard input never ends by itself.
enter() {
	ssh "$@" <>"$HOME/hold" >"$HOME/session" 2>&1 &
	clients+=($!)
}

main() {
	local serial before clients=()
	mkfifo "$HOME/hold"
	is "nobody" "$(sessions .)" ""
	before=$(date +%s)
	enter -tt "$host" 'tty; cat'
	wait_for "somebody on a terminal" are_sessions 1
	wait_for "what it is" grep -q /dev/pts/ "$HOME/session"
	serial=$(ssh-keygen -L -f "$HOME/.cache/sandbox-ssh/$host/id_ed25519-cert.pub" |
		sed -n 's/^ *Serial: //p')
	is "by which certificate" "$(sessions .serial)" \
	    "$(printf '%016x' "$serial")"
	is "whose it is" "$(sessions .key_id)" \
	    "$(id -un)/run-1234/$(printf '%016x' "$serial")"
	is "on which terminal" "/dev/$(sessions .terminals)" \
	    "$(tr -d '\r' <"$HOME/session")"
	[ "$(sessions .since)" -ge $((before - 1)) ] &&
		[ "$(sessions .since)" -le "$(date +%s)" ] ||
		fail "since when: $(sessions .since)"
	ok "since when"
	[ "$(sessions .idle)" -le 60 ] || fail "idle: $(sessions .idle)"
	ok "for how long nothing was typed"
	is "from this machine" "$(sessions .from)" null
	enter "$host" cat
	wait_for "one without a terminal" are_sessions 2
	is "which has none" "$(sessions .terminals | grep -c null)" 1
	check 0 "people read it" sandboxctl show run-1234
	is "people read it: sessions" \
	    "$(grep -c "^session: $(id -un)/run-1234/[0-9a-f]* since 20.*Z ([0-9]*s)" "$out")" 2
	grep -Eq '^session: .* on pts/[0-9]+, idle [0-9]+s$' "$out" ||
		fail "people read it: the terminal"
	grep -Eq "^certificate: $(id -un)/run-1234/[0-9a-f]{16} until 20.*Z \(" \
	    "$out" || fail "people read it: certificates"
	ok "people read it: all of it"
	# sshd asks who knocks; whoever has no key is nobody.
	before=$(sandboxctl show --json run-1234 | jq .certificate_count)
	ssh -F none -o BatchMode=yes -o "ProxyCommand=sandbox-proxy connect $host" \
	    -o "UserKnownHostsFile=$HOME/.cache/sandbox-ssh/$host/known_hosts" \
	    -o IdentitiesOnly=yes -i /dev/null "sandbox@$host" true \
	    >/dev/null 2>&1 && fail "in without a key"
	are_sessions 2 || fail "who does not get in counts"
	ok "who does not get in is nobody"
	is "certificates are counted" "$before" \
	    "$(sandboxctl show --json run-1234 | jq '.certificates | length')"
	kill "${clients[@]}"
	wait_for "they go" are_sessions 0
	sandboxctl stop run-1234 >/dev/null
	is "nothing is told of one that is stopped" \
	    "$(sandboxctl show --json run-1234 | jq .sessions)" null
	sandboxctl start run-1234 >/dev/null
}

world_main "$@"
