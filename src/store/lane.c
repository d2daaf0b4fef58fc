/* SPDX-License-Identifier: MIT */
#include "store/lane.h"
#include "store/fetch.h"
#include "store/status.h"
#include <errno.h>

#define STALL_NS INT64_C(30000000000) /* without a byte, after the server has answered once */

/* ---- requests ---- */

int64_t lane_stall_limit(const struct fetch_lane *l)
{
    int64_t idle_ns = l->fetch->idle_ns;
    return idle_ns ? MIN(idle_ns / 2, STALL_NS) : STALL_NS;
}

/* Requests the bytes of the lane's part that have not arrived. */
static int make_request(struct fetch_lane *l, struct http_request *ret)
{
    struct fetch *f = l->fetch;
    uint64_t behind = l->end < f->total ? l->end : UINT64_MAX;
    l->asked = l->at;
    l->body_end = behind;
    l->body_length = 0;
    l->skip = 0;
    l->is_failure = false;
    l->status = 0;
    ret->deadline_ns = f->deadline_ns;
    ret->stall_ns = f->state == FETCH_ASKED ? 0 : lane_stall_limit(l); /* the first answer may take longer */
    f->traffic->requests++;
    int r = f->object->store->read(f->object, ret);
    if (r == 0 && f->place && !(ret->place = strdup(f->place)))
        r = -ENOMEM;
    ret->settings = http_settings_ref(f->object->settings);
    return r < 0 ? r : request_range(ret, l->at, behind, f->etag);
}

static int ask_again(struct fetch_lane *l, int64_t delay_ms)
{
    struct http_request request = {0};
    int r = make_request(l, &request);
    if (r == 0)
        r = transfer_again(l->transfer, &request, delay_ms);
    request_clear(&request);
    return r;
}

/* ---- the body ---- */

static enum transfer_wish keep_explanation(struct fetch_lane *l, const void *bytes, size_t n)
{
    if (!l->body)
        l->body = malloc(LANE_BODY_MAX);
    n = l->body ? MIN(n, LANE_BODY_MAX - l->body_length) : 0; /* without memory only the status explains it */
    if (!n)
        return TRANSFER_MORE;
    memcpy(l->body + l->body_length, bytes, n);
    l->body_length += n;
    return TRANSFER_MORE;
}

static enum transfer_wish too_little_memory(struct fetch_lane *l)
{
    fetch_fail(l->fetch, l->at, -ENOMEM, "out of memory");
    return TRANSFER_ENOUGH;
}

/* If only one lane is left and its answer has bytes after its part, the lane takes the next part without another
 * request. */
static void go_on(struct fetch_lane *l)
{
    struct fetch *f = l->fetch;
    bool goes_on = f->active == 1 && f->pace.connections == 1 && l->end == f->next && l->body_end > l->end;
    if (l->at == l->end && goes_on && l->end < f->total)
        fetch_give_part(f, l);
}

/* Bytes to skip are counted only when the rest has found room; otherwise they would be skipped twice. */
static enum transfer_wish lane_body(void *user, const void *bytes, size_t n)
{
    struct fetch_lane *l = user;
    struct fetch *f = l->fetch;
    if (l->at >= f->fail_at)
        return TRANSFER_ENOUGH;
    if (l->is_failure)
        return keep_explanation(l, bytes, n);
    go_on(l);
    size_t over = (size_t)MIN(l->skip, n), more = (size_t)MIN(n - over, l->end - l->at);
    int r = more ? window_put(&f->window, l->at, (const uint8_t *)bytes + over, more, &l->waiter) : 0;
    if (r == -EAGAIN)
        return TRANSFER_PAUSE;
    if (r < 0)
        return too_little_memory(l);
    l->skip -= over;
    l->at += more;
    f->traffic->bytes += n;
    f->traffic->bytes_again += n - more;
    if (more) {
        retry_progress(&l->retry);
        fetch_progress(f, more);
    }
    return over + more < n ? TRANSFER_ENOUGH : TRANSFER_MORE;
}

static void lane_drained(void *user)
{
    struct fetch_lane *l = user;
    window_flush(&l->fetch->window);
}

/* ---- the end of an answer ---- */

static const char *explanation(const struct fetch_lane *l)
{
    return l->body ? l->body : "";
}

static void fail_by_status(struct fetch_lane *l)
{
    char sentence[STATUS_MAX];
    status_explain(l->fetch->object, l->status, explanation(l), l->body_length, sentence);
    fetch_fail(l->fetch, l->at, status_code(l->status), sentence);
}

static bool may_continue(const struct fetch_lane *l)
{
    return l->fetch->received == 0 || l->fetch->etag[0];
}

/* Does the part end here, as far as the answer shows? */
static bool is_complete(struct fetch_lane *l, int code)
{
    if (code == 0 && !l->is_failure && l->end == UINT64_MAX)
        fetch_ends(l->fetch, l->at);
    return l->at == l->end || l->at == l->fetch->total;
}

static void leave(struct fetch_lane *l)
{
    l->active = false;
    l->fetch->active--;
}

static void next_part(struct fetch_lane *l)
{
    struct fetch *f = l->fetch;
    int r = fetch_give_part(f, l) ? ask_again(l, 0) : 1;
    if (r < 0)
        fetch_fail(f, l->at, r, "out of memory");
    if (r)
        leave(l);
}

/* Uses fewer connections if the server says that there are too many requests. */
static void slow_down(struct fetch_lane *l)
{
    struct pace *pace = &l->fetch->pace;
    if ((l->status == 429 || l->status == 503) && pace->connections > 1)
        pace_settle(pace, pace->connections / 2, "the server asked for fewer requests");
}

static bool is_passing(const struct fetch_lane *l)
{
    const struct object *object = l->fetch->object;
    return object->store->is_passing &&
           object->store->is_passing(object, l->status, l->date_s, explanation(l), l->body_length);
}

/* Repeats the request after a delay. -1: no more attempts. */
static int64_t delay_of_retry(struct fetch_lane *l, int code)
{
    int64_t deadline_ns = l->fetch->deadline_ns;
    bool again = l->is_failure ? retry_is_status(l->status) || is_passing(l) : retry_is_code(code, l->was_answered);
    int64_t delay_ms = again && may_continue(l) ? retry_delay_ms(&l->retry) : -1;
    retry_after(&l->retry, -1);
    return deadline_ns && delay_ms >= 0 && clock_ns() + delay_ms * 1000000 >= deadline_ns ? -1 : delay_ms;
}

static void fail_lane(struct fetch_lane *l, int code, const char *why)
{
    struct fetch *f = l->fetch;
    if (f->deadline_ns && clock_ns() >= f->deadline_ns - 1000000)
        fetch_fail(f, l->at, -ETIMEDOUT, "it took longer than is allowed in all");
    else if (l->is_failure)
        fail_by_status(l);
    else
        fetch_fail_advised(f, l->at, code, why, transfer_advice(l->transfer));
    leave(l);
}

static void lane_ended(void *user, int code, const char *why)
{
    struct fetch_lane *l = user;
    struct fetch *f = l->fetch;
    window_flush(&f->window);
    if (l->at >= f->fail_at) {
        leave(l);
        return;
    }
    if (code == 0 && !l->is_failure && f->total == UINT64_MAX && l->skip && f->received == 0) {
        lane_fail_offset(l, f->first - l->skip);
        leave(l);
        return;
    }
    if (is_complete(l, code)) {
        next_part(l);
        return;
    }
    if (code == 0 && !l->is_failure && l->at == l->body_end &&
        l->at > l->asked) { /* a slice of the range: the lane requests the rest */
        int r = ask_again(l, 0);
        if (r < 0)
            fail_lane(l, r, "out of memory");
        return;
    }
    if (code == 0 && !l->is_failure) {
        code = -ECONNRESET;
        why = "the server sent less than the object has";
    }
    slow_down(l);
    int64_t delay_ms = delay_of_retry(l, code);
    if (l->at == l->asked) { /* a URL that sends no bytes is not asked again */
        free(f->place);
        f->place = NULL;
    }
    f->traffic->repeated += delay_ms >= 0;
    int r = delay_ms >= 0 ? ask_again(l, delay_ms) : 0;
    if (delay_ms < 0)
        fail_lane(l, code, why);
    else if (r < 0)
        fail_lane(l, r, "out of memory");
}

static const struct transfer_ops transfer_ops = {
    .answered = lane_answered,
    .body = lane_body,
    .drained = lane_drained,
    .ended = lane_ended,
};

int lane_begin(struct fetch_lane *l, struct fetch *f)
{
    struct http_request request = {0};
    l->fetch = f;
    l->was_answered = f->state != FETCH_ASKED;
    retry_init(&l->retry, f->retries);
    int r = make_request(l, &request);
    if (r == 0)
        r = transfer_start(&l->transfer, &request, &transfer_ops, l);
    request_clear(&request);
    return r;
}
