#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandbox-proxy setup on configurations as people have them: it works where
# ssh itself can read them, and takes back every byte.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

config=$HOME/.ssh/config

# ssh would go through sandbox-proxy: an odd name, so nobody is asked.
is_used() {
	ssh -G doctor-.sandbox 2>"$err" |
	    grep -q '^proxycommand .*sandbox-proxy connect'
}

# there_and_back NAME ORIGINAL: ~/.ssh/config is in place
there_and_back() {
	local name=$1 original=$2 readable=yes mode
	mode=$(stat -L -c %a "$config")
	ssh -G example.org >/dev/null 2>&1 || readable=no
	check 0 "$name: setup" sandbox-proxy setup
	! cmp -s "$config" "$original" || fail "$name: nothing was added"
	if [ $readable = yes ]; then
		is_used || fail "$name: ssh does not use it"
		ok "$name: ssh uses it"
	fi
	cp "$config" "$work/with"
	check 0 "$name: setup again" sandbox-proxy setup
	cmp "$config" "$work/with" || fail "$name: it was added twice"
	check 0 "$name: setup --remove" sandbox-proxy setup --remove
	cmp "$config" "$original" || fail "$name: it is not as it was"
	is "$name: its mode" "$(stat -L -c %a "$config")" "$mode"
	is "$name: nothing else is left" \
	    "$(find "$HOME/.ssh" ! -type d | wc -l)" "${3:-1}"
}

# The manual's block for the agent, as it is typed there, above the Include.
example() {
	rm -f "$config"
	sed -n '/^Forward the agent into/,/^\.Ed/p' /srv/sandbox-proxy.1 |
		sed '1,/^\.Bd/d; /^\.Ed/d' >"$work/block"
	grep -q '^Host mine-' "$work/block" || fail "the manual has no block"
	install -m 0600 "$work/block" "$config"
	sandbox-proxy setup --dry-run | sed -n 's/^+\(Include \)/\1/p' \
	    >>"$config"
	cp "$config" "$work/example"
	is_used || fail "the example: ssh does not use it for others"
	check 0 "the example: ssh -G" ssh -G mine-.sandbox
	grep -q '^proxycommand .*sandbox-proxy connect' "$out" ||
		fail "the example: ssh does not use it"
	grep -qx 'forwardagent yes' "$out" ||
		fail "the example: no agent is forwarded"
	check 0 "the example: setup" sandbox-proxy setup
	cmp "$config" "$work/example" || fail "a second line was added"
	check 0 "the example: setup --remove" sandbox-proxy setup --remove
	cmp "$config" "$work/block" || fail "the block is not as it was"

	grep -v '^Match all' "$work/example" >"$config"
	cp "$config" "$work/example"
	! is_used || fail "without Match all, ssh uses it for others"
	check 78 "without Match all: setup --remove" \
	    sandbox-proxy setup --remove
	says "it says where it is" \
	    "config has it only below 'Host mine-.*': take it out by hand"
	cmp "$config" "$work/example" || fail "it was changed"
}

# Root would follow what they put there.
of_others() {
	local theirs=/home/alice/.ssh/config
	[ "$(id -u)" = 0 ] || return 0
	install -d -o alice -m 0700 /home/alice/.ssh
	ln -sfn "$config" "$theirs"
	cp "$config" "$work/mine"
	check 78 "root, another's link" sandbox-proxy setup --file "$theirs"
	says "says whose" "/home/alice belongs to uid $(id -u alice): run it as that account"
	rm "$theirs"
	check 78 "root, another's folder" sandbox-proxy setup --file "$theirs"
	check 78 "root, to look only" sandbox-proxy setup --dry-run \
	    --file "$theirs"
	[ ! -e "$theirs" ] || fail "it is there"
	ln -sfn "$theirs" "$config"
	check 78 "root's own, a link into another's folder" sandbox-proxy setup
	rm -r "$config" /home/alice/.ssh
	cp "$work/mine" "$config"
}

main() {
	local fixture count=0 include
	work=$(mktemp -d)
	mkdir -m 700 "$HOME/.ssh"
	# Not the test's own folder: other users must be able to read them.
	for fixture in /srv/fixtures/*; do
		count=$((count + 1))
		rm -f "$config"
		install -m 0600 "$fixture" "$config"
		there_and_back "$(basename "$fixture")" "$fixture"
	done
	[ "$count" -ge 10 ] || fail "so few fixtures cannot be all"

	rm -f "$config"
	{
		printf '# line %d says nothing\n' {1..45000}
		echo "Host work"
	} >"$work/large"
	install -m 0600 "$work/large" "$config"
	there_and_back "1 MB" "$work/large"

	# Into a repository of dot files, by a link.
	mkdir -p "$HOME/dotfiles/ssh"
	printf 'Host work\n    User me\n' >"$HOME/dotfiles/ssh/config"
	git -C "$HOME/dotfiles" init -q
	git -C "$HOME/dotfiles" add -A
	rm -f "$config"
	ln -s ../dotfiles/ssh/config "$config"
	cp "$HOME/dotfiles/ssh/config" "$work/linked"
	there_and_back "a link into a repository" "$work/linked"
	[ -L "$config" ] || fail "the link is none any more"
	is "the repository is unchanged" \
	    "$(git -C "$HOME/dotfiles" diff --name-only)" ""
	rm "$config"
	include=$(sandbox-proxy setup --dry-run | sed -n 's/^+\(Include .*\)/\1/p')

	# Read-only: root may write it all the same.
	printf 'Host work\n' >"$config"
	chmod 400 "$config"
	cp "$config" "$work/readonly"
	if [ "$(id -u)" = 0 ]; then
		there_and_back "read-only, for root" "$work/readonly"
	else
		check 74 "read-only" sandbox-proxy setup
		says "read-only: says so, and what to add" \
		    "/config: .*nothing was changed: put this line at the top of it by other means: $include\$"
		check 0 "read-only: what would be done" \
		    sandbox-proxy setup --dry-run
		grep -qxF "+$include" "$out" || fail "it is not shown"
		chmod 555 "$HOME/.ssh"
		chmod 600 "$config"
		check 74 "a folder that is read-only" sandbox-proxy setup
		says "a folder that is read-only: says what to add" "$include\$"
		check 0 "a folder that is read-only: what would be done" \
		    sandbox-proxy setup --dry-run
		chmod 755 "$HOME/.ssh"
		cmp "$config" "$work/readonly" || fail "it was changed"
	fi

	of_others
	example
	rm -f "$config"
	check 0 "no file: setup" sandbox-proxy setup
	is_used || fail "no file: ssh does not use it"
	check 0 "no file: setup --remove" sandbox-proxy setup --remove
	[ ! -e "$config" ] || fail "no file: there is one now"
	ok "no file: there is none again"
	done_testing
}

if [ "${1:-}" = as ]; then
	main
	exit
fi
world_install
cp -R "$SRCDIR/tests/fixtures/ssh_config" /srv/fixtures
install -m 0644 "$SRCDIR/man/sandbox-proxy.1" /srv
chmod -R go+rX /srv/fixtures
world_user alice
world_as root as
world_as alice as

# README: how to undo an installation.
check 0 "make uninstall" make -s -C "$BUILDDIR" uninstall
is "no file or folder of ours is left" \
    "$(find /usr/local -name '*sandbox-*' -o -name 'sandbox[cd.]*')" ""
