#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Forwarding of ports, of the agent, and connections that are shared.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	work=$HOME/forward
	mkdir "$work"
	cp "$(dirname "$0")/../fixtures/page.py" "$work"
	scp -q "$work/page.py" "$host:workspace/page.py"
	local_forward
	remote_forward
	remote_again
	dynamic_forward
	agent
	shared_connection
	many_channels
}

# A web server that serves one line and writes its port to a file.
get() {
	curl --silent --show-error --max-time 10 "$@"
}

# Background clients end with us, whatever happens.
client() {
	ssh -N -o ExitOnForwardFailure=yes "$@" </dev/null 2>"$err" &
	client=$!
}

end_client() {
	kill "$client"
	wait "$client" 2>/dev/null || :
}

local_forward() {
	ssh "$host" '/usr/bin/python3 workspace/page.py inside workspace/port' \
	    </dev/null >/dev/null 2>&1 &
	server=$!
	wait_for "the server inside" ssh "$host" test -s workspace/port
	inside=$(ssh "$host" cat workspace/port)
	client -L "$work/local.sock:localhost:$inside" "$host"
	wait_for "-L" test -S "$work/local.sock"
	is "-L reaches a server inside" \
	    "$(get --unix-socket "$work/local.sock" http://x/)" inside
	end_client
}

remote_forward() {
	/usr/bin/python3 "$work/page.py" outside "$work/port" 2>/dev/null &
	page=$!
	wait_for "the server outside" test -s "$work/port"
	client -R "/home/sandbox/remote.sock:localhost:$(cat "$work/port")" \
	    "$host"
	wait_for "-R" ssh "$host" test -S remote.sock
	check 0 "-R works" ssh "$host" \
	    curl -s --max-time 10 --unix-socket remote.sock http://x/
	is "-R reaches a server outside" "$(cat "$out")" outside
	end_client
	kill "$page"
}

# As with a gpg-agent's socket: the first connection ended without a word and
# left it lying there.
remote_again() {
	set -- -R "/home/sandbox/again.sock:$work/nobody.sock"
	client "$@" "$host"
	wait_for "-R" ssh "$host" test -S again.sock
	kill -KILL "$client"
	wait "$client" 2>/dev/null || :
	check 0 "the socket stays" ssh "$host" test -S again.sock
	check 0 "-R where it was before" \
	    ssh -o ExitOnForwardFailure=yes "$@" "$host" true
}

# The only port that ssh must be told: one that was free a moment ago.
free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

dynamic_forward() {
	local port
	port=$(free_port)
	client -D "127.0.0.1:$port" "$host"
	wait_for "-D" get --socks5-hostname "127.0.0.1:$port" \
	    "http://localhost:$inside/"
	is "-D reaches a server inside" \
	    "$(get --socks5-hostname "127.0.0.1:$port" \
	        "http://localhost:$inside/")" inside
	end_client
	kill "$server"
	wait "$server" 2>/dev/null || :
}

agent() {
	eval "$(ssh-agent -s -a "$work/agent")" >/dev/null
	ssh-keygen -q -t ed25519 -N '' -C a-key-of-mine -f "$work/key"
	ssh-add -q "$work/key"
	check 0 "-A" ssh -A "$host" ssh-add -l
	grep -q a-key-of-mine "$out" || fail "the agent's key shows inside"
	ok "the agent's key shows inside"
	check 0 "no -A, no agent" ssh "$host" 'test -z "$SSH_AUTH_SOCK"'
	agent_for_all
	kill "$SSH_AGENT_PID"
	unset SSH_AUTH_SOCK SSH_AGENT_PID
}

# What somebody switched on for all their machines is not for sandboxes.
agent_for_all() {
	local config=$HOME/.ssh/config
	cp "$config" "$work/config"
	printf 'Host *\n    ForwardAgent yes\n    ForwardX11 yes\n' >>"$config"
	check 0 "Host *: ForwardAgent yes" \
	    ssh "$host" 'test -z "$SSH_AUTH_SOCK"'
	check 0 "Host *: what ssh makes of it" ssh -G "$host"
	is "Host *: no agent, no X11" \
	    "$(grep -E '^forward(agent|x11) ' "$out" | sort | paste -sd,)" \
	    "forwardagent no,forwardx11 no"
	check 0 "Host *: and -A" ssh -A "$host" ssh-add -l
	grep -q a-key-of-mine "$out" || fail "-A does not win"
	check 0 "Host *: and -X" ssh -G -X "$host"
	grep -qx 'forwardx11 yes' "$out" || fail "-X does not win"
	# A block of one's own, above the Include.
	{
		printf 'Host %s\n    ForwardAgent yes\nMatch all\n' "$host"
		cat "$work/config"
	} >"$config"
	check 0 "Host $host above: ForwardAgent yes" ssh "$host" ssh-add -l
	grep -q a-key-of-mine "$out" || fail "a block above does not win"
	ok "both win"
	cp "$work/config" "$config"
}

shared_connection() {
	set -- -o ControlMaster=auto -o "ControlPath=$work/%C" \
	    -o ControlPersist=60
	check 0 "ControlMaster: the first" ssh "$@" "$host" true
	check 0 "the master stays" ssh "$@" -O check "$host"
	check 0 "ControlMaster: the second" ssh "$@" "$host" echo shared
	is "over the same connection" "$(cat "$out")" shared
	check 0 "the master ends" ssh "$@" -O exit "$host"
}

# As an editor or a test runner does: all at once, over one connection.
many_channels() {
	set -- -S "$work/many" -o ProxyCommand=false
	ssh -o ControlMaster=yes -S "$work/many" -o ControlPersist=60 "$host" true
	mkfifo "$work/hold"
	exec 7<>"$work/hold"
	for _ in $(seq 40); do
		ssh "$@" "$host" 'echo in; exec cat' <"$work/hold" \
		    >>"$work/in" 2>>"$work/in" 7>&- &
	done
	wait_for "40 commands at once" lines_in 40 "$work/in"
	exec 7>&-
	wait
	is "40 commands over one connection" "$(grep -cx in "$work/in")" 40
	ssh -S "$work/many" -O exit "$host" 2>/dev/null
}

lines_in() {
	[ "$(wc -l <"$2")" -ge "$1" ]
}

world_main "$@"
