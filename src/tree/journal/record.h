/* SPDX-License-Identifier: MIT */
/* The records of a journal of a tree, as bytes. docs/formats.md describes the file.
 *
 * A record that can't be trusted ends the journal: what is behind it does not count. Numbers are little-endian. */
#ifndef TREE_RECORD_H
#define TREE_RECORD_H

#include "base/base.h"
#include <stdbool.h>
#include <sys/stat.h>

#define RECORD_MAGIC "leat-tree 1\n" /* the first bytes of a journal */

enum {
    RECORD_MAGIC_SIZE = sizeof(RECORD_MAGIC) - 1,
    RECORD_FRAME = 8,       /* bytes before the contents of a record: their number, and the CRC */
    RECORD_MAX = 256 * 1024 /* bytes of the contents; a name that is too long for this is not recorded */
};

/* Which copy a journal belongs to. The texts are borrowed, and never NULL. */
struct record_head {
    uint32_t rank, ranks; /* from 0 on; 0 of 1: a copy that no other process has a part of */
    uint32_t keep;        /* an enum leat_tree_keep */
    uint32_t dropping;    /* 1: with `drop_attributes` */
    const char *digest;   /* "": none */
    const char *source, *target;
};

/* What stat(2) says of a file. Its equal means that the file has not changed. */
struct record_mark {
    uint64_t inode, size;
    int64_t mtime_s, ctime_s; /* seconds since 1970 */
    uint32_t mtime_ns, ctime_ns;
};

enum record_what {
    RECORD_FILE = 'f',
    RECORD_LINK = 'h', /* a further name of a file */
    RECORD_SYMLINK = 'l',
    RECORD_SPECIAL = 's', /* a FIFO, a socket or a device */
};

/* A name that is copied, with all that is kept of it. */
struct record_entry {
    enum record_what kind;
    struct record_mark source, target;
    const char *name;   /* relative to the root */
    const char *digest; /* in hex; "": none was taken */
};

/* A run: the first one, or one that went on. `boot` tells starts of the machine apart; "": unknown. */
struct record_run {
    int64_t begun_s; /* seconds since 1970 */
    uint64_t root;   /* inode of the folder of the target */
    const char *boot;
};

void record_mark_of(struct record_mark *ret, const struct stat *st);
bool record_mark_is_same(const struct record_mark *a, const struct record_mark *b);

/* Bytes that records are appended to. */
struct record_buffer {
    uint8_t *bytes; /* from malloc */
    size_t used, room;
};

/* Append a record; the head with the magic before it. Return 0, -ENOMEM, or -ENAMETOOLONG: it is longer than
 * RECORD_MAX. On failure the buffer is as before. */
int record_add_head(struct record_buffer *buffer, const struct record_head *head);
int record_add_run(struct record_buffer *buffer, const struct record_run *run);
int record_add_entry(struct record_buffer *buffer, const struct record_entry *entry);
/* All that was recorded before is on the disk. */
int record_add_synced(struct record_buffer *buffer);
/* The process has copied all that it had to. */
int record_add_done(struct record_buffer *buffer);
void record_buffer_clear(struct record_buffer *buffer);

/* What a reader is told. What the pointers lead to is valid during the call. `offset` is that of the record in the
 * file. All return 0; any other number but -EBADMSG ends the reading with it. A NULL hook is not called. */
struct record_hooks {
    int (*head)(void *user, const struct record_head *head); /* once, before the others */
    int (*run)(void *user, const struct record_run *run, uint64_t offset);
    int (*entry)(void *user, const struct record_entry *entry, uint64_t offset);
    int (*synced)(void *user, uint64_t offset);
    int (*done)(void *user);
    void *user;
};

/* Reads a journal from its beginning, by pread(2); `fd` is borrowed. *ret_end: NULL, or gets the offset behind the last
 * record that counts. Returns 0; -EBADMSG: the file is no journal of this version, or its head is damaged; a negative
 * errno of a call; or what a hook returned. */
int record_read_all(int fd, const struct record_hooks *hooks, uint64_t *ret_end);

/* Reads the entry at an offset that a hook got. *ret_bytes, from malloc, has what the pointers of the entry lead to.
 * Returns 0; -EBADMSG: there is no entry; or a negative errno. */
int record_read_entry(int fd, uint64_t offset, struct record_entry *ret, uint8_t **ret_bytes);

#endif
