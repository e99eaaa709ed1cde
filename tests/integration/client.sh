#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The client half alone: the ssh that is installed, our snippet and
# sandbox-proxy, against a real sshd -i behind a UNIX socket and a TCP port.
# The cache is written by hand, and sandbox-resolve is a script that records
# how it was called, so no broker is needed.

. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

proxy=$BUILDDIR/sandbox-proxy
alias=run-1234.sandbox
sshd=/usr/sbin/sshd
dir=$(mktemp -d /tmp/client.XXXXXX)
cache="$dir/the cache" # a blank, to see the quoting
entry=$cache/$alias
log=$dir/resolve.log

check() {
	local name=$1
	step="in: $name"
	shift
	"$@" >"$out" 2>"$err" 9>&- || {
		cat "$out" >&2
		fail "$name"
	}
	ok "$name"
}

# session KEY=VALUE...: over the defaults, then endpoints in order
session() {
	local state=running not_after=99999999999 single_use=no line
	local endpoints=()
	for line in "$@"; do
		case $line in
		endpoint=*) endpoints+=("$line") ;;
		*) local "${line?}" ;;
		esac
	done
	(
		umask 077
		printf '%s\n' version=1 id=run-1234 user=sandbox \
		    "state=$state" "not_after=$not_after" \
		    "single_use=$single_use" incarnation= broker= origin= \
		    "${endpoints[@]}" \
		    >"$dir/session.new"
	)
	mv "$dir/session.new" "${session_file:-$entry/session}"
}

# What the next calls of sandbox-resolve do: exit with STATUS, saying TEXT,
# or put $dir/session.next in place.
resolve_will() {
	printf '%s\n' "$1" >"$dir/resolve.status"
	printf '%s\n' "${2:-}" >"$dir/resolve.text"
	: >"$log"
}

world() {
	mkdir -p "$entry" "$dir/libexec"
	chmod 700 "$entry"
	ssh-keygen -q -t ed25519 -N '' -f "$entry/id_ed25519"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	echo "$alias $(cut -d' ' -f1,2 "$dir/host.pub")" >"$entry/known_hosts"
	cp "$entry/id_ed25519.pub" "$dir/authorized_keys"

	cat >"$dir/libexec/sandbox-resolve" <<-END
	#!/bin/sh
	echo "\$*" >>"$log"
	read status <"$dir/resolve.status"
	[ "\$status" = 0 ] || {
	    case "\$*" in *--quiet*) ;; *) cat "$dir/resolve.text" >&2 ;; esac
	    exit "\$status"
	}
	echo "this must not reach ssh"
	cp -p "$dir/session.next" "$entry/session"
	END
	chmod +x "$dir/libexec/sandbox-resolve"
	export SANDBOX_SSH_LIBEXEC=$dir/libexec
	resolve_will 0

	cat >"$dir/sshd_config" <<-END
	HostKey $dir/host
	AuthorizedKeysFile $dir/authorized_keys
	StrictModes no
	UsePAM no
	PidFile none
	PermitRootLogin yes
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	Subsystem sftp internal-sftp
	END
	mkfifo "$dir/hold" "$dir/port"
	/usr/bin/python3 "$SRCDIR/tests/fixtures/sshd_socket.py" \
	    "$dir/sshd.sock" "$sshd" -i -f "$dir/sshd_config" \
	    <"$dir/hold" >"$dir/port" 2>"$dir/sshd.log" &
	exec 9>"$dir/hold"
	read -r port <"$dir/port"

	# Log in as whoever runs this, instead of sandbox.
	"$proxy" --cache "$cache" print-config >"$dir/fdpass"
	sed -e 's/ --fdpass//' -e '/ProxyUseFdpass/d' "$dir/fdpass" >"$dir/stdio"
	head -c 16777216 /dev/urandom >"$dir/data"
}

run() {
	timeout 60 ssh -F "$dir/$mode" -l "$(id -un)" "$alias" "$@"
}

status_is() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || { echo "status $got, not $want"; false; }
}

through_cat() {
	run cat <"$dir/data" >"$dir/back" && cmp "$dir/data" "$dir/back"
}

copy_both_ways() {
	rm -rf "$dir/up" "$dir/down"
	mkdir -p "$dir/up/a b"
	cp "$dir/data" "$dir/up/a b/data"
	local scp=(timeout 60 scp -q -r -F "$dir/$mode" -o "User=$(id -un)")
	"${scp[@]}" "$dir/up" "$alias:$dir/over" &&
	    "${scp[@]}" "$alias:$dir/over" "$dir/down" &&
	    diff -r "$dir/up" "$dir/down" && rm -rf "$dir/over"
}

resolve_calls() {
	local want
	want=$(printf '%s\n' "$@")
	[ "$want" = "$(sed "s|--cache $cache ||" "$log")" ] || {
		echo "sandbox-resolve was called:"
		cat "$log"
		false
	}
}

# The lines of ssh's stderr that are ours are exactly this one.
one_line() {
	local want=$1 mine
	mine=$(run true 2>&1 >/dev/null | grep '^sandbox-') || true
	[ "$mine" = "$want" ] || { echo "said: $mine"; false; }
}

nothing_of_ours_stays() {
	local ssh line ours
	mkfifo "$dir/stdin" "$dir/stdout"
	run cat <"$dir/stdin" >"$dir/stdout" &
	ssh=$!
	exec 7>"$dir/stdin" 8<"$dir/stdout"
	echo hello >&7
	read -r line <&8
	ours=$(pgrep -P "$(pgrep -P "$ssh" -x ssh)" || true)
	exec 7>&- 8<&-
	wait "$ssh" || true
	[ "$line" = hello ] && [ -z "$ours" ]
}

same_as_installed() {
	local built=$BUILDDIR/ssh_config.d/sandbox.conf program
	program=$(sed -n 's/^Match .* exec "exec \(.*\) prepare .*/\1/p' "$built")
	"$proxy" print-config --program "$program" | diff "$built" -
}

config_is() {
	local got
	got=$(timeout 60 ssh -F "$dir/fdpass" -G "$1") || return 1
	shift
	for want in "$@"; do
		grep -qxF "$want" <<<"$got" || { echo "no: $want"; return 1; }
	done
}

other_hosts_are_left_alone() {
	local host
	for host in example.com sandbox xsandbox a.sandbox.example "a'b.x"; do
		diff <(ssh -F /dev/null -G "$host" 2>&1) \
		    <(ssh -F "$dir/fdpass" -G "$host" 2>&1) || return 1
	done
}

setup_includes() {
	local config=$dir/user_config
	printf 'Host *\n    Port 2222' >"$config"
	cp "$config" "$dir/before"
	"$proxy" setup --file "$config" --include "$dir/fdpass" || return 1
	ssh -F "$config" -G "$alias" | grep -qx 'proxyusefdpass yes' || return 1
	ssh -F "$config" -G "$alias" | grep -qx 'port 2222' || return 1
	"$proxy" setup --remove --file "$config" --include "$dir/fdpass" &&
	    cmp "$config" "$dir/before"
}

world
unix=endpoint=unix:$dir/sshd.sock
tcp=endpoint=tcp://localhost:$port
dead=endpoint=unix:$dir/nobody.sock

check "print-config is the installed snippet" same_as_installed
check "other hosts are left alone" other_hosts_are_left_alone
check "setup there and back" setup_includes

session "$unix" state=stopped
resolve_will 0
check "ssh -G finds our settings" config_is "$alias" \
    "proxyusefdpass yes" "stricthostkeychecking true" \
    "identityfile $cache/%h/id_ed25519" \
    "userknownhostsfile $cache/$alias/known_hosts" "user sandbox"
check "ssh -G wakes nothing" resolve_calls

for mode in fdpass stdio; do
	resolve_will 0
	for endpoint in "$unix" "$tcp"; do
		kind="$mode, ${endpoint#endpoint=}"
		kind=${kind%%:*}
		session "$endpoint"
		check "$kind: exit status" status_is 7 run exit 7
		check "$kind: 16 MiB through cat" through_cat
		check "$kind: scp -r both ways" copy_both_ways
	done

	session "$dead" "$tcp"
	check "$mode: a dead endpoint first" status_is 0 run true
	check "$mode: good credentials need nobody" resolve_calls

	session "$unix" state=stopped
	session_file=$dir/session.next session "$unix"
	resolve_will 0
	check "$mode: a stopped one is woken" status_is 0 run true
	check "$mode: by one call" resolve_calls "wake $alias"

	session "$dead"
	session_file=$dir/session.next session "$tcp"
	resolve_will 0
	check "$mode: one that moved is found" status_is 0 run true
	check "$mode: before ssh reads its credentials" \
	    resolve_calls "--quiet prepare $alias"

	session endpoint=tcp://localhost:1
	session_file=$dir/session.next session "$tcp"
	resolve_will 0
	check "$mode: one that moved on a network is found" status_is 0 run true
	check "$mode: by one call" resolve_calls "wake $alias"

	session "$dead" not_after=1
	session_file=$dir/session.next session "$unix"
	resolve_will 0
	check "$mode: expired credentials are renewed" status_is 0 run true
	check "$mode: by one call" resolve_calls "--quiet prepare $alias"

	session "$unix" single_use=yes
	session_file=$dir/session.next session "$unix" single_use=yes
	resolve_will 0
	check "$mode: single use: first" status_is 0 run true
	check "$mode: single use: second" status_is 0 run true
	check "$mode: one set each" resolve_calls "--quiet prepare $alias" \
	    "--quiet prepare $alias"

	rm "$entry/session"
	resolve_will 66 "sandbox-resolve: run-1234 is gone"
	check "$mode: a failure is told once" \
	    one_line "sandbox-resolve: run-1234 is gone"
	check "$mode: its status is passed on" status_is 66 \
	    "$proxy" --cache "$cache" connect "$alias"

	session endpoint=gopher://x
	later="'gopher://x' is not an endpoint of a known kind"
	check "$mode: an endpoint of a later version" one_line \
	    "sandbox-proxy: $later: is this sandbox-ssh older than the broker?"
done

mode=fdpass
session "$tcp"
check "nothing of ours stays with a session" nothing_of_ours_stays

done_testing
