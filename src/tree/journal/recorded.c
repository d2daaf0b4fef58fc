/* SPDX-License-Identifier: MIT */
#include "tree/journal/recorded.h"
#include "tree/share/shard.h"

#define OFFSET_BITS 40
#define OFFSET_MOST ((UINT64_C(1) << OFFSET_BITS) - 1)

static uint64_t hash_of(const char *name)
{
    uint64_t hash = shard_hash(SHARD_HASH_FIRST, name, strlen(name));
    return (hash ^ hash >> 29) * UINT64_C(0x9E3779B97F4A7C15);
}

/* ---- reading ---- */

struct recorded_reading {
    struct recorded *recorded;
    const char *boot;
    size_t entries, link_room;
};

static int add_link(struct recorded_reading *reading, const struct record_mark *mark)
{
    struct recorded *recorded = reading->recorded;
    if (recorded->links == reading->link_room) {
        size_t room = reading->link_room ? 2 * reading->link_room : 64;
        struct recorded_link *link = realloc(recorded->link, room * sizeof(*link));
        if (!link)
            return -ENOMEM;
        recorded->link = link;
        reading->link_room = room;
    }
    recorded->link[recorded->links++] = (struct recorded_link){mark->inode, mark->ctime_s, mark->ctime_ns};
    return 0;
}

static int count_entry(void *user, const struct record_entry *entry, uint64_t offset UNUSED)
{
    struct recorded_reading *reading = user;
    reading->entries++;
    return entry->kind == RECORD_LINK ? add_link(reading, &entry->target) : 0;
}

static int compare_inodes(const void *a, const void *b)
{
    const struct recorded_link *x = a, *y = b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool is_earlier(int64_t s, uint32_t ns, const struct recorded_link *than)
{
    return s != than->time_s ? s < than->time_s : ns < than->time_ns;
}

/* Keeps the latest of each inode. */
static void merge_links(struct recorded *recorded)
{
    size_t n = 0;
    if (recorded->links > 0)
        qsort(recorded->link, recorded->links, sizeof(recorded->link[0]), compare_inodes);
    for (size_t i = 0; i < recorded->links; i++) {
        const struct recorded_link *link = &recorded->link[i];
        if (n == 0 || recorded->link[n - 1].inode != link->inode)
            recorded->link[n++] = *link;
        else if (is_earlier(recorded->link[n - 1].time_s, recorded->link[n - 1].time_ns, link))
            recorded->link[n - 1] = *link;
    }
    recorded->links = n;
}

void recorded_add_links(const struct recorded *recorded, struct record_entry *entry)
{
    const struct recorded_link key = {.inode = entry->target.inode};
    const struct recorded_link *link =
        recorded->links ? bsearch(&key, recorded->link, recorded->links, sizeof(key), compare_inodes) : NULL;
    if (link && is_earlier(entry->target.ctime_s, entry->target.ctime_ns, link)) {
        entry->target.ctime_s = link->time_s;
        entry->target.ctime_ns = link->time_ns;
    }
}

static int add_run(void *user, const struct record_run *run, uint64_t offset)
{
    struct recorded_reading *reading = user;
    bool is_same = run->boot[0] && strcmp(run->boot, reading->boot) == 0;
    uint64_t *since = &reading->recorded->since_boot;
    reading->recorded->root = run->root;
    reading->recorded->begun_s = MIN(reading->recorded->begun_s, run->begun_s);
    *since = !is_same ? UINT64_MAX : MIN(*since, offset);
    return 0;
}

static int add_synced(void *user, uint64_t offset)
{
    ((struct recorded_reading *)user)->recorded->synced = offset;
    return 0;
}

/* An entry behind the most that a slot can say is not found, so its name is copied again. */
static int add_entry(void *user, const struct record_entry *entry, uint64_t offset)
{
    struct recorded *recorded = ((struct recorded_reading *)user)->recorded;
    uint64_t hash = hash_of(entry->name);
    size_t at = (size_t)hash & (recorded->slots - 1);
    if (offset > OFFSET_MOST)
        return 0;
    while (recorded->slot[at])
        at = (at + 1) & (recorded->slots - 1);
    recorded->slot[at] = (hash & ~OFFSET_MOST) | offset;
    return 0;
}

int recorded_read(struct recorded *ret, int fd, const char *boot)
{
    struct recorded recorded = {.since_boot = UINT64_MAX, .begun_s = INT64_MAX, .slots = 16};
    struct recorded_reading reading = {.recorded = &recorded, .boot = boot};
    const struct record_hooks count = {.entry = count_entry, .run = add_run, .synced = add_synced, .user = &reading};
    const struct record_hooks add = {.entry = add_entry, .user = &reading};
    int r = record_read_all(fd, &count, NULL);
    if (r < 0) {
        free(recorded.link);
        return r;
    }
    merge_links(&recorded);
    while (recorded.slots / 2 <= reading.entries)
        recorded.slots *= 2;
    recorded.slot = calloc(recorded.slots, sizeof(recorded.slot[0]));
    r = recorded.slot ? record_read_all(fd, &add, NULL) : -ENOMEM;
    if (r < 0) {
        recorded_clear(&recorded);
        return r;
    }
    *ret = recorded;
    return 0;
}

void recorded_clear(struct recorded *recorded)
{
    free(recorded->slot);
    free(recorded->link);
    *recorded = (struct recorded){.slot = NULL};
}

/* ---- finding ---- */

/* The entries of one name are in the order of the file. */
uint64_t recorded_find(const struct recorded *recorded, int fd, const char *name, struct record_entry *ret,
                       uint8_t **ret_bytes)
{
    uint64_t hash = hash_of(name), found = 0;
    size_t at = (size_t)hash & (recorded->slots - 1);
    for (; recorded->slot[at]; at = (at + 1) & (recorded->slots - 1)) {
        uint64_t slot = recorded->slot[at], offset = slot & OFFSET_MOST;
        struct record_entry entry;
        uint8_t *bytes;
        if (((slot ^ hash) & ~OFFSET_MOST) != 0 || record_read_entry(fd, offset, &entry, &bytes) < 0)
            continue;
        if (strcmp(entry.name, name) != 0) {
            free(bytes);
            continue;
        }
        if (found)
            free(*ret_bytes);
        *ret = entry;
        *ret_bytes = bytes;
        found = offset;
    }
    return found;
}
