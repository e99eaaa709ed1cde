#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Finding sandboxes: hosts.conf has all that the caller may enter, from every
# broker that is configured, and is asked for at most once a minute.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/lab.sh"

cache=$HOME/.cache/sandbox-ssh

names() {
	sandbox-proxy hosts | paste -sd ' '
}

# As if the last time were more than a minute ago.
later() {
	touch -d '-61 seconds' "$cache"/.asked-*
}

requests() {
	grep -c "^$1 GET /v1/sandboxes?" "$lab/requests" || :
}

list() {
	printf '%s\n' "$1" >"$lab/list"
}

one_broker() {
	check 0 "no names yet" sandbox-proxy hosts
	is "not one" "$(cat "$out")" ""
	check 0 "nothing as JSON" sandbox-proxy hosts --json
	is "an empty array" "$(jq -c . "$out")" '[]'
	list '["b-2", "a-1", "c-3", "d-4", "e-5"]'
	check 0 "refresh" sandbox-proxy hosts --refresh
	is "all pages, sorted" "$(paste -sd ' ' "$out")" \
	    "a-1.sandbox b-2.sandbox c-3.sandbox d-4.sandbox e-5.sandbox"
	is "three pages of two" "$(requests http)" 3
	is "hosts.conf is closed to others" \
	    "$(stat -c %a "$cache/hosts.conf")" 400
	list '["a-1"]'
	is "refresh: silent" "$(cat "$err")" ""
	check 0 "again, at once" sandbox-proxy hosts --refresh
	says "again, at once: says so" '*.sandbox: its broker was asked within'
	is "nobody was asked" "$(requests http)" 3
	later
	check 0 "again, a minute later" sandbox-proxy hosts --refresh
	is "asked" "$(requests http)" 4
	is "names that are gone are gone" "$(cat "$out")" a-1.sandbox
	is "as JSON" "$(sandbox-proxy hosts --json | jq -c .)" \
	    '[{"host":"a-1.sandbox"}]'

	# One that cannot be asked takes nothing away, and is not asked again
	# at once either.
	later
	lab_mode hang_up
	check 69 "broker down" sandbox-proxy hosts --refresh
	says "broker down: says so" 'gave no answer'
	is "broker down: the names stay" "$(names)" a-1.sandbox
	lab_mode honest
	: >"$lab/requests"
	check 0 "at once" sandbox-proxy hosts --refresh
	is "at once: nobody is asked" "$(requests http)" 0
	later
	list '["../x"]'
	check 76 "a malformed id" sandbox-proxy hosts --refresh
	is "a malformed id: the names stay" "$(names)" a-1.sandbox
	list '["a-1"]'

	local pids=()
	later
	: >"$lab/requests"
	while [ "${#pids[@]}" -lt 10 ]; do
		sandbox-proxy hosts --refresh >/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	is "ten at once: one asks" "$(requests http)" 1
}

in_passing() {
	later
	list '["a-1", "new-1", "run-1234"]'
	check 0 "ssh gets credentials" sandbox-proxy prepare run-1234.sandbox
	is "and the list, in passing" "$(names)" \
	    "a-1.sandbox new-1.sandbox run-1234.sandbox"
	# It is no longer there, but its certificate lives: ssh may go on.
	later
	list '["a-1"]'
	check 0 "refresh" sandbox-proxy hosts --refresh
	is "what has credentials stays" "$(names)" \
	    "a-1.sandbox run-1234.sandbox"
	sed -i 's/^not_after=.*/not_after=1/' "$cache/run-1234.sandbox/session"
	later
	check 0 "refresh" sandbox-proxy hosts --refresh
	is "until they end" "$(names)" a-1.sandbox
}

# Whoever kills one need not see its name until the next refresh, entered or
# not, whatever it was called.
killed() {
	rm -r "$cache"
	list '["a-1", "b-2", "c-3"]'
	check 0 "refresh" sandbox-proxy hosts --refresh
	: >"$lab/requests"
	check 0 "kill one that was never entered" sandboxctl kill b-2
	is "it is gone" "$(names)" "a-1.sandbox c-3.sandbox"
	check 0 "kill by provider" sandboxctl kill c-3.local.sandbox
	is "it is gone" "$(names)" a-1.sandbox
	check 66 "one that is not of that provider" \
	    sandbox-proxy connect a-1.them.sandbox
	is "takes no other away" "$(names)" a-1.sandbox
	is "no list was asked for" "$(requests http)" 0
	rm -r "$cache"
	check 0 "kill before any list" sandboxctl kill b-2
	check 0 "refresh" sandbox-proxy hosts --refresh
	is "is not taken for a list" "$(names)" \
	    "a-1.sandbox b-2.sandbox c-3.sandbox"

	# Nor wait for the next refresh to see the name of a new one.
	rm -r "$cache"
	check 0 "create" sandboxctl create b-2
	is "create: its name is there" "$(names)" b-2.sandbox
	list '["a-1", "c-3"]'
	check 0 "refresh" sandbox-proxy hosts --refresh
	check 0 "create again" sandboxctl create b-2.local.sandbox
	is "create again: once" "$(names)" "a-1.sandbox b-2.sandbox c-3.sandbox"
	check 0 "create, the broker to choose" sandboxctl create
	is "create, the broker to choose: its name is there" \
	    "$(names | tr ' ' '\n' | wc -l)" 4
	list '["a-1", "b-2", "c-3"]'

	# A domain that ssh does not know of is sandboxctl's all the same.
	lab_config '[domain "corp"]' "url = http://127.0.0.1:$(lab_port http)"
	later
	check 0 "refresh" sandbox-proxy hosts --refresh
	check 0 "create" sandboxctl create d-4.corp
	is "without a word of complaint" "$(cat "$err")" ""
	check 0 "kill" sandboxctl kill a-1.corp
	is "without a word of complaint" "$(cat "$err")" ""
	is "it is gone" "$(names | tr ' ' '\n' | grep corp | paste -sd ' ')" \
	    "b-2.corp c-3.corp d-4.corp"
	check 78 "ssh cannot reach it" sandboxctl ssh run-1234.corp
	says "and what to do" "sandbox-proxy --suffix corp print-config"
	sandbox-proxy --suffix corp print-config >>"$HOME/.ssh/config"
	check 0 "done" sandboxctl ssh --print run-1234.corp
	rm -r "$cache"
}

# What one broker gave is not used when another is meant.
another_broker() {
	local elsewhere
	elsewhere=http://127.0.0.1:$(lab_port elsewhere)
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	check 0 "credentials" ssh run-1234.sandbox true
	asked 0 "warm" ssh run-1234.sandbox true
	is "warm: nobody is asked" "$asked" ""
	SANDBOX_BROKER=$elsewhere \
	    asked 0 "SANDBOX_BROKER" ssh run-1234.sandbox true
	is "SANDBOX_BROKER: that one is asked" "${asked%% *}" elsewhere
	asked 0 "without it again" ssh run-1234.sandbox true
	is "without it again: the first is asked" "${asked%% *}" http
	lab_config '[broker]' "url = $elsewhere"
	asked 0 "another url" ssh run-1234.sandbox true
	is "another url: that one is asked" "${asked%% *}" elsewhere
	asked 0 "warm" ssh run-1234.sandbox true
	is "warm: nobody is asked" "$asked" ""
	touch "$HOME/.config/sandbox-ssh/config"
	asked 0 "connect alone" sandbox-proxy connect run-1234.sandbox </dev/null
	is "connect alone: it asks too" "${asked%% *}" elsewhere
}

# Names below prod.sandbox have a broker of their own.
several_brokers() {
	local prod eu
	prod=http://127.0.0.1:$(lab_port elsewhere)
	eu=https://127.0.0.1:$(lab_port good)
	echo prod-token >"$lab/prod_token"
	echo eu-token >"$lab/eu_token"
	chmod 600 "$lab"/*_token
	lab_config '[broker]' "url = http://127.0.0.1:$(lab_port http)" \
	    '[domain "prod.sandbox"]' "url = $prod" \
	    "token_file = $lab/prod_token" \
	    '[domain "eu.prod.sandbox"]' "url = $eu" \
	    "token_file = $lab/eu_token" "ca_file = $lab/authority.crt" \
	    "trusted_ca = $lab/ca.pub"
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	: >"$lab/requests"
	export SANDBOX_TOKEN=default-token
	check 0 "default broker" ssh run-1234.sandbox true
	check 0 "prod.sandbox" ssh run-1234.prod.sandbox true
	check 0 "eu.prod.sandbox" ssh run-1234.eu.prod.sandbox true
	echo us >"$lab/provider"
	check 0 "us.prod.sandbox: ID.PROVIDER of prod.sandbox" \
	    ssh run-1234.us.prod.sandbox true
	check 64 "a.b.prod.sandbox is none" \
	    sandbox-proxy connect run-1234.a.b.prod.sandbox
	check 66 "of another provider, or domain, it is none" \
	    sandbox-proxy connect run-1234.them.prod.sandbox
	says "says so" "'them' is neither the provider of run-1234 nor a \[domain\]"
	[ ! -e "$HOME/.cache/sandbox-ssh/run-1234.them.prod.sandbox" ] ||
		fail "something of it stays"
	rm "$lab/provider"
	unset SANDBOX_TOKEN
	grep /ssh "$lab/requests" | cut -d' ' -f1,4- >"$lab/asked"
	is "every broker by its own token" "$(paste -sd, "$lab/asked")" \
	    "http Bearer default-token,elsewhere Bearer prod-token,good Bearer eu-token,elsewhere Bearer prod-token"
	: >"$lab/requests"
	check 0 "warm" ssh run-1234.eu.prod.sandbox true
	chmod 666 "$HOME/.config/sandbox-ssh/config"
	check 0 "warm: a configuration that cannot be used" \
	    ssh run-1234.eu.prod.sandbox true
	chmod 600 "$HOME/.config/sandbox-ssh/config"
	is "warm: nobody is asked" "$(cat "$lab/requests")" ""
	list '["a-1", "b-2"]'
	later
	check 0 "refresh" sandbox-proxy hosts --refresh
	is "the names of all" "$(paste -sd ' ' "$out")" \
	    "a-1.eu.prod.sandbox a-1.prod.sandbox a-1.sandbox b-2.eu.prod.sandbox b-2.prod.sandbox b-2.sandbox run-1234.eu.prod.sandbox run-1234.prod.sandbox run-1234.sandbox run-1234.us.prod.sandbox"
	# One that is down does not hide the others.
	later
	list '["c-3"]'
	sed -i "s|^url = $prod|url = unix:$lab/nobody|" \
	    "$HOME/.config/sandbox-ssh/config"
	check 69 "one is down" sandbox-proxy hosts --refresh
	says "one is down: says which" "$lab/nobody cannot be reached"
	names | tr ' ' '\n' | grep -qx c-3.eu.prod.sandbox ||
		fail "one is down: the others are not listed"
	names | tr ' ' '\n' | grep -qx a-1.prod.sandbox ||
		fail "one is down: its names are gone"
	ok "one is down: its names stay, the others' are new"
	check 0 "the doctor asks the domain's broker" \
	    sandbox-proxy doctor run-1234.eu.prod.sandbox
	grep -q "^ok    broker: $eu answers" "$out" ||
		fail "it does not: $(cat "$out")"
	grep -q "^ok    token: from $lab/eu_token" "$out" ||
		fail "with another token: $(cat "$out")"
	by_sandboxctl
	check 1 "and that of the other domain" \
	    sandbox-proxy doctor run-1234.prod.sandbox
	grep -q "^fail  broker: .*nobody" "$out" || fail "it does not"
}

# asked COMMAND...: broker, call and token of all that it asks
asked() {
	: >"$lab/requests"
	check "$@"
	asked=$(paste -sd, "$lab/requests")
}

# sandboxctl goes where ssh goes.
by_sandboxctl() {
	local name
	list '["a-1"]'
	sed -i "s|^url = unix:$lab/nobody|url = $prod|" \
	    "$HOME/.config/sandbox-ssh/config"
	for name in run-1234 run-1234.sandbox run-1234.local.sandbox; do
		asked 0 "show $name" sandboxctl show "$name"
		[[ ! $asked =~ (elsewhere|good) ]] || fail "asks $asked"
	done
	asked 0 "show in a domain" sandboxctl show run-1234.prod.sandbox
	is "its broker, its token" "$asked" \
	    "elsewhere GET /v1/sandboxes/run-1234 Bearer prod-token"
	asked 0 "show in a longer one" sandboxctl show run-1234.eu.prod.sandbox
	is "its broker, its token" "$asked" \
	    "good GET /v1/sandboxes/run-1234 Bearer eu-token"
	asked 0 "start" sandboxctl start run-1234.prod.sandbox
	is "its broker" "$asked" \
	    "elsewhere POST /v1/sandboxes/run-1234/start?wait=30 Bearer prod-token"
	asked 0 "kill" sandboxctl kill run-1234.eu.prod.sandbox
	is "its broker" "$asked" \
	    "good DELETE /v1/sandboxes/run-1234 Bearer eu-token"
	[ ! -e "$HOME/.cache/sandbox-ssh/run-1234.eu.prod.sandbox" ] ||
		fail "the cache still knows it"
	asked 0 "create by name" sandboxctl create x-1.prod.sandbox
	is "its broker" "$asked" "elsewhere POST /v1/sandboxes Bearer prod-token"
	asked 0 "create --domain" sandboxctl create --domain eu.prod.sandbox x-1
	is "its broker" "$asked" "good POST /v1/sandboxes Bearer eu-token"
	asked 0 "list --domain" sandboxctl list --domain eu.prod.sandbox
	is "its broker" "$asked" "good GET /v1/sandboxes?limit=200 Bearer eu-token"
	asked 0 "ssh" sandboxctl ssh --print run-1234.prod.sandbox
	is "by the whole name" "$(cat "$out")" "ssh run-1234.prod.sandbox"

	local -A wrong=(
		[show run-1234.other.sandbox]=66
		[start run-1234.other.sandbox]=66
		[stop run-1234.other.sandbox]=66
		[kill run-1234.other.sandbox]=66
		[ssh --print run-1234.other.sandbox]=66
		[show run-1234.a.b.sandbox]=64
		[kill run-1234.a.b.prod.sandbox]=64
		[ssh --print run-1234.a.b.sandbox]=64
		[show run-1234.example.com]=64
		[create run-1234.a.b.sandbox]=64
		[create --domain eu.prod.sandbox x.sandbox]=64
		[create --domain other.sandbox x]=78
		[create --domain us.prod.sandbox x]=78
		[list --domain other.sandbox]=78
		[list --domain .]=64
		[show .sandbox]=64
		[show -- -x.sandbox]=64
		[show ../x.sandbox]=64
	)
	for name in "${!wrong[@]}"; do
		# shellcheck disable=SC2086 # words
		asked "${wrong[$name]}" "$name is refused" sandboxctl $name
		says "in one line" "^sandbox(ctl|-ssh): ."
		[[ $asked != *POST* && $asked != *DELETE* ]] ||
			fail "before it is asked: $asked"
	done
	sed -i "s|^url = $prod|url = unix:$lab/nobody|" \
	    "$HOME/.config/sandbox-ssh/config"
}

world_install
lab_make
lab_sshd
sandbox-proxy setup >/dev/null
lab_config '[broker]' "url = http://127.0.0.1:$(lab_port http)"
one_broker
in_passing
another_broker
several_brokers
lab_config '[broker]' "url = http://127.0.0.1:$(lab_port http)"
killed
lab_end
done_testing
