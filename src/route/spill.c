/* SPDX-License-Identifier: MIT */
#include "route/spill.h"
#include "base/fd.h"
#include <errno.h>
#include <stdlib.h>

#define RUNS_FIRST 16

int spill_open(struct spill *spill, const char *folder, uint64_t size)
{
    int fd = folder ? fd_unnamed_in(folder) : fd_unnamed();
    if (fd < 0)
        return fd == -EAGAIN ? -EBUSY : fd;
    *spill = (struct spill){.is_open = true, .fd = fd, .size = size};
    return 0;
}

void spill_close(struct spill *spill)
{
    if (!spill->is_open)
        return;
    fd_close(spill->fd);
    free(spill->run);
    *spill = (struct spill){.fd = -1, .top = spill->top, .failed = spill->failed};
}

/* ---- putting ---- */

bool spill_has_room(const struct spill *spill, uint64_t n, bool hole)
{
    return spill->is_open && !spill->rests && (hole || n <= spill->size - (spill->put - spill->taken));
}

size_t spill_place(const struct spill *spill, uint64_t done, size_t n, uint64_t *ret_at)
{
    *ret_at = (spill->put + done) % spill->size;
    return (size_t)MIN(n, spill->size - *ret_at);
}

static bool has_place(struct spill *spill)
{
    if (spill->last - spill->first < spill->capacity)
        return true;
    size_t capacity = spill->capacity ? spill->capacity * 2 : RUNS_FIRST;
    struct spill_run *larger = calloc(capacity, sizeof(larger[0]));
    if (!larger)
        return false;
    for (uint64_t i = spill->first; spill->capacity && i < spill->last; i++)
        larger[i % capacity] = spill->run[i % spill->capacity];
    free(spill->run);
    spill->run = larger;
    spill->capacity = capacity;
    return true;
}

bool spill_put(struct spill *spill, uint64_t n, bool hole)
{
    struct spill_run *last = spill->last > spill->first ? &spill->run[(spill->last - 1) % spill->capacity] : NULL;
    if (last && last->hole == hole)
        last->n += n;
    else if (has_place(spill))
        spill->run[spill->last++ % spill->capacity] = (struct spill_run){.n = n, .hole = hole};
    else
        return false;
    spill->held += n;
    if (hole)
        return true;
    spill->put += n;
    spill->reached = MAX(spill->reached, MIN(spill->put, spill->size));
    spill->top = MAX(spill->top, spill->put - spill->taken);
    return true;
}

void spill_fail(struct spill *spill, int code)
{
    if (!spill->failed)
        spill->failed = code;
    spill->rests = true;
}

/* ---- taking ---- */

uint64_t spill_next(const struct spill *spill, uint64_t *ret_at, bool *ret_hole)
{
    const struct spill_run *run = &spill->run[spill->first % spill->capacity];
    *ret_hole = run->hole;
    *ret_at = spill->taken % spill->size;
    return run->hole ? run->n : MIN(run->n, spill->size - *ret_at);
}

/* An empty queue begins again at the start of the file. After a failure the file does not grow any more. */
static void begin_again(struct spill *spill)
{
    spill->put = spill->taken = 0;
    if (!spill->rests)
        return;
    spill->size = spill->reached;
    spill->rests = spill->size == 0;
}

void spill_take(struct spill *spill, uint64_t n)
{
    struct spill_run *run = &spill->run[spill->first % spill->capacity];
    run->n -= n;
    spill->held -= n;
    spill->taken += run->hole ? 0 : n;
    spill->first += run->n == 0;
    if (!spill->held)
        begin_again(spill);
}
