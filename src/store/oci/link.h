/* SPDX-License-Identifier: MIT */
/* The header Link (RFC 8288), with which a registry names the next page of a list. */
#ifndef STORE_OCI_LINK_H
#define STORE_OCI_LINK_H

/* Sets *ret to the target of the first link to a next page (rel=next), from malloc; NULL if there is none. Several
 * headers are joined by commas in `value`. Returns 0, -EBADMSG if the value cannot be parsed, or -ENOMEM. */
int link_next(const char *value, char **ret);

#endif
