/* SPDX-License-Identifier: MIT */
#include "store/exchange.h"
#include "store/http_settings.h"
#include <errno.h>
#include <stdio.h>

static void exchange_answered(void *user, const struct answer *answer)
{
    struct exchange *x = user;
    x->answer = *answer;
    x->body_length = x->page_length = 0;
    x->reached = true;
    retry_after(&x->retry, answer->retry_after_s);
}

/* Keeps a piece of the page. If it does not fit or memory is short, the page ends before it. */
static void keep_page(struct exchange *x, const void *bytes, size_t n)
{
    size_t room = 16384;
    while (room < x->page_length + n)
        room *= 2;
    bool fits = x->page_length + n <= x->page_most;
    char *page = fits ? realloc(x->page, room) : NULL;
    if (!page) {
        x->page_most = x->page_length;
        return;
    }
    memcpy(page + x->page_length, bytes, n);
    x->page = page;
    x->page_length += n;
}

static enum transfer_wish exchange_body(void *user, const void *bytes, size_t n)
{
    struct exchange *x = user;
    if (x->page_most && x->answer.status / 100 == 2)
        keep_page(x, bytes, n);
    n = MIN(n, sizeof(x->body) - x->body_length);
    memcpy(x->body + x->body_length, bytes, n);
    x->body_length += n;
    return TRANSFER_MORE;
}

static void exchange_held(void *user)
{
    struct exchange *x = user;
    if (!atomic_exchange(&x->held, true))
        x->wake(x->user);
}

static int make(struct exchange *x, struct http_request *request)
{
    x->requests++;
    x->body_length = 0;
    int r = x->make(x->user, request);
    request->settings = http_settings_ref(x->settings);
    if (x->deadline_ns && (!request->deadline_ns || x->deadline_ns < request->deadline_ns))
        request->deadline_ns = x->deadline_ns;
    return r;
}

static int ask_again(struct exchange *x, int64_t delay_ms)
{
    struct http_request request = {0};
    int r = make(x, &request);
    if (r == 0)
        r = transfer_again(x->transfer, &request, delay_ms);
    request_clear(&request);
    return r;
}

static bool is_again(const struct exchange *x, int code)
{
    if (code < 0)
        return retry_is_code(code, x->reached);
    return retry_is_status(x->answer.status) || (x->again && x->again(x));
}

/* Proxies and gateways send 408 as well as 5xx, so neither proves that the server refused the request. */
static bool is_refusal(int status)
{
    return (status / 100 == 3 || status / 100 == 4) && status != 408;
}

static void exchange_ended(void *user, int code, const char *why)
{
    struct exchange *x = user;
    x->last_sent = transfer_sent(x->transfer);
    x->sent += x->last_sent;
    x->may_be_done |= transfer_has_sent_all(x->transfer) && (code < 0 || !is_refusal(x->answer.status));
    int64_t delay_ms = is_again(x, code) ? retry_delay_ms(&x->retry) : -1;
    bool late = x->deadline_ns && clock_ns() + MAX(delay_ms, 1) * 1000000 >= x->deadline_ns;
    if (late && (delay_ms >= 0 || code < 0)) {
        delay_ms = -1;
        code = -ETIMEDOUT;
        why = EXCHANGE_TOO_LONG;
    }
    retry_after(&x->retry, -1);
    int r = delay_ms >= 0 ? ask_again(x, delay_ms) : -EIO;
    if (r == 0)
        return;
    x->advice = transfer_advice(x->transfer);
    x->code = delay_ms >= 0 ? r : code;
    snprintf(x->why, sizeof(x->why), "%s", delay_ms >= 0 ? "the request can't be made" : why);
    if (x->ending)
        x->ending(x);
    atomic_store(&x->over, true);
    x->wake(x->user);
}

static void exchange_header(void *user, const char *line, size_t n)
{
    struct exchange *x = user;
    if (x->header)
        x->header(x->header_user, line, n);
}

static const struct transfer_ops ops = {
    .header = exchange_header,
    .answered = exchange_answered,
    .body = exchange_body,
    .held = exchange_held,
    .ended = exchange_ended,
};

int exchange_start(struct exchange *x, int32_t retries)
{
    struct http_request request = {0};
    retry_init(&x->retry, retries);
    atomic_store(&x->over, false);
    atomic_store(&x->held, false);
    x->code = 0;
    x->may_be_done = false;
    int r = make(x, &request);
    if (r == 0)
        r = transfer_start(&x->transfer, &request, &ops, x);
    request_clear(&request);
    return r;
}

bool exchange_has_succeeded(const struct exchange *x)
{
    return x->code == 0 && x->answer.status / 100 == 2;
}

bool exchange_has_removed(const struct exchange *x)
{
    return x->code == 0 && x->may_be_done && (x->answer.status == 404 || x->answer.status == 410);
}

void exchange_stop(struct exchange *x)
{
    transfer_free(x->transfer);
    x->transfer = NULL;
}

void exchange_count(struct exchange *x, struct node_traffic *traffic)
{
    exchange_stop(x);
    traffic->connections_top = MAX(traffic->connections_top, x->requests > 0);
    traffic->requests += x->requests;
    traffic->repeated += x->requests ? x->requests - 1 : 0;
    traffic->bytes += x->sent;
    traffic->bytes_again += x->sent - x->last_sent;
    x->requests = 0;
    x->sent = x->last_sent = 0;
}
