#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every command and option of sandboxctl stands in its manual page and in the
# completion, and nothing stands there that it does not know.
set -euo pipefail

: "${SRCDIR:?run this with make check}"
ctl=./sandboxctl
page=$SRCDIR/man/sandboxctl.1
status=0

wrong() {
	echo "$*" >&2
	status=1
}

# The first words below a heading of --help, one a line.
words_of() {
	"$ctl" "${@:2}" --help | awk -v heading="$1:" '
	    /^[a-z]+:$/ { inside = $0 == heading; next }
	    inside && /^  / { sub(/^ *(-., )?/, ""); print $1 }'
}

complete_words() {
	(
		# shellcheck source=/dev/null
		. completion/sandboxctl
		COMP_WORDS=("$ctl" "$@")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		HOME=/nonexistent
		_sandboxctl
		printf '%s\n' "${COMPREPLY[@]}"
	) | sort
}

same() {
	[ "$2" = "$3" ] || wrong "completion of $1:
$(diff <(echo "$2") <(echo "$3") || :)"
}

verbs=$(words_of commands)
[ -n "$verbs" ] || wrong "sandboxctl --help names no command"
same sandboxctl "$(echo "$verbs" | sort)" "$(complete_words "")"
same "sandboxctl -" "$(words_of options | sort)" "$(complete_words --)"
same "--state" "$(printf '%s\n' any creating failed running starting stopped \
    stopping)" "$(complete_words list --state "")"
for verb in $verbs; do
	grep -Eq "^\.(It )?Cm $verb( |$)" "$page" ||
		wrong "manual: nothing on the command $verb"
	options=$(words_of options "$verb")
	same "$verb" "$(echo "$options" | sort)" \
	    "$(complete_words "$verb" --)"
	for option in $options; do
		[ "$option" = --version ] || [ "$option" = --help ] ||
			sed -n "/Cm $verb\( \|$\)/,/^\.Xc/p" "$page" |
			grep -Fq -- "Fl \\-${option#--}" ||
			wrong "manual: $verb has $option"
	done
done
exit "$status"
