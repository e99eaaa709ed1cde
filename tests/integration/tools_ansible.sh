#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Ansible, with an inventory that names a sandbox and nothing else.
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"

host=run-1234.sandbox

main() {
	mkdir "$HOME/work"
	cd "$HOME/work"
	export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_NOCOLOR=1
	printf '[sandboxes]\n%s\nrun-9.sandbox\n' "$host" >inventory
	head -c 100000 /dev/urandom >data
	check 0 "ping" on "$host" -m ping
	has "pong" '"ping": "pong"'
	check 0 "copy" on "$host" -m copy \
	    -a "src=data dest=workspace/data mode=0640"
	has "it was changed" '"changed": true'
	check 0 "the same bytes" cmp data <(ssh "$host" cat workspace/data)
	check 4 "a sandbox that is not there is unreachable" \
	    on run-9.sandbox -m ping
	has "and it says why" 'run-9: no such sandbox'
	[ "$USER" != alice ] || more
}

on() {
	local where=$1
	shift
	ansible -i inventory "$where" "$@"
}

has() {
	grep -q -- "$2" "$out" "$err" || {
		cat "$out" >&2
		fail "$1"
	}
	ok "$1"
}

# What takes ansible its time is tried once.
more() {
	local way
	for way in scp piped; do
		check 0 "copy by $way" env ANSIBLE_SSH_TRANSFER_METHOD="$way" \
		    ansible -i inventory "$host" -m copy \
		    -a "src=data dest=workspace/$way"
		check 0 "the same bytes" cmp data <(ssh "$host" cat \
		    "workspace/$way")
	done
	cat >play.yml <<-'END'
	- hosts: run-1234.sandbox
	  tasks:
	    - assert: { that: ansible_hostname == "run-1234" }
	    - file: { path: workspace/d, state: directory, mode: "0700" }
	    - template: { src: t.j2, dest: workspace/d/file }
	    - command: cat workspace/d/file
	      register: said
	    - assert: { that: said.stdout == "I am sandbox" }
	    - copy: { src: data, dest: workspace/data }
	      register: again
	    - assert: { that: not again.changed }
	    - fetch: { src: workspace/data, dest: back, flat: true }
	END
	echo 'I am {{ ansible_user_id }}' >t.j2
	check 0 "a playbook, pipelined, without a master" env \
	    ANSIBLE_SSH_ARGS=-oControlMaster=no ANSIBLE_PIPELINING=1 \
	    ansible-playbook -i inventory play.yml
	check 0 "what was fetched is the same" cmp data back
}

world_main "$@"
