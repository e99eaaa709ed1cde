#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# An account that has no user ids for sandboxes: one line says all that has to
# be done, and that it is all is tried to the end.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

as() {
	local who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups env \
	    --chdir="/home/$who" HOME="/home/$who" USER="$who" \
	    LOGNAME="$who" "$@"
}

# poor WHO: an account that useradd gave none.
poor() {
	useradd --create-home --shell /bin/bash "$1"
	sed -i "/^$1:/d" /etc/subuid /etc/subgid
}

# told WHO COMMAND...: the one line; $advice is what root is to run.
told() {
	check 78 "$1: no ids" as "$@"
	says "$1: one line" "^sandboxctl: sandboxes need user ids of their own, and /etc/subuid and /etc/subgid give none to $1: as root run '"
	advice=$(sed "s/.*as root run '\([^']*\)'.*/\1/" "$err")
	without=$(sed -n "s/.*; or, without isolation, \(.*\) (asked.*/\1/p" "$err")
}

works() {
	check 0 "$1: create" as "$@" sandboxctl create run-1
	check 0 "$1: setup" as "$@" sandbox-proxy setup
	check 0 "$1: ssh" as "$@" ssh run-1.sandbox true
	as "$@" sandboxctl kill run-1 >/dev/null
}

no_overlap() {
	/usr/bin/python3 - "$1" <<-'END' || fail "two users share ids"
	import sys
	ranges = sorted((int(start), int(start) + int(count))
	    for line in open(sys.argv[1])
	    for _, start, count in [line.split(":")])
	sys.exit(any(a[1] > b[0] for a, b in zip(ranges, ranges[1:])))
	END
}

world_install
echo 'other:100000:65536' >/etc/subuid
echo 'other:165536:65536' >/etc/subgid

# --- installed by root
poor bob
told bob sandboxctl create run-1
is "bob: a range that nobody has, of both" "$advice" \
    "usermod --add-subuids 231072-296607 --add-subgids 231072-296607 bob"
check 0 "bob: root does that" sh -c "$advice"
no_overlap /etc/subuid
no_overlap /etc/subgid
works bob
poor carol
told carol sandboxctl create run-1
is "carol: the next one" "$advice" \
    "usermod --add-subuids 296608-362143 --add-subgids 296608-362143 carol"

# --- the other way: no isolation
file=/home/carol/.config/sandbox-ssh/sandboxd.conf
is "carol: or without" "$without" \
    "write 'isolation = none' below [local] in $file and run '$(command -v sandboxd) --stop'"
as carol mkdir -p "${file%/*}"
printf '[local]\nisolation = none\n' | as carol tee "$file" >/dev/null
check 0 "carol: --stop" as carol "$(command -v sandboxd)" --stop
works carol
check 0 "carol: it is told" as carol sandboxctl create run-2
says "carol: it is told" 'WARNING: run-2 is NOT ISOLATED'
as carol sandboxctl kill run-2 >/dev/null
rm "$file"
check 0 "carol: --stop" as carol sandboxd --stop

# --- packages that are missing, too
mv /usr/bin/newuidmap /usr/bin/bwrap /srv
told carol sandboxctl create run-1
is "carol: packages, too" "$advice" \
    "apt-get install uidmap bubblewrap && usermod --add-subuids 296608-362143 --add-subgids 296608-362143 carol"
mv /srv/newuidmap /srv/bwrap /usr/bin

# --- what root's broker takes is in no such file
poor erin
mkdir -p /usr/local/etc/sandbox-ssh
printf '[local]\nuid_range = 296608:65536\n' \
    >/usr/local/etc/sandbox-ssh/sandboxd.conf
told erin sandboxctl create run-1
is "erin: not root's" "$advice" \
    "usermod --add-subuids 362144-427679 --add-subgids 362144-427679 erin"
rm /usr/local/etc/sandbox-ssh/sandboxd.conf

# --- built below a home: sshd runs nothing from there without isolation
poor dave
libexec=$(dirname "$(find /usr/local /usr/lib -name sandbox-resolve | head -1)")
as dave mkdir -p .local/libexec .local/sbin
cp "$libexec"/* /home/dave/.local/libexec 2>/dev/null || :
cp "$(command -v sandboxd)" /home/dave/.local/sbin
chown -R dave: /home/dave/.local
home=(dave env SANDBOX_SSH_LIBEXEC=/home/dave/.local/libexec
    SANDBOX_SSH_SBIN=/home/dave/.local/sbin)
told "${home[@]}" sandboxctl create run-1
is "dave: no word of what would not work" "$without" ""
check 0 "dave: root does that" sh -c "$advice"
no_overlap /etc/subuid
works "${home[@]}"
as dave mkdir -p .config/sandbox-ssh
printf '[local]\nisolation = none\n' |
	as dave tee .config/sandbox-ssh/sandboxd.conf >/dev/null
check 0 "dave: --stop" as dave /home/dave/.local/sbin/sandboxd --stop
check 78 "dave: without isolation" as "${home[@]}" sandboxctl create run-1
says "dave: says what it takes" \
    "from folders that root alone can write: build sandbox-ssh with another --prefix, and run make install as root"
done_testing
