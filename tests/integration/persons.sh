#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Who counts as whom: an account's subordinate uids are that account, wherever
# people share something of the machine's broker.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

work=/srv/persons
state=$work/state
socket=$work/run/sandboxd.sock
sandboxd=$BUILDDIR/sandboxd
export SANDBOX_SSH_LIBEXEC=$work/libexec

first=500000 # of alice's range

# call UID STATUS NAME METHOD PATH [curl's arguments]
call() {
	local uid=$1 want=$2 name=$3 method=$4 path=$5
	shift 5
	is "$name" "$(setpriv --reuid "$uid" --regid "$uid" --clear-groups \
	    curl -sS --max-time 60 --unix-socket "$socket" -X "$method" \
	    -o /dev/null -w '%{http_code}' "$@" "http://localhost$path" \
	    2>&1)" "$want"
}

# serve [LINE...]: with these lines for a configuration.
serve() {
	printf '%s\n' "$@" >"$work/sandboxd.conf"
	"$sandboxd" --daemon --config "$work/sandboxd.conf" \
	    --state-dir "$state" --runtime-dir "$work/run" 2>"$err" ||
		fail "sandboxd does not start"
}

stop() {
	"$sandboxd" --stop --state-dir "$state" --runtime-dir "$work/run" \
	    >/dev/null || fail "sandboxd does not stop"
}

# Twelve of alice's uids, each with as many connections as it gets, on which
# nothing is ever said.
dawdle() {
	exec /usr/bin/python3 - "$socket" "$work/dawdle" "$first" <<-'END'
	import os, socket, sys, time
	path, mark, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
	open(mark, "w").close()
	os.chmod(mark, 0o666)
	pids = []
	for n in range(12):
	    pid = os.fork()
	    if pid == 0:
	        os.setresgid(first + n, first + n, first + n)
	        os.setresuid(first + n, first + n, first + n)
	        socks = []
	        for i in range(100):
	            s = socket.socket(socket.AF_UNIX)
	            s.connect(path)
	            socks.append(s)
	        with open(mark, "a") as f:
	            f.write("in\n")
	        end = time.monotonic() + 120
	        while not os.path.exists(mark + ".calm"):
	            if time.monotonic() > end:
	                os._exit(1)
	            time.sleep(0.05)
	        os._exit(0)
	    pids.append(pid)
	sys.exit(max(os.waitpid(pid, 0)[1] != 0 for pid in pids))
	END
}

are_in() {
	[ "$(wc -l <"$work/dawdle")" = 12 ]
}

connections() {
	local pid
	serve
	dawdle &
	pid=$!
	wait_for "twelve of alice's uids" are_in
	for n in {1..20}; do
		call bob 200 "bob is served beside alice's uids ($n)" \
		    GET /v1/health
	done
	touch "$work/dawdle.calm"
	wait "$pid" || fail "they go"
	ok "they go"
	stop
}

lines_of() {
	grep -c "caller=$1 status=" "$state/sandboxd.log" || :
}

lines() {
	local n before
	# Without isolation only root may have one: a refusal is a line.
	serve '[local]' 'isolation = none'
	for n in {1..70}; do
		setpriv --reuid $((first + n)) --regid $((first + n)) \
		    --clear-groups curl -sS --unix-socket "$socket" \
		    -X POST -o /dev/null -d '{}' \
		    http://localhost/v1/sandboxes || fail "call $n"
	done
	before=$(lines_of bob)
	call bob 403 "bob is refused" POST /v1/sandboxes -d '{}'
	is "and that is a line" "$(lines_of bob)" $((before + 1))
	grep -q 'caller=alice uid=[0-9]*: no more lines for this minute' \
	    "$state/sandboxd.log" || fail "alice's uids may fill the log"
	ok "alice's uids have one share of the log"
	stop
}

mkdir -p "$SANDBOX_SSH_LIBEXEC"
cp "$BUILDDIR/init/sandbox-init" "$BUILDDIR/authkeys/sandbox-authkeys" \
    "$SANDBOX_SSH_LIBEXEC/"
world_user alice
world_user bob
echo "alice:$first:65536" >/etc/subuid
connections
lines
done_testing
