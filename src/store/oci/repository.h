/* A repository of a registry, as those who ask it for something see it: how it is reached, and with what authorization.
 *
 * A host of loopback is spoken to without TLS, unless it answers that it wants TLS; any other one with TLS. A registry
 * that wants a token says where it is had; the token is fetched when it is first wanted, and again when it is refused
 * because it has expired. */
#ifndef STORE_OCI_REPOSITORY_H
#define STORE_OCI_REPOSITORY_H

#include "store/oci/reference.h"
#include "store/session.h"
#include <leat/base.h>

/* For the host and the name of `reference`, which is copied. `insecure`: without TLS first, wherever the host is. Reads
 * the files of login.h. -ENOMEM, or what login_find says, with a sentence in *error. Drop it by session_unref. */
int repository_new(struct session **ret, const struct reference *reference, bool insecure, struct leat_error *error);

/* Begins a request: "/v2/NAME/" and `path` (printf format), which the session makes a URL of. -ENOMEM. */
int repository_request(struct session *session, struct http_request *ret, const char *method, const char *path, ...)
    PRINTF(4, 5);

/* Has this registry left a request unanswered that gives up an upload? Then no other one waits for that: it forgets
 * uploads in any case. Any thread. */
bool repository_is_silent(const struct session *session);
void repository_note_silence(struct session *session);

/* One sentence for an answer of a registry that is a failure, from its JSON; "" if it says nothing. */
void repository_explain(const char *body, size_t n, char *ret, size_t capacity);

#endif
