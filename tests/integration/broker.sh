#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A real sandboxd, driven over its socket: happy paths, hostile input, rivals,
# deaths.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

sandboxd=$BUILDDIR/sandboxd
# Where every folder belongs to root, as sshd demands of its helpers.
work=/srv/broker
run=$work/run
state=$work/state
socket=$run/sandboxd.sock
out=$work/out
err=$work/err
daemon=

export SANDBOX_SSH_LIBEXEC=$work/libexec

fail() {
	echo "not ok - $*" >&2
	tail -n 60 "$out" "$err" "$work"/*.log "$state/sandboxd.log" \
	    2>/dev/null | sed 's/^/    /' >&2
	exit 1
}

# A process that has ended, or is about to be waited for by its parent.
ended() {
	case $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) in
	'' | Z) return 0 ;;
	esac
	return 1
}

# holds NAME TEXT: the last answer does.
holds() {
	grep -qF -- "$2" "$out" || fail "$1: the answer lacks $2"
	ok "$1"
}

# call STATUS NAME METHOD PATH [curl's arguments]
call() {
	local want=$1 name=$2 method=$3 path=$4 got
	shift 4
	got=$("${as[@]}" curl -sS --max-time 120 --unix-socket "$socket" \
	    -X "$method" -w '%{stderr}%{http_code}' "$@" \
	    "http://localhost$path" 2>&1 >"$out") || got="curl $?: $got"
	is "$name" "$got" "$want"
}
as=()

# The member's text in the last answer.
member() {
	grep -o "\"$1\":\"[^\"]*\"" "$out" | head -n 1 | cut -d'"' -f4
}

serve() {
	"$sandboxd" --daemon --state-dir "$state" --runtime-dir "$run" \
	    2>"$err" || fail "sandboxd does not start"
	daemon=$(supervisor)
}

# The one that listens: whoever has called is told its pid.
supervisor() {
	/usr/bin/python3 -c 'import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET,
    socket.SO_PEERCRED, 12))[0])' "$socket"
}

# Every process of it, helpers in the middle of a call among them.
processes() {
	pgrep -cf -- "^$sandboxd .*--state-dir $state " || :
}

are_processes() {
	[ "$(processes)" = "$1" ]
}

# process TITLE: the child of that name.
process() {
	pgrep -P "$daemon" "sandboxd:$1"
}

stop() {
	kill "$daemon"
	wait_for "the end of sandboxd" ended "$daemon"
	daemon=
}

programs() {
	mkdir -p "$SANDBOX_SSH_LIBEXEC"
	cp "$BUILDDIR/init/sandbox-init" "$BUILDDIR/authkeys/sandbox-authkeys" \
	    "$SANDBOX_SSH_LIBEXEC/"
}

options() {
	"$sandboxd" --help >"$out" || fail "--help"
	holds "--help" --state-dir
	local status=0
	"$sandboxd" --nonsense 2>"$err" || status=$?
	is "an unknown option" "$status" 64
	printf '[limits]\nmax_tll = 1h\n' >"$work/bad.conf"
	status=0
	"$sandboxd" --config "$work/bad.conf" 2>"$err" || status=$?
	is "an unknown key" "$status" 78
	grep -q 'bad.conf:2: .*max_tll' "$err" || fail "names file and line"
	ok "it is named with file and line"
	status=0
	"$sandboxd" --daemon --state-dir "$state" --socket \
	    "$work/$(printf 'x%.0s' {1..110})" 2>"$err" || status=$?
	is "a socket path that is too long" "$status" 64
	is "that takes one line" "$(wc -l <"$err")" 1
}

first_start() {
	serve
	call 200 "health" GET /v1/health
	holds "health says ok" '"status":"ok"'
	call 200 "ca" GET /v1/ca
	grep -Eq '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}Z sandboxd: listening at ' \
	    "$state/sandboxd.log" || fail "the log has no times"
	ok "the log has times"
	holds "ca is the key on disk" \
	    "$(cut -d' ' -f1-2 "$state/ca/ca_ed25519.pub")"
	is "the key is for its owner" \
	    "$(stat -c %a "$state/ca/ca_ed25519")" 600
	is "four processes" "$(pgrep -P "$daemon" | wc -l)" 3
}

# Nothing that is missing is a reason for another CA.
ca_key() {
	local status=0
	stop
	printf '[ca]\nkey = %s/ca/ca_ed2551\n' "$state" >"$work/ca.conf"
	"$sandboxd" --config "$work/ca.conf" --state-dir "$state" \
	    --runtime-dir "$run" 2>"$err" || status=$?
	is "a CA key that is not there" "$status" 78
	says "it is named, with the way out" \
	    'no such file: .*sandbox-cert ca-init'
	[ ! -e "$state/ca/ca_ed2551" ] || fail "a new CA"
	mv "$state/ca/ca_ed25519" "$work/ca_away"
	status=0
	"$sandboxd" --state-dir "$state" --runtime-dir "$run" 2>"$err" ||
		status=$?
	is "a CA key that has gone" "$status" 78
	says "it is named, with the way out" 'has gone.*: bring it back'
	[ ! -e "$state/ca/ca_ed25519" ] || fail "a new CA"
	mv "$work/ca_away" "$state/ca/ca_ed25519"
	serve
}

rivals() {
	local status=0 pids=() i
	"$sandboxd" --state-dir "$state" --runtime-dir "$run" \
	    2>"$err" || status=$?
	is "a second one in the foreground" "$status" 69
	is "it says so in one line" "$(wc -l <"$err")" 1
	"$sandboxd" --daemon --state-dir "$state" --runtime-dir "$run" ||
		fail "a second --daemon"
	ok "a second --daemon is content"
	status=0
	"$sandboxd" --state-dir "$work/other" --runtime-dir "$run" \
	    2>"$err" || status=$?
	is "the same socket with another state" "$status" 69
	stop
	for i in {1..6}; do
		"$sandboxd" --daemon --state-dir "$state" --runtime-dir \
		    "$run" 2>"$work/rival.$i.log" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "one of six that start at once"
	done
	daemon=$(supervisor)
	wait_for "six at once: one serves" are_processes 4
	ok "six at once: one serves"
}

key=

life() {
	ssh-keygen -q -t ed25519 -N '' -C me -f "$work/key"
	key=$(cat "$work/key.pub")
	call 201 "create" POST /v1/sandboxes -d \
	    '{"id":"run-1","provider":"local","timeout":"60m",
	      "labels":{"team":"blue","run.id":"7"}}'
	holds "it runs" '"state":"running"'
	call 409 "create it again" POST /v1/sandboxes -d '{"id":"run-1"}'
	holds "code exists" '"code":"exists"'
	call 201 "create without id" POST /v1/sandboxes
	other=$(member id)
	[[ $other =~ ^sbx-[a-z0-9]{10}$ ]] || fail "a generated id: $other"
	ok "a generated id"
	call 200 "show" GET /v1/sandboxes/run-1
	holds "labels" '"labels":{"run.id":"7","team":"blue"}'
	call 200 "list" GET "/v1/sandboxes?limit=1"
	is "a page of one" "$(grep -o '"id"' "$out" | wc -l)" 1
	is "its cursor" "$(member next_cursor)" run-1
	call 200 "the next page" GET "/v1/sandboxes?limit=1&cursor=run-1"
	is "the other one" "$(member id)" "$other"
	call 200 "list by label" GET "/v1/sandboxes?label=team=blue"
	is "one of two" "$(grep -o '"id"' "$out" | wc -l)" 1
	call 200 "list by state" GET "/v1/sandboxes?state=stopped"
	is "none" "$(grep -o '"id"' "$out" | wc -l)" 0
	call 200 "stop" POST /v1/sandboxes/run-1/stop
	holds "it is stopped" '"state":"stopped"'
	call 200 "ssh to a stopped one" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\"}"
	holds "it says that it is stopped" '"state":"stopped"'
	holds "and where it will be" "\"endpoints\":[\"unix:$run/"
	call 202 "start without waiting" POST /v1/sandboxes/run-1/start
	call 200 "start and wait" POST "/v1/sandboxes/run-1/start?wait=60"
	rm "$run"/sandboxes/run-1.*.sock
	call 200 "start one whose socket somebody removed" POST \
	    /v1/sandboxes/run-1/start
	holds "it runs" '"state":"running"'
	[ -S "$(echo "$run"/sandboxes/run-1.*.sock)" ] || fail "the socket is not back"
	holds "it runs again" '"state":"running"'
	call 204 "delete" DELETE "/v1/sandboxes/$other"
	call 404 "it is gone" GET "/v1/sandboxes/$other"
	holds "code not-found" '"code":"not-found"'
}

# certificate NAME: the one in the last answer, as ssh-keygen shows it.
certificate() {
	member certificate >"$work/cert.pub"
	ssh-keygen -L -f "$work/cert.pub" >"$work/shown" 2>"$err" ||
		fail "$1: ssh-keygen does not read it"
}

shown() {
	grep -q -- "$2" "$work/shown" || {
		cat "$work/shown" >&2
		fail "$1"
	}
	ok "$1"
}

certificates() {
	local serial
	call 200 "ssh" POST /v1/sandboxes/run-1/ssh -d \
	    "{\"public_key\":\"$key\",\"ttl\":\"5m\",\"permit\":[\"pty\"],
	      \"source_address\":\"10.0.0.0/8\",\"force_command\":\"id\"}"
	certificate "ssh"
	serial=$(member serial)
	shown "key id is caller/id/serial" "Key ID: \"[^/]*/run-1/$serial\""
	shown "force-command" 'force-command id'
	shown "source-address" 'source-address 10.0.0.0/8'
	is "only what was permitted" "$(grep -c permit- "$work/shown")" 1
	call 200 "the certificate of a stopped namesake" POST \
	    /v1/sandboxes/run-1/ssh -d "{\"public_key\":\"$key\"}"
	call 400 "a ttl that is too long" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\",\"ttl\":\"25h\"}"
	call 200 "single use" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\",\"single_use\":true}"
	certificate "single use"
	shown "it is marked" 'single-use@sandbox-ssh'
	call 400 "no key" POST /v1/sandboxes/run-1/ssh -d '{}'
	holds "it is named" 'public_key'
	call 400 "nonsense for a key" POST /v1/sandboxes/run-1/ssh \
	    -d '{"public_key":"ssh-ed25519 AAAA"}'
	call 400 "nonsense to permit" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\",\"permit\":[\"everything\"]}"
	call 400 "nonsense for an address" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\",\"source_address\":\"x\"}"
	call 404 "ssh to none" POST /v1/sandboxes/none/ssh \
	    -d "{\"public_key\":\"$key\"}"
}

# after_of: valid_after of the certificate in the last answer, Unix time.
after_of() {
	certificate "namesake"
	date -ud "$(sed -n 's/.*Valid: from \([^ ]*\) to.*/\1/p' \
	    "$work/shown")" +%s
}

namesakes() {
	local first second
	call 201 "an id" POST /v1/sandboxes -d '{"id":"again"}'
	call 200 "its certificate" POST /v1/sandboxes/again/ssh \
	    -d "{\"public_key\":\"$key\"}"
	first=$(TZ=UTC after_of)
	call 204 "it goes" DELETE /v1/sandboxes/again
	call 201 "the id comes back" POST /v1/sandboxes -d '{"id":"again"}'
	call 200 "with a certificate" POST /v1/sandboxes/again/ssh \
	    -d "{\"public_key\":\"$key\"}"
	second=$(TZ=UTC after_of)
	[ "$second" -gt "$first" ] ||
		fail "the old certificate ($first) opens the new ($second)"
	ok "the old certificate is not good for the new one"
	call 204 "and goes again" DELETE /v1/sandboxes/again
}

bad_input() {
	local body deep
	call 404 "an unknown call" GET /v1/nothing
	call 404 "no call at all" GET /
	call 405 "a wrong method" PUT /v1/sandboxes/run-1
	holds "which would be right" 'GET, PATCH, DELETE'
	call 400 "a bad id" GET /v1/sandboxes/RUN
	holds "code bad-name" '"code":"bad-name"'
	call 400 "a long id" GET "/v1/sandboxes/$(printf 'a%.0s' {1..64})"
	call 404 "a path in an id" GET /v1/sandboxes/..%2f..%2fetc
	call 400 "a NUL in the path" GET /v1/sandboxes/run-1%00x
	call 400 "an unknown parameter" GET "/v1/sandboxes?nothing=1"
	call 400 "a parameter twice" GET "/v1/sandboxes?limit=1&limit=2"
	call 400 "a limit of zero" GET "/v1/sandboxes?limit=0"
	call 400 "a wait too long" POST "/v1/sandboxes/run-1/start?wait=301"
	call 400 "a state that is none" GET "/v1/sandboxes?state=fine"
	while read -r body; do
		call 400 "body $body" POST /v1/sandboxes -d "$body"
	done <<-'END'
	{
	[]
	"x"
	{}{}
	{'id':'x'}
	{"id":"a","id":"b"}
	{"id":"a\u0000b"}
	{"id":7}
	{"name":"x"}
	{"labels":["x"]}
	{"labels":{"a b":"c"}}
	{"labels":{"a":1}}
	{"timeout":"5"}
	{"timeout":"0s"}
	{"id":"-x"}
	END
	call 422 "an unknown provider" POST /v1/sandboxes \
	    -d '{"provider":"moon"}'
	printf '{"id":"a\0b"}' >"$work/nul"
	call 400 "a NUL in the body" POST /v1/sandboxes \
	    --data-binary "@$work/nul"
	deep=$(printf '{"labels":%.0s' {1..1000})
	call 400 "a deep body" POST /v1/sandboxes -d "$deep"
	head -c 66560 /dev/zero | tr '\0' ' ' >"$work/large"
	call 413 "a body of 65 KiB" POST /v1/sandboxes \
	    --data-binary "@$work/large"
	head -c 1200000 /dev/zero >"$work/huge"
	call 413 "a huge one, asked about first" POST /v1/sandboxes \
	    -H 'Expect: 100-continue' --expect100-timeout 60 \
	    --data-binary "@$work/huge"
	call 413 "a chunked one" POST /v1/sandboxes \
	    -H 'Transfer-Encoding: chunked' --data-binary "@$work/large"
	head -c 65536 "$work/large" >"$work/full"
	printf '{"nothing":1}' |
		dd of="$work/full" conv=notrunc status=none
	call 400 "one of 64 KiB is read" POST /v1/sandboxes \
	    --data-binary "@$work/full"
	head -c 40000 "$work/large" | tr ' ' 'h' >"$work/header"
	call 431 "huge headers" GET /v1/health -H "X: $(cat "$work/header")"
	printf '\0\1\2garbage\r\n\r\n' |
		/usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
while s.recv(4096):
    pass' "$socket" || fail "garbage"
	call 200 "others are served after all that" GET /v1/health
}

many() {
	local i want pids=() starts
	for i in {1..200}; do
		printf 'url=http://localhost/v1/sandboxes/run-1\n'
		printf 'output=%s\n' "$work/many.$i"
	done >"$work/many.curl"
	curl -sS --no-progress-meter --parallel --parallel-immediate \
	    --parallel-max 200 --unix-socket "$socket" \
	    -K "$work/many.curl" 2>"$err" || fail "200 at once"
	want=$(grep -l '"state":"running"' "$work"/many.[0-9]* | wc -l)
	is "200 at once are all answered" "$want" 200
	call 200 "stop" POST /v1/sandboxes/run-1/stop
	for i in {1..20}; do
		curl -sS -X POST --unix-socket "$socket" -o "$work/start.$i" \
		    "http://localhost/v1/sandboxes/run-1/start?wait=60" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "20 starts"
	done
	starts=$(grep -l '"state":"running"' "$work"/start.[0-9]* | wc -l)
	is "20 starts at once all find it running" "$starts" 20
	for i in {1..40}; do
		curl -sS -X POST --unix-socket "$socket" -o "$work/cert.$i" \
		    -d "{\"public_key\":\"$key\"}" \
		    "http://localhost/v1/sandboxes/run-1/ssh" &
		pids+=($!)
	done
	wait
	is "40 certificates at once have 40 serials" \
	    "$(grep -ho '"serial":"[^"]*"' "$work"/cert.[0-9]* |
	    sort -u | wc -l)" 40
}

restart() {
	local before after
	before=$(pgrep -of "$state/sandboxes/run-1/" || :)
	stop
	[ ! -e "$socket" ] || fail "the socket stays behind"
	ok "a clean stop removes the socket"
	serve
	call 200 "after a restart" GET /v1/sandboxes/run-1
	holds "the sandbox still runs" '"state":"running"'
	after=$(pgrep -of "$state/sandboxes/run-1/" || :)
	is "and is the same one" "$after" "$before"
}

deaths() {
	local pid name status
	stop
	for name in signer prov http; do
		"$sandboxd" --state-dir "$state" --runtime-dir "$run" \
		    2>"$work/front.log" &
		daemon=$!
		wait_for "it answers" curl -fs --unix-socket "$socket" \
		    http://localhost/v1/health
		pid=$(process "$name")
		kill -9 "$pid"
		status=0
		wait "$daemon" || status=$?
		is "when $name dies, all end" "$status" 70
		grep -q "process ended (signal 9)" "$work/front.log" ||
			fail "$name: no line in the log"
		ok "and one line says so"
		wait_for "nobody stays" are_processes 0
		ok "nobody stays"
		daemon=
	done
	serve
	call 200 "after all that" GET /v1/sandboxes/run-1
	# The first process of all is killed: http follows, then the others.
	kill -9 "$daemon"
	wait_for "all follow the supervisor" are_processes 0
	ok "all follow a supervisor that was killed"
	serve
	call 200 "a stale socket is replaced" GET /v1/health
}

ends() {
	call 201 "one that ends soon" POST /v1/sandboxes \
	    -d '{"id":"short","timeout":"1s"}'
	wait_for "it ends" bash -c "! curl -fs --unix-socket '$socket' \
	    http://localhost/v1/sandboxes/short"
	call 404 "after its end" POST /v1/sandboxes/short/start
	wait_for "its files go" test ! -e "$state/sandboxes/short"
	ok "it is reaped"
}

# Who may do what.
users() {
	local http signer
	http=$(awk '/^Uid:/ { print $2 }' "/proc/$(process http)/status")
	signer=$(awk '/^Uid:/ { print $2 }' "/proc/$(process signer)/status")
	is "http's uid" "$http" 1879048192
	is "the signer's uid" "$signer" 1879048193
	is "http has no capability" \
	    "$(awk '/^CapEff:/ { print $2 }' \
	    "/proc/$(process http)/status")" 0000000000000000
	is "and gets none" "$(awk '/^NoNewPrivs:/ { print $2 }' \
	    "/proc/$(process http)/status")" 1
	if setpriv --reuid "$http" --regid "$http" --clear-groups \
	    cat "$state/ca/ca_ed25519" >/dev/null 2>&1; then
		fail "http can read the CA key"
	fi
	ok "http cannot read the CA key"
	is "http has no descriptor of it" "$(find \
	    "/proc/$(process http)/fd" -lname '*ca_ed25519*' | wc -l)" 0
	is "nor of the lock, which it could let go" "$(find \
	    "/proc/$(process http)/fd" "/proc/$(process signer)/fd" \
	    -lname '*sandboxd.lock*' | wc -l)" 0
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	call 404 "another user does not see it" GET /v1/sandboxes/run-1
	call 404 "nor stops it" POST /v1/sandboxes/run-1/stop
	call 404 "nor enters it" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\"}"
	call 200 "nor finds it in the list" GET /v1/sandboxes
	holds "which is empty" '"items":[]'
	call 201 "but makes one" POST /v1/sandboxes -d '{"id":"theirs"}'
	holds "owned by them" '"owner":"nobody"'
	call 409 "an id in use" POST /v1/sandboxes -d '{"id":"run-1"}'
	holds "it says by whom" 'taken by another user'
	as=(setpriv --reuid 1879060000 --regid 1879060000 --clear-groups)
	call 403 "a sandbox may not call" GET /v1/health
	as=()
	call 204 "root may delete it" DELETE /v1/sandboxes/theirs
}

# Users who each open a hundred connections and never come to the end of a
# request, then knock, many at once, until calm is there: the server hangs up
# on all of them.
crowd() {
	exec /usr/bin/python3 - "$socket" "$work/crowd" <<-'END'
	import os, select, socket, sys, time

	def dawdle(mark):
	    socks = []
	    for _ in range(100):
	        s = socket.socket(socket.AF_UNIX)
	        s.connect(sys.argv[1])
	        try:
	            s.send(b"GET /v1/health HTTP/1.1\r\nX: ")
	        except OSError:
	            pass
	        socks.append(s)
	    mark.close()
	    end = time.monotonic() + 120
	    while not os.path.exists(sys.argv[2] + ".calm"):
	        if time.monotonic() > end:
	            os._exit(2)
	        knocking = [socket.socket(socket.AF_UNIX) for _ in range(32)]
	        for s in knocking:
	            s.connect(sys.argv[1])
	        for s in knocking:
	            s.recv(4096)
	            s.close()
	    end = time.monotonic() + 60
	    while socks and time.monotonic() < end:
	        for s in select.select(socks, [], [], 0.2)[0]:
	            try:
	                if s.recv(4096):
	                    continue
	            except ConnectionResetError:
	                pass
	            socks.remove(s)
	        for s in socks:
	            try:
	                s.send(b"x")
	            except OSError:
	                pass
	    os._exit(1 if socks else 0)

	pids = []
	for n in range(6):
	    pid = os.fork()
	    if pid == 0:
	        mark = open(sys.argv[2] + ".%d" % n, "w")
	        os.setresgid(20000 + n, 20000 + n, 20000 + n)
	        os.setresuid(20000 + n, 20000 + n, 20000 + n)
	        mark.write("in\n")
	        dawdle(mark)
	    pids.append(pid)
	sys.exit(max(os.waitpid(pid, 0)[1] != 0 for pid in pids))
	END
}

crowds() {
	local pid
	crowd &
	pid=$!
	for n in {0..5}; do
		wait_for "user $n of the crowd" grep -qs in "$work/crowd.$n"
	done
	for n in {1..20}; do
		call 200 "root is served beside a crowd ($n)" GET /v1/health
	done
	touch "$work/crowd.calm"
	wait "$pid" || fail "a crowd that dawdles is not sent away"
	ok "a crowd that dawdles is sent away"
	as=(setpriv --reuid 20000 --regid 20000 --clear-groups)
	call 200 "and served again afterwards" GET /v1/health
	as=()
}

# Descriptors that do not want to be closed: of one who is sent away, and of one
# who is let in and whose request is too long.  With Linux 6.16 nobody takes
# them in the first place.
burden() {
	exec /usr/bin/python3 - "$socket" "$work/burden" <<-'END'
	import array, os, socket, struct, sys, time
	mark = open(sys.argv[2], "w")
	def lingering():
	    listener = socket.create_server(("127.0.0.1", 0))
	    s = socket.create_connection(listener.getsockname())
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
	        struct.pack("ii", 1, 20))
	    peer = listener.accept()[0]
	    s.setblocking(False)
	    try:
	        while True:
	            s.send(b"x" * 65536)
	    except BlockingIOError:
	        return s, peer
	def burden(text):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect(sys.argv[1])
	    s.setblocking(False)
	    fd, peer = lingering()
	    try:
	        s.send(text)
	        s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
	            array.array("i", [fd.fileno()]))])
	    except OSError:
	        fd.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
	            struct.pack("ii", 0, 0))
	    return s, peer
	os.setresgid(20000, 20000, 20000)
	os.setresuid(20000, 20000, 20000)
	keep = [burden(b"GET /v1/health HTTP/1.1\r\nX: " + b"x" * 50000)
	    for _ in range(70)]
	keep += [burden(b"G") for _ in range(20)]
	mark.write("in\n")
	mark.close()
	end = time.monotonic() + 300
	while time.monotonic() < end:
	    if os.path.exists(sys.argv[2] + ".calm"):
	        os._exit(0)
	    time.sleep(0.2)
	os._exit(1)
	END
}

burdens() {
	local pid
	burden &
	pid=$!
	wait_for "the burdens" grep -qs in "$work/burden"
	for n in {1..20}; do
		call 200 "root is served beside burdens ($n)" GET /v1/health
	done
	touch "$work/burden.calm"
	wait "$pid" || fail "the burdens' end"
}

# What others may write into our log.
log_lines() {
	local before
	before=$(wc -l <"$state/sandboxd.log")
	call 400 "a mistake" POST /v1/sandboxes -d '{"nothing":1}'
	is "mistakes are not logged" "$(wc -l <"$state/sandboxd.log")" "$before"
	as=(setpriv --reuid 1879060000 --regid 1879060000 --clear-groups)
	call 403 "a call of a sandbox" GET \
	    '/v1/x%20caller=root%20status=200%0Aline'
	tail -n 1 "$state/sandboxd.log" >"$out"
	holds "what we know comes first" \
	    ' owner=uid:1879060000 event=refused cause=refused by=uid:18790600'
	# So many that there are too many in one minute of two.
	"${as[@]}" curl -sS --unix-socket "$socket" -o /dev/null \
	    'http://localhost/v1/x[1-150]' || fail "150 calls"
	as=()
	grep -q 'caller=uid:1879048192 uid=1879048192: no more lines' \
	    "$state/sandboxd.log" || fail "a user may fill the log"
	# 60 in each of those two, and the one before.
	[ "$(grep -c 'by=uid:1879060000' "$state/sandboxd.log")" -le 121 ] ||
		fail "there are more lines all the same"
	ok "nobody fills the log"
}

# database CODE: Python over the database of the broker that runs.
database() {
	/usr/bin/python3 -c "import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=30)
$1
db.commit()" "$state/db/sandboxd.db" || fail "the database"
}

too_many_certificates() {
	database 'now = int(time.time())
for n in range(1000):
    db.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?)",
        (-1 - n, "run-1", "x", "x", now, now + 3000 + n, now))'
	call 429 "a certificate too many" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\"}"
	holds "code refused" '"code":"refused"'
	grep -Eq 'ends at 20[0-9-]{8}T[0-9:]{8}Z' "$out" || fail "until when"
	ok "it says until when"
	database 'db.execute("DELETE FROM certificates WHERE caller = ?", "x")'
	call 200 "after the others ended" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$key\"}"
}

# A broker of an ordinary user.
plain_user() {
	local pid
	stop
	install -d -m 0700 -o nobody -g nogroup "$work/user"
	setpriv --reuid nobody --regid nogroup --clear-groups \
	    "$sandboxd" --state-dir "$work/user/state" \
	    --runtime-dir "$work/user/run" 2>"$work/user.log" &
	pid=$!
	socket=$work/user/run/sandboxd.sock
	wait_for "a user's broker answers" curl -fs --unix-socket "$socket" \
	    http://localhost/v1/health
	is "its socket is theirs" "$(stat -c '%a %U' "$socket")" "600 nobody"
	is "all of it runs as them" \
	    "$(ps -o user= -p "$pid" --ppid "$pid" | sort -u)" nobody
	kill "$pid"
	wait "$pid" || fail "its end"
	ok "it ends"
	socket=$run/sandboxd.sock
}

no_isolation() {
	local pid
	printf '[local]\nisolation = none\n' >"$work/none.conf"
	"$sandboxd" --config "$work/none.conf" --state-dir "$state" \
	    --runtime-dir "$run" 2>"$work/none.log" &
	pid=$!
	wait_for "without isolation it answers" curl -fs \
	    --unix-socket "$socket" http://localhost/v1/health
	call 201 "create without isolation" POST /v1/sandboxes \
	    -d '{"id":"bare"}'
	holds "it says so" '"isolation":"none"'
	holds "loudly" 'NOT ISOLATED'
	call 409 "single use, which nobody would remember" POST \
	    /v1/sandboxes/bare/ssh \
	    -d "{\"public_key\":\"$key\",\"single_use\":true}"
	call 200 "any use" POST /v1/sandboxes/bare/ssh \
	    -d "{\"public_key\":\"$key\"}"
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	call 403 "only root may: it would be a root shell" POST \
	    /v1/sandboxes -d '{"id":"theirs"}'
	holds "and it says so" 'only root may create one'
	call 404 "nothing is known of it" GET /v1/sandboxes/theirs
	as=()
	call 404 "to root neither" GET /v1/sandboxes/theirs
	is "no file is left of it" \
	    "$(find "$state" "$run" -name '*theirs*')" ""
	is "no slot either" "$(grep -rl theirs "$state/slots" || :)" ""
	is "and it never ran" "$(pgrep -cf -- '/theirs[./]' || :)" 0
	# One that was made before that was refused.
	database 'db.execute("UPDATE sandboxes SET owner = ? WHERE id = ?",
    ("nobody", "bare"))'
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	call 200 "one of theirs" GET /v1/sandboxes/bare
	call 403 "they do not enter it" POST /v1/sandboxes/bare/ssh \
	    -d "{\"public_key\":\"$key\"}"
	call 403 "nor start it while it runs" POST /v1/sandboxes/bare/start
	call 200 "they may stop it" POST /v1/sandboxes/bare/stop
	call 403 "but not start it" POST "/v1/sandboxes/bare/start?wait=30"
	call 200 "it stays" GET /v1/sandboxes/bare
	holds "stopped" '"state":"stopped"'
	as=()
	call 200 "root may start it" POST "/v1/sandboxes/bare/start?wait=30"
	call 204 "delete" DELETE /v1/sandboxes/bare
	kill "$pid"
	wait "$pid" || fail "its end"
	ok "it ends"
}

log_has() {
	grep -q -- "$1" "$state/sandboxd.log"
}

# On SIGHUP, also if the caller ignored that: settings and log as they are now.
reload() {
	local file=$work/reload.conf i
	stop
	: >"$file"
	(
		trap '' HUP TERM CHLD
		"$sandboxd" --daemon --config "$file" --state-dir "$state" \
		    --runtime-dir "$run" 2>"$err"
	) || fail "sandboxd does not start"
	daemon=$(supervisor)
	mv "$state/sandboxd.log" "$work/rotated.log"
	printf '[limits]\nmax_sandboxes = 1\n' >"$file"
	kill -HUP "$daemon"
	wait_for "the new log" log_has 'sandboxd: reloaded$'
	is "the same process" "$(supervisor)" "$daemon"
	call 201 "one" POST /v1/sandboxes -d '{"id":"first"}'
	call 403 "the new limit holds" POST /v1/sandboxes -d '{"id":"second"}'
	printf '[limits]\nmax_sandboxes = none\n' >"$file"
	for i in 1 2; do
		rm "$state/sandboxd.log"
		kill -HUP "$daemon"
		wait_for "it names the line" \
		    log_has 'not reloaded: .*reload.conf:2'
		ok "a file that is wrong is told, in the right log ($i)"
	done
	call 403 "the limit holds still" POST /v1/sandboxes -d '{"id":"second"}'
	printf '[local]\nuid_range = 1000000000:65536\n' >"$file"
	kill -HUP "$daemon"
	wait_for "it says so" log_has 'uid_range stays as it is'
	call 201 "the limit has gone" POST /v1/sandboxes -d '{"id":"second"}'
	is "four processes" "$(pgrep -P "$daemon" | wc -l)" 3
	call 204 "delete" DELETE /v1/sandboxes/first
	call 204 "delete" DELETE /v1/sandboxes/second
	stop
	serve
}

programs
options
first_start
reload
ca_key
rivals
life
certificates
namesakes
bad_input
many
restart
deaths
ends
users
crowds
burdens
log_lines
too_many_certificates
call 204 "delete the last" DELETE /v1/sandboxes/run-1
[ -z "$(ls "$state/sandboxes" 2>/dev/null)" ] || fail "files stay behind"
ok "no files stay behind"
plain_user
no_isolation
done_testing
