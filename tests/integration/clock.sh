#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A clock that is wrong takes nobody's sandbox. That the clock is ahead is
# played by setting back, in the database, the end that it is compared with.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

files=$broker_state/sandboxes/dear

# One that is over by both clocks goes: so a round of the reaper was later.
rounds() {
	for n in 1 2; do
		broker_call root 201 "another one" POST /v1/sandboxes \
		    -d "{\"id\":\"short-$n\",\"timeout\":\"1s\"}"
		wait_for "its end" test ! -e "$broker_state/sandboxes/short-$n"
	done
}

still_there() {
	rounds
	broker_call root 200 "$1: it is there" GET /v1/sandboxes/dear
	grep -q "\"state\":\"${2:-running}\"" "$out" || fail "$1: it is not $2"
	is "$1: its files, too" "$(cat "$files/home/workspace/note")" dear
}

ahead() {
	broker_call root 201 "create" POST /v1/sandboxes \
	    -d '{"id":"dear","timeout":"60m"}'
	echo dear >"$files/home/workspace/note"
	broker_database 'db.execute("UPDATE sandboxes SET created_at = ?, "
    "expires_at = ? WHERE id = ?",
    (time.time() - 10900, time.time() - 7300, "dear"))'
	still_there "three hours ahead"
	broker_call root 409 "no certificate is issued" \
	    POST /v1/sandboxes/dear/ssh -d "{\"public_key\":\"$key\"}"
	grep -q 'the clock was set; see whether it is right' "$out" ||
		fail "it says why"
	ok "it says why"
	broker_stop
	broker_serve
	still_there "after a restart"
}

# Ticks begin anew then, and the clock may be wrong.
boot() {
	broker_stop
	broker_database 'db.execute("UPDATE boot SET id = ?", ("another",))
db.execute("UPDATE sandboxes SET end_ticks = 0")'
	broker_serve
	still_there "after a boot"
}

over() {
	broker_database 'db.execute("UPDATE sandboxes SET end_ticks = 0")'
	wait_for "its time is over" test ! -e "$files"
	broker_call root 404 "it is gone" GET /v1/sandboxes/dear
}

broker_programs
ssh-keygen -q -t ed25519 -N '' -f "$broker_work/key"
key=$(cat "$broker_work/key.pub")
broker_serve
ahead
boot
over
broker_stop
done_testing
