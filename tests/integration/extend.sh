#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# An end is put off, and certificates with it, but never beyond the limit.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
[ "${1:-}" != run ] || exec "${@:2}"

# expires ID: in how many seconds, by the broker.
expires() {
	echo $(($(sandboxctl show --json "$1" | jq .expires_at) - $(date +%s)))
}

# about NAME GOT WANT: a busy machine may take some seconds.
about() {
	[ "$2" -le "$3" ] && [ "$2" -gt $(($3 - 30)) ] ||
		fail "$1: $2 seconds, expected about $3"
	ok "$1"
}

gone() {
	! sandboxctl show "$1" >/dev/null 2>&1
}

# When the certificate at hand ends.
certificate_ends() {
	date -d "$(ssh-keygen -L \
	    -f "$HOME/.cache/sandbox-ssh/$1.sandbox/id_ed25519-cert.pub" |
		sed -n 's/.*Valid: .* to //p')" +%s
}

world_install
world_user alice
sandbox-proxy setup >/dev/null
check 0 "create" sandboxctl create e-1 --timeout 10m
check 0 "ssh" ssh e-1.sandbox true
is "no certificate outlives its sandbox" "$(certificate_ends e-1)" \
    "$(sandboxctl show --json e-1 | jq .expires_at)"
check 0 "extend" sandboxctl extend e-1 --timeout 2h
grep -Eq '^e-1 ends at 20[0-9-]*T[0-9:]*Z \((1|2)h\)$' "$out" ||
	fail "it says when it ends"
ok "it says when it ends"
about "from now on" "$(expires e-1)" 7200
before=$(certificate_ends e-1)
check 0 "a new certificate" sandboxctl ssh --ttl 90m e-1 -- true
[ "$(certificate_ends e-1)" -gt "$before" ] ||
	fail "certificates can be renewed beyond the old end"
ok "certificates can be renewed beyond the old end"
check 0 "JSON" sandboxctl extend --json e-1.sandbox --timeout 3h
about "JSON is the sandbox" \
    $(($(jq .expires_at "$out") - $(date +%s))) 10800
check 0 "one that had no end" sandboxctl create e-2
check 0 "gets one" sandboxctl extend e-2 --timeout 1h
about "an hour" "$(expires e-2)" 3600
check 0 "sooner" sandboxctl extend e-2 --timeout 1s
wait_for "its end" gone e-2

check 64 "without a time" sandboxctl extend e-1
says "without a time" '^sandboxctl: say until when: --timeout 1h'
check 64 "no time at all" sandboxctl extend e-1 --timeout 0
check 66 "one that is gone" sandboxctl extend e-2 --timeout 1h
check 66 "somebody else's" \
    world_as alice run sandboxctl extend e-1 --timeout 1h
about "it stays as it was" "$(expires e-1)" 10800

install -D -m 0644 /dev/stdin \
    "$HOME/.config/sandbox-ssh/sandboxd.conf" <<-END
	[limits]
	max_lifetime = 4h
END
sandboxd --stop >/dev/null
about "a restart forgets nothing" "$(expires e-1)" 10800
check 77 "beyond the limit" sandboxctl extend e-1 --timeout 4h
says "beyond the limit" \
    'may live for 4h here, and e-1 until 20.*Z: ask for less'
about "it stays as it was" "$(expires e-1)" 10800
check 0 "just below it" sandboxctl extend e-1 --timeout 235m
check 77 "one that is made" sandboxctl create e-3 --timeout 5h
check 66 "that is not made" sandboxctl show e-3
check 0 "without an end" sandboxctl create e-3
about "gets the last that there is" "$(expires e-3)" 14400
sandboxctl kill e-1 e-3 >/dev/null
done_testing
