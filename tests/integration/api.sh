#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every call of the API with every answer that doc/openapi.yaml has for it, by
# curl and by our own clients, through a proxy that judges calls and answers
# by that page (tests/fixtures/api_check.py).
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

page=$SRCDIR/doc/openapi.yaml
seen=$broker_work/seen
behind=$broker_socket
of_a_sandbox=1879148192 # a uid that sandboxes have

check_api() {
	/usr/bin/python3 "$SRCDIR/tests/fixtures/api_check.py" "$@"
}

# From here on everybody calls the proxy, which hands on to the broker.
judge() {
	: >"$seen"
	broker_socket=$broker_work/judge.sock
	check_api proxy "$page" "$broker_socket" "$behind" "$seen" &
	proxy=$!
	wait_for "the proxy" test -S "$broker_socket"
}

# What nobody may, whatever the route: page by page, so that a new one has its
# checks.
common_errors() {
	local method path body
	while read -r method path body; do
		broker_call alice 400 "$method $path: an unknown parameter" \
		    "$method" "${path/\{id\}/one}?nonsense=1" ${body:+-d "$body"}
		broker_call $of_a_sandbox 403 "$method $path: a sandbox" \
		    "$method" "${path/\{id\}/one}" ${body:+-d "$body"}
		broker_call alice 413 "$method $path: a body too large" \
		    "$method" "${path/\{id\}/one}" --data-binary "@$large"
		[ "$path" != "${path/\{id\}/}" ] || continue
		broker_call alice 404 "$method $path: no sandbox" \
		    "$method" "${path/\{id\}/none}" ${body:+-d "$body"}
		broker_call bob 404 "$method $path: another's" \
		    "$method" "${path/\{id\}/one}" ${body:+-d "$body"}
		broker_call alice 400 "$method $path: no id" \
		    "$method" "${path/\{id\}/ONE}" ${body:+-d "$body"}
	done < <(check_api list "$page")
	broker_call alice 404 "an unknown path" GET /v1/nothing
	broker_call alice 405 "a method that it has not" PUT /v1/sandboxes
}

# refuses METHOD PATH BODY...: these bodies, with 400.
refuses() {
	local method=$1 path=$2 body
	shift 2
	for body in "$@"; do
		broker_call alice 400 "$method $path: $body" \
		    "$method" "$path" -d "$body"
	done
}

plain() {
	broker_call alice 200 "health" GET /v1/health
	broker_call alice 200 "ca" GET /v1/ca
}

sandboxes() {
	local all='"id":"one","provider":"local","timeout":"1h"'
	all+=',"ephemeral":false'
	broker_call alice 201 "create" POST /v1/sandboxes \
	    -d "{$all,\"labels\":{\"a\":\"b\"}}"
	broker_call alice 201 "create with nothing" POST /v1/sandboxes
	broker_call alice 409 "create again" POST /v1/sandboxes \
	    -d '{"id":"one"}'
	broker_call alice 422 "no provider" POST /v1/sandboxes \
	    -d '{"provider":"nowhere"}'
	broker_call alice 500 "a root of its own, without the kit" POST \
	    /v1/sandboxes -d '{"root":"/srv/root"}'
	cp "$BUILDDIR"/kit/{sandbox-shell,libsbx.so} "$SANDBOX_SSH_LIBEXEC"
	bash "$BUILDDIR/kit/make-kit" "$SANDBOX_SSH_LIBEXEC/kit" >/dev/null
	mkdir -p /srv/root
	ip link add out type veth peer name far
	ip link set far up
	ip addr add 192.0.2.1/24 dev out
	ip link set out up
	ip route add default via 192.0.2.2
	broker_call alice 201 "a root of its own, and a network" POST \
	    /v1/sandboxes -d '{"id":"own","root":"/srv/root","network":"full",
	    "allow":["192.0.2.3 443"]}'
	broker_call alice 204 "which goes again" DELETE /v1/sandboxes/own
	refuses POST /v1/sandboxes '{"network":"some"}' '{"allow":["dns"]}' \
	    '{"network":"full","allow":["x"]}' '{"root":"srv"}' '{"id":7}' '{"id":"A"}' '{"ID":"one"}' \
	    '{"timeout":"1 hour"}' '{"labels":{"a":1}}' '[]' '{'
	broker_call alice 200 "list" GET \
	    '/v1/sandboxes?state=running&label=a=b&provider=local&cursor=a&limit=1'
	broker_call alice 201 "one that stops" POST /v1/sandboxes \
	    -d '{"auto_stop":"0s"}'
	refuses POST /v1/sandboxes '{"auto_stop":"366d"}'
	for bad in state=odd label=a cursor=A limit=0 limit=201 limit=many \
	    provider=none; do
		broker_call alice 400 "list: $bad" GET "/v1/sandboxes?$bad"
	done
	broker_call alice 200 "show" GET '/v1/sandboxes/one?provider=local'
	broker_call alice 404 "show another provider's" GET \
	    '/v1/sandboxes/one?provider=daytona'
}

change() {
	local one=/v1/sandboxes/one
	broker_call alice 200 "change" PATCH $one -d '{"timeout":"2h"}'
	broker_call alice 200 "stop it when nobody is in it" PATCH $one \
	    -d '{"auto_stop":"1h"}'
	refuses PATCH $one '{"auto_stop":"soon"}' '{"auto_stop":3}' '{}' \
	    '{"timeout":"0"}' '{"timeout":7200}' \
	    '{"id":"two"}' '{"session":true}' '{"session":0}'
}

# Lines that go on until somebody removes it.
session() {
	local stream answer=$HOME/stream
	: >"$answer"
	curl -sSN --unix-socket "$broker_socket" -d '{"id":"s","session":true}' \
	    http://localhost/v1/sandboxes >"$answer" &
	stream=$!
	wait_for "its first line" grep -q . "$answer"
	broker_call 0 200 "let it live on" PATCH /v1/sandboxes/s \
	    -d '{"session":false}'
	is "it does" "$(jq .session "$out")" false
	broker_call 0 204 "remove it" DELETE /v1/sandboxes/s
	check 0 "the stream ends" wait "$stream"
	is "its last line" "$(tail -n 1 "$answer")" '{"state":"removed"}'
}

stop_and_start() {
	local one=/v1/sandboxes/one
	broker_call alice 200 "stop" POST $one/stop -d '{"hold":true}'
	broker_call alice 409 "a wake of one that is held" POST $one/start \
	    -d '{"wake":true}'
	broker_call alice 202 "start, and do not wait" POST $one/start
	broker_call alice 200 "start, and wait" POST "$one/start?wait=60"
	broker_call alice 200 "a wake" POST "$one/start?wait=60" \
	    -d '{"wake":true}'
	broker_call alice 400 "too long to wait" POST "$one/start?wait=301"
	refuses POST $one/stop '{"hold":1}' '{"wake":true}'
	refuses POST $one/start '{"wake":"yes"}' '{"hold":true}'
}

credentials() {
	local one=/v1/sandboxes/one/ssh key
	ssh-keygen -q -t ed25519 -N "" -f "$broker_work/key"
	key='"public_key":"'$(cut -d' ' -f1-2 "$broker_work/key.pub")'"'
	broker_call alice 200 "a certificate" POST $one -d "{$key}"
	broker_call alice 200 "with all there is" POST $one -d "{$key,
	    \"ttl\":\"1m\",\"permit\":[\"pty\"],\"single_use\":true,
	    \"source_address\":\"::1/128\",\"force_command\":\"true\",
	    \"refused_user\":\"nobody\"}"
	refuses POST $one '{}' "{$key,\"ttl\":\"0s\"}" "{$key,\"ttl\":60}" \
	    "{$key,\"permit\":[\"all\"]}" "{$key,\"permit\":\"pty\"}" \
	    "{$key,\"single_use\":1}" '{"public_key":"ssh-ed25519 A"}' \
	    "{$key,\"principal\":\"two\"}"
	broker_call alice 400 "no body" POST $one
	# The last, since the sandbox never asks again for what it refused.
	broker_call alice 204 "delete" DELETE /v1/sandboxes/one
}

shares() {
	local one=/v1/sandboxes/one
	broker_call alice 200 "share" POST $one/share \
	    -d '{"with":"bob","verbs":["show"]}'
	broker_call alice 200 "with a group, for everything" POST $one/share \
	    -d '{"with":"group:bob"}'
	broker_call alice 200 "show it with its shares" GET $one
	broker_call bob 200 "bob sees it" GET $one
	broker_call bob 200 "in the list, too" GET /v1/sandboxes
	broker_call bob 403 "and may not stop it" POST $one/stop
	refuses POST $one/share '{}' '{"with":7}' '{"with":"nobody-here"}' \
	    '{"with":"bob","verbs":[]}' '{"with":"bob","verbs":["stop"]}' \
	    '{"with":"bob","verbs":"show"}' '{"with":"bob","for":"show"}'
	broker_call alice 200 "unshare" POST $one/unshare -d '{"with":"bob"}'
	broker_call alice 200 "the group" POST $one/unshare -d '{"with":"bob"}'
	broker_call alice 409 "nobody" POST $one/unshare -d '{"with":"bob"}'
	refuses POST $one/unshare '{}' '{"with":""}' '{"with":"bob","verbs":[]}'
	broker_call bob 404 "bob sees nothing" GET $one
}

events() {
	local next
	broker_call alice 200 "events" GET /v1/events
	next=$(jq .next "$out")
	broker_call alice 200 "with all there is" GET \
	    "/v1/events?after=$next&wait=1&sandbox=one&limit=1"
	is "nothing has happened" "$(jq -c . "$out")" \
	    "{\"items\":[],\"next\":$next}"
	broker_call alice 200 "from the end on" GET \
	    "/v1/events?after=9223372036854775807"
	is "which is where it was" "$(jq .next "$out")" "$next"
	for bad in after=-1 wait=61 sandbox=A limit=0 limit=201; do
		broker_call alice 400 "events: $bad" GET "/v1/events?$bad"
	done
}

# Without namespaces no gate remembers what was used.
without_isolation() {
	local key
	key='"public_key":"'$(cut -d' ' -f1-2 "$broker_work/key.pub")'"'
	broker_stop
	broker_serve '[local]' 'isolation = none'
	broker_call root 201 "one without isolation" POST /v1/sandboxes \
	    -d '{"id":"bare"}'
	broker_call root 200 "show it" GET /v1/sandboxes/bare
	broker_call root 409 "a single use of it" POST \
	    /v1/sandboxes/bare/ssh -d "{$key,\"single_use\":true}"
	broker_call root 409 "it is not for others" POST \
	    /v1/sandboxes/bare/share -d '{"with":"bob"}'
	broker_call alice 403 "for root only" POST /v1/sandboxes
	broker_call root 204 "delete it" DELETE /v1/sandboxes/bare
}

# What sandboxctl and the login path ask is in the page, too.
clients() {
	local -x SANDBOX_BROKER=unix:$broker_socket
	local ctl=$BUILDDIR/sandboxctl
	check 0 "sandboxctl create" "$ctl" create run-1 --timeout 1h \
	    --label a=b
	check 0 "sandboxctl list" "$ctl" list --state running --label a=b
	check 0 "sandboxctl show" "$ctl" show run-1
	check 0 "sandboxctl extend" "$ctl" extend run-1 --timeout 2h
	check 0 "sandboxctl share" "$ctl" share run-1 --with bob \
	    --verbs ssh,show
	check 0 "sandboxctl unshare" "$ctl" unshare run-1 --with bob
	check 0 "sandboxctl stop" "$ctl" stop --hold run-1
	check 0 "sandboxctl start" "$ctl" start run-1
	check 0 "sandboxctl kill" "$ctl" kill run-1
	check 0 "sandboxctl events" "$ctl" events run-1
}

main() {
	useradd alice
	useradd bob
	mkdir -p "$broker_work"
	broker_programs
	broker_serve
	large=$broker_work/large
	{ printf '{"id":"' && head -c 70000 /dev/zero | tr '\0' a; } >"$large"
	judge
	plain
	sandboxes
	change
	session
	common_errors
	stop_and_start
	shares
	credentials
	events
	clients
	without_isolation
	broker_stop
	kill "$proxy"
	grep '^wrong' "$seen" >"$err" &&
		fail "calls or answers that the page does not have"
	ok "every call and answer is as the page says"
	check_api missing "$page" "$seen" >"$err"
	[ ! -s "$err" ] || fail "something of the page was not called here"
	ok "every call, answer, parameter and member of the page was tried"
	done_testing
}

main
