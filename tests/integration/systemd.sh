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

test_units() {
	check 0 "the units are in order" inside systemd-analyze verify --man=no \
	    sandboxd.service sandboxd.socket
	is "nothing is said about them" "$(cat "$out" "$err")" ""
	check 0 "the user's, too" inside env XDG_RUNTIME_DIR=/tmp \
	    systemd-analyze --user verify --man=no \
	    sandboxd.service sandboxd.socket
	is "nothing is said about those" "$(cat "$out" "$err")" ""
	check 0 "enable" inside systemctl enable --now sandboxd.socket
	is "nothing runs before somebody calls" \
	    "$(inside systemctl is-active sandboxd)" inactive
}

# The figure is in the manual as well.
test_hardening() {
	check 0 "how exposed it is" inside systemd-analyze security --no-pager \
	    sandboxd.service
	figure=$(sed -n 's/.*exposure level .*: \([0-9.]*\) .*/\1/p' "$out")
	grep -q "exposure level $figure " "$SRCDIR/doc/operating.md" ||
		fail "doc/operating.md does not say $figure"
	ok "is what the manual says: $figure"
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

# Each in a control group of its own, with what comes of it.
test_groups() {
	local group
	group=$(inside systemctl list-units --plain --no-legend \
	    'sandbox-run-1-*.scope' | cut -d' ' -f1)
	check 0 "a sandbox has a scope" inside systemctl is-active "$group"
	is "below all of them" "$(inside systemctl show -P Slice "$group")" \
	    sandbox.slice
	group=$(inside systemctl show -P ControlGroup sandboxd)
	is "the unit has the broker's processes alone" \
	    "$(grep -c . <"$systemd_group$group/cgroup.procs")" 4
	check 0 "stop run-2" inside_as alice sandboxctl stop run-2
	wait_for "the end of its scope" no_scope run-2
	check 0 "start it again" inside_as alice sandboxctl start run-2
}

no_scope() {
	[ -z "$(inside systemctl list-units --plain --no-legend \
	    "sandbox-$1-*.scope")" ]
}

# It was killed; that takes a moment.
bob_is_out() {
	! pgrep -xf "sleep 996"
}

# By a provider that may trace nobody, with the unit's view of /proc.
test_share() {
	world_user bob
	inside_as bob sandbox-proxy setup >/dev/null
	check 0 "share" inside_as alice sandboxctl share run-2 --with bob
	inside_as bob ssh run-2.sandbox sleep 996 >"$HOME/bob" 2>&1 &
	wait_for "bob's session" pgrep -xf "sleep 996"
	check 0 "unshare" inside_as alice sandboxctl unshare run-2 --with bob
	wait_for "bob's session is over" bob_is_out
	check 0 "alice's ssh" inside_as alice ssh run-2.sandbox true
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
	check 0 "install over it" make -s -C "$BUILDDIR" install
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
	journal_mark
	check 0 "reload" inside systemctl reload sandboxd
	wait_for "a line" journal_has '^sandboxd: reloaded$'
	is "the same process" "$(main_pid)" "$pid"
	check 0 "is active" inside systemctl is-active sandboxd
	check 77 "the new limit holds" inside sandboxctl create run-3
	session_says "after the reload"
	printf '[limits]\nmax_tll = 5m\n' >"$conf"
	journal_mark
	check 0 "a reload with a wrong file" inside systemctl reload sandboxd
	wait_for "it names the line" journal_has 'not reloaded: .*sandboxd.conf:2'
	check 0 "it goes on" inside sandboxctl list
	printf '[ca]\nkey = /nonexistent/key\n' >"$conf"
	journal_mark
	check 0 "a reload with a CA that is not there" \
	    inside systemctl reload sandboxd
	wait_for "it says so" journal_has 'not reloaded: .*/nonexistent/key'
	printf '[broker]\nstate_dir = /var/lib/other\n' >"$conf"
	journal_mark
	check 0 "a reload with another folder" inside systemctl reload sandboxd
	wait_for "it says so" journal_has 'state_dir stays as it is'
	check 0 "list" inside sandboxctl list
	grep -q '^run-1 *running' "$out" || fail "run-1 does not run"
	rm "$conf"
	inside systemctl reload sandboxd
}

mkdir -p "${conf%/*}"
systemd_install
systemd_boot
for part in units hardening activation groups share restart upgrade reload; do
	"test_$part"
done
session_end
done_testing
