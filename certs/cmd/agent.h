/* SPDX-License-Identifier: ISC */
/*
 * A CA key in an ssh-agent: the one request that matters, and its answer
 * (draft-miller-ssh-agent, sections 4.5 and 5).  An agent is trusted with
 * its own key, and with nothing else: sizes and time are capped, and what it
 * says is a signature is verified.
 */
#ifndef SBX_CERTS_AGENT_H
#define SBX_CERTS_AGENT_H

#include "certs/ca_key.h"

#define AGENT_ANSWER_MAX 4096 /* bytes; a signature has 83 */
#define AGENT_TIMEOUT 60      /* seconds: somebody may have to touch a key */

struct agent {
	const char *path;   /* of its socket, as in SSH_AUTH_SOCK */
	unsigned timeout;   /* seconds for all of it */
	const uint8_t *key; /* KEY_ED25519_LEN bytes: which one is to sign */
};

/* The CA key that this agent has; the caller keeps the agent. */
struct ca_key ca_key_of_agent(const struct agent *agent);

/*
 * Have bytes signed.  SBX_UNAVAILABLE if nobody listens there, SBX_TIMEOUT,
 * SBX_REFUSED if the agent will not (it does not have the key, or its user
 * said no), SBX_PROTOCOL for an answer that is none, SBX_CERT_SIGNATURE for
 * a signature that does not verify.
 */
enum sbx_err agent_sign(const struct agent *agent, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why) MUST_USE;

/* The signature in an answer, which comes without its length. */
enum sbx_err agent_read_answer(struct view answer,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why) MUST_USE;

#endif
