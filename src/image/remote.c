/* SPDX-License-Identifier: MIT */
/* Images in a registry. */
#include "base/quote.h"
#include "image/place.h"
#include "node/endpoint.h"
#include "store/http_settings.h"
#include "store/oci/ask.h"
#include "store/oci/oci.h"
#include "store/oci/push.h"
#include "store/oci/repository.h"
#include <errno.h>
#include <stdio.h>

#define GIVE_UP_NS (2 * INT64_C(1000000000)) /* time limit of the request that aborts an upload */

struct remote {
    struct image_place place;
    struct reference reference;
    struct session *repository;
    struct leat_endpoint_options endpoint;
    struct http_settings *settings;
    bool user; /* it is a user of the transfer thread, so that connections are kept */
};

/* The media types that are accepted for a manifest. A registry returns the type that it has. */
static const char accepted[] = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
                               "application/vnd.docker.distribution.manifest.list.v2+json, "
                               "application/vnd.docker.distribution.manifest.v2+json";

static int remote_find(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
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

static int remote_open_manifest(struct image_place *place, const char *reference, leat_endpoint **ret,
                                struct leat_error *error)
{
    return open_source((struct remote *)place, "manifests", reference, accepted, ret, error);
}

static int remote_open_blob(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                            struct leat_error *error)
{
    return open_source((struct remote *)place, "blobs", blob->digest, NULL, ret, error);
}

/* ---- as a target ---- */

/* Sends a request. `missing` is a status that is also a valid answer. Returns 1 if it succeeded, 0 for `missing`, or a
 * negative errno. */
static int ask(struct remote *r, struct question question, int missing, struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    question.repository = r->repository;
    question.settings = r->settings;
    question.is_wanted = r->place.watch ? watch_is_wanted : NULL;
    question.of = r->place.watch;
    int status = registry_ask(&question, r->endpoint.retries, NULL, &own);
    if (status >= 0 && status / 100 == 2)
        return 1;
    if (status == missing)
        return 0;
    int code = status < 0 ? status : status == 401 || status == 403 ? -EACCES : status == 404 ? -ENOENT : -EPROTO;
    return error_at(error, code, LEAT_SIDE_SINK, "", question.method, "%.60s: %s", question.path, own.text);
}

static int remote_has(struct image_place *place, const struct descriptor *blob, bool is_manifest,
                      struct leat_error *error)
{
    char path[LEAT_IMAGE_DIGEST_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", is_manifest ? "manifests" : "blobs", blob->digest);
    return ask((struct remote *)place, (struct question){.method = "HEAD", .path = path, .first = UINT64_MAX}, 404,
               error);
}

static int remote_take_blob(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                            struct leat_error *error)
{
    struct remote *r = (struct remote *)place;
    return oci_sink(&way->out, blob->digest, r->repository, blob->digest, &r->endpoint, error);
}

/* Puts a manifest, by its digest or by the tag. */
static int put_manifest(struct remote *r, const struct document *document, const char *reference,
                        struct leat_error *error)
{
    char path[LEAT_IMAGE_DIGEST_MAX + 160];
    snprintf(path, sizeof(path), "manifests/%s", reference);
    int result = ask(r,
                     (struct question){.method = "PUT",
                                       .path = path,
                                       .body = document->bytes,
                                       .length = document->length,
                                       .type = document->self.type,
                                       .first = UINT64_MAX},
                     0, error);
    return result == 1 ? 0 : result;
}

static int remote_take_manifest(struct image_place *place, const struct document *document, struct leat_error *error)
{
    return put_manifest((struct remote *)place, document, document->self.digest, error);
}

/* A target that is named by a digest takes only the image with that digest. */
static int remote_finish(struct image_place *place, const struct document *top, struct leat_error *error)
{
    struct remote *r = (struct remote *)place;
    if (r->reference.digest[0] && strcmp(r->reference.digest, top->self.digest) != 0)
        return error_set(error, -EINVAL, "The image is %.80s, and the target is named by another digest",
                         top->self.digest);
    return r->reference.tag ? put_manifest(r, top, r->reference.tag, error) : 0;
}

static void remote_free(struct image_place *place)
{
    struct remote *r = (struct remote *)place;
    if (r->user)
        transfers_put();
    reference_clear(&r->reference);
    session_unref(r->repository);
    http_settings_unref(r->settings);
    free(r);
}

static const struct place_ops remote_ops;

/* A registry that cannot mount the blob starts an upload instead, which is aborted. */
static int remote_mount(struct image_place *place, const struct image_place *source, const struct descriptor *blob,
                        struct leat_error *error UNUSED)
{
    struct remote *r = (struct remote *)place;
    const struct remote *from = (const struct remote *)source;
    struct leat_error own = {.size = sizeof(own)};
    struct answer answer;
    char path[LEAT_IMAGE_DIGEST_MAX + 320];
    if (source->ops != &remote_ops || strcmp(from->reference.host, r->reference.host) != 0)
        return 0;
    snprintf(path, sizeof(path), "blobs/uploads/?mount=%s&from=%s", blob->digest, from->reference.name);
    struct question question = {.repository = r->repository,
                                .settings = r->settings,
                                .method = "POST",
                                .path = path,
                                .first = UINT64_MAX,
                                .is_wanted = r->place.watch ? watch_is_wanted : NULL,
                                .of = r->place.watch};
    int status = registry_ask(&question, r->endpoint.retries, &answer, &own);
    if (status == 202 && answer.location[0] && !repository_is_silent(r->repository)) {
        question = (struct question){.repository = r->repository,
                                     .settings = r->settings,
                                     .method = "DELETE",
                                     .path = answer.location,
                                     .is_location = true,
                                     .first = UINT64_MAX,
                                     .is_wanted = question.is_wanted,
                                     .of = question.of,
                                     .deadline_ns = clock_ns() + GIVE_UP_NS};
        if (registry_ask(&question, -1, NULL, &own) == -ETIMEDOUT)
            repository_note_silence(r->repository);
    }
    return status == 201;
}

static const struct place_ops remote_ops = {
    .name = "docker",
    .find = remote_find,
    .open_manifest = remote_open_manifest,
    .open_blob = remote_open_blob,
    .seeks = true,
    .asks = true,
    .has = remote_has,
    .mount = remote_mount,
    .take_blob = remote_take_blob,
    .take_manifest = remote_take_manifest,
    .finish = remote_finish,
    .free = remote_free,
};

int place_remote(struct image_place **ret, const char *spec, const struct leat_image_options *options,
                 bool is_target UNUSED, struct leat_error *error)
{
    const char *why = "out of memory";
    struct remote *r = calloc(1, sizeof(*r));
    int result = r ? reference_parse(&r->reference, spec + strlen("docker://"), &why) : -ENOMEM;
    if (result < 0) {
        free(r);
        return error_set(error, result, "'%.60s': %s", quote_without_login(spec),
                         result == -ENOMEM ? "out of memory" : why);
    }
    r->place.ops = &remote_ops;
    r->endpoint = (struct leat_endpoint_options){.size = sizeof(r->endpoint),
                                                 .retries = options->retries,
                                                 .cacert = options->endpoint->cacert,
                                                 .cert = options->endpoint->cert,
                                                 .key = options->endpoint->key};
    if (!r->reference.tag && !r->reference.digest[0] && !(r->reference.tag = strdup("latest")))
        result = error_set(error, -ENOMEM, "out of memory");
    if (result == 0)
        result = http_settings_new(&r->settings, &r->endpoint, error);
    if (result == 0)
        result = repository_new(&r->repository, &r->reference, options->insecure != 0, error);
    if (result == 0 && (result = transfers_get(&why)) < 0)
        error_set(error, result, "%s", why);
    r->user = result == 0;
    if (result < 0) {
        remote_free(&r->place);
        return result;
    }
    *ret = &r->place;
    return 0;
}
