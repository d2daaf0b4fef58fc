/* SPDX-License-Identifier: MIT */
/* References to what a registry has: HOST[:PORT]/NAME[:TAG][@DIGEST]. */
#ifndef STORE_OCI_REFERENCE_H
#define STORE_OCI_REFERENCE_H

#include "base/base.h"
#include <stdbool.h>

#define OCI_DIGEST_MAX 136 /* "sha512:", 128 digits, and the NUL */

struct reference {
    char *host;                  /* with the port, as in a URL */
    char *name;                  /* of the repository: "a/b" */
    char *tag;                   /* NULL: not given */
    char digest[OCI_DIGEST_MAX]; /* "sha256:..."; "": not given */
};

/* Parses `text`. Returns 0; -EINVAL if it is not a reference, and then *ret_why is a static sentence; or -ENOMEM. After
 * a failure nothing needs to be cleared. */
int reference_parse(struct reference *ret, const char *text, const char **ret_why);
/* Copies a reference to *ret, which is empty. Returns 0, or -ENOMEM and leaves *ret empty. */
int reference_copy(struct reference *ret, const struct reference *from);
void reference_clear(struct reference *reference);

/* Is the text "sha256:" with 64 digits or "sha512:" with 128, all in lower case? Only such a text is used as a file
 * name. */
bool oci_digest_is_valid(const char *text);
bool oci_tag_is_valid(const char *text);

/* Is the host this machine, by its name or address? Only to such a host does leat connect without TLS unasked. */
bool reference_is_loopback(const struct reference *reference);

#endif
