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
		    '^memory: at most 256M for each process, but not what it shares'
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
	shows "terminals" '^ptys: at most 16 in /dev/pts'
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

# Of a workspace that its file system does not limit.
workspace() {
	inside 'dd if=/dev/zero of=workspace/first bs=1M count=40 2>/dev/null'
	wait_for "it is measured" measured '40M of 64M, looked at now and then'
	check 255 "more than it may take ends what runs" ssh -tt \
	    run-1234.sandbox 'dd if=/dev/zero of=workspace/second bs=1M \
	    count=60 2>/dev/null; sleep 1000'
	grep -q 'holds 100 MiB .* 64 MiB in 4096 files are the limit' "$out" ||
		fail "the terminal is not told"
	shows "why" '^workspace: 100M of 64M.*THE LIMIT'
	check 1 "then nothing can be written" inside 'echo >workspace/third'
	grep -q 'File too large' "$err" || fail "for another reason"
	check 1 "nowhere" inside 'echo more >file'
	check 0 "but removed" inside 'rm workspace/second'
	wait_for "it is measured" measured '40M of 64M'
	check 0 "and written again" inside 'echo >workspace/third'
	check 255 "a file that has no name any more" inside 'python3 -c "
import os, time
f = open(\"workspace/file\", \"wb\")
os.unlink(\"workspace/file\")
f.write(bytes(50 << 20))
f.flush()
time.sleep(1000)"'
	wait_for "it is gone" measured '40M of 64M'
	inside 'rm workspace/*'
	check 255 "many files" inside 'python3 -c "
import time
for i in range(5000):
    open(f\"workspace/{i}\", \"w\").close()
time.sleep(1000)"'
	shows "why" '^workspace_files: 500[0-9] of 4096.*THE LIMIT'
	check 255 "and more of them" inside 'touch workspace/more; sleep 1000'
	check 0 "all is well when they are gone" inside 'rm -rf workspace/*'
	wait_for "it is measured" shows_files '[0-9] of 4096'
	inside 'cd workspace && dd if=/dev/zero of=file bs=1M count=40 \
	    2>/dev/null && for i in 1 2 3 4; do ln file $i; done'
	wait_for "a file of many names counts once" measured '40M of 64M'
}

shows_files() {
	sandboxctl show run-1234 | grep -q "^workspace_files: $1"
}
measured() { sandboxctl show run-1234 | grep -q "^workspace: $1"; }

main() {
	memory
	bomb
	workspace
}

groups_left() { find /sys/fs/cgroup -name 'sandbox-*'; }

if [ "${1:-}" = as ]; then
	world_main "$@"
	exit
fi
world_install
config=$(dirname "$(dirname "$(command -v sandboxctl)")")/etc/sandbox-ssh
mkdir -p "$config"
printf '%s\n' '[local]' 'memory = 256M' 'processes = 100' 'ptys = 16' \
    'workspace = 64M' >"$config/sandboxd.conf"
for who in alice root; do
	[ "$who" = root ] || world_user "$who"
	world_as "$who" as
done
is "no control group is left" "$(groups_left)" ""
done_testing
