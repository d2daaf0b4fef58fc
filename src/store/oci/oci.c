/* SPDX-License-Identifier: MIT */
#include "store/oci/oci.h"
#include "base/quote.h"
#include "store/oci/push.h"
#include "store/oci/repository.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>

struct oci_object {
    struct object object;
    struct session *repository;
    char *path;
    char *accept; /* or NULL */
};

static int oci_read(const struct object *object, struct http_request *ret)
{
    const struct oci_object *o = (const struct oci_object *)object;
    int r = repository_request(o->repository, ret, "GET", "%s", o->path);
    return r == 0 && o->accept ? request_header(ret, "Accept: %s", o->accept) : r;
}

static void oci_explain(const struct object *object UNUSED, const char *body, size_t n, char *ret, size_t capacity)
{
    repository_explain(body, n, ret, capacity);
}

static void oci_free(struct object *object)
{
    struct oci_object *o = (struct oci_object *)object;
    session_unref(o->repository);
    free(o->path);
    free(o->accept);
    free(o);
}

static const struct store oci = {
    .name = "oci",
    .read = oci_read,
    .explain = oci_explain,
    .free = oci_free,
};

int oci_source(leat_endpoint **ret, const char *spec, struct session *repository, const char *path, const char *accept,
               const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct oci_object *o = calloc(1, sizeof(*o));
    if (!o)
        return error_set(error, -ENOMEM, "out of memory");
    o->object.store = &oci;
    o->repository = session_ref(repository);
    o->path = strdup(path);
    o->accept = accept ? strdup(accept) : NULL;
    if (!o->path || (accept && !o->accept)) {
        oci_free(&o->object);
        return error_set(error, -ENOMEM, "out of memory");
    }
    return store_source(ret, spec, &o->object, options, error);
}

static int open_blob(leat_endpoint **ret, const char *spec, const struct reference *reference,
                     enum leat_direction direction, const struct leat_endpoint_options *options,
                     struct leat_error *error)
{
    struct session *repository;
    char path[OCI_DIGEST_MAX + 8];
    snprintf(path, sizeof(path), "blobs/%s", reference->digest);
    int r = repository_new(&repository, reference, false, error);
    if (r < 0)
        return r;
    if (direction == LEAT_READ)
        r = oci_source(ret, spec, repository, path, NULL, options, error);
    else
        r = oci_sink(ret, spec, repository, reference->digest, options, error);
    session_unref(repository);
    if (r == 0 && direction == LEAT_READ)
        (*ret)->node.expect = strstr((*ret)->spec, reference->digest);
    return r;
}

int oci_endpoint(leat_endpoint **ret, const char *spec, const char *rest, enum leat_direction direction,
                 const struct leat_endpoint_options *options, struct leat_error *error)
{
    struct reference reference;
    const char *why = "write oci://HOST/NAME@sha256:HEX";
    if (direction == LEAT_WRITE && options->write_mode != LEAT_WRITE_PUBLISH)
        return error_set(error, -EINVAL, "A blob is written as a whole, neither in place nor at its end");
    int r = strncmp(rest, "//", 2) == 0 ? reference_parse(&reference, rest + 2, &why) : -EINVAL;
    if (r < 0)
        return error_set(error, r, r == -ENOMEM ? "out of memory" : "'%s' names no blob: %s", quote_without_login(spec),
                         why);
    if (reference.tag || !reference.digest[0])
        r = error_set(error, -EINVAL, "'%s' names no blob: a blob is named by its digest alone, @sha256:HEX", spec);
    else
        r = open_blob(ret, spec, &reference, direction, options, error);
    reference_clear(&reference);
    return r;
}
