#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# What the design takes for granted about OpenSSH, on the one at hand: where
# releases differ, each must behave as its own does, and ours must hold.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/gate-machine.sh"

# since NUMBER PROGRAM: is it that release or later?
since() {
	local got
	got=$("$2" -V 2>&1 | sed -n 's/^OpenSSH_\([0-9.]*\).*/\1/p;T;q')
	[ -n "$got" ] || fail "$2 tells no version"
	[ "$(printf '%s\n' "$1" "$got" | sort -V | head -n 1)" = "$1" ]
}

# expect NAME WANTED COMMAND...: WANTED is yes, or no: it is sshd that refuses.
expect() {
	local status=0
	[ "$2" = yes ] || status=255
	check "$status" "$1: $2" "${@:3}"
	[ "$2" = yes ] || says "$1: sshd says so" 'Permission denied'
}

# Hand ssh a descriptor, but first put the identity in its place.
late_proxy() {
	cat >"$keys/late.py" <<-'END'
	import shutil, socket, subprocess, sys
	sshd, config, have, want = sys.argv[1:]
	ours, theirs = socket.socketpair()
	subprocess.Popen([sshd, "-i", "-f", config], stdin=theirs,
	    stdout=theirs, stderr=subprocess.DEVNULL)
	shutil.copy(have, want)
	shutil.copy(have + "-cert.pub", want + "-cert.pub")
	socket.send_fds(socket.socket(fileno=1), [b"x"], [ours.fileno()])
	END
	ssh -F none -o BatchMode=yes -o LogLevel=ERROR \
	    -o IdentityFile="$keys/late" -o IdentitiesOnly=yes \
	    -o HostKeyAlias=gate -o UserKnownHostsFile="$keys/known_hosts" \
	    -o StrictHostKeyChecking=yes -o ProxyUseFdpass=yes \
	    -o ProxyCommand="/usr/bin/python3 $keys/late.py $sshd \
	        $keys/sshd_config $cert $keys/late" sandbox@gate true
}

early_match() {
	cat >"$keys/early_config" <<-END
	Match host gate exec "cp $cert $keys/early && \
	    cp $cert-cert.pub $keys/early-cert.pub && \
	    echo 'HostKeyAlias gate' >$keys/included"
	    Include $keys/included
	Host *
	    User sandbox
	    IdentityFile $keys/early
	    IdentitiesOnly yes
	    UserKnownHostsFile $keys/known_hosts
	    StrictHostKeyChecking yes
	    ProxyCommand $sshd -i -e -f $keys/sshd_config 2>>$keys/sshd.log
	END
	ssh -F "$keys/early_config" -o BatchMode=yes gate true
}

test_identity_files() {
	local late=yes
	certify "${good[@]}"
	check 0 "credentials written by Match exec count" early_match
	! since 10.5 ssh || late=no
	expect "credentials written by the ProxyCommand count" "$late" \
	    late_proxy
}

# without_gate AUTHORIZED-KEYS-LINE: log in by that file alone.
without_gate() {
	local whole=$keys/sshd_config
	echo "$1" >"$keys/authorized"
	cat >"$keys/sshd_config.plain" <<-END
	HostKey $keys/host
	PidFile none
	AuthorizedKeysFile $keys/authorized
	StrictModes no
	LogLevel VERBOSE
	END
	mv "$whole" "$whole.gate"
	mv "$whole.plain" "$whole"
	login sandbox "$cert" true || {
		mv "$whole.gate" "$whole"
		return 255
	}
	mv "$whole.gate" "$whole"
}

# A principal with a comma in it: ssh-keygen would make two of it.
comma_certificate() {
	certify "${good[@]}"
	/usr/bin/python3 -W ignore - "$keys/ca" "$cert" "$number" <<-'END'
	import sys
	import asyncssh
	ca = asyncssh.read_private_key(sys.argv[1])
	key = asyncssh.read_public_key(sys.argv[2] + ".pub")
	ca.generate_user_certificate(key, "alice/run-1234/1",
	    serial=int(sys.argv[3]), principals=["evil,run-1234"],
	    valid_after="-1m", valid_before="+1h",
	).write_certificate(sys.argv[2] + "-cert.pub")
	END
}

# Fixed in 10.3; distributions have it in earlier ones too.
test_principals() {
	local ca line
	ca=$(cut -d' ' -f1,2 "$keys/ca.pub")
	line="cert-authority,principals=\"run-1234\" $ca"
	certify "${good[@]}"
	check 0 "one principal, without the gate" without_gate "$line"
	comma_certificate
	if since 10.3 "$sshd"; then
		expect "a comma in a principal makes two" no \
		    without_gate "$line"
	fi
	expect "a comma in a principal, with the gate" no \
	    login sandbox "$cert" true
	certify -s "$keys/ca" -I alice -V -1m:+1h
	if since 10.3 "$sshd"; then
		expect "no principal means everybody" no \
		    without_gate "cert-authority $ca"
	fi
	expect "no principal, with the gate" no login sandbox "$cert" true
}

# What a single use rests on.
test_command_runs() {
	cat >"${gate%/*}/runs" <<-END
	#!/bin/sh
	echo "\$PPID \$2" >>$keys/runs
	exec $gate -c $conf "\$@"
	END
	chmod 0755 "${gate%/*}/runs"
	install -m 0666 /dev/null "$keys/runs"
	chmod 0755 "$keys"
	sed -i "s|$gate -c $conf|${gate%/*}/runs|" \
	    /etc/ssh/sshd_config.d/sandbox.conf
	certify "${good[@]}"
	check 0 "the command is watched" login sandbox "$cert" true
	is "it ran twice for a certificate" "$(grep -c cert "$keys/runs")" 2
	is "with one parent" "$(cut -d' ' -f1 "$keys/runs" | sort -u | wc -l)" 1
}

sshd=$(PATH=$PATH:/usr/sbin command -v sshd) ||
	world_skip "sshd is missing: apt-get install openssh-server"
machine
test_identity_files
test_principals
test_command_runs
done_testing
