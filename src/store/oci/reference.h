/* Names of what a registry has: HOST[:PORT]/NAME[:TAG][@DIGEST]. */
#ifndef STORE_OCI_REFERENCE_H
#define STORE_OCI_REFERENCE_H

#include "base/base.h"
#include <stdbool.h>

#define OCI_DIGEST_MAX 136 /* "sha512:", 128 digits, and the NUL */

struct reference {
    char *host;                  /* with its port, as a URL has it */
    char *name;                  /* of the repository: "a/b" */
    char *tag;                   /* NULL: none was given */
    char digest[OCI_DIGEST_MAX]; /* "sha256:..."; "": none was given */
};

/* -EINVAL: it is none; *ret_why is then a static sentence. -ENOMEM. On failure nothing is to be cleared. */
int reference_parse(struct reference *ret, const char *text, const char **ret_why);
/* *ret, which is empty, becomes the same. -ENOMEM: it is empty still. */
int reference_copy(struct reference *ret, const struct reference *from);
void reference_clear(struct reference *reference);

/* "sha256:" with 64 digits or "sha512:" with 128, all of them in lower case: nothing else becomes the name of a file.
 */
bool oci_digest_is_valid(const char *text);
bool oci_tag_is_valid(const char *text);

/* Is the host this machine, by its name or address? Only such a host is spoken to without TLS unasked. */
bool reference_is_loopback(const struct reference *reference);

#endif
