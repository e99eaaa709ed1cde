#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Platforms whose gateway takes a token for a user name: the name and the
# gateway's pinned key reach ssh by the files that it reads anyway.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/lab.sh"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh

# gateway NAME TOKEN: one that takes this user name; its port is $port
gateway() {
	mkfifo "$lab/$1.hold"
	/usr/bin/python3 "$SRCDIR/tests/fixtures/gateway.py" "$lab/gateway" \
	    "$2" "$lab/$1.port" <"$lab/$1.hold" >"$lab/$1.log" 2>&1 &
	exec {hold}>"$lab/$1.hold"
	wait_for "the gateway" test -e "$lab/$1.port"
	port=$(cat "$lab/$1.port")
}

# answer USER: no certificate, as gateways know none
answer() {
	lab_answer "{\"user\": \"$1\", \"certificate\": null,
	    \"endpoints\": [\"tcp://127.0.0.1:$port\"],
	    \"host_keys\": [\"$(cut -d' ' -f1,2 "$lab/gateway.pub")\"]}"
	sandbox-resolve forget "$host"
}

world_install
PATH=$PATH:$(printf 'show:\n\t@echo $(pkglibexecdir)\n' |
	make -s -C "$BUILDDIR" -f Makefile -f - show)
lab_make
ssh-keygen -q -t ed25519 -N '' -f "$lab/gateway"
lab_config '[broker]' "url = http://127.0.0.1:$(lab_port http)"
sandbox-proxy setup >/dev/null

number=0
# As tokens look: Daytona's, an id and a key with a hash, 255 characters with
# everything that a configuration file might take for something else.
odd='x#=,:@!*?[]~^+/._-'
for token in daytona_0a1B2c "sbx_ams_0123#dtn_A1b2C3/d=+" \
    "=${odd}" "$odd$(printf 'y%.0s' $(seq $((255 - ${#odd}))))"; do
	number=$((number + 1))
	gateway "g$number" "$token"
	answer "$token"
	check 7 "token $number: ssh" ssh "$host" a command
	is "token $number: the gateway took it" "$(cat "$out")" "ran a command"
	# Since 10.1 ssh has a word on gateways that know no post-quantum kex.
	is "token $number: not a word" "$(grep -v '^\*\* ' "$err" || :)" ""
	is "token $number: ssh -G" "$(ssh -G "$host" | sed -n 's/^user //p')" \
	    "$token"
	[ ! -e "$cache/$host/id_ed25519-cert.pub" ] ||
		fail "token $number: a certificate from nowhere"
	is "token $number: sandbox-proxy hosts" \
	    "$(sandbox-proxy hosts --json | jq -r '.[].user')" "$token"
	exec {hold}>&-
done

# Not in any list of processes or of ssh's words but the user's own.
gateway last token-of-mine
answer token-of-mine
printf 'Host *\n    User me\n' >>"$HOME/.ssh/config"
check 7 "the user's own User line comes later" ssh "$host" true
answer another-token
check 255 "another token" ssh "$host" true
answer token-of-mine
ssh-keygen -q -t ed25519 -N '' -f "$lab/wrong"
lab_answer "{\"user\": \"token-of-mine\", \"certificate\": null,
    \"endpoints\": [\"tcp://127.0.0.1:$port\"],
    \"host_keys\": [\"$(cut -d' ' -f1,2 "$lab/wrong.pub")\"]}"
sandbox-resolve forget "$host"
check 255 "another host key than the pinned one" ssh "$host" true
grep -q 'REMOTE HOST IDENTIFICATION HAS CHANGED' "$err" ||
	fail "ssh does not say that the key is another"
ok "ssh says so"
answer token-of-mine
check 0 "the doctor sees the key" sandbox-proxy doctor "$host"
grep -q '^ok    host key: SHA256:' "$out" || fail "it does not: $(cat "$out")"
ok "it is the pinned one"
exec {hold}>&-
lab_end
done_testing
