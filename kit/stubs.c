/* SPDX-License-Identifier: ISC */
/*
 * Functions of libraries that Debian's sshd is linked with and the kit's
 * configuration never uses: PAM, Kerberos, SELinux, audit, TCP wrappers,
 * systemd.  Some of those libraries read files of the image as soon as they
 * are loaded.  Each function here fails as the real one can.  make-kit
 * refuses an sshd that needs one that is missing.
 */
#include <errno.h>
#include <stddef.h>

/* name, version of its symbol (stubs.map has the same), what it returns */
#define FAILS(name)             \
	long name(void);        \
	long name(void)         \
	{                       \
		errno = ENOSYS; \
		return -1;      \
	}
#define RETURNS(name, value)  \
	long name(void);      \
	long name(void)       \
	{                     \
		return value; \
	}
#define SAYS(name)                       \
	const char *name(void);          \
	const char *name(void)           \
	{                                \
		return "not in the kit"; \
	}
#define NOTHING(name)        \
	void *name(void);    \
	void *name(void)     \
	{                    \
		return NULL; \
	}

/* GSS_S_FAILURE (RFC 2744, section 3.9.1) */
#define GSS_FAILURE (13L << 16)
/* PAM_SYSTEM_ERR of Linux-PAM */
#define PAM_FAILURE 4

/* libcrypt */
NOTHING(crypt)

/* libaudit: that the kernel has no audit, which sshd takes for an answer */
long audit_open(void);
long
audit_open(void)
{
	errno = EPROTONOSUPPORT;
	return -1;
}
FAILS(audit_log_acct_message)

/* libwrap: everybody may */
NOTHING(request_init)
RETURNS(hosts_access, 1)
NOTHING(sock_host)
NOTHING(refuse)

/* libsystemd */
RETURNS(sd_listen_fds, 0)
RETURNS(sd_notify, 0)

/* libwtmpdb */
FAILS(wtmpdb_login)
FAILS(wtmpdb_logout)
FAILS(wtmpdb_get_id)

/* libselinux */
RETURNS(is_selinux_enabled, 0)
NOTHING(freecon)
FAILS(get_default_context_with_level)
FAILS(get_default_context_with_rolelevel)
FAILS(getcon)
FAILS(getfilecon)
FAILS(getseuserbyname)
FAILS(matchpathcon)
FAILS(security_compute_relabel)
FAILS(security_getenforce)
NOTHING(selabel_close)
FAILS(selabel_lookup)
NOTHING(selabel_open)
FAILS(setcon)
FAILS(setexeccon)
FAILS(setfilecon)
FAILS(setfscreatecon)
RETURNS(string_to_security_class, 0)

/* libpam */
RETURNS(pam_acct_mgmt, PAM_FAILURE)
RETURNS(pam_authenticate, PAM_FAILURE)
RETURNS(pam_chauthtok, PAM_FAILURE)
RETURNS(pam_close_session, PAM_FAILURE)
RETURNS(pam_end, PAM_FAILURE)
RETURNS(pam_get_item, PAM_FAILURE)
NOTHING(pam_getenvlist)
RETURNS(pam_open_session, PAM_FAILURE)
RETURNS(pam_putenv, PAM_FAILURE)
RETURNS(pam_set_item, PAM_FAILURE)
RETURNS(pam_setcred, PAM_FAILURE)
RETURNS(pam_start, PAM_FAILURE)
SAYS(pam_strerror)

/* libgssapi_krb5 */
RETURNS(gss_accept_sec_context, GSS_FAILURE)
RETURNS(gss_acquire_cred, GSS_FAILURE)
RETURNS(gss_add_oid_set_member, GSS_FAILURE)
RETURNS(gss_compare_name, GSS_FAILURE)
RETURNS(gss_create_empty_oid_set, GSS_FAILURE)
RETURNS(gss_delete_sec_context, GSS_FAILURE)
RETURNS(gss_display_name, GSS_FAILURE)
RETURNS(gss_display_status, GSS_FAILURE)
RETURNS(gss_export_name, GSS_FAILURE)
RETURNS(gss_get_mic, GSS_FAILURE)
RETURNS(gss_import_name, GSS_FAILURE)
RETURNS(gss_indicate_mechs, GSS_FAILURE)
RETURNS(gss_init_sec_context, GSS_FAILURE)
RETURNS(gss_inquire_cred, GSS_FAILURE)
RETURNS(gss_inquire_cred_by_mech, GSS_FAILURE)
RETURNS(gss_krb5_copy_ccache, GSS_FAILURE)
RETURNS(gss_release_buffer, GSS_FAILURE)
RETURNS(gss_release_cred, GSS_FAILURE)
RETURNS(gss_release_name, GSS_FAILURE)
RETURNS(gss_release_oid_set, GSS_FAILURE)
RETURNS(gss_test_oid_set_member, GSS_FAILURE)
RETURNS(gss_verify_mic, GSS_FAILURE)

extern const void *const GSS_C_NT_HOSTBASED_SERVICE;
const void *const GSS_C_NT_HOSTBASED_SERVICE = NULL;
extern const void *const GSS_C_NT_USER_NAME;
const void *const GSS_C_NT_USER_NAME = NULL;

/* libkrb5, libcom_err */
RETURNS(krb5_cc_close, -1)
RETURNS(krb5_cc_destroy, -1)
SAYS(krb5_cc_get_name)
RETURNS(krb5_cc_get_principal, -1)
RETURNS(krb5_cc_initialize, -1)
RETURNS(krb5_cc_resolve, -1)
RETURNS(krb5_cc_store_cred, -1)
NOTHING(krb5_free_context)
NOTHING(krb5_free_error_message)
NOTHING(krb5_free_principal)
NOTHING(krb5_free_unparsed_name)
SAYS(krb5_get_error_message)
RETURNS(krb5_get_init_creds_password, -1)
RETURNS(krb5_init_context, -1)
RETURNS(krb5_kuserok, 0)
RETURNS(krb5_parse_name, -1)
RETURNS(krb5_sname_to_principal, -1)
RETURNS(krb5_unparse_name, -1)
RETURNS(krb5_verify_init_creds, -1)
SAYS(error_message)
