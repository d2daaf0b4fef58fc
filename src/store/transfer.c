/* SPDX-License-Identifier: MIT */
/* The transfer thread owns the multi handle, all easy handles and the list `first`. Other threads store orders in a
 * transfer, under the lock, and wake the thread: begin, resume, stop. The thread does not hold the lock while it
 * carries out an order, so a callback may take other locks. When a transfer was stopped or is over, the thread signals
 * `given_back`, and does not use the transfer any more. */
#include "store/transfer.h"
#include "base/origin.h"
#include "base/thread.h"
#include "base/trace.h"
#include "store/attempt.h"
#include <errno.h>
#include <limits.h>

#define IDLE_CONNECTIONS 32L /* libcurl keeps four for each request in flight: few, when most requests are over */
#define LONGEST_REST_NS  (INT64_C(3600) * 1000000000) /* every other event wakes the thread */

struct transfer {
    unsigned origin;       /* the process that started it: in a forked child no thread serves it */
    struct transfer *next; /* next in the list; or, under the lock, in `added` */

    struct attempt attempt; /* of the thread */
    int64_t due_ns;         /* when it begins; 0: not scheduled */

    /* Under the lock. */
    bool resume, stop, given_back;
};

static struct {
    pthread_mutex_t users_lock; /* protects users, thread and multi; taken before `lock` */
    unsigned users;
    unsigned origin; /* the process that has the thread: a forked child has none */
    pthread_t thread;
    CURLM *multi;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* signalled when a transfer was given back */
    struct transfer *added;
    bool quits;

    struct transfer *first; /* of the thread */
} transfers = {
    .users_lock = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void peer_ended(const void *connection)
{
    for (struct transfer *t = transfers.first; t; t = t->next)
        t->attempt.ended |= t->attempt.connection == connection;
}

/* ---- the thread ---- */

static void take_added(void)
{
    pthread_mutex_lock(&transfers.lock);
    while (transfers.added) {
        struct transfer *t = transfers.added;
        transfers.added = t->next;
        t->next = transfers.first;
        transfers.first = t;
    }
    pthread_mutex_unlock(&transfers.lock);
}

static void give_back(struct transfer *t)
{
    attempt_leave(&t->attempt);
    pthread_mutex_lock(&transfers.lock);
    t->given_back = true;
    pthread_cond_broadcast(&transfers.changed);
    pthread_mutex_unlock(&transfers.lock);
}

/* Returns the time when the transfer has been silent for too long; INT64_MAX: never. libcurl's own speed limit measures
 * over 5 seconds. */
static int64_t stall_ns(const struct transfer *t)
{
    return t->attempt.active && !t->attempt.paused && t->attempt.request.stall_ns
               ? t->attempt.heard_ns + t->attempt.request.stall_ns
               : INT64_MAX;
}

static void stop_silent(struct transfer *t, int64_t now)
{
    if (stall_ns(t) > now)
        return;
    snprintf(t->attempt.error, sizeof(t->attempt.error), "the server has stopped sending");
    attempt_end(&t->attempt, CURLE_OPERATION_TIMEDOUT);
}

static void begin(struct transfer *t)
{
    t->due_ns = 0;
    t->attempt.multi = transfers.multi;
    t->attempt.peer_ended = peer_ended;
    attempt_begin(&t->attempt);
}

/* Carries out the orders of all transfers, and starts those that are due. */
static void obey(void)
{
    int64_t now = clock_ns();
    take_added();
    for (struct transfer **link = &transfers.first; *link;) {
        struct transfer *t = *link;
        pthread_mutex_lock(&transfers.lock);
        bool stop = t->stop, resume = t->resume;
        t->resume = false;
        pthread_mutex_unlock(&transfers.lock);
        if (stop) {
            *link = t->next;
            give_back(t);
            continue;
        }
        CURLcode resumed = resume && t->attempt.active ? curl.easy_pause(t->attempt.easy, CURLPAUSE_CONT) : CURLE_OK;
        if (resumed != CURLE_OK) /* the bytes that libcurl held in the pause are lost */
            attempt_end(&t->attempt, resumed);
        stop_silent(t, now);
        if (t->due_ns && t->due_ns <= now)
            begin(t);
        link = &t->next;
    }
}

/* Returns the time until the next transfer is due, in milliseconds, rounded up. */
static int rest_ms(void)
{
    int64_t now = clock_ns(), due = now + LONGEST_REST_NS;
    for (const struct transfer *t = transfers.first; t; t = t->next)
        due = MIN(due, MIN(t->due_ns ? t->due_ns : INT64_MAX, stall_ns(t)));
    return (int)(MAX(due - now + 999999, 0) / 1000000);
}

static void report_ends(void)
{
    int left;
    for (CURLMsg *message; (message = curl.multi_info_read(transfers.multi, &left));) {
        char *user = NULL;
        CURLcode result = message->data.result; /* `message` is invalid after the handle is removed */
        curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
        if (user)
            attempt_end((struct attempt *)(void *)user, result);
    }
}

static void tell_drained(void)
{
    for (struct transfer *t = transfers.first; t; t = t->next) {
        if (t->attempt.touched && t->attempt.ops->drained)
            t->attempt.ops->drained(t->attempt.user);
        t->attempt.touched = false;
    }
}

/* Gives back the transfers that are over. Freeing one then does not wait. */
static void give_back_ended(void)
{
    for (struct transfer **link = &transfers.first; *link;) {
        struct transfer *t = *link;
        if (t->attempt.active || t->due_ns)
            link = &t->next;
        else {
            *link = t->next;
            give_back(t);
        }
    }
}

static bool quits(void)
{
    pthread_mutex_lock(&transfers.lock);
    bool quits = transfers.quits;
    pthread_mutex_unlock(&transfers.lock);
    return quits;
}

static void *run(void *unused UNUSED)
{
    while (!quits()) {
        int running;
        obey();
        curl.multi_perform(transfers.multi, &running);
        report_ends();
        tell_drained();
        give_back_ended();
        if (curl.multi_poll(transfers.multi, NULL, 0, rest_ms(), NULL) != CURLM_OK)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* memory is short, so poll cannot wait */
    }
    return NULL;
}

/* ---- the other threads ---- */

static int start_thread(const char **ret_why)
{
    int r = curl_need(ret_why);
    if (r < 0)
        return r;
    *ret_why = "out of memory";
    transfers.multi = curl.multi_init();
    if (!transfers.multi)
        return -ENOMEM;
    curl.multi_setopt(transfers.multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
    transfers.quits = false;
    transfers.first = transfers.added = NULL;
    transfers.origin = origin_here();
    *ret_why = "there can be no more threads";
    r = thread_create(&transfers.thread, run, NULL);
    if (r < 0)
        curl.multi_cleanup(transfers.multi);
    return r;
}

static bool has_thread(void)
{
    return origin_is_here(transfers.origin);
}

int transfers_get(const char **ret_why)
{
    pthread_mutex_lock(&transfers.users_lock);
    if (transfers.users && !has_thread()) { /* a forked child starts again from zero: the locks may be held for ever */
        transfers.users = 0;
        pthread_mutex_init(&transfers.lock, NULL);
        pthread_cond_init(&transfers.changed, NULL);
    }
    int r = transfers.users ? 0 : start_thread(ret_why);
    if (r == 0)
        transfers.users++;
    pthread_mutex_unlock(&transfers.users_lock);
    return r;
}

static void wake(void)
{
    curl.multi_wakeup(transfers.multi);
}

void transfers_put(void)
{
    pthread_mutex_lock(&transfers.users_lock);
    if (--transfers.users == 0 && has_thread()) {
        pthread_mutex_lock(&transfers.lock);
        transfers.quits = true;
        pthread_mutex_unlock(&transfers.lock);
        wake();
        pthread_join(transfers.thread, NULL);
        curl.multi_cleanup(transfers.multi);
    }
    pthread_mutex_unlock(&transfers.users_lock);
}

int transfer_start(struct transfer **ret, const struct http_request *request, const struct transfer_ops *ops,
                   void *user)
{
    struct transfer *t = calloc(1, sizeof(*t));
    int r = t ? request_copy(&t->attempt.request, request) : -ENOMEM;
    if (r < 0) {
        free(t);
        return r;
    }
    t->attempt.ops = ops;
    t->attempt.user = user;
    t->origin = origin_here();
    t->due_ns = 1; /* at once */
    *ret = t;
    pthread_mutex_lock(&transfers.lock);
    t->next = transfers.added;
    transfers.added = t;
    pthread_mutex_unlock(&transfers.lock);
    wake();
    return 0;
}

static void tell_again(const struct http_request *request, int64_t delay_ms)
{
    const struct leat_trace_field field[] = {trace_text("method", request->method), trace_text("url", request->url),
                                             trace_number("delay_ms", (uint64_t)delay_ms)};
    trace_tell(LEAT_TRACE_STORE, field, COUNT(field), "%s request again, in %lld ms", request->method,
               (long long)delay_ms);
}

int transfer_again(struct transfer *t, const struct http_request *request, int64_t delay_ms)
{
    struct http_request copy = {0};
    int r = request_copy(&copy, request);
    if (r < 0)
        return r;
    request_clear(&t->attempt.request);
    t->attempt.request = copy;
    t->due_ns = MAX(clock_ns() + delay_ms * 1000000, 1);
    if (delay_ms > 0 && trace_is_on()) /* without a delay it is the next part */
        tell_again(request, delay_ms);
    return 0;
}

void transfer_stalls_after(struct transfer *t, int64_t stall_ns)
{
    t->attempt.request.stall_ns = stall_ns;
}

void transfer_resume(struct transfer *t)
{
    pthread_mutex_lock(&transfers.lock);
    t->resume = true;
    pthread_mutex_unlock(&transfers.lock);
    wake();
}

void transfer_release(struct transfer *t)
{
    pthread_mutex_lock(&transfers.lock);
    atomic_store(&t->attempt.release, true);
    t->resume = true;
    pthread_mutex_unlock(&transfers.lock);
    wake();
}

const char *transfer_place(const struct transfer *t)
{
    return t->attempt.course.location;
}

enum leat_advice transfer_advice(const struct transfer *t)
{
    return t->attempt.advice;
}

uint64_t transfer_sent(const struct transfer *t)
{
    return t->attempt.sent;
}

bool transfer_has_sent_all(const struct transfer *t)
{
    return t->attempt.all_sent;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    if (origin_is_here(t->origin)) {
        pthread_mutex_lock(&transfers.lock);
        t->stop = true;
        if (!t->given_back)
            wake();
        while (!t->given_back)
            pthread_cond_wait(&transfers.changed, &transfers.lock);
        pthread_mutex_unlock(&transfers.lock);
    }
    course_clear(&t->attempt.course);
    request_clear(&t->attempt.request);
    free(t);
}
