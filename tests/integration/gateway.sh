#!/usr/bin/env bash
. "$(dirname "$0")/world.sh"
world_enter "$0" "$@"
ok x
done_testing
