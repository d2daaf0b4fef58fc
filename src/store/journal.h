/* SPDX-License-Identifier: MIT */
/* The journal of an upload: a file that lists what the store has of it. A program that is killed leaves the journal,
 * and the next run resumes the upload from it.
 *
 * The file is text. The first line names the format, the second the object by its URL, and the third the upload. Each
 * further line is a part: its number, size, SHA-256 and ETag. An incomplete line is ignored. The file has no secrets.
 * While it is open it is locked by fcntl(2), so that no other process uses it. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/error.h"
#include <stdbool.h>

/* A part that the journal has. */
struct journal_part {
    uint64_t size;
    char sha256[65]; /* in hex; "": the journal has no part of this number */
    char *etag;      /* from malloc */
    bool is_there;   /* the store has confirmed that it has the part, */
    bool has_sum;    /* and that it keeps its SHA-256 */
};

struct journal {
    int fd;     /* -1: no journal */
    char *path; /* borrowed from the caller of journal_open */
    char *object;
    char *upload;              /* NULL: no upload was created */
    struct journal_part *part; /* indexed by the number, from 1 on */
    size_t parts;
};

/* Opens and reads the file; creates it with mode 0600 if it does not exist. `object` is copied, `path` is borrowed.
 * Returns 0, or with a sentence in *error: -EINVAL if the file has another format or belongs to another object, -EBUSY
 * if another process has it open, or an error of the file system. After a failure there is nothing to close. */
int journal_open(struct journal *ret, char *path, const char *object, struct leat_error *error);

/* Forgets the upload and the parts that were read from the file. */
void journal_forget(struct journal *journal);

/* Writes to the file the name of a new upload, and removes what it had of an earlier one. `journal` is not changed,
 * because another thread may read it; so call journal_forget before. Returns 0 or an error of the file system. Any
 * thread. */
int journal_begin(const struct journal *journal, const char *upload);

/* Appends a line for a part that the store has. `journal` is not changed. Returns 0 or an error of the file system. Any
 * thread. */
int journal_add(const struct journal *journal, unsigned number, uint64_t size, const char *sha256, const char *etag);

/* Returns the part of this number that the file had when it was opened, or NULL. */
struct journal_part *journal_part(struct journal *journal, unsigned number);

/* Closes the journal; `remove`: deletes the file, too. Legal without a journal. */
void journal_close(struct journal *journal, bool remove);

#endif
