#!/bin/sh
# SPDX-License-Identifier: ISC
# Every manual page is correct mdoc; every program has one, and it names
# every option and command that the program's --help names.
. "$(dirname "$0")/check.sh"

mandoc=${MANDOC:-mandoc}
need "$mandoc" mandoc

pages=0
for page in "$SRCDIR"/man/*.[1-8]; do
	[ -f "$page" ] || continue
	pages=$((pages + 1))
	"$mandoc" -T lint -W warning "$page" || fail "$page"
	# mandoc takes any text for a page; ours are mdoc
	grep -q '^\.Dd ' "$page" || fail "$page is not mdoc"
done

# The text of a page without line breaks and overstrikes.
text_of() {
	"$mandoc" -T ascii -O width=1000 "$1" | sed 's/.\x08//g'
}

# wants PAGE-TEXT WORD WHOSE: the word stands alone in the text
wants() {
	printf '%s\n' "$1" |
	    grep -qE -e "(^|[^a-z0-9-])$2([^a-z0-9-]|\$)" ||
	    fail "the page of $3 does not name $2"
	words=$((words + 1))
}

options_of() {
	grep -oE -e '(^|[ ,])--[a-z][a-z0-9-]*' | tr -d ' ,' | sort -u
}

# "1s to 365d", as the table of options has it
ranges_of() {
	sed -nE 's/^ .* \(([0-9]+[smhd] to [0-9]+[smhd])[;)].*/\1/p' | sort -u
}

commands_of() {
	sed -n '/^commands:$/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p'
}

words=0
programs=0
: "${PROGRAMS:?run this with make check}"
for program in $PROGRAMS; do
	name=$(basename "$program")
	programs=$((programs + 1))
	page=$(find "$SRCDIR/man" -name "$name.[18]")
	if [ -z "$page" ]; then
		fail "$name has no manual page"
		continue
	fi
	page_text=$(text_of "$page")
	if ! help=$(timeout 10 "$BUILDDIR/$program" --help </dev/null); then
		fail "$name --help does not exit with 0"
		continue
	fi
	commands=$(printf '%s\n' "$help" | commands_of)
	options=$(printf '%s\n' "$help" | options_of)
	ranges=$(printf '%s\n' "$help" | ranges_of)
	[ -n "$options" ] || fail "$name --help names no options"
	for command in $commands; do
		wants "$page_text" "$command" "$name"
		if ! help=$(timeout 10 "$BUILDDIR/$program" "$command" --help \
		    </dev/null); then
			fail "$name $command --help does not exit with 0"
			continue
		fi
		options="$options $(printf '%s\n' "$help" | options_of)"
		ranges=$(printf '%s\n%s\n' "$ranges" \
		    "$(printf '%s\n' "$help" | ranges_of)")
	done
	while read -r range; do
		[ -z "$range" ] || wants "$page_text" "$range" "$name"
	done <<-END
	$ranges
	END
	for option in $options; do
		wants "$page_text" "$option" "$name"
	done
done

echo "$programs programs, $words options and commands"
[ "$programs" -ge 7 ] || fail "programs are missing: $PROGRAMS"
[ "$words" -ge 20 ] || fail "so few options cannot be all"
finish "$pages" 7 "manual pages"
