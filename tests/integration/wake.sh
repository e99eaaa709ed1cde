#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A sandbox that takes its time to start: what is shown, what others who come
# meanwhile do, what is left after Ctrl-C, and how each end is told.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
world_install

host=run-1234.sandbox
slow=/srv/slow # while it is there nothing starts

# The sandbox's first program waits until it may go on.
make_slow() {
	local bwrap
	bwrap=$(command -v bwrap)
	mv "$bwrap" "$bwrap.real"
	cat >"$bwrap" <<-END
	#!/bin/sh
	case "\$*" in *sandbox-init*)
		echo x >>/srv/starts
		while [ -e $slow ]; do sleep 0.05; done
	esac
	exec $bwrap.real "\$@"
	END
	chmod 755 "$bwrap"
}

state() {
	sandboxctl show --json run-1234 |
		/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["state"])'
}

starts() {
	[ ! -e /srv/starts ] || wc -l </srv/starts
}

asleep() {
	rm -f "$slow" /srv/starts
	sandboxctl stop run-1234 >/dev/null
	: >/srv/starts
	chmod 666 /srv/starts # whoever runs it is nobody
	touch "$slow"
}

start_is_under_way() {
	[ "$(starts)" -ge 1 ]
}

nobody_left() {
	! pgrep -x 'sandbox-(proxy|resolve|relay)' >/dev/null
}

config() {
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '%s\n' "$@" >"$HOME/.config/sandbox-ssh/config"
}

# Another terminal: prints all that came to it to a file.
on_terminal() {
	local to=$1
	shift
	script -qefc "$*" "$to" </dev/null >/dev/null 2>&1
}

make_slow
sandbox-proxy setup >/dev/null
check 0 "a sandbox" sandboxctl create run-1234
check 0 "it answers" ssh "$host" true

# --- one line where there is no terminal
asleep
ssh "$host" echo up >"$out" 2>"$err" </dev/null &
first=$!
wait_for "the start" start_is_under_way
said_it() { grep -q starting "$err"; }
wait_for "one line" said_it
ssh "$host" echo second >"$out.2" 2>"$err.2" </dev/null &
second=$!
# The second one waits too, be it for the lock of the first or in the queue
# of the socket, which is there before its server is.
waits() { pgrep -x sandbox-resolve && kill -0 "$second"; }
wait_for "the second one waits" waits
is "the broker says so" "$(state)" starting
rm "$slow"
wait "$first" || fail "the first ssh"
wait "$second" || fail "the second ssh"
is "the first ssh is in" "$(cat "$out")" up
is "the second ssh is in" "$(cat "$out.2")" second
is "one start for both" "$(starts)" 1
is "one line is all that was said" "$(cat "$err")" \
    "sandbox-ssh: starting run-1234"
wait_for "nothing is left" nobody_left

# --- a quick start is silent
asleep
rm "$slow"
check 0 "a quick start" ssh "$host" true
is "is silent" "$(cat "$err")" ""

# --- on a terminal: a line with the time, gone in the end
asleep
on_terminal /srv/typescript "ssh $host echo up; echo status \$?" &
first=$!
counts() { grep -qa 'starting run-1234, 1s' /srv/typescript; }
wait_for "a line that counts" counts
rm "$slow"
wait "$first" || fail "ssh on a terminal"
grep -qa 'status 0' /srv/typescript || fail "ssh on a terminal"
# Of each line, what stands behind its last return.
last=$(tr -d '\n' </srv/typescript | sed 's/.*\r *\r//' | tr -d '\r')
case $last in
up*) ok "it is gone when ssh goes on" ;;
*) fail "it stays: $last" ;;
esac

# --- given up by whoever started it, as VS Code does after 15 seconds
asleep
check 124 "given up" timeout 2 ssh "$host" true
wait_for "nothing is left" nobody_left
ssh "$host" echo again >"$out" 2>"$err" </dev/null &
first=$!
tries() { pgrep -fx "ssh $host echo again"; }
wait_for "the next attempt" tries
is "the start goes on" "$(state)" starting
rm "$slow"
wait "$first" || fail "the next attempt"
is "the next attempt waits for the same start" "$(cat "$out")" again
is "there was one" "$(starts)" 1

# --- Ctrl-C, on a terminal, to all that runs on it
asleep
setsid script -qefc "ssh $host true" /srv/typescript </dev/null \
    >/dev/null 2>&1 &
first=$!
wait_for "the start" start_is_under_way
wait_for "sandbox-resolve" pgrep -x sandbox-resolve
# The terminal's foreground group, as its driver would do it.
group=$(ps -o tpgid= -p "$(pgrep -x sandbox-resolve)" | tr -d ' ')
kill -INT -- "-$group"
wait "$first" || :
wait_for "Ctrl-C leaves nothing running" nobody_left
ok "Ctrl-C leaves nothing running"
is "nor a lock" \
    "$(find "$HOME/.cache/sandbox-ssh" -name '.lock*' -newer /srv/starts |
	    while read -r lock; do flock -n "$lock" true || echo held; done)" ""
rm "$slow"
check 0 "and the next attempt works" ssh "$host" true

# --- sandboxctl start and create: the same line, and not a word in a pipe
# what stands on the screen in the end: of each line, what is behind the last
# return that blanks lead to
left_on() {
	tr -d '\n' <"$1" | sed 's/.*\r *\r//' | tr -d '\r'
}
for verb in "start run-1234" "create run-9"; do
	what="${verb%% *}ing ${verb#* }"
	what=${what/eing/ing}
	rm -f /srv/typescript
	asleep
	on_terminal /srv/typescript "sandboxctl $verb" &
	first=$!
	counts() { grep -qa "$what, 1s" /srv/typescript; }
	wait_for "sandboxctl $verb: a line that counts" counts
	[ "$verb" = "start run-1234" ] || {
		check 0 "list meanwhile" sandboxctl list
		is "what is not known yet is not called none" \
		    "$(awk '$1 == "run-9" { print $2, $5 }' "$out")" \
		    "creating unknown"
	}
	rm "$slow"
	wait "$first" || fail "sandboxctl $verb on a terminal"
	case $(left_on /srv/typescript) in
	"${verb#* } running"*) ok "sandboxctl $verb: gone in the end" ;;
	*) fail "sandboxctl $verb: $(left_on /srv/typescript)" ;;
	esac
	[ "$verb" = "start run-1234" ] || sandboxctl kill run-9 >/dev/null
	rm /srv/typescript
	asleep
	# shellcheck disable=SC2086 # two words
	sandboxctl $verb >"$out" 2>"$err" </dev/null &
	first=$!
	wait_for "the start" start_is_under_way
	rm "$slow"
	wait "$first" || fail "sandboxctl $verb in a pipe"
	is "sandboxctl $verb: silent in a pipe" "$(cat "$err")" ""
	[ "$verb" = "start run-1234" ] || sandboxctl kill run-9 >/dev/null

	asleep
	# What the shell runs in the background ignores the signal.
	setsid script -qefc "env --default-signal=INT sandboxctl $verb" \
	    /srv/typescript </dev/null \
	    >/dev/null 2>&1 &
	first=$!
	wait_for "sandboxctl $verb: a line" grep -qa "$what, " /srv/typescript
	kill -INT "$(pgrep -fx "sandboxctl $verb")"
	status=0
	wait "$first" || status=$?
	is "sandboxctl $verb: Ctrl-C ends it" "$status" 130
	case $(left_on /srv/typescript) in
	"sandboxctl: interrupted, the broker may go on: see sandboxctl list"*)
		ok "sandboxctl $verb: and says what goes on" ;;
	*) fail "sandboxctl $verb: $(left_on /srv/typescript)" ;;
	esac
	rm "$slow"
done
check 0 "what was interrupted is there" sandboxctl start run-9
sandboxctl kill run-9 >/dev/null

# --- sandbox-proxy killed: what it had asked for ends with it
asleep
sandbox-proxy connect "$host" </dev/null >"$out" 2>"$err" &
first=$!
wait_for "sandbox-resolve" pgrep -x sandbox-resolve
kill -KILL "$first"
wait "$first" 2>/dev/null || :
wait_for "nothing outlives sandbox-proxy" nobody_left
ok "nothing outlives sandbox-proxy"
rm "$slow"
check 0 "and the next attempt works" ssh "$host" true

# --- the deadline, and the other ends
asleep
config '[ssh]' 'wait = 2s'
begin=$EPOCHSECONDS
check 75 "wait: the time is up" sandbox-proxy connect "$host"
[ $((EPOCHSECONDS - begin)) -lt 10 ] || fail "wait: 2 seconds took too long"
says "wait: says what to do" \
    'did not start within 2 seconds: see sandboxctl show run-1234'
# Two at once: the second one's time counts from its own beginning.
sandbox-proxy connect "$host" >/dev/null 2>&1 </dev/null &
first=$!
begin=$EPOCHSECONDS
check 75 "wait: two at once" sandbox-proxy connect "$host"
[ $((EPOCHSECONDS - begin)) -lt 10 ] || fail "wait: 2 seconds took too long"
wait "$first" || :
rm "$slow"
config '[ssh]' 'wait = 60s'
check 0 "longer, and it works" ssh "$host" true

check 66 "a sandbox that is not there" sandbox-proxy connect none.sandbox
says "says so" 'none: no such sandbox'

# A broker that stands still in the middle: its provider is stopped.
asleep
rm "$slow"
provider=$(pgrep -x sandboxd:prov) || :
[ -n "$provider" ] || fail "where is the provider process?"
kill -STOP "$provider"
config '[ssh]' 'wait = 2s' '[broker]' 'timeout = 1s'
check 75 "a broker that stands still" sandbox-proxy connect "$host"
kill -CONT "$provider"
config '[ssh]' 'wait = 60s'
check 0 "it goes on, and so do we" ssh "$host" true

rm -r "$HOME/.config/sandbox-ssh"
SANDBOX_BROKER=unix:/nonexistent check 69 "no broker" \
    sandbox-proxy connect other.sandbox
says "says so" '/nonexistent cannot be reached'

sandboxctl kill run-1234
done_testing
