#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Where configure has the units installed.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

command -v pkg-config >/dev/null && pkg-config --exists systemd ||
	world_skip "pkg-config does not know systemd: apt-get install systemd"
work=/srv/units
mkdir "$work"
cd "$work"

# configure STATUS NAME OPTION...: quicker from the second time on.
configure() {
	local want=$1 name=$2
	shift 2
	check "$want" "$name" "$SRCDIR/configure" --config-cache "$@"
}

# installed NAME FILE...: these units, and nothing else of theirs.
installed() {
	local name=$1
	shift
	rm -rf "$work/root"
	check 0 "$name: install" make DESTDIR="$work/root" \
	    install-{,dist_}systemd{system,user}unitDATA
	is "$name" "$(cd "$work/root" && find . -type f | sort)" \
	    "$(printf '.%s\n' "$@" | sort)"
}

units() {
	printf "$1/sandboxd.%s\n" service socket
	printf "$2/sandboxd.%s\n" service socket
}

configure 0 "yes and yes" --with-systemdsystemunitdir=yes \
    --with-systemduserunitdir=yes
# shellcheck disable=SC2046 # words are wanted
installed "where systemd looks" $(units \
    "$(pkg-config --variable=systemdsystemunitdir systemd)" \
    "$(pkg-config --variable=systemduserunitdir systemd)")
is "the program's name is whole" "$(grep -rhs ^ExecStart "$work/root" | sort -u)" \
    "ExecStart=/usr/local/sbin/sandboxd"
configure 0 "without a value" --with-systemdsystemunitdir
# shellcheck disable=SC2046
installed "the system's where systemd looks" $(units \
    "$(pkg-config --variable=systemdsystemunitdir systemd)" \
    /usr/local/share/sandbox-ssh/systemd/user)
configure 0 "folders" --with-systemdsystemunitdir=/etc/one \
    --with-systemduserunitdir=/etc/two
# shellcheck disable=SC2046
installed "there" $(units /etc/one /etc/two)
configure 0 "nothing, and no" --without-systemdsystemunitdir --prefix=/opt/s
# shellcheck disable=SC2046
installed "below the prefix" $(units /opt/s/share/sandbox-ssh/systemd \
    /opt/s/share/sandbox-ssh/systemd/user)
configure 1 "a folder that is none" --with-systemduserunitdir=units
grep -q 'units is neither yes, no nor an absolute path' "$err" ||
	fail "it does not say so"
ok "it says so"
configure 1 "systemd that nobody knows" --with-systemduserunitdir=yes \
    PKG_CONFIG_LIBDIR=/nonexistent
done_testing
