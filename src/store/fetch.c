/* SPDX-License-Identifier: MIT */
#include "store/fetch.h"
#include <errno.h>
#include <stdio.h>

/* ---- parts ---- */

/* So many chunks that the window holds the parts of all lanes, and the next part of a lane that is ahead. */
static uint64_t part_size(const struct fetch *f)
{
    return MAX(f->window.slots / (f->pace.connections + 1), 1u) * f->window.chunk_size;
}

static void note_part(struct fetch *f, const struct fetch_lane *l)
{
    bool is_cut = l->end < f->total;
    f->traffic->parts++;
    f->traffic->part_top = MAX(f->traffic->part_top, is_cut ? l->end - l->at : 0);
}

bool fetch_give_part(struct fetch *f, struct fetch_lane *l)
{
    if (f->next >= f->total || f->active > f->pace.connections || f->next >= f->fail_at)
        return false;
    bool alone = f->pace.connections == 1;
    l->at = f->next;
    l->end = f->next = alone ? f->total : MIN(f->total, f->next + part_size(f));
    note_part(f, l);
    return true;
}

/* Ends the first lane's part early, so that there are parts for other lanes. */
static void cut_first(struct fetch *f)
{
    struct fetch_lane *l = &f->lane[0];
    uint64_t chunk = f->window.chunk_size, from = (l->at + chunk - 1) / chunk * chunk;
    l->end = f->next = MIN(f->total, from + part_size(f));
    f->traffic->part_top = MAX(f->traffic->part_top, l->end - l->at);
}

/* If a lane cannot be started, the fetch goes on with one lane fewer. */
static void add_lane(struct fetch *f)
{
    struct fetch_lane *l = &f->lane[f->lanes];
    if (f->next >= f->total)
        return;
    f->active++;
    if (!fetch_give_part(f, l)) {
        f->active--;
        return;
    }
    l->active = true;
    pthread_mutex_lock(&f->lock);
    int r = f->stopping ? -ECANCELED : lane_begin(l, f);
    pthread_mutex_unlock(&f->lock);
    if (r < 0) { /* its part would be missing */
        f->active--;
        l->active = false;
        fetch_fail(f, l->at, r, "out of memory");
        return;
    }
    f->lanes++;
    f->traffic->connections_top = MAX(f->traffic->connections_top, f->active);
}

static void add_lanes(struct fetch *f)
{
    if (f->pace.connections > 1 && f->lanes == 1 && f->lane[0].end == f->total)
        cut_first(f);
    while (f->active < f->pace.connections && f->next < f->total && f->lanes < LEAT_STREAMS_MAX &&
           f->fail_at == UINT64_MAX)
        add_lane(f);
}

/* ---- reports of the lanes ---- */

/* Returns the reason why only one connection can be used, or NULL. */
static const char *why_one(const struct fetch *f, const struct answer *answer, unsigned asked)
{
    if (f->total == UINT64_MAX)
        return "the server does not say how large it is";
    if (!answer->etag[0])
        return "the server names no version (ETag)";
    if (!asked && !answer->has_ranges)
        return "the server offers no ranges";
    return f->total <= 2 * f->window.chunk_size ? "it is small" : NULL;
}

/* Allocates memory and sets the number of connections: the size is known now. */
static int open_window(struct fetch *f, const struct answer *answer)
{
    unsigned asked = f->traffic->connections, wish = asked ? asked : PACE_MOST;
    int r = window_open(&f->window, &f->memory, wish, f->total);
    if (r < 0)
        return r;
    pace_init(&f->pace, asked, (unsigned)MIN(wish, MAX(f->window.slots / 2, 1u)));
    const char *why = why_one(f, answer, asked);
    if (why)
        pace_settle(&f->pace, 1, why);
    return 0;
}

static int open_verify(struct fetch *f, const struct answer *answer)
{
    struct sent_digests sent = answer->digests;
    if (f->first) {
        snprintf(f->traffic->unverified, sizeof(f->traffic->unverified), "%s",
                 sent.n ? "a part of the object was read, and the digests are of the whole" : "");
        return 0;
    }
    digests_end(&sent, f->object->store->etag_is_md5 ? answer->etag : NULL);
    const char *why = sent.skipped;
    int r = verify_open(&f->verify, f->node, &sent, f->total, &why);
    snprintf(f->traffic->unverified, sizeof(f->traffic->unverified), "%s", why);
    return r;
}

void fetch_answered(struct fetch *f, const struct answer *answer)
{
    f->total = answer->status == 206                       ? answer->range_total
               : answer->has_length && !answer->is_chunked ? answer->length
                                                           : UINT64_MAX;
    snprintf(f->etag, sizeof(f->etag), "%s", answer->etag);
    f->metadata = answer->metadata;
    f->lane[0].end = f->next = f->total;
    int r = open_window(f, answer);
    if (r == 0)
        r = open_verify(f, answer);
    if (r < 0) {
        fetch_fail(f, 0, r, "out of memory");
        return;
    }
    note_part(f, &f->lane[0]);
    pthread_mutex_lock(&f->lock);
    f->state = FETCH_ANSWERED;
    pthread_mutex_unlock(&f->lock);
    add_lanes(f);
    f->wake(f->user);
}

void fetch_progress(struct fetch *f, size_t n)
{
    f->received += n;
    if (f->pace.settled)
        return;
    pace_look(&f->pace, clock_ns(), f->received, f->total - f->first - f->received, window_is_ahead(&f->window));
    if (f->pace.connections > f->active)
        add_lanes(f);
}

void fetch_fail(struct fetch *f, uint64_t at, int code, const char *sentence)
{
    fetch_fail_advised(f, at, code, sentence, LEAT_ADVICE_NONE);
}

void fetch_fail_advised(struct fetch *f, uint64_t at, int code, const char *sentence, enum leat_advice advice)
{
    if (at >= f->fail_at)
        return;
    f->fail_at = at;
    pthread_mutex_lock(&f->lock);
    f->failure = (struct leat_error){.size = sizeof(f->failure)};
    error_advise(&f->failure, advice);
    error_at(&f->failure, code, LEAT_SIDE_SOURCE, f->node->name, "GET", "%s", sentence);
    if (f->state == FETCH_ASKED)
        f->state = FETCH_FAILED; /* in other states window_take reports it, after the last byte that arrived */
    pthread_mutex_unlock(&f->lock);
    window_fail(&f->window, at, code);
    f->wake(f->user);
}

void fetch_ends(struct fetch *f, uint64_t at)
{
    f->total = f->next = at;
    window_finish(&f->window, at);
}

/* ---- the thread of the pipeline ---- */

static void window_ready(void *user)
{
    struct fetch *f = user;
    f->wake(f->user);
}

/* Resumes the lanes that wait for room. Any thread. A lane that waits has a transfer. */
static void window_space(void *user)
{
    struct fetch *f = user;
    for (size_t i = 0; i < LEAT_STREAMS_MAX; i++)
        if (window_may_resume(&f->window, &f->lane[i].waiter))
            transfer_resume(f->lane[i].transfer);
}

int fetch_begin(struct fetch *f, unsigned streams)
{
    window_init(&f->window);
    pthread_mutex_init(&f->lock, NULL);
    f->window.position = f->lane[0].at = f->first;
    f->window.ready = window_ready;
    f->window.space = window_space;
    f->window.user = f;
    f->total = f->fail_at = f->next = f->lane[0].end = UINT64_MAX;
    pace_settle(&f->pace, 1, "there was no answer");
    f->active = f->lanes = 1;
    f->lane[0].active = true;
    f->traffic->connections = streams;
    f->traffic->connections_top = 1;
    return lane_begin(&f->lane[0], f);
}

enum fetch_state fetch_look(struct fetch *f, uint64_t *ret_size, struct leat_error *error)
{
    pthread_mutex_lock(&f->lock);
    enum fetch_state state = f->state;
    if (state == FETCH_FAILED)
        *error = f->failure;
    pthread_mutex_unlock(&f->lock);
    *ret_size = UINT64_MAX;
    if (state == FETCH_ANSWERED) { /* The transfer thread makes the window before that. */
        pthread_mutex_lock(&f->window.lock);
        *ret_size = f->window.end;
        pthread_mutex_unlock(&f->window.lock);
    }
    return state;
}

ssize_t fetch_take(struct fetch *f, size_t n, struct chunk **ret)
{
    ssize_t r = window_take(&f->window, n, ret);
    if (r > 0 && f->verify)
        verify_take(f->verify, *ret);
    return r;
}

int fetch_failure(struct fetch *f, struct leat_error *error)
{
    pthread_mutex_lock(&f->lock);
    int code = f->failure.code;
    if (code)
        *error = f->failure;
    pthread_mutex_unlock(&f->lock);
    return code;
}

void fetch_close(struct fetch *f)
{
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < LEAT_STREAMS_MAX; i++) {
        transfer_free(f->lane[i].transfer);
        free(f->lane[i].body);
    }
    snprintf(f->traffic->why, sizeof(f->traffic->why), "%s", f->pace.why);
    verify_free(f->verify);
    free(f->place);
    window_close(&f->window);
    pthread_mutex_destroy(&f->lock);
}
