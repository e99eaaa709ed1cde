#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The local provider, called as sandboxd calls it: for root, for an ordinary
# user with id ranges of her own, and where the kernel forbids namespaces.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

libexec=/usr/lib/sandbox-ssh
driver=/usr/lib/sandbox-ssh-test/provider_driver
keys=/srv/keys
keyring=$(dirname "$0")/../fixtures/keyring.py
# Root's where others can pass, as sandboxd has them.
state=/var/lib/sandbox-ssh
runtime=/run/sandbox-ssh
[ "$(id -u)" = 0 ] || state=$HOME/state runtime=$HOME/run
isolation=auto
range=3000000000

provider() {
	OWNER=${owner:-$(id -u)} "$driver" "$state" "$runtime" "$libexec" \
	    "$keys/ca.pub" "$isolation" "$range" "$@"
}

# Hands ssh a descriptor, as sandbox-proxy connect --fdpass does.
cat_relay() {
	cat <<-'END'
	import array, os, socket, sys
	peer = socket.socket(socket.AF_UNIX)
	peer.connect(sys.argv[1])
	socket.socket(fileno=os.dup(1)).sendmsg([b"\0"], [(socket.SOL_SOCKET,
	    socket.SCM_RIGHTS, array.array("i", [peer.fileno()]))])
	END
}

# ssh into sandbox $1 with the certificate for $2, host key pinned.
ssh_with() {
	local id=$1 key=$HOME/user-$2
	shift 2
	provider credentials "$id" >"$HOME/access" || return
	sed -n "2s/^/$id /p" "$HOME/access" >"$HOME/known_hosts"
	ssh -F none -i "$key" -o IdentitiesOnly=yes -o LogLevel=ERROR \
	    -o UserKnownHostsFile="$HOME/known_hosts" \
	    -o StrictHostKeyChecking=yes -o PreferredAuthentications=publickey \
	    -o HostKeyAlias="$id" -o ProxyUseFdpass=yes \
	    -o "ProxyCommand=/usr/bin/python3 $HOME/relay.py \
	        $(sed -n '3s/^unix://p' "$HOME/access")" \
	    "$(sed -n 1p "$HOME/access")@$id" "$@"
}

inside() {
	local id=$1
	shift
	ssh_with "$id" "$id" "$@"
}

certificate() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/user-$1"
	ssh-keygen -q -s "$HOME/ca" -I "test/$1/01" -z 1 -n "$1" \
	    -V -1m:+10m "$HOME/user-$1.pub"
}

# For sandbox one, and for one connection.
certificate_once() {
	rm -f "$HOME/user-once" "$HOME"/user-once*.pub
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/user-once"
	ssh-keygen -q -s "$HOME/ca" -I test/one/02 -z 2 -n one -V -1m:+10m \
	    -O extension:single-use@sandbox-ssh "$HOME/user-once.pub"
}

# Processes, zombies aside, whose uid is in a sandbox's range. (ps prints
# large uids as negative numbers.)
processes_of() {
	cat /proc/[0-9]*/status 2>/dev/null | awk -v from="$1" \
	    '$1 == "State:" { zombie = $2 == "Z" }
	    $1 == "Uid:" && $2 >= from && $2 < from + 2048 && !zombie { n++ }
	    END { print n + 0 }'
}

none_left() { [ "$(processes_of "$1")" = 0 ]; }
nothing_runs() { ! ps -eo stat=,args= | grep -v '^Z' | grep -q '[s]andbox-init'; }
process_1() { cut -d' ' -f1 "$state/sandboxes/$1/init" | head -1; }
entries() { find "$1" -mindepth 1 ! -name .lock | wc -l; }

life() {
	local base
	check 0 "create" provider create one
	is "with namespaces" "$(cat "$out")" "stopped namespaces"
	check 73 "the same id again" provider create one
	says "and it says so" 'one exists already'
	check 0 "start" provider start one
	check 0 "start what runs" provider start one
	is "it runs" "$(provider inspect one)" "running namespaces"

	check 0 "ssh" inside one id -u
	is "into an account of its own" "$(cat "$out")" 1000
	base=$(map_of one)
	is "that is the range of its slot" "$base" \
	    "$(cut -d' ' -f2 "$state/sandboxes/one/slot")"
	is "process 1 runs in that range, not as us" "$base" \
	    "$(awk '$1=="Uid:"{print $2}' "/proc/$(process_1 one)/status")"
	check 1 "/usr is read-only" inside one touch /usr/file
	grep -q 'Read-only' "$err" || fail "touch gave another reason"
	is "no network but its own" "lo" \
	    "$(inside one "sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev")"
	is "only its owner may connect" "$(id -u) 600" \
	    "$(stat -c '%u %a' "$runtime/sandboxes/one.sock")"
	check 0 "nothing of the host's root folder" \
	    inside one test ! -e "$state" -a ! -e /srv/keys -a ! -e /etc/shadow
	is "no capabilities" "0000000000000000" \
	    "$(inside one awk "'/^CapEff/{print \$2}'" /proc/self/status)"
	is "and none to inherit, nor from process 1" "0000000000000000" \
	    "$(inside one cat /proc/self/status /proc/1/status |
		    awk '/^Cap(Inh|Amb):/ { print $2 }' | sort -u)"
	check 0 "a terminal" inside one -tt tty
	grep -q '^/dev/pts/' "$out" || fail "no terminal"
	check 0 "a named semaphore's folder" inside one touch /dev/shm/file
	check 3 "exit status" inside one exit 3
	is "its gate has nothing to tell" "$(provider refusal one)" ok
	check 255 "a certificate for another sandbox" ssh_with one two true
	is "its gate tells why" "$(provider refusal one)" wrong-sandbox
	check 0 "the workspace is writable" \
	    inside one "echo kept >workspace/file"

	[ "$(processes_of "$base")" -gt 1 ] || fail "processes are not seen"
	provider credentials one >"$HOME/before"
	lost_socket
	check 0 "stop" provider stop one
	check 0 "stop what is stopped" provider stop one
	is "it is stopped" "$(provider inspect one)" "stopped namespaces"
	[ ! -e "$runtime/sandboxes/one.sock" ] || fail "socket is still there"
	wait_for "no process is left" none_left "$base"
	check 0 "start again" provider start one
	is "the workspace survived" "$(inside one cat workspace/file)" kept
	provider credentials one | cmp -s - "$HOME/before" ||
		fail "other credentials"

	inside one 'cat >test_filter && chmod +x test_filter' \
	    <"$BUILDDIR/tests/unit/broker/providers/local/test_filter"
	check 0 "system calls that nobody in it may make" \
	    inside one ./test_filter inside
	bounded one
	check 0 "a process that ignores polite signals" inside one \
	    "trap '' HUP TERM; (sleep 1000 &) >/dev/null 2>&1 </dev/null"
	check 0 "stop it" provider stop one
	wait_for "it is gone" none_left "$base"

	check 0 "start once more" provider start one
	kill -9 "$(process_1 one)" || fail "we cannot signal our sandbox"
	wait_for "a death is seen" dead one
	check 0 "start after it" provider start one
	check 0 "ssh after it" inside one true
	check 0 "a workspace that is hard to remove" inside one \
	    "cd workspace && for i in \$(seq 700); do
	    mkdir folder-with-a-long-name && cd folder-with-a-long-name || exit
	    done; mkdir -p locked/in && touch locked/in/file && chmod 0 locked &&
	    ln -s / root"
	check 0 "kill" provider kill one
	check 0 "kill what is gone" provider kill one
	is "it is gone" "$(provider inspect one)" "gone none"
	check 66 "start what is gone" provider start one
	says "and it says so" 'no local sandbox one'
	wait_for "no process is left" none_left "$base"
	is "no file is left" "$(entries "$state/sandboxes")" 0
	is "no slot is left" "$(entries "$state/slots")" 0
	is "no socket is left" "$(entries "$runtime/sandboxes")" 0
	! grep -q "$state" /proc/mounts || fail "a mount is left"
}

# Uses up inotify instances until it is told to end.
cat_inotify() {
	cat <<-'END'
	import ctypes, sys
	libc = ctypes.CDLL(None)
	count = 0
	while count < 5000 and libc.inotify_init1(0) >= 0:
	    count += 1
	print(count, flush=True)
	sys.stdin.read()
	END
}

# Forks as often as it can.
cat_bomb() {
	cat <<-'END'
	import os, signal, sys
	children = []
	try:
	    while len(children) < 5000:
	        pid = os.fork()
	        if pid == 0:
	            signal.pause()
	        children.append(pid)
	except BlockingIOError:
	    pass
	print(len(children), flush=True)
	sys.stdin.read()
	for pid in children:
	    os.kill(pid, signal.SIGKILL)
	    os.waitpid(pid, 0)
	END
}

# The host's uid of a running sandbox's 0.
map_of() { awk 'NR==1{print $2}' "/proc/$(process_1 "$1")/uid_map"; }

# bounded ID: whatever it does, the host and others have theirs.
bounded() {
	local id=$1 before left holder
	cat_inotify >"$HOME/inotify.py"
	before=$(/usr/bin/python3 "$HOME/inotify.py" </dev/null)
	rm -f "$HOME/hold"
	mkfifo "$HOME/hold"
	inside "$id" 'cat >inotify.py' <"$HOME/inotify.py"
	inside "$id" python3 inotify.py <"$HOME/hold" >"$HOME/used" &
	holder=$!
	exec 8>"$HOME/hold"
	wait_for "inotify instances in use" test -s "$HOME/used"
	left=$(/usr/bin/python3 "$HOME/inotify.py" </dev/null)
	# Root of this machine's may use some meanwhile.
	[ "$left" -ge $((before * 2 / 3)) ] ||
		fail "of $before inotify instances $left are left"
	ok "who made it keeps inotify instances"
	exec 8>&-
	wait "$holder"

	rm -f "$HOME/used"
	inside "$id" 'cat >bomb.py' < <(cat_bomb)
	inside "$id" python3 bomb.py <"$HOME/hold" >"$HOME/used" &
	holder=$!
	exec 8>"$HOME/hold"
	wait_for "a fork bomb" test -s "$HOME/used"
	[ "$(cat "$HOME/used")" -gt 150 ] || fail "it may have too few"
	[ "$(processes_of "$(map_of "$id")")" -le $((200 + 64)) ] ||
		fail "it has too many"
	ok "a fork bomb is held to what a sandbox may have"
	check 255 "sshd knows who comes, and can start nothing" \
	    inside "$id" true
	grep -q 'request failed' "$err" || fail "another reason"
	exec 8>&-
	wait "$holder" || fail "the bomb"
	check 0 "when it is over all is well" inside "$id" true

	inside "$id" 'cat >workspace/fill.py' \
	    <"$(dirname "$0")/../fixtures/fill.py"
	# A quarter of 256M is 64M.
	check 0 "no file system in memory takes more than it may" inside "$id" \
	    python3 workspace/fill.py $((64 << 20)) \
	    /tmp /dev/shm /var/tmp /run/lock /run/user/1000
	check 0 "when they are full one can still log in" inside "$id" true
	check 0 "and clean up" inside "$id" 'rm -rf /tmp/* /dev/shm/* \
	    /var/tmp/* /run/lock/* /run/user/1000/*'
	is "no more terminals than it may have" 8 "$(inside "$id" python3 -c \
	    "'import pty
try:
    for i in range(100):
        pty.openpty()
except OSError:
    print(i)'")"
}

# Somebody empties the folder of a sandbox that runs.
lost_socket() {
	local session
	{ inside one "touch here; until [ -e go ]; do sleep 0.1; done
	    echo still" >"$HOME/session" & } 2>/dev/null
	session=$!
	wait_for "a session" inside one test -e here
	rm -rf "$runtime/sandboxes"
	check 255 "its socket is gone" inside one true
	check 0 "start what runs" provider start one
	check 0 "it is there again" inside one touch go
	wait "$session" || fail "the session did not survive"
	is "a session went on meanwhile" "$(cat "$HOME/session")" still
	is "only its owner may connect" "$(id -u) 600" \
	    "$(stat -c '%u %a' "$runtime/sandboxes/one.sock")"
	echo >"$HOME/file"
	mv "$HOME/file" "$runtime/sandboxes/one.sock"
	check 0 "start, where a file has its name" provider start one
	check 0 "it is there again" inside one true

	# One that an earlier release started.
	rm "$state/sandboxes/one/control" "$runtime/sandboxes/one.sock"
	check 69 "start, where nobody listens for it" provider start one
	says "and it says what to do" 'one was removed .*stop it and start it'
}

dead() { [ "$(provider inspect "$1")" = "stopped namespaces" ]; }

together() {
	local id
	for id in one two; do
		{ provider create "$id" && provider start "$id"; } >/dev/null &
	done
	wait
	for id in one two; do
		check 0 "$id of two" inside "$id" hostname
		is "is $id" "$(cat "$out")" "$id"
	done
	[ "$(cut -d' ' -f2 "$state/sandboxes/one/slot")" != \
	    "$(cut -d' ' -f2 "$state/sandboxes/two/slot")" ] ||
		fail "two sandboxes have one range"
	check 0 "kill one" provider kill one
	check 0 "the other lives" inside two true
	check 0 "kill the other" provider kill two
}

# As an earlier release left it: the workspace beside everything else. With
# power over the sandbox's ids, which an ordinary user has in a namespace.
as_before() {
	local power=()
	[ "$(id -u)" = 0 ] || power=(unshare --map-root-user --map-auto)
	"${power[@]}" sh -c 'cd "$0" && mv home/workspace . && rm -r home' \
	    "$state/sandboxes/$1" || fail "cannot make it as before"
	sed -i 's/ ephemeral.*//' "$state/sandboxes/$1/spec"
}

# Each system call that changes something while it is moved is the last one.
cut_short() {
	local calls=mkdirat,renameat,unlinkat,fchmod,fchown,write
	local call count status
	for call in ${calls//,/ }; do
		for count in {1..9}; do
			as_before one
			status=0
			(ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
			    strace -o /dev/null -e "trace=$call" \
			    -e "inject=$call:signal=KILL:when=$count" "$driver" \
			    "$state" "$runtime" "$libexec" "$keys/ca.pub" \
			    "$isolation" "$range" start one; exit $?) \
			    2>/dev/null || status=$?
			[ "$count" = 1 ] || [ "$status" != 0 ] || break
			[ "$status" = 137 ] || fail "$call is not made"
			[ ! -e "$state/sandboxes/one/home" ] || break
			provider start one || fail "start after $call $count"
			is "killed at $call $count: nothing is lost" \
			    "$(inside one 'cat workspace/file; ls -A; stat -c %U workspace')" \
			    "$(printf 'kept\n.bashrc\n.profile\nworkspace\nsandbox')"
			provider stop one || fail "stop after $call $count"
		done
		[ "$count" -lt 9 ] || fail "$call: it is made more often than tried"
		provider start one && provider stop one || fail "after $call"
	done
}

earlier_release() {
	check 0 "create" provider create one
	check 0 "start" provider start one
	check 0 "a workspace" inside one \
	    'echo kept >workspace/file && chmod 0 workspace'
	check 0 "stop" provider stop one
	as_before one
	check 0 "start one of an earlier release" provider start one
	check 0 "its workspace is in the home" inside one \
	    'chmod 755 workspace && cat workspace/file'
	is "nothing is lost" "$(cat "$out")" kept
	check 0 "stop" provider stop one
	[ "$(id -u)" != 0 ] || cut_short
	as_before one
	check 0 "kill one of an earlier release" provider kill one
	is "no file is left" "$(entries "$state/sandboxes")" 0
}

ephemeral() {
	EPHEMERAL=1 check 0 "create" provider create one
	check 0 "start" provider start one
	check 0 "files, some hard to remove" inside one \
	    'touch file && mkdir -p workspace/locked/in && chmod 0 workspace/locked &&
	    ln -s / workspace/root && rm .profile'
	check 0 "stop" provider stop one
	[ ! -e "$state/sandboxes/one/home" ] || fail "its home is there"
	ok "nothing is left of its home"
	check 0 "start" provider start one
	is "a home as new" "$(inside one 'ls -A . workspace')" \
	    "$(printf '.:\n.bashrc\n.profile\nworkspace\n\nworkspace:')"
	inside one touch file
	kill -9 "$(process_1 one)" || fail "we cannot signal our sandbox"
	wait_for "a death is seen" dead one
	check 0 "start after it" provider start one
	check 1 "a home as new" inside one test -e file
	check 0 "kill" provider kill one
	is "no file is left" "$(entries "$state/sandboxes")" 0
}

single_use() {
	certificate_once
	check 0 "create" provider create one
	check 0 "start" provider start one
	check 0 "a certificate for a single use" ssh_with one once true
	check 255 "once more" ssh_with one once true
	check 0 "another one" inside one true
	check 2 "what the gate remembers is its own" \
	    inside one ls /var/lib/sandbox-authkeys
	check 0 "stop" provider stop one
	check 0 "start again" provider start one
	check 255 "it still remembers" ssh_with one once true
	check 0 "kill" provider kill one
	is "no file is left" "$(entries "$state/sandboxes")" 0
}

known_or_ended() {
	case $(provider inspect "$1") in
	running*) [ "$(processes_of "$2")" = 2 ] ;;
	stopped*) none_left "$2" ;;
	*) false ;;
	esac
}

trouble() {
	local base delay pid
	mkdir -p "$state/sandboxes/.crashed.tmp/workspace/some" "$state/slots"
	echo -n crashed >"$state/slots/7"
	check 0 "create beside the rest of a crash" provider create one
	[ -e "$state/sandboxes/.crashed.tmp" ] ||
		fail "whoever creates clears away what is others'"
	ok "whoever creates leaves it alone"
	# Somebody is at work on this one.
	mkdir "$state/sandboxes/.busy.tmp"
	echo -n busy >"$state/slots/8"
	exec 8<"$state/sandboxes/.busy.tmp"
	flock 8
	check 0 "sweep" provider sweep -
	is "the rest is gone" "$(entries "$state/slots")" 2
	[ ! -e "$state/sandboxes/.crashed.tmp" ] || fail "it is still there"
	[ -e "$state/sandboxes/.busy.tmp" ] || fail "a busy one is gone"
	ok "one that is busy is not"
	check 73 "its id is not free" provider create busy
	says "and it says so" 'earlier sandbox busy .* still being removed'
	exec 8<&-
	check 0 "create over the rest of a crash" provider create busy
	check 0 "kill" provider kill busy
	check 0 "sweep again" provider sweep -
	is "a slot of which no folder tells is given back" \
	    "$(entries "$state/slots")" 1

	# However a start is cut short, what runs is known or ends.
	base=$(cut -d' ' -f2 "$state/sandboxes/one/slot")
	for delay in $(seq 1 40); do
		"$driver" "$state" "$runtime" "$libexec" "$keys/ca.pub" auto \
		    "$range" start one 2>/dev/null &
		pid=$!
		sleep "0.0$(printf '%03d' "$((delay * 7))")"
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
		wait_for "known or ended" known_or_ended one "$base"
		provider stop one || fail "stop after a cut start"
		wait_for "no process is left" none_left "$base"
	done
	ok "starts that are cut short"

	mkdir "$HOME/libexec"
	cp "$libexec/sandbox-authkeys" "$HOME/libexec"
	cp /usr/bin/false "$HOME/libexec/sandbox-init"
	libexec=$HOME/libexec check 69 "process 1 that fails" provider start one
	says "and it says so" 'does not start'
	is "it is stopped" "$(provider inspect one)" "stopped namespaces"
	is "no socket is left" "$(entries "$runtime/sandboxes")" 0
	rm "$HOME/libexec/sandbox-init"
	libexec=$HOME/libexec check 69 "no sandbox-init" provider create two
	says "and it is named" 'libexec/sandbox-init'
	check 0 "kill what never ran" provider kill one

	runtime=$state/$(printf '%0100d' 0) check 78 "too long a socket's name" \
	    provider create one
	says "and it says so" 'shorter runtime_dir'
	is "no file is left" "$(entries "$state/sandboxes")" 0
	is "no slot is left" "$(entries "$state/slots")" 0
}

set_up_home() {
	cat_relay >"$HOME/relay.py"
	install -m 0600 "$keys/ca" "$HOME/ca"
	certificate one
	certificate two
}

as_user() {
	set_up_home
	life
	together
	earlier_release
	ephemeral
	single_use
	trouble
}

as_pauper() {
	check 78 "no line in /etc/subuid" provider create one
	says "and what to do" "as root run 'usermod --add-subuids "
	is "no file is left" "$(entries "$state/sandboxes")" 0
	isolation=none
	cp "$libexec"/sandbox-* "$HOME"
	libexec=$HOME check 78 "a gate that sshd would not run" \
	    provider create one
	says "and it says so" 'from folders that root alone can write'
	is "no file is left" "$(entries "$state/sandboxes")" 0
}

# In a user namespace that forbids more of them: what some containers are.
forbidden() {
	set_up_home
	isolation=namespaces check 69 "namespaces wanted" provider create one
	says "and refused" 'kernel refuses namespaces .*isolation = none'
	is "no file is left" "$(entries "$state/sandboxes")" 0
	without_namespaces
}

without_namespaces() {
	if [ "$(id -u)" = 0 ]; then
		owner=65534 check 77 "for somebody else" provider create one
		says "who would be root" 'only root may create one'
		is "no file is left" "$(entries "$state/sandboxes")" 0
	fi
	check 0 "create" provider create one
	is "without namespaces" "$(cat "$out")" "stopped none"
	# With a key of ours in the session keyring.
	check 0 "start" /usr/bin/python3 "$keyring" add "$driver" "$state" \
	    "$runtime" "$libexec" "$keys/ca.pub" "$isolation" "$range" start one
	check 1 "whoever started it keeps its keys" \
	    inside one /usr/bin/python3 "$keyring" find
	is "it runs" "$(provider inspect one)" "running none"
	check 0 "ssh" inside one id -un
	is "into our own account" "$(cat "$out")" "$(id -un)"
	check 0 "it is told of the workspace" inside one \
	    'echo kept >$SANDBOX_WORKSPACE/file'
	is "its gate has nothing to tell" "$(provider refusal one)" ok
	check 255 "a certificate for another sandbox" ssh_with one two true
	is "its gate tells why" "$(provider refusal one)" wrong-sandbox
	certificate_once
	check 255 "nobody would remember a single use" ssh_with one once true
	rm -rf "$runtime/sandboxes"
	check 0 "start what runs and lost its files" provider start one
	check 0 "it is there again" inside one true
	check 0 "a process that wants to stay" inside one \
	    "trap '' HUP TERM; (setsid sleep 4321 &) >/dev/null 2>&1 </dev/null"
	check 0 "stop" provider stop one
	if [ "$(id -u)" = 0 ]; then
		# One that was made before that was refused.
		sed -i 's/owner .*/owner 65534/' "$state/sandboxes/one/spec"
		check 77 "theirs is not started" provider start one
		check 77 "nor entered" provider credentials one
		sed -i 's/owner .*/owner 0/' "$state/sandboxes/one/spec"
	fi
	wait_for "nothing runs" nothing_runs
	! pgrep -f 'sleep 4321' >/dev/null || fail "a process is left"
	check 0 "start again" provider start one
	is "the workspace survived" kept \
	    "$(inside one 'cat $SANDBOX_WORKSPACE/file')"
	check 0 "kill" provider kill one
	wait_for "nothing runs" nothing_runs
	is "no file is left" "$(entries "$state/sandboxes")" 0
	is "no socket is left" "$(entries "$runtime/sandboxes")" 0
}

apart() {
	[ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/self/ns/user)" ]
}

# What a sandbox could bring about: that is no reason not to isolate.
exhausted() {
	local holder
	unshare --user sleep 1000 &
	holder=$!
	wait_for "the last one is in use" apart "$holder"
	check 69 "no namespace is left" provider create one
	says "and it says so" 'No space left'
	is "no file is left" "$(entries "$state/sandboxes")" 0
	kill "$holder"
	wait "$holder" || :
}

# with_namespaces NUMBER FUNCTION: where the kernel allows no more.
with_namespaces() {
	local child
	echo "# where the kernel allows $1 namespaces"
	rm -f /srv/go
	mkfifo /srv/go
	# exec once more, for only root's exec has root's capabilities
	unshare --user bash -c 'read -r _ </srv/go
		exec bash -c "echo $1 >/proc/sys/user/max_user_namespaces &&
		    exec bash \$0 $2" "$0"' "$0" "$1" "$2" &
	child=$!
	wait_for "a user namespace" apart "$child"
	echo "0 0 4294967295" >"/proc/$child/uid_map"
	echo "0 0 4294967295" >"/proc/$child/gid_map"
	echo >/srv/go
	wait "$child" || exit
}

machine() {
	install -D -t "$libexec" "$BUILDDIR/init/sandbox-init" \
	    "$BUILDDIR/authkeys/sandbox-authkeys"
	install -D "$BUILDDIR/tests/fixtures/provider_driver" "$driver"
	mkdir "$keys"
	ssh-keygen -q -t ed25519 -N '' -f "$keys/ca"
	chmod 0644 "$keys/ca"
}

case ${1:-} in
'')
	machine
	echo "# as root"
	mkdir -p "$HOME"
	as_user
	mv /usr/bin/bwrap /usr/bin/bwrap.away
	check 69 "no bubblewrap" provider create one
	says "and the package is named" 'apt-get install bubblewrap'
	mv /usr/bin/bwrap.away /usr/bin/bwrap
	rm -rf "$state" "$runtime" "${HOME:?}"/*
	with_namespaces 0 forbidden
	with_namespaces 1 exhausted
	world_user alice
	world_as alice alice
	world_as alice plain
	useradd --create-home bob
	sed -i /^bob:/d /etc/subuid /etc/subgid
	world_as bob bob
	mv /usr/bin/newuidmap /usr/bin/newuidmap.away
	world_as alice alone
	;;
alice)
	as_user
	;;
plain)
	isolation=none without_namespaces
	;;
alone)
	rm -rf "$HOME/state"
	check 69 "no newuidmap" provider create one
	says "and the package is named" 'apt-get install uidmap'
	is "no slot is left" "$(entries "$state/slots")" 0
	;;
bob)
	as_pauper
	;;
exhausted)
	exhausted
	;;
forbidden)
	forbidden
	;;
esac
done_testing
