#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The README's first command, and its undoing: as root, with sudo, and below
# a prefix of one's own without.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

# What a person sees of a machine: files outside of caches and logs.
traces() {
	find /etc/ssh /etc/sandbox-ssh /usr/local /var/lib/sandbox-ssh \
	    /run/sandbox-ssh "$HOME" -not -path '*/.cache' \
	    -not -path '*/.local*' -not -path "$HOME/checkout*" \
	    -printf '%p %m %u\n' 2>/dev/null | sort || :
	sha256sum "$HOME/.ssh/config"
}

main() {
	rm -rf "$HOME/.ssh"
	mkdir -m 0700 "$HOME/.ssh"
	printf 'Host example\n\tUser me' >"$HOME/.ssh/config"
	chmod 0640 "$HOME/.ssh/config"
	traces >"$out.before"
	echo "# $who, prefix ${prefix:-default}"

	check 0 "quickstart" quickstart
	grep -Eq 'sandbox@run-1234:.*\$' "$out" || fail "it ends in a prompt"
	ok "it shows a shell's prompt from inside"
	grep -q "hello from $(hostname)" "$out" ||
		fail "and its output: what was copied in"
	ok "and its output: what was copied in"
	check 0 "ssh works afterwards" ssh run-1234.sandbox true
	if [ -z "$prefix" ]; then
		check 0 "quickstart again" quickstart
	else
		cp -p "$HOME/.ssh/config" "$out.config"
		printf '\nHost *\n\tCiphers aes128-cbc\n' >>"$HOME/.ssh/config"
		check 69 "again, where a setting keeps ssh out" quickstart
		grep -q "^fail .* at $HOME/.ssh/config:" "$out" "$err" ||
			fail "it names the setting and its line"
		ok "it names the setting and its line"
		cat "$out.config" >"$HOME/.ssh/config"
	fi
	if [ "$who$prefix" = alice ]; then
		check 0 "root starts a broker out of it" \
		    sudo -H /usr/local/sbin/sandboxd --daemon
		check 0 "quickstart --remove" quickstart --remove
		grep -q "stays: brokers of others .*(root)" "$out" ||
			fail "what is installed stays, for root's"
		ok "what is installed stays, for root's"
		check 0 "root ends it" sudo -H /usr/local/sbin/sandboxd --stop
		sudo rm -r /var/lib/sandbox-ssh /run/sandbox-ssh
	fi
	check 0 "quickstart --remove" quickstart --remove
	traces >"$out.after"
	check 0 "everything is as it was" diff "$out.before" "$out.after"
	is "no process is left" \
	    "$(pgrep -u "$(id -u)" -a 'sandbox|bwrap' || :)" ""
	check 66 "quickstart --remove again" quickstart --remove
}

quickstart() {
	"$HOME/checkout/scripts/quickstart" ${prefix:+--prefix "$prefix"} "$@"
}

if [ "${1:-}" = as ]; then
	who=$(id -un)
	prefix=${2:-}
	main
	done_testing
	exit
fi

# The same is built six times.
export PATH=/usr/lib/ccache:$PATH
export CCACHE_DIR=/srv/ccache CCACHE_UMASK=000 CCACHE_NOHASHDIR=1
world_user alice
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
for who in root alice; do
	cp -R "$SRCDIR" "/home/$who/checkout"
	chown -R "$who:" "/home/$who/checkout"
done
world_as root as
world_as alice as
rm /etc/sudoers.d/alice
world_as alice as /home/alice/tools
