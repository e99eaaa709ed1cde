#!/bin/sh
# SPDX-License-Identifier: ISC
# The tool shellcheck warns of nothing in any of our scripts.
. "$(dirname "$0")/check.sh"

need shellcheck shellcheck

cd "$SRCDIR"
count=0
for file in autogen.sh scripts/* tests/*.sh tests/*/*.sh .ci/*; do
	[ -f "$file" ] || continue
	case $file in
	*.sh) ;;
	*) head -n 1 "$file" | grep -qE '^#!.*/(env )?(ba)?sh' || continue ;;
	esac
	count=$((count + 1))
	case $(head -n 1 "$file") in
	*bash*) shell=bash ;;
	'#!'*) shell='sh' ;;
	*) shell=bash ;; # included by others
	esac
	case $(head -n 1 "$file") in
	'#!'*) [ -x "$file" ] || fail "$file: not executable" ;;
	esac
	shellcheck -S warning -x -P SCRIPTDIR -s "$shell" "$file" || fail "$file"
done
finish "$count" 5 "scripts"
