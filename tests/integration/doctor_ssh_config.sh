#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# sandbox-proxy doctor on a person's own ssh_config: what keeps ssh out is
# named, with the line where it stands; and who is told "ok" gets in.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

# config ABOVE BELOW: what stands around the Include, as printf has it
config() {
	{
		[ -z "$1" ] || printf '%b\nMatch all\n' "$1"
		echo "$include"
		[ -z "$2" ] || printf '%b\n' "$2"
	} >"$HOME/.ssh/config"
}

# names STATUS LEVEL CHECK OPTION LINE [REGEX]: that line of the report, with
# where the option stands; no other check says that something fails
names() {
	local status=$1 level=$2 check=$3 option=$4 line=$5
	check "$status" "doctor: $option, line $line" sandbox-proxy doctor "$host"
	grep -Eiq -- "^$level +$check: $option .*$HOME/.ssh/config:$line.*${6:-}" \
	    "$out" || {
		cat "$out" >&2
		fail "doctor: $option: not $level $check, or not with its line"
	}
	! grep -q 'something else answers' "$out" ||
		fail "doctor: $option: it accuses somebody"
	grep -v "^ok\|^$level *$check\|^warn *gate\|is told above" "$out" \
	    >"$HOME/rest" || :
	[ ! -s "$HOME/rest" ] || {
		cat "$HOME/rest" >&2
		fail "doctor: $option: it blames others, too"
	}
	ok "$level $check: $option"
}

# What keeps ssh out wherever it stands: LINES/CHECK/OPTION/LINE-IN-IT
anywhere() {
	cat <<-'END'
	HostKeyAlgorithms ssh-rsa/login/HostKeyAlgorithms/1
	PubkeyAcceptedAlgorithms ssh-ed25519/login/PubkeyAcceptedAlgorithms/1
	PubkeyAcceptedKeyTypes rsa-sha2-512/login/PubkeyAcceptedAlgorithms/1
	HostKeyAlias other/login/HostKeyAlias/1
	Ciphers aes128-cbc/login/Ciphers/1
	Ciphers aes256-ctr\n MACs hmac-md5/login/MACs/2
	RevokedHostKeys ~|none/login/RevokedHostKeys/1
	ExitOnForwardFailure yes\n LocalForward 1 x:1/login/ExitOnForwardFailure/1
	ExitOnForwardFailure yes\n RemoteForward 1 x:1/login/ExitOnForwardFailure/1
	ControlMaster auto\n ControlPath ~|nodir|%C/snippet/ControlPath/2
	ControlMaster auto\n ControlPath ~|control-of-all-hosts/snippet/ControlPath/2
	ControlMaster auto\n ControlPath ~|%C%C%C/snippet/ControlPath/2
	END
}

# What does only above.
above() {
	cat <<-'END'
	ProxyCommand none/snippet/ProxyCommand/1
	ProxyCommand nc %h %p/snippet/ProxyCommand/1
	ProxyJump bastion/snippet/ProxyJump/1
	HostName %h.corp.example/snippet/HostName/1
	User other/snippet/User/1
	PubkeyAuthentication no/snippet/PubkeyAuthentication/1
	PreferredAuthentications password/snippet/PreferredAuthentications/1
	UserKnownHostsFile ~|none/snippet/UserKnownHostsFile/1
	StrictHostKeyChecking no/snippet/StrictHostKeyChecking/1
	RemoteCommand tmux/snippet/RemoteCommand/1
	SessionType none/snippet/SessionType/1
	SessionType subsystem/snippet/SessionType/1
	StdinNull yes/snippet/StdinNull/1
	ForkAfterAuthentication yes/snippet/ForkAfterAuthentication/1
	END
}

# What is only worth a word.
warned() {
	cat <<-'END'
	SendEnv LANG *_KEY/snippet/SendEnv [*]_KEY/1
	SendEnv LC_*\n SendEnv */snippet/SendEnv [*]/2
	SetEnv A=1/snippet/SetEnv A at/1
	RequestTTY force/snippet/RequestTTY/1
	VerifyHostKeyDNS yes/snippet/VerifyHostKeyDNS/1
	KnownHostsCommand |bin|true/snippet/KnownHostsCommand/1
	UpdateHostKeys yes/snippet/UpdateHostKeys/1
	Tunnel yes/snippet/Tunnel/1
	END
}

each_option() {
	local lines check option line count=0
	while IFS=/ read -r lines check option line; do
		lines=${lines//|//}
		count=$((count + 1))
		config "Host *\n $lines" ''
		names 1 fail "$check" "$option" $((line + 1))
		config '' "Host *\n $lines"
		names 1 fail "$check" "$option" $((line + 2))
	done < <(anywhere)
	while IFS=/ read -r lines check option line; do
		lines=${lines//|//}
		count=$((count + 1))
		config "Host *\n $lines" ''
		names 1 fail "$check" "$option" $((line + 1))
		config '' "Host *\n $lines"
		check 0 "doctor: $lines below" sandbox-proxy doctor "$host"
	done < <(above)
	while IFS=/ read -r lines check option line; do
		lines=${lines//|//}
		count=$((count + 1))
		config "Host *\n $lines" ''
		names 0 warn "$check" "$option" $((line + 1))
	done < <(warned)
	[ "$count" -gt 30 ] || fail "that cannot be all"
}

# Where a line stands, as ssh sees it.
each_place() {
	# Below it depends on the client, for which we may have chosen.
	config 'Host *\n KexAlgorithms diffie-hellman-group1-sha1' ''
	names 1 fail login KexAlgorithms 2
	config '' '\n# User\r\nHost=*\r\n\tCiphers = "aes128-cbc"\r'
	names 1 fail login Ciphers 5
	config 'Ciphers aes128-cbc\nHost *\n Ciphers aes256-ctr' ''
	names 1 fail login Ciphers 1
	config 'Host other\n Ciphers 3des-cbc\nHost * !run*\n Ciphers 3des-cbc' \
	    'Host run-* other\n Ciphers aes128-cbc'
	names 1 fail login Ciphers 8
	config 'Match user bob\n Ciphers 3des-cbc' \
	    'Match host *.sandbox !exec false\n Ciphers aes128-cbc'
	names 1 fail login Ciphers 6
	config '' 'Match all\n Ciphers aes128-cbc'
	names 1 fail login Ciphers 3
	config 'Match final all\n Ciphers aes128-cbc' 'Host *\n MACs hmac-sha1'
	names 1 fail login Ciphers 2
	config 'Match final all\n User me' 'Ciphers aes128-cbc'
	names 1 fail login Ciphers 5

	mkdir -p "$HOME/.ssh/d"
	printf 'Host x\n User y\nHost *\n Ciphers aes128-cbc\n' >"$HOME/.ssh/d/b"
	printf 'Host x\n Ciphers 3des-cbc\n' >"$HOME/.ssh/d/a"
	config '' 'Host other\nInclude d/*\nMatch all\nInclude "d/*"'
	check 1 "doctor: in an Include" sandbox-proxy doctor "$host"
	grep -q "Ciphers aes128-cbc at $HOME/.ssh/d/b:4 " "$out" ||
		fail "doctor: in an Include: not with its line"
	ok "in an Include"
	cp "$HOME/.ssh/config" "$HOME/config"
	config '' ''
	check 1 "doctor --file" sandbox-proxy doctor --file "$HOME/config" "$host"
	grep -q "Ciphers aes128-cbc at $HOME/.ssh/d/b:4 " "$out" ||
		fail "doctor --file: not with its line"
	ok "doctor --file"
	rm "$HOME"/.ssh/d/?
}

# By the name that a person gave it.
other_name() {
	config 'Host dev\n HostName run-1234.sandbox' ''
	check 0 "doctor dev" sandbox-proxy doctor dev
	grep -q '^ok *login: as sandbox' "$out" || fail "doctor dev: no login"
	config '' 'Host dev\n HostName run-1234.sandbox\nHost *\n User me'
	check 1 "doctor dev: a User below" sandbox-proxy doctor dev
	grep -q "^fail *snippet: User me at $HOME/.ssh/config:5: .*the HostName above it" \
	    "$out" || fail "doctor dev: the User is not named"
	config '' 'Match user nobody\nHost dev\n HostName run-1234.sandbox'
	sandbox-proxy hosts --refresh >/dev/null 2>&1
	check 1 "doctor dev: too late" sandbox-proxy doctor dev
	grep -q "^fail *snippet: HostName run-1234.sandbox at $HOME/.ssh/config:4: ssh does not use sandbox-proxy for it: move that block above" \
	    "$out" || fail "doctor dev: too late, and not named"
	ok "doctor dev: too late"
	config '' 'Host dev\n HostName elsewhere.example'
	check 64 "doctor of another host" sandbox-proxy doctor dev
}

# Nothing is run here, and shared connections stay as they are.
side_effects() {
	config '' "Host *\n PermitLocalCommand yes\n LocalCommand touch $HOME/touched
	 ControlMaster auto\n ControlPath ~/%C\n ControlPersist 60"
	check 0 "doctor: LocalCommand, ControlPersist" sandbox-proxy doctor "$host"
	[ ! -e "$HOME/touched" ] || fail "LocalCommand was run"
	ok "LocalCommand was not run"
	check 255 "no master stays" ssh -O check "$host"
	ssh "$host" true
	check 0 "a master" ssh -O check "$host"
	rm "$HOME/touched"
	check 0 "doctor beside a master" sandbox-proxy doctor "$host"
	grep -q '^ok *login: as sandbox' "$out" || fail "it did not log in"
	check 0 "the master stays" ssh -O check "$host"
	ssh -O exit "$host" 2>/dev/null
}

# Keys that ask a person, and agents.
own_key() {
	ssh-keygen -q -t ed25519 -N secret -f "$HOME/mine"
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '[ssh]\npublic_key = %s\n' "$HOME/mine.pub" \
	    >"$HOME/.config/sandbox-ssh/config"
	config '' ''
	check 0 "doctor: a key with a passphrase" sandbox-proxy doctor "$host"
	grep -q '^warn *login: the certificate is taken, but the key wants' "$out" ||
		fail "a key with a passphrase: nothing is said"
	ok "a key with a passphrase"
	python3 /srv/tests/fixtures/mute_agent.py "$HOME/mute" &
	wait_for "the mute agent" test -S "$HOME/mute"
	SSH_AUTH_SOCK=$HOME/mute check 1 "doctor: a mute agent" \
	    sandbox-proxy doctor "$host"
	grep -q "^fail *key: the ssh-agent at $HOME/mute does not answer" "$out" ||
		fail "a mute agent: nothing is said"
	rm "$HOME/.config/sandbox-ssh/config"
	SSH_AUTH_SOCK=$HOME/mute check 0 "doctor: a mute agent, a key of ours" \
	    sandbox-proxy doctor "$host"
	grep -q "^warn *key: the ssh-agent at $HOME/mute does not answer" "$out" ||
		fail "a mute agent, a key of ours: nothing is said"
	ok "a mute agent, a key of ours"
	rm -rf "$HOME/.cache/sandbox-ssh/$host"
	config "Host *\n IdentityAgent ~/mute" ''
	check 1 "doctor: a mute IdentityAgent" sandbox-proxy doctor "$host"
	grep -q "^fail *snippet: IdentityAgent ~/mute at $HOME/.ssh/config:2: it does not answer" \
	    "$out" || fail "a mute IdentityAgent: it is not named"
	config '' "Host *\n IdentityAgent ~/mute"
	check 0 "doctor: a mute IdentityAgent below" \
	    sandbox-proxy doctor "$host"
	config '' ''
	kill %1
	wait 2>/dev/null || :
}

# What a sandbox's shell answers is told apart from not getting in.
shell() {
	ssh "$host" 'echo "exit 3" >~/.bashrc; chmod 600 ~/.bashrc'
	check 0 "doctor: a login shell that ends" sandbox-proxy doctor "$host"
	grep -q "^warn *login: ssh gets in, but 'true' ends with status 3" "$out" ||
		fail "a login shell that ends: nothing is said"
	ok "a login shell that ends"
}

main() {
	config '' ''
	check 0 "doctor: sound" sandbox-proxy doctor "$host"
	is "sound: all is ok" "$(grep -vc '^ok ' "$out" || :)" 0
	each_option
	each_place
	other_name
	side_effects
	own_key
	shell
}

if [ "${1:-}" != as ]; then
	world_install
	world_user alice
	world_as alice as
	exit
fi
sandbox-proxy setup >/dev/null
include=$(grep ^Include "$HOME/.ssh/config")
sandboxctl create run-1234 >/dev/null
main
sandboxctl kill run-1234
done_testing
