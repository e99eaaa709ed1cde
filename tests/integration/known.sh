#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A provider is not asked again for what it told of a sandbox that runs, and
# is as soon as that may hold no longer.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

key=$broker_work/key.pub

# credentials NAME: of run-1; the answer is in $out.
credentials() {
	broker_call root 200 "$1" POST /v1/sandboxes/run-1/ssh \
	    -d "{\"public_key\":\"$(cat "$key")\"}"
}

# told MEMBER
told() {
	jq -r ".$1" "$out"
}

broker_programs
ssh-keygen -qt ed25519 -N '' -f "${key%.pub}"
broker_serve ""
broker_call root 201 "a sandbox" POST /v1/sandboxes -d '{"id":"run-1"}'
credentials "the first certificate"
first=$(told 'host_keys[0]')

# --- nobody is there to be asked
provider=$(pgrep -x sandboxd:prov)
kill -STOP "$provider"
credentials "another one, while the provider stands still"
is "it runs" "$(told state)" running
is "its host key" "$(told 'host_keys[0]')" "$first"
kill -CONT "$provider"

# --- it ends by itself
pkill -9 -x sandbox-init
wait_for "it has ended" bash -c '! pgrep -x sandbox-init'
credentials "a certificate for one that has ended"
is "it is known to have stopped" "$(told state)" stopped
broker_call root 200 "start" POST "/v1/sandboxes/run-1/start?wait=60"
credentials "a certificate after the start"
is "it runs again" "$(told state)" running

# --- stopped on request
broker_call root 200 "stop" POST /v1/sandboxes/run-1/stop
credentials "a certificate for one that was stopped"
is "it is stopped" "$(told state)" stopped

# --- another one of that id
broker_call root 204 "remove it" DELETE /v1/sandboxes/run-1
broker_call root 201 "make another" POST /v1/sandboxes -d '{"id":"run-1"}'
credentials "a certificate for the other one"
[ "$(told 'host_keys[0]')" != "$first" ] || fail "the other's host key is told"
ok "another host key"
credentials "and another"
[ "$(told 'host_keys[0]')" != "$first" ] || fail "the other's host key is told"
ok "again"

# --- other settings, other processes
broker_stop
broker_serve ""
provider=$(pgrep -x sandboxd:prov)
credentials "after a restart the provider is asked"
kill -STOP "$provider"
credentials "and then is not"
kill -CONT "$provider"
broker_stop
done_testing
