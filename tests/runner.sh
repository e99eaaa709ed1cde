#!/bin/bash
# SPDX-License-Identifier: ISC
# What tests/runner promises of every test: a process like new, an end within
# its time that says what was waited for, and nothing that stays.
. "$(dirname "$0")/check.sh"

runner=$BUILDDIR/tests/runner
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0

# expect STATUS NAME COMMAND...: what it says is in $work/out.
expect() {
	local want=$1 name=$2 status=0
	shift 2
	"$@" >"$work/out" 2>&1 || status=$?
	sed -i '/^# .* of a processor$/d' "$work/out"
	checks=$((checks + 1))
	[ "$status" = "$want" ] || {
		cat "$work/out"
		fail "$name: exit $status, not $want"
	}
}

# says NAME REGEX
says() {
	checks=$((checks + 1))
	grep -qE -- "$2" "$work/out" || {
		cat "$work/out"
		fail "$1: does not say '$2'"
	}
}

# gone NAME PATTERN: no process of that command line is left.
gone() {
	checks=$((checks + 1))
	! pgrep -f -- "$2" >/dev/null || fail "$1: it is left"
}

# All that a process has of whoever started it, as far as a test can notice.
cat >"$work/facts" <<'END'
env | sed "s|$HOME|HOME|g" | sort
ulimit -aS
grep -E '^(Sig(Blk|Ign)|Groups)' /proc/self/status
umask
echo "nice $(nice)"
id
ls /proc/self/fd
tty
ls -A "$HOME"
END
expect 0 "the facts" "$runner" bash "$work/facts"
cp "$work/out" "$work/clean"
[ -s "$work/clean" ] || fail "no facts"
(
	trap '' INT HUP QUIT PIPE USR1
	umask 077
	ulimit -Sn 64
	ulimit -Sf 1000
	ulimit -Ss 1000
	exec 7</dev/null 9</dev/null
	export SANDBOX_BROKER=unix:/nowhere SANDBOX_TOKEN=x TZ=CET \
	    SANDBOX_SSH_LIBEXEC=/x HOME=/root XDG_RUNTIME_DIR=/run/user/0 \
	    GIT_DIR=/x MAKEFLAGS=-k TMPDIR=/var/tmp PATH=/x:$PATH
	LC_ALL=de_DE nice -n 3 "$runner" bash "$work/facts"
) >"$work/used" 2>&1
checks=$((checks + 1))
sed -i '/^# .* of a processor$/d' "$work/used"
# Only root gets a niceness back.
[ "$(id -u)" = 0 ] || sed -i 's/^nice 3$/nice 0/' "$work/used"
diff "$work/clean" "$work/used" || fail "the caller's gets through"

expect 3 "its status" "$runner" sh -c 'exit 3'
expect 77 "that it was skipped" "$runner" sh -c 'exit 77'
expect 139 "its signal" "$runner" sh -c 'kill -SEGV $$'
expect 99 "no such program" "$runner" /nonexistent/test
says "and which" '/nonexistent/test'

# It is over at once, though somebody has gone into the background.
expect 0 "one that leaves a process" env TEST_SECONDS=200 \
    "$runner" bash -c "(setsid sleep 4711.1 >/dev/null 2>&1 &)"
gone "one that leaves a process" 'sleep 4711\.1'

expect 1 "one that hangs" env TEST_SECONDS=1 "$runner" \
    bash -c "(setsid sleep 4711.2 &); trap '' TERM; sleep 4711.3; sleep 4711.4"
says "it is told" '^not ok - the time is over: 1 s'
says "what it waits for" '^    for [0-9]+ s: sleep 4711\.3'
gone "one that hangs" 'sleep 4711'

expect 1 "a script" env TEST_SECONDS=1 "$runner" bash -c '
	set -- "$1/tests/integration/x.sh"
	. "$SRCDIR/tests/world/world.sh"
	check 0 "the one that ends" true
	check 0 "the one that hangs" sleep 4711.5' bash "$SRCDIR"
says "where it was" '^not ok - .*the one that hangs'
gone "a script" 'sleep 4711'

finish "$checks" 15 "promises"
