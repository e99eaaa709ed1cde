#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# doc/operating.md: every command in it is run, in its order, below a real
# systemd, and what it says about them is so.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/systemd.sh
. "$(dirname "$0")/../world/systemd.sh"
world_enter "$0" "$@"

doc=$SRCDIR/doc/operating.md
blocks=/srv/blocks
source=/srv/source
state=/var/lib/sandbox-ssh
conf=/etc/sandbox-ssh/sandboxd.conf
cache=$HOME/.cache/sandbox-ssh/run-1.sandbox

# The blocks of commands, one file each: NN_SECTION_N.
split_blocks() {
	mkdir "$blocks"
	awk -v folder="$blocks" '
	/^## / {
		section = tolower(substr($0, 4))
		gsub(/[^a-z]+/, "_", section)
		of_section = 0
	}
	!/^    / { inside = 0; next }
	!inside {
		inside = 1
		file = sprintf("%s/%02d_%s_%d", folder, ++all, section,
		    ++of_section)
	}
	{ print substr($0, 5) >file }' "$doc"
	[ "$(find "$blocks" -type f | wc -l)" -ge 20 ] ||
		fail "the commands are not where they were"
}

# The build is made already, for other folders than the text says.
source_tree() {
	mkdir -p "$source/bin" /etc/sandbox-ssh "${compiled%/*}"
	[ "$compiled" = /etc/sandbox-ssh ] || ln -s /etc/sandbox-ssh "$compiled"
	printf '#!/bin/sh\n' >"$source/configure"
	cat >"$source/bin/make" <<-END
	#!/bin/sh
	[ \$# = 0 ] || exec /usr/bin/make -s -C "$BUILDDIR" "\$@" \\
	    systemdsystemunitdir=/lib/systemd/system \\
	    systemduserunitdir=/usr/lib/systemd/user >/tmp/install.log 2>&1
	END
	chmod +x "$source/configure" "$source/bin/make"
}
compiled=$(printf 'show:\n\t@echo $(pkgsysconfdir)\n' |
	make -s -C "$BUILDDIR" -f Makefile -f - show)

# One block, where the last one of its section has ended.
run_block() {
	printf '\npwd >%s/folder\n' "$source" >>"$1"
	check 0 "$(head -n 1 "$1")" inside env --chdir="$(<"$source/folder")" \
	    PATH="$source/bin:$PATH" bash -euo pipefail "$1"
}

section() {
	printf '%s\n' "$1" | sed 's/^[0-9]*_//; s/_[0-9]*$//'
}

all_blocks() {
	local path name last=
	for path in "$blocks"/*; do
		name=${path##*/}
		[ "$(section "$name")" = "$last" ] || echo "$source" \
		    >"$source/folder"
		last=$(section "$name")
		name=${name#*_}
		! declare -F "before_$name" >/dev/null || "before_$name"
		if declare -F "instead_$name" >/dev/null; then
			"instead_$name" "$path"
		else
			run_block "$path"
		fi
		! declare -F "after_$name" >/dev/null || "after_$name"
	done
}

is_running() {
	inside sandboxctl list | grep -q "^$1 *running"
}

after_install_2() {
	is "nothing runs yet" "$(inside systemctl is-active sandboxd)" inactive
}

after_install_4() {
	is "it is in" "$(tail -n 1 "$out")" run-1
	check 0 "alice's" inside_as alice sandboxctl create run-2
	session_begin
}

after_the_units_1() {
	is "it holds for all of them" "$(inside systemctl show -P TasksMax \
	    sandbox.slice)" 20000
}

# What the text shows of "systemctl edit".
instead_settings_2() {
	local folder=/etc/systemd/system
	mkdir -p "$folder"/sandboxd.{service,socket}.d /srv/sandboxes
	sed -n '/^\[Service/,/^\[Socket/p' "$1" | grep -v '^\[Socket' \
	    >"$folder/sandboxd.service.d/override.conf"
	sed -n '/^\[Socket/,$p' "$1" >"$folder/sandboxd.socket.d/override.conf"
	printf '[broker]\nsocket = %s\nstate_dir = %s\n' \
	    /run/sandbox-ssh/other.sock /srv/sandboxes/state >"$conf"
	inside systemctl daemon-reload
	inside systemctl restart sandboxd.socket
	check 0 "a broker elsewhere" inside env \
	    SANDBOX_BROKER=unix:/run/sandbox-ssh/other.sock sandboxctl \
	    create elsewhere
	[ -d /srv/sandboxes/state/sandboxes/elsewhere ] ||
		fail "it is not where it should be"
	inside env SANDBOX_BROKER=unix:/run/sandbox-ssh/other.sock sandboxctl \
	    kill elsewhere
	rm -r "$folder"/sandboxd.{service,socket}.d
	rm "$conf"
	inside systemctl daemon-reload
	inside systemctl restart sandboxd.socket
	check 0 "and back" inside systemctl restart sandboxd
}

after_logs_1() {
	grep -q 'sandbox=run-1 owner=root event=created cause=create by=root' \
	    "$out" || fail "the log does not say where run-1 is"
	ok "the log says where run-1 is"
}

# Without systemd; its own command stands in the text.
instead_logs_2() {
	sed -n 's/^ *\(kill .*\)/\1/p' "$1" >/srv/rotate
	grep -q kill /srv/rotate || fail "where is the command?"
	inside systemctl stop sandboxd.socket sandboxd
	check 0 "a broker without systemd" inside sandboxd --daemon
	mv "$state/sandboxd.log" "$state/sandboxd.log.1"
	check 0 "it is told" inside sh -eu /srv/rotate
	wait_for "the new log" grep -qs reloaded "$state/sandboxd.log"
	check 0 "it goes on" inside sandboxctl list
	check 0 "it ends" inside sandboxd --stop
	inside systemctl start sandboxd.socket sandboxd
}

after_stop_and_start_1() {
	check 0 "all serves again" inside sandboxctl list
	is_running run-1 || fail "run-1 does not run"
	session_says "after a stop"
}

after_stop_and_start_2() {
	wait_for "the end of all" has_no_scope
	! is_running run-1 || fail "run-1 runs still"
	session_end
	inside sandboxctl start run-1
	session_begin
}

has_no_scope() {
	[ -z "$(inside systemctl list-units --plain --no-legend \
	    'sandbox-*.scope')" ]
}

after_upgrade_1() {
	session_says "after an upgrade"
	check 0 "a new one" inside ssh run-1.sandbox true
}

after_upgrade_2() {
	is_running run-1 || fail "run-1 does not run"
	session_end
	check 0 "ssh" inside ssh run-1.sandbox 'echo kept >workspace/file'
}

after_backup_and_restore_1() {
	check 0 "it serves again" inside sandboxctl list
	is_running run-1 || fail "run-1 does not run"
	key=$(<"$cache/id_ed25519-cert.pub")
}

# Another machine, as far as there is anything of ours.
before_backup_and_restore_2() {
	inside systemctl disable --now sandboxd.socket sandboxd 2>/dev/null
	inside systemctl stop 'sandbox-*.scope'
	wait_for "the end of all" has_no_scope
	rm -rf "$state" /etc/sandbox-ssh /run/sandbox-ssh
}

after_backup_and_restore_2() {
	grep -q '^run-2 *stopped' "$out" || fail "run-2 is not there"
	check 0 "its workspace" inside ssh run-1.sandbox cat workspace/file
	is "is as it was" "$(<"$out")" kept
	is "the certificate is the same" \
	    "$(<"$cache/id_ed25519-cert.pub")" \
	    "$key"
	check 0 "alice's" inside_as alice sandboxctl start run-2
}

# By which key a certificate of now is signed.
signed_by() {
	rm -rf "$cache"
	check 0 "$1" inside ssh run-1.sandbox true
	ssh-keygen -Lf "$cache/id_ed25519-cert.pub" \
	    >"$out"
	grep -q "Signing CA: .*$(ssh-keygen -lf "$2" | cut -d' ' -f2) " \
	    "$out" || fail "$1: not signed by $2"
}

after_changing_the_ca_1() {
	inside sandboxctl stop run-1
	inside sandboxctl start run-1
	cp "$state/ca/ca_ed25519.pub" /srv/old.pub
	signed_by "by the old key" /srv/old.pub
}

after_changing_the_ca_2() {
	check 0 "with the certificate of the old key" inside ssh run-1.sandbox true
	signed_by "by the next key" "$state/ca/ca_ed25519-next.pub"
}

after_changing_the_ca_3() {
	check 0 "it runs on" inside ssh run-1.sandbox true
	inside sandboxctl stop run-1
	inside sandboxctl start run-1
	check 0 "and trusts the next key alone" inside ssh run-1.sandbox true
	# For the last block: of a key that sandboxes do not trust any more.
	ssh-keygen -q -t ed25519 -N '' -f /srv/leaked
	ssh-keygen -y -f "$cache/id_ed25519" >/srv/user.pub
	ssh-keygen -q -s /srv/leaked -I leaked -n run-1 -V -1m:+1h -z 1 \
	    -O clear -O permit-pty /srv/user.pub
	cp /srv/user-cert.pub "$cache/id_ed25519-cert.pub"
	check 255 "a certificate of another key is refused" \
	    inside ssh run-1.sandbox true
}

after_changing_the_ca_4() {
	check 0 "a new certificate is not" inside ssh run-1.sandbox true
}

instead_a_broker_of_one_user_1() {
	user_manager alice
	check 0 "$(head -n 1 "$1")" as_user alice bash -eu "$1"
	is "nothing runs yet" \
	    "$(as_user alice systemctl --user is-active sandboxd)" inactive
	check 0 "the first call starts it" as_user alice \
	    sandboxctl create mine
	is "by her own systemd" \
	    "$(as_user alice systemctl --user is-active sandboxd)" active
	as_user alice sandbox-proxy setup >/dev/null
	check 0 "ssh" as_user alice ssh mine.sandbox true
	as_user alice systemctl --user list-units --plain --no-legend \
	    'sandbox-mine-*.scope' | grep -q running ||
		fail "it has no scope"
	check 0 "restart" as_user alice systemctl --user restart sandboxd
	check 0 "it runs on" as_user alice ssh mine.sandbox true
	check 69 "--stop" as_user alice sandboxd --stop
	says "says what does it" 'systemctl --user stop sandboxd.socket'
	check 0 "kill" as_user alice sandboxctl kill mine
	as_user alice systemctl --user disable --now sandboxd.socket sandboxd
	rm -rf /home/alice/.local
}

after_remove_1() {
	[ ! -e /lib/systemd/system/sandboxd.service ] &&
		[ ! -e /usr/lib/systemd/user/sandboxd.socket ] &&
		[ ! -e /usr/local/sbin/sandboxd ] || fail "something remains"
	ok "the programs and units are gone"
}

split_blocks
source_tree
systemd_boot
world_user alice
all_blocks
done_testing
