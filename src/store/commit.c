/* SPDX-License-Identifier: MIT */
/* The commit of a sink that is an object. It is made in steps, because each step may take minutes and a cancel must end
 * the wait. The steps ask once more whether the object exists, make the object, and verify it if the answer does not
 * prove that it is right. */
#include "store/sink.h"
#include <errno.h>

#define COMMIT_NS (INT64_C(600) * 1000000000) /* without --idle-timeout: stores take minutes for large uploads */

/* Records a failure if the time limit of the commit, all its steps together, has passed. */
static bool is_late(struct sink *s)
{
    if (clock_ns() < s->endpoint.node.deadline_ns)
        return false;
    error_advise(&s->failure, LEAT_ADVICE_IDLE_TIMEOUT);
    sink_fail(s, -ETIMEDOUT, "PUT", "no answer in the time that is allowed");
    return true;
}

/* Returns -EAGAIN until the exchange is over; 0 if it is over or a failure was recorded. */
static int await(struct sink *s, struct exchange *x)
{
    if (exchange_is_over(x) || is_late(s))
        return 0;
    s->endpoint.node.port.blocked = true;
    return -EAGAIN;
}

static int begin(struct sink *s)
{
    struct node *node = &s->endpoint.node;
    node->deadline_ns = clock_ns() + (node->idle_ns ? node->idle_ns : COMMIT_NS);
    s->commit_step = s->no_clobber ? COMMIT_LOOKING : COMMIT_SENDING;
    if (s->no_clobber)
        look_start(s);
    return 0;
}

/* Some stores silently ignore the condition of a request, so the sink asks once more just before it makes the
 * object. */
static int look(struct sink *s)
{
    int r = await(s, &s->control);
    if (r == 0 && !s->failure.code)
        look_take(s);
    s->commit_step = r == 0 ? COMMIT_SENDING : s->commit_step;
    return r;
}

static int send_object(struct sink *s)
{
    if (is_late(s))
        return 0;
    s->commit_step = COMMIT_MAKING;
    if (s->single)
        single_send(s);
    else
        multipart_complete(s);
    return 0;
}

static int make(struct sink *s)
{
    struct exchange *x = s->single ? single_exchange(s) : &s->control;
    int r = await(s, x);
    if (r < 0 || s->failure.code)
        return r;
    s->may_be_made = x->may_be_done;
    bool verify = s->single ? single_check(s) : multipart_check(s);
    s->commit_step = verify ? COMMIT_VERIFYING : COMMIT_OVER;
    if (verify)
        verify_ask(s);
    return 0;
}

static int verify(struct sink *s)
{
    int r = await(s, &s->control);
    if (r < 0 || s->failure.code)
        return r;
    s->commit_step = COMMIT_OVER;
    r = verify_object(s, s->expected_etag);
    if (s->single)
        single_verified(s, r);
    else
        multipart_verified(s, r);
    return 0;
}

static bool may_be_made(struct sink *s)
{
    struct exchange *x = s->single ? single_exchange(s) : &s->control;
    if (s->commit_step != COMMIT_MAKING)
        return s->may_be_made;
    return s->commit_sent && (!exchange_is_over(x) || x->may_be_done);
}

const char *sink_doubt(struct sink *s)
{
    if (s->failure.code == -EBADMSG)
        return NULL;
    return s->is_made ? "the store has the object" : may_be_made(s) ? "the store may have the object" : NULL;
}

int sink_commit_on(struct sink *s)
{
    static int (*const step[])(struct sink * s) = {[COMMIT_FIRST] = begin,
                                                   [COMMIT_LOOKING] = look,
                                                   [COMMIT_SENDING] = send_object,
                                                   [COMMIT_MAKING] = make,
                                                   [COMMIT_VERIFYING] = verify};
    client_drop_notices(&s->client);
    if (s->commit_step == COMMIT_FIRST)
        sink_is_late(s);
    while (s->commit_step != COMMIT_OVER && !s->failure.code)
        if (step[s->commit_step](s) == -EAGAIN)
            return -EAGAIN;
    s->endpoint.node.deadline_ns = 0;
    return 0;
}
