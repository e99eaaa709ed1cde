#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# The log answers where a sandbox is: every change is a line with its id, its
# owner and the cause, whoever or whatever brought it about.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
world_enter "$0" "$@"
[ "${1:-}" != run ] || exec "${@:2}"

log=/var/lib/sandbox-ssh/sandboxd.log

# The lines about a sandbox, without the time.
lines_of() {
	sed -n "s/^[^ ]* sandboxd: \(sandbox=$1 .*\)/\1/p" "$log"
}

# tells NAME ID LINE...: these, in this order, and no others.
tells() {
	local name=$1 id=$2
	shift 2
	is "$name" "$(lines_of "$id")" "$(printf "sandbox=$id %s\n" "$@")"
}

ended() {
	lines_of "$1" | grep -q "$2"
}

world_install
world_user alice
sandboxctl list >/dev/null

world_as alice run sandboxctl create run-1 >/dev/null
sandboxctl stop run-1 >/dev/null
sandboxctl stop run-1 >/dev/null
world_as alice run sandboxctl start run-1 >/dev/null
world_as alice run sandboxctl stop --hold run-1 >/dev/null
sandboxctl start run-1 >/dev/null
sandboxctl kill run-1 >/dev/null
tells "what people do" run-1 \
    "owner=alice state=running cause=create by=alice" \
    "owner=alice state=stopped cause=stop by=root" \
    "owner=alice state=running cause=start" \
    "owner=alice state=stopped cause=stop by=alice held=yes" \
    "owner=alice state=running cause=start" \
    "owner=alice state=removed cause=delete by=root"

world_as alice run sandboxctl create run-2 --timeout 1s >/dev/null
wait_for "its end" ended run-2 state=removed
tells "what time does" run-2 \
    "owner=alice state=running cause=create by=alice" \
    "owner=alice state=stopped cause=expired" \
    "owner=alice state=removed cause=expired"

sandboxctl create run-3 >/dev/null
kill -9 "$(pgrep -x sandbox-init)"
wait_for "the end of its first process" \
    sh -c 'sandboxctl list | grep -q "^run-3 *stopped"'
tells "what comes about by itself" run-3 \
    "owner=root state=running cause=create by=root" \
    "owner=root state=stopped cause=found"

id=$(sandboxctl create | cut -d' ' -f1)
tells "an id that was chosen" "$id" \
    "owner=root state=running cause=create by=root"

done_testing
