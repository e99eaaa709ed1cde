#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Operations on sandboxes at random, by several users, with deaths and restarts
# of sandboxd among them, beside a model of what must come of them
# (tests/fixtures/operations.py). OPERATIONS_SEED makes the same choices again,
# OPERATIONS_SECONDS goes on for longer.
# shellcheck source=tests/world/world.sh
. "$(dirname "$0")/../world/world.sh"
# shellcheck source=tests/world/broker.sh
. "$(dirname "$0")/../world/broker.sh"
world_enter "$0" "$@"

seed=${OPERATIONS_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# OPERATIONS_SEED=$seed"
for user in alice bob carol; do
	useradd "$user"
done
groupadd team
broker_programs
# Where everybody may look for certificates.
chmod 755 "$broker_work"
broker_serve
check 0 "seed $seed" /usr/bin/python3 "$SRCDIR/tests/fixtures/operations.py" \
    "$seed" "${OPERATIONS_SECONDS:-40}" "$broker_socket" "$broker_state" \
    "$broker_run" "$BUILDDIR/sandboxd" --daemon \
    --config "$broker_work/sandboxd.conf" --state-dir "$broker_state" \
    --runtime-dir "$broker_run"
tail -n 1 "$out"
broker_stop
done_testing
