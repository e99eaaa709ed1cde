#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A sandbox that nobody is in stops by itself, and wakes again; one that
# somebody is in does not, however long nothing happens, until nobody answers
# any more.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

state() {
	sandboxctl list | tr -s ' ' | sed -n "s/^$1 \([^ ]*\).*/\1/p"
}

is_state() {
	[ "$(state "$1")" = "$2" ]
}

shows() {
	sandboxctl show "$1" | grep -Eq -- "$2"
}

sessions() {
	[ "$(sandboxctl show --json "$1" | jq '.sessions | length')" = "$2" ]
}

# A session of ssh's that does nothing.
enter() {
	ssh -tt "$1.sandbox" 'exec cat' <>/root/hold >/dev/null 2>&1 &
	client=$!
	wait_for "a session in $1" sessions "$1" 1
}

unused() {
	check 0 "create" sandboxctl create a-1 --auto-stop 3s
	is "the API says after how long" \
	    "$(sandboxctl show --json a-1 | jq -r .auto_stop)" 3s
	shows a-1 '^auto_stop: 3s after the last session, at 20.*Z \([0-3]s\)' ||
		is_state a-1 stopped || fail "show says when"
	ok "show says when"
	wait_for "nobody uses it" is_state a-1 stopped
	grep -q "sandbox=a-1 .*cause=unused" \
	    /var/lib/sandbox-ssh/sandboxd.log || fail "the log says why"
	ok "the log says why"
	check 0 "the next ssh wakes it" ssh a-1.sandbox true
	wait_for "and it stops again" is_state a-1 stopped
	check 0 "one that is held" sandboxctl stop --hold a-1
	check 255 "stays so" ssh a-1.sandbox true
	check 0 "start" sandboxctl start a-1
	wait_for "and stops again" is_state a-1 stopped
}

used() {
	local end
	check 0 "wake it" ssh a-1.sandbox 'nohup sleep 1000 >/dev/null 2>&1 &'
	enter a-1
	end=$((SECONDS + 8))
	while [ "$SECONDS" -lt "$end" ]; do
		is_state a-1 running || fail "a session that waits keeps it"
		read -rt 0.5 <> <(:) || :
	done
	ok "a session that waits keeps it"
	shows a-1 '^auto_stop: 3s after the last session; sessions now: 1$' ||
		fail "show says what keeps it"
	ok "show says what keeps it"
	kill "$client"
	wait_for "a process in the background does not" is_state a-1 stopped
}

restarts() {
	check 0 "wake it" ssh a-1.sandbox true
	sandboxd --stop >/dev/null
	sandboxctl list >/dev/null
	wait_for "a restart of sandboxd forgets nothing" is_state a-1 stopped
	ok "a restart of sandboxd forgets nothing"
}

changes() {
	check 0 "never" sandboxctl extend a-1 --auto-stop 0
	is "it says so" "$(cat "$out")" "a-1 stops when somebody stops it"
	check 0 "wake it" ssh a-1.sandbox true
	is "no member" "$(sandboxctl show --json a-1 | jq .auto_stop)" null
	check 0 "again" sandboxctl extend a-1 --auto-stop 2s --timeout 1h
	is "it says both" "$(head -1 "$out")" "a-1 stops 2s after its last session"
	wait_for "it holds for one that runs" is_state a-1 stopped
	sandboxd --stop >/dev/null
	install -D -m 0644 /dev/stdin \
	    "$HOME/.config/sandbox-ssh/sandboxd.conf" <<-END
	[life]
	auto_stop = 2s
	END
	check 0 "the broker's own" sandboxctl create a-2
	check 0 "or not" sandboxctl create a-3 --auto-stop 0
	wait_for "the broker's own" is_state a-2 stopped
	is "or not" "$(state a-3)" running
	sandboxctl kill a-1 a-2 a-3 >/dev/null
}

# Bytes between TCP and a sandbox's socket, for a client elsewhere.
relay() {
	/usr/bin/python3 -c '
import socket, sys, threading
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
server = socket.create_server(("192.0.2.1", 2222))
while True:
    peer, _ = server.accept()
    box = socket.socket(socket.AF_UNIX)
    box.connect(sys.argv[1])
    for ends in (peer, box), (box, peer):
        threading.Thread(target=copy, args=ends, daemon=True).start()' "$1" &
	relay=$!
}

# A laptop that is closed: no byte, no end of the connection.
cut_off() {
	local began cache=$HOME/.cache/sandbox-ssh/a-4.sandbox
	check 0 "create" sandboxctl create a-4 --auto-stop 3s
	check 0 "credentials" ssh a-4.sandbox true
	unshare --net sleep 1000 &
	local laptop=$!
	ip link add sandbox type veth peer name laptop
	wait_for "the laptop" ip link set laptop netns "$laptop"
	ip addr add 192.0.2.1/24 dev sandbox
	ip link set sandbox up
	nsenter -t "$laptop" -n ip addr add 192.0.2.2/24 dev laptop
	nsenter -t "$laptop" -n ip link set laptop up
	relay /run/sandbox-ssh/sandboxes/a-4.*.sock
	wait_for "a session from elsewhere" nsenter -t "$laptop" -n ssh -F none \
	    -o "UserKnownHostsFile=$cache/known_hosts" -o BatchMode=yes \
	    -o HostKeyAlias=a-4.sandbox -i "$cache/id_ed25519" -p 2222 \
	    sandbox@192.0.2.1 true
	nsenter -t "$laptop" -n ssh -F none -tt \
	    -o "UserKnownHostsFile=$cache/known_hosts" -o BatchMode=yes \
	    -o HostKeyAlias=a-4.sandbox -i "$cache/id_ed25519" -p 2222 \
	    sandbox@192.0.2.1 'exec cat' <>/root/hold >/dev/null 2>&1 &
	client=$!
	wait_for "it is there" sessions a-4 1
	nsenter -t "$laptop" -n ip link set laptop down
	began=$SECONDS
	until is_state a-4 stopped; do
		[ "$SECONDS" -lt $((began + 100)) ] || fail "it keeps a-4"
		read -rt 1 <> <(:) || :
	done
	[ $((SECONDS - began)) -le 95 ] || fail "after $((SECONDS - began)) s"
	ok "one that is cut off counts no more, after $((SECONDS - began)) s"
	kill "$client" "$relay" "$laptop"
	sandboxctl kill a-4 >/dev/null
}

world_install
sandbox-proxy setup >/dev/null
mkfifo /root/hold
sandboxctl list >/dev/null
unused
used
restarts
changes
cut_off
done_testing
