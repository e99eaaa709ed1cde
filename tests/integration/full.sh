#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A sandbox whose connections are all in use: who waits is told why, and what
# it tells itself is taken for no more than a number.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

# All that there can be, and one more; until there is a file of that name.
crowd() {
	exec /usr/bin/python3 - "$1" "$2" "$3" <<-'END'
	import os, socket, sys, time
	path, mark, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
	socks = []
	for n in range(count):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(path)
	    if n < 128:
	        s.recv(64)
	    socks.append(s)
	open(mark, "w").close()
	while not os.path.exists(mark + ".calm"):
	    time.sleep(0.05)
	END
}

is_full() {
	sandboxctl show run-1234 | grep -q '^full: 128 connections, the limit$'
}

is_not_full() {
	! sandboxctl show run-1234 | grep -q '^full:'
}

socket_of() {
	find "$1" -name '*.sock' -path '*/sandboxes/*'
}

main() {
	local crowd mark=$HOME/crowd
	check 0 "ssh" ssh run-1234.sandbox true
	check 0 "there is room" is_not_full
	crowd "$(socket_of "$HOME/.local/state/sandbox-ssh/run")" "$mark" 129 &
	crowd=$!
	wait_for "a crowd" test -e "$mark"
	wait_for "show tells" is_full
	ok "show tells"
	check 1 "the doctor" sandbox-proxy doctor run-1234.sandbox
	grep -q '^fail  gate: 128 connections, the limit' "$out" ||
		fail "the doctor tells"
	ok "the doctor tells"
	touch "$mark.calm"
	wait "$crowd"
	wait_for "there is room again" is_not_full
	ok "there is room again"
	check 0 "ssh again" ssh run-1234.sandbox true
	done_testing
}

# The sandbox's own root may write there what it likes.
lies() {
	local full=/var/lib/sandbox-ssh/sandboxes/lies/report/full text
	sandboxctl create lies >/dev/null
	for text in 0 -1 65536 '128 x' $'\033[2J' 99999999999999999999 ''; do
		printf '%s\n' "$text" >"$full"
		check 0 "show, with '$(printf %q "$text")'" sandboxctl show lies
		! grep -q '^full:' "$out" || fail "that is believed"
	done
	rm "$full"
	ln -s /etc/hostname "$full"
	check 0 "show, with a link" sandboxctl show lies
	! grep -q '^full:' "$out" || fail "a link is followed"
	rm "$full"
	echo 7 >"$full"
	check 0 "show, with a number" sandboxctl show lies
	grep -q '^full: 7 connections, the limit$' "$out" || fail "a number"
	check 0 "stop" sandboxctl stop lies
	check 0 "one that does not run has none" sandboxctl show lies
	! grep -q '^full:' "$out" || fail "it has none"
	check 0 "kill" sandboxctl kill lies
}

if [ "${1:-}" = as ]; then
	sandbox-proxy setup >/dev/null
	sandboxctl create run-1234 >/dev/null
	main
	exit
fi
world_install
world_user alice
world_as alice as
lies
done_testing
