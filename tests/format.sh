#!/bin/sh
# SPDX-License-Identifier: ISC
# Every C source is as .clang-format says, and every source names its licence.
. "$(dirname "$0")/check.sh"

clang_format=${CLANG_FORMAT:-clang-format}
need "$clang_format" clang-format
version=$("$clang_format" --version | sed 's/.*version \([0-9]*\).*/\1/')
echo "clang-format $version"
# Other versions break lines differently; the tree follows Debian 12's.
if [ "$version" != 14 ]; then
	echo "only version 14 formats as the tree is formatted"
	[ "${SANDBOX_REQUIRE:-0}" = 0 ] || exit 1
	exit 77
fi

cd "$SRCDIR"
files=$(find common certs authkeys net proxycmd broker ctl init kit tests \
    -name '*.[ch]' | sort)
for file in $files; do
	"$clang_format" --dry-run -Werror "$file" 2>&1 | head -n 3 | grep . &&
	    fail "$file: make format"
done
# Of a checkout every file, of an unpacked archive those that are certain to
# be sources; but for prose, and files that a test or a fuzzer reads.
sources() {
	git ls-files 2>/dev/null | grep . || find . .ci/* scripts/* \
	    -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.am' \
	    -o -path './man/*.[1-8]' -o -path './*/*.in'
}
for file in $(sources | grep -vE -e '\.md$|^COPYING$' \
    -e '\.json$' -e '^tests/(fuzz/corpus|fixtures/ssh_config)/' -e '^\./build'); do
	[ ! -f "$file" ] ||
	    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
	    fail "$file has no SPDX line"
done
# shellcheck disable=SC2086 # counts the words
set -- $files
finish $# 50 "C files"
