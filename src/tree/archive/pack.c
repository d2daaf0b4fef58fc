/* SPDX-License-Identifier: MIT */
#include "tree/archive/pack.h"
#include "tree/ends.h"
#include "tree/tree.h"
#include <leat/filter.h>
#include <leat/pipeline.h>
#include <leat/report.h>
#include <stdio.h>

/* ---- what libarchive makes ---- */

static int produce(struct packing *p)
{
    if (p->file.fd >= 0)
        return pack_go_on(p);
    int r = pack_next(p);
    if (r != 0)
        return r < 0 ? r : 0;
    if (tree_is_canceled(p->tree))
        return -ECANCELED;
    p->ended = true;
    return archive.write_close(p->archive) == ARCHIVE_OK ? 0 : pack_failed(p);
}

/* ---- the source of the pipeline ---- */

/* Makes a whole block at once, because headers alone are small. The locale decides what libarchive takes for a name. */
static int source_read(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct packing *p = user;
    int r = 0;
    if (archive_output_left(&p->output) == 0) {
        locale_t usual = uselocale(p->locale);
        while (p->output.length < PACK_BLOCK && !p->ended && r == 0)
            r = produce(p);
        uselocale(usual);
    }
    if (r < 0)
        return r;
    *ret_n = archive_output_take(&p->output, bytes, n);
    return 0;
}

static int on_progress(void *user, const struct leat_progress *now UNUSED)
{
    return !tree_is_wanted(user);
}

/* ---- the pipeline ---- */

/* Adds a filter that computes the digest of what passes, and keeps a reference to it. */
static int add_digest(leat_pipeline *pipeline, leat_filter **ret, struct leat_error *error)
{
    int r = leat_filter_digest(ret, "sha256", NULL, error);
    return r < 0 ? r : leat_pipeline_filter(pipeline, leat_filter_ref(*ret));
}

static int add_codec(const struct packing *p, leat_pipeline *pipeline, struct leat_error *error)
{
    char options[32];
    leat_filter *filter;
    if (!p->target->codec)
        return 0;
    int jobs = p->tree->options.jobs ? p->tree->options.jobs : (int)leat_processors_count();
    snprintf(options, sizeof(options), "workers=%d", MIN(jobs, 64));
    int r = leat_filter_codec(&filter, p->target->codec, options);
    if (r < 0)
        return error_set(error, r, "The codec %s can't be used", p->target->codec);
    return leat_pipeline_filter(pipeline, filter);
}

static int add_filters(struct packing *p, leat_pipeline *pipeline, struct leat_error *error)
{
    int r = p->target->is_layer ? add_digest(pipeline, &p->digest[0], error) : 0;
    if (r == 0)
        r = add_codec(p, pipeline, error);
    if (r == 0 && p->target->is_layer)
        r = add_digest(pipeline, &p->digest[1], error);
    return r;
}

static int read_digest(leat_filter *filter, char ret[PACK_DIGEST])
{
    strcpy(ret, "sha256:");
    return leat_filter_digest_hex(filter, "sha256", ret + 7, PACK_DIGEST - 7);
}

/* Takes the sink, on failure too. */
static int build(struct packing *p, leat_endpoint *sink, leat_pipeline **ret, struct leat_error *error)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    leat_endpoint *source;
    callbacks.read = source_read;
    options.progress = on_progress;
    options.progress_ms = p->tree->options.progress_ms;
    options.user = p->tree;
    *ret = NULL;
    int r = leat_pipeline_new(ret, &options, error);
    if (r < 0) {
        leat_endpoint_close(sink);
        return r;
    }
    r = leat_pipeline_sink(*ret, sink, NULL, error);
    if (r == 0)
        r = leat_endpoint_from_callbacks(&source, &callbacks, p, error);
    if (r == 0)
        r = leat_pipeline_source(*ret, source);
    return r < 0 ? r : add_filters(p, *ret, error);
}

static void tell(struct packing *p, const leat_report *report, int code)
{
    const char *name = p->target->name;
    struct leat_error failure = {.size = sizeof(failure)};
    char text[128];
    if (report && leat_report_error(report))
        failure = *leat_report_error(report);
    else
        error_at(&failure, code, LEAT_SIDE_SINK, name, "write", "%s", error_text(code, text, sizeof(text)));
    if (failure.side == LEAT_SIDE_SOURCE) {
        const char *why = archive.error_string(p->archive);
        error_at(&failure, code, LEAT_SIDE_SINK, name, "write", "%s",
                 code == -EIO && why ? why : error_text(code, text, sizeof(text)));
    }
    error_node(&failure, name);
    tree_tell(p->tree, &failure);
}

static int run(struct packing *p, leat_pipeline *pipeline, struct leat_error *error)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report);
    if (r < 0 && tree_is_canceled(p->tree))
        r = error_set(error, -ECANCELED, "The program has cancelled the copy");
    else if (r < 0)
        tell(p, report, r);
    else if (p->target->is_layer && (r = read_digest(p->digest[0], p->target->plain)) == 0)
        r = read_digest(p->digest[1], p->target->packed);
    leat_report_free(report);
    return r;
}

/* ---- the whole ---- */

static int begin(struct packing *p)
{
    p->block = malloc(PACK_BLOCK);
    p->archive = p->block ? archive.write_new() : NULL;
    p->locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    if (!p->locale) /* then names that are not ASCII are marked as bytes */
        p->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!p->archive || !p->locale)
        return -ENOMEM;
    if (archive.write_set_format_pax(p->archive) != ARCHIVE_OK)
        return pack_failed(p);
    archive.write_set_options(p->archive, "xattrheader=SCHILY"); /* each attribute once, as GNU tar reads it */
    return archive.write_set_bytes_per_block(p->archive, 0) == ARCHIVE_OK &&
                   archive.write_open(p->archive, &p->output, NULL, archive_output_add, NULL) == ARCHIVE_OK
               ? 0
               : pack_failed(p);
}

static void clear(struct packing *p)
{
    pack_close_file(p);
    pack_forget(p);
    if (p->archive)
        archive.write_free(p->archive);
    if (p->locale)
        freelocale(p->locale);
    free(p->block);
    free(p->zeros);
    leat_filter_free(p->digest[0]);
    leat_filter_free(p->digest[1]);
    archive_output_clear(&p->output);
}

int pack_begin(struct tree_copy *tree, const char *path, struct leat_error *error)
{
    tree->root = dir_root(tree);
    return tree->root ? tree->source->open(tree, path, path, error) : error_set(error, -ENOMEM, "out of memory");
}

int pack_tar(struct tree_copy *tree, leat_endpoint *sink, struct pack_target *target, struct leat_error *error)
{
    struct packing p = {.tree = tree, .file.fd = -1, .target = target};
    leat_pipeline *pipeline = NULL;
    const char *why;
    int r = archive_need(&why);
    if (r < 0)
        error_set(error, r, "%s", why);
    else if ((r = begin(&p)) < 0)
        error_set(error, r, "The archive can't be begun");
    if (r < 0)
        leat_endpoint_close(sink);
    else
        r = build(&p, sink, &pipeline, error);
    if (r == 0)
        r = run(&p, pipeline, error);
    leat_pipeline_free(pipeline);
    clear(&p);
    return r;
}
