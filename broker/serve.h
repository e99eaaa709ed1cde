/* SPDX-License-Identifier: ISC */
/*
 * The http process: policy, database, API.  It has neither the CA key nor,
 * when sandboxd was started as root, any privilege.
 */
#ifndef SBX_BROKER_SERVE_H
#define SBX_BROKER_SERVE_H

#include "broker/settings.h"

struct serve {
	const struct broker_settings *settings;
	int listen_fd; /* taken over */
	int signer_fd;
	const int *provider_fd; /* of each of providers[] */
	const char *ca_line;
	/* Called once, when it listens and answers. */
	void (*ready)(void *context);
	void *ready_context;
};

/* Returns after SIGTERM or SIGINT, which the caller has blocked. */
enum sbx_err serve_run(const struct serve *serve, struct sbx_why *why) MUST_USE;

#endif
