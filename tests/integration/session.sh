#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Commands, exit statuses, signals, binary data and a terminal through ssh.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	check 0 "a command runs" ssh "$host" echo hello
	is "its output and nothing else" "$(cat "$out")" hello
	is "nothing on standard error" "$(cat "$err")" ""
	check 0 "the host name is the sandbox's" ssh "$host" hostname
	is "host name" "$(cat "$out")" run-1234
	check 0 "the user is sandbox" ssh "$host" id -un
	is "user" "$(cat "$out")" sandbox

	check 1 "status 1" ssh "$host" false
	check 7 "status 7" ssh "$host" exit 7
	check 254 "status 254" ssh "$host" exit 254
	check 255 "status 255" ssh "$host" exit 255
	# ssh tells a signal as 255, and says which to who asks.
	check 255 "death by signal" ssh -v "$host" 'kill -TERM $$'
	grep -q 'exit-signal' "$err" || fail "the signal's name arrives"
	ok "the signal's name arrives"

	without_command
	binary
	environment
	terminal
	hang_up
}

without_command() {
	printf 'echo one\nexit 3\n' >"$HOME/script"
	local status=0
	ssh -T "$host" <"$HOME/script" >"$out" 2>"$err" || status=$?
	is "a login shell reads its input: status" "$status" 3
	grep -qx one "$out" || fail "a login shell reads its input"
	ok "a login shell reads its input"
}

binary() {
	head -c 67108864 /dev/urandom >"$HOME/random"
	is "64 MiB through cat and back" \
	    "$(ssh "$host" cat <"$HOME/random" | sha256sum)" \
	    "$(sha256sum <"$HOME/random")"
	rm "$HOME/random"
}


# Whatever somebody sends to all their machines, no secret comes in.
environment() {
	printf 'Host *\n    SendEnv *\n' >>"$HOME/.ssh/config"
	check 0 "SendEnv *" env ANTHROPIC_API_KEY=secret AWS_SECRET_KEY=secret \
	    LD_PRELOAD= LANG=C.UTF-8 LC_TIME=C.UTF-8 GIT_PROTOCOL=version=2 \
	    COLORTERM=truecolor NO_COLOR=1 TZ=Asia/Tokyo \
	    ssh "$host" env
	is "what arrives" "$(sort "$out" | grep -E \
	    '^(LANG|LC_TIME|GIT_PROTOCOL|COLORTERM|NO_COLOR|TZ)=' | paste -sd' ')" \
	    'COLORTERM=truecolor GIT_PROTOCOL=version=2 LANG=C.UTF-8 LC_TIME=C.UTF-8 NO_COLOR=1 TZ=Asia/Tokyo'
	is "what does not" "$(grep -E 'secret|LD_PRELOAD' "$out" || :)" ""
	sed -i '/^Host \*$/,$d' "$HOME/.ssh/config"
}

screen() {
	tmux -L test capture-pane -p -t ssh
}

on_screen() {
	screen | tee "$err" | grep -Eq -- "$1"
}

# What is typed before that is lost.
prompt_after_interrupt() {
	screen | tee "$err" | grep -A 1 '^^C' | grep -q 'sandbox@run-1234.*\$'
}

terminal() {
	tmux -L test -f /dev/null new-session -d -s ssh -x 100 -y 30 \
	    "ssh $host; echo ended with \$?; exec cat"
	wait_for "a prompt" on_screen 'sandbox@run-1234.*\$'
	ok "a prompt appears on a terminal"
	tmux -L test send-keys -t ssh 'tty; stty size' Enter
	wait_for "a pty" on_screen '^/dev/pts/'
	wait_for "the window's size" on_screen '^30 100'
	ok "the terminal is real and has the window's size"
	tmux -L test resize-window -t ssh -x 90 -y 20
	tmux -L test send-keys -t ssh 'stty size' Enter
	wait_for "the new size" on_screen '^20 90'
	ok "a resized window arrives"
	tmux -L test send-keys -t ssh 'echo run''ning; cat' Enter
	wait_for "a program" on_screen '^running'
	tmux -L test send-keys -t ssh C-c
	wait_for "the prompt is back" prompt_after_interrupt
	tmux -L test send-keys -t ssh 'exit 5' Enter
	wait_for "the end" on_screen 'ended with 5'
	ok "Ctrl-C reaches the program; the shell's status comes back"
	tmux -L test kill-server
}

sleeper_gone() {
	! ssh "$host" pgrep -x sleep
}

# A client that goes away leaves nothing running inside.
hang_up() {
	ssh -tt "$host" sleep 1000 </dev/null >"$out" 2>"$err" &
	local client=$!
	wait_for "sleep inside" ssh "$host" pgrep -x sleep
	kill "$client"
	wait "$client" || :
	wait_for "its end" sleeper_gone
	ok "a client that dies takes its command along"
	is "no process of ours stays" \
	    "$(pgrep -u "$(id -u)" -f 'sandbox-(proxy|resolve)' || :)" ""
}

world_main "$@"
