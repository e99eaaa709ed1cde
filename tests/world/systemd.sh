# SPDX-License-Identifier: ISC
# A real systemd as process 1, for tests: sourced after world.sh.
#
# systemd_boot starts one inside the machine that world_enter made, in process,
# control group and mount namespaces of its own on the same files, and
# "inside COMMAND..." runs a command there. What would change the kernel's
# settings, or the devices, of the machine that all of this stands on is
# masked.
#
# shellcheck shell=bash

# Of systemd's own units, those that reach beyond their namespaces.
systemd_masked=(systemd-sysctl.service systemd-modules-load.service
	systemd-binfmt.service systemd-remount-fs.service
	systemd-tmpfiles-setup-dev.service systemd-timesyncd.service
	systemd-networkd.service systemd-resolved.service
	systemd-udevd.service systemd-udev-trigger.service
	systemd-udevd-kernel.socket systemd-udevd-control.socket
	proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount)

# Runs in the new namespaces.
systemd_become() {
	mount --make-rprivate /
	mount -t sysfs -o ro sysfs /sys
	mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
	mount -t proc proc /proc
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 \
	    devpts /dev/pts
	exec env -i container=private \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    /lib/systemd/systemd --system --unit=private.target \
	    --show-status=no </dev/null >/run/systemd.log 2>&1
}

# Empty groups, inner ones first; those in use resist.
systemd_remove_groups() {
	find "$@" -depth -type d -exec rmdir {} + 2>/dev/null || :
}

systemd_boot() {
	local unit groups=/run/groups
	[ -x /lib/systemd/systemd ] ||
		world_skip "systemd is missing: apt-get install systemd dbus"
	mkdir -p /etc/systemd/system
	systemd-sysusers >/dev/null 2>&1
	for unit in "${systemd_masked[@]}"; do
		ln -s /dev/null "/etc/systemd/system/$unit"
	done
	cat >/etc/systemd/system/private.target <<-END
	[Unit]
	Requires=basic.target dbus.socket systemd-journald.service
	After=basic.target dbus.socket systemd-journald.service
	AllowIsolate=yes
	END
	mkdir "$groups"
	mount -t cgroup2 cgroup2 "$groups"
	# Of tests that were killed; one that has just been made is another's.
	find "$groups" -maxdepth 1 -name 'sandbox-ssh-test.*' -mmin +60 |
		while read -r stale; do
			systemd_remove_groups "$stale"
		done
	systemd_group=$(mktemp -d "$groups/sandbox-ssh-test.XXXXXX")
	chmod 0755 "$systemd_group"
	trap systemd_end EXIT
	(
		echo "$BASHPID" >"$systemd_group/cgroup.procs"
		exec unshare --mount --pid --cgroup --fork --kill-child -- \
		    bash -c '. "$1/world/systemd.sh"
			systemd_become' systemd /srv/tests 2>/dev/null
	) &
	systemd_fork=$!
	wait_for "a child" systemd_find
	wait_for "systemd" inside systemctl is-active private.target
	# Where what "inside" runs belongs: to no unit.
	mkdir "$systemd_group/login"
}

systemd_find() {
	systemd_pid=$(pgrep -P "$systemd_fork") &&
		[ "$(cat "/proc/$systemd_pid/comm")" = systemd ]
}

# inside COMMAND...: as root, with the environment of this script.
inside() {
	(
		[ ! -d "$systemd_group/login" ] ||
			echo "$BASHPID" >"$systemd_group/login/cgroup.procs"
		exec nsenter -t "$systemd_pid" --mount --pid --cgroup \
		    --wdns=/ -- "$@"
	)
}

# Install the build under test with its units, and make alice.
systemd_install() {
	world_install
	make -s -C "$BUILDDIR" install \
	    systemdsystemunitdir=/lib/systemd/system \
	    systemduserunitdir=/usr/lib/systemd/user >/tmp/install.log 2>&1 ||
		world_die "make install with units failed"
	world_user alice
}

# The process that systemd takes for sandboxd, as it sees it.
main_pid() {
	inside systemctl show -P MainPID sandboxd
}

# journal_mark, and what sandboxd, or systemd about it, said since.
journal_mark() {
	journal_cursor=$(inside journalctl -u sandboxd --show-cursor -n 0 |
		sed -n 's/^-- cursor: //p')
}

journal_since() {
	inside journalctl -u sandboxd -o cat --no-pager \
	    --after-cursor "$journal_cursor"
}

# journal_has REGEX
journal_has() {
	journal_since | grep -q -- "$1"
}

# A session in run-1 that answers every line that is written to it.
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

# By itself, if its sandbox has ended.
session_end() {
	[ -z "${session[1]:-}" ] || eval "exec ${session[1]}>&-"
	wait_for "the session's end" session_ended
}

session_ended() {
	[ -z "${session_PID:-}" ] || ! kill -0 "$session_PID" 2>/dev/null
}

# inside_as USER COMMAND...: as somebody who has logged in.
inside_as() {
	local who=$1
	shift
	inside setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" \
	    LOGNAME="$who" "$@"
}

# user_manager USER: start their systemd --user; as_user USER COMMAND... is
# then what a login session of theirs would run.
user_manager() {
	local uid
	uid=$(id -u "$1")
	printf 'account required pam_permit.so\nsession required pam_permit.so\n' \
	    >/etc/pam.d/systemd-user
	# What logind and its part of PAM would do.
	mkdir -p "/etc/systemd/system/user"{,-runtime-dir}"@.service.d"
	printf '[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%%i\n' \
	    >"/etc/systemd/system/user@.service.d/test.conf"
	printf '[Service]\nExecStart=\nExecStart=/bin/true\nExecStop=\n' \
	    >"/etc/systemd/system/user-runtime-dir@.service.d/test.conf"
	inside systemctl daemon-reload
	inside install -d -m 0700 -o "$1" -g "$1" "/run/user/$uid"
	inside systemctl start "user@$uid.service" ||
		fail "no manager for $1"
}

as_user() {
	local who=$1
	shift
	inside_as "$who" env XDG_RUNTIME_DIR="/run/user/$(id -u "$who")" "$@"
}

systemd_end() {
	local status=$?
	[ "$status" = 0 ] ||
		inside journalctl -o cat --no-pager -n 30 -u sandboxd |
		sed 's/^/    journal: /' >&2 || :
	kill -9 "$systemd_pid" 2>/dev/null || :
	wait "$systemd_fork" 2>/dev/null || :
	systemd_remove_groups "$systemd_group"
	return "$status"
}
