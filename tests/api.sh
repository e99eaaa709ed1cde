#!/bin/sh
# SPDX-License-Identifier: ISC
# doc/openapi.yaml is a correct page and has every route of the broker, with
# its parameters, and no other. That calls and answers are as it says is for
# tests/integration/api.sh.
. "$(dirname "$0")/check.sh"

need python3 python3
/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null ||
	need python3-jsonschema "python3-jsonschema python3-yaml"

looked=$(mktemp)
trap 'rm -f "$looked"' EXIT
wrong=$(/usr/bin/python3 "$SRCDIR/tests/fixtures/api_check.py" routes \
    "$SRCDIR/doc/openapi.yaml" "$SRCDIR/broker/front/routes.c" \
    2>"$looked") || fail "$(tail -n 1 "$looked")"
[ -z "$wrong" ] || fail "doc/openapi.yaml and broker/front/routes.c:
$wrong"
finish "$(sed -n 's/^looked at \([0-9]*\) routes$/\1/p' "$looked")" 10 routes
