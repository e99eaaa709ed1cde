#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Homes as somebody has them: a blank, letters of other alphabets, a long
# name, and one that ssh itself cannot use. Nobody sets XDG_RUNTIME_DIR.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

long=$(printf 'x%.0s' {1..63})

# all that a sandbox is used for, by its id
used() {
	local host=$1.sandbox
	check 0 "create" sandboxctl create "$1"
	check 0 "ssh" ssh "$host" echo in
	is "it is in" "$(cat "$out")" in
	is "without a word" "$(cat "$err")" ""
	echo there >file
	check 0 "scp" scp -q file "$host:copy"
	check 0 "stop" sandboxctl stop "$1"
	check 0 "ssh wakes it" ssh "$host" test -e workspace
	check 0 "doctor" sandbox-proxy doctor "$host"
	check 0 "kill" sandboxctl kill "$1"
	is "no socket stays" \
	    "$(find .local/state/sandbox-ssh/run/sandboxes -type s)" ""
}

main_usual() {
	check 0 "setup" sandbox-proxy setup
	used run-1234
	used "$long"
}

main_percent() {
	check 78 "setup says so at once" sandbox-proxy setup
	says "and what to do" "below $HOME, since it expands % .* see --cache"
	[ ! -e .ssh/config ] || fail "it was set up"
	check 78 "connect" sandbox-proxy connect run-1234.sandbox
	says "says it too" "below $HOME, since it expands %"
	# What it tells to do.
	cache=$(mktemp -d /tmp/cache.XXXXXX)
	sandbox-proxy --cache "$cache" print-config >"$cache/sandbox.conf"
	check 0 "elsewhere: setup" \
	    sandbox-proxy setup --include "$cache/sandbox.conf"
	check 0 "elsewhere: create" sandboxctl create run-1234
	check 0 "elsewhere: ssh" ssh run-1234.sandbox echo in
	is "elsewhere: it is in" "$(cat "$out")" in
	check 0 "elsewhere: kill" sandboxctl kill run-1234
}

main_long() {
	check 69 "no socket fits" sandboxctl create run-1234
	says "says so" "longer than the 107 bytes .* set a shorter"
}

if [ "${1:-}" = as ]; then
	cd "$HOME"
	"main_$2"
	done_testing
	exit
fi

# home KIND HOME: a user of that home
count=0
home() {
	local who=user$((count += 1))
	echo "# $2"
	useradd --create-home --home-dir "$2" --shell /bin/bash "$who"
	echo "$who:${count}00000:65536" | tee -a /etc/subuid >>/etc/subgid
	setpriv --reuid "$who" --regid "$who" --init-groups env --chdir="$2" \
	    HOME="$2" USER="$who" LOGNAME="$who" bash "$0" as "$1"
}

world_install
home usual "/home/a b"
home usual "/home/jürgen \"x\" 'y' \$z"
home percent "/home/a%hb"
home percent "/home/a%qb"
home long "/home/$(printf 'h%.0s' {1..60})"
ok "all homes"
done_testing
