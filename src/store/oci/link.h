/* The header Link (RFC 8288), by which a registry names the next page of a list. */
#ifndef STORE_OCI_LINK_H
#define STORE_OCI_LINK_H

/* What the first link to a next page (rel=next) says, from malloc; several headers are one with commas between. 0:
 * *ret is NULL if there is no such link. -EBADMSG: the value is none that can be read. -ENOMEM. */
int link_next(const char *value, char **ret);

#endif
