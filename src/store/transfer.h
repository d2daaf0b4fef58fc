/* HTTP requests under way, on one thread.
 *
 * The process has at most one transfer thread. It runs libcurl's multi interface and all callbacks below. It exists
 * while there are users (transfers_get to transfers_put), so that one connection serves several requests of a user.
 *
 * A transfer is one request and its answer; after its end it may begin again with another request. Its callbacks are
 * called in this order: `answered` once the headers are there, `body` for each piece, `ended` once. No callback may
 * block, nor free the transfer.
 *
 * Bodies are HTTP/1.1: a paused transfer of HTTP/2 makes libcurl buffer what comes without a bound. */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "store/digests.h"
#include "store/request.h"
#include <stdbool.h>

#define ETAG_MAX      256
#define LOCATION_MAX  4096
#define CHALLENGE_MAX 2048

/* What the final answer's headers say. */
struct answer {
    int status;
    bool has_length; /* of the body */
    uint64_t length;
    bool has_range; /* Content-Range */
    uint64_t range_first, range_last, range_total;
    bool is_behind;              /* Content-Range says that the range lies behind the end: range_total alone is set */
    bool has_ranges;             /* Accept-Ranges: bytes */
    int64_t retry_after_s;       /* -1: it does not say */
    int64_t date_s;              /* the server's time, since 1970; 0: it does not say */
    bool is_chunked;             /* `length` means nothing then */
    char etag[ETAG_MAX];         /* with its quotes; "": none, a weak one, or too long */
    char location[LOCATION_MAX]; /* "": none, or too long */
    bool has_uploaded;           /* Range of an upload: the number of its last byte, which a registry has */
    uint64_t uploaded_last;
    char challenge[CHALLENGE_MAX]; /* WWW-Authenticate; several of them with commas between; "": none */
    struct sent_digests digests;
};

enum transfer_wish {
    TRANSFER_MORE,
    TRANSFER_PAUSE,  /* the same bytes come again after transfer_resume */
    TRANSFER_ENOUGH, /* the rest is not wanted: `ended` comes with 0, and the connection is closed */
};

struct transfer_ops {
    void (*answered)(void *user, const struct answer *answer);
    /* A line of the headers, also of answers that are not final: a line that begins with "HTTP/"
     * begins another answer. It is no longer than what libcurl takes. May be NULL. */
    void (*header)(void *user, const char *line, size_t n);
    /* Takes all n bytes (at most 16 KiB), or says that it does not. */
    enum transfer_wish (*body)(void *user, const void *bytes, size_t n);
    /* `body` was called, and now the connection has no more bytes, for the moment. May be NULL. */
    void (*drained)(void *user);
    /* A body with `is_held` was sent but for its last byte. Once an attempt, or more often; NULL: nothing is done. */
    void (*held)(void *user);
    /* The answer is complete (0), or the connection failed: a negative errno and a sentence that is valid during the
     * call. A status such as 404 is an answer, not a failure. May call transfer_again. */
    void (*ended)(void *user, int code, const char *why);
};

struct transfer;

/* Becomes a user of the transfer thread; the first one starts it. -ELIBACC without libcurl, -ENOMEM, -EAGAIN without
 * another thread; *ret_why is then a static sentence. */
int transfers_get(const char **ret_why);
/* The last one to leave ends the thread and closes its connections. Its own transfers must be freed. */
void transfers_put(void);

/* Begins. The request is copied. -ENOMEM. */
int transfer_start(struct transfer **ret, const struct http_request *request, const struct transfer_ops *ops,
                   void *user);

/* From `ended` alone: sends another request after `delay_ms`, with the same callbacks. -ENOMEM. */
int transfer_again(struct transfer *transfer, const struct http_request *request, int64_t delay_ms);

/* From a callback: sets `stall_ns` of the request under way. */
void transfer_stalls_after(struct transfer *transfer, int64_t stall_ns);

/* Goes on after a `body` that said TRANSFER_PAUSE. Any thread; a needless call does no harm. */
void transfer_resume(struct transfer *transfer);

/* Sends the last byte of a body with `is_held`. It is not withheld when the request is repeated. Any thread. */
void transfer_release(struct transfer *transfer);

/* From `answered` alone: where redirects have led this request, or NULL. Valid during the call. */
const char *transfer_place(const struct transfer *transfer);

/* From `ended` alone: what the caller can do about a failure. */
enum leat_advice transfer_advice(const struct transfer *transfer);

/* From `ended` alone: how many bytes of the body this attempt has sent. */
uint64_t transfer_sent(const struct transfer *transfer);

/* From `ended` alone: has this attempt sent its request to the end? Then the server may have done what it asks for. */
bool transfer_has_sent_all(const struct transfer *transfer);

/* Stops it if it is not over, and frees it: after this no callback is running or will be called. Waits for the transfer
 * thread, which never blocks for long. NULL is allowed. Not from a callback. */
void transfer_free(struct transfer *transfer);

#endif
