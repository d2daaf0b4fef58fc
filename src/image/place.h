/* SPDX-License-Identifier: MIT */
/* Places of images: the interface that registries, folders and archives share. */
#ifndef IMAGE_PLACE_H
#define IMAGE_PLACE_H

#include "base/error.h"
#include "image/document.h"
#include "image/watch.h"
#include <leat/pipeline.h>

struct image_place;
struct blobs;

/* How a blob moves. */
struct image_way {
    leat_endpoint *in, *out;
    const char *codec; /* "gunzip": `out` gets the output of this codec; NULL: the blob itself. Static */
    uint64_t offset;   /* `out` has so many bytes of the blob already, and gets the bytes after them */
    /* Called when the pipeline has ended with `code`; may be NULL. With an offset it verifies the whole blob. Returns 0
     * if the blob is complete; otherwise `code`, or another failure with a sentence. */
    int (*end)(void *user, int code, struct leat_error *error);
    void *end_user;
    char *digest; /* LEAT_IMAGE_DIGEST_MAX bytes, which get the SHA-256 of the bytes for `out`, "sha256:..."; or NULL */
};

/* Each hook returns 0 or a negative errno with a sentence in *error. They block. */
struct place_ops {
    const char *name;

    /* Resolves the name of the place: `ret` gets "sha256:..." or a tag for `open_manifest`. *ret_self gets the size and
     * type if they are known, or else an empty digest. */
    int (*find)(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                struct leat_error *error);

    /* Make a source of a manifest, by a digest or a tag, and a source of a blob. */
    int (*open_manifest)(struct image_place *place, const char *reference, leat_endpoint **ret,
                         struct leat_error *error);
    int (*open_blob)(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                     struct leat_error *error);

    /* For a source: these blobs will be opened, all or most of them. What fails is left to open_blob. NULL: there is
     * nothing to prepare. */
    void (*prepare)(struct image_place *place, const struct blobs *blobs);
    bool seeks; /* a source can start anywhere in a blob at low cost */

    /* For `verify`; NULL: not supported. Reads all images, as an index; *ret is a new reference. */
    int (*index)(struct image_place *place, json_t **ret, struct leat_error *error);
    /* Calls `add` for each stored blob, with its name and its actual size. The first failure of `add` ends it. NULL:
     * the place has no blobs but those of its images. */
    int (*each)(struct image_place *place, int (*add)(void *user, const char *digest, uint64_t size), void *user,
                struct leat_error *error);

    /* For a target: can it take the image? Called before bytes are moved. NULL: it takes any. */
    int (*accepts)(struct image_place *place, const struct document *top, struct leat_error *error);
    /* `has` and `mount` wait for a server, and may be called on several threads at once */
    bool asks;
    /* Returns 1 if the target has the blob, 0 if not. `is_manifest`: the blob is a manifest or an index. */
    int (*has)(struct image_place *place, const struct descriptor *blob, bool is_manifest, struct leat_error *error);
    /* Takes a blob from the source without moving its bytes. Returns 1, or 0 if that is not possible. NULL: never
     * possible. */
    int (*mount)(struct image_place *place, const struct image_place *source, const struct descriptor *blob,
                 struct leat_error *error);
    /* Fills in the way, except `in`, which the source fills in. */
    int (*take_blob)(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                     struct leat_error *error);
    /* The same for a source that seeks, where the target may have a part of the blob. NULL: it never has. */
    int (*take_rest)(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                     struct leat_error *error);
    /* Takes a manifest or an index. The target has everything that it refers to. */
    int (*take_manifest)(struct image_place *place, const struct document *document, struct leat_error *error);
    /* Gives the image its name. */
    int (*finish)(struct image_place *place, const struct document *top, struct leat_error *error);

    void (*free)(struct image_place *place);
};

struct image_place {
    const struct place_ops *ops;
    const char *spec; /* borrowed from the caller */
    const struct leat_image_options *options;
    struct image_watch *watch; /* watch of the call, or NULL */
};

/* Opens a place. `is_target`: creates it if it does not exist. Returns 0, -EINVAL, or another negative errno. */
int place_open(struct image_place **ret, const char *spec, struct image_watch *watch, bool is_target,
               struct leat_error *error);
/* NULL is allowed. */
void place_free(struct image_place *place);

int place_layout(struct image_place **ret, const char *rest, bool is_target, struct leat_error *error);
int place_docker_archive(struct image_place **ret, const char *rest, struct image_watch *watch, bool is_target,
                         struct leat_error *error);
int place_oci_archive(struct image_place **ret, const char *rest, struct image_watch *watch, bool is_target,
                      struct leat_error *error);
int place_remote(struct image_place **ret, const char *spec, const struct leat_image_options *options, bool is_target,
                 struct leat_error *error);

/* Reads a manifest or an index: `wanted`, whose digest and size are compared, or, if that is NULL, the one that the
 * place's name means. */
int place_read(struct image_place *place, const struct descriptor *wanted, struct document *ret,
               struct leat_error *error);
/* Makes a source or a sink of a file. `path` is never taken for a scheme. */
int place_file(const char *path, enum leat_direction direction, leat_endpoint **ret, struct leat_error *error);
/* Moves the bytes from `in` to `out`; takes both endpoints. Compares the bytes with the digest `expect`, unless it is
 * NULL. ret_digest, if not NULL, gets their own digest, "sha256:...". `what` is their name for messages. `watch` may be
 * NULL. */
int place_move(struct image_watch *watch, leat_endpoint *in, leat_endpoint *out, const char *expect, char *ret_digest,
               const char *what, struct leat_error *error);
/* Writes n bytes to `sink`, which the call takes, and compares them with the digest, unless it is NULL. */
int place_write(leat_endpoint *sink, const void *bytes, size_t n, const char *digest, struct leat_error *error);

/* Computes the digest of n bytes, "sha256:...", into LEAT_IMAGE_DIGEST_MAX bytes. */
int place_digest(const void *bytes, size_t n, char *ret, struct leat_error *error);

/* Turns the failure of a pipeline into a sentence about `what`, and returns its code. The operation is "verify" if the
 * bytes did not have their digest, else "copy". */
int place_failure(const leat_report *report, int code, const char *what, struct leat_error *error);

#endif
