/* SPDX-License-Identifier: MIT */
/* The internals of a sink that is an object (sink.c), for the files that share them. Everything belongs to the thread
 * of the pipeline, with two exceptions. The transfer thread writes into the notice pipe. And when an upload has got its
 * name, the transfer thread sends the parts that have waited for it, because the pipeline may be waiting for its
 * source. So `upload`, `control_step`, `stopped`, and the step of a slot from full to sending are under `lock`. No
 * transfer is freed while the lock is held. */
#ifndef STORE_SINK_H
#define STORE_SINK_H

#include "store/client.h"
#include "store/exchange.h"
#include "store/journal.h"
#include "store/store.h"
#include <pthread.h>

#define SINK_SLOTS       4                    /* parts that are kept at once: three in flight, one being filled */
#define SINK_PATIENCE_NS INT64_C(10000000000) /* how long the end of a failed upload may take */

struct sink;

enum slot_state {
    SLOT_FREE,
    SLOT_FILLING,
    SLOT_FULL, /* complete, not sent yet */
    SLOT_SENDING,
};

/* A part, and the request that sends it. */
struct part_slot {
    struct sink *sink;
    struct part part;
    struct exchange exchange;
    atomic_uint state; /* enum slot_state */
};

struct sink {
    leat_endpoint endpoint;
    struct object *object;
    struct client client;
    int32_t retries;
    bool no_clobber;
    int64_t total_ns;    /* time limit of the sink; 0: no limit */
    int64_t deadline_ns; /* of clock_ns; 0: no limit */
    uint64_t part_size;

    const struct node *source; /* a file with the bytes that are sent, open as long as the sink; NULL: the bytes are
                                  kept in the parts */
    struct part_slot slot[SINK_SLOTS];
    struct part_slot *filling; /* the slot that is being filled, or NULL */
    unsigned numbers;          /* parts started */
    uint64_t total;            /* bytes taken */

    pthread_mutex_t lock;
    bool stopped; /* no more parts may be sent */
    /* One request at a time, besides those of the parts. */
    struct exchange control;
    enum {
        CONTROL_NONE,
        CONTROL_LOOKING, /* whether the object exists */
        CONTROL_LISTING, /* which parts an upload has */
        CONTROL_CREATING,
        CONTROL_COMPLETING,
        CONTROL_ABORTING,
    } control_step;
    char upload[UPLOAD_MAX]; /* the name of the upload; "": none */
    struct sent_part *sent;  /* indexed by the number of the part; etag NULL: not sent yet */
    size_t sent_room;
    enum {
        COMMIT_FIRST,
        COMMIT_LOOKING, /* whether the object exists */
        COMMIT_SENDING,
        COMMIT_MAKING, /* the request that makes the object is in flight */
        COMMIT_VERIFYING,
        COMMIT_OVER,
    } commit_step;
    bool unsure;                  /* the store may have another upload, whose name is not known */
    bool commit_sent;             /* the request that makes the object was sent */
    bool is_made;                 /* the store has confirmed the object */
    bool may_be_made;             /* the request that makes the object is over, and the object may exist */
    char expected_etag[ETAG_MAX]; /* of the object; "": unknown */
    uint64_t expected_crc;        /* of the object's crc_kind, if it has one */
    bool single;                  /* the object is put by one request, that of slot[0] */
    bool reached;

    char *resume; /* the path of the journal, or NULL */
    struct journal journal;
    atomic_int journal_code; /* why the journal could not be written: a negative errno */
    bool is_resumed;         /* the journal was opened, and the store was asked for the parts */
    unsigned listed_most;    /* the highest part number that the store has */
    unsigned listed_next;    /* the page of the list of parts that is requested now */

    struct leat_error failure;
    bool no_md5;                 /* the store's last answer to a part could be checked without an MD5 */
    unsigned connections_top;    /* the most part requests at once; under the lock */
    struct node_traffic traffic; /* for the report */
};

/* Has the sink exceeded its time limit? If so, records the failure. */
bool sink_is_late(struct sink *s);

/* Records a failure. Only the first one counts. */
void sink_fail(struct sink *s, int code, const char *operation, const char *sentence);
/* Records the failure of an exchange that is over and has not succeeded. */
void sink_fail_by(struct sink *s, const struct exchange *x, const char *operation);

/* ---- send.c ---- */

/* The hook `again` of an exchange whose user is the sink: does the answer say that the same request may succeed
 * later? */
bool sink_again(const struct exchange *x);

/* Starts a request of `x`. Records a failure. */
void sink_start(struct sink *s, struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user);

/* Starts the request of a slot. Returns what exchange_start returns. Any thread; the caller holds the lock. */
int sink_send(struct part_slot *slot, int (*make)(void *user, struct http_request *ret));

/* Adds what an exchange did to the traffic, and stops it. All sendings of a body but the last one count in
 * bytes_again. */
void sink_end(struct sink *s, struct exchange *x);

/* After a failure: blocks until the exchange is over. False: it was not over within the limit. */
bool sink_wait(struct sink *s, struct exchange *x, int64_t limit_ns);

/* ---- sink.c ---- */

/* Starts a part in a free slot, which becomes `filling`. False: no slot is free, or a failure was recorded. */
bool sink_take_slot(struct sink *s);

/* Ends the part that is being filled. */
void sink_seal(struct sink *s);

/* ---- look.c ---- */

/* Does the answer to a part fit the bytes that were sent? Compares the checksum of the answer, or else an ETag that is
 * an MD5; the MD5 is computed now if it was not computed while the bytes arrived. Returns NULL, or a sentence if the
 * answer does not fit. */
const char *sink_check_part(struct part *part, const struct answer *answer);
/* Can the answer be checked by an MD5 alone? */
bool sink_wants_md5(const struct part *part, const struct answer *answer);
/* Reads the store's checksum of the whole object, for the report. False: it differs from `crc`. */
bool sink_check_crc(struct sink *s, const struct answer *answer, uint64_t crc);

/* Asks whether the object exists. */
void look_start(struct sink *s);
/* Takes the answer to look_start. Records a failure if the object exists. */
void look_take(struct sink *s);
/* verify_ask requests the size and ETag of the object, by `control`. verify_object is called when that is over, and
 * compares them ("": any ETag). Returns 0; -ENOENT; -EACCES if the request is not allowed; -EIO if there was no answer;
 * -EBADMSG if they differ; or -ENODATA if the store has not confirmed the object and its ETag is not a digest of its
 * bytes. */
void verify_ask(struct sink *s);
int verify_object(struct sink *s, const char *etag);

/* ---- commit.c ---- */

/* Makes the object, as far as that is possible without blocking. Returns -EAGAIN if it is to be called again when the
 * port is ready or at the deadline; 0 if it is over, and then a failure is recorded. */
int sink_commit_on(struct sink *s);
/* Returns what a message says about the object after a failure. NULL: the object does not exist, or the failure says
 * it. */
const char *sink_doubt(struct sink *s);

/* ---- single.c ---- */

/* Ends the bytes: they become the body of one request, which is started if there are any. */
void single_begin(struct sink *s);
/* Returns -EAGAIN until everything but the last byte was sent. Records a failure. */
int single_settle(struct sink *s);
/* Sends the last byte; single_exchange is the exchange that does so. */
void single_send(struct sink *s);
struct exchange *single_exchange(struct sink *s);
/* Takes the result of that exchange, and records a failure. True: the first of several attempts may have made the
 * object, so the caller verifies it and passes the result to single_verified. */
bool single_check(struct sink *s);
void single_verified(struct sink *s, int r);

/* ---- resume.c; each is legal without a journal ---- */

/* Opens the journal. If it names an upload, requests the list of its parts. Records a failure. */
void resume_start(struct sink *s);
/* Takes the answer to the list. May request another page. */
void resume_take(struct sink *s);
/* Does the store have this part, with exactly these bytes? If so, the part is recorded as sent. */
bool resume_has(struct sink *s, const struct part *part);
/* Call it when all parts were taken. Records a failure if the store has more parts, because some stores then refuse to
 * complete. */
void resume_check(struct sink *s);
/* Was a write to the journal refused? If so, records the failure. */
void resume_tell(struct sink *s);
/* Write to the journal that the upload has its name, or that the store has the part of this exchange. Called on the
 * transfer thread, because the pipeline may be waiting for its source. A failure is stored in `journal_code`, which
 * multipart_take reports. */
void resume_note_upload(struct sink *s);
void resume_note_part(struct exchange *x);
/* Does a run that failed with `code` leave its upload in the store? */
bool resume_keeps(const struct sink *s, int code);
/* Closes the journal; `remove`: deletes the file, too. */
void resume_end(struct sink *s, bool remove);

/* ---- multipart.c ---- */

uint64_t multipart_size(uint64_t first, unsigned number, uint64_t largest);

/* Takes the results of requests that have ended, and starts those that can be started. */
void multipart_advance(struct sink *s);

/* The request of `control` is over. Called on the transfer thread. */
void multipart_woken(struct sink *s);

/* Records that the store has a part. `has_sum`: the store keeps its SHA-256. Returns 0 or -ENOMEM. */
int multipart_note(struct sink *s, const struct part *part, const char *etag, bool has_sum);

/* Does the store have all parts that were started? */
bool multipart_is_idle(const struct sink *s);

/* Makes the object from the parts, by `control`. Records a failure. */
void multipart_complete(struct sink *s);
/* Takes the result of multipart_complete, and records a failure. True: the caller verifies the object and passes the
 * result to multipart_verified. */
bool multipart_check(struct sink *s);
void multipart_verified(struct sink *s, int r);

/* Takes the results of requests that have ended, as multipart_advance does, but starts nothing. */
void multipart_take(struct sink *s);

/* Stops the requests of all parts. No others are started. */
void multipart_stop(struct sink *s);

/* Aborts the upload, if there is one. Blocks for at most SINK_PATIENCE_NS. False: the upload may be left in the
 * store. */
bool multipart_abort(struct sink *s);

void multipart_free(struct sink *s);

#endif
