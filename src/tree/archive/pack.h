/* SPDX-License-Identifier: MIT */
/* A copy whose target is an archive. The names of each folder are sorted, so the same tree gives the same bytes. The
 * archive is the source of a pipeline: when the pipeline asks for bytes, the next piece of the tree is read and goes
 * through libarchive. So the archive can be compressed, and can go wherever the bytes of a file can go. */
#ifndef TREE_PACK_H
#define TREE_PACK_H

#include "archive/library.h"
#include "archive/output.h"
#include "base/error.h"
#include "base/identity.h"
#include "tree/beneath.h"
#include "tree/links.h"
#include <leat/endpoint.h>
#include <leat/filter.h>
#include <locale.h>

struct tree_copy;

/* A folder whose names are being packed. */
struct pack_level {
    char **name; /* sorted */
    size_t count, next;
    size_t length; /* of its path */
};

/* A regular file whose bytes are being packed. */
struct pack_file {
    int fd; /* -1: none */
    struct stat st;
    uint64_t at;
    uint64_t data, hole;    /* the data that is next, and its end; `data` at the end of the file: there is none */
    bool failed;            /* the rest is zeros */
    void *digest;           /* its state; NULL: none */
    struct tree_link *link; /* it has several names, and this is the first; NULL: it is the only one */
};

enum {
    PACK_DIGEST = 80
};

/* What becomes of the archive. */
struct pack_target {
    const char *name;         /* for messages */
    const char *codec;        /* compresses it; NULL: nothing does */
    struct identity identity; /* the file that it replaces or goes to, which is not packed */
    struct identity folder;   /* its folder, where it has a hidden name until it is whole, and its own name */
    const char *base;
    bool is_layer; /* of an image: names that begin with ".wh." are refused, and the digests are computed */
    char plain[PACK_DIGEST], packed[PACK_DIGEST]; /* "sha256:...", before and after the codec */
};

struct packing {
    struct tree_copy *tree;
    struct archive *archive;
    struct beneath folders;
    struct pack_level *level;
    size_t depth, capacity; /* depth: levels that are not done */
    char *path;             /* of the name that is being packed */
    size_t room;
    struct pack_file file;
    struct pack_target *target;
    leat_filter *digest[2]; /* before and after the codec; NULL: none */
    locale_t locale;        /* whose names are bytes */
    bool begun, ended;      /* the root was packed; all was */
    unsigned char *block;   /* of PACK_BLOCK bytes */
    unsigned char *zeros;   /* of PACK_ZEROS bytes, for holes; NULL: there was none yet */
    struct archive_output output;
};

enum {
    PACK_BLOCK = 256 * 1024,
    PACK_ZEROS = 8 * 1024 * 1024
};

/* Opens the folder that is the source. Returns 0 or a negative errno with *error filled in. */
int pack_begin(struct tree_copy *tree, const char *path, struct leat_error *error);
/* Copies the open source of the tree to an archive that goes to `sink`, which the call takes, on failure too. Returns 0
 * or a negative errno, which was told, unless *error is filled in: then it could not begin or was cancelled. */
int pack_tar(struct tree_copy *tree, leat_endpoint *sink, struct pack_target *target, struct leat_error *error);

/* ---- between the files of pack ---- */

/* Packs the next name: its header; a regular file is open then. Returns 1; 0: there is none; or a negative errno. */
int pack_next(struct packing *p);
/* Frees what the walk has. */
void pack_forget(struct packing *p);
/* Begins a regular file of a folder: its header. Returns 0, also after a problem that was recorded, or a negative
 * errno. */
int pack_begin_file(struct packing *p, int folder, const char *name);
/* Packs the next piece of the file, or ends it. Returns 0 or a negative errno. */
int pack_go_on(struct packing *p);
void pack_close_file(struct packing *p);

/* Makes an entry with what the options keep of a file. `fd`: the open file; -1: it can't be opened, and `name` is its
 * name in `folder`. NULL: there is no memory. What can't be read or kept is recorded. */
struct archive_entry *pack_entry(struct packing *p, const struct stat *st, int fd, int folder, const char *name);
/* Packs a further name of what has `first` as its first one; the rest is as for pack_entry. Returns 0 or a negative
 * errno. */
int pack_link(struct packing *p, const struct stat *st, int fd, int folder, const char *name, const char *first);
/* Writes the header and frees the entry; NULL: there was no memory. Returns 0 or a negative errno. */
int pack_header(struct packing *p, struct archive_entry *entry);
/* What to say of a failure of libarchive. */
int pack_failed(const struct packing *p);
/* Records a problem with the name that is being packed. */
int pack_problem(struct packing *p, int code, const char *operation, const char *text);

#endif
