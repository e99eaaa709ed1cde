#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Whoever calls first starts the broker: nothing of that process may reach it,
# nor a sandbox. The same is looked at after a caller like any other and after
# one with everything that can be inherited set otherwise.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

can_raise() {
	(ulimit -n 400 && ulimit -n 401) 2>/dev/null
}

# odd COMMAND...: by a caller that has it all.
odd() {
	(
		echo "a secret of the caller" >"$HOME/open"
		exec 9<"$HOME/open"
		mkdir -p "$HOME/folder"
		cd "$HOME/folder"
		umask 077
		trap '' HUP INT QUIT USR1 USR2 PIPE CHLD TERM
		export SECRET_OF_CALLER=yes TMPDIR=/nonexistent LC_ALL=C TZ=Asia/Tokyo \
		    PATH=$PATH:/nonexistent HOME=/nonexistent \
		    LD_LIBRARY_PATH=/nonexistent
		echo 500 >/proc/self/oom_score_adj
		echo 0x01 >/proc/self/coredump_filter
		echo 7777777 >/proc/self/timerslack_ns
		ulimit -S -n 200 -u 300 -s 4096 -l 32 -i 100
		# These may be 0 already: sudo's are.
		ulimit -S -c 100 2>/dev/null || :
		ulimit -S -q 10000 2>/dev/null || :
		# Who may raise what is lowered here is root with all of its
		# capabilities.
		! can_raise || {
			ulimit -H -n 400 -c 1000 -s 16384
			ulimit -f 10000000 -t 100 -v 100000000 -x 100
		}
		[ "$(id -u)" != 0 ] || renice -n 7 "$BASHPID" >/dev/null
		exec taskset 1 chrt --batch 0 ionice -c 2 -n 7 setarch -R \
		    /usr/bin/env "$@"
	)
}

# state PID: what a process has that it can have inherited.
state() {
	local pid=$1
	echo "folder $(readlink "/proc/$pid/cwd")"
	echo "environment $(tr '\0' '\n' <"/proc/$pid/environ" |
		grep -a . | sort | tr '\n' ' ')"
	grep -E '^(Umask|SigIgn|SigBlk|Cpus_allowed|Groups|CapAmb|THP_enabled)' \
	    "/proc/$pid/status"
	# nice, policy, real-time priority
	sed 's/.*) //' "/proc/$pid/stat" |
		awk '{ print "priority", $17, $38, $39 }'
	echo "ionice $(ionice -p "$pid")"
	echo "oom $(cat "/proc/$pid/oom_score_adj")"
	echo "dump $(cat "/proc/$pid/coredump_filter")"
	echo "slack $(cat "/proc/$pid/timerslack_ns")"
	echo "personality $(cat "/proc/$pid/personality")"
	cat "/proc/$pid/limits"
	# Sockets and pipes have numbers of their own.
	find "/proc/$pid/fd" -type l -printf '%l\n' |
		sed 's/:\[.*//; s/.*: //' | sort | uniq -c
}

# all_states WHO
all_states() {
	local name pid
	for name in sandboxd sandboxd:signer sandboxd:prov sandboxd:http \
	    sandbox-init; do
		for pid in $(pgrep -x "$name"); do
			echo "== $name"
			state "$pid"
		done
	done
	echo "== a shell in it"
	world_as "$1" run ssh run-1.sandbox 'ulimit -a; ulimit -Ha; umask
		env | sort; pwd; nice
		cat /proc/self/oom_score_adj /proc/self/coredump_filter
		grep -E "^(Sig|Cpus_allowed|Groups)" /proc/self/status' |
		grep -v '^SSH_\(CLIENT\|CONNECTION\)='
}

# made_by WHO HOW: a broker and a sandbox, made anew by that caller.
made_by() {
	world_as "$1" run sandboxctl kill run-1 >/dev/null 2>&1 || :
	world_as "$1" run sandboxd --stop >/dev/null 2>&1 || :
	world_as "$1" "$2" sandboxctl create run-1 >/dev/null ||
		fail "$2 sandboxctl create as $1"
	all_states "$1" | sed 's/[0-9]*\.sock//'
}

same() {
	world_as "$1" run sandbox-proxy setup >/dev/null
	made_by "$1" run >/srv/plain
	[ "$(grep -c '^==' /srv/plain)" = 6 ] ||
		fail "$1: processes are missing: $(grep '^==' /srv/plain)"
	made_by "$1" odd >/srv/other
	diff /srv/plain /srv/other >"$err" ||
		fail "$1: what a caller had reaches the broker or the sandbox"
	ok "$1: nothing of what a caller had reaches broker or sandbox"
}

case ${1:-} in
run)
	exec "${@:2}"
	;;
odd)
	odd "${@:2}"
	exit
	;;
esac
world_install
world_user alice
same alice
world_as alice run sandboxd --stop >/dev/null
world_as alice run nice -n 5 sandboxctl list >/dev/null
check 0 "what cannot be changed back is said" \
    grep -h 'of whoever started it these stay: niceness$' \
    /home/alice/.local/state/sandbox-ssh/sandboxd.log
world_as alice run sandboxctl kill run-1 >/dev/null
world_as alice run sandboxd --stop >/dev/null
same root
is "others get to the socket's folder" "$(stat -c %a /run/sandbox-ssh)" 755
done_testing
