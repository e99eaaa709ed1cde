/* SPDX-License-Identifier: ISC */
#include "proxycmd/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Not all of a text too long, which settings_read refuses anyway. */
static void
add(const char *text, char ret[static ORIGIN_LEN])
{
	size_t len = strlen(ret);

	(void)snprintf(
	    ret + len, ORIGIN_LEN - len, "%s%s", len == 0 ? "" : ",", text);
}

static void
add_file(const char *path, char ret[static ORIGIN_LEN])
{
	char mark[96];
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	(void)snprintf(mark, sizeof(mark), "%llu.%llu.%lld.%09ld",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	add(mark, ret);
}

void
origin_find(
    const struct paths *paths, const char *config, char ret[static ORIGIN_LEN])
{
	const char *broker = getenv("SANDBOX_BROKER");
	char own[PATHS_MAX];

	*ret = '\0';
	if (config != NULL) {
		add_file(config, ret);
	} else {
		add_file(PATHS_SYSTEM_CONFIG "/config", ret);
		if (paths_join(paths->config, "config", own) == SBX_OK)
			add_file(own, ret);
	}
	if (paths_has_broker(paths))
		add("own", ret);
	if (broker != NULL && *broker != '\0')
		add(broker, ret);
}
