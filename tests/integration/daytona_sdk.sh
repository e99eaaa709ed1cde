#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Daytona's double is true: the vendor's own client, its version pinned by
# tests/vendor/daytona/package-lock.json, works with it.
. "$(dirname "$0")/../world/world.sh"
vendor=$BUILDDIR/tests/vendor/daytona
if [ "${WORLD_INSIDE:-0}" = 0 ]; then
	# The private machine has no network: what it needs comes before it.
	command -v npm >/dev/null || world_skip "npm is missing"
	mkdir -p "$vendor"
	cmp -s "$SRCDIR/tests/vendor/daytona/package-lock.json" \
	    "$vendor/installed" || {
		cp "$SRCDIR"/tests/vendor/daytona/package*.json "$vendor"
		chmod u+w "$vendor"/package*.json
		# Node.js trusts what the machine trusts.
		(cd "$vendor" &&
			NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
			npm ci --ignore-scripts --no-audit --no-fund \
			--no-update-notifier) >"$vendor/npm.log" 2>&1 || {
			tail -n 5 "$vendor/npm.log"
			# Not ours to mend, and no reason to hold up anything.
			curl -sS --max-time 60 -o /dev/null \
			    https://registry.npmjs.org/ || {
				echo "skipped: the registry cannot be reached"
				exit 77
			}
			world_skip "npm ci does not get the client"
		}
		cp "$vendor/package-lock.json" "$vendor/installed"
	}
fi
world_enter "$0" "$@"
. "$(dirname "$0")/../world/daytona.sh"

daytona_start '[{"name": "run-1234", "state": "stopped", "labels": {"team": "x"}},
    {"name": "a", "labels": {"team": "x"}}, {"name": "b", "labels": {"team": "x"}},
    {"name": "c", "labels": {"team": "x"}}, {"name": "d", "labels": {"team": "x"}},
    {"name": "e", "labels": {"team": "y"}}]'
daytona_set '{"page": 2}'
cp "$SRCDIR/tests/fixtures/daytona_sdk.mjs" "$vendor"
check 0 "the vendor's client" env DAYTONA_API_KEY=dtn_test \
    DAYTONA_API_URL="$daytona_api/api" DAYTONA_TARGET=us \
    node "$vendor/daytona_sdk.mjs"
cat "$out"
passed=$((passed + $(grep -c '^ok - ' "$out")))
is "it asked as the capture has it" "$(daytona_calls '^GET /api/sandbox\?.*cursor=')" 2
daytona_end
done_testing
