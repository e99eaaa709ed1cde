#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Who counts as whom: an account's subordinate uids are that account, wherever
# people share something of the machine's broker.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

first=500000 # of alice's range
mark=$broker_work/dawdle

# Twelve of alice's uids, each with as many connections as it gets, on which
# nothing is ever said.
dawdle() {
	exec /usr/bin/python3 - "$broker_socket" "$mark" "$first" <<-'END'
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
	[ "$(wc -l <"$mark")" = 12 ]
}

connections() {
	local pid
	broker_serve
	dawdle &
	pid=$!
	wait_for "twelve of alice's uids" are_in
	for n in {1..20}; do
		broker_call bob 200 "bob is served beside alice's uids ($n)" \
		    GET /v1/health
	done
	touch "$mark.calm"
	wait "$pid" || fail "they go"
	ok "they go"
	broker_stop
}

# A container's uid is not its owner, though it counts as them.
sandboxes() {
	broker_serve '[limits]' 'max_sandboxes = 2'
	broker_call alice 201 "alice's first" POST /v1/sandboxes \
	    -d '{"id":"one"}'
	broker_call $((first + 1)) 201 "her uid's" POST /v1/sandboxes \
	    -d '{"id":"two"}'
	grep -q '"owner":"uid:500001"' "$out" || fail "it is that uid's own"
	broker_call $((first + 2)) 403 "one too many" POST /v1/sandboxes \
	    -d '{}'
	grep -q 'alice has 2 sandboxes, the limit' "$out" || fail "says who"
	ok "says who"
	broker_call $((first + 1)) 404 "it has no right to hers" \
	    GET /v1/sandboxes/one
	broker_call alice 404 "nor she to its" GET /v1/sandboxes/two
	broker_call bob 201 "bob has his own limit" POST /v1/sandboxes \
	    -d '{"id":"bobs"}'
	for id in one two bobs; do
		broker_call root 204 "$id goes" DELETE "/v1/sandboxes/$id"
	done
	broker_stop
}

lines_of() {
	grep -c "event=refused .* by=$1 " "$broker_log" || :
}

lines() {
	local n before
	# Without isolation only root may have one: a refusal is a line.
	broker_serve '[local]' 'isolation = none'
	for n in {1..70}; do
		setpriv --reuid $((first + n)) --regid $((first + n)) \
		    --clear-groups curl -sS --unix-socket "$broker_socket" \
		    -X POST -o /dev/null -d '{}' \
		    http://localhost/v1/sandboxes || fail "call $n"
	done
	before=$(lines_of bob)
	broker_call bob 403 "bob is refused" POST /v1/sandboxes -d '{}'
	is "and that is a line" "$(lines_of bob)" $((before + 1))
	grep -q 'caller=alice uid=[0-9]*: no more lines for this minute' \
	    "$broker_log" || fail "alice's uids may fill the log"
	ok "alice's uids have one share of the log"
	broker_stop
}

# In a container that lacks most uids, all whom it lacks look the same.
strangers() {
	local pid map ours
	mkfifo "$broker_work/go"
	: >"$broker_work/sandboxd.conf"
	unshare --user bash -c 'read -r <"$1" && shift && exec "$@"' container \
	    "$broker_work/go" "$BUILDDIR/sandboxd" --daemon \
	    --config "$broker_work/sandboxd.conf" \
	    --state-dir "$broker_state" --runtime-dir "$broker_run" &
	pid=$!
	ours=$(readlink /proc/self/ns/user)
	wait_for "a namespace" is_elsewhere "$pid" "$ours"
	# In one write(2).
	printf '0 0 1000\n1879048192 1879048192 268435456\n' \
	    >"$broker_work/map"
	for map in uid_map gid_map; do
		cat "$broker_work/map" >"/proc/$pid/$map"
	done
	echo go >"$broker_work/go"
	wait "$pid" || fail "sandboxd does not start in a container"
	broker_call root 200 "its root is served" GET /v1/health
	broker_call alice 403 "whom it cannot name is refused" GET /v1/health
	grep -q 'nobody can tell who calls' "$out" || fail "says why"
	ok "says why"
	broker_stop
}

# A range that is an account's, too, is said by the log and to who asks.
overlapping() {
	local mine="uid_range = $((first + 4096)):8192"
	broker_serve '[local]' "$mine"
	grep -q "$mine of sandboxes overlaps alice:$first:65536 in /etc/subuid" \
	    "$broker_log" || fail "the log says that a range overlaps"
	ok "the log says that a range overlaps"
	broker_call bob 200 "health" GET /v1/health
	grep -q "\"warning\":\"$mine" "$out" || fail "who asks is told"
	ok "who asks is told"
	check 1 "doctor" env SANDBOX_BROKER="unix:$broker_socket" \
	    SANDBOX_SSH_LIBEXEC="$BUILDDIR" "$BUILDDIR/sandbox-proxy" doctor
	grep -q "overlaps alice:$first" "$out" || fail "doctor tells"
	ok "doctor tells"
	broker_stop
	broker_serve
	broker_call bob 200 "health" GET /v1/health
	! grep -q warning "$out" || fail "nothing to say by default"
	ok "nothing to say by default"
	broker_stop
}

is_elsewhere() {
	[ "$(readlink "/proc/$1/ns/user")" != "$2" ]
}

broker_programs
world_user alice
world_user bob
echo "alice:$first:65536" >/etc/subuid
connections
sandboxes
lines
strangers
overlapping
done_testing
