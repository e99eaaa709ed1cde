#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The login gate behind the sshd that is installed, with certificates made by
# ssh-keygen: who is let in, who is not, and what the system log says.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

. "$(dirname "$0")/../world/gate-machine.sh"

# Nothing on standard output, and one line that says why.
asked_in_vain() {
	local status=0
	# What is wrong with this machine, not with the certificate.
	[ "$2" != untrusted-file ] || status=1
	check "$status" "$1: the gate says no" \
	    ask "${3:-sandbox}" "$cert-cert.pub"
	[ ! -s "$out" ] || fail "$1: it printed something"
	says "$1: one line on standard error" '^sandbox-authkeys: '
	logged "$1: $2" "sandbox-authkeys\[[0-9]+\]: deny reason=$2\
 user=${3:-sandbox} sandbox=run-1234 serial=$serial\
 key=SHA256:[A-Za-z0-9+/]{43} ca=SHA256:[A-Za-z0-9+/]{43} keyid="
}

# has NAME REGEX: somewhere on standard error.
has() {
	grep -Eq -- "$2" "$err" || fail "$1: no '$2'"
	ok "$1"
}

# refused NAME REASON SSH-KEYGEN ARGUMENT...
refused() {
	local name=$1 reason=$2
	shift 2
	certify "$@"
	asked_in_vain "$name" "$reason"
	check 255 "$name: sshd says no" login sandbox "$cert" true
	says "$name: to the user" 'Permission denied \(publickey\)'
	logged "$name: in sshd too" "deny reason=$reason .* serial=$serial "
}

# Does sshd know %C? It does since 9.4.
knows_the_peer() {
	local version
	version=$("$sshd" -V 2>&1 | sed -n 's/^OpenSSH_\([0-9.]*\).*/\1/p')
	printf '9.4\n%s\n' "$version" | sort -CV
}

test_snippet() {
	check 0 "sshd takes the snippet" "$sshd" -t -f "$keys/sshd_config"
	check 0 "the snippet as it is installed" \
	    grep -E '^AuthorizedKeysCommand /[^@]+/sandbox-authkeys %u %t %k$' \
	    "$BUILDDIR/sshd_config.d/sandbox.conf"
	# OpenSSH 10.6 writes the names of settings in mixed case.
	"$sshd" -T -f "$keys/sshd_config" | tr '[:upper:]' '[:lower:]' >"$out"
	for line in 'trustedusercakeys none' \
	    'passwordauthentication no' 'permittunnel no' \
	    'authenticationmethods publickey' 'logingracetime 120' \
	    'maxsessions 64' 'streamlocalbindunlink yes' \
	    'clientaliveinterval 10' 'clientalivecountmax 3'; do
		grep -qx "$line" "$out" || fail "sshd does not have: $line"
		ok "$line"
	done
	# Since 10.3 there is no line at all when there are no files.
	! grep '^authorizedkeysfile' "$out" | grep -qvx '[a-z]* none' ||
		fail "sshd reads authorized_keys files"
	ok "no authorized_keys files"
}

# The example to copy, its defaults spelt out too.
test_example() {
	certify "${good[@]}"
	echo run-1234 >"$etc/sandbox_id"
	for spelt in '' '/^#[a-z_]* = /s/^#//'; do
		sed "s|/[^ ]*/sandbox-ssh/|$etc/|;$spelt" \
		    "$BUILDDIR/authkeys/authkeys.conf" >"$conf"
		check 0 "the example ${spelt:+with its defaults}" \
		    ask sandbox "$cert-cert.pub"
		logged "allowed" "allow .* serial=$serial "
	done
	reset_settings
}

# Before anything listens at /dev/log.
test_without_log() {
	[ ! -e /dev/log ] || return 0
	certify "${good[@]}"
	check 0 "allowed without a log" ask sandbox "$cert-cert.pub"
	in_vain "denied without a log" ask other "$cert-cert.pub"
}

test_good() {
	local line
	certify "${good[@]}"
	check 0 "a good certificate" ask sandbox "$cert-cert.pub"
	line="cert-authority,principals=\"run-1234\",restrict"
	line+=",agent-forwarding,port-forwarding,pty"
	is "the line" "$(<"$out")" "$line $(cut -d' ' -f1,2 "$keys/ca.pub")"
	logged "allowed, in the log" "<86>sandbox-authkeys\[[0-9]+\]: allow\
 user=sandbox sandbox=run-1234 serial=$serial\
 key=$(fingerprint "$keys/user.pub")\
 ca=$(fingerprint "$keys/ca.pub")\
 keyid=alice/run-1234/1\$"
	check 0 "it logs in" login sandbox "$cert" 'id -un; echo asked'
	is "as the user" "$(<"$out")" $'sandbox\nasked'
	logged "in sshd too" "allow user=sandbox .* serial=$serial "

	check 3 "exit status" login sandbox "$cert" 'exit 3'
	check 0 "a terminal" login sandbox "$cert" -tt tty
	grep -q /dev/pts/ "$out" || fail "no terminal: $(<"$out")"

	certify "${good[@]}" -s "$keys/next-ca"
	check 0 "the other trusted CA" login sandbox "$cert" true
	certify "${good[@]}" -O extension:mark@example.org=x
	check 0 "threat 13: an unknown extension" login sandbox "$cert" true
}

test_restrictions() {
	certify "${good[@]}" -O force-command='echo forced'
	check 0 "force-command" login sandbox "$cert" 'echo asked'
	is "it is what runs" "$(<"$out")" forced

	certify "${good[@]}" -O source-address=192.0.2.0/24
	check 255 "threat 15: source-address, and the peer is unknown" login sandbox "$cert" true

	# The gate itself, told as sshd does since 9.4.
	check 0 "threat 15: the gate, not told who the peer is" \
	    ask sandbox "$cert-cert.pub"
	check 0 "threat 15: the gate, told of a good peer" \
	    ask sandbox "$cert-cert.pub" '192.0.2.9 50000 192.0.2.1 22'
	in_vain "threat 15: the gate, told of another one" \
	    ask sandbox "$cert-cert.pub" '192.0.3.9 50000 192.0.2.1 22'
	says "threat 15: it says so" '192\.0\.3\.9 .*source-address'
	logged "threat 15: in the log" \
	    "deny reason=source-address .* serial=$serial "
	in_vain "threat 15: the gate, told nothing that it knows" \
	    ask sandbox "$cert-cert.pub" ''
	if knows_the_peer; then
		sed -i 's|^AuthorizedKeysCommand .*|& %C|' \
		    /etc/ssh/sshd_config.d/sandbox.conf
		check 255 "threat 15: by sshd" login sandbox "$cert" true
		logged "threat 15: told by sshd" \
		    "deny reason=source-address .* serial=$serial "
		certify "${good[@]}"
		check 0 "threat 15: any peer by sshd" login sandbox "$cert" true
		sed -i '/^AuthorizedKeysCommand /s| %C$||' \
		    /etc/ssh/sshd_config.d/sandbox.conf
	fi

	certify "${good[@]}" -O clear
	check 0 "nothing permitted: the line" ask sandbox "$cert-cert.pub"
	is "only restrict" "$(cut -d' ' -f1 "$out")" \
	    'cert-authority,principals="run-1234",restrict'
	check 255 "no terminal" login sandbox "$cert" -tt tty
	says "refused" 'PTY allocation request failed'
	loud=INFO check 255 "no forwarding" \
	    login sandbox "$cert" -W 127.0.0.1:1
	has "prohibited" 'administratively prohibited'

	certify "${good[@]}"
	loud=INFO check 255 "forwarding" login sandbox "$cert" -W 127.0.0.1:1
	has "only that nobody listens there" 'Connection refused'
	echo 'permit = port-forwarding' >>"$conf"
	check 255 "permitted by the certificate, not by the gate" \
	    login sandbox "$cert" -tt tty
	says "refused again" 'PTY allocation request failed'
	reset_settings
}

test_refused() {
	refused "threat 1: another sandbox" wrong-sandbox "${good[@]}" -n run-1235
	refused "threat 5: no principal" principals -s "$keys/ca" -I a -V -1m:+1h
	refused "threat 6: two principals" principals "${good[@]}" -n run-1234,run-1
	refused "threat 6: a pattern" principal-name "${good[@]}" -n '*'
	refused "threat 6: white space" principal-name "${good[@]}" -n 'run-1234 '
	refused "threat 2: expired" expired "${good[@]}" -V -2h:-1h
	refused "threat 3: not yet valid" not-yet-valid "${good[@]}" -V +10m:+1h
	refused "threat 4: longer than allowed" lifetime "${good[@]}" -V -1m:+25h
	refused "threat 4: for ever" lifetime "${good[@]}" -V always:forever
	refused "threat 8: unknown CA" ca-unknown "${good[@]}" -s "$keys/stranger"
	refused "threat 8: RSA CA" ca-type "${good[@]}" -s "$keys/rsa-ca"
	refused "no key id" key-id "${good[@]}" -I ''
	refused "threat 13: unknown critical option" option-unknown "${good[@]}" \
	    -O critical:mark@example.org=x
	refused "threat 14: force-command as an extension" option-place "${good[@]}" \
	    -O extension:force-command=true
	refused "threat 14: flag with data" option-value "${good[@]}" -O clear \
	    -O extension:permit-pty=x
	refused "single use" single-use "${good[@]}" \
	    -O extension:single-use@sandbox-ssh

	certify "${good[@]}" -z 0
	check 255 "threat 23: serial 0" login sandbox "$cert" true
	logged "serial-zero" 'deny reason=serial-zero .* serial=0 '

	# A client would not offer it.
	certify "${good[@]}" -h
	asked_in_vain "threat 7: a host certificate" cert-type

	certify "${good[@]}"
	check 255 "account that is not listed" login other "$cert" true
	logged "login-user" "deny reason=login-user user=other "

	echo "issued_after = $(date +%s)" >>"$conf"
	certify "${good[@]}"
	check 255 "older than the sandbox" login sandbox "$cert" true
	logged "issued-earlier" "deny reason=issued-earlier .*=$serial "
	reset_settings
}

# issue [OPTION...]: $cert by our own issuer, with a $serial of its own, also in $hex.
issue() {
	number=$((number + 1))
	serial=$number
	hex=$(printf '%016x' "$number")
	cert=$keys/cert-$number
	cp "$keys/user" "$cert"
	cp "$keys/user.pub" "$cert.pub"
	"$BUILDDIR/certs/sandbox-cert" issue --ca "$keys/ca" \
	    --sandbox run-1234 --serial "$hex" "$@" "$cert.pub" >/dev/null
}

test_sandbox_cert() {
	issue --permit pty
	check 0 "sandbox-cert's certificate" ask sandbox "$cert-cert.pub"
	is "permits what was asked" "$(cut -d' ' -f1 "$out")" \
	    'cert-authority,principals="run-1234",restrict,pty'
	check 0 "it logs in" login sandbox "$cert" true
	logged "allowed" "allow .* serial=$serial .* keyid=root/run-1234/$hex"

	issue --force-command 'echo forced' --ttl 24h
	check 0 "with a command" login sandbox "$cert" 'echo asked'
	is "its output" "$(<"$out")" forced

	issue --single-use
	asked_in_vain "for a single use" single-use
	issue --sandbox run-1235
	asked_in_vain "for another sandbox" wrong-sandbox
	issue --ca "$keys/stranger"
	asked_in_vain "by another CA" ca-unknown
	issue --valid-from "$(($(date +%s) - 7200))"
	asked_in_vain "expired" expired
}

# in_force ARGUMENT...: a list that revokes what these arguments say.
in_force() {
	"$BUILDDIR/certs/sandbox-cert" revocations sign --ca "$keys/ca" \
	    --out "$etc/revoked" "$@"
	grep -q '^revoked = ' "$conf" || echo "revoked = $etc/revoked" >>"$conf"
}

# locked_out NAME REASON: the certificate that there is, by gate and sshd.
locked_out() {
	asked_in_vain "$1" "$2"
	check 255 "$1: sshd says no" login sandbox "$cert" true
	logged "$1: in sshd too" "deny reason=$2 .* serial=$serial "
}

test_revoked() {
	local before after
	certify "${good[@]}"
	before=$(printf '0x1-0x%x' $((number - 1)))
	after=$(printf '0x%x-0xffffffffffffffff' $((number + 1)))
	in_force --serial "$before" --serial "$after" \
	    --key "$keys/stranger.pub" --revoke-ca "$keys/stranger.pub"
	check 0 "others are revoked" login sandbox "$cert" true
	logged "allowed" "allow .* serial=$serial "
	in_force --serial "0x$hex"
	locked_out "threat 23: its serial is revoked" revoked
	in_vain "once more" ask sandbox "$cert-cert.pub"
	says "list and cause are named" "$etc/revoked: the serial is revoked"
	in_force --serial "0x$hex" --issuer "$keys/next-ca.pub"
	check 0 "another CA's serial" login sandbox "$cert" true
	logged "allowed" "allow .* serial=$serial "
	in_force --key "$keys/user.pub"
	locked_out "threat 23: its key is revoked" revoked
	"$BUILDDIR/certs/sandbox-cert" revocations sign --ca "$keys/next-ca" \
	    --out "$etc/revoked" --revoke-ca "$keys/ca.pub"
	locked_out "threat 23: its CA is revoked" revoked
	rm "$etc/revoked"
	"$BUILDDIR/certs/sandbox-cert" revoke --ca "$keys/ca" \
	    --new --list "$etc/revoked" "$cert-cert.pub"
	locked_out "revoked in one step" revoked

	"$BUILDDIR/certs/sandbox-cert" revocations sign --ca "$keys/stranger" \
	    --out "$etc/revoked"
	locked_out "a stranger's list" revocation-list-signer
	in_force --next-update 1s
	wait_for "the list's end" is_over "$etc/revoked"
	locked_out "threat 23: the next update is due" revocation-list-stale
	in_force
	truncate -s -1 "$etc/revoked"
	locked_out "threat 23: a list that is cut short" revocation-list
	rm "$etc/revoked"
	locked_out "threat 23: no list" revocation-list
	in_force
	chmod o+w "$etc/revoked"
	locked_out "threat 24: anybody's list" untrusted-file
	reset_settings
}

is_over() {
	local due
	due=$("$BUILDDIR/certs/sandbox-cert" revocations show --json "$1" |
		sed 's/.*"next_update":\([0-9]*\).*/\1/')
	# time(2), which the gate asks, may be a tick behind date.
	[ "$(date +%s)" -gt "$due" ]
}

# Every second instead of every 10: ssh lives on, and says nothing any more.
test_dead_peer() {
	local client session
	certify "${good[@]}"
	mkfifo "$keys/hold"
	exec 9<>"$keys/hold"
	sshd_flags="-i -e -o ClientAliveInterval=1 -o ClientAliveCountMax=1" \
	    login sandbox "$cert" 'echo $PPID; exec cat' \
	    <"$keys/hold" >"$keys/session" 9>&- &
	wait_for "the session" test -s "$keys/session"
	session=$(<"$keys/session")
	client=$(pgrep -x ssh)
	kill -STOP "$client"
	wait_for "sshd's end" is_gone "$session"
	ok "a peer that falls silent is noticed"
	kill -KILL "$client"
	exec 9>&-
	wait "$!" 2>/dev/null || :
}

is_gone() {
	! kill -0 "$1"
}

# sshd's own log: a stranger cannot fill it, the operator finds what is broken.
test_sshd_log() {
	certify "${good[@]}" -V -2h:-1h
	: >"$keys/sshd.log"
	check 255 "an ended certificate" login sandbox "$cert" true
	is "the reason, and no certificate, in sshd's log" \
	    "$(<"$keys/sshd.log")" 'sandbox-authkeys: certificate has expired'
	chmod g+w "$conf"
	check 255 "settings that others can write" login sandbox "$cert" true
	check 0 "sshd says that the gate failed" \
	    grep -q 'sandbox-authkeys .* failed, status 1' "$keys/sshd.log"
	reset_settings
}

test_plain_key() {
	check 0 "threat 18: a plain key: no opinion" ask sandbox "$keys/user.pub"
	is "no output" "$(<"$out")" ''
	install -d -o sandbox -m 0700 /home/sandbox/.ssh
	install -o sandbox -m 0600 "$keys/user.pub" \
	    /home/sandbox/.ssh/authorized_keys
	check 255 "authorized_keys counts for nothing" \
	    login sandbox "$keys/user" true
	says "no other method" 'Permission denied \(publickey\)'
}

# What the person at the other end, or sshd, could get wrong.
# For whoever cannot see the log.
test_last_refusal() {
	local report=/var/lib/sandbox-report
	install -d -o sandbox-authkeys -m 0755 "$report"
	echo "last_refusal = $report/refused" >>"$conf"
	certify "${good[@]}"
	check 0 "one who is let in" login sandbox "$cert" true
	is "is no refusal" "$(ls "$report")" ""
	refused "one who is not" expired "${good[@]}" -V -2h:-1h
	is "the reason" "$(cut -d' ' -f2 "$report/refused")" expired
	is "now" "$(($(date +%s) - $(cut -d' ' -f1 "$report/refused") < 60))" 1
	check 255 "a plain key" login sandbox "$keys/stranger" true
	is "has no say in it" "$(cut -d' ' -f2 "$report/refused")" expired
	in_vain "what is no key at all" as_sshd "$gate" -c "$conf" sandbox \
	    ssh-ed25519 AAAA
	is "neither" "$(cut -d' ' -f2 "$report/refused")" expired
	refused "another one" ca-unknown "${good[@]}" -s "$keys/stranger"
	is "the latest reason" "$(cut -d' ' -f2 "$report/refused")" ca-unknown
	chown root "$report/refused"
	chmod 0666 "$report/refused"
	refused "where it cannot be told" expired "${good[@]}" -V -2h:-1h
	is "it stays" "$(cut -d' ' -f2 "$report/refused")" ca-unknown
	rm -r "$report"
	refused "nowhere to tell it" expired "${good[@]}" -V -2h:-1h
	reset_settings
}

test_words() {
	local type blob
	certify "${good[@]}"
	read -r type blob _ <"$cert-cert.pub"

	in_vain "threat 17: type and key differ" \
	    as_sshd "$gate" -c "$conf" sandbox ssh-ed25519 "$blob"
	logged "type-mismatch" "deny reason=type-mismatch user=sandbox "
	in_vain "threat 17: trailing white space" \
	    as_sshd "$gate" -c "$conf" sandbox "$type" "$blob "
	logged "encoding" "deny reason=encoding "
	in_vain "threat 10: cut short" \
	    as_sshd "$gate" -c "$conf" sandbox "$type" "${blob:0:400}"
	logged "truncated" "deny reason=truncated .* serial= key= "
	in_vain "a user with a newline" \
	    as_sshd "$gate" -c "$conf" $'x\nallow user=y' "$type" "$blob"
	logged "escaped" 'user=x\\x0aallow\\x20user=y sandbox='
	check 64 "no operands" as_sshd "$gate" -c "$conf"
	logged "usage" "deny reason=usage user= sandbox= "
	check 64 "one operand too many" \
	    as_sshd "$gate" -c "$conf" sandbox "$type" "$blob" x x
	check 64 "a relative path" \
	    as_sshd "$gate" -c authkeys.conf sandbox "$type" "$blob"

	check 1 "threat 30: nobody can read the answer" \
	    bash -c '"$@" >&-' bash as_sshd_ask "$cert-cert.pub"
	says "it says so" 'cannot write the answer'
	logged "io" "deny reason=io .* serial=$serial "
	check 1 "threat 30: no space for the answer" \
	    bash -c '"$@" >/dev/full' bash as_sshd_ask "$cert-cert.pub"
}

# ask, for another bash.
as_sshd_ask() {
	ask sandbox "$1"
}

# Row by row: the file is no longer one that only root can have written.
test_files() {
	local file spoil
	certify "${good[@]}"
	for file in "$conf" "$etc/ca.pub" "$etc/id"; do
		for spoil in "chmod g+w $file" "chmod o+w $file" \
		    "chown sandbox $file" "mv $file $file.x; ln -s $file.x $file" \
		    "rm $file; mkfifo $file" "rm $file; mkdir $file" \
		    "rm $file" ": >$file" "head -c 70000 /dev/zero >$file"; do
			eval "$spoil"
			check 1 "threat 24: $spoil" ask sandbox "$cert-cert.pub"
			[ ! -s "$out" ] || fail "$spoil: it printed something"
			says "the file is named" "$file"
			logged "in the log too" \
			    "deny reason=(untrusted-file|config) .*$file"
			reset_settings
		done
	done
	for spoil in "chmod g+w $etc" "chown sandbox $etc" \
	    "mv $etc $etc.x; ln -s $etc.x $etc"; do
		eval "$spoil"
		check 1 "threat 24: $spoil" ask sandbox "$cert-cert.pub"
		[ ! -s "$out" ] || fail "$spoil: it printed something"
		says "the folder is named" "$etc (can|belongs|is not)"
		logged "in the log too" "deny reason=untrusted-file .*$etc "
		rm -rf "$etc.x"
		reset_settings
	done
}

# touched COMMAND...: every file that it names to the kernel, whatever for,
# one a line; run by root, since the gate hides from its own account.
touched() {
	strace -f -y -u sandbox-authkeys -e trace=%file,connect -o "$keys/trace" \
	    env -i "$@" >"$out" 2>"$err" </dev/null || fail "$1 failed"
	# Up to the gate itself it is env.
	sed '1,/execve("[^"]*sandbox-authkeys"/d' "$keys/trace" | sed -nE '
	    s|^[0-9]+ +[a-z0-9]+\("(/[^"]*)".*|\1|p
	    s|^[0-9]+ +[a-z0-9]+\(AT_FDCWD<[^>]*>, "(/[^"]*)".*|\1|p
	    s|^[0-9]+ +[a-z0-9]+\([0-9]+<([^>]*)>, "([^"]+)".*|\1/\2|p
	    s|^.* connect\(.*sun_path="([^"]*)".*|\1|p' |
		sed -E 's|^/proc/[0-9]+/|/proc/PARENT/|' | sort -u
}

# Of the system around it the gate reads nothing: that may be anybody's image.
test_reads() {
	local state=/var/lib/sandbox-authkeys image=/srv/image type blob place
	if readelf -sW "$gate" | grep -q ' __asan_init'; then
		ok "built with sanitizers, which read what they like"
		return
	fi
	command -v strace >/dev/null ||
		world_skip "strace is missing: apt-get install strace"
	install -d -o sandbox-authkeys -m 0700 "$state"
	echo "state_dir = $state" >>"$conf"
	in_force
	certify "${good[@]}" -O extension:single-use@sandbox-ssh
	read -r type blob _ <"$cert-cert.pub"
	touched "$gate" -c "$conf" sandbox "$type" "$blob" >"$keys/touched"
	grep -q '^cert-authority' "$out" || fail "it let nobody in"
	grep -v "^$state" "$keys/touched" >"$keys/outside"
	printf '%s\n' / /dev/log /etc "$etc" "$conf" "$etc/ca.pub" "$etc/id" \
	    "$etc/revoked" /proc /proc/PARENT/stat /proc/self/exe \
	    /proc/self/ns/pid /proc/sys/kernel/random/boot_id /var /var/lib |
		sort >"$keys/expected"
	is "it names no file but these" "$(<"$keys/outside")" \
	    "$(<"$keys/expected")"
	grep -q "^$state/floor$" "$keys/touched" || fail "no state was looked at"
	ok "and below state_dir"
	rm -r "$state"
	reset_settings

	# A stranger's image, where every file that a program may look for hangs.
	mkdir -p "$image/usr/lib" "$image/etc" "$image/dev"
	cp -R "${gate%/*}" "$image/usr/lib"
	cp -R "$etc" "$image/etc"
	for place in etc/{localtime,passwd,nsswitch.conf,ld.so.cache,ld.so.preload} \
	    etc/{timezone,hosts,resolv.conf,ssl,locale.alias} dev/{random,urandom}; do
		mkfifo "$image/$place"
	done
	certify "${good[@]}"
	read -r type blob _ <"$cert-cert.pub"
	check 0 "an image of fifos" \
	    chroot "$image" "$gate" -c "$conf" sandbox "$type" "$blob"
	grep -q '^cert-authority' "$out" || fail "it let nobody in"
}

export -f ask as_sshd as_sshd_ask
export gate conf
machine
test_snippet
test_without_log
start_log
test_example
test_good
test_restrictions
test_refused
test_sandbox_cert
test_revoked
test_dead_peer
test_sshd_log
test_plain_key
test_last_refusal
test_words
test_files
test_reads
done_testing
