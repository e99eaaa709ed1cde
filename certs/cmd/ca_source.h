/* SPDX-License-Identifier: ISC */
/*
 * Which CA a command signs with, as its options say: --ca, a private key
 * file, or --ca-agent, a public key whose other half an ssh-agent has.
 */
#ifndef SBX_CERTS_CA_SOURCE_H
#define SBX_CERTS_CA_SOURCE_H

#include "certs/cmd/agent.h"
#include "common/opt.h"

struct ca_options {
	char file[FIELD_TEXT];
	char agent[FIELD_TEXT];
};

/* Their rows in a table of options; options_ has a struct ca_options ca. */
#define CA_SOURCE_ROWS(options_)                                              \
	{ 0, "FILE",                                                          \
		{ .name = "ca",                                               \
		    .parse = field_text,                                      \
		    .offset = offsetof(options_, ca.file),                    \
		    .help = "the CA's private key" } },                       \
	{                                                                     \
		0, "FILE.pub",                                                \
		{                                                             \
			.name = "ca-agent", .parse = field_text,              \
			.offset = offsetof(options_, ca.agent),               \
			.help = "the CA's public key; ssh-agent has the rest" \
		}                                                             \
	}

struct ca_source {
	struct ca_key key;
	/* What key rests on. */
	struct keypair pair;
	struct agent agent;
	uint8_t public[KEY_ED25519_LEN];
};

/* SBX_USAGE unless exactly one of the two is given. */
enum sbx_err ca_options_check(const struct ca_options *options,
    const struct usage *usage, struct sbx_why *why) MUST_USE;
/*
 * options as above; agent_socket is SSH_AUTH_SOCK, NULL if that is not set.
 * ret must stay where it is; close it whatever happens.
 */
enum sbx_err
ca_source_open(const struct ca_options *options, const char *agent_socket,
    struct ca_source *ret, struct sbx_why *why) MUST_USE;
void ca_source_close(struct ca_source *source);
#define cleanup_ca_source __attribute__((cleanup(ca_source_close)))

/* The Ed25519 public key in a .pub file, or on standard input. */
enum sbx_err ca_source_public(const char *path,
    uint8_t ret[static KEY_ED25519_LEN], struct sbx_why *why) MUST_USE;

#endif
