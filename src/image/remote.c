/* Images in a registry. */
#include "image/place.h"
#include "node/endpoint.h"
#include "store/oci/oci.h"
#include "store/oci/repository.h"
#include <errno.h>
#include <stdio.h>

struct remote {
    struct place place;
    struct reference reference;
    struct session *repository;
    struct leat_endpoint_options endpoint;
};

/* What a manifest may be; a registry gives what it has. */
static const char accept[] = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
                             "application/vnd.docker.distribution.manifest.list.v2+json, "
                             "application/vnd.docker.distribution.manifest.v2+json";

static int remote_find(struct place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                       struct leat_error *error UNUSED)
{
    const struct remote *r = (const struct remote *)place;
    snprintf(ret, capacity, "%s", r->reference.digest[0] ? r->reference.digest : r->reference.tag);
    snprintf(ret_self->digest, sizeof(ret_self->digest), "%s", r->reference.digest);
    return 0;
}

static int open_source(struct remote *r, const char *kind, const char *reference, const char *types,
                       leat_endpoint **ret, struct leat_error *error)
{
    char path[LEAT_IMAGE_DIGEST_MAX + 160];
    snprintf(path, sizeof(path), "%s/%s", kind, reference);
    return oci_source(ret, reference, r->repository, path, types, &r->endpoint, error);
}

static int remote_open_manifest(struct place *place, const char *reference, leat_endpoint **ret,
                                struct leat_error *error)
{
    return open_source((struct remote *)place, "manifests", reference, accept, ret, error);
}

static int remote_open_blob(struct place *place, const struct descriptor *blob, leat_endpoint **ret,
                            struct leat_error *error)
{
    return open_source((struct remote *)place, "blobs", blob->digest, NULL, ret, error);
}

static void remote_free(struct place *place)
{
    struct remote *r = (struct remote *)place;
    reference_clear(&r->reference);
    session_unref(r->repository);
    free(r);
}

static const struct place_ops remote_ops = {
    .name = "docker",
    .find = remote_find,
    .open_manifest = remote_open_manifest,
    .open_blob = remote_open_blob,
    .free = remote_free,
};

int place_remote(struct place **ret, const char *rest, const struct leat_image_options *options, bool is_target,
                 struct leat_error *error)
{
    const char *why = "out of memory";
    if (is_target)
        return error_set(error, -EOPNOTSUPP, "Writing to a registry is not supported");
    struct remote *r = calloc(1, sizeof(*r));
    int result = r ? reference_parse(&r->reference, rest, &why) : -ENOMEM;
    if (result < 0) {
        free(r);
        return error_set(error, result, "'docker://%.60s': %s", rest, result == -ENOMEM ? "out of memory" : why);
    }
    r->place.ops = &remote_ops;
    r->endpoint = (struct leat_endpoint_options){.size = sizeof(r->endpoint), .retries = options->retries};
    if (!r->reference.tag && !r->reference.digest[0] && !(r->reference.tag = strdup("latest")))
        result = error_set(error, -ENOMEM, "out of memory");
    if (result == 0)
        result = repository_new(&r->repository, &r->reference, options->insecure != 0, error);
    if (result < 0) {
        remote_free(&r->place);
        return result;
    }
    *ret = &r->place;
    return 0;
}
