#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Sandboxes that are tied to the connection that made them: every way in which
# it ends, what others see, what people have a share of.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/broker.sh"

# tied USER ID JSON: its stream, in $lines, of process $stream.
tied() {
	lines=$HOME/lines.$2
	: >"$lines"
	setpriv --reuid "$1" --regid "$1" --clear-groups curl -sSN \
	    --unix-socket "$broker_socket" -d "$3" \
	    http://localhost/v1/sandboxes >"$lines" 2>"$lines.err" &
	stream=$!
	wait_for "the first line of $2" grep -q . "$lines"
}

root_ties() {
	tied 0 "$1" "{\"id\":\"$1\",\"timeout\":\"session\"}"
	is "a stream: $1" "$(jq -r '.id + " " + .state' "$lines")" "$1 running"
}

state_is() {
	broker_call 0 "$2" "$1" GET "/v1/sandboxes/$1"
}

seen() {
	curl -sSf --unix-socket "$broker_socket" \
	    "http://localhost/v1/sandboxes/$1" >/dev/null 2>&1
}

gone() {
	! seen "$1"
}

no_files() {
	[ ! -e "$broker_state/sandboxes/$1" ]
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# is_removed ID HOW: within a round of the reaper's, which takes 5 s.
is_removed() {
	local since=$1 id=$2 took
	wait_for "$id to end" gone "$id"
	wait_for "its files to go" no_files "$id"
	took=$(($(now_ms) - since))
	[ "$took" -lt 4000 ] || fail "$id: removed after $took ms"
	ok "$3: $id is removed ($took ms)"
}

reap() {
	wait "$stream" 2>/dev/null || :
}

streams_end() {
	local since
	root_ties killed
	broker_call 0 200 "others see it" GET /v1/sandboxes/killed
	is "and that it is tied" "$(jq .session "$out")" true
	since=$(now_ms)
	kill -9 "$stream"
	reap
	is_removed "$since" killed "kill -9 of the client"
	grep -q 'sandbox=killed .*event=removed cause=session' "$broker_log" ||
		fail "the log says why"
	ok "the log says why"

	root_ties term
	since=$(now_ms)
	kill -TERM "$stream"
	reap
	is_removed "$since" term "an end of the client"

	root_ties other
	broker_call 0 204 "somebody else removes it" DELETE /v1/sandboxes/other
	wait "$stream" || fail "the stream ends in order"
	is "its last line" "$(tail -n 1 "$lines")" '{"state":"removed"}'
}

beats() {
	root_ties beats
	wait_for "a beat" grep -q '^{"beat":[0-9]*}$' "$lines"
	ok "a beat"
	seen beats || fail "it lives on"
	ok "it lives on"
	kill "$stream"
	reap
	wait_for "its end" gone beats
}

# An end besides; and what is refused gives its place back.
both() {
	tied 0 both '{"id":"both","session":true,"timeout":"30m"}'
	is "a session and an end" "$(jq '.expires_at - .created_at' "$lines")" \
	    1800
	kill "$stream"
	reap
	wait_for "its end" gone both
}

# Its maker may let it live on.
untied() {
	root_ties untied
	broker_call 0 200 "untied" PATCH /v1/sandboxes/untied \
	    -d '{"session":false}'
	is "it says so" "$(jq .session "$out")" false
	kill -9 "$stream"
	reap
	broker_call 0 201 "and something else" POST /v1/sandboxes -d '{"id":"x"}'
	broker_call 0 200 "it lives on" GET /v1/sandboxes/untied
	broker_call 0 204 "until somebody removes it" DELETE \
	    /v1/sandboxes/untied
	broker_call 0 204 "both" DELETE /v1/sandboxes/x
}

# 16 connections: two tied sandboxes for one person, eight for root.
shares() {
	local i streams=()
	for i in 1 2; do
		tied 4001 "a$i" "{\"id\":\"a$i\",\"timeout\":\"session\"}"
		streams+=("$stream")
	done
	broker_call 4001 429 "a third" POST /v1/sandboxes \
	    -d '{"id":"a3","timeout":"session"}'
	is "in words" "$(jq -r .detail "$out")" "uid:4001 has too many sandboxes \
that end with the connection that made them: wait for one to end, or give a \
timeout"
	broker_call 4001 404 "nothing was made" GET /v1/sandboxes/a3
	broker_call 4001 201 "others that are not tied" POST /v1/sandboxes \
	    -d '{"id":"plain"}'
	tied 4002 b1 '{"id":"b1","timeout":"session"}'
	streams+=("$stream")
	ok "another person has a share, too"
	kill "${streams[0]}"
	wait_for "the first one's end" gone a1
	for i in 1 2 3; do
		broker_call 4001 409 "an id that is taken, $i" POST \
		    /v1/sandboxes -d '{"id":"a2","timeout":"session"}'
	done
	tied 4001 a4 '{"id":"a4","timeout":"session"}'
	is "one that ended, and those refused, gave their place back" \
	    "$(jq -r .state "$lines")" running
	streams+=("$stream")
	kill "${streams[@]:1}"
	for i in a2 a4 b1; do
		wait_for "the end of $i" gone "$i"
	done
	broker_call 0 204 "the plain one" DELETE /v1/sandboxes/plain
}

# The maker is gone, and nobody can tell whether it has noticed.
broker_ends() {
	local since pid
	root_ties stopped
	since=$(now_ms)
	broker_stop
	[ $(($(now_ms) - since)) -lt 3500 ] ||
		fail "a stream does not hold up the end"
	ok "a stream does not hold up the end"
	reap
	broker_sandboxd --daemon 2>"$err" || fail "a start"
	wait_for "its end" no_files stopped
	ok "a restart: it is removed"

	root_ties reloaded
	pid=$(pgrep -x sandboxd)
	kill -HUP "$pid"
	reap
	wait_for "its end" no_files reloaded
	ok "a reload: it is removed"

	root_ties crashed
	broker_call 0 201 "one that is not tied" POST /v1/sandboxes \
	    -d '{"id":"stays"}'
	# The first one's end is that of the others.
	pgrep 'sandboxd' | xargs kill -9 2>/dev/null || :
	reap
	wait_for "the start" broker_sandboxd --daemon
	wait_for "its end" no_files crashed
	ok "kill -9 of the broker: it is removed"
	broker_call 0 200 "the other one is there" GET /v1/sandboxes/stays
	broker_call 0 204 "and goes" DELETE /v1/sandboxes/stays
}

# sandboxctl create --timeout session.
foreground() {
	local since
	export SANDBOX_BROKER=unix:$broker_socket
	"$BUILDDIR/sandboxctl" create fg --timeout session >"$out" 2>"$err" &
	stream=$!
	wait_for "the sandbox" grep -q '^fg running: ssh fg.sandbox$' "$out"
	wait_for "a word" grep -q 'fg is there until this ends' "$err"
	"$BUILDDIR/sandboxctl" list >"$out"
	grep -q '^fg  *running  *[^ ]*  *session ' "$out" || fail "list"
	ok "list says when it ends"
	"$BUILDDIR/sandboxctl" show fg >"$out"
	grep -q '^session: yes$' "$out" || fail "show"
	ok "show says so"
	since=$(now_ms)
	kill -INT "$stream" # jobs in the background ignore it
	kill -0 "$stream" 2>/dev/null && kill "$stream"
	reap
	is_removed "$since" fg "an end of sandboxctl"
	cat >"$HOME/script.py" <<-'END'
	import os, pty, signal, sys
	pid, master = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1],
	             ["sandboxctl", "create", "fg", "--timeout", "session"])
	seen = b""
	while b"is there until this ends" not in seen:
	    seen += os.read(master, 1000)
	os.write(master, b"\x03")
	assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGINT
	END
	check 0 "Ctrl-C on a terminal" timeout 60 /usr/bin/python3 \
	    "$HOME/script.py" "$BUILDDIR/sandboxctl"
	wait_for "its end" gone fg
	ok "the sandbox goes"
	"$BUILDDIR/sandboxctl" create fg --timeout session >"$out" 2>"$err" &
	stream=$!
	wait_for "the sandbox" grep -q '^fg running' "$out"
	broker_call 0 204 "somebody else removes it" DELETE /v1/sandboxes/fg
	wait "$stream" && fail "its status"
	is "its status" "$?" 69
	grep -q 'fg is gone: it was removed, or the broker has ended' "$err" ||
		fail "in words"
	ok "in words"
}

broker_programs
broker_serve '[limits]' 'connections = 16'
streams_end
beats
both
untied
shares
broker_ends
foreground
broker_stop
done_testing
