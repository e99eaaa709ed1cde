/* SPDX-License-Identifier: ISC */
/*
 * What the login gate does when the system fails it.  The input is a list of
 * steps, and of what happens to each system call (and malloc) on the way: it
 * works, fails, or does a part of it.  Whatever happens:
 *
 * - a certificate for a single use lets in one connection, never two;
 * - what is revoked is not let in, and settings are read whole or not at all;
 * - a file that is replaced is the old one or the new one.
 */
#include <string.h>
#include <sys/file.h>

#include "authkeys/floor.h"
#include "authkeys/ledger.h"
#include "authkeys/revoked.h"
#include "authkeys/settings.h"
#include "certs/revlist.h"
#include "tests/fuzz/fault.h"
#include "tests/unit/tmpdir.h"

#define NOW UINT64_C(1800000000)
#define SERIALS 4
#define PATH_LEN 300

/* The machine, made once; what steps change is made anew for every input. */
static char top[256];
static struct keypair ca, user;
static char conf_path[PATH_LEN], ca_path[PATH_LEN], list_path[PATH_LEN];
static char state_path[PATH_LEN];

static const char *
path_of(char ret[static PATH_LEN], const char *name)
{
	(void)snprintf(ret, PATH_LEN, "%s/%s", top, name);
	return ret;
}

static void
write_file(const char *path, struct view bytes)
{
	FUZZ_ASSERT(
	    file_write_atomic(AT_FDCWD, path, 0600, bytes, NULL) == SBX_OK);
}

static void
remove_all(const char *path)
{
	(void)nftw(path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remove_machine(void)
{
	remove_all(top);
}

static void
make_list(void)
{
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;

	revset_init(&set);
	FUZZ_ASSERT(revset_add_serials(&set, ca.public, 1, 1) == SBX_OK);
	/* More than one block, so that there is a level above. */
	for (uint64_t i = 0; i < 300; i++)
		FUZZ_ASSERT(revset_add_serials(&set, ca.public, 1000 + 2 * i,
				1000 + 2 * i) == SBX_OK);
	FUZZ_ASSERT(revlist_sign(&set, CA_KEY(&ca), NOW - 1, NOW + 1, &list,
			NULL) == SBX_OK);
	write_file(path_of(list_path, "list"), buf_view(&list));
}

static void
make_machine(void)
{
	static const uint8_t ca_seed[crypto_sign_SEEDBYTES] = { 1 };
	static const uint8_t user_seed[crypto_sign_SEEDBYTES] = { 2 };
	cleanup_buf struct buf blob = BUF_INIT(256), text = BUF_INIT(4096);

	if (top[0] != '\0')
		return;
	fuzz_folder(top, sizeof(top));
	FUZZ_ASSERT(atexit(remove_machine) == 0);
	(void)crypto_sign_seed_keypair(ca.public, ca.secret, ca_seed);
	(void)crypto_sign_seed_keypair(user.public, user.secret, user_seed);
	make_list();
	key_put_ed25519(ca.public, &blob);
	key_put_line(buf_view(&blob), NULL, &text);
	write_file(path_of(ca_path, "ca.pub"), buf_view(&text));
	buf_reset(&text);
	buf_printf(&text,
	    "sandbox_id = run-1234\ntrusted_ca = %s\nlogin_users = sandbox\n"
	    "permit = pty\nrevoked = %s\n",
	    ca_path, list_path);
	write_file(path_of(conf_path, "conf"), buf_view(&text));
	(void)path_of(state_path, "state");
}

static struct state
open_state(void)
{
	struct state state = STATE_INIT;

	if (state_open(state_path, geteuid(), &state, NULL) != SBX_OK)
		state = STATE_INIT;
	return state;
}

/* Who has which certificate, as far as anybody was told. */
static int granted[SERIALS];
static uint64_t clock_now;

static void
step_claim(void)
{
	static const struct connection connections[] = { { "boot 1 100 5000" },
		{ "boot 1 100 5001" }, { "boot 1 101 5000" } };
	uint8_t byte = next_byte();
	int who = byte % 3;
	size_t serial = byte / 3 % SERIALS;
	const struct claim claim = { ca.public, serial + 1, NOW + 7200,
		&connections[who] };
	cleanup_state struct state state = STATE_INIT;
	enum sbx_err err;

	armed = true;
	state = open_state();
	err = state.dir < 0 ? SBX_IO : ledger_claim(&state, &claim, NULL);
	armed = false;
	if (err != SBX_OK)
		return;
	FUZZ_ASSERT(granted[serial] == 0 || granted[serial] == who + 1);
	granted[serial] = who + 1;
}

static void
step_time(void)
{
	cleanup_state struct state state = STATE_INIT;
	uint64_t floor = 0;

	clock_now += (uint64_t)next_byte() * 60;
	armed = true;
	state = open_state();
	/* As admit.c does it. */
	if (state.dir >= 0 && state_lock(&state, /* wait= */ false)) {
		if (floor_raise(&state, clock_now, NULL) == SBX_OK &&
		    floor_read(&state, &floor, NULL) == SBX_OK)
			ledger_sweep(&state, floor);
		state_unlock(&state);
	}
	armed = false;
}

static void
step_revoked(void)
{
	static struct gate_settings settings;
	struct revoked_list list;
	struct cert cert = { .serial = next_byte() % 2 == 0 ? 1 : 1100 };
	uint8_t point[4 + KEY_ED25519_LEN] = { 0, 0, 0, KEY_ED25519_LEN };
	enum sbx_err err;

	memcpy(point + 4, user.public, KEY_ED25519_LEN);
	cert.kind = key_kind_of(VIEW_STR("ssh-ed25519"));
	cert.key_fields = VIEW(point, sizeof(point));
	armed = true;
	err = gate_settings_read(conf_path, getuid(), &settings, NULL);
	armed = false;
	if (err != SBX_OK)
		return;
	FUZZ_ASSERT(strcmp(settings.id, "run-1234") == 0);
	FUZZ_ASSERT(settings.trusted.count == 1);
	FUZZ_ASSERT(
	    memcmp(settings.trusted.key[0], ca.public, KEY_ED25519_LEN) == 0);
	FUZZ_ASSERT(settings.permit == PERMIT_PTY);
	FUZZ_ASSERT(strcmp(settings.revoked, list_path) == 0);
	armed = true;
	err = revoked_check(
	    &settings, getuid(), NOW, &cert, ca.public, &list, NULL);
	armed = false;
	FUZZ_ASSERT(err == SBX_REVOKED || err == SBX_REVOKED_LIST);
}

static void
step_replace(void)
{
	static const char *const contents[] = { "one", "the other, longer" };
	cleanup_buf struct buf text = BUF_INIT(256);
	static const char *last = "one";
	const char *new = contents[next_byte() % 2];
	char path[PATH_LEN];
	enum sbx_err err;

	(void)path_of(path, "replaced");
	write_file(path, VIEW_STR(last));
	armed = true;
	err = file_write_atomic(AT_FDCWD, path, 0600, VIEW_STR(new), NULL);
	armed = false;
	FUZZ_ASSERT(file_read(AT_FDCWD, path, &text, NULL) == SBX_OK);
	if (err == SBX_OK)
		FUZZ_ASSERT(strcmp(buf_text(&text), new) == 0);
	else
		FUZZ_ASSERT(strcmp(buf_text(&text), last) == 0);
	last = buf_text(&text)[0] == 'o' ? contents[0] : contents[1];
}

static void (*const steps[])(
    void) = { step_claim, step_time, step_revoked, step_replace };

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	make_machine();
	memset(granted, 0, sizeof(granted));
	clock_now = NOW;
	FUZZ_ASSERT(mkdir(state_path, STATE_MODE) == 0);
	script = VIEW(bytes, size);
	while (script.len > 0)
		steps[next_byte() % (sizeof(steps) / sizeof(steps[0]))]();
	remove_all(state_path);
	return 0;
}
