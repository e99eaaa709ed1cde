#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The shell in between: ssh runs us through $SHELL, and what its start-up files
# print, where they end, wait or take their time must not keep ssh out.  As
# programs do it that have no shell around them: SHLVL is not set.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

for need in bash zsh fish tcsh; do
	command -v "$need" >/dev/null || world_skip "$need is missing"
done

host=run-1234.sandbox

# as SHELL COMMAND...: with that shell, and nothing else of it
as() {
	local shell=$1
	shift
	env -u SHLVL SHELL="$shell" "${variables[@]}" timeout 60 "$@"
}

# A start-up file with that text, at the end of those there are.
begin() {
	quiet
	mkdir -p "$(dirname "$1")"
	printf '%s' "$2" >"$1"
}

quiet() {
	rm -rf "$HOME/.bashrc" "$HOME/.zshenv" "$HOME/.config/fish" \
	    "$HOME/.tcshrc" "$HOME/.noise"
}

# A session that is fresh, and was tried while the shell was quiet.
warm() {
	rm -rf "$cache"
	quiet
	check 0 "$1: quiet" as "$1" ssh "$host" true
	is "$1: quiet: without a word" "$(cat "$err")" ""
	relays "$1: quiet" no
}

# relays NAME yes|no: what ssh is told for another sandbox than ours, too
relays() {
	local name want=no
	[ "$2" = yes ] || want=yes
	for name in "$host" run-5.sandbox; do
		sandbox-proxy prepare "$name"
		is "$1: $name: ProxyUseFdpass" \
		    "$(ssh -G "$name" | sed -n 's/^proxyusefdpass //p')" $want
	done
}

all_tools() {
	local name=$1 shell=$2
	echo hello >"$HOME/file"
	check 0 "$name: scp" as "$shell" scp -q "$HOME/file" "$host:copied"
	check 0 "$name: sftp" as "$shell" sftp -q "$host:copied" "$HOME/back"
	cmp "$HOME/file" "$HOME/back" || fail "$name: it is not the same"
	check 0 "$name: rsync" as "$shell" rsync "$HOME/file" "$host:again"
	check 0 "$name: git" as "$shell" git ls-remote -q "$host:workspace/g.git"
	is "$name: 8 MiB through cat" \
	    "$(as "$shell" ssh "$host" cat <"$HOME/random" | sha256sum)" \
	    "$(sha256sum <"$HOME/random")"
}

# heals SHELL FILE TEXT REGEX: while a session is fresh. The next ssh gets in.
heals() {
	local name
	name="$(basename "$1"): $(head -1 <<<"$3")"
	warm "$1"
	begin "$2" "$3"
	check 255 "$name: the first" as "$1" ssh "$host" true
	mv "$err" "$HOME/said"
	wait_for "$name: the note" test -e "$cache/.no-fdpass"
	check 0 "$name: the second" as "$1" ssh "$host" echo in
	is "$name: gets in" "$(cat "$out")" in
	is "$name: without a word" "$(cat "$err")" ""
	relays "$name" yes
	# ssh does not wait for that.
	wait_for "the culprit's name" grep -Eq \
	    "^sandbox-proxy: $2 $4.* relay from now on" "$HOME/said"
	ok "$name: names the culprit"
}

# prevents SHELL FILE TEXT REGEX: seen before ssh comes to it
prevents() {
	local name
	name="$(basename "$1"): $(head -1 <<<"$3")"
	rm -rf "$cache"
	begin "$2" "$3"
	check 0 "$name: the first" as "$1" ssh "$host" echo in
	is "$name: gets in" "$(cat "$out")" in
	says "$name: says so once" "^sandbox-ssh: $2 $4.* relay from now on"
	check 0 "$name: the second" as "$1" ssh "$host" true
	is "$name: without a word" "$(cat "$err")" ""
	relays "$name" yes
}

doctor() {
	check "$1" "doctor" env SHELL="$2" "${variables[@]}" sandbox-proxy \
	    doctor "$host"
	grep -Eq "^$3 +shell: $4" "$out" || {
		cat "$out" >&2
		fail "doctor: does not say '$3: $4'"
	}
	ok "doctor: $3: $4"
}

bash_alone() {
	local rc=$HOME/.bashrc level
	heals /bin/bash "$rc" $'echo Welcome\n' "prints 'Welcome'"
	all_tools "bash" /bin/bash
	doctor 0 /bin/bash warn "$rc prints 'Welcome': ssh uses a relay"
	quiet
	doctor 0 /bin/bash ok '/bin/bash prints nothing .* handed connections'
	relays "bash: taken back" no
	check 0 "bash: quiet again" as /bin/bash ssh "$host" true

	# As bash -c 'ssh ...' and exec ssh have it, and the desktop.
	for level in "-u SHLVL" SHLVL=0; do
		warm /bin/bash
		begin "$rc" $'echo Welcome\n'
		# shellcheck disable=SC2086
		check 255 "bash: env $level" \
		    env $level SHELL=/bin/bash ssh "$host" true
		# shellcheck disable=SC2086
		check 0 "bash: env $level: the second" \
		    env $level SHELL=/bin/bash ssh "$host" true
	done
	# At a terminal nothing of it is read, and nothing changes.
	warm /bin/bash
	begin "$rc" $'echo Welcome\n'
	check 0 "bash: at a terminal" env SHLVL=1 SHELL=/bin/bash ssh "$host" true
	relays "bash: at a terminal" no
	rm -rf "$cache"
	check 0 "bash: at a terminal, anew" \
	    env SHLVL=1 SHELL=/bin/bash ssh "$host" true
	relays "bash: at a terminal, anew" no
	# The certificate is there, but nobody has tried this shell yet.
	check 0 "bash: then a program" as /bin/bash ssh "$host" true
	relays "bash: then a program" yes

	heals /bin/bash "$rc" 'printf Welcome' "prints 'Welcome'"
	heals /bin/bash "$rc" $'printf "\\033[31mred\\n\\0"\n' 'prints '
	heals /bin/bash "$rc" $'seq 5000\n' "prints '1'"
	prevents /bin/bash "$rc" $'echo Welcome\n' "prints 'Welcome'"
	prevents /bin/bash "$rc" $'exit 3\n' 'ends the shell'
	prevents /bin/bash "$rc" $'read -r line\n' 'takes more than a second'
	prevents /bin/bash "$rc" $'sleep 3\n' 'takes more than a second'

	# Somewhere else than where it is looked for.
	begin "$HOME/.noise" $'echo Welcome\n'
	rm -rf "$cache"
	variables=(SHLVL=1 BASH_ENV="$HOME/.noise")
	check 0 "BASH_ENV: the first" as /bin/bash ssh "$host" true
	says "BASH_ENV: names the file" "$HOME/.noise prints 'Welcome'.* relay"
	check 0 "BASH_ENV: the second" as /bin/bash ssh "$host" true
	all_tools BASH_ENV /bin/bash
	# The doctor knows what was set.
	variables=()
	doctor 0 /bin/bash warn "$HOME/.noise prints"
	quiet
	doctor 0 /bin/bash ok '/bin/bash prints nothing'
}

# What the doctor's ssh has started ends after it.
nothing_runs() {
	! pgrep -x 'zsh|fish|tcsh|sandbox-proxy'
}

# Those that read a file whatever they are started for.
others() {
	local shell rc end says
	while IFS='|' read -r shell rc end says; do
		heals "$shell" "$HOME/$rc" $'echo Welcome\n' "prints 'Welcome'"
		all_tools "$(basename "$shell")" "$shell"
		doctor 0 "$shell" warn "$HOME/$rc prints 'Welcome': ssh uses"
		quiet
		doctor 0 "$shell" ok "$shell prints nothing"
		relays "$shell: taken back" no
		prevents "$shell" "$HOME/$rc" 'printf Welcome' "prints 'Welcome'"
		# Neither way leads through that.
		rm -rf "$cache"
		begin "$HOME/$rc" "$end"$'\n'
		doctor 1 "$shell" fail "ssh starts $shell, and does not get through: $HOME/$rc $says"
		wait_for "nothing of it is left" nothing_runs
	done <<-END
	/usr/bin/zsh|.zshenv|exit 3|ends the shell
	/usr/bin/fish|.config/fish/config.fish|read|takes more than a second
	/usr/bin/fish|.config/fish/conf.d/mine.fish|read|takes more than
	/usr/bin/tcsh|.tcshrc|set line = \$<|takes more than a second
	END
}

# Shells that read nothing are not even tried.
silent() {
	rm -rf "$cache"
	quiet
	check 0 "sh" as /bin/sh ssh "$host" true
	! grep -q ^shell= "$cache/$host/session" || fail "sh was tried"
	check 0 "dash" as /bin/dash ssh "$host" true
	! grep -q ^shell= "$cache/$host/session" || fail "dash was tried"
	ok "shells that read nothing are not tried"
	check 0 "an unknown one" as "$HOME/silent" ssh "$host" true
	grep -qx shell=tried "$cache/$host/session" || fail "it was not tried"
	ok "one that is unknown is"
}

# ssh as a terminal's first process: all of it gets SIGHUP when it goes.
on_screen() {
	tmux -L shell capture-pane -p -t ssh | tee "$err" | grep -q "$1"
}

first_process() {
	warm /bin/bash
	check 0 "at a terminal" env SHLVL=1 SHELL=/bin/bash ssh "$host" true
	sed -i /^shell=/d "$cache/$host/session"
	begin "$HOME/.bashrc" $'echo Welcome\n'
	tmux -L shell -f /dev/null new-session -d -s ssh env -u SHLVL \
	    SHELL=/bin/bash ssh "$host"
	wait_for "a prompt" on_screen 'sandbox@run-1234.*\$'
	ok "as a terminal's first process it gets in"
	tmux -L shell kill-server
}

# Another snippet, with another cache.
printed() {
	rm -rf "$cache"
	begin "$HOME/.zshenv" $'echo Welcome\n'
	sandbox-proxy --cache "$HOME/the cache" print-config >"$HOME/printed"
	check 0 "print-config: the first" as /usr/bin/zsh \
	    ssh -F "$HOME/printed" "$host" true
	check 0 "print-config: the second" as /usr/bin/zsh \
	    ssh -F "$HOME/printed" "$host" true
	is "print-config: without a word" "$(cat "$err")" ""
	check 0 "print-config: its cache" \
	    ssh -F "$HOME/printed" -G "$host"
	grep -qx 'proxyusefdpass no' "$out" || fail "it has no relay"
	[ ! -e "$cache/.no-fdpass" ] || fail "the other cache has it"
	ok "print-config: the relay is that cache's"
	quiet
}

main() {
	cache=$HOME/.cache/sandbox-ssh
	variables=()
	head -c 8388608 /dev/urandom >"$HOME/random"
	sandboxctl create run-5 >/dev/null
	ssh "$host" git init -q --bare workspace/g.git
	printf '#!/bin/sh\nexec /bin/sh "$@"\n' >"$HOME/silent"
	chmod +x "$HOME/silent"
	bash_alone
	others
	silent
	first_process
	printed
	sandboxctl kill run-5
	quiet
}

if [ "${1:-}" = as ]; then
	sandbox-proxy setup >/dev/null
	sandboxctl create run-1234 >/dev/null
	main
	sandboxctl kill run-1234
	done_testing
	exit
fi
world_install
world_user alice
world_as alice as
