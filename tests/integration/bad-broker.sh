#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A broker that is down, slow, wrong or hostile: the client ends in time with
# one line that says what is the matter, prints nothing that a terminal would
# obey, and leaves the cache as it was. Numbers are rows of the list of
# attacks that HACKING.md's tests cover: 27 to 32.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/lab.sh"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh

# All there is in the cache, but for when a list was last asked for.
cache_state() {
	[ ! -d "$cache" ] || (cd "$cache" && find . ! -name '.asked-*' ! -name '.silent-*' \
	    ! -name .prepared ! -name . -printf '%p %y %m %s %T@ %l\n' | sort)
}

# fails STATUS NAME REGEX: by hand and through ssh
fails() {
	local want=$1 name=$2 regex=$3 before status=0
	before=$(cache_state)
	check "$want" "$name" timeout 20 sandbox-proxy connect "$host"
	is "$name: nothing for ssh" "$(wc -c <"$out")" 0
	says "$name: says so" "$regex"
	! LC_ALL=C grep -q '[^ -~]' "$err" ||
		fail "$name: unprintable characters"
	timeout 20 ssh "$host" true >"$out" 2>"$err" </dev/null || status=$?
	is "$name: ssh gives up" "$status" 255
	grep -Eq -- "$regex" "$err" || fail "$name: ssh does not say it"
	is "$name: once" "$(grep -c '^sandbox-' "$err")" 1
	is "$name: nothing is left" "$(cache_state)" "$before"
}

broker() {
	lab_config '[broker]' "url = $1" "ca_file = $lab/authority.crt" \
	    "timeout = ${patience:-5s}" "${@:2}"
}

row_27() {
	broker "unix:$lab/nobody.sock"
	fails 69 "27 down: no socket" 'cannot be reached.*sandboxd'
	broker http://127.0.0.1:1
	fails 69 "27 down: no port" 'cannot be reached'

	local mode url patience=
	for url in "unix:$lab/broker.sock" \
	    "http://127.0.0.1:$(lab_port http)" \
	    "https://127.0.0.1:$(lab_port good)"; do
		while read -r status mode regex; do
			patience=5s
			[ "$status" != 75 ] || patience=1s
			broker "$url"
			lab_mode "$mode"
			fails "$status" "27 $mode, ${url%%:*}" "$regex"
		done <<-'END'
		75 drip no whole answer in time
		75 drip_headers no whole answer in time
		75 silent no whole answer in time
		65 large too large
		65 endless too large
		65 headers too large
		76 redirect 307
		76 short not JSON
		76 empty answer
		76 not_json not JSON
		76 twice twice
		77 reason does not allow
		69 hang_up no answer
		END
		lab_mode long
		fails 76 "27 long, ${url%%:*}" 'not HTTP as it should|broke'
		lab_mode not_http
		fails 76 "27 not_http, ${url%%:*}" 'not HTTP as it should'
	done
	lab_mode honest
	! grep '^elsewhere' "$lab/requests" ||
		fail "27: a redirect was followed"
	ok "27: no redirect was followed"

	local name
	for name in expired misnamed selfsigned; do
		broker "https://127.0.0.1:$(lab_port "$name")"
		fails 77 "27 TLS: $name" 'TLS certificate.*not to be trusted'
	done
	# ca_file is instead of the system's, not beside them.
	mkdir -p /usr/local/share/ca-certificates
	cp "$lab/self.crt" /usr/local/share/ca-certificates/
	update-ca-certificates >/dev/null 2>&1
	check 0 "27 TLS: a CA that the system trusts" curl -sS -o "$lab/curl" \
	    "https://127.0.0.1:$(lab_port selfsigned)/"
	broker "https://127.0.0.1:$(lab_port selfsigned)"
	fails 77 "27 TLS: a CA of the system's" \
	    'TLS certificate.*not to be trusted'
	broker "https://127.0.0.1:$(lab_port http)"
	fails 77 "27 downgrade: plain text instead of TLS" 'TLS'
	echo "http://127.0.0.1:$(lab_port elsewhere)/v1/x" >"$lab/elsewhere"
	broker "https://127.0.0.1:$(lab_port good)"
	lab_mode redirect
	fails 76 "27 downgrade: redirect to http" 307
	! grep '^elsewhere' "$lab/requests" ||
		fail "27: a redirect to http was followed"
	ok "27: no redirect to http was followed"
	lab_mode honest
	broker http://broker.example
	fails 78 "27 downgrade: http in the configuration" 'loopback'
}

row_28() {
	local json
	broker "https://127.0.0.1:$(lab_port good)"
	while read -r status name json; do
		lab_answer "$json"
		fails "$status" "28 $name" "${name//-/ }|not to be trusted|\"$name|control"
	done <<-END
	77 another-key {"sign": {"key": "$lab/other.pub"}}
	77 another-sandbox {"sign": {"principals": "run-9999"}}
	77 principal {"sign": {"principals": "run-1234,run-9999"}}
	77 longer {"sign": {"validity": "-1m:+10h"}}
	77 longer {"sign": {"validity": "always:forever"}}
	77 not-valid-yet {"sign": {"validity": "+30m:+50m"}}
	77 expired {"sign": {"validity": "-50m:-30m"}}
	77 about-another {"id": "run-9999"}
	77 key {"host_keys": ["ssh-ed25519 AAAA"]}
	77 host-key {"host_keys": []}
	77 this-machine {"endpoints": ["unix:$lab/sshd.sock"]}
	77 this-machine {"endpoints": ["unix-mux:$lab/sshd.sock#22"]}
	77 this-machine {"endpoints": ["exec:sh/x"]}
	77 this-machine {"endpoints": ["vsock:1:22"]}
	77 this-machine {"endpoints": ["ws://127.0.0.1:9/x"]}
	77 unknown {"endpoints": ["gopher://127.0.0.1:1"]}
	77 malformed {"endpoints": ["tcp://127.0.0.1:1 "]}
	77 user {"user": "-oProxyCommand=x"}
	77 user {"user": "me me"}
	77 user {"user": "../../run/x"}
	77 user {"user": "\$(id)"}
	77 certificate {"certificate": null, "expires_at": null}
	77 trusted {"certificate": "ssh-ed25519 AAAA"}
	76 id {"id": "run-1234\\u001b[2J"}
	76 JSON {"id": "run-1234\\u0000"}
	76 state {"state": "running\\n"}
	76 user {"user": "root\\nProxyCommand x"}
	76 certificate {"certificate": "a\\u001b[2J"}
	76 host_keys {"host_keys": ["a\\u001b[2J"]}
	76 endpoints {"endpoints": ["tcp://a\\u001b[2J"]}
	76 host_keys {"host_keys": "ssh-ed25519"}
	76 missing {"state": null}
	END
	# Those above ASCII, too.
	lab_answer '{"user": "r\u009b2Jt"}'
	fails 76 "28 a user with C1 controls" '"user"'
	lab_answer '{"endpoints": ["gopher://\u009b2J"]}'
	fails 76 "28 an endpoint with C1 controls" 'endpoint'
	lab_answer
	lab_mode detail
	fails 77 "28 control characters in an error" 'refused|allow'
	lab_mode honest

	# The CA is pinned.
	cp "$lab/other.pub" "$lab/trusted"
	broker "https://127.0.0.1:$(lab_port good)" "trusted_ca = $lab/trusted"
	fails 77 "28 signed by a CA that is not pinned" 'unknown CA'
	lab_answer '{"certificate": null}'
	fails 77 "28 no certificate while a CA is pinned" 'trusted_ca'
	lab_answer
	cat "$lab/ca.pub" >>"$lab/trusted"
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	check 0 "28 signed by one of two that are" ssh "$host" true
	rm -rf "$cache"
	rm "$lab/trusted"
	fails 78 "28 the pinned CA's file is missing" 'trusted_ca.*not exist'
	lab_answer
}

row_29() {
	local name
	: >"$lab/requests"
	broker "unix:$lab/broker.sock"
	for name in '../x.sandbox' 'a/b.sandbox' 'a*.sandbox' '#x.sandbox' \
	    '-x.sandbox' "$(printf 'a%.0s' {1..300}).sandbox" 'ä.sandbox' \
	    '%h.sandbox' 'a..b.sandbox' '.sandbox' 'a.b.c.d.sandbox'; do
		for verb in prepare connect doctor; do
			status=0
			timeout 20 sandbox-proxy "$verb" -- "$name" \
			    >"$out" 2>"$err" </dev/null || status=$?
			is "29 $verb ${name:0:20}" "$status" 64
		done
	done
	is "29 nobody was asked" "$(cat "$lab/requests")" ""
}

row_31() {
	local mode
	echo secret >"$lab/token"
	: >"$lab/requests"
	broker "http://127.0.0.1:$(lab_port http)" "token_file = $lab/token"
	for mode in 0644 0640 0604 0660; do
		chmod "$mode" "$lab/token"
		fails 78 "31 token file $mode" "$lab/token is open to others"
	done
	chmod 600 "$lab/token"
	ln -s token "$lab/link"
	broker "http://127.0.0.1:$(lab_port http)" "token_file = $lab/link"
	fails 78 "31 token file is a link" 'symbolic link'
	is "31 it was not sent" "$(cat "$lab/requests")" ""
	broker "http://127.0.0.1:$(lab_port http)" "token_file = $lab/token"
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	check 0 "31 a good one" ssh "$host" true
	grep -q '^http POST .*/ssh Bearer secret$' "$lab/requests" ||
		fail "31 it was not sent"
	ok "31 it was sent"
	! grep -rq secret "$cache" || fail "31 it is in the cache"
	rm -rf "$cache"
}

# 27 and 32: killed in the middle of an answer, then the broker comes back.
row_32() {
	local client
	lab_mode silent
	broker "unix:$lab/broker.sock"
	: >"$lab/requests"
	sandbox-proxy prepare "$host" &
	client=$!
	wait_for "the request" grep -q /ssh "$lab/requests"
	kill -9 "$client"
	wait "$client" || :
	lab_mode honest
	lab_answer "{\"endpoints\": [\"unix:$lab/sshd.sock\"], \"user\": \"root\"}"
	check 0 "32 killed in the middle: the next attempt works" \
	    ssh "$host" true
	is "32 the folder is whole" "$(find "$cache/$host" -type f -printf '%f\n' |
	    sort | paste -sd ' ')" \
	    "id_ed25519 id_ed25519-cert.pub known_hosts session"
}

# Credentials that still live need no broker; when it is time to renew them,
# the message says how long they last.
broker_down() {
	local sign end patience=
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	rm -rf "$cache"
	check 0 "credentials" ssh "$host" true
	mv "$lab/broker.sock" "$lab/away.sock"
	check 0 "broker down: fresh credentials" ssh "$host" true
	is "broker down: not a word" "$(cat "$err")" ""
	# So near its end that it ought to be renewed.
	sign='"sign": {"validity": "-5m:+25s"}'
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\", $sign}"
	rm -rf "$cache"
	mv "$lab/away.sock" "$lab/broker.sock"
	check 0 "credentials for 25 seconds" ssh "$host" true
	end=$(sed -n 's/^not_after=//p' "$cache/$host/session")
	mv "$lab/broker.sock" "$lab/away.sock"
	check 0 "broker down: old credentials" ssh "$host" true
	says "broker down: says until when, and why" \
	    "run-1234: the certificate ends at $(date -d "@$end" +%T) and cannot be renewed: .*cannot be reached"
	broker "unix:$lab/broker.sock" "[ssh]" "ttl = 50m"
	check 0 "broker down, new configuration: old credentials" \
	    ssh "$host" true
	says "the same, once" 'ends at .*cannot be reached'
	is "the same, once" "$(wc -l <"$err")" 1
	broker "http://127.0.0.1:1"
	check 255 "another broker, down: not the old one's credentials" \
	    ssh "$host" true
	check 69 "another broker, down: connect" sandbox-proxy connect "$host"
	says "another broker, down: says so" '127.0.0.1:1 cannot be reached'
	SANDBOX_BROKER=http://127.0.0.1:2 \
	    check 69 "by SANDBOX_BROKER: the same" sandbox-proxy connect "$host"
	says "by SANDBOX_BROKER: says so" '127.0.0.1:2 cannot be reached'
	SANDBOX_BROKER=unix:run/x check 78 "by one that is none: the same" \
	    sandbox-proxy connect "$host"
	says "by one that is none: says so" 'SANDBOX_BROKER'
	mv "$lab/away.sock" "$lab/broker.sock"

	# A proxy that refuses is not the broker.
	/usr/bin/python3 "$SRCDIR/tests/fixtures/http_proxy.py" 3128 locked \
	    <"$lab/hold" >"$lab/proxy.log" &
	wait_for "the proxy" grep -q ready "$lab/proxy.log"
	broker "https://127.0.0.1:$(lab_port good)"
	rm -rf "$cache"
	check 0 "credentials for 25 seconds" ssh "$host" true
	HTTPS_PROXY=http://127.0.0.1:3128 \
	    check 0 "a proxy refuses: old credentials" ssh "$host" true
	says "a proxy refuses: says so" 'ends at .*a user and a password'
	broker "unix:$lab/broker.sock"
	check 0 "credentials for 25 seconds" ssh "$host" true
	patience=1s
	broker "unix:$lab/broker.sock"
	lab_mode silent
	check 0 "broker silent: old credentials" ssh "$host" true
	says "broker silent: says so" 'ends at .*in time'
	lab_mode honest
	rm "$cache/.silent-sandbox"
	# A broker that says no is obeyed.
	lab_mode reason
	check 255 "broker refuses: old credentials are not used" \
	    ssh "$host" true
	lab_mode honest
}

# takes FROM TO NAME STATUS COMMAND...: seconds, whole ones
takes() {
	local from=$1 to=$2 name=$3 start=$SECONDS
	check "$4" "$name" timeout 60 "${@:5}"
	start=$((SECONDS - start))
	[ "$start" -ge "$from" ] && [ "$start" -le "$to" ] ||
		fail "$name: took $start s, not $from to $to"
	ok "$name: took $start s"
}

# A broker that never answers: one ssh waits for it once, the next ones less.
hanging() {
	local patience=6s control=$lab/control
	lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\"}"
	broker "unix:$lab/broker.sock"
	rm -rf "$cache"
	lab_mode silent
	takes 5 9 "hanging, cold: ssh" 255 ssh "$host" true
	is "told once" "$(grep -c 'no whole answer in time' "$err")" 1
	takes 5 9 "hanging: again" 255 ssh "$host" true
	is "told once again" "$(grep -c 'no whole answer in time' "$err")" 1
	takes 5 9 "hanging: who asks by hand waits" 75 \
	    sandbox-proxy connect "$host"
	takes 1 4 "hanging: ConnectTimeout" 255 \
	    ssh -o ConnectTimeout=2 "$host" true
	rm "$cache/.silent-sandbox"
	takes 1 4 "hanging, cold: ConnectTimeout" 255 \
	    ssh -vo ConnectTimeout=2 "$host" true
	rm "$cache/.silent-sandbox"
	(cat "$HOME/.ssh/config" && printf 'Host run*\n ConnectTimeout 2\n') \
	    >"$lab/hurried"
	takes 1 4 "hanging, cold: ConnectTimeout of a configuration" 255 \
	    ssh -F "$lab/hurried" "$host" true
	rm "$cache/.silent-sandbox"
	cp "$HOME/.ssh/config" "$lab/before"
	printf 'Host dev\n HostName %s\n ConnectTimeout 2\nMatch all\n' "$host" |
		cat - "$lab/before" >"$HOME/.ssh/config"
	takes 1 4 "hanging, cold: ConnectTimeout of another name" 255 \
	    ssh dev true
	takes 5 9 "hanging: of that name only" 255 ssh "$host" true
	cp "$lab/before" "$HOME/.ssh/config"
	lab_mode honest
	takes 0 3 "back" 0 ssh "$host" true
	[ ! -e "$cache/.silent-sandbox" ] || fail "it is not forgotten"
	ok "its silence is forgotten"

	# Who is there already needs no credentials.
	ssh -o ControlMaster=yes -o "ControlPath=$control" -N "$host" \
	    >"$lab/master.log" 2>&1 &
	wait_for "a control connection" \
	    ssh -o "ControlPath=$control" -O check "$host"
	sed -i 's/^not_after=.*/not_after=1/' "$cache/$host/session"
	lab_mode silent
	takes 5 9 "hanging, by the control connection" 0 \
	    ssh -o "ControlPath=$control" "$host" true
	takes 0 4 "hanging, by the control connection: the next" 0 \
	    ssh -o "ControlPath=$control" "$host" true
	ssh -o "ControlPath=$control" -O exit "$host" 2>>"$lab/master.log"
	wait "$!" || :
	lab_mode honest
	rm -rf "$cache"
	lab_answer
}

# Whose clock is wrong nobody can tell: the broker's own judges what it gave.
clocks() {
	local skew sign end
	broker "unix:$lab/broker.sock"
	for skew in 180 -180 86400 -86400; do
		sign=$(date -d "$((skew + 3000)) seconds" +%Y%m%d%H%M%S)
		sign=$(date -d "$skew seconds" +%Y%m%d%H%M%S):$sign
		lab_answer "{\"endpoints\": [\"$lab_sshd\"], \"user\": \"root\",
		    \"sign\": {\"validity\": \"$sign\"}}"
		echo "$skew" >"$lab/skew"
		rm -rf "$cache"
		check 0 "its clock is $skew s ahead: credentials" \
		    sandbox-proxy prepare "$host"
		is "without a word" "$(cat "$err")" ""
		end=$(sed -n 's/^not_after=//p' "$cache/$host/session")
		end=$((end - $(date +%s)))
		[ "$end" -gt 2900 ] && [ "$end" -lt 3100 ] ||
			fail "they end in $end s"
		ok "they end in $end s by this clock"
	done
	rm -rf "$lab/skew" "$cache"
	fails 77 "by its own clock it has ended" 'not to be trusted.*expired'
	lab_answer
}

# A list that never ends, in each of the ways that it can.
lists() {
	local status mode regex patience=1s
	broker "http://127.0.0.1:$(lab_port http)"
	printf '["b-2", "a-1", "c-3", "d-4", "e-5"]\n' >"$lab/list"
	check 0 "list: three pages" sandboxctl list
	is "list: all of them" "$(awk '{ print $1 }' "$out" | paste -sd ' ')" \
	    "ID b-2 a-1 c-3 d-4 e-5"
	check 0 "list: three pages as JSON" sandboxctl list --json \
	    --state running --label 'a=b&c'
	is "list: all as JSON" "$(jq -c 'map(.id)' "$out")" \
	    '["b-2","a-1","c-3","d-4","e-5"]'
	is "list: on one line" "$(wc -l <"$out")" 1
	is "list: what was asked" \
	    "$(sed -n 's/.*?\(.*\) -$/\1/p' "$lab/requests" | tail -1)" \
	    "limit=200&state=running&label=a%3Db%26c&cursor=d-4"
	while read -r status mode regex; do
		lab_mode "$mode"
		check "$status" "list: $mode" timeout 60 sandboxctl list --json
		says "list: $mode: says so" "$regex"
		is "list: $mode: nothing on stdout" "$(wc -c <"$out")" 0
	done <<-'END'
	76 circle does not come to an end: the next page is the same
	65 crowd more than 100000 sandboxes, .*--label
	65 bloated or 64 MiB of them
	75 vain does not come to an end in 6 seconds
	65 nested too many objects
	END
	lab_mode crowd
	: >"$lab/requests"
	check 65 "list: crowd, as a table" sandboxctl list
	is "list: crowd: 25 pages, and one too many" \
	    "$(wc -l <"$lab/requests")" 26
	lab_mode circle
	rm -rf "$cache"
	check 76 "hosts: circle" sandbox-proxy hosts --refresh
	lab_mode honest
	rm -rf "$cache"
}

world_install
lab_make
lab_sshd
sandbox-proxy setup >/dev/null
row_27
row_28
row_29
row_31
row_32
broker_down
hanging
clocks
lists
lab_end
done_testing
