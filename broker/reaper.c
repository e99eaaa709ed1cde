#include "broker/reaper.h"

#include "certs/check.h"

/*
 * How long a certificate is kept after its end.  A floor (see store.h) is
 * older than the end of every certificate it guards against by at most one
 * certificate's life, which this is well above.
 */
#define KEEP (7 * 86400)

_Static_assert(KEEP > 2 * CHECK_TTL_MAX, "floors must outlive certificates");

enum sbx_err
reaper_run(struct broker *broker, struct sbx_why *why)
{
	uint64_t now = broker->now();
	enum sbx_err err = sandboxes_reap(broker, why);

	if (err != SBX_OK || now < KEEP)
		return err;
	return store_prune(broker->store, now - KEEP, why);
}
