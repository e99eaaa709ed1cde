#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# ssh-agents as people have them: nothing is put into one, none keeps ssh from
# getting in, and what a person wants of it goes on working.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox
cache=$HOME/.cache/sandbox-ssh

start_agent() {
	eval "$(ssh-agent -s -a "$work/agent")" >/dev/null
}

stop_agent() {
	kill "$SSH_AGENT_PID"
	wait_for "the agent's end" test ! -e "$work/agent"
	unset SSH_AUTH_SOCK SSH_AGENT_PID
}

# mute SOCKET [list]: one that does not answer
mute() {
	python3 /srv/tests/fixtures/mute_agent.py "$@" &
	mute=$!
	wait_for "the mute agent" test -S "$1"
}

unmute() {
	kill "$mute"
	wait "$mute" 2>/dev/null || :
	rm -f "$work/mute"
}

# config ABOVE BELOW: what stands around the Include
config() {
	{
		[ -z "$1" ] || printf '%b\nMatch all\n' "$1"
		echo "$include"
		[ -z "$2" ] || printf '%b\n' "$2"
	} >"$HOME/.ssh/config"
}

# own PUBLIC-KEY: certify that one; without, one of ours
own() {
	mkdir -p "$HOME/.config/sandbox-ssh"
	printf '[ssh]\n' >"$HOME/.config/sandbox-ssh/config"
	[ -z "${1:-}" ] || printf 'public_key = %s\n' "$1" \
	    >>"$HOME/.config/sandbox-ssh/config"
}

nothing_is_added() {
	local count where
	start_agent
	ssh-add -q "$work/key"
	for where in above below; do
		if [ $where = above ]; then
			config 'Host *\n    AddKeysToAgent yes' ''
		else
			config '' 'Host *\n    AddKeysToAgent yes'
		fi
		rm -rf "${cache:?}/$host"
		check 0 "AddKeysToAgent yes $where" ssh "$host" true
		count=$(ssh-add -l | wc -l)
		is "AddKeysToAgent yes $where: the agent's keys" "$count" 1
	done
	stop_agent
}

many_keys() {
	local i
	start_agent
	for i in {1..20}; do
		ssh-keygen -q -t ed25519 -N '' -f "$work/many-$i"
		ssh-add -q "$work/many-$i"
	done
	config '' 'Host *\n    IdentitiesOnly no'
	check 0 "an agent with 20 keys" ssh "$host" true
	config 'Host *\n    IdentitiesOnly no' ''
	check 0 "an agent with 20 keys, IdentitiesOnly no" ssh "$host" true
	config "Host *$(printf '\\n    IdentityFile %s' "$work"/many-?)" ''
	check 0 "nine IdentityFile lines above" ssh "$host" true
	config '' "Host *$(printf '\\n    IdentityFile %s' "$work"/many-?)"
	check 0 "nine IdentityFile lines below" ssh "$host" true
	printf '#!/bin/sh\necho locked\n' >"$work/askpass"
	chmod 700 "$work/askpass"
	SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ssh-add -q -x
	config '' ''
	check 0 "a locked agent" ssh "$host" true
	stop_agent
}

# Whatever it does, ssh gets in, and forwards one that answers.
mute_ones() {
	local kind
	for kind in all list; do
		mute "$work/mute" "$kind"
		export SSH_AUTH_SOCK=$work/mute
		config '' ''
		check 0 "an agent mute about $kind" timeout 60 ssh "$host" true
		config '' "Host *\n    IdentityAgent $work/mute"
		check 0 "an agent mute about $kind, IdentityAgent below" \
		    timeout 60 ssh "$host" true
		unset SSH_AUTH_SOCK
		unmute
	done
	mute "$work/mute" all
	export SSH_AUTH_SOCK=$work/mute
	config '' ''
	check 0 "an agent mute about all, -A" timeout 60 ssh -A "$host" true
	own "$work/key.pub"
	check 0 "an agent mute about all, a key in a file" \
	    timeout 60 ssh "$host" true
	own
	unset SSH_AUTH_SOCK
	unmute
	export SSH_AUTH_SOCK=$work/nobody
	check 0 "an agent that is gone" ssh "$host" true
	check 0 "an agent that is gone, -A" ssh -A "$host" true
	unset SSH_AUTH_SOCK
}

# forwards NAME SSH-ARGUMENT...: the key shows inside
forwards() {
	check 0 "$1" ssh "${@:2}" "$host" ssh-add -l
	grep -q a-key-of-mine "$out" || fail "$1: no agent inside"
	ok "$1: an agent inside"
}

forwarding() {
	local way
	start_agent
	ssh-add -q "$work/key"
	config '' 'Host *\n    ForwardAgent yes'
	check 0 "ForwardAgent yes below" ssh "$host" 'test -z "$SSH_AUTH_SOCK"'
	for way in -A -vA "-o ForwardAgent=yes" -oforwardagent=YES \
	    "-l sandbox -A"; do
		# shellcheck disable=SC2086
		forwards "ssh $way" $way
	done
	check 0 "-A after the host" ssh "$host" -A ssh-add -l
	grep -q a-key-of-mine "$out" || fail "-A after the host: no agent inside"
	check 0 "-A of the command's own" ssh "$host" test -z '"$SSH_AUTH_SOCK"' -a -n -A
	config 'Host run-*.sandbox\n    ForwardAgent yes' ''
	forwards "ForwardAgent yes above"
	check 0 "-a" ssh -a "$host" 'test -z "$SSH_AUTH_SOCK"'
	printf 'Host run-*.sandbox\n  ForwardAgent = "yes"\n' \
	    >"$HOME/.ssh/forward.conf"
	config 'Include forward.conf' ''
	forwards "ForwardAgent yes in an Include above"
	cp "$HOME/.ssh/config" "$work/config"
	config '' ''
	forwards "ForwardAgent yes, ssh -F" -F "$work/config"
	rm "$HOME/.ssh/forward.conf"
	stop_agent
}

# A key of one's own is asked for where it is.
own_key() {
	start_agent
	ssh-add -q "$work/key"
	config '' ''
	cp "$work/key.pub" "$work/held.pub"
	own "$work/held.pub"
	check 0 "a key that is in the agent only" ssh "$host" true
	cp "$work/key" "$work/shut"
	cp "$work/key.pub" "$work/shut.pub"
	ssh-keygen -q -p -N secret -f "$work/shut" >/dev/null
	own "$work/shut.pub"
	check 0 "an encrypted key that is in the agent" ssh "$host" true
	for way in PEM PKCS8; do
		ssh-keygen -q -t ecdsa -N secret -m "$way" -f "$work/shut-$way"
		ssh-keygen -q -p -P secret -N '' -f "$work/shut-$way" >/dev/null
		cp "$work/shut-$way" "$work/open"
		ssh-add -q "$work/open"
		ssh-keygen -q -p -N secret -m "$way" -f "$work/shut-$way" \
		    >/dev/null
		own "$work/shut-$way.pub"
		check 0 "an encrypted key in $way that is in the agent" \
		    ssh "$host" true
	done
	own
	stop_agent
}

main() {
	include=$(cat "$HOME/.ssh/config")
	work=$HOME/work
	mkdir "$work"
	ssh-keygen -q -t ed25519 -N '' -C a-key-of-mine -f "$work/key"
	nothing_is_added
	many_keys
	mute_ones
	forwarding
	own_key
}

if [ "${1:-}" != as ]; then
	world_install
	world_user alice
	world_as alice as
	exit
fi
sandbox-proxy setup >/dev/null
sandboxctl create run-1234 >/dev/null
main
sandboxctl kill run-1234
done_testing
