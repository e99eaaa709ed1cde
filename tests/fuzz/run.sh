#!/bin/sh
# SPDX-License-Identifier: ISC
# make fuzz FUZZ_SECONDS=N: every target with libFuzzer, FUZZ_JOBS (2) at a
# time.
#
#	run.sh SECONDS FOLDER [TARGET...]
#
# Run where the targets were built with --enable-fuzzers.  FOLDER gets the
# inputs that were found, one folder and one log for each target; a crash is
# named at the end, and is the exit status.
set -eu

: "${SRCDIR:?run this with make fuzz}"
seconds=$1 found=$2
shift 2

if [ "${FUZZ_ONE:-}" ]; then
	name=$FUZZ_ONE
	mkdir -p "$found/$name"
	[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
	exec nice -n 10 "tests/fuzz/fuzz_$name" \
	    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
	    -max_len=8192 -print_final_stats=1 -verbosity=1 \
	    -artifact_prefix="$found/$name-" \
	    "$found/$name" "$SRCDIR/tests/fuzz/corpus/$name" \
	    >"$found/$name.log" 2>&1
fi

mkdir -p "$found"
[ $# -gt 0 ] || set -- "$SRCDIR"/tests/fuzz/fuzz_*.c
for target; do
	target=${target##*fuzz_}
	echo "${target%.c}"
done | xargs -P "${FUZZ_JOBS:-2}" -I NAME env FUZZ_ONE=NAME "$0" "$seconds" "$found" || :

# What libFuzzer says of itself: "#N DONE cov: N ft: N corp: N/..."
printf '%-14s %12s %9s %9s %9s %9s\n' \
    target runs runs/s edges features corpus
status=0
for log in "$found"/*.log; do
	name=$(basename "$log" .log)
	awk -v name="$name" '
	    / cov: / { for (i = 1; i < NF; i++) v[$i] = $(i + 1) }
	    /^stat::/ { stat[$1] = $2 }
	    END { sub("/.*", "", v["corp:"])
		printf "%-14s %12d %9d %9d %9d %9d\n", name,
		    stat["stat::number_of_executed_units:"],
		    stat["stat::average_exec_per_sec:"],
		    v["cov:"], v["ft:"], v["corp:"] }' "$log"
	for crash in "$found/$name"-*; do
		[ -e "$crash" ] || continue
		echo "  found: $crash: see $log"
		status=1
	done
done
exit "$status"
