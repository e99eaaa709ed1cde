#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The ways in which people and programs call ssh itself: jumps, -W, -f, other
# configurations, shared connections, X11, tmux, VS Code.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	work=$HOME/ways
	mkdir "$work"
	cd "$work"
	inner_sshd
	bytes_only
	jump
	in_background
	configurations
	automatic_master
	x11
	tmux_over_ssh
	vscode
	ssh "$host" 'kill $(cat workspace/sshd.pid)'
	is "no process of ours stays" \
	    "$(pgrep -u "$(id -u)" -f 'sandbox-(proxy|resolve)' || :)" ""
}

# A second sshd, of an ordinary account, on the sandbox's loopback.
inner_sshd() {
	ssh-keygen -q -t ed25519 -N '' -f "$work/key"
	scp -q "$work/key.pub" "$host:workspace/keys"
	ssh "$host" 'cd workspace && pwd && ssh-keygen -q -t ed25519 -N "" \
	    -f inner && cat >inner.conf' >"$out" <<-'END'
		ListenAddress 127.0.0.1
		HostKey /home/sandbox/workspace/inner
		PidFile /home/sandbox/workspace/sshd.pid
		AuthorizedKeysFile /home/sandbox/workspace/keys
		SetEnv WHERE=inner
		StrictModes no
		UsePAM no
	END
	inner=$(ssh "$host" /usr/bin/python3 - <<-'END'
		import socket
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		print(s.getsockname()[1])
	END
	)
	ssh "$host" "/usr/sbin/sshd -f workspace/inner.conf -p $inner"
	ssh "$host" "sed 's/^/[localhost]:$inner /' workspace/inner.pub" \
	    >"$work/inner_hosts"
}

greets() {
	[[ $(ssh -W "localhost:$inner" "$host" <<<"SSH-2.0-test" |
	    head -n 1) = SSH-2.0-OpenSSH* ]]
}

bytes_only() {
	wait_for "the sshd inside" greets
	ok "ssh -W"
	check 255 "ssh -W to a port where nothing listens" \
	    ssh -W localhost:1 "$host"
}

jump() {
	set -- -i "$work/key" -p "$inner" \
	    -o UserKnownHostsFile="$work/inner_hosts"
	check 0 "ssh -J" ssh -J "$host" "$@" sandbox@localhost 'echo $WHERE'
	is "the sshd behind it answers" "$(cat "$out")" inner
	is "silently" "$(cat "$err")" ""
	check 255 "ssh -J through a sandbox that is not there" \
	    ssh -J run-9.sandbox "$@" sandbox@localhost true
	grep -q 'run-9: no such sandbox' "$err" || fail "it says which"
	ok "it says which"
	cat >"$work/jump.conf" <<-END
		Include ~/.ssh/config
		Host inside
		    HostName localhost
		    User sandbox
		    Port $inner
		    IdentityFile $work/key
		    UserKnownHostsFile $work/inner_hosts
		    HostKeyAlias [localhost]:$inner
		    ProxyJump $host
	END
	check 0 "ProxyJump in a file" ssh -F "$work/jump.conf" inside true
}

in_background() {
	check 0 "ssh -N -f" ssh -N -f -M -S "$work/f.ctl" \
	    -L "$work/f.sock:localhost:$inner" "$host"
	is "nothing of ours serves it" \
	    "$(pgrep -u "$(id -u)" -f 'sandbox-(proxy|resolve)' || :)" ""
	is "its forwarding works" "$(/usr/bin/python3 - "$work/f.sock" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		print(s.recv(4).decode())
	END
	)" SSH-
	check 0 "and it ends when told" ssh -S "$work/f.ctl" -O exit "$host"
}

configurations() {
	sandbox-proxy print-config >"$work/other"
	check 0 "ssh -F" ssh -F "$work/other" "$host" true
	check 0 "scp -F" scp -q -F "$work/other" "$work/other" \
	    "$host:workspace/"
	check 0 "ProxyUseFdpass no" \
	    ssh -o ProxyUseFdpass=no "$host" echo through
	is "goes through a pipe" "$(cat "$out")" through
	check 0 "LogLevel QUIET" ssh -o LogLevel=QUIET "$host" true
	is "is quiet" "$(cat "$out" "$err")" ""
	check 255 "LogLevel QUIET, and no such sandbox" \
	    ssh -o LogLevel=QUIET run-9.sandbox true
	says "our line stays" 'run-9: no such sandbox'
	check 0 "CanonicalizeHostname" ssh -o CanonicalizeHostname=yes \
	    -o CanonicalDomains=example.invalid "$host" true
	check 0 "a name in capitals" ssh RUN-1234.sandbox hostname
	is "is the same sandbox" "$(cat "$out")" run-1234
}

# Several at once, none of them told to be the first.
automatic_master() {
	local i pids=()
	cat >"$work/shared.conf" <<-END
		Host *.sandbox
		    ControlMaster auto
		    ControlPath $work/%C
		    ControlPersist 60
		Include ~/.ssh/config
	END
	for i in 1 2 3 4; do
		ssh -F "$work/shared.conf" "$host" echo "$i" \
		    >"$work/auto.$i" 2>"$err" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "ControlMaster auto: four at once"
	done
	is "ControlMaster auto: four at once" \
	    "$(cat "$work"/auto.[1-4] | paste -sd ' ')" "1 2 3 4"
	check 0 "one has stayed as master" \
	    ssh -F "$work/shared.conf" -O check "$host"
	check 0 "sftp over it" sftp -q -F "$work/shared.conf" -b /dev/null \
	    "$host"
	check 0 "it ends" ssh -F "$work/shared.conf" -O exit "$host"
	# ssh hides what its proxy command says then.
	! ssh -F "$work/shared.conf" run-9.sandbox true 2>&1 >"$out" |
		cat >"$err" || fail "a sandbox that is not there"
	is "a master that fails says why, once" \
	    "$(grep -c 'run-9: no such sandbox' "$err")" 1
}

x11() {
	local option
	for option in -X -Y; do
		check 0 "ssh $option" env DISPLAY=localhost:7 \
		    ssh "$option" "$host" 'echo "[$DISPLAY]"'
		is "opens no display" "$(cat "$out")" "[]"
		grep -q 'X11 forwarding request failed' "$err" ||
			fail "$option: ssh is told so"
		ok "and ssh is told so"
	done
}

screen() {
	tmux -L test capture-pane -p -t ssh
}

on_screen() {
	screen | tee "$err" | grep -Eq -- "$1"
}

# A session inside that outlives its connection.
tmux_over_ssh() {
	tmux -L test -f /dev/null new-session -d -s ssh -x 100 -y 30 \
	    "ssh -t $host tmux -f /dev/null new-session -s inside; exec cat"
	wait_for "tmux inside" on_screen '\[inside\]'
	ok "tmux runs inside"
	tmux -L test send-keys -t ssh 'kept=here; echo is-$kept' Enter
	wait_for "its shell" on_screen '^is-here'
	tmux -L test send-keys -t ssh C-b d
	wait_for "its end" on_screen '\[detached'
	tmux -L test kill-server
	check 0 "the session outlives the connection" \
	    ssh "$host" tmux has-session -t inside
	tmux -L test -f /dev/null new-session -d -s ssh -x 100 -y 30 \
	    "ssh -t $host tmux attach -t inside; exec cat"
	wait_for "it is back" on_screen '\[inside\]'
	tmux -L test send-keys -t ssh 'echo still-$kept' Enter
	wait_for "the same shell" on_screen '^still-here'
	ok "and can be attached to again"
	tmux -L test kill-server
	check 0 "it ends" ssh "$host" tmux kill-server
}

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

through_socks() {
	[[ $(curl -s --max-time 10 --http0.9 -o - \
	    --socks5-hostname "127.0.0.1:$1" \
	    "http://127.0.0.1:$inner/" | head -c 4) = SSH- ]]
}

# As its extension Remote - SSH does: a shell that reads a script, and all
# else through one SOCKS port.
vscode() {
	local port client
	port=$(free_port)
	mkfifo "$work/script" "$work/reply"
	ssh -v -T -D "$port" -o ConnectTimeout=15 -o RemoteCommand=none \
	    "$host" sh <"$work/script" >"$work/reply" 2>"$err" &
	client=$!
	exec 8>"$work/script" 7<"$work/reply"
	printf '%s\n' 'echo "start:$(uname -s):$(id -un):$SSH_CONNECTION"' >&8
	read -rt 60 reply <&7 || fail "VS Code's script says nothing"
	[[ $reply = start:Linux:sandbox:* ]] || fail "VS Code: '$reply'"
	ok "VS Code: a script on standard input"
	wait_for "its SOCKS port" through_socks "$port"
	ok "VS Code: the SOCKS port reaches a server inside"
	# What it starts must not hold the connection open.
	printf '%s\n' 'sh -c "sleep 60" >/dev/null 2>&1 </dev/null &' \
	    'echo "end:$?"' 'exit 3' >&8
	read -rt 60 reply <&7 || fail "VS Code: no end"
	is "VS Code: the script goes on" "$reply" "end:0"
	exec 8>&- 7<&-
	local status=0
	wait "$client" || status=$?
	is "VS Code: its exit status" "$status" 3
	check 0 "VS Code: is the file for the connection there" \
	    ssh -T "$host" 'test -w "$HOME" && mkdir -p ~/.vscode-server'
	check 0 "VS Code on a configuration of its own" \
	    ssh -F "$work/other" -T -o ConnectTimeout=15 "$host" \
	    'bash --login -c bash' </dev/null
}

world_main "$@"
