/* SPDX-License-Identifier: MIT */
/* A pass over a tree: stages of one step, whose source is the walker. And leat_tree_copy, the pass that copies. */
#include "tree/ends/several.h"
#include "tree/journal/leftover.h"
#include "tree/journal/resume.h"
#include "tree/share/shard.h"
#include "tree/target/change.h"
#include "tree/target/extra.h"
#include "tree/target/plan.h"
#include "tree/tree.h"

/* ---- options ---- */

/* From here on the name of the digest is as providers spell it. */
static int find_provider(struct tree_copy *tree, struct leat_error *error)
{
    int r = tree->options.digest ? digest_find(&tree->digest, tree->options.digest, error) : 0;
    if (r == 0 && tree->options.digest) {
        tree->options.digest = tree->digest.name;
        tree->provider = tree->digest.provider;
    }
    return r;
}

static int read_options(struct tree_copy *tree, const struct leat_tree_options *options,
                        const struct leat_tree_result *result, struct leat_error *error)
{
    int r = options_copy(&tree->options, sizeof(tree->options), options);
    struct leat_tree_options *o = &tree->options;
    if (r == 0 && result && options_size(result) < sizeof(size_t))
        return error_set(error, -EINVAL, "The result has no size");
    if (r < 0)
        return error_set(error, r, "The options are not those of this version");
    if (enum_check(o->keep, LEAT_TREE_ALL) < 0)
        return error_set(error, -EINVAL, "%d is nothing that can be kept", (int)o->keep);
    if (o->jobs < 0 || o->jobs > LEAT_TREE_JOBS_MAX)
        return error_set(error, -EINVAL, "%d is no number of jobs: up to %d are possible", (int)o->jobs,
                         LEAT_TREE_JOBS_MAX);
    if (o->shards < 0 || o->shards > LEAT_TREE_SHARDS_MAX)
        return error_set(error, -EINVAL, "%d is no number of shards: up to %d are possible", (int)o->shards,
                         LEAT_TREE_SHARDS_MAX);
    if (o->shard < 0 || o->shard >= MAX(o->shards, 1))
        return error_set(error, -EINVAL, "There is no shard %d of %d: the first one is 0", (int)o->shard,
                         (int)MAX(o->shards, 1));
    if (o->claims && (o->shards > 1 || tree->pass->sink))
        return error_set(error, -EINVAL, "Claims are for a copy, and for one without shards");
    if (o->claims && (o->dry_run || o->delete_extra || o->publish))
        return error_set(error, -EINVAL, "With claims there is no `dry_run`, `delete_extra` and `publish`");
    if (o->lease_ms < 0 || (o->lease_ms && !o->claims))
        return error_set(error, -EINVAL, "%d ms is no lease of claims", (int)o->lease_ms);
    if (o->claims && o->journal && !o->journal_optional)
        return error_set(error, -EINVAL, "Claims say what is copied, and have no journal");
    if (o->resume && !o->journal)
        return error_set(error, -EINVAL, "There is no journal to go on from");
    if (o->progress_ms < 0)
        return error_set(error, -EINVAL, "%d is no number of milliseconds", (int)o->progress_ms);
    if (tree->pass->check) {
        r = tree->pass->check(tree, error);
        if (r < 0)
            return r;
    }
    r = plan_check(tree, error);
    if (r == 0)
        r = several_check(tree, error);
    if (r == 0)
        r = select_init(tree, error);
    if (r == 0)
        r = names_init(tree, error);
    return r < 0 ? r : find_provider(tree, error);
}

/* ---- the roots ---- */

static int take_sink(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    bool has_source = tree->pass->source || tree->source == &source_folder;
    if (!has_source || tree->sink != &sink_folder)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, has_source ? target : source, "open",
                        "Only folders are compared");
    tree->sink = tree->pass->sink;
    if (tree->pass->source)
        tree->source = tree->pass->source;
    return 0;
}

static int open_roots(struct tree_copy *tree, const char *source, const char *from, const char *target, const char *to,
                      struct leat_error *error)
{
    int r = select_ends(tree, source, target, error);
    if (r < 0)
        return r;
    struct tree_dir *root = tree->root = dir_root(tree);
    if (!root)
        return error_set(error, -ENOMEM, "out of memory");
    tree->pending = root;
    r = tree->source->open(tree, source, from, error);
    if (r == 0)
        r = names_check(tree, error);
    if (r == 0)
        r = stage_begin(tree, target, &to, error);
    if (r == 0)
        r = resume_open(tree, source, to, error); /* a target that is there has a journal, whenever it ends */
    if (r == 0)
        r = stage_prepare(tree, error);
    if (r == 0)
        r = tree->sink->open(tree, target, to, error);
    if (r == 0)
        r = stage_confirm(tree, error);
    root->is_entered = r == 0;
    root->existed |= tree_is_shared(tree);
    if (r == 0) {
        leftover_clear(tree, root);
        r = resume_begin(tree);
    }
    if (r == 0 && !tree->pass->sink && identity_is_same(&root->identity[SOURCE], &root->identity[TARGET]))
        return error_at(error, -EINVAL, LEAT_SIDE_SINK, target, "open",
                        "The source and the target are the same folder");
    if (r == 0)
        r = extra_begin(tree, root);
    if (r == 0 && tree->sink->dir_open && !tree->pass->sink && !root->existed)
        change_tell(tree, root, NULL, LEAT_TREE_MADE);
    return r;
}

/* Workers of ends that wait for a network wait together; those of folders share the processors. */
static void choose_jobs(struct tree_copy *tree)
{
    unsigned processors = (unsigned)leat_processors_count();
    unsigned wanted = (unsigned)MAX(tree->source->jobs, tree->sink->jobs);
    unsigned most = tree->sink->jobs_most ? (unsigned)tree->sink->jobs_most : LEAT_TREE_JOBS_MAX;
    tree->jobs = tree->options.jobs ? (unsigned)tree->options.jobs : wanted ? wanted : MAX(processors, 2);
    tree->jobs = MIN(tree->jobs, most);
    tree->batch_names = wanted ? BATCH_NAMES_FAR : BATCH_NAMES;
}

/* ---- running ---- */

static int do_batch(leat_work *work, void *batch, void *user)
{
    struct tree_copy *tree = user;
    (tree->claims ? claim_batch : tree->pass->batch)(tree, leat_work_state(work), batch);
    batch_free(user, batch);
    return LEAT_STAGE_DONE;
}

static void drop_batch(void *user, void *batch)
{
    batch_free(user, batch);
}

static void read_counts(struct tree_copy *tree, struct leat_tree_result *ret)
{
    const struct tree_counts *c = &tree->counts;
    *ret = (struct leat_tree_result){.size = sizeof(*ret),
                                     .files = atomic_load(&c->files),
                                     .bytes = flights_bytes(tree),
                                     .directories = atomic_load(&c->directories),
                                     .symlinks = atomic_load(&c->symlinks),
                                     .hard_links = atomic_load(&c->hard_links),
                                     .specials = atomic_load(&c->specials),
                                     .dropped = atomic_load(&c->dropped),
                                     .problems = atomic_load(&c->problems),
                                     .excluded = atomic_load(&c->excluded),
                                     .unchanged = atomic_load(&c->unchanged),
                                     .resumed = atomic_load(&c->resumed),
                                     .journal = atomic_load(&c->journal),
                                     .deleted = atomic_load(&c->deleted),
                                     .differences = atomic_load(&c->differences)};
    for (size_t i = 0; i < LEAT_TREE_DIFFERENCE_KINDS; i++)
        ret->differing[i] = atomic_load(&c->differing[i]);
    for (size_t i = 0; i < LEAT_TREE_LOST_KINDS; i++)
        ret->lost[i] = atomic_load(&c->lost[i]);
    ret->jobs = tree->jobs;
    ret->found = atomic_load(&c->found);
    ret->found_bytes = atomic_load(&c->unsized) ? 0 : atomic_load(&c->found_bytes);
    ret->has_found_all = atomic_load(&c->has_found_all);
}

static bool is_wanted(struct tree_copy *tree)
{
    struct leat_tree_result now;
    if (!tree->options.progress)
        return true;
    read_counts(tree, &now);
    flights_tell(tree);
    return tree->options.progress(tree->options.user, &now) == 0;
}

bool tree_is_wanted(struct tree_copy *tree)
{
    int64_t now = clock_ns();
    int interval = tree->options.progress_ms ? tree->options.progress_ms : 200;
    if (tree->options.progress && !tree_is_canceled(tree) && now - tree->asked_ns >= (int64_t)interval * 1000000) {
        tree->asked_ns = now;
        if (!is_wanted(tree))
            atomic_store(&tree->canceled, true);
    }
    return !tree_is_canceled(tree);
}

/* Waits for the end, and asks the program from time to time whether it is to go on. */
static int wait_for_it(struct tree_copy *tree, leat_stages *stages, struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    int interval = tree->options.progress_ms ? tree->options.progress_ms : 200;
    int r;
    while ((r = leat_stages_wait(stages, tree->options.progress ? interval : -1, &own)) == -ETIMEDOUT)
        if (!tree_is_canceled(tree) && !is_wanted(tree)) {
            atomic_store(&tree->canceled, true);
            own.code = -ECANCELED;
            break;
        }
    if (own.code == -ECANCELED) { /* the workers end with the file that each of them has */
        leat_stages_wait(stages, -1, NULL);
        *error = (struct leat_error){.size = sizeof(*error)};
        return error_set(error, -ECANCELED, "The program has ended it");
    }
    error_hand_on(error, &own);
    return r;
}

static int run_stages(struct tree_copy *tree, struct leat_error *error)
{
    leat_stages *stages;
    struct leat_error own = {.size = sizeof(own)}; /* `error` may have a problem already */
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    choose_jobs(tree);
    stage.name = tree->pass->name;
    stage.function = do_batch;
    stage.user = tree;
    stage.dispose = drop_batch;
    stage.worker_open = tree->pass->worker_open;
    stage.worker_close = tree->pass->worker_close;
    stage.workers = tree->jobs;
    stage.queue = 2 * stage.workers;
    stage.batch = 1;
    int r = leat_stages_new(&stages, NULL, &own);
    if (r < 0)
        return error_hand_on(error, &own);
    r = leat_stages_add(stages, &stage, &own);
    if (r < 0)
        error_hand_on(error, &own);
    if (r == 0)
        r = leat_stages_source(stages, walk_next, tree);
    if (r == 0)
        r = leat_stages_start(stages);
    if (r == 0)
        r = wait_for_it(tree, stages, error);
    if (r < 0)
        atomic_store(&tree->canceled, true); /* the walker may wait for workers */
    leat_stages_free(stages);
    return r;
}

static void close_ends(struct tree_copy *tree)
{
    if (tree->sink && tree->sink->close)
        tree->sink->close(tree);
    if (tree->source && tree->source->close)
        tree->source->close(tree);
}

/* A copy that one of the ends makes. */
static int copy_at_once(struct tree_copy *tree, const struct ends_names *names, struct leat_error *error)
{
    int r = ends_copy(tree, names, error);
    links_clear(tree);
    for (int i = 0; tree->root && i < 2; i++)
        dir_unref(tree, tree->root); /* that of its work, too: no walker ends it */
    close_ends(tree);
    return r < 0 ? r : tree->error->code;
}

static int run(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    const char *from = NULL, *to = NULL;
    links_init(&tree->links);
    int r = ends_find_source(source, &tree->source, &from, error);
    if (r == 0)
        r = ends_find_sink(target, &tree->sink, &to, error);
    if (r == 0 && tree->pass->sink)
        r = take_sink(tree, source, target, error);
    if (r == 0 && tree_is_shared(tree) && tree->sink->finish)
        r = error_set(error, -EINVAL, "A target that becomes whole at the end can't be shared by several processes");
    if (r == 0)
        r = stage_check(tree, target, error);
    if (r == 0)
        r = several_replace_sink(tree, from, to, error);
    if (r < 0)
        return r;
    if (tree->source->copy || tree->sink->copy)
        return copy_at_once(tree, &(struct ends_names){source, from, target, to}, error);
    r = open_roots(tree, source, from, target, to, error);
    bool is_left = r == 0 && shard_leaves_dir(tree, tree->root);
    bool begins = r == 0;
    if (r == 0 && !is_left)
        r = walk_begin(tree);
    if (r == 0 && !is_left)
        r = run_stages(tree, error);
    if (r < 0 || is_left)
        atomic_store(&tree->canceled, true); /* so that no folder gets its attributes */
    walk_end(tree);
    links_tell_apart(tree);
    if (r == 0 && !tree_is_canceled(tree) && tree->sink->finish)
        r = tree->sink->finish(tree, error);
    links_clear(tree);
    if (r == 0)
        stage_sync(tree);
    bool is_done = r == 0 && tree->error->code == 0 && stage_publish(tree) == 0;
    resume_close(tree, begins, is_done);
    stage_clear(tree, !is_done && !atomic_load(&tree->counts.journal));
    if (tree->root)
        dir_unref(tree, tree->root);
    close_ends(tree);
    return r < 0 ? r : tree->error->code;
}

int tree_run(const struct tree_pass *pass, void *given, const char *source, const char *target,
             const struct leat_tree_options *options, struct leat_tree_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error first = {.size = sizeof(first)};
    struct tree_copy tree = {
        .pass = pass, .given = given, .error = &first, .journal.fd = -1, .stage.place.directory = -1};
    struct leat_tree_result result;
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = read_options(&tree, options, ret_result, &first);
    bool is_begun = r == 0;
    dirs_init(&tree.dirs);
    pieces_init(&tree.pieces);
    flights_init(&tree.flights);
    pthread_mutex_init(&tree.lock, NULL);
    if (r == 0)
        r = tree.options.claims ? claims_run(&tree, source, target, run) : run(&tree, source, target, &first);
    pthread_mutex_destroy(&tree.lock);
    pieces_clear(&tree.pieces);
    dirs_clear(&tree.dirs);
    select_clear(&tree);
    names_clear(&tree);
    read_counts(&tree, &result);
    flights_clear(&tree.flights);
    if (is_begun && ret_result)
        return_sized(ret_result, &result, sizeof(result));
    return error_return(ret_error, &first, r);
}

/* ---- the copy ---- */

static const struct tree_pass copying = {
    .name = "copy",
    .batch = entry_copy_batch,
    .worker_open = entry_worker_open,
    .worker_close = entry_worker_close,
};

int leat_tree_copy(const char *source, const char *target, const struct leat_tree_options *options,
                   struct leat_tree_result *ret_result, struct leat_error *ret_error)
{
    return tree_run(&copying, NULL, source, target, options, ret_result, ret_error);
}
