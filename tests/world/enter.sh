#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# A command on a private machine: enter.sh COMMAND [ARG...]
. "$(dirname "$0")/world.sh"
world_enter "$0" "$@"

exec "$@"
