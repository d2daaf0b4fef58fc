/* SPDX-License-Identifier: MIT */
/* HTTP requests in flight, all on one thread.
 *
 * A process has at most one transfer thread. It runs libcurl's multi interface and all callbacks below. It exists as
 * long as it has users (from transfers_get to transfers_put), so that one connection can serve several requests of a
 * user.
 *
 * A transfer is one request and its answer. After its end it may start again with another request. The callbacks are
 * called in this order: `answered` when the headers have arrived, `body` for each piece, `ended` once. A callback must
 * not block and must not free the transfer.
 *
 * Requests use HTTP/1.1: if an HTTP/2 transfer is paused, libcurl buffers what arrives without a bound. */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "store/digests.h"
#include "store/metadata.h"
#include "store/request.h"
#include <stdbool.h>

#define ETAG_MAX      256
#define LOCATION_MAX  4096
#define CHALLENGE_MAX 2048

/* The headers of the final answer. */
struct answer {
    int status;
    bool has_length; /* of the body */
    uint64_t length;
    bool has_range; /* Content-Range */
    uint64_t range_first, range_last, range_total;
    bool is_behind;  /* Content-Range says that the range lies beyond the end; of the range, only range_total is set */
    bool has_ranges; /* Accept-Ranges: bytes */
    int64_t retry_after_s;       /* -1: no Retry-After */
    int64_t date_s;              /* the server's time, in seconds since 1970; 0: no Date */
    bool is_chunked;             /* `length` has no meaning then */
    char etag[ETAG_MAX];         /* with its quotes; "": none, a weak one, or too long */
    char location[LOCATION_MAX]; /* "": none, or too long */
    bool has_uploaded; /* the Range of an upload: uploaded_last is the number of the last byte that the registry has */
    uint64_t uploaded_last;
    char challenge[CHALLENGE_MAX]; /* WWW-Authenticate; several are joined by commas; "": none */
    struct sent_digests digests;
    struct metadata metadata; /* of an object in S3 */
};

enum transfer_wish {
    TRANSFER_MORE,
    TRANSFER_PAUSE,  /* `body` gets the same bytes again after transfer_resume */
    TRANSFER_ENOUGH, /* the rest is not wanted: `ended` is called with 0, and the connection is closed */
};

struct transfer_ops {
    void (*answered)(void *user, const struct answer *answer);
    /* One header line, also of answers that are not final. A line that starts with "HTTP/" starts another answer.
     * libcurl limits the length of a line. May be NULL. */
    void (*header)(void *user, const char *line, size_t n);
    /* Takes all n bytes (at most 16 KiB) or none, as its return value says. */
    enum transfer_wish (*body)(void *user, const void *bytes, size_t n);
    /* `body` was called, and the connection has no more bytes for the moment. May be NULL. */
    void (*drained)(void *user);
    /* Everything of a body with `is_held` was sent but its last byte. Called once or more often in an attempt. May be
     * NULL. */
    void (*held)(void *user);
    /* The answer is complete (`code` 0), or the connection failed: `code` is a negative errno, and `why` is a sentence
     * that is valid during the call. A status such as 404 is an answer, not a failure. The callback may call
     * transfer_again. */
    void (*ended)(void *user, int code, const char *why);
};

struct transfer;

/* Makes the caller a user of the transfer thread; the first user starts it. Returns 0; -ELIBACC without libcurl,
 * -ENOMEM, or -EAGAIN if no thread can be created. After an error *ret_why is a static sentence. */
int transfers_get(const char **ret_why);
/* Ends the use. The last user ends the thread and closes its connections. A user frees its transfers before. */
void transfers_put(void);

/* Starts a transfer. The request is copied. Returns 0 or -ENOMEM. */
int transfer_start(struct transfer **ret, const struct http_request *request, const struct transfer_ops *ops,
                   void *user);

/* Sends another request after `delay_ms`, with the same callbacks. Only in `ended`. Returns 0 or -ENOMEM. */
int transfer_again(struct transfer *transfer, const struct http_request *request, int64_t delay_ms);

/* Sets `stall_ns` of the request in flight. Only in a callback. */
void transfer_stalls_after(struct transfer *transfer, int64_t stall_ns);

/* Resumes a transfer whose `body` returned TRANSFER_PAUSE. Any thread. If the transfer is not paused, the call has no
 * effect. */
void transfer_resume(struct transfer *transfer);

/* Sends the withheld last byte of a body with `is_held`. If the request is repeated, the byte is not withheld again.
 * Any thread. */
void transfer_release(struct transfer *transfer);

/* Returns the URL to which redirects have led this request, or NULL. Only in `answered`; valid during the call. */
const char *transfer_place(const struct transfer *transfer);

/* Returns the advice to the caller after a failure. Only in `ended`. */
enum leat_advice transfer_advice(const struct transfer *transfer);

/* Returns how many bytes of the body this attempt has sent. Only in `ended`. */
uint64_t transfer_sent(const struct transfer *transfer);

/* Has this attempt sent its request to the end? If so, the server may have acted on it. Only in `ended`. */
bool transfer_has_sent_all(const struct transfer *transfer);

/* Stops the transfer if it is not over, and frees it; NULL is allowed. Afterwards no callback is running or will be
 * called. Waits for the transfer thread, which never blocks for long. Must not be called in a callback. */
void transfer_free(struct transfer *transfer);

#endif
