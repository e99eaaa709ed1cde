#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# One machine, one broker: who waits for it, who may start it, and what is told
# to those who have two.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

shared=/run/sandbox-ssh/sandboxd.sock
own=.local/state/sandbox-ssh

as() {
	local who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" \
	    LOGNAME="$who" "$@"
}

# has_none WHO: no broker of their own, nor a trace of one.
has_none() {
	[ ! -e "/home/$1/$own" ] || fail "$1 has a broker of their own"
	ok "$1 has none of their own"
}

# down WHO HOW: it says what is down, and what starts it, and starts nothing.
down() {
	check 69 "$1: the machine's is down" as "$1" sandboxctl list
	says "$1: says so" "unix:$shared cannot be reached: .*the machine's broker is down: root starts it with '$2'; for one of your own, .*sandboxd --daemon'"
	check 69 "$1: create" as "$1" sandboxctl create mine
	check 69 "$1: connect" as "$1" sandbox-proxy connect run-1.sandbox
	check 255 "$1: ssh" as "$1" ssh run-1.sandbox true
	grep -q "the machine's broker is down" "$err" || fail "ssh says so"
	check 1 "$1: doctor" as "$1" sandbox-proxy doctor
	grep -q "^fail  broker: .*the machine's broker is down" "$out" ||
		fail "the doctor says so"
	has_none "$1"
}

settings() {
	install -d -o "$1" "/home/$1/.config" "/home/$1/.config/sandbox-ssh"
	printf '%s\n' "${@:2}" >"/home/$1/.config/sandbox-ssh/config"
}

world_install
world_user alice
world_user bob
settings bob '[broker]' 'timeout = 1s'
daemon="$(command -v sandboxd) --daemon"

# --- a machine that has none: everybody has their own
as bob sandbox-proxy setup >/dev/null
as alice sandbox-proxy setup >/dev/null
check 0 "alice's own" as alice sandboxctl create run-1
[ -e "/home/alice/$own" ] || fail "alice has one of her own"

# --- any trace of root's is enough: its state folder, its socket, its unit
mkdir /var/lib/sandbox-ssh
down bob "$daemon"
rmdir /var/lib/sandbox-ssh
mkdir /run/sandbox-ssh
/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$shared"
chmod 666 "$shared"
down bob "$daemon"
rm -r /run/sandbox-ssh
for unit in /etc/systemd/system/sandboxd.service \
    /lib/systemd/system/sandboxd.socket; do
	mkdir -p "${unit%/*}"
	touch "$unit"
	down bob "$daemon"
	mkdir -p /run/systemd/system
	down bob "systemctl start ${unit##*/}"
	check 69 "root: what systemd starts nobody else does" sandboxctl list
	says "root: says so" "start it with 'systemctl start ${unit##*/}'"
	[ ! -e "$shared" ] || fail "root's client started one"
	rmdir /run/systemd/system
	rm "$unit"
done
# One that is masked starts nothing.
ln -s /dev/null /etc/systemd/system/sandboxd.service
check 0 "a unit that is masked" as bob sandboxctl list
[ -e "/home/bob/$own" ] || fail "bob has one of his own"
as bob sandboxd --stop >/dev/null
rm -r "/home/bob/$own" /etc/systemd/system/sandboxd.service

# --- root's: whoever has none of their own uses it, and waits for it
check 0 "root's" sandboxctl create run-2
check 0 "bob uses it" as bob sandboxctl create run-3
has_none bob
check 0 "bob gets in" as bob ssh run-3.sandbox true
sandboxd --stop >/dev/null
settings bob '[broker]' 'timeout = 60s'
as bob sandboxctl list >"$out" 2>"$err" </dev/null &
first=$!
as bob ssh run-3.sandbox echo in >"$out.2" 2>"$err.2" </dev/null &
second=$!
wait_for "bob's client" pgrep -x sandboxctl
sandboxd --daemon
wait "$first" || fail "bob's client did not wait"
grep -q '^run-3 ' "$out" || fail "bob's is listed"
wait "$second" || fail "bob's ssh did not wait"
is "without a word" "$(cat "$err" "$err.2")" ""
has_none bob

# Restarts, as fast as they go, and somebody who always asks.
: >/srv/go
(
	bad=0
	while [ -e /srv/go ]; do
		as bob sandboxctl list >/dev/null 2>>"$err.list" || bad=1
	done
	exit $bad
) </dev/null &
lister=$!
for _ in {1..20}; do
	sandboxd --stop >/dev/null
	sandboxd --daemon
done
rm /srv/go
wait "$lister" || {
	cp "$err.list" "$err"
	fail "somebody was not served during restarts"
}
ok "every call was answered, in spite of restarts"
has_none bob

# --- who has two is told of both, and how to get out
check 0 "alice's own is asked" as alice sandboxctl show run-1
check 66 "what the machine's knows" as alice sandboxctl show run-2
says "both are named" "run-2: no such sandbox \(asked your broker; this machine has another: SANDBOX_BROKER=unix:$shared sandboxctl list\): see sandbox-proxy doctor"
check 255 "ssh" as alice ssh run-2.sandbox true
grep -q "this machine has another: SANDBOX_BROKER=unix:$shared" "$err" ||
	fail "ssh names both"
check 0 "what it says" as alice env "SANDBOX_BROKER=unix:$shared" \
    sandboxctl list
check 0 "the doctor" as alice sandbox-proxy doctor
grep -Eq "^warn  other broker: you have a broker of your own and this machine has one: asked is unix:/home/alice/.*, not unix:$shared: name the one you mean as url in \[broker\] of /home/alice/.config/sandbox-ssh/config, or end yours: sandboxctl kill what it has, .*sandboxd --stop, rm -r /home/alice/$own\$" "$out" ||
	fail "the doctor names both: $(cat "$out")"
check 0 "bob's doctor" as bob sandbox-proxy doctor
! grep -q 'other broker' "$out" || fail "bob has one"
# One way out, and the other.
settings alice '[broker]' "url = unix:$shared" 'timeout = 60s'
check 0 "by url: create" as alice sandboxctl create run-4
check 0 "by url: ssh" as alice ssh run-4.sandbox true
check 66 "by url: what her own knows" as alice sandboxctl show run-1
says "by url: both are named" "this machine has another: SANDBOX_BROKER=unix:/home/alice/"
sandboxd --stop >/dev/null
as alice sandboxctl list >"$out" 2>"$err" </dev/null &
first=$!
wait_for "alice's client" pgrep -x sandboxctl
sandboxd --daemon
wait "$first" || fail "by url: her client did not wait"
ok "by url: it is waited for"
rm "/home/alice/.config/sandbox-ssh/config"
check 0 "her own again" as alice sandboxctl kill run-1
check 0 "its end" as alice sandboxd --stop
rm -r "/home/alice/$own"
check 0 "the machine's" as alice ssh run-4.sandbox true
check 0 "the doctor" as alice sandbox-proxy doctor
! grep -q 'other broker' "$out" || fail "alice has one"
has_none alice

for id in run-2 run-3 run-4; do
	sandboxctl kill "$id" >/dev/null
done
done_testing
