/* SPDX-License-Identifier: ISC */
/*
 * What is where in a sandbox with namespaces, and what is put there: on the
 * host's root its own sshd serves; a root of one's own has none, or a hostile
 * one, and gets the kit.
 */
#ifndef SBX_LOCAL_INSIDE_H
#define SBX_LOCAL_INSIDE_H

#include "broker/providers/local/box.h"
#include "broker/providers/local/bwrap.h"

#define INSIDE_HOME "/home/sandbox"
#define INSIDE_WORKSPACE INSIDE_HOME "/" BOX_WORKSPACE
#define INSIDE_RUN "/run/user/1000"
#define INSIDE_USER "sandbox"
#define INSIDE_KIT "/dev/.sandbox-ssh"

struct inside {
	const char *own; /* folder of its settings, which is its root's */
	const char *init;
	const char *sshd;
	const char *gate; /* what the login gate remembers */
	const char *refused;
	const char *full;
	const char *usage;
};

const struct inside *inside_of(const struct box *box);

/* All of it, into a command line that was begun; resolver: see stage.h. */
void inside_put(struct bwrap *b, const struct provider_context *context,
    const struct box *box, const char *resolver);

/* What it takes for a root of its own; SBX_PROGRAM, with what to do. */
enum sbx_err inside_check_kit(
    const struct provider_context *context, struct sbx_why *why) MUST_USE;

#endif
