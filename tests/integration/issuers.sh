#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Certificates that others issued (tests/fixtures/craft.py: Python's
# cryptography, asyncssh, ssh-keygen), over keys of every kind: what fits our
# profile is let in, what is hostile is not, each row of the list of threats
# by its number.  What we issue is what ssh-keygen reads, host certificates
# and what an ssh-agent signs included.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/gate-machine.sh"

cert_tool=$BUILDDIR/certs/sandbox-cert
craft=$SRCDIR/tests/fixtures/craft.py

# Only Debian's has asyncssh.
craft() {
	/usr/bin/python3 -W ignore "$craft" "$@"
}

has() {
	grep -Eq -- "$2" "$out" || fail "$1: no '$2' in: $(head -5 "$out")"
	ok "$1"
}

# accepted NAME FILE: FILE-cert.pub, and a login if the key is there too.
accepted() {
	check 0 "$1: the gate's answer" ask sandbox "$2-cert.pub"
	has "$1: the line" '^cert-authority,principals="run-1234",restrict'
	check 0 "$1: verify" "$cert_tool" verify --ca "$keys/ca.pub" \
	    --sandbox run-1234 "$2-cert.pub"
	has "$1: says so" '^ok$'
	check 0 "$1: ssh-keygen reads it" ssh-keygen -Lf "$2-cert.pub"
	cp "$out" "$keys/text"
	check 0 "$1: so do we" "$cert_tool" show "$2-cert.pub"
	cmp "$keys/text" "$out" || fail "$1: it is shown differently"
	[ ! -e "$2" ] || {
		check 0 "$1: login" login sandbox "$2" echo in
		is "$1: it is in" "$(<"$out")" in
	}
}

test_issuers() {
	local issuer kind file count=0
	craft issue "$keys" >"$keys/issued"
	while read -r issuer kind file; do
		accepted "$issuer, $kind" "$file"
		count=$((count + 1))
	done <"$keys/issued"
	is "three issuers, eight kinds" "$count" 24
}

test_ours() {
	local file kind count=0
	for file in "$keys"/id-*.pub; do
		kind=${file#"$keys/id-"}
		kind=${kind%.pub}
		check 0 "ours, $kind" "$cert_tool" issue --ca "$keys/ca" \
		    --sandbox run-1234 --permit pty \
		    --out "$keys/ours-$kind-cert.pub" "$file"
		[ ! -e "$keys/id-$kind" ] ||
			ln -s "id-$kind" "$keys/ours-$kind"
		accepted "ours, $kind" "$keys/ours-$kind"
		count=$((count + 1))
	done
	is "all kinds" "$count" 8
	ssh-keygen -q -t rsa -b 1024 -N '' -f "$keys/weak"
	check 65 "an RSA key of 1024 bits" "$cert_tool" issue \
	    --ca "$keys/ca" --sandbox run-1234 "$keys/weak.pub"
	says "why" 'weak.pub.*RSA key of less than 2048 bits'
}

# Named after their rows: "threat 12: duplicate options".
test_hostile() {
	local threat reason what file
	craft hostile "$keys" >"$keys/hostile"
	while IFS='|' read -r threat reason what file; do
		check 0 "threat $threat: $what" ask sandbox "$file"
		if [ "$reason" = ok ]; then
			[ -s "$out" ] || fail "threat $threat: $what: denied"
		else
			[ ! -s "$out" ] || fail "threat $threat: $what: allowed"
			logged "threat $threat: $what: $reason" \
			    "deny reason=$reason user=sandbox "
		fi
		"$cert_tool" verify --ca "$keys/ca.pub" --sandbox run-1234 \
		    "$file" >"$out" || :
		has "threat $threat: $what: verify" "^$reason(:|$)"
	done <"$keys/hostile"
}

test_hostile_logins() {
	check 0 "threats 1 to 16: offered to sshd" \
	    craft_login "$sshd" -i -e -f "$keys/sshd_config"
	is "only the good ones" "$(grep -c '^let in' "$out")" 2
	is "none was left out" "$(wc -l <"$out")" "$(wc -l <"$keys/hostile")"
}

craft_login() {
	craft login "$keys" "$@" <"$keys/hostile"
}

# threat 9: one bit of each byte flipped; threat 10: truncated at every byte
# ssh would use the private key beside it, whosever it is.
test_pair() {
	local pair=$keys/pair
	ssh-keygen -q -t ecdsa -N secret -f "$pair"
	check 0 "of one pair, with a passphrase" "$cert_tool" issue \
	    --ca "$keys/ca" --sandbox run-1234 "$pair.pub"
	rm "$pair-cert.pub"
	cp "$keys/user.pub" "$pair.pub"
	check 65 "of two pairs" "$cert_tool" issue --ca "$keys/ca" \
	    --sandbox run-1234 "$pair.pub"
	says "of two pairs: says so" "$pair.pub is not the public half of $pair"
	[ ! -e "$pair-cert.pub" ] || fail "of two pairs: nothing is written"
	ok "of two pairs: nothing is written"
	check 0 "of two pairs, elsewhere" "$cert_tool" issue --ca "$keys/ca" \
	    --sandbox run-1234 --out "$keys/elsewhere" "$pair.pub"
}

test_damaged() {
	local unread
	# A log that nobody reads is waited for, with each query.
	exec {unread}<&"${log[0]}"
	cat <&"$unread" >/dev/null &
	check 0 "threat 9, threat 10: damaged at every byte" \
	    craft harm "$keys" "$gate" -c "$conf"
	has "flipped" '^threat 9: flipped [3-9][0-9][0-9]$'
	has "cut" '^threat 10: cut short [3-9][0-9][0-9]$'
}

# threat 30: the gate limits itself, and leaves nothing behind
test_flood() {
	certify "${good[@]}"
	cp "$cert-cert.pub" "$keys/good-cert.pub"
	check 0 "threat 30: a thousand queries" \
	    craft flood "$keys" "$gate" -c "$conf"
	has "answered" '^threat 30: a thousand queries, one answer$'
	has "SIGTERM" '^threat 30: SIGTERM while it waits'
	! pgrep -x sandbox-authkey >/dev/null || fail "one is still there"
	ok "threat 30: no process is left"
}

# A host's key that was never seen, but its certificate is by our CA.
test_host() {
	local host=$keys/new-host
	ssh-keygen -q -t ed25519 -N '' -f "$host"
	check 0 "a host certificate" "$cert_tool" issue --ca "$keys/ca" \
	    --host run-1234.sandbox --host sandbox-7.example.org "$host.pub"
	check 0 "ssh-keygen reads it" ssh-keygen -Lf "$host-cert.pub"
	has "as a host's" 'ssh-ed25519-cert-v01@openssh.com host certificate'
	has "one name" '^ +run-1234.sandbox$'
	has "the other" '^ +sandbox-7.example.org$'
	has "nothing permitted" 'Extensions: \(none\)'
	cp "$out" "$keys/text"
	check 0 "so do we" "$cert_tool" show "$host-cert.pub"
	cmp "$keys/text" "$out" || fail "it is shown differently"
	sed "s|^HostKey .*|HostKey $host\nHostCertificate $host-cert.pub|" \
	    "$keys/sshd_config" >"$keys/host_config"
	check 0 "the line of known_hosts" "$cert_tool" ca-line \
	    --host-pattern '*.sandbox,*.example.org' "$keys/ca.pub"
	cp "$out" "$keys/known_cas"
	certify "${good[@]}"
	for name in run-1234.sandbox sandbox-7.example.org; do
		check 0 "ssh accepts $name" visit "$name" echo in
		is "and is in" "$(<"$out")" in
	done
	check 255 "another name" visit run-1.sandbox true
	grep -q 'not listed\|Host key verification failed' "$err" ||
		fail "another name: $(<"$err")"
	check 0 "another CA's line" "$cert_tool" ca-line "$keys/stranger.pub"
	cp "$out" "$keys/known_cas"
	check 255 "a CA that is not known" visit run-1234.sandbox true
}

# visit NAME COMMAND...: of the host, only the CA is known.
visit() {
	local name=$1
	shift
	ssh -F none -o BatchMode=yes -o IdentityFile="$cert" \
	    -o IdentitiesOnly=yes -o IdentityAgent=none \
	    -o UserKnownHostsFile="$keys/known_cas" \
	    -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes \
	    -o ProxyCommand="$sshd -i -e -f $keys/host_config 2>>$keys/sshd.log" \
	    "sandbox@$name" "$@"
}

# The CA's key is in an agent, and nowhere else.
test_agent() {
	local agent
	cp "$keys/user.pub" "$keys/by-agent.pub"
	ln -s user "$keys/by-agent"
	eval "$(ssh-agent -a "$keys/agent")" >/dev/null
	agent=$SSH_AGENT_PID
	check 69 "not without an agent" env -u SSH_AUTH_SOCK "$cert_tool" \
	    issue --ca-agent "$keys/ca.pub" --sandbox run-1234 \
	    "$keys/by-agent.pub"
	check 77 "an agent without the key" "$cert_tool" issue \
	    --ca-agent "$keys/ca.pub" --sandbox run-1234 "$keys/by-agent.pub"
	says "it says what to do" 'ssh-add'
	ssh-add -q "$keys/ca"
	mv "$keys/ca" "$keys/ca.away"
	check 0 "signed by the agent" "$cert_tool" issue \
	    --ca-agent "$keys/ca.pub" --sandbox run-1234 "$keys/by-agent.pub"
	accepted "by an agent" "$keys/by-agent"
	check 0 "a revocation list, too" "$cert_tool" revocations sign \
	    --ca-agent "$keys/ca.pub" --out "$etc/revoked" --serial 0x1
	check 0 "it is one" "$cert_tool" revocations show "$etc/revoked"
	mv "$keys/ca.away" "$keys/ca"
	kill "$agent"
}

# Old and new CA, as the manual has it.
test_rotation() {
	check 0 "the next CA" "$cert_tool" ca-rotate --trusted "$etc/ca.pub" \
	    "$keys/ca.pub"
	[ "$(stat -c %a "$keys/ca-next")" = 600 ] || fail "mode of the new key"
	is "three keys are trusted" "$(grep -c ^ssh-ed25519 "$etc/ca.pub")" 3
	certify "${good[@]}"
	check 0 "the old one still counts" login sandbox "$cert" true
	certify "${good[@]}" -s "$keys/ca-next"
	check 0 "and the new one does" login sandbox "$cert" true
	cp "$keys/ca-next.pub" "$etc/ca.pub"
	check 0 "the new one alone" login sandbox "$cert" true
	certify "${good[@]}"
	check 255 "the old one no more" login sandbox "$cert" true
	check 73 "never twice" "$cert_tool" ca-rotate \
	    --trusted "$etc/ca.pub" "$keys/ca.pub"
	is "and nothing was written" "$(wc -l <"$etc/ca.pub")" 1
	reset_settings
}

/usr/bin/python3 -W ignore -c 'import asyncssh, cryptography' 2>/dev/null ||
	world_skip "asyncssh is missing: apt-get install python3-asyncssh"
machine
start_log
test_issuers
test_ours
test_hostile
test_hostile_logins
test_pair
test_damaged
test_flood
test_host
test_agent
test_rotation
done_testing
