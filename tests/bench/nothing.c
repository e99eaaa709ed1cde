/* SPDX-License-Identifier: ISC */
/* What starting any program costs: linked statically, does nothing. */
int
main(void)
{
	return 0;
}
