/* SPDX-License-Identifier: ISC */
/* What every other program is measured against. */
int
main(void)
{
	return 0;
}
