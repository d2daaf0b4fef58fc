/* SPDX-License-Identifier: MIT */
/* What a lane makes of the head of an answer: is it what was asked for, and where does its body belong? */
#include "store/fetch.h"
#include "store/lane.h"
#include <errno.h>
#include <stdio.h>

/* Checks an answer to a range: is it this range of this version? Returns NULL, or a sentence. */
static const char *check_part(const struct fetch_lane *l, const struct answer *answer)
{
    const struct fetch *f = l->fetch;
    if (!answer->has_range || answer->range_first != l->asked)
        return "the server sent another range than it was asked for";
    if (f->total != UINT64_MAX && answer->range_total != f->total)
        return "the object has another size than before";
    return strcmp(answer->etag, f->etag) != 0 ? "the object was replaced while it was read" : NULL;
}

/* Checks an answer with the whole object to a request for a range: the bytes that are there already are skipped.
 * Returns NULL, or a sentence. */
static const char *check_whole(const struct fetch_lane *l, const struct answer *answer)
{
    const struct fetch *f = l->fetch;
    if (strcmp(answer->etag, f->etag) != 0)
        return "the object was replaced while it was read";
    if (f->total != UINT64_MAX && (!answer->has_length || answer->is_chunked || answer->length != f->total))
        return "the object has another size than before";
    return NULL;
}

static void take_part(struct fetch_lane *l, const struct answer *answer)
{
    struct fetch *f = l->fetch;
    const char *wrong = check_part(l, answer);
    l->body_end = answer->range_last + 1;
    if (wrong) {
        l->is_failure = true;
        fetch_fail(f, l->at, -ESTALE, wrong);
    } else if (f->total == UINT64_MAX) {
        f->total = answer->range_total;
        window_finish(&f->window, f->total);
        l->end = f->total;
    }
}

static void take_whole(struct fetch_lane *l, const struct answer *answer)
{
    struct fetch *f = l->fetch;
    const char *wrong = check_whole(l, answer);
    l->skip = l->asked;
    l->body_end = f->total;
    if (wrong) {
        l->is_failure = true;
        fetch_fail(f, l->at, -ESTALE, wrong);
    } else if (l->asked)
        pace_settle(&f->pace, 1, "the server ignores ranges");
}

void lane_fail_offset(struct fetch_lane *l, uint64_t total)
{
    char sentence[160];
    snprintf(sentence, sizeof(sentence),
             "it has %llu bytes and ends before the offset %llu, where the transfer was to begin",
             (unsigned long long)total, (unsigned long long)l->fetch->first);
    fetch_fail(l->fetch, l->at, -EINVAL, sentence);
}

/* If the size is unknown and a request starts right after the last byte, status 416 means the end of the object. */
static bool is_end(const struct fetch_lane *l, const struct answer *answer)
{
    return answer->status == 416 && answer->is_behind && l->fetch->total == UINT64_MAX && l->asked > 0 &&
           answer->range_total == l->asked;
}

/* Further requests ask the URL where redirects have led. Without memory for it they ask the object's URL. */
static void note_place(struct fetch_lane *l)
{
    const char *place = transfer_place(l->transfer);
    free(l->fetch->place);
    l->fetch->place = place ? strdup(place) : NULL;
}

/* The first request starts after the last byte. If it starts exactly at the end, the copy is empty. */
static void take_end(struct fetch_lane *l, const struct answer *answer)
{
    struct fetch *f = l->fetch;
    if (answer->range_total == f->first) {
        struct answer whole = *answer;
        whole.has_length = true;
        whole.length = f->first;
        whole.is_chunked = false;
        fetch_answered(f, &whole);
    } else
        lane_fail_offset(l, answer->range_total);
}

/* Takes the first answer, which is to a request for a part of the object. */
static void take_first(struct fetch_lane *l, const struct answer *answer)
{
    struct fetch *f = l->fetch;
    bool is_part = answer->status == 206;
    if (is_part && (!f->first || !answer->has_range || answer->range_first != f->first)) {
        l->is_failure = true;
        fetch_fail(f, l->at, -ESTALE,
                   f->first ? "the server sent another range than it was asked for"
                            : "the server sent a part that nobody asked for");
        return;
    }
    if (!is_part && answer->has_length && !answer->is_chunked && answer->length < f->first) {
        l->is_failure = true;
        lane_fail_offset(l, answer->length);
        return;
    }
    fetch_answered(f, answer);
    l->body_end = is_part ? answer->range_last + 1 : f->total;
    if (!is_part && f->first) {
        l->skip = f->first;
        pace_settle(&f->pace, 1, "the server ignores ranges");
    }
    transfer_stalls_after(l->transfer, lane_stall_limit(l));
}

void lane_answered(void *user, const struct answer *answer)
{
    struct fetch_lane *l = user;
    struct fetch *f = l->fetch;
    l->status = answer->status;
    l->date_s = answer->date_s;
    l->was_answered = true;
    bool first = f->state == FETCH_ASKED; /* only this thread changes it */
    if (first && f->first && answer->status == 416 && answer->is_behind) {
        take_end(l, answer);
        return;
    }
    if (is_end(l, answer)) {
        l->end = l->at;
        fetch_ends(f, l->at);
        return;
    }
    l->is_failure = answer->status != 200 && answer->status != 206;
    if (l->is_failure) {
        retry_after(&l->retry, answer->retry_after_s);
        return;
    }
    note_place(l);
    if (first)
        take_first(l, answer);
    else if (answer->status == 206)
        take_part(l, answer);
    else
        take_whole(l, answer);
}
