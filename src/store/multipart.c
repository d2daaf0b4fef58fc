/* SPDX-License-Identifier: MIT */
/* An upload of many parts. The first full part creates the upload. From then on each full part is sent by a request of
 * its own, while others are filled. Nothing is visible in the store before the upload is completed. */
#include "store/sink.h"
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

#define DOUBLING 1000u /* parts */
#define SUM      "x-amz-checksum-sha256"

/* The first 1000 parts have this size, the next 1000 twice that, and so on. So 10,000 parts of at least 5 MiB are 5 TB,
 * and the memory that the parts need grows with the object. */
uint64_t multipart_size(uint64_t first, unsigned number, uint64_t largest)
{
    unsigned doubled = (number - 1) / DOUBLING;
    return doubled < 20 && first << doubled >> doubled == first ? MIN(first << doubled, largest) : largest;
}

static const struct multipart *kind_of(const struct sink *s)
{
    return s->object->store->multipart;
}

/* ---- requests; on the transfer thread ---- */

static int make_create(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return kind_of(s)->create(s->object, ret);
}

static int make_part(void *user, struct http_request *ret)
{
    const struct part_slot *slot = user;
    return kind_of(slot->sink)->put(slot->sink->object, slot->sink->upload, &slot->part, ret);
}

static int make_complete(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return kind_of(s)->complete(s->object, s->upload, s->sent, s->numbers, s->no_clobber, ret);
}

static int make_abort(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return kind_of(s)->abort(s->object, s->upload, ret);
}

/* ---- parts ---- */

/* Sends the full parts. The caller holds the lock. False: a request cannot be made, and the part still waits. */
static bool send_full(struct sink *s)
{
    for (size_t i = 0; i < SINK_SLOTS; i++) {
        struct part_slot *slot = &s->slot[i];
        if (slot->state != SLOT_FULL || !s->upload[0] || s->stopped)
            continue;
        slot->state = SLOT_SENDING;
        if (sink_send(slot, make_part) < 0) {
            slot->state = SLOT_FULL;
            return false;
        }
    }
    return true;
}

/* Under the lock. */
static bool read_upload(struct sink *s)
{
    if (s->upload[0])
        return true;
    if (kind_of(s)->created(s->control.body, s->control.body_length, s->upload) < 0)
        return false;
    resume_note_upload(s);
    return true;
}

void multipart_woken(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->control_step == CONTROL_CREATING && exchange_has_succeeded(&s->control) && read_upload(s))
        send_full(s); /* a failure is reported when the pipeline's thread looks next */
    pthread_mutex_unlock(&s->lock);
}

static void take_upload(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    bool succeeded = exchange_has_succeeded(&s->control), named = succeeded && read_upload(s);
    s->control_step = CONTROL_NONE;
    pthread_mutex_unlock(&s->lock);
    /* An answer that was lost, or did not come, may have named an upload, too. */
    s->unsure = s->control.requests > 1 || (!named && (succeeded || s->control.may_be_done));
    if (!succeeded)
        sink_fail_by(s, &s->control, "CreateMultipartUpload");
    else if (!named)
        sink_fail(s, -EPROTO, "CreateMultipartUpload", "the server's answer names no upload");
    sink_end(s, &s->control);
}

static void create_upload(struct sink *s)
{
    const char *why;
    int r = kind_of(s)->need(&why);
    if (r < 0) {
        sink_fail(s, r, "CreateMultipartUpload", why);
        return;
    }
    s->control_step = CONTROL_CREATING;
    sink_start(s, &s->control, make_create, s);
}

int multipart_note(struct sink *s, const struct part *part, const char *etag, bool has_sum)
{
    if (part->number > s->sent_room) {
        size_t room = MAX(part->number + SINK_SLOTS, 2 * s->sent_room);
        struct sent_part *sent = realloc(s->sent, room * sizeof(sent[0]));
        if (!sent)
            return -ENOMEM;
        memset(sent + s->sent_room, 0, (room - s->sent_room) * sizeof(sent[0]));
        s->sent = sent;
        s->sent_room = room;
    }
    struct sent_part *sent = &s->sent[part->number - 1];
    sent->etag = strdup(etag);
    strcpy(sent->sha256_base64, has_sum ? part->sha256_base64 : "");
    sent->length = part->length;
    sent->crc = part->crc;
    return sent->etag ? 0 : -ENOMEM;
}

static void take_part(struct sink *s, struct part_slot *slot)
{
    const struct exchange *x = &slot->exchange;
    const char *wrong = exchange_has_succeeded(x) ? sink_check_part(&slot->part, &x->answer) : NULL;
    s->no_md5 = exchange_has_succeeded(x) && !sink_wants_md5(&slot->part, &x->answer);
    if (!exchange_has_succeeded(x))
        sink_fail_by(s, x, "UploadPart");
    else if (wrong || !x->answer.etag[0])
        sink_fail(s, -EBADMSG, "UploadPart", wrong ? wrong : "the server gives a part no ETag");
    else if (multipart_note(s, &slot->part, x->answer.etag, digests_find(&x->answer.digests, SUM) != NULL) < 0)
        sink_fail(s, -ENOMEM, "UploadPart", "out of memory");
    resume_tell(s);
    sink_end(s, &slot->exchange);
    part_forget(&slot->part);
    slot->state = SLOT_FREE;
    s->endpoint.node.deadline_ns = 0; /* something came */
}

void multipart_take(struct sink *s)
{
    if (s->control_step == CONTROL_CREATING && exchange_is_over(&s->control))
        take_upload(s);
    for (size_t i = 0; i < SINK_SLOTS && !s->single; i++) {
        struct part_slot *slot = &s->slot[i];
        if (atomic_load(&slot->state) == SLOT_SENDING && exchange_is_over(&slot->exchange))
            take_part(s, slot);
    }
}

static bool any_is_full(const struct sink *s)
{
    bool any = false;
    for (size_t i = 0; i < SINK_SLOTS; i++)
        any |= atomic_load(&s->slot[i].state) == SLOT_FULL;
    return any;
}

void multipart_advance(struct sink *s)
{
    multipart_take(s);
    if (s->single || s->failure.code || !any_is_full(s))
        return;
    pthread_mutex_lock(&s->lock);
    bool sent = send_full(s), none = !s->upload[0] && s->control_step == CONTROL_NONE;
    pthread_mutex_unlock(&s->lock);
    if (!sent)
        sink_fail(s, -ENOMEM, "UploadPart", "the request can't be made");
    if (none)
        create_upload(s);
}

bool multipart_is_idle(const struct sink *s)
{
    for (size_t i = 0; i < SINK_SLOTS; i++)
        if (atomic_load(&s->slot[i].state) != SLOT_FREE)
            return false;
    return s->control_step == CONTROL_NONE;
}

/* ---- the end ---- */

/* S3 may send status 200 before it has made the object, and then put an error into the body. */
static bool complete_again(const struct exchange *x)
{
    const struct sink *s = x->user;
    char etag[ETAG_MAX];
    bool made = x->answer.status == 200 && kind_of(s)->completed(x->body, x->body_length, etag) == 0;
    return !made && sink_again(x);
}

uint64_t sent_crc(const struct crc_kind *kind, const struct sent_part *sent, size_t n)
{
    uint64_t crc = 0;
    for (size_t i = 0; i < n; i++)
        crc = crc_join(kind, crc, sent[i].crc, sent[i].length);
    return crc;
}

/* Computes the ETag that the store must give the object: "" if its ETags are not digests. */
static void write_expected_etag(struct sink *s)
{
    char *ret = s->expected_etag;
    char(*hex)[33] = calloc(s->numbers + 1, sizeof(hex[0]));
    const char **list = calloc(s->numbers + 1, sizeof(list[0]));
    ret[0] = '\0';
    for (size_t i = 0; hex && list && i < s->numbers; i++) {
        const char *etag = s->sent[i].etag;
        bool quoted = strlen(etag) == 34 && etag[0] == '"' && etag[33] == '"';
        snprintf(hex[i], sizeof(hex[i]), "%.32s", quoted ? etag + 1 : etag);
        list[i] = hex[i];
    }
    if (hex && list && part_md5_of(list, s->numbers, ret, ETAG_MAX) < 0)
        ret[0] = '\0';
    free(list);
    free(hex);
}

bool multipart_check(struct sink *s)
{
    const struct exchange *x = &s->control;
    char etag[ETAG_MAX] = "", sentence[STATUS_MAX];
    bool answered = x->code == 0 && (x->answer.status == 200 || x->answer.status == 404);
    /* 404: an earlier request may have made the object, and its answer was lost. */
    s->is_made = answered && x->answer.status == 200 && kind_of(s)->completed(x->body, x->body_length, etag) == 0;
    if (s->is_made)
        s->upload[0] = '\0';
    bool verify = s->is_made || (answered && x->answer.status == 404 && x->may_be_done && s->expected_etag[0]);
    if (!answered)
        sink_fail_by(s, x, "CompleteMultipartUpload");
    else if (!verify) {
        status_explain(s->object, x->answer.status, x->body, x->body_length, sentence);
        sink_fail(s, x->answer.status == 200 ? -EIO : -ENOENT, "CompleteMultipartUpload", sentence);
    }
    sink_end(s, &s->control);
    s->control.again = NULL;
    s->control_step = CONTROL_NONE;
    return verify;
}

void multipart_verified(struct sink *s, int r)
{
    const char *why =
        r == -EBADMSG  ? "the object in the store has another size, ETag or checksum than what was sent"
        : r == -ENOENT ? "the object is not in the store"
        : s->is_made   ? "the object was made, but could not be looked at"
        : r == -ENODATA
            ? "its answer was lost, and the store does not say enough of the object to know if it is this one"
            : "its answer was lost, and the object could not be looked at";
    if (r == -ENOENT)
        s->is_made = s->may_be_made = false;
    if (r == 0 ||
        (r == -EACCES && s->is_made)) /* the store has confirmed the object, and may not permit to look at it */
        s->upload[0] = '\0';
    else
        sink_fail(s, r == -EBADMSG ? -EBADMSG : -EIO, "CompleteMultipartUpload", why);
}

void multipart_complete(struct sink *s)
{
    for (size_t i = 0; i < s->numbers; i++)
        if (i >= s->sent_room || !s->sent[i].etag) {
            sink_fail(s, -EIO, "CompleteMultipartUpload", "a part is missing");
            return;
        }
    write_expected_etag(s);
    if (s->object->crc_kind)
        s->expected_crc = sent_crc(s->object->crc_kind, s->sent, s->numbers);
    s->control_step = CONTROL_COMPLETING;
    s->control.again = complete_again;
    sink_start(s, &s->control, make_complete, s);
    s->commit_sent = !s->failure.code;
}

void multipart_stop(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopped = true;
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < SINK_SLOTS; i++)
        sink_end(s, &s->slot[i].exchange);
}

bool multipart_abort(struct sink *s)
{
    const int64_t until = clock_ns() + SINK_PATIENCE_NS; /* for both answers */
    if (s->control_step == CONTROL_CREATING) {           /* its answer names an upload that would otherwise be left */
        bool over = sink_wait(s, &s->control, until - clock_ns());
        if (over)
            take_upload(s);
        else {
            s->unsure = true;
            sink_end(s, &s->control);
            return false;
        }
    }
    sink_end(s, &s->control);
    if (!s->upload[0])
        return !s->unsure;
    struct leat_error failure =
        s->failure; /* the sink reports the failure that led to the abort, not one of the abort */
    s->control_step = CONTROL_ABORTING;
    s->failure.code = 0;
    s->deadline_ns = 0; /* the abort has its own time limit */
    sink_start(s, &s->control, make_abort, s);
    bool gone = !s->failure.code && sink_wait(s, &s->control, MAX(until - clock_ns(), 0)) &&
                (exchange_has_succeeded(&s->control) || (s->control.code == 0 && s->control.answer.status == 404));
    sink_end(s, &s->control);
    s->control_step = CONTROL_NONE;
    s->failure = failure;
    return gone && !s->unsure;
}

void multipart_free(struct sink *s)
{
    for (size_t i = 0; i < s->sent_room; i++)
        free(s->sent[i].etag);
    free(s->sent);
    s->sent = NULL;
    s->sent_room = 0;
}
