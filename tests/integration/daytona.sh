#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Daytona by plain ssh, scp, rsync and git, against its double, through a
# broker of the user's own that is started on demand.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
. "$(dirname "$0")/../world/daytona.sh"

host=run-1234.sandbox
state=$HOME/.local/state/sandbox-ssh
config=$HOME/.config/sandbox-ssh/sandboxd.conf

# configure [LINE...]: with these lines more in [daytona] or behind it
configure() {
	mkdir -p "$(dirname "$config")"
	printf '%s\n' "[daytona]" "api_key_file = $HOME/key" \
	    "api_url = $daytona_api/api" \
	    "host_key = $other_key, $(cut -d' ' -f1,2 "$daytona/host_key.pub")" \
	    "$@" >"$config"
	sandboxd --stop >/dev/null 2>&1 || :
}

# Whatever comes out of it, its exit status is lost by the gateway.
gateway() {
	check 255 "$@"
}

main() {
	logging_in
	files
	forwarding
	tokens
	waking
	finding
	making
	failing
	secrets
}

not_running() {
	! pgrep -u alice -x 'ssh|sandbox-proxy|sandbox-resolve'
}

logging_in() {
	gateway "ssh" ssh "$host" 'echo $HOME; pwd'
	is "ssh: what it says" "$(sort -u "$out" | wc -l)" 1
	is "ssh: one token" "$(daytona_made)" 1
	daytona_forget
	gateway "ssh again" ssh "$host" true
	is "a warm login asks nobody" "$(daytona_calls .)" 0
	gateway "standard input and output" \
	    bash -c "seq 100000 | ssh $host sha256sum"
	is "standard input and output: whole" "$(cut -d' ' -f1 "$out")" \
	    "$(seq 100000 | sha256sum | cut -d' ' -f1)"
	sandbox-resolve forget "$host"
	check 0 "20 at once" bash -c "for i in {1..20}; do
	    ssh $host 'echo in' & done; wait"
	is "20 at once: all of them" "$(grep -c '^in$' "$out")" 20
	is "20 at once: one token" "$(daytona_made)" 1
	gateway "by its id" ssh "$native.sandbox" 'echo in'
	is "by its id: in" "$(cat "$out")" in
	gateway "with its provider" ssh run-1234.daytona.sandbox 'echo in'
	is "with its provider: in" "$(cat "$out")" in
	check 0 "show" sandboxctl show run-1234
	grep -q '^provider: daytona' "$out" || fail "show: provider"
	grep -q '^lacks: remote forwarding (-R)' "$out" ||
		fail "show says what it cannot do: $(cat "$out")"
	ok "show says what it cannot do"
	grep -q '^isolation: platform' "$out" || fail "show: isolation"
}

files() {
	local home
	home=$(ls -d "$daytona/homes/$native")
	seq 1000 >"$HOME/file"
	# With an exit status that says no, since ssh's is lost.
	check 1 "scp" scp -q "$HOME/file" "$host:file"
	cmp "$HOME/file" "$home/file" || fail "scp"
	check 1 "scp back" scp -q "$host:file" "$HOME/back"
	cmp "$HOME/file" "$HOME/back" || fail "scp back"
	echo "put $HOME/file two" >"$HOME/batch"
	check 0 "sftp" sftp -q -b "$HOME/batch" "$host"
	cmp "$HOME/file" "$home/two" || fail "sftp"
	mkdir -p "$HOME/tree/a"
	cp "$HOME/file" "$HOME/tree/a"
	rsync -a "$HOME/tree/" "$host:tree/" >"$out" 2>"$err" || :
	diff -r "$HOME/tree" "$home/tree" || fail "rsync: $(cat "$err")"
	ok "rsync: the files are there"
	git init -q --bare "$home/repo.git"
	git init -q "$HOME/work"
	git -C "$HOME/work" -c user.name=a -c user.email=a@b commit -q \
	    --allow-empty -m one
	git -C "$HOME/work" push -q "$host:repo.git" HEAD:main \
	    >"$out" 2>"$err" || :
	git -C "$home/repo.git" log --oneline main >"$out" || fail "git push"
	ok "git push: the commit is there"
}

forwarding() {
	local pid
	ssh -N -L "$HOME/forward:127.0.0.1:$(sed -n 's/^api=//p' \
	    "$daytona/ports")" "$host" >"$out" 2>"$err" &
	pid=$!
	wait_for "-L" test -S "$HOME/forward"
	check 0 "-L" curl -sS --unix-socket "$HOME/forward" \
	    http://localhost/control
	jq -e .calls "$out" >/dev/null || fail "-L: an answer"
	kill "$pid"
	wait "$pid" || :
	check 255 "-R is refused" ssh -o ExitOnForwardFailure=yes \
	    -R 0:127.0.0.1:1 "$host" true
	gateway "an agent does not get there" ssh-agent ssh -A "$host" \
	    'echo "agent:$SSH_AUTH_SOCK."'
	grep -q 'agent:\.' "$out" || fail "an agent got there: $(cat "$out")"
	gateway "standard error is lost" ssh "$host" 'echo lost >&2'
	! grep -q lost "$err" || fail "standard error came"
}

tokens() {
	local before
	# Nobody but who logs in sees it: hosts.conf has it, no command line.
	grep -rlF "$(daytona_control GET "" | jq -r '.tokens[0]')" \
	    "$HOME" 2>/dev/null | sort >"$HOME/holders"
	is "a token stands in the cache and the broker's state alone" \
	    "$(sed "s|$HOME/||; s|/[^/]*$||" "$HOME/holders" | sort -u |
		grep -v '^.cache/sandbox-ssh')" \
	    .local/state/sandbox-ssh/daytona
	is "for its owner alone" "$(xargs -d '\n' stat -c %a \
	    <"$HOME/holders" | sort -u | tr '\n' ' ')" "400 600 "
	# Near its end it is renewed, and everybody gets the new one.
	before=$(daytona_made)
	sed -i "s/^expires_at=.*/expires_at=$(($(date +%s) + 200))/" \
	    "$state/daytona/$native"
	sandbox-resolve forget "$host"
	gateway "a token near its end" ssh "$host" 'echo in'
	is "a token near its end is renewed" "$(daytona_made)" \
	    "$((before + 1))"
}

waking() {
	daytona_change run-1234 '{"state": "stopped"}'
	daytona_set '{"start_seconds": 3}'
	sandbox-resolve forget "$host"
	daytona_forget
	gateway "one that is stopped is woken" ssh "$host" 'echo up'
	is "it is up" "$(cat "$out")" up
	is "started once" "$(daytona_calls '/start$')" 1
	check 0 "stop" sandboxctl stop run-1234
	is "stop: there, too" "$(daytona_state run-1234)" stopped
	# Somebody who is tired of waiting.
	sandbox-resolve forget "$host"
	timeout -s INT 2 ssh "$host" true >"$out" 2>"$err" || :
	wait_for "^C leaves nothing behind" not_running
	ok "^C leaves nothing behind"
	check 0 "start" sandboxctl start run-1234
	is "start: there, too" "$(daytona_state run-1234)" started
	daytona_set '{"start_seconds": 0.2}'
}

finding() {
	check 0 "list" sandboxctl list --provider daytona
	is "list: all of them" "$(tail -n +2 "$out" | wc -l)" 63
	check 0 "hosts" sandbox-proxy hosts
	is "hosts: all of them" "$(grep -c '^many-.*\.sandbox' "$out")" 60
	sandboxctl create mine >/dev/null
	check 0 "list of another provider" sandboxctl list --provider local
	is "list of another provider" "$(tail -n +2 "$out" | cut -d' ' -f1)" \
	    mine
	sandboxctl kill mine >/dev/null
	configure 'label = run'
	gateway "by its label" ssh l-1.sandbox 'echo in'
	is "by its label: in" "$(cat "$out")" in
	check 255 "a label of two" ssh l-2.sandbox true
	grep -q 'many-1 and many-2\|many-2 and many-1' "$err" ||
		fail "a label of two: names both"
	ok "a label of two: names both"
	configure '[route]' 'daytona = many-*'
	check 255 "not routed there" ssh ups-1.sandbox true
	gateway "not routed there, but named" ssh ups-1.daytona.sandbox true
	configure
	check 255 "nobody's" ssh nobodys.sandbox true
	grep -q 'no such sandbox' "$err" || fail "nobody's: says so"
	ok "nobody's: says so"
}

making() {
	check 0 "create" sandboxctl create --timeout 1h --label a=b \
	    made.daytona.sandbox
	is "create: its state" "$(daytona_state made)" started
	is "create: its label" "$(daytona_control GET "" |
		jq -r '.sandboxes[] | select(.name == "made") | .labels.a')" b
	is "create: its end there, a minute later than ours" \
	    "$(daytona_calls '/ttl/61$')" 1
	gateway "ssh" ssh made.sandbox true
	check 0 "extend" sandboxctl extend --timeout 2h made
	is "extend: there, too" "$(daytona_calls '/ttl/121$')" 1
	check 73 "a name that is taken there" \
	    sandboxctl create many-7.daytona.sandbox
	is "and is still there" "$(daytona_state many-7)" started
	check 0 "kill" sandboxctl kill made
	wait_for "kill: there, too" test -z "$(daytona_state made |
		grep -v destroying)"
	is "kill: its token is revoked" \
	    "$(daytona_calls 'DELETE .*/ssh-access')" 1
	daytona_change many-9 '{"state": "destroyed"}'
	check 66 "one that went by itself" sandboxctl show many-9
}

failing() {
	daytona_change many-3 '{"state": "error", "recoverable": false,
	    "errorReason": "disk is full"}'
	check 0 "an error" sandboxctl show many-3
	grep -q '^reason: disk is full' "$out" || fail "errorReason in show"
	ok "errorReason in show"
	check 69 "starting it" sandboxctl start many-3
	says "errorReason" 'disk is full'
	daytona_change many-4 '{"state": "error", "recoverable": true}'
	gateway "one that can be recovered" ssh many-4.sandbox 'echo up'
	is "one that can be recovered: up" "$(cat "$out")" up
	daytona_change many-5 '{"state": "hibernating"}'
	check 0 "a state of tomorrow" sandboxctl show many-5
	grep -q "hibernating" "$out" || fail "a state of tomorrow"

	daytona_fault '{"match": "^GET .*many-6", "status": 429,
	    "headers": {"Retry-After-authenticated": "1"}}'
	gateway "429 with a suffix" ssh many-6.sandbox true
	daytona_fault '{"match": "^GET .*many-7", "status": 503, "times": 2,
	    "body": "<html>"}'
	gateway "503 twice" ssh many-7.sandbox true
	daytona_fault '{"match": "^GET .*many-8", "status": 200,
	    "body": "<html>It works", "times": 9}'
	check 255 "a proxy that answers HTML" ssh many-8.sandbox true
	grep -q 'is not its API.*is there a proxy' "$err" || fail "HTML"
	ok "a proxy that answers HTML: says so"
	daytona_forget
	daytona_fault '{"match": "^GET .*many-8", "cut": true, "times": 9}'
	check 255 "an answer that is cut" ssh many-8.sandbox true
	daytona_forget
	daytona_fault '{"match": "^GET .*many-8", "status": 403,
	    "body": "{\"message\": \"Access denied\"}", "times": 9}'
	check 255 "403" ssh many-8.sandbox true
	grep -q 'Access denied (status 403)' "$err" || fail "403"
	daytona_forget

	# What is cached works while the platform is down.
	gateway "while it is up" ssh "$host" true
	sed -i "s/^not_after=.*/not_after=$(($(date +%s) + 25))/" \
	    "$HOME/.cache/sandbox-ssh/$host/session"
	daytona_fault '{"match": ".", "status": 503, "times": 1000}'
	gateway "while it is down" ssh "$host" 'echo in'
	is "while it is down: in" "$(cat "$out")" in
	grep -Eq 'ends? at [0-9:]+ and cannot be renewed: daytona' "$err" ||
		fail "it does not say until when: $(cat "$err")"
	ok "it says until when"
	daytona_forget
}

secrets() {
	local pid words
	words="dtn_test $(daytona_control GET "" | jq -r '.tokens[]')"
	sandboxctl show --json run-1234 >"$HOME/show"
	sandboxctl list --json >>"$HOME/show"
	for word in $words; do
		! grep -qF "$word" "$HOME/show" "$state/sandboxd.log" ||
			fail "a secret is shown or logged"
	done
	ok "no secret in show, list or the log"
	ssh "$host" 'sleep 60' >/dev/null 2>&1 &
	pid=$!
	wait_for "ssh" pgrep -f 'sleep 60'
	cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null |
		tr '\0' '\n' >"$HOME/ps" || :
	for word in $words; do
		! grep -qF "$word" "$HOME/ps" || fail "a secret in ps"
	done
	ok "no secret on a command line or in an environment"
	kill "$pid"
	wait "$pid" || :
	chmod 0644 "$HOME/key"
	configure
	check 78 "a key that others can read" \
	    sandboxctl create x.daytona.sandbox
	says "a key that others can read: says so" 'chmod go-rwx'
	check 0 "that stops nobody else" sandboxctl create y
	sandboxctl kill y >/dev/null
	chmod 0600 "$HOME/key"
	echo wrong >"$HOME/key"
	configure
	check 78 "a key that is not accepted" \
	    sandboxctl create x.daytona.sandbox
	says "a key that is not accepted: says so" 'Invalid credentials'
	# It is read again when it is not accepted any more.
	echo dtn_test >"$HOME/key"
	check 0 "a key that was replaced" sandboxctl show run-1234
	sed -i "s|^api_key_file.*|api_key_command = /bin/echo eyJ.jwt|
	    s|^api_url.*|&\norganization = org-1|" "$config"
	sandboxd --stop >/dev/null
	check 0 "a JWT with its organization" sandboxctl show run-1234
	sed -i "s|^organization.*|organization = org-2|" "$config"
	sandboxd --stop >/dev/null
	check 78 "of another organization" sandboxctl show run-1234
	says "says so" 'Invalid authentication context'
}

# Root's broker has a key for those whom it names.
root() {
	local conf
	conf=$(printf 'show:\n\t@echo $(sysconfdir)\n' |
		make -s -C "$BUILDDIR" -f Makefile -f - show)/sandbox-ssh
	daytona_start '[{"name": "run-1234"}]'
	(umask 077 && echo dtn_test >/etc/key)
	mkdir -p "$conf"
	printf '%s\n' "[daytona]" "api_key_file = /etc/key" \
	    "api_url = $daytona_api/api" "allow = bob" \
	    "host_key = $(cut -d' ' -f1,2 "$daytona/host_key.pub")" \
	    >"$conf/sandboxd.conf"
	sandboxd --daemon
	is "the process with the key is not root's" \
	    "$(ps -C sandboxd:prov -o uid= | awk '$1 > 1000000' | wc -l)" 1
	sandbox-proxy setup >/dev/null
	gateway "root" ssh "$host" 'echo in'
	is "root: in" "$(cat "$out")" in
	world_as bob allowed
	world_as carol not-allowed
	is "one token for all of them" "$(daytona_made)" 1
	daytona_end
}

case ${1:-} in
allowed)
	sandbox-proxy setup >/dev/null
	gateway "who is allowed" ssh "$host" 'echo in'
	is "who is allowed: in" "$(cat "$out")" in
	check 0 "list" sandboxctl list --provider daytona
	grep -q '^run-1234 ' "$out" || fail "list"
	exit
	;;
not-allowed)
	sandbox-proxy setup >/dev/null
	check 255 "who is not allowed" ssh "$host" true
	grep -q 'no such sandbox' "$err" || fail "it is there"
	check 77 "creates nothing" sandboxctl create x.daytona.sandbox
	says "says so" 'allow in \[daytona\]'
	exit
	;;
esac
if [ "${1:-}" = as ]; then
	PATH=$PATH:$(printf 'show:\n\t@echo $(pkglibexecdir)\n' |
		make -s -C "$BUILDDIR" -f Makefile -f - show)
	native=0a1b2c3d-1111-4222-8333-444455556666
	daytona_start "$(jq -nc --arg native "$native" '[
	    {name: "run-1234", id: $native, labels: {team: "x"}},
	    {name: "UPPER CASE"}, {name: "ups-1", labels: {run: "l-1"}}] +
	    [range(60) | {name: "many-\(.)", labels:
		(if . == 1 or . == 2 then {run: "l-2"} else {} end)}]')"
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/other"
	other_key=$(cut -d' ' -f1,2 "$HOME/other.pub")
	(umask 077 && echo dtn_test >"$HOME/key")
	configure
	sandbox-proxy setup >/dev/null
	main
	daytona_end
	done_testing
	exit
fi
world_install
for who in alice bob carol; do
	world_user "$who"
done
world_as alice as
root
done_testing
