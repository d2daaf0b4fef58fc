/* What belongs to several requests to one server: how they are authorized, and what has to be asked before.
 *
 * A request that has a session goes through these hooks when it is sent and when it is refused. All hooks but `free`
 * are called on the transfer thread alone, so a session needs no lock. What the session asks on its own is an *errand*,
 * such as for a token; its answer goes to the session and not to the owner of the transfer.
 *
 * A *course* is all that becomes of one request: errands, and redirects, with a session or without one. What
 * authorizes, the session's or the settings', is sent to the server of the request and to no other. A place that a
 * redirect has led to may be asked first by later requests; if it has gone, as signed URLs do, the URL of the request
 * is asked again. */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "store/transfer.h"
#include <stdatomic.h>

struct session;
struct course;

struct session_ops {
    /* What is to be sent now, into *ret, which is empty, and course->own: 0: `wanted`, completed; 1: an errand.
     * -ENOMEM, -EINVAL and the like. */
    int (*prepare)(struct session *session, struct course *course, const struct http_request *wanted,
                   struct http_request *ret);

    /* An answer to an errand, or one that is a failure. 1: `prepare` is asked again. 0: it is final. Negative: the
     * whole transfer fails; *ret_why is then a static sentence. */
    int (*refused)(struct session *session, struct course *course, const struct answer *answer, const char *body,
                   size_t n, const char **ret_why);

    /* An answer that is no failure came. */
    void (*succeeded)(struct session *session);

    void (*free)(struct session *session);
};

/* Each session's own struct begins with it. */
struct session {
    const struct session_ops *ops;
    atomic_uint refs;
};

struct session *session_ref(struct session *session);
/* NULL is allowed. */
void session_unref(struct session *session);

#define COURSE_BODY_MAX 65536u /* of an answer that the session sees; the rest is dropped */

/* One request of a transfer, with all that its session makes of it. Zeroed before the first use. */
struct course {
    struct http_request request; /* what is being sent */
    bool errand;
    bool own;                  /* it goes to the server of the request, not to where an answer sends it */
    unsigned steps, redirects; /* requests that were sent, and redirects that were followed */
    unsigned generation;       /* the session's: which authorization was sent with it */
    bool granted;              /* an authorization was had for it, so a refusal is meant */
    char *location;            /* the redirect that it follows, or NULL */
    bool is_old;               /* that was found by an earlier request */
    char *origin;              /* a URL on the server of the request; NULL: not known yet */
    char *body;
    size_t length;
};

/* Makes the next request, into course->request. */
int course_prepare(struct course *course, const struct http_request *wanted);
/* Is this answer for the course, at first? */
bool course_holds(const struct course *course, const struct http_request *wanted, const struct answer *answer);
/* Keeps a piece of such an answer's body. False: no memory. */
bool course_keep(struct course *course, const void *bytes, size_t n);
/* Such an answer is complete: as session_ops.refused. -ELOOP: too many redirects. */
int course_next(struct course *course, const struct http_request *wanted, const struct answer *answer,
                const char **ret_why);
/* An answer that the session has not seen is final. */
void course_succeeded(const struct http_request *wanted);
/* Forgets everything. */
void course_clear(struct course *course);

#endif
