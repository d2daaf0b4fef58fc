/* The inside of a sink that is an object (sink.c), and what multipart.c does for it. Everything here belongs to the
 * thread of the pipeline but for two things. The transfer thread writes into the notice pipe. And when an upload has
 * its name, the transfer thread sends the parts that have waited for it, since the pipeline may be waiting for its
 * source: so `upload`, `control_step`, `stopped`, and the step of a slot from full to sending are under `lock`. No
 * transfer is freed while the lock is held. */
#ifndef STORE_SINK_H
#define STORE_SINK_H

#include "store/client.h"
#include "store/exchange.h"
#include "store/journal.h"
#include "store/store.h"
#include <pthread.h>

#define SINK_SLOTS       4 /* parts that are kept at once: three on their way, one that is being filled */
#define SINK_PATIENCE_NS INT64_C(10000000000) /* how long the end of a failed upload may take */

struct sink;

enum slot_state {
    SLOT_FREE,
    SLOT_FILLING,
    SLOT_FULL, /* to be sent */
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
    int64_t total_ns;    /* that it may take; 0: no limit */
    int64_t deadline_ns; /* of clock_ns; 0: no limit */
    bool no_clobber;
    uint64_t part_size;

    const struct node *source; /* a file that has what is sent, and is open as long as this is; NULL: it is kept */
    struct part_slot slot[SINK_SLOTS];
    struct part_slot *filling; /* or NULL */
    unsigned numbers;          /* parts that were begun */
    uint64_t total;            /* bytes that were taken */

    pthread_mutex_t lock;
    bool stopped; /* no more parts are sent */
    /* One request at a time besides those of the parts. */
    struct exchange control;
    enum {
        CONTROL_NONE,
        CONTROL_LOOKING, /* whether the object exists */
        CONTROL_LISTING, /* which parts an upload has */
        CONTROL_CREATING,
        CONTROL_COMPLETING,
        CONTROL_ABORTING,
    } control_step;
    char upload[UPLOAD_MAX]; /* "": there is none */
    bool unsure;             /* there may be another one, whose name nobody knows */
    struct sent_part *sent;  /* by their number; etag NULL: not yet */
    size_t sent_room;
    enum {
        COMMIT_FIRST,
        COMMIT_LOOKING, /* whether the object exists */
        COMMIT_SENDING,
        COMMIT_MAKING, /* the request that makes the object is on its way */
        COMMIT_VERIFYING,
        COMMIT_OVER,
    } commit_step;
    bool commit_sent;             /* that request was made */
    bool is_made;                 /* the store has said that it is there */
    bool may_be_made;             /* that request is over, and the object may be there */
    char expected_etag[ETAG_MAX]; /* of the object; "": unknown */
    uint64_t expected_crc;        /* of its kind, if it has one */
    bool single;                  /* the object is put by one request, that of slot[0] */
    bool reached;

    char *resume; /* the path of the journal, or NULL */
    struct journal journal;
    atomic_int journal_code; /* what could not be noted in it: a negative errno */
    bool is_resumed;         /* the journal was opened, and what it says of the store was asked for */
    unsigned listed_most;    /* the highest number of a part that the store has */
    unsigned listed_next;    /* the page of the list of parts that is asked for */

    struct leat_error failure;
    bool no_md5;                 /* the store's last answer to a part could be compared without one */
    unsigned connections_top;    /* requests of parts at once; under the lock */
    struct node_traffic traffic; /* what is reported */
};

/* Has it taken longer than is allowed in all? That is noted. */
bool sink_is_late(struct sink *s);

/* Notes the first failure. */
void sink_fail(struct sink *s, int code, const char *operation, const char *sentence);
/* The exchange is over and has not succeeded. */
void sink_fail_by(struct sink *s, const struct exchange *x, const char *operation);

/* ---- send.c ---- */

/* Of an exchange whose user is the sink: may the request be answered otherwise later, by what its answer says? */
bool sink_again(const struct exchange *x);

/* Begins a request of `x`. A failure is noted. */
void sink_start(struct sink *s, struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user);

/* Begins the request of a slot: as exchange_start. Any thread; the caller has the lock. */
int sink_send(struct part_slot *slot, int (*make)(void *user, struct http_request *ret));

/* Counts what an exchange did, and stops it. Of a body only the last sending counts as the first. */
void sink_end(struct sink *s, struct exchange *x);

/* Blocks until the exchange is over, after a failure. False: it took longer than that. */
bool sink_wait(struct sink *s, struct exchange *x, int64_t limit_ns);

/* ---- sink.c ---- */

/* Begins a part in a slot that is free: `filling`. False: none is free, or a failure was noted. */
bool sink_take_slot(struct sink *s);

/* No more bytes go into the part that is being filled. */
void sink_seal(struct sink *s);

/* ---- look.c ---- */

/* Does the answer to a part fit the bytes that were sent? By the checksum that it says, else by an ETag that is an MD5,
 * which is taken now if it was not on the way. A sentence if not. */
const char *sink_check_part(struct part *part, const struct answer *answer);
/* Can the answer be compared by an MD5 alone? */
bool sink_wants_md5(const struct part *part, const struct answer *answer);
/* What the store says of the checksum of the whole, for the report. False: it says another one than `crc`. */
bool sink_check_crc(struct sink *s, const struct answer *answer, uint64_t crc);

/* Asks whether the object exists. */
void look_start(struct sink *s);
/* The answer is there: a failure is noted if the object exists. */
void look_take(struct sink *s);
/* Asks for the size and ETag of the object, by `control`. And when that is over: are they right ("": any ETag)? 0;
 * -ENOENT; -EACCES: that can't be asked; -EIO: there was no answer; -EBADMSG. And if the store has not said that it
 * made the object: -ENODATA, if its ETag is no digest of what it has. */
void verify_ask(struct sink *s);
int verify_object(struct sink *s, const char *etag);

/* ---- commit.c ---- */

/* Makes the object, as far as that goes without waiting. -EAGAIN: again when the port is ready, or at the deadline. 0:
 * it is over; a failure is noted. */
int sink_commit_on(struct sink *s);
/* What is to be said of the object after a failure; NULL: it is not there, or the failure says it. */
const char *sink_doubt(struct sink *s);

/* ---- single.c ---- */

/* What was taken is all: it becomes the body of one request, which begins if there is any. */
void single_begin(struct sink *s);
/* -EAGAIN: not all but the last byte was sent. A failure is noted. */
int single_settle(struct sink *s);
/* Sends the last byte, by this exchange. */
void single_send(struct sink *s);
struct exchange *single_exchange(struct sink *s);
/* It is over. True: of several attempts the first one may have made the object, so it is looked at, with this result. A
 * failure is noted. */
bool single_check(struct sink *s);
void single_verified(struct sink *s, int r);

/* ---- resume.c; each is legal without a journal ---- */

/* Opens the journal; an upload that it names is asked for its parts. A failure is noted. */
void resume_start(struct sink *s);
/* The answer is there: another page may be asked for. */
void resume_take(struct sink *s);
/* Does the store have this part, with just these bytes? Then it is noted as sent. */
bool resume_has(struct sink *s, const struct part *part);
/* All parts have come: a failure is noted if the store has more of them, since some stores then refuse to complete. */
void resume_check(struct sink *s);
/* Did something fail to be written to the journal? It is noted. */
void resume_tell(struct sink *s);
/* The upload has its name, and the store a part, of which this is the exchange: on the transfer thread, since the
 * pipeline may be waiting for its source. A failure is in `journal_code`, which multipart_take tells. */
void resume_note_upload(struct sink *s);
void resume_note_part(struct exchange *x);
/* Is a run that failed with `code` to leave its upload? */
bool resume_keeps(const struct sink *s, int code);
/* The end: `remove` the file, too. */
void resume_end(struct sink *s, bool remove);

/* ---- multipart.c ---- */

uint64_t multipart_size(uint64_t first, unsigned number, uint64_t largest);

/* Looks at what has ended, and starts what can be started. */
void multipart_advance(struct sink *s);

/* From the transfer thread: the request of `control` is over. */
void multipart_woken(struct sink *s);

/* The store has a part. -ENOMEM. */
int multipart_note(struct sink *s, const struct part *part, const char *etag);

/* All parts that were begun are in the store. */
bool multipart_is_idle(const struct sink *s);

/* Makes the object of the parts, by `control`. A failure is noted. */
void multipart_complete(struct sink *s);
/* It is over. True: the object is looked at, with this result. A failure is noted. */
bool multipart_check(struct sink *s);
void multipart_verified(struct sink *s, int r);

/* Takes what has ended, as multipart_advance, and begins nothing. */
void multipart_take(struct sink *s);

/* Ends the requests of all parts; there will be no others. */
void multipart_stop(struct sink *s);

/* Ends the upload, if there is one: blocks for SINK_PATIENCE_NS at most. False: it may be left. */
bool multipart_abort(struct sink *s);

void multipart_free(struct sink *s);

#endif
