#!/bin/sh
# SPDX-License-Identifier: ISC
# Make configure from configure.ac.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake pkg-config; do
	command -v "$tool" >/dev/null || {
		echo "autogen.sh: $tool is missing; on Debian:" \
		    "apt-get install autoconf automake pkg-config" >&2
		exit 69
	}
done
mkdir -p build-aux
exec autoreconf --install --warnings=all
