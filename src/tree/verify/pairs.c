/* SPDX-License-Identifier: MIT */
#include "tree/verify/pairs.h"
#include "base/base.h"

enum {
    ROWS_AT_FIRST = 256
};

struct pair {
    bool is_used, is_target; /* the side of the file that the row is of */
    dev_t device, other_device;
    ino_t inode, other_inode;
};

void pairs_init(struct pairs *pairs)
{
    *pairs = (struct pairs){.rows = 0};
    pthread_mutex_init(&pairs->lock, NULL);
}

void pairs_clear(struct pairs *pairs)
{
    free(pairs->row);
    pthread_mutex_destroy(&pairs->lock);
}

/* Finds the row of a file, or the free one where it would be. */
static struct pair *find(const struct pairs *pairs, bool is_target, dev_t device, ino_t inode)
{
    uint64_t mix =
        ((uint64_t)inode ^ (uint64_t)device << 40 ^ (uint64_t)is_target << 63) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = (size_t)(mix >> 32);; i++) {
        struct pair *pair = &pairs->row[i & (pairs->rows - 1)];
        if (!pair->is_used || (pair->is_target == is_target && pair->device == device && pair->inode == inode))
            return pair;
    }
}

/* Keeps half of the rows free. */
static int grow(struct pairs *pairs)
{
    struct pairs larger = {.rows = pairs->rows ? 2 * pairs->rows : ROWS_AT_FIRST};
    if (pairs->count + 2 <= pairs->rows / 2)
        return 0;
    larger.row = calloc(larger.rows, sizeof(*larger.row));
    if (!larger.row)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->rows; i++) {
        const struct pair *pair = &pairs->row[i];
        if (pair->is_used)
            *find(&larger, pair->is_target, pair->device, pair->inode) = *pair;
    }
    free(pairs->row);
    pairs->row = larger.row;
    pairs->rows = larger.rows;
    return 0;
}

static void set(struct pair *pair, bool is_target, const struct stat *of, const struct stat *other)
{
    *pair = (struct pair){.is_used = true,
                          .is_target = is_target,
                          .device = of->st_dev,
                          .inode = of->st_ino,
                          .other_device = other->st_dev,
                          .other_inode = other->st_ino};
}

static int meet(struct pairs *pairs, const struct stat *source, const struct stat *target)
{
    struct pair *a = find(pairs, false, source->st_dev, source->st_ino);
    if (a->is_used)
        return a->other_device == target->st_dev && a->other_inode == target->st_ino ? PAIRS_SAME : PAIRS_OTHER;
    if (find(pairs, true, target->st_dev, target->st_ino)->is_used)
        return PAIRS_OTHER;
    set(a, false, source, target);
    set(find(pairs, true, target->st_dev, target->st_ino), true, target, source);
    pairs->count += 2;
    return PAIRS_NEW;
}

int pairs_meet(struct pairs *pairs, const struct stat *source, const struct stat *target)
{
    pthread_mutex_lock(&pairs->lock);
    int r = grow(pairs);
    if (r == 0)
        r = meet(pairs, source, target);
    pthread_mutex_unlock(&pairs->lock);
    return r;
}
