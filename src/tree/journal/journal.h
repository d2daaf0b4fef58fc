/* SPDX-License-Identifier: MIT */
/* The journal of a copy: a file that lists what is copied, so that a copy that ended early can go on (resume.h). Each
 * worker gathers records, and writes many of them by one call. A record follows what it records, so a process that is
 * killed loses only the records that were not written yet. The file is locked while it is open. It may be in
 * the source, where it is met and opened as any file. */
#ifndef TREE_JOURNAL_H
#define TREE_JOURNAL_H

#include "base/error.h"
#include "base/identity.h"
#include "endpoint/place.h"
#include "tree/journal/record.h"
#include <pthread.h>

/* The records of one worker that were not written yet. */
struct tree_records {
    struct record_buffer buffer;
    unsigned count;
    uint64_t bytes; /* of the files that they record */
    struct tree_records *next;
};

struct tree_journal {
    int fd; /* -1: there is no journal, and all calls but tree_journal_open and tree_journal_worker do nothing */
    const char *path;
    struct place place;
    struct identity identity;
    int sync_fd;          /* set by the caller: its file system is synced from time to time. -1: no syncs */
    bool has_records;     /* the file, or `first` */
    pthread_mutex_t lock; /* of all below */
    struct record_buffer first;
    struct tree_records *workers;
    uint64_t end;      /* where the next record goes */
    int64_t synced_ns; /* by clock_ns() */
    int write_error;   /* of the first write that failed; after that nothing is written */
};

/* Opens the file, and makes it if it is missing. If it is the journal of another run, that is forgotten; with `resumes`
 * it is kept, and must be that of a copy with the same head; what is behind the last record that counts is cut off.
 * `path` is borrowed until the end. Returns 0, or a code with a sentence in *error: -EINVAL: the file is no journal or
 * that of another copy; -EBUSY: another process uses it; or an error of the file system. After a failure there is no
 * journal. */
int tree_journal_open(struct tree_journal *ret, const char *path, const struct record_head *head, bool resumes,
                      struct leat_error *error);

/* Records that the copy begins, or goes on; `root` is the inode of the folder of the target. Returns 0 or -ENOMEM. */
int tree_journal_begin(struct tree_journal *journal, uint64_t root);

/* Makes what a worker gathers records in. NULL: no memory. The journal frees it. Any thread. */
struct tree_records *tree_journal_worker(struct tree_journal *journal);

/* Records a name. `bytes`: that were copied for it. `records` is the caller's own. A failure is kept in the journal. */
void tree_journal_add(struct tree_journal *journal, struct tree_records *records, const struct record_entry *entry,
                      uint64_t bytes);

/* Ends the journal after the workers have ended. `is_done`: all is copied, which is recorded, too. `removes`: the file
 * is removed; otherwise all records are written. Returns 0, or the error of the first write that failed. Allowed
 * without a journal. */
int tree_journal_close(struct tree_journal *journal, bool is_done, bool removes);

/* Writes an identity of this start of the machine to `ret`; "": it has none that is known. */
void tree_journal_boot(char *ret, size_t size);

#endif
