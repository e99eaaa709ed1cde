# SPDX-License-Identifier: ISC
# A machine with sshd and the login gate, for gate.sh and those beside it:
# sourced by them, after world_enter.
#
# shellcheck shell=bash disable=SC2034,SC2154

# All of it where every folder belongs to root, as sshd demands.
gate=/usr/lib/sandbox-ssh/sandbox-authkeys
etc=/etc/sandbox-ssh
conf=$etc/authkeys.conf
keys=/srv/keys

machine() {
	local name
	install -D -m 0755 "$BUILDDIR/authkeys/sandbox-authkeys" "$gate"
	mkdir -p "$etc" "$keys" /etc/ssh/sshd_config.d
	for name in sandbox other; do
		useradd --create-home --shell /bin/sh --password '*' "$name"
	done
	useradd --system --home-dir / --shell /usr/sbin/nologin \
	    sandbox-authkeys

	for name in user host ca next-ca stranger; do
		ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$keys/$name"
	done
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$keys/rsa-ca"
	echo "gate $(cut -d' ' -f1,2 "$keys/host.pub")" >"$keys/known_hosts"

	reset_settings
	sed "s|^\(AuthorizedKeysCommand\) .*/sandbox-authkeys|\1 $gate|" \
	    "$BUILDDIR/sshd_config.d/sandbox.conf" |
		sed "s|\($gate\) |\1 -c $conf |" \
		    >/etc/ssh/sshd_config.d/sandbox.conf
	# Whatever stands below the snippet must not open another door.
	cat >"$keys/sshd_config" <<-END
	Include /etc/ssh/sshd_config.d/sandbox.conf
	HostKey $keys/host
	PidFile none
	AuthorizedKeysFile .ssh/authorized_keys
	TrustedUserCAKeys $keys/stranger.pub
	PasswordAuthentication yes
	PermitTunnel yes
	AllowAgentForwarding yes
	END
}

reset_settings() {
	rm -rf "$etc"
	mkdir "$etc"
	echo run-1234 >"$etc/id"
	{
		echo "# two, as while one is being replaced"
		cat "$keys/next-ca.pub" "$keys/ca.pub"
	} >"$etc/ca.pub"
	cat >"$conf" <<-END
	sandbox_id = file:$etc/id
	trusted_ca = $etc/ca.pub
	login_users = sandbox
	END
	chmod 0644 "$etc"/*
}

# A system log: every message comes out of the coprocess as one line.
start_log() {
	coproc log { python3 -c '
import os, socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
os.chmod("/dev/log", 0o666)
print("ready", flush=True)
while True:
    print(log.recv(8192).decode("ascii", "backslashreplace"), flush=True)
'; }
	logged "the log listens" '^ready$'
}

# logged NAME REGEX: wait for a message like that.
logged() {
	local line
	while IFS= read -rt 30 line <&"${log[0]}"; do
		[[ ! $line =~ $2 ]] || {
			ok "$1"
			return
		}
		echo "    other message: $line"
	done
	fail "$1: the log does not say '$2'"
}

# certify [SSH-KEYGEN ARGUMENT...]: $cert, with a $serial of its own, which
# is also $hex.
number=0
certify() {
	number=$((number + 1))
	cert=$keys/cert-$number
	cp "$keys/user" "$cert"
	cp "$keys/user.pub" "$cert.pub"
	ssh-keygen -q -z "$number" "$@" "$cert.pub" 2>/dev/null
	serial=$number
	hex=$(printf '%016x' "$number")
}

good=(-s "$keys/ca" -I alice/run-1234/1 -n run-1234 -V -1m:+1h)

# As a regular expression.
fingerprint() {
	ssh-keygen -lf "$1" | cut -d' ' -f2 | sed 's/+/\\+/g'
}

# The gate as sshd calls it: its user, hardly any environment.
as_sshd() {
	env -i PATH=/usr/bin:/bin setpriv --reuid sandbox-authkeys \
	    --regid sandbox-authkeys --clear-groups "$@" </dev/null
}

# ask USER PUBLIC-KEY-FILE [CONNECTION]
ask() {
	local type blob
	read -r type blob _ <"$2"
	as_sshd "$gate" -c "$conf" "$1" "$type" "$blob" "${@:3}"
}

# in_vain NAME COMMAND...: a denial is no output, and a status of which sshd
# makes no line in its log.
in_vain() {
	check 0 "$@"
	[ ! -s "$out" ] || fail "$1: it printed something"
}

# login USER KEY-FILE [SSH ARGUMENT...]; the certificate lies beside the key.
login() {
	local user=$1 key=$2
	shift 2
	ssh -F none -o BatchMode=yes -o LogLevel="${loud:-ERROR}" \
	    -o IdentityFile="$key" -o IdentitiesOnly=yes \
	    -o IdentityAgent=none -o HostKeyAlias=gate \
	    -o UserKnownHostsFile="$keys/known_hosts" \
	    -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes \
	    -o ProxyCommand="$sshd ${sshd_flags:--i -e} -f $keys/sshd_config 2>>$keys/sshd.log" \
	    "$user@gate" "$@"
}

# What sshd thought of it, when a check failed.
show_sshd_log() {
	local status=$?
	[ "$status" = 0 ] || [ ! -s "$keys/sshd.log" ] ||
		tail -5 "$keys/sshd.log" | cut -c -200 | sed 's/^/    sshd: /' >&2
}

trap show_sshd_log EXIT
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) ||
	world_skip "sshd is missing: apt-get install openssh-server"
