/* SPDX-License-Identifier: MIT */
/* State shared by several requests to one server: how they are authorized, and what must be requested before.
 *
 * A request with a session goes through these hooks when it is sent and when it is refused. All hooks except `free` are
 * called on the transfer thread alone, so a session needs no lock. A request that the session makes itself, such as for
 * a token, is an *errand*. Its answer goes to the session and not to the owner of the transfer.
 *
 * A *course* is everything that follows from one request: errands, and redirects, with a session or without one.
 * Credentials, those of the session and those of the settings, are sent to the server of the request and to no other.
 * Later requests may first ask the URL to which a redirect led. If that URL has expired, as signed URLs do, the URL of
 * the request is asked again. */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "store/transfer.h"
#include <stdatomic.h>

struct session;
struct course;

struct session_ops {
    /* Fills in *ret, which is empty, and course->own with the next request. Returns 0 if it is `wanted`, completed; 1
     * if it is an errand; or a negative errno, such as -ENOMEM or -EINVAL. */
    int (*prepare)(struct session *session, struct course *course, const struct http_request *wanted,
                   struct http_request *ret);

    /* Handles the answer to an errand, or an answer that is a failure. Returns 1 if `prepare` is to be called again; 0
     * if the answer is final; or a negative errno if the whole transfer fails, and then *ret_why is a static
     * sentence. */
    int (*refused)(struct session *session, struct course *course, const struct answer *answer, const char *body,
                   size_t n, const char **ret_why);

    /* An answer that is not a failure arrived. */
    void (*succeeded)(struct session *session);

    void (*free)(struct session *session);
};

/* The struct of each kind of session starts with this one. */
struct session {
    const struct session_ops *ops;
    atomic_uint refs;
};

struct session *session_ref(struct session *session);
/* NULL is allowed. */
void session_unref(struct session *session);

#define COURSE_BODY_MAX 65536u /* bytes kept of an answer that the session sees; the rest is dropped */

/* One request of a transfer, with its errands and redirects. Zero before the first use. */
struct course {
    struct http_request request; /* the request that is sent now */
    bool errand;
    bool own;                  /* it goes to the server of the wanted request, not to the target of a redirect */
    unsigned steps, redirects; /* requests sent, and redirects followed */
    unsigned generation;       /* the session's generation: identifies the authorization that was sent */
    bool granted;              /* an authorization was granted for it, so a refusal is final */
    char *location;            /* the target of the redirect that it follows, or NULL */
    bool is_old;               /* `location` was found by an earlier request */
    char *origin;              /* a URL on the server of the wanted request; NULL: not known yet */
    char *body;
    size_t length;
};

/* Makes the next request in course->request. */
int course_prepare(struct course *course, const struct http_request *wanted);
/* Does the course handle this answer, before the owner of the transfer sees it? */
bool course_holds(const struct course *course, const struct http_request *wanted, const struct answer *answer);
/* Appends n bytes to the body of such an answer. False: memory is short. */
bool course_keep(struct course *course, const void *bytes, size_t n);
/* Handles such an answer once it is complete. Returns what session_ops.refused returns, or -ELOOP after too many
 * redirects. */
int course_next(struct course *course, const struct http_request *wanted, const struct answer *answer,
                const char **ret_why);
/* Tells the session about a final answer that it has not seen. */
void course_succeeded(const struct http_request *wanted);
/* Frees what the course holds and makes it zero. */
void course_clear(struct course *course);

#endif
