/* SPDX-License-Identifier: MIT */
/* What a journal had when a copy went on: a table that finds the last entry of a name. It has eight bytes for an entry,
 * and reads the entry itself from the file. */
#ifndef TREE_RECORDED_H
#define TREE_RECORDED_H

#include "tree/journal/record.h"

/* The latest entry of a further name of a file. */
struct recorded_link {
    uint64_t inode; /* of the copy */
    int64_t time_s;
    uint32_t time_ns;
};

struct recorded {
    struct recorded_link *link; /* in the order of their inodes */
    size_t links;
    uint64_t *slot;      /* 24 bits of the hash, and 40 of the offset; 0: empty */
    size_t slots;        /* a power of two */
    uint64_t synced;     /* entries before this offset are on the disk */
    uint64_t root;       /* inode of the folder of the target, in the last run */
    int64_t begun_s;     /* when the copy began, in seconds since 1970 */
    uint64_t since_boot; /* entries from this offset on were made since the machine was started */
};

/* Reads the journal; `fd` is borrowed. `boot` is that of this start of the machine. Returns 0 or a negative errno. */
int recorded_read(struct recorded *ret, int fd, const char *boot);
void recorded_clear(struct recorded *recorded);

/* Finds the last entry of a name. Returns its offset, or 0: there is none. *ret_bytes, from malloc, has what the
 * pointers of the entry lead to. Any thread. */
uint64_t recorded_find(const struct recorded *recorded, int fd, const char *name, struct record_entry *ret,
                       uint8_t **ret_bytes);

/* Moves the time of an entry's copy on to that of the last link that was made to it: a link changes the status of the
 * file. Any thread. */
void recorded_add_links(const struct recorded *recorded, struct record_entry *entry);

/* Are the bytes of an entry at this offset in the file, whatever happened to the machine since? */
static inline bool recorded_is_lasting(const struct recorded *recorded, uint64_t offset)
{
    return offset < recorded->synced || offset >= recorded->since_boot;
}

#endif
