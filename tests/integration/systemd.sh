#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandboxd below a real systemd, by the units that are installed.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/systemd.sh
. "$(dirname "$0")/../world/systemd.sh"
world_enter "$0" "$@"

conf=$(printf 'show:\n\t@echo $(pkgsysconfdir)\n' |
	make -s -C "$BUILDDIR" -f Makefile -f - show)/sandboxd.conf

install_all() {
	make -s -C "$BUILDDIR" install \
	    systemdsystemunitdir=/lib/systemd/system \
	    systemduserunitdir=/usr/lib/systemd/user >/tmp/install.log 2>&1
}

main_pid() {
	inside systemctl show -P MainPID sandboxd
}

# Those that are no helper of another.
brokers() {
	inside pgrep -x sandboxd | grep -c .
}

# journal TEXT: has sandboxd, or systemd about it, said that since the mark?
mark() {
	cursor=$(inside journalctl -u sandboxd --show-cursor -n 0 |
		sed -n 's/^-- cursor: //p')
}

journal() {
	inside journalctl -u sandboxd -o cat --no-pager \
	    --after-cursor "$cursor" | grep -q -- "$1"
}

# A session that answers every line that is written to it.
session_begin() {
	coproc session { inside ssh run-1.sandbox cat 2>&1; }
	session_says "a session"
}

session_says() {
	local line
	echo "$1" >&"${session[1]}"
	IFS= read -rt 30 line <&"${session[0]}" || fail "$1: no answer"
	is "$1: it answers" "$line" "$1"
}

test_units() {
	check 0 "the units are in order" inside systemd-analyze verify \
	    sandboxd.service sandboxd.socket
	is "nothing is said about them" "$(cat "$out" "$err")" ""
	check 0 "the user's, too" inside env XDG_RUNTIME_DIR=/tmp \
	    systemd-analyze --user verify \
	    sandboxd.service sandboxd.socket
	is "nothing is said about those" "$(cat "$out" "$err")" ""
	check 0 "enable" inside systemctl enable --now sandboxd.socket
	is "nothing runs before somebody calls" \
	    "$(inside systemctl is-active sandboxd)" inactive
}

test_activation() {
	check 0 "the first call starts it" inside sandboxctl create run-1
	is "by systemd" "$(inside systemctl is-active sandboxd)" active
	check 0 "an ordinary user is served as well" \
	    inside_as alice sandboxctl create run-2
	[ ! -e /home/alice/.local/state/sandbox-ssh ] ||
		fail "alice has a broker of her own"
	inside sandbox-proxy setup >/dev/null
	inside_as alice sandbox-proxy setup >/dev/null
	check 0 "ssh" inside ssh run-1.sandbox true
	check 0 "ssh of an ordinary user" inside_as alice ssh run-2.sandbox true
	check 0 "its state" inside systemctl show -P StatusText sandboxd
	is "is told" "$(<"$out")" Serving
	check 69 "--stop does not signal systemd" inside sandboxd --stop
	says "but says what does" 'systemctl stop sandboxd.socket sandboxd.service'
	is "it goes on" "$(inside systemctl is-active sandboxd)" active
}

test_restart() {
	session_begin
	check 0 "restart" inside systemctl restart sandboxd
	session_says "after the restart"
	check 0 "list" inside sandboxctl list
	grep -q '^run-1 *running' "$out" || fail "run-1 does not run"
	check 0 "a new session" inside ssh run-1.sandbox true
}

test_upgrade() {
	local before
	before=$(stat -c %i /usr/local/sbin/sandboxd)
	install_all || fail "make install over it"
	[ "$before" != "$(stat -c %i /usr/local/sbin/sandboxd)" ] ||
		fail "nothing new was installed"
	check 0 "reload the units" inside systemctl daemon-reload
	check 0 "restart" inside systemctl restart sandboxd
	is "the new program runs" \
	    "$(inside readlink "/proc/$(main_pid)/exe")" \
	    /usr/local/sbin/sandboxd
	session_says "after the upgrade"
	check 0 "a new session" inside ssh run-1.sandbox true
}

test_reload() {
	local pid
	pid=$(main_pid)
	printf '[limits]\nmax_sandboxes = 1\n' >"$conf"
	mark
	check 0 "reload" inside systemctl reload sandboxd
	wait_for "a line" journal '^sandboxd: reloaded$'
	is "the same process" "$(main_pid)" "$pid"
	check 0 "is active" inside systemctl is-active sandboxd
	check 77 "the new limit holds" inside sandboxctl create run-3
	session_says "after the reload"
	printf '[limits]\nmax_tll = 5m\n' >"$conf"
	mark
	check 0 "a reload with a wrong file" inside systemctl reload sandboxd
	wait_for "it names the line" journal 'not reloaded: .*sandboxd.conf:2'
	check 0 "it goes on" inside sandboxctl list
	printf '[ca]\nkey = /nonexistent/key\n' >"$conf"
	mark
	check 0 "a reload with a CA that is not there" \
	    inside systemctl reload sandboxd
	wait_for "it says so" journal 'not reloaded: .*/nonexistent/key'
	printf '[broker]\nstate_dir = /var/lib/other\n' >"$conf"
	mark
	check 0 "a reload with another folder" inside systemctl reload sandboxd
	wait_for "it says so" journal 'state_dir stays as it is'
	check 0 "list" inside sandboxctl list
	grep -q '^run-1 *running' "$out" || fail "run-1 does not run"
	rm "$conf"
	inside systemctl reload sandboxd
}

mkdir -p "${conf%/*}"
world_install
install_all
world_user alice
systemd_boot
for part in units activation restart upgrade reload; do
	"test_$part"
done
eval "exec ${session[1]}>&-"
done_testing
