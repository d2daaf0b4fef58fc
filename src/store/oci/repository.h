/* SPDX-License-Identifier: MIT */
/* A repository of a registry: how it is reached, and how requests to it are authorized.
 *
 * A loopback host is asked without TLS, unless it answers that it wants TLS. Any other host is asked with TLS. A
 * registry that wants a token tells where to get it. The token is fetched when it is first needed, and again when it is
 * refused because it has expired. */
#ifndef STORE_OCI_REPOSITORY_H
#define STORE_OCI_REPOSITORY_H

#include "store/oci/reference.h"
#include "store/session.h"
#include <leat/base.h>

/* Makes a session for the host and the name of `reference`, which is copied. `insecure`: asks without TLS first,
 * whatever the host. Reads the files of login.h. Returns 0, or with a sentence in *error -ENOMEM or an error of
 * login_find. Drop it by session_unref. */
int repository_new(struct session **ret, const struct reference *reference, bool insecure, struct leat_error *error);

/* Starts a request with "/v2/NAME/" and `path` (printf format), from which the session makes a URL. Returns 0 or
 * -ENOMEM. */
int repository_request(struct session *session, struct http_request *ret, const char *method, const char *path, ...)
    PRINTF(4, 5);

/* Has this registry failed to answer a request to abort an upload? If so, no other upload waits for such an answer: the
 * registry forgets uploads in any case. Any thread. */
bool repository_is_silent(const struct session *session);
void repository_note_silence(struct session *session);

/* Writes one sentence for a registry's answer that is a failure, from its JSON; "" if the JSON says nothing. */
void repository_explain(const char *body, size_t n, char *ret, size_t capacity);

#endif
