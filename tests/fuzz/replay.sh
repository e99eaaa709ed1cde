#!/bin/sh
# SPDX-License-Identifier: ISC
# Every fuzz target over its corpus: seeds, and what once was a bug.
. "$(dirname "$0")/../check.sh"

[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
targets=0
for source in "$SRCDIR"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	targets=$((targets + 1))
	set -- "$SRCDIR/tests/fuzz/corpus/${name#fuzz_}"/*
	if [ ! -s "$1" ]; then
		fail "$name has no corpus"
		continue
	fi
	"$BUILDDIR/tests/fuzz/$name" "$@" || fail "$name"
done
finish "$targets" 17 "fuzz targets"
