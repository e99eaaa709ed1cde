#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What sandboxd has answered is on disk: neither kill -9 nor a power cut loses
# a certificate or a sandbox, and no serial comes twice.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

durable() {
	/usr/bin/python3 "$SRCDIR/tests/fixtures/durable.py" "$@"
}

acks=$broker_work/acks
# Long enough to be in the middle of many writes.
threads=6 seconds=2

# load PREFIX
load() {
	durable load "$broker_socket" "$broker_work/key.pub" "$acks" \
	    "$threads" "$seconds" "$1"
}

# answered NUMBER
answered() {
	[ "$(grep -c serial "$acks")" -ge "$1" ]
}

processes() {
	pgrep -f -- "^$BUILDDIR/sandboxd .*--state-dir $broker_state " || :
}

none_left() {
	[ -z "$(processes)" ]
}

broker_programs
ssh-keygen -qt ed25519 -N '' -f "$broker_work/key"
: >"$acks"

# --- killed, again and again
for round in 1 2 3; do
	broker_serve ""
	before=$(grep -c serial "$acks") || :
	load "killed-$round" &
	wait_for "round $round: certificates are issued" \
	    answered $((before + 200))
	for pid in $(processes); do
		kill -9 "$pid" 2>/dev/null || :
	done
	wait "$!" || fail "round $round: what was asked for"
	wait_for "round $round: all have ended" none_left
	durable has "$broker_state/db/sandboxd.db" "$acks" ||
		fail "round $round: killed, and not all is there"
	ok "round $round: killed, and all that was answered is there"
done
broker_serve ""
load "after" || fail "certificates after that"
durable has "$broker_state/db/sandboxd.db" "$acks" || fail "and after that"
ok "no serial has come twice"
broker_stop

# --- the power goes
mv "$broker_state" "$broker_state.killed"
: >"$acks"
log=$broker_work/writes
: >"$log"
chmod 0666 "$log" # there is more than one user of it
WRITELOG=$log WRITELOG_DIR=$broker_state \
    LD_PRELOAD=$BUILDDIR/tests/fixtures/writelog.so broker_serve ""
load "cut" || fail "certificates while writes are noted"
for pid in $(processes); do
	kill -9 "$pid" 2>/dev/null || :
done
wait_for "all have ended" none_left
durable cut "$log" "$broker_state" "$acks" "$broker_work" ||
	fail "the power goes, and not all is there"
ok "the power goes, and all that was answered is there"

# --- with what the disk has then
rm -f "$broker_state"/db/sandboxd.db*
cp "$broker_work/cut.db" "$broker_state/db/sandboxd.db"
chown --reference="$broker_state/db" "$broker_state"/db/*
broker_serve ""
load "again" || fail "certificates after the power cut"
durable has "$broker_state/db/sandboxd.db" "$acks" ||
	fail "after the power cut"
ok "sandboxd goes on with it"
broker_stop
done_testing
