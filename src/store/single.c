/* SPDX-License-Identifier: MIT */
/* An object that is put by one request. Everything but the last byte is sent while the run settles, and the last byte
 * when the run commits. */
#include "store/sink.h"
#include <errno.h>
#include <stdio.h>

static int make_put(void *user, struct http_request *ret)
{
    const struct part_slot *slot = user;
    const struct sink *s = slot->sink;
    int r = s->object->store->put(s->object, &slot->part, s->no_clobber, ret);
    ret->body.is_held = slot->part.length > 0;
    return r;
}

void single_begin(struct sink *s)
{
    if (!s->filling && !sink_take_slot(s))
        return;
    struct part_slot *slot = s->filling;
    s->single = true;
    sink_seal(s);
    slot->state = SLOT_SENDING;
    if (slot->part.length && !s->failure.code) /* an empty body has no byte to withhold */
        sink_start(s, &slot->exchange, make_put, slot);
}

static struct part_slot *single_slot(struct sink *s)
{
    for (size_t i = 0; i < SINK_SLOTS; i++)
        if (s->slot[i].state == SLOT_SENDING)
            return &s->slot[i];
    return &s->slot[0]; /* the part could not be started, and a failure was recorded */
}

void single_send(struct sink *s)
{
    struct part_slot *slot = single_slot(s);
    if (slot->part.length)
        transfer_release(slot->exchange.transfer);
    else
        sink_start(s, &slot->exchange, make_put, slot);
    s->commit_sent = !s->failure.code;
}

struct exchange *single_exchange(struct sink *s)
{
    return &single_slot(s)->exchange;
}

bool single_check(struct sink *s)
{
    struct part_slot *slot = single_slot(s);
    const struct exchange *x = &slot->exchange;
    bool may_be_ours = x->code == 0 && x->answer.status == 412 && x->may_be_done && s->object->store->multipart;
    if (may_be_ours && part_md5(&slot->part) == 1) {
        snprintf(s->expected_etag, sizeof(s->expected_etag), "%s", slot->part.md5);
        s->expected_crc = slot->part.crc;
        return true;
    }
    if (!exchange_has_succeeded(x)) {
        sink_fail_by(s, x, "PUT");
        return false;
    }
    s->is_made = true;
    /* In other stores an ETag may be anything. */
    const char *wrong = s->object->store->multipart ? sink_check_part(&slot->part, &x->answer) : NULL;
    if (wrong)
        sink_fail(s, -EBADMSG, "PUT", wrong);
    sink_check_crc(s, &x->answer, slot->part.crc);
    return false;
}

void single_verified(struct sink *s, int r)
{
    if (r == -ENODATA) {
        error_advise(&s->failure, LEAT_ADVICE_REPLACE);
        sink_fail(s, -EEXIST, "PUT", "An object exists, and the store does not say enough to know if it is this one");
    } else if (r < 0)
        sink_fail_by(s, single_exchange(s), "PUT");
    if (r == -EBADMSG || r == -ENOENT) /* the object is that of another writer */
        s->may_be_made = false;
}

/* Returns -EAGAIN while a request is in flight. */
int single_settle(struct sink *s)
{
    struct part_slot *slot = single_slot(s);
    if (s->failure.code || !slot || slot->part.length == 0 || exchange_is_held(&slot->exchange)) {
        if (slot && exchange_is_over(&slot->exchange))
            sink_fail_by(s, &slot->exchange, "PUT");
        return 0;
    }
    if (!exchange_is_over(&slot->exchange))
        return client_wait_later(&s->endpoint.node, &s->failure, "PUT");
    if (exchange_has_succeeded(&slot->exchange))
        sink_fail(s, -EPROTO, "PUT", "the server answers before it has everything");
    else
        sink_fail_by(s, &slot->exchange, "PUT");
    return 0;
}
