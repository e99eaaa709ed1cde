# SPDX-License-Identifier: ISC
# Daytona's double (tests/fixtures/daytona.py), sourced after world.sh.
#
# shellcheck shell=bash disable=SC2034

# daytona_start JSON: with these sandboxes; $daytona is its folder, $daytona_api
# its URL, $daytona_port its gateway's.
daytona_start() {
	daytona=$(mktemp -d /tmp/daytona.XXXXXX)
	chmod 0755 "$daytona"
	ssh-keygen -q -t ed25519 -N '' -f "$daytona/host_key"
	printf '%s\n' "$1" >"$daytona/sandboxes.json"
	mkfifo "$daytona/hold"
	/usr/bin/python3 "$SRCDIR/tests/fixtures/daytona.py" "$daytona" \
	    <"$daytona/hold" >"$daytona/log" 2>&1 &
	exec {daytona_hold}>"$daytona/hold"
	wait_for "Daytona's double" test -e "$daytona/ports"
	daytona_api=http://127.0.0.1:$(sed -n 's/^api=//p' "$daytona/ports")
	daytona_port=$(sed -n 's/^gateway=//p' "$daytona/ports")
}

daytona_end() {
	exec {daytona_hold}>&-
}

# daytona_control METHOD TAIL [JSON]: what it says is printed
daytona_control() {
	curl -sS -X "$1" --data "${3:-{\}}" "$daytona_api/control$2"
}

daytona_set() {
	daytona_control PUT "" "$1" >/dev/null
}

daytona_fault() {
	daytona_control POST /faults "$1" >/dev/null
}

# daytona_change KEY JSON: members of a sandbox
daytona_change() {
	daytona_control POST /change \
	    "$(jq -c --arg key "$1" '. + {key: $key}' <<<"$2")" >/dev/null
}

daytona_forget() {
	daytona_control POST /forget >/dev/null
}

# daytona_calls REGEX: how many there were
daytona_calls() {
	daytona_control GET "" |
		jq --arg re "$1" '[.calls[] | select(test($re))] | length'
}

daytona_state() {
	daytona_control GET "" | jq -r --arg name "$1" \
	    '.sandboxes[] | select(.name == $name) | .state'
}

daytona_made() {
	daytona_control GET "" | jq .made
}
