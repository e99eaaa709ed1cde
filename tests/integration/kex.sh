#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The key exchange with a sandbox on this machine: curve25519 instead of what
# protects recordings of a network, unless somebody has chosen.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

# The key exchange of a new connection.
used_warm() {
	ssh -v "$@" "$host" true 2>&1 </dev/null |
		tr -d '\r' | sed -n 's/^debug1: kex: algorithm: //p'
}

# The same, with credentials asked for anew.
used() {
	rm -rf "$HOME/.cache/sandbox-ssh"
	used_warm "$@"
}

switch() {
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '[ssh]\nlocal_kex = %s\n' "$1" >"$HOME/.config/sandbox-ssh/config"
}

# config LINE...: above the Include.
config() {
	sandbox-proxy setup --remove >/dev/null
	printf '%s\n' "$@" >"$HOME/.ssh/config"
	sandbox-proxy setup >/dev/null
}

main() {
	local fast=curve25519-sha256 own=ecdh-sha2-nistp256 policy by_itself
	policy=/etc/ssh/ssh_config.d/policy.conf
	switch default
	by_itself=$(used)
	switch fast
	# From 10.0 on it is left alone: that would warn, and need not.
	ssh -F none -G x | grep '^kexalgorithms .*mlkem768x25519' >/dev/null &&
		fast=$by_itself
	is "by itself" "$(used)" "$fast"
	is "again, with what the cache has" "$(used_warm)" "$fast"
	# What the session before said of it is no choice of a person's.
	rm "$HOME/.cache/sandbox-ssh/$host/session"
	is "renewed" "$(used_warm)" "$fast"

	is "an option of ssh's" "$(used -o KexAlgorithms=$own)" "$own"
	printf 'Host *\n    KexAlgorithms %s\n' "$own" >>"$HOME/.ssh/config"
	is "a person's own, below" "$(used)" "$own"
	config 'Host *' "    KexAlgorithms $own"
	is "a person's own, above" "$(used)" "$own"
	config "Host $host" "    KexAlgorithms -$fast"
	used | grep -qx "$fast" && fail "forbidden for this sandbox"
	ok "forbidden for this sandbox"
	config ''
	is "nobody's any more" "$(used)" "$fast"
	(cat "$HOME/.ssh/config" && printf 'KexAlgorithms %s\n' "$own") \
	    >"$HOME/other.conf"
	is "of ssh -F" "$(used -F "$HOME/other.conf")" "$own"

	if [ "$(id -un)" = root ]; then
		printf 'KexAlgorithms -curve25519*\n' >"$policy"
		used | grep -q '^curve25519' && fail "the machine's policy"
		ok "the machine's policy forbids it"
		rm "$policy"
	fi

	ssh "$host" true 2>&1 </dev/null | grep -i 'quantum\|warning' &&
		fail "ssh warns"
	ok "ssh warns of nothing"
	switch default
	is "switched off" "$(used)" "$by_itself"
	rm "$HOME/.config/sandbox-ssh/config"
}

world_main "$@"
