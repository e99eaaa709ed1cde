/* SPDX-License-Identifier: ISC */
/*
 * The provider vtable from another process: each function here is the call
 * of the same name in providers/provider.h, carried to the provider process
 * and back (helper).
 */
#ifndef SBX_BROKER_PROVIDER_CALL_H
#define SBX_BROKER_PROVIDER_CALL_H

#include "broker/helper/helper.h"
#include "broker/providers/provider.h"

/* A helper_job over a const struct provider_context. */
helper_job provider_job;

/*
 * fd: the callers' ends of the providers' helpers, in the order of providers[];
 * -1 is SBX_CONFIG, a platform without a key.  Any thread.
 */
enum sbx_err provider_call_create(const int *fd, const char *provider,
    const struct provider_spec *spec, struct provider_status *ret,
    struct sbx_why *why) MUST_USE;
enum sbx_err
provider_call_start(const int *fd, const char *provider, const char *id,
    const struct provider_audience *audience, struct sbx_why *why) MUST_USE;
/* SBX_STATE from a provider whose sandboxes are not for others. */
enum sbx_err provider_call_admit(const int *fd, const char *provider,
    const char *id, const struct provider_audience *audience, bool end,
    struct sbx_why *why) MUST_USE;
/* All of them in one call; of each whether it was asked, or has no quit. */
#define PROVIDER_BATCH 64
void provider_call_quit(
    const int *fd, const char *provider, const char *const *ids, size_t count);
enum sbx_err provider_call_stop(const int *fd, const char *provider,
    const char *id, struct sbx_why *why) MUST_USE;
enum sbx_err provider_call_kill(const int *fd, const char *provider,
    const char *id, struct sbx_why *why) MUST_USE;
enum sbx_err provider_call_inspect(const int *fd, const char *provider,
    const char *id, struct provider_status *ret, struct sbx_why *why) MUST_USE;
/* SBX_UNAVAILABLE, too, when its time was over before all was done. */
enum sbx_err provider_call_sweep(
    const int *fd, const char *provider, struct sbx_why *why) MUST_USE;
/* Of a provider that says nothing of it nothing is known. */
enum sbx_err provider_call_usage(const int *fd, const char *provider,
    const char *id, struct provider_usage *ret, struct sbx_why *why) MUST_USE;
/* The same. */
enum sbx_err
provider_call_sessions(const int *fd, const char *provider, const char *id,
    struct provider_sessions *ret, struct sbx_why *why) MUST_USE;
/* One that cannot reach anybody has nothing to say: SBX_OK. */
enum sbx_err provider_call_tell(const int *fd, const char *provider,
    const char *id, const char *text, struct sbx_why *why) MUST_USE;
/* *ret_watch: the caller's (provider.h), or -1. */
enum sbx_err provider_call_credentials(const int *fd, const char *provider,
    const char *id, const char *refused, struct provider_access *ret,
    int *ret_watch, struct sbx_why *why) MUST_USE;
/* SBX_NOT_FOUND, too, where nothing can be adopted. */
enum sbx_err provider_call_adopt(const int *fd, const char *provider,
    const char *id, struct provider_found *ret, struct sbx_why *why) MUST_USE;
enum sbx_err
provider_call_list(const int *fd, const char *provider, const char *cursor,
    struct provider_page *ret, struct sbx_why *why) MUST_USE;
/* SBX_OK also where the provider leaves that to us. */
enum sbx_err provider_call_set_end(const int *fd, const char *provider,
    const char *id, uint64_t seconds, struct sbx_why *why) MUST_USE;

/* As it goes from one process to another. */
void provider_access_put(const struct provider_access *access, struct buf *ret);
enum sbx_err
provider_access_read(struct view bytes, struct provider_access *ret) MUST_USE;

#endif
