#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# SSH clients that are not OpenSSH: paramiko, asyncssh, libssh, dropbear.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox
libssh_client=/srv/tests/libssh_client

prepare() {
	[ -x "$BUILDDIR/tests/fixtures/libssh_client" ] ||
		world_skip "libssh-dev was missing when this was configured"
	install "$BUILDDIR/tests/fixtures/libssh_client" "$libssh_client"
	sed -n '/import.*paramiko/,$s/^    //p' "$SRCDIR/doc/tools.md" \
	    >/srv/tests/example.py
}

main() {
	cache=$HOME/.cache/sandbox-ssh
	mkdir "$HOME/work"
	cd "$HOME/work"
	sandbox-proxy print-config --stdio >stdio
	python_clients
	libssh
	dropbear
	wait_for "the end of the relays" none_of_ours
	ok "no process of ours stays"
}

none_of_ours() {
	! pgrep -u "$(id -u)" -f 'sandbox-(proxy|resolve)'
}

python() {
	/usr/bin/python3 "$(dirname "$0")/../fixtures/clients.py" "$@"
}

python_clients() {
	rm -rf "${cache:?}/$host"
	check 0 "paramiko, with print-config --stdio" \
	    python paramiko "$host" stdio
	is "runs and copies" "$(cat "$out")" "run-1234 sandbox 7"
	check 0 "paramiko, as doc/tools.md has it" \
	    /usr/bin/python3 -W ignore "$(dirname "$0")/../example.py"
	is "runs" "$(cat "$out")" "run-1234"
	check 0 "asyncssh, with the same" python asyncssh "$host" stdio
	is "runs and copies too" "$(cat "$out")" "run-1234 sandbox 7"
	rm -rf "${cache:?}/$host"
	check 0 "asyncssh, with ~/.ssh/config as it is" \
	    python asyncssh "$host" "$HOME/.ssh/config"
	is "the same again" "$(cat "$out")" "run-1234 sandbox 7"
}

# Without anything in the cache: connect gets it, before the key is read.
libssh() {
	rm -rf "${cache:?}/$host"
	check 7 "libssh, with print-config --stdio" "$libssh_client" \
	    "$host" stdio "$cache/$host" 'hostname; id -un; exit 7'
	is "runs" "$(paste -sd ' ' "$out")" "run-1234 sandbox"
	ssh-keygen -q -t ed25519 -N '' -C '' -f other
	sed -i "s|ssh-ed25519 .*|$(cat other.pub)|" "$cache/$host/known_hosts"
	check 255 "libssh, with another host key pinned" "$libssh_client" \
	    "$host" stdio "$cache/$host" true
	says "refuses" 'not the pinned one'
	rm -rf "${cache:?}/$host"
}

# dbclient reads no OpenSSH configuration and knows no certificates: what it
# can show is that bytes pass, that it sees the pinned host key, and that a
# key without its certificate does not open the gate.
dropbear() {
	sandbox-proxy prepare "$host"
	dropbearconvert openssh dropbear "$cache/$host/id_ed25519" \
	    "$HOME/work/dropbear_key" >"$out" 2>"$err"
	cp "$cache/$host/known_hosts" "$HOME/.ssh/known_hosts"
	check 1 "dbclient" dbclient -i dropbear_key \
	    -J "$(command -v sandbox-proxy) connect $host" \
	    "sandbox@$host" true
	grep -q 'No auth methods could be used' "$err" ||
		fail "the key exchange is done, the bare key refused"
	ok "the key exchange is done, the bare key refused"
	rm "$HOME/.ssh/known_hosts"
}

[ -n "${1:-}" ] || prepare
world_main "$@"
