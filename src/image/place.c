/* SPDX-License-Identifier: MIT */
#include "image/place.h"
#include <errno.h>
#include <stdio.h>

void place_free(struct image_place *place)
{
    if (place)
        place->ops->free(place);
}

int place_file(const char *path, enum leat_direction direction, leat_endpoint **ret, struct leat_error *error)
{
    size_t n = strlen(path) + sizeof("file:");
    char *spec = malloc(n);
    if (!spec)
        return error_set(error, -ENOMEM, "out of memory");
    snprintf(spec, n, "file:%s", path);
    struct leat_error own = {.size = sizeof(own)};
    int r = leat_endpoint_open(ret, spec, direction, NULL, &own);
    if (r < 0)
        error_set(error, r, "%.100s: %s", path, own.text);
    free(spec);
    return r;
}

int place_failure(const leat_report *report, int code, const char *what, struct leat_error *error)
{
    const struct leat_error *cause = report ? leat_report_error(report) : NULL;
    char buffer[128];
    bool verify = cause && strcmp(cause->operation, "verify") == 0;
    const char *text = cause ? cause->text : error_text(code, buffer, sizeof(buffer));
    int n = (int)(verify ? strcspn(text, ";") : strlen(text)); /* the part after ";" is about what was published */
    error_at(error, code, cause ? (enum leat_side)cause->side : LEAT_SIDE_NONE, "", verify ? "verify" : "copy",
             "%.80s: %.*s", what, n, text);
    return code;
}

/* ---- small bytes, through a pipeline as all others ---- */

int place_move(struct image_watch *watch, leat_endpoint *in, leat_endpoint *out, const char *expect, char *ret_digest,
               const char *what, struct leat_error *error)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_pipeline *pipeline = NULL;
    leat_report *report = NULL;
    leat_filter *filter;
    options.expect = expect;
    options.memory_limit = 1024u * 1024;
    int r = leat_pipeline_new(&pipeline, &options, NULL);
    if (r < 0) {
        leat_endpoint_close(in);
        leat_endpoint_close(out);
        return place_failure(NULL, r, what, error);
    }
    int source = leat_pipeline_source(pipeline, in), sink = leat_pipeline_sink(pipeline, out, NULL, NULL);
    r = source < 0 ? source : sink;
    if (r == 0 && ret_digest && (r = leat_filter_digest(&filter, "sha256", NULL, NULL)) == 0)
        r = leat_pipeline_filter(pipeline, filter);
    if (r == 0)
        r = watch_run(watch, pipeline, &report);
    if (r == 0 && ret_digest) {
        strcpy(ret_digest, "sha256:");
        r = leat_report_digest(report, "sha256", ret_digest + 7, LEAT_IMAGE_DIGEST_MAX - 7);
    }
    if (r < 0)
        place_failure(report, r, what, error);
    leat_report_free(report);
    leat_pipeline_free(pipeline);
    return r;
}

/* Reads the bytes of a manifest, and computes its digest if it was unknown. */
static int read_bytes(struct image_place *place, const char *reference, struct descriptor *self, char **ret,
                      size_t *ret_n, struct leat_error *error)
{
    leat_endpoint *in = NULL, *out = NULL;
    char *bytes = malloc(DOCUMENT_MAX);
    int r =
        bytes ? place->ops->open_manifest(place, reference, &in, error) : error_set(error, -ENOMEM, "out of memory");
    if (r == 0 && (r = leat_endpoint_to_memory(&out, bytes, DOCUMENT_MAX, ret_n)) < 0)
        leat_endpoint_close(in);
    if (r == 0) {
        bool known = self->digest[0];
        r = place_move(place->watch, in, out, known ? self->digest : NULL, known ? NULL : self->digest, reference,
                       error);
        if (r == -ENOSPC && error->side == LEAT_SIDE_SINK)
            snprintf(error->text, sizeof(error->text), "%.80s: a manifest has at most 4 MiB", reference);
    }
    if (r < 0) {
        free(bytes);
        return r;
    }
    *ret = bytes;
    return 0;
}

int place_read(struct image_place *place, const struct descriptor *wanted, struct document *ret,
               struct leat_error *error)
{
    struct descriptor self = {.size = UINT64_MAX};
    char reference[LEAT_IMAGE_DIGEST_MAX + 128], *bytes = NULL;
    const char *why;
    size_t n = 0;
    int r = 0;
    if (wanted) {
        self = *wanted;
        snprintf(reference, sizeof(reference), "%s", wanted->digest);
    } else
        r = place->ops->find(place, reference, sizeof(reference), &self, error);
    if (r == 0)
        r = read_bytes(place, reference, &self, &bytes, &n, error);
    if (r < 0)
        return r;
    if (self.size != UINT64_MAX && self.size != n) {
        free(bytes);
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "%.80s has %zu bytes, not %llu", reference, n,
                        (unsigned long long)self.size);
    }
    self.size = n;
    r = document_read(ret, bytes, n, &self, &why);
    return r < 0 ? error_at(error, r, LEAT_SIDE_SOURCE, "", "copy", "%.80s: %s", reference, why) : 0;
}

int place_write(leat_endpoint *sink, const void *bytes, size_t n, const char *digest, struct leat_error *error)
{
    leat_endpoint *in;
    int r = leat_endpoint_from_memory(&in, bytes, n);
    if (r < 0) {
        leat_endpoint_close(sink);
        return error_set(error, r, "out of memory");
    }
    return place_move(NULL, in, sink, digest, NULL, digest ? digest : "index.json", error);
}

int place_digest(const void *bytes, size_t n, char *ret, struct leat_error *error)
{
    leat_endpoint *in, *out;
    int r = leat_endpoint_from_memory(&in, bytes, n);
    if (r == 0 && (r = leat_endpoint_open(&out, "null:", LEAT_WRITE, NULL, NULL)) < 0)
        leat_endpoint_close(in);
    return r == 0 ? place_move(NULL, in, out, NULL, ret, "manifest.json", error) : error_set(error, r, "out of memory");
}
