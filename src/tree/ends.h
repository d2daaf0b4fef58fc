/* SPDX-License-Identifier: MIT */
/* The ends of a copy: what a tree can come from and go to. To add an end: a file with a table, and a row in
 * src/registry/trees.c.
 *
 * All hooks get the copy; an end keeps what it has for itself in tree->source_state or tree->sink_state. A hook that
 * returns a code has recorded the problem by tree_problem, unless its comment says otherwise. Hooks are called by any
 * worker, several at the same time, unless their comments say otherwise. An optional hook may be NULL. */
#ifndef TREE_ENDS_H
#define TREE_ENDS_H

#include "base/base.h"
#include "base/error.h"
#include "endpoint/publish.h"
#include <leat/endpoint.h>
#include <sys/stat.h>

struct tree_copy;
struct tree_dir;
struct tree_worker;

/* A name as the source gives it. */
struct tree_found {
    const char *name; /* valid until the next call of `next` */
    mode_t kind;      /* as S_IFMT; 0: a worker will ask `look` */
    struct stat st;   /* of a folder, from a source that is flat: st_mode 0: nothing is known of it */
    bool has_bytes;   /* of a file: its length is known, which is asked for only with the option `sizes` */
    uint64_t bytes;
    void *mark; /* what the source keeps of the name; `drop` takes it. NULL: nothing */
};

/* A file of the source that is open for reading. */
struct tree_input {
    int fd;                  /* -1: `endpoint` has the bytes */
    leat_endpoint *endpoint; /* has a reference; NULL: `fd` has the bytes */
    struct stat st; /* what is known of it; st_mode 0: its mode is not known; st_uid and st_gid -1: its owner */
    void *mark;     /* as in struct tree_found */
    void *own;      /* the source's, until `file_close` */
};

struct tree_source {
    const char *scheme; /* "s3": its trees are named s3:...; "": its trees are paths without a scheme, and file:... */
    bool is_flat;       /* `next` gives names of the whole tree, and `dir_open` is NULL */
    /* Names come in an order that is not chosen, and their bytes only until the next name: `next` waits until the mark
     * that it gave before is dropped. Such a source is flat, and gives each name a mark. */
    bool is_sequence;
    int jobs; /* workers, if the program does not say how many; 0: by the number of processors */

    /* Opens the tree `rest`, the text behind the scheme and its colon, and fills in what belongs to the source of
     * tree->root: its descriptor, `st` and identity. `spec` is the whole name. Called once, first. Returns 0, or a
     * negative errno with *error filled in; it records no problem. */
    int (*open)(struct tree_copy *tree, const char *spec, const char *rest, struct leat_error *error);
    /* Frees what the source has for itself. Called once, at the end, by the thread of the copy; also after a failure of
     * `open`. Optional. */
    void (*close)(struct tree_copy *tree);

    /* Opens a folder by its name in the folder above, whose descriptors are held: sets dir->fd[SOURCE], and fills in
     * *ret. Called under a lock. Returns 0 or a negative errno; it records no problem. NULL: folders are not opened. */
    int (*dir_open)(struct tree_dir *dir, struct stat *ret);

    /* The names of a folder, on the walker's thread alone: `begin`, then `next` until it returns 0 or a code, then
     * `end`. `dir` is the folder that is read; its descriptors are held. A flat source has one such folder, the root,
     * and gives paths in the tree, whose parts are joined by "/"; folders above a name need not be given, nor before
     * it. Names need not be valid: the walker looks at each part. `begin` and `next` may block; they return when
     * tree_is_canceled. `next` returns 1: *ret is the next name; 0: there are no more. */
    int (*begin)(struct tree_copy *tree, struct tree_dir *dir);
    int (*next)(struct tree_copy *tree, struct tree_dir *dir, struct tree_found *ret);
    void (*end)(struct tree_copy *tree);
    /* Frees a mark: its name was copied, or is not wanted. Called once for each mark. Optional. */
    void (*drop)(struct tree_copy *tree, void *mark);

    /* Says what a name is now, without following links. `mark` is that of the name; NULL also for a name that
     * is looked at again. */
    int (*look)(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark, struct stat *ret);
    /* Opens a regular file. *ret is zero, with fd -1 and the mark. Returns 0, or a code; then nothing is open. */
    int (*file_open)(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct tree_input *ret);
    /* All bytes were read: what is known of the file may have become more. Optional. */
    int (*file_read)(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct tree_input *input);
    /* Closes the file; frees `own`, and `endpoint`. */
    void (*file_close)(struct tree_copy *tree, struct tree_input *input);
    /* Reads the text of a symbolic link: at most n bytes with the NUL. Optional: there are none. */
    int (*link_read)(struct tree_copy *tree, const struct tree_dir *dir, const char *name, void *mark, char *ret,
                     size_t n);

    /* Makes the whole copy on the calling thread, without the walker and the workers, because an archive has an order
     * of its own. `path` is the folder at the other end. All hooks but this one are NULL then. Returns 0, or a negative
     * errno with *error filled in, unless it has told the failure. NULL: the walker and the workers copy. */
    int (*copy)(struct tree_copy *tree, const char *spec, const char *rest, const char *path, struct leat_error *error);
};

/* A file of the target that is being written. */
struct tree_output {
    int fd;                  /* an empty file without a visible name. -1: `endpoint` takes the bytes */
    leat_endpoint *endpoint; /* a sink; the copy takes it. NULL: `fd` takes the bytes */
    struct publish publish;  /* of a folder's file */
    ino_t inode;             /* of the file, set by `file_end`; 0: unknown */
    mode_t mode;             /* of the file that it replaces; 0: it replaces none */
    void *own;               /* the sink's, until `file_end` */
    /* Of several targets: the file in each of those that can have it, `count` of them. Then this output has neither a
     * descriptor nor an endpoint. NULL: there is one target. */
    struct tree_output *each;
    unsigned count;
    /* Of one of these: */
    struct tree_dir *dir; /* the folder of that target, which its problems are told with */
    int code;             /* 0, or why it gets no more bytes; then the problem is recorded */
};

/* A name that is no regular file and no folder. */
struct tree_making {
    struct tree_copy *tree;
    struct tree_dir *dir;
    const char *name;
    const struct stat *st;       /* of the source; NULL: a hard link */
    const char *text;            /* of a symbolic link */
    const struct tree_dir *from; /* of a hard link: the folder of the first name, whose descriptors are held */
    const char *first;           /* the first name there */
};

struct tree_sink {
    const char *scheme; /* as in struct tree_source */
    int jobs;           /* as in struct tree_source; the larger number counts */
    int jobs_most;      /* the most workers; 0: no limit. 1: the sink is written by one worker at a time */
    /* Names are keys, which may have any bytes: the sink has no folders. What a flat source gives it are whole names in
     * the root. */
    bool has_keys;

    /* As in struct tree_source, for the sink of tree->root. `open` makes the root if it is missing, and sets
     * root->existed. Called after the source's. */
    int (*open)(struct tree_copy *tree, const char *spec, const char *rest, struct leat_error *error);
    /* All was copied, as far as it could be: makes the result whole. Called once, by the thread of the copy, unless the
     * copy was cancelled or could not run. Returns 0, or a negative errno with *error filled in. Optional. */
    int (*finish)(struct tree_copy *tree, struct leat_error *error);
    /* As in struct tree_source. Without `finish` before it, nothing that is half done is left. */
    void (*close)(struct tree_copy *tree);

    /* Makes a folder, or opens the one that is there: sets dir->fd[TARGET] and dir->existed, and fills in *ret.
     * `again`: it was made before, and has lost its descriptor. Called under a lock if `again`. Returns 0 or a negative
     * errno with the name of the call in *ret_operation; it records no problem. DIR_LEFT: it has recorded the problems.
     * NULL: the sink has no folders. */
    int (*dir_open)(struct tree_copy *tree, struct tree_dir *dir, bool again, struct stat *ret,
                    const char **ret_operation);
    /* The folder has all that it gets; its descriptors are held. Optional. */
    int (*dir_end)(struct tree_copy *tree, struct tree_dir *dir);

    /* Begins a file: the bytes of `input` go into ret->fd or ret->endpoint. *ret is zero, with fd -1. Returns 0, or a
     * code; then nothing is open. */
    int (*file_open)(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                     struct tree_output *ret);
    /* Ends the file, always. `code` 0: all bytes were written, and the pipeline has committed an endpoint: the file
     * gets its attributes and its name. Otherwise nothing of it is left, and the call returns `code`. */
    int (*file_end)(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                    struct tree_output *output, int code);
    /* Copies a whole file without its bytes passing through here. Returns 0; a code; or 1: it is to be copied as other
     * files are. Called before `file_open`. Optional. */
    int (*file_take)(struct tree_copy *tree, struct tree_dir *dir, const char *name, struct tree_input *input);

    /* Make names. Optional, each: the target can't have such names. Return 1, and record nothing, if that shows only
     * now: then a further name is copied as a file of its own, and others are lost. */
    int (*symlink)(const struct tree_making *making);
    int (*special)(const struct tree_making *making);
    int (*hard_link)(const struct tree_making *making);

    /* As in struct tree_source. */
    int (*copy)(struct tree_copy *tree, const char *spec, const char *rest, const char *path, struct leat_error *error);
};

/* All of them; src/registry/trees.c has the lists, which end with NULL. */
extern const struct tree_source *const registry_tree_sources[];
extern const struct tree_sink *const registry_tree_sinks[];

/* The tables. */
extern const struct tree_source source_folder, source_s3, source_tar, source_oci, source_docker, source_oci_archive,
    source_docker_archive;
extern const struct tree_sink sink_folder, sink_s3, sink_tar, sink_oci, sink_docker, sink_oci_archive,
    sink_docker_archive;
extern const struct tree_sink sink_several; /* no name means it: see ends/several.h */

/* Finds the end that a name belongs to, and the text behind its scheme. Returns 0, or -EINVAL with a sentence. */
int ends_find_source(const char *spec, const struct tree_source **ret, const char **ret_rest, struct leat_error *error);
int ends_find_sink(const char *spec, const struct tree_sink **ret, const char **ret_rest, struct leat_error *error);

/* The names of both ends, and what is behind their schemes. */
struct ends_names {
    const char *source, *from;
    const char *target, *to;
};
/* Makes a copy whose source or sink has the hook `copy`. Returns 0, or a negative errno with *error filled in, unless
 * it was told. */
int ends_copy(struct tree_copy *tree, const struct ends_names *names, struct leat_error *error);

/* The target can't keep something of a file. Returns 0 if the program does not mind, which is counted; otherwise the
 * code, after it has recorded the problem. */
int ends_lose(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code, const char *operation,
              const char *lost);

#endif
