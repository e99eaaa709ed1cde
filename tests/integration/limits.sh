#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What one sandbox may take, in one of root's broker and in one of a user's
# own: it gets no more, one can still log in, and show says how it stands.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

inside() { ssh run-1234.sandbox "$@"; }

# shows NAME REGEX: sandboxctl show has a line like that.
shows() {
	check 0 "show" sandboxctl show run-1234
	grep -Eq -- "$2" "$out" || {
		cat "$out" >&2
		fail "$1: no line like $2"
	}
	ok "$1"
}

memory() {
	inside 'cat >hog.py' <<-'END'
	import sys
	kept = []
	try:
	    for i in range(400):
	        kept.append(bytearray(b"x") * (1 << 20))
	except MemoryError:
	    sys.exit(3)
	END
	# Where this machine let us make control groups for the test.
	if [ "$(id -u)" = 0 ] && [ -n "$WORLD_GROUPS" ]; then
		shows "memory as a whole" '^memory: [0-9.]+[KM] of 256M$'
		check 137 "memory for more than it may have" inside \
		    'python3 hog.py; exit $?'
	else
		shows "memory of each process, and no more is claimed" \
		    '^memory: at most 256M for each process; no limit in sum'
		check 3 "memory for more than it may have" inside \
		    'python3 hog.py'
	fi
	check 0 "it runs on" inside true
	check 0 "all files in memory, and a process beside them" inside '
	    for folder in /tmp /dev/shm /var/tmp; do
	        dd if=/dev/zero of=$folder/file bs=1M 2>/dev/null
	    done
	    python3 -c "kept = bytearray(b\"x\") * (20 << 20)" &&
	    rm -f /tmp/file /dev/shm/file /var/tmp/file'
	shows "file systems in memory" '^tmpfs: at most 64M each'
	shows "terminals" '^ptys: at most 16$'
}

bomb() {
	local session
	inside 'cat >bomb.py' <<-'END'
	import os, signal, sys
	children = 0
	try:
	    while children < 5000:
	        if os.fork() == 0:
	            signal.pause()
	        children += 1
	except BlockingIOError:
	    print(children, flush=True)
	sys.stdin.read()
	os.kill(-1, signal.SIGKILL)
	END
	rm -f hold used
	mkfifo hold
	inside python3 bomb.py <hold >used &
	session=$!
	exec 8>hold
	wait_for "a fork bomb" test -s used
	[ "$(cat used)" -lt 100 ] || fail "it had too many"
	check 255 "sshd knows who comes, and can start nothing" inside true
	if [ "$(id -u)" = 0 ] && [ -n "$WORLD_GROUPS" ]; then
		shows "why" '^processes: [0-9]+ of 100 \(THE LIMIT\)$'
	else
		shows "what it may have" '^processes: at most 100$'
	fi
	exec 8>&-
	wait "$session" || :
	check 0 "when it is over all is well" inside true
}

main() {
	memory
	bomb
}

# Not as long a life as the test: an id that nobody else has.
group_of() { find /sys/fs/cgroup -type d -name 'sandbox-run-1234-*'; }

if [ "${1:-}" = as ]; then
	world_main "$@"
	exit
fi
world_install
config=$(dirname "$(dirname "$(command -v sandboxctl)")")/etc/sandbox-ssh
mkdir -p "$config"
printf '[local]\nmemory = 256M\nprocesses = 100\nptys = 16\n' \
    >"$config/sandboxd.conf"
for who in alice root; do
	[ "$who" = root ] || world_user "$who"
	world_as "$who" as
done
is "no control group is left" "$(group_of)" ""
done_testing
