#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Whoever is in a sandbox is told on the terminal that it ends, in time and
# with the command that extends it.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

command -v tmux >/dev/null || world_skip "tmux is missing"

# A terminal of one's own for each; what it shows.
terminal() {
	tmux -L warned new-session -d -s "$1" -x 200 -y 50 "${@:2}"
}

screen() {
	tmux -L warned capture-pane -p -t "$1"
}

shows() {
	screen "$1" | grep -Eq -- "$2"
}

ends_in() {
	echo "sandbox-ssh: run-1234 ends in $1, at 20[0-9-]*T[0-9:]*Z\.  For"
}

main() {
	terminal plain ssh -t run-1234.sandbox 'echo here; exec cat'
	# What is shown in a terminal inside is sshd's terminal's, too.
	terminal inside ssh -t run-1234.sandbox 'exec tmux new "echo here; cat"'
	terminal deaf ssh -t run-1234.sandbox 'mesg n; echo here; exec cat'
	terminal stopped ssh -t run-1234.sandbox \
	    'stty -ixon; tty; exec python3 -c "
import termios, time
termios.tcflow(0, termios.TCOOFF)
time.sleep(1000)"'
	for name in plain inside deaf; do
		wait_for "$name" shows "$name" here
	done
	wait_for "stopped" shows stopped /dev/pts/
	# One without a terminal, that must not be disturbed.
	ssh run-1234.sandbox 'echo here; exec cat' <>"$HOME/hold" \
	    >"$HOME/bytes" 2>&1 &
	local bytes=$!
	wait_for "one without" grep -q here "$HOME/bytes"
	check 0 "it ends in 302 s" sandboxctl extend run-1234 --timeout 302s
	wait_for "five minutes ahead" shows plain "$(ends_in '5 minutes')"
	ok "five minutes ahead"
	wait_for "in tmux, too" shows inside "$(ends_in '5 minutes')"
	ok "in tmux, too"
	check 0 "it ends in 62 s" sandboxctl extend run-1234 --timeout 62s
	wait_for "a minute ahead" shows plain "$(ends_in '1 minute')"
	ok "a minute ahead"
	check 0 "it ends very soon" sandboxctl extend run-1234 --timeout 40s
	wait_for "at once" shows plain "$(ends_in '(40|39|38|37) seconds')"
	ok "at once, what is nearer"
	is "not where mesg says n" "$(screen deaf | grep -c sandbox-ssh)" 0
	is "nor without a terminal" "$(cat "$HOME/bytes")" here
	local command
	command=$(screen plain | tr -d '\n' |
		grep -o 'sandboxctl extend run-1234 --timeout 1h' | tail -1)
	# shellcheck disable=SC2086 # words are wanted
	check 0 "what it says to type" $command
	is "each was told once" "$(screen plain | grep -c sandbox-ssh)" 3
	kill "$bytes"
	tmux -L warned kill-server
}

case ${1:-} in
as) mkfifo "$HOME/hold" ;;
esac
world_main "$@"
