/* The journal of an upload: a file in which stands, line by line, what the store has of it. A program that was killed
 * leaves it, and the next one goes on from there.
 *
 * The file is text. Its first line says what it is, the second names the object by its URL, the third the upload, and
 * each further one a part: its number, size, SHA-256 and ETag. A line that was cut counts for nothing. It holds no
 * secrets. While it is open it is locked, so that no other process uses it; the lock is one of fcntl(2). */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/error.h"
#include <stdbool.h>

/* A part that was sent. */
struct journal_part {
    uint64_t size;
    char sha256[65]; /* hex; "": the journal has none of this number */
    char *etag;      /* from malloc */
    bool is_there;   /* the store has said so */
};

struct journal {
    int fd;     /* -1: there is none */
    char *path; /* borrowed from whoever opened it */
    char *object;
    char *upload;              /* NULL: none was begun */
    struct journal_part *part; /* by their number, from 1 on */
    size_t parts;
};

/* Opens the file, which is made if it is not there (mode 0600), and reads it. `object` is copied, `path` is borrowed.
 * With a sentence in *error: -EINVAL if the file is something else, or belongs to another object; -EBUSY if another
 * process has it; what the file system says. On failure there is nothing to close. */
int journal_open(struct journal *ret, char *path, const char *object, struct leat_error *error);

/* What the file says of an upload and its parts counts for nothing from now on. */
void journal_forget(struct journal *journal);

/* An upload was begun: the file names it and no other one. What was read of the file stays as it is, since another
 * thread may look at it: journal_forget comes before. What the file system says. Any thread. */
int journal_begin(const struct journal *journal, const char *upload);

/* The store has a part: a line is written, and `part` stays as it is. What the file system says. Any thread. */
int journal_add(const struct journal *journal, unsigned number, uint64_t size, const char *sha256, const char *etag);

/* What the journal had of this number when it was opened; NULL: nothing. */
struct journal_part *journal_part(struct journal *journal, unsigned number);

/* Closes it; `remove`: the file as well. Legal without a journal. */
void journal_close(struct journal *journal, bool remove);

#endif
