/* SPDX-License-Identifier: MIT */
/* The requests of a sink that is an object: how they are started, when they are repeated, and what is counted. */
#include "store/sink.h"

static void wake(void *user)
{
    struct sink *s = user;
    if (exchange_is_over(&s->control))
        multipart_woken(s);
    client_notify(&s->client);
}

static void wake_slot(void *user)
{
    client_notify(&((struct part_slot *)user)->sink->client);
}

static bool is_passing(const struct object *object, const struct exchange *x)
{
    return object->store->is_passing &&
           object->store->is_passing(object, x->answer.status, x->answer.date_s, x->body, x->body_length);
}

bool sink_again(const struct exchange *x)
{
    const struct sink *s = x->user;
    return is_passing(s->object, x);
}

static bool slot_again(const struct exchange *x)
{
    const struct part_slot *slot = x->user;
    return x->answer.status / 100 != 2 && is_passing(slot->sink->object, x);
}

static bool control_again(const struct exchange *x)
{
    return x->answer.status / 100 != 2 && sink_again(x);
}

void sink_start(struct sink *s, struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user)
{
    x->make = make;
    x->user = user;
    x->settings = s->object->settings;
    x->deadline_ns = s->deadline_ns;
    x->wake = user == s ? wake : wake_slot;
    if (!x->again)
        x->again = user == s ? control_again : slot_again;
    x->reached |= s->reached;
    int r = exchange_start(x, s->retries);
    if (r < 0)
        sink_fail(s, r, "PUT", r == -ELIBACC ? "libcrypto can't be loaded" : "the request can't be made");
}

/* The caller holds the lock. */
static void note_connections(struct sink *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < SINK_SLOTS; i++)
        n += s->slot[i].state == SLOT_SENDING;
    s->connections_top = MAX(s->connections_top, n);
}

int sink_send(struct part_slot *slot, int (*make)(void *user, struct http_request *ret))
{
    struct exchange *x = &slot->exchange;
    x->make = make;
    x->user = slot;
    x->settings = slot->sink->object->settings;
    x->deadline_ns = slot->sink->deadline_ns;
    x->wake = wake_slot;
    x->again = slot_again;
    x->ending = slot->sink->resume ? resume_note_part : NULL;
    x->reached = true; /* an answer came before each request of a slot */
    note_connections(slot->sink);
    return exchange_start(x, slot->sink->retries);
}

void sink_end(struct sink *s, struct exchange *x)
{
    exchange_count(x, &s->traffic);
    s->reached |= x->reached;
}

bool sink_wait(struct sink *s, struct exchange *x, int64_t limit_ns)
{
    int64_t end = clock_ns() + limit_ns;
    do {
        client_drop_notices(&s->client);
        if (exchange_is_over(x))
            return true;
    } while (client_wait(&s->client, end));
    return false;
}
