/* SPDX-License-Identifier: MIT */
/* A copy of a tree: what its files share. The walker (walk.c) reads folders and makes batches of names; workers take a
 * batch each (entry.c) and copy what the names are. */
#ifndef TREE_TREE_H
#define TREE_TREE_H

#include "base/error.h"
#include "tree/digest.h"
#include "tree/dir.h"
#include "tree/ends.h"
#include "tree/flight.h"
#include "tree/journal/journal.h"
#include "tree/journal/recorded.h"
#include "tree/links.h"
#include "tree/pieces.h"
#include "tree/select/names.h"
#include "tree/select/select.h"
#include "tree/share/claim.h"
#include "tree/target/stage.h"
#include <leat/stages.h>
#include <leat/tree.h>
#include <stdatomic.h>

/* The numbers of struct leat_tree_result, counted by several threads. */
struct tree_counts {
    atomic_ullong files, bytes, directories, symlinks, hard_links, specials, dropped, problems, differences, excluded,
        deleted, unchanged, resumed, journal;
    atomic_ullong found, found_bytes, unsized, has_found_all; /* of the walker */
    atomic_ullong differing[LEAT_TREE_DIFFERENCE_KINDS], lost[LEAT_TREE_LOST_KINDS];
};

struct tree_batch;

/* What is done with the names that the walker finds: they are copied (copy.c), or compared (verify.c). */
struct tree_pass {
    const char *name; /* of the stage */
    /* The target, instead of the end that its name says, which must be a folder; and so must the source, unless the
     * pass has one, too. NULL: the end of the name. A pass with a sink changes nothing. */
    const struct tree_sink *sink;
    const struct tree_source *source;
    /* Refuses options that do not fit, with a sentence. Optional. */
    int (*check)(struct tree_copy *tree, struct leat_error *error);
    /* The sink could not open a folder: records what that means, and returns the code. Optional: it is a problem. */
    int (*missing)(struct tree_copy *tree, struct tree_dir *dir, int code);
    /* Does the names of a batch, on the thread of a worker. The hooks of a worker are those of struct leat_stage, whose
     * `user` is the tree. */
    void (*batch)(struct tree_copy *tree, void *worker, struct tree_batch *batch);
    int (*worker_open)(void *user, void **ret_worker);
    void (*worker_close)(void *user, void *worker);
};

/* The hook `check` of a pass that writes nothing. */
int tree_check_only_reads(struct tree_copy *tree, struct leat_error *error);

/* Does a public call: runs the pass over a tree. `given` is for the pass. */
int tree_run(const struct tree_pass *pass, void *given, const char *source, const char *target,
             const struct leat_tree_options *options, struct leat_tree_result *ret_result,
             struct leat_error *ret_error);

struct tree_copy {
    const struct tree_pass *pass;
    void *given; /* to the pass */
    struct leat_tree_options options;
    const struct tree_source *source;
    const struct tree_sink *sink;
    struct tree_sink planned;        /* of a dry run: `sink` */
    unsigned targets;                /* of ends/several.h; 0: there is one */
    void *source_state, *sink_state; /* what each end has for itself */
    unsigned jobs;                   /* workers */
    unsigned batch_names;            /* names of a batch, at most */
    struct tree_counts counts;
    struct tree_dirs dirs;
    struct tree_links links;
    struct tree_flights flights;
    struct tree_select select;
    struct tree_names names;
    struct tree_claims *claims; /* of the option `claims`; NULL: none */
    struct tree_pieces pieces;
    struct tree_dir *pending;     /* the root, until the walker reads it; the walker's own */
    struct tree_unread *unread;   /* names of folders that the walker has not read yet; the walker's own */
    struct tree_reading *reading; /* the walker's own */
    struct tree_flat *flat;       /* the walker's own, of a source that is flat */
    struct tree_dir *root;        /* valid as long as the copy */
    pthread_mutex_t lock;         /* of `error`, and of the calls to functions of the program */
    struct leat_error *error;
    const struct digest_provider *provider; /* of the option `digest`; NULL: none */
    struct tree_digest digest;
    struct tree_journal journal; /* see resume.h */
    struct recorded recorded;    /* what it had when the copy went on */
    struct tree_stage stage;
    atomic_bool canceled;
    int64_t asked_ns;      /* when tree_is_wanted asked the program last */
    atomic_bool no_clones; /* the target can't share blocks with the source */
};

/* What a batch has: names of one folder. The walker makes it, a worker frees it by batch_free. */
enum {
    BATCH_NAMES = 64,
    BATCH_NAMES_FAR = 4, /* of an end that is waited for: more workers at once are better than fewer batches */
    BATCH_BYTES = 8192,
    BATCH_NAME_MAX = 1025, /* bytes of a name, with its NUL: keys of stores are longer than names of files */
};

struct tree_batch {
    struct tree_dir *dir;     /* has work: see dir.h */
    struct tree_large *large; /* NULL, or a file to help with; then there are no names. See pieces.h */
    unsigned count;
    size_t used;
    bool is_file[BATCH_NAMES]; /* it was a regular file when the folder was read */
    void *mark[BATCH_NAMES];   /* the source's; NULL: none, or it was dropped */
    char bytes[BATCH_BYTES];   /* the names, each with its NUL */
};

/* Makes an empty batch, which holds the folder. Returns 0 or a code, after it has recorded the problem. */
int batch_new(struct tree_copy *tree, struct tree_dir *dir, struct tree_batch **ret);
void batch_add(struct tree_batch *batch, const char *name, size_t n, bool is_file, void *mark);
/* Counts a name that was found, for the progress. */
void batch_count(struct tree_copy *tree, const struct tree_found *found);
/* Is there no room for another name? */
bool batch_is_full(const struct tree_copy *tree, const struct tree_batch *batch);
void batch_drop_mark(struct tree_copy *tree, struct tree_batch *batch, unsigned i);
void batch_free(struct tree_copy *tree, struct tree_batch *batch);

/* Begins at the root. Returns 0 or -ENOMEM. */
int walk_begin(struct tree_copy *tree);
/* Gives the next batch, as leat_next_fn; `user` is the tree. */
int walk_next(void *user, void **ret_batch);
/* Ends the work of the folders that were not read. Allowed at any time. */
void walk_end(struct tree_copy *tree);

/* What a worker has for itself. */
struct tree_worker {
    char *buffer;                 /* of FILE_SMALL + 1 bytes */
    struct tree_records *records; /* the journal's; NULL: there is no journal */
    struct tree_flight *flight;   /* of the large file that it copies */
};

/* The hooks of the stage whose items are batches; `user` is the tree. */
int entry_worker_open(void *user, void **ret_worker);
void entry_worker_close(void *user, void *worker);
void entry_copy_batch(struct tree_copy *tree, void *worker, struct tree_batch *batch);

/* As error_text; -ESTALE is told in the words of a tree. */
const char *tree_error_text(int code, char *text, size_t size);
/* Records a problem with `name` in a folder; NULL: with the folder itself. `operation` is the call that failed. The
 * format is that of printf; NULL: the sentence of the code. Returns `code`. */
int tree_problem(struct tree_copy *tree, const struct tree_dir *dir, const char *name, enum leat_side side, int code,
                 const char *operation, const char *format, ...) PRINTF(7, 8);

/* Tells a problem that is filled in. */
void tree_tell(struct tree_copy *tree, const struct leat_error *error);

/* Asks the program from time to time whether it still wants the copy. False: it does not, and the copy is cancelled.
 * For a copy without workers: on the thread of the call. */
bool tree_is_wanted(struct tree_copy *tree);

/* How many problems this thread has recorded. */
unsigned long tree_problems_here(void);

/* May another process work in the same target? */
static inline bool tree_is_shared(const struct tree_copy *tree)
{
    return tree->options.shards > 1 || tree->options.claims;
}

static inline bool tree_is_canceled(struct tree_copy *tree)
{
    return atomic_load_explicit(&tree->canceled, memory_order_relaxed);
}

#endif
