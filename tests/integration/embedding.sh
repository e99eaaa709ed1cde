#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# doc/embedding.md: every command in it is run, in its order, and what it says
# about them is so.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

doc=$SRCDIR/doc/embedding.md
socket=/run/sandbox-ssh/sandboxd.sock

# The commands below a heading.
commands() {
	awk -v heading="$1" '
	/^##/ { inside = $0 ~ "^##+ " heading }
	inside && /^    / { print substr($0, 5) }' "$doc"
}

# Runs them in this shell, as if they were typed, in the folder of the run.
type_in() {
	local text
	text=$(commands "$1")
	[ -n "$text" ] || fail "no commands: $1"
	cd "$HOME/run"
	eval "$text" >"$out" 2>"$err" </dev/null ||
		fail "the commands of: $1"
	ok "$1"
}

gone() {
	! curl -sSf --unix-socket "$socket" \
	    "http://localhost/v1/sandboxes/$1" >/dev/null 2>&1
}

world_install
sandbox-proxy setup >/dev/null
mkdir -p "$HOME/run/app"
printf 'check:\n\t@echo checked; test ! -e bad\n' >"$HOME/run/app/Makefile"

type_in "By one command"
is "how to get in, and the status" "$(cat "$out")" "ssh job-7.sandbox
0"
is "the command's output" "$(cat output)" checked
is "the steps" "$(jq -r .step steps | xargs)" "sandbox ssh uploaded exit end"
is "each has an id" "$(jq -r .id steps | sort -u)" job-7
gone job-7 || fail "nothing is left"
ok "nothing is left"

type_in "Create, with a session"
is "it runs" "$(cat "$out")" running
type_in Credentials
type_in Run
is "its output" "$(cat output)" checked
check 0 "people get in" ssh job-8.sandbox ls workspace
is "and see it" "$(cat "$out")" Makefile
type_in End
wait_for "the end of job-8" gone job-8
ok "the end of the stream is that of job-8"
is "job-9 lived on" "$(sed -n 's/.*}}{/{/; $p' "$out" |
	jq -r '"\(.id) \(.state) \(.session) \(.labels.job)"')" \
    "job-9 running false 9"
gone job-9 || fail "until it was removed"
ok "until it was removed"
done_testing
