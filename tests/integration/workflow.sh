#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Two days of a person and an engine, from end to end: a sandbox of ten minutes
# with a server in it, and a run that is looked at while it works and later.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

expires_in() {
	echo $(($(sandboxctl show --json "$1" | jq .expires_at) - $(date +%s)))
}

gone() {
	! sandboxctl show "$1"
}

serves() {
	curl -sSf http://localhost:8080/page.txt
}

ends() {
	! kill -0 "$1" 2>/dev/null
}

ten_minutes() {
	local left forward shell
	mkdir -p "$HOME/app"
	echo "first edition" >"$HOME/app/page.txt"
	check 0 "create" sandboxctl create web --timeout 10m --label app=page
	is "it says how to get in" "$(cat "$out")" \
	    "web running: ssh web.sandbox"
	left=$(expires_in web)
	[ "$left" -gt 580 ] && [ "$left" -le 600 ] || fail "ten minutes: $left"
	ok "ten minutes"
	check 0 "upload" sandboxctl cp -r "$HOME/app" web:workspace/
	check 0 "start a server" ssh web.sandbox 'cd workspace/app
	    nohup /usr/bin/python3 -m http.server --bind 127.0.0.1 8000 \
	    >log 2>&1 </dev/null &'
	check 0 "ssh in, with a terminal" script -qec \
	    'ssh -t web.sandbox "tty && ls workspace/app >workspace/list"' \
	    /dev/null
	is "what was uploaded is there" \
	    "$(ssh web.sandbox grep page.txt workspace/list)" page.txt
	ssh -N -L 8080:localhost:8000 web.sandbox </dev/null 2>"$err" &
	forward=$!
	wait_for "the server behind the forwarded port" serves
	is "the page" "$(serves)" "first edition"
	printf 'cd workspace/app\nput %s page.txt\n' "$HOME/second" >"$HOME/batch"
	echo "second edition" >"$HOME/second"
	check 0 "edit it by sftp" sftp -b "$HOME/batch" web.sandbox
	is "the page, edited" "$(serves)" "second edition"
	check 0 "edit it in place" sandboxctl exec web \
	    sed -i 's/second/third/' app/page.txt
	is "the page, edited again" "$(serves)" "third edition"
	check 0 "extend" sandboxctl extend web --timeout 30m
	left=$(expires_in web)
	[ "$left" -gt 1780 ] && [ "$left" -le 1800 ] || fail "extended: $left"
	ok "extended"
	is "nobody has noticed" "$(serves)" "third edition"
	ssh web.sandbox sleep 1000 </dev/null 2>/dev/null &
	shell=$!
	check 0 "let it end" sandboxctl extend web --timeout 2s
	wait_for "its end" gone web
	wait_for "the end of the forward" ends "$forward"
	wait_for "the end of the shell" ends "$shell"
	ok "it ended, with all that was connected"
	check 255 "nobody gets in" ssh web.sandbox true
	grep -q 'no such sandbox' "$err" || fail "and is told why"
	ok "and is told why"
	is "nothing of it is listed" "$(sandboxctl list --json)" "[]"
}

engine_run() {
	local line
	: >"$HOME/said"
	sandboxctl run --ssh --preserve --upload "$HOME/app" ci -- sh -c \
	    'echo building; until [ -e done ]; do sleep 0.1; done
	    echo built >result' >"$HOME/built" 2>"$HOME/said" </dev/null &
	run=$!
	wait_for "how to get in" grep -q . "$HOME/said"
	line=$(head -n 1 "$HOME/said")
	wait_for "the build" grep -q building "$HOME/built"
	check 0 "a look while it runs" sh -c "$line 'cat workspace/page.txt'"
	is "what it works on" "$(cat "$out")" "first edition"
	check 0 "a hand" ssh ci.sandbox 'touch workspace/done'
	wait "$run" || fail "the run ends well"
	ok "the run ends well"
	grep -q "ci is kept: get in with 'ssh ci.sandbox'" "$HOME/said" ||
		fail "how to get back in"
	ok "how to get back in"
	check 0 "after the run is over" ssh ci.sandbox 'cat workspace/result
	    echo noted >workspace/note'
	is "its result" "$(cat "$out")" built
}

# The broker was restarted, the sandbox sleeps, the certificates are over.
another_day() {
	local session=$HOME/.cache/sandbox-ssh/ci.sandbox/session
	check 0 "the sandbox stops" sandboxctl stop ci
	check 0 "sandboxd ends" sandboxd --stop
	sed -i 's/^not_after=.*/not_after=1/' "$session"
	check 0 "another day" ssh ci.sandbox 'cat workspace/result workspace/note'
	is "all is there" "$(xargs <"$out")" "built noted"
	is "and not a word" "$(cat "$err")" ""
	check 0 "remove it" sandboxctl kill ci
	is "nothing is left" "$(sandboxctl list --json)" "[]"
}

world_install
sandbox-proxy setup >/dev/null
ten_minutes
echo "first edition" >"$HOME/app/page.txt"
engine_run
another_day
done_testing
