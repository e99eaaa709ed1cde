/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/trusted.h"

#include <fcntl.h>
#include <unistd.h>

enum sbx_err
trusted_read(const struct settings_broker *broker, struct ca_set *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(CONF_FILE_MAX);
	enum sbx_err err = file_read_trusted(
	    broker->trusted_ca, getuid(), /* forbidden= */ 022, &text, why);

	/* NOT_FOUND would read as a missing sandbox. */
	if (err == SBX_NOT_FOUND)
		return sbx_fail(why, SBX_CONFIG, "trusted_ca %s does not exist",
		    broker->trusted_ca);
	if (err == SBX_UNREADABLE)
		return SBX_CONFIG;
	return err != SBX_OK
	    ? err
	    : ca_set_parse(broker->trusted_ca, buf_view(&text), ret, why);
}
