/* SPDX-License-Identifier: ISC */
#include "broker/thread.h"

bool
thread_start(void *(*body)(void *), void *context, size_t stack, pthread_t *ret)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, stack);
	if (ret == NULL)
		(void)pthread_attr_setdetachstate(
		    &attr, PTHREAD_CREATE_DETACHED);
	ok = pthread_create(
		 ret == NULL ? &thread : ret, &attr, body, context) == 0;
	(void)pthread_attr_destroy(&attr);
	return ok;
}
