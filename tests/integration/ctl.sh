#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What people type: sandboxctl, word by word.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	creating
	listing
	filters
	watching
	killing
	ssh_options
	limits
}

creating() {
	check 0 "create" sandboxctl create c-1
	is "create says how to get in" "$(cat "$out")" \
	    "c-1 running: ssh c-1.sandbox"
	check 0 "what it says" "$(sed 's/.*: \(ssh\) .*/\1/' "$out")" \
	    "$(sed 's/.*: ssh //' "$out")" true
	check 0 "create without an id" sandboxctl create
	local id
	id=$(cut -d' ' -f1 "$out")
	is "it says how to get in, too" "$(cat "$out")" \
	    "$id running: ssh $id.sandbox"
	check 0 "JSON says nothing else" sandboxctl create --json c-2
	is "JSON says nothing else" "$(jq -r .id "$out")" c-2
	sandboxctl kill c-1 c-2 "$id" >/dev/null
}

# ids OPTION...: of those that list shows with them.
ids() {
	sandboxctl list --json "$@" | jq -r '.[].id' | tr '\n' ' '
}

filters() {
	local us
	us=$(id -un)
	sandboxctl create f-1 --label a=1 >/dev/null
	sandboxctl create f-2 >/dev/null
	sandboxctl stop f-2 >/dev/null
	is "list --filter state" "$(ids --filter state=stopped)" "f-2 "
	is "list --filter label" "$(ids --filter label=a=1)" "f-1 "
	is "list --filter, two of them" \
	    "$(ids --filter owner="$us" --filter state=stopped)" "f-2 "
	is "list --filter owner" "$(ids --filter owner=nobody)" ""
	is "list --filter provider" "$(ids --filter provider=local)" \
	    "f-1 f-2 run-1234 "
	check 64 "list --filter: no such provider" sandboxctl list \
	    --filter provider=x
	check 64 "list --filter: no such key" sandboxctl list --filter a=b
	says "list --filter: says which there are" 'state=STATE'
	check 64 "list --filter: no such state" sandboxctl list \
	    --filter state=odd
	sandboxctl kill f-1 f-2 >/dev/null
}

watching() {
	local watcher
	sandboxctl list --watch --filter label=w=1 >watched &
	watcher=$!
	wait_for "the list" grep -q ^ID watched
	sandboxctl create w-1 --label w=1 >/dev/null
	sandboxctl create w-2 >/dev/null
	wait_for "a new one" grep -q '^w-1  *running' watched
	sandboxctl stop w-1 >/dev/null
	wait_for "a stop" grep -q '^w-1  *stopped' watched
	sandboxctl kill w-1 w-2 >/dev/null
	wait_for "its end" grep -q '^w-1  *removed' watched
	kill "$watcher"
	is "list --watch: each once, and no others" \
	    "$(tr -s ' ' <watched | cut -d' ' -f1,2)" \
	    "$(printf 'ID STATE\nw-1 running\nw-1 stopped\nw-1 removed')"
	sandboxctl list --watch --json >watched &
	watcher=$!
	wait_for "the list" grep -q '"id":"run-1234"' watched
	sandboxctl create w-1 >/dev/null
	wait_for "a new one" grep -q '"id":"w-1"' watched
	sandboxctl kill w-1 >/dev/null
	wait_for "its end" grep -q '"state":"removed"' watched
	kill "$watcher"
	is "list --watch --json: an object each" \
	    "$(jq -c '[.id, .state]' watched | grep w-1 | tr '\n' ' ')" \
	    '["w-1","running"] ["w-1","removed"] '
	rm watched
}

# Whose they are is told to who sees others' as well.
listing() {
	check 0 "list" sandboxctl list
	is "list: only one's own" "$(head -1 "$out" | tr -s ' ')" \
	    "ID STATE AGE EXPIRES ISOLATION"
	[ "$(id -un)" = root ] || return 0
	setpriv --reuid bob --regid bob --init-groups env HOME=/home/bob \
	    --chdir=/home/bob sandboxctl create of-bob >/dev/null
	check 0 "list" sandboxctl list
	is "list: OWNER for who sees several" \
	    "$(tr -s ' ' <"$out" | cut -d' ' -f1,6)" \
	    "$(printf 'ID OWNER\nof-bob bob\nrun-1234 root')"
	sandboxctl kill of-bob >/dev/null
}

killing() {
	local id
	for id in k-1 k-2 k-3 k-4 k-5; do
		sandboxctl create "$id" >/dev/null
	done
	check 0 "kill several" sandboxctl kill k-1 k-2.sandbox
	is "kill several: says so" "$(cat "$out")" \
	    "$(printf 'k-1 killed\nk-2 killed')"
	check 64 "kill: a slip in one of them" sandboxctl kill k-3 K
	check 0 "kill: and nothing is killed" sandboxctl show k-3
	check 66 "kill: one is not there" sandboxctl kill k-1 k-3
	says "kill: says which" '^sandboxctl: k-1: no such sandbox'
	is "kill: the other one goes" "$(cat "$out")" "k-3 killed"
	check 66 "kill --json" sandboxctl kill --json k-4 k-1 k-5
	is "kill --json: an object each" \
	    "$(jq -c '[.id, .killed, .code // ""]' "$out" | tr '\n' ' ')" \
	    '["k-4",true,""] ["k-1",false,"not-found"] ["k-5",true,""] '
	for id in l-1 l-2; do
		sandboxctl create "$id" --label job=tests >/dev/null
	done
	check 64 "kill --label: and no id" sandboxctl kill --label job=tests l-1
	check 0 "kill --label" sandboxctl kill --label job=tests
	is "kill --label: those with it" "$(cat "$out")" \
	    "$(printf 'l-1 killed\nl-2 killed')"
	check 0 "kill --label: there are none" sandboxctl kill --label job=tests
	is "kill --label: says nothing" "$(cat "$out")" ""
	check 64 "kill: nobody" sandboxctl kill
	says "kill: says what is missing" 'ID is missing'
}

# What ssh takes behind the name we take, too.
ssh_options() {
	local port
	check 0 "ssh: a command with options" \
	    sandboxctl ssh run-1234 ls -d /home/sandbox
	is "ssh: its output" "$(cat "$out")" /home/sandbox
	check 7 "ssh: -T, a value and --" \
	    sandboxctl ssh run-1234 -T -o LogLevel=ERROR -- exit 7
	check 0 "ssh: -tt before it" sandboxctl ssh -tt run-1234 tty
	grep -q '^/dev/pts/' "$out" || fail "ssh: -tt"
	check 0 "ssh: ours among them" \
	    sandboxctl ssh run-1234 -v --ttl 5 -T true
	check 0 "ssh --print" \
	    sandboxctl ssh --print run-1234 -NL 8080:localhost:80 -- a 'b c'
	is "ssh --print: as ssh would be called" "$(cat "$out")" \
	    "ssh -NL 8080:localhost:80 $host -- a 'b c'"
	check 78 "ssh -F: what it says counts" \
	    sandboxctl ssh run-1234 -F /dev/null true
	says "ssh -F: says so" 'ssh does not know how to reach'
	check 64 "ssh: nobody's option" sandboxctl ssh run-1234 --nonsense
	says "ssh: names it" 'unknown option --nonsense'
	check 0 "ssh --help" sandboxctl ssh --help
	grep -q -- '--ttl DURATION .*number alone being minutes (1s to 24h)' \
	    "$out" || fail "ssh --help: the unit of --ttl"
	sandboxctl ssh run-1234 -N -L "$HOME/fwd:127.0.0.1:1" \
	    >/dev/null 2>&1 </dev/null &
	port=$!
	wait_for "ssh -L" test -S "$HOME/fwd"
	kill "$port"
	wait "$port" || :
	rm -f "$HOME/fwd"
	ok "ssh -L"
}

nothing_left() {
	[ -z "$(find "$HOME/.cache/sandbox-ssh" -name '.limited*')" ] &&
		! pgrep -u "$(id -u)" -x sandboxctl
}

# Credentials that allow less, and are nobody else's.
limits() {
	local before at
	check 0 "usual credentials" ssh "$host" true
	before=$(sha256sum "$HOME/.cache/sandbox-ssh/$host"/*)
	check 0 "--force-command" sandboxctl ssh run-1234 \
	    --force-command 'echo forced' -- echo asked
	is "--force-command: runs nothing else" "$(cat "$out")" forced
	is "--force-command: without a word" "$(cat "$err")" ""
	check 255 "--permit none: no pty" \
	    sandboxctl ssh --permit none -tt run-1234 tty
	grep -q 'PTY allocation request failed' "$err" || fail "no pty"
	check 0 "--permit none: a command" sandboxctl ssh --permit none run-1234 \
	    true
	check 255 "--permit: no forwarding" sandboxctl ssh run-1234 --permit pty \
	    -o ExitOnForwardFailure=yes -W 127.0.0.1:1
	check 255 "--source-address: not from here" \
	    sandboxctl ssh run-1234 --source-address 192.0.2.0/24 true
	grep -q 'Permission denied' "$err" || fail "--source-address"
	check 7 "--single-use" sandboxctl ssh run-1234 --single-use 'exit 7'
	check 0 "--single-use of a short life" sandboxctl ssh run-1234 \
	    --single-use --ttl 10s true
	for at in 1 2 3; do
		sandboxctl ssh run-1234 --single-use "echo $at" \
		    >"$HOME/once.$at" </dev/null &
	done
	wait
	is "--single-use, three at once" "$(cat "$HOME"/once.*)" \
	    "$(printf '1\n2\n3')"
	rm "$HOME"/once.*
	is "the usual credentials are as they were" \
	    "$(sha256sum "$HOME/.cache/sandbox-ssh/$host"/*)" "$before"
	# Stopped, it wakes, and the limits are what they were.
	sandboxctl stop run-1234 >/dev/null
	check 0 "limits: it wakes" sandboxctl ssh run-1234 \
	    --force-command 'echo forced' -- echo asked
	is "limits: they hold" "$(cat "$out")" forced
	wait_for "limits: nothing is left" nothing_left
	ok "limits: nothing is left"
	check 66 "limits: no such sandbox" sandboxctl ssh x1 --single-use
	check 64 "limits: a word that is none" \
	    sandboxctl ssh run-1234 --permit flying
	says "limits: says so" "'flying' is none of"
	check 64 "limits: an address that is none" \
	    sandboxctl ssh run-1234 --source-address here
	says "limits: says so" "'here' is not a list like"
	check 64 "limits: --print" sandboxctl ssh run-1234 --single-use --print
	check 64 "limits: -F" sandboxctl ssh run-1234 --single-use -F /dev/null
	wait_for "limits: nothing is left" nothing_left
	is "limits: nothing changes for others" \
	    "$(sha256sum "$HOME/.cache/sandbox-ssh/$host"/*)" "$before"
	# Interrupted on a terminal, it leaves nothing either.
	setsid script -qefc "sandboxctl ssh run-1234 --single-use sleep 60" \
	    /dev/null </dev/null >/dev/null 2>&1 &
	at=$!
	wait_for "a command" sandboxctl ssh run-1234 pgrep -x sleep
	kill -KILL "$(pgrep -u "$(id -u)" -fx 'ssh -F .*sleep 60')"
	wait "$at" || :
	wait_for "limits: killed, nothing is left" nothing_left
	ok "limits: killed, nothing is left"
}

if [ "${1:-}" != as ]; then
	world_install
	for who in alice root bob; do
		[ "$who" = root ] || world_user "$who"
	done
	for who in alice root bob; do
		world_as "$who" as
	done
else
	world_main "$@"
fi
