/* Where images are: what a registry and a folder have in common. */
#ifndef IMAGE_PLACE_H
#define IMAGE_PLACE_H

#include "base/error.h"
#include "image/document.h"
#include "image/watch.h"
#include <leat/pipeline.h>

struct image_place;

/* How a blob moves. */
struct image_way {
    leat_endpoint *in, *out;
    const char *codec; /* "gunzip": `out` gets what this makes of the blob; NULL: the blob itself. Static */
    uint64_t offset;   /* so many bytes of the blob `out` has already; it gets those behind them */
    /* The pipeline has ended with `code`; NULL: nothing is to be done. With an offset it compares the whole. 0: the
     * blob is there; negative: `code`, or a failure with a sentence. */
    int (*end)(void *user, int code, struct leat_error *error);
    void *end_user;
    char *digest; /* where the SHA-256 of what `out` gets goes, "sha256:...", LEAT_IMAGE_DIGEST_MAX bytes; or NULL */
};

/* Each hook returns 0 or a negative errno with a sentence in *error. They block. */
struct place_ops {
    const char *name;

    /* What the name of the place means: "sha256:..." or a tag for `open_manifest`, into `ret`. *ret_self has the size
     * and type if they are known, and else an empty digest. */
    int (*find)(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                struct leat_error *error);

    /* A source that gives a manifest, by a digest or a tag; and one that gives a blob. */
    int (*open_manifest)(struct image_place *place, const char *reference, leat_endpoint **ret,
                         struct leat_error *error);
    int (*open_blob)(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                     struct leat_error *error);

    bool seeks; /* a source of a blob may begin anywhere in it, for little */

    /* For `verify`; NULL: it can't be. All images, as an index has them: gives a reference. */
    int (*index)(struct image_place *place, json_t **ret, struct leat_error *error);
    /* Tells `add` of each blob that lies there, by its name and the size that it has. The first failure of `add` ends
     * it. NULL: none lies there but those of the images. */
    int (*each)(struct image_place *place, int (*add)(void *user, const char *digest, uint64_t size), void *user,
                struct leat_error *error);

    /* Of a target. Can it take the image? Called before anything is moved. NULL: any. */
    int (*accepts)(struct image_place *place, const struct document *top, struct leat_error *error);
    /* `has` and `mount` wait for a server, and may be called on several threads at once. */
    bool asks;
    /* 1: it has this blob; 0: it has not. `is_manifest`: it is one, or an index. */
    int (*has)(struct image_place *place, const struct descriptor *blob, bool is_manifest, struct leat_error *error);
    /* Takes a blob from the source without moving it: 1; 0: that can't be done. NULL: never. */
    int (*mount)(struct image_place *place, const struct image_place *source, const struct descriptor *blob,
                 struct leat_error *error);
    /* Fills all of the way but `in`, which is another's. */
    int (*take_blob)(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                     struct leat_error *error);
    /* The same for a source that seeks, of a blob that may be there in part. NULL: none is. */
    int (*take_rest)(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                     struct leat_error *error);
    /* Takes a manifest or an index; all that it leads to is there. */
    int (*take_manifest)(struct image_place *place, const struct document *document, struct leat_error *error);
    /* Gives the whole its name. */
    int (*finish)(struct image_place *place, const struct document *top, struct leat_error *error);

    void (*free)(struct image_place *place);
};

struct image_place {
    const struct place_ops *ops;
    const char *spec; /* the caller's */
    const struct leat_image_options *options;
    struct image_watch *watch; /* of the call, or NULL */
};

/* `is_target`: it is made where it does not exist. -EINVAL. */
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

/* Reads a manifest or an index: `wanted` (its bytes are compared with the digest and the size), or what the place's
 * name means if that is NULL. */
int place_read(struct image_place *place, const struct descriptor *wanted, struct document *ret,
               struct leat_error *error);
/* A file by its path, which is never a scheme, as a source or a sink. */
int place_file(const char *path, enum leat_direction direction, leat_endpoint **ret, struct leat_error *error);
/* Moves the bytes of one endpoint to the other, and takes both. They are compared with the digest `expect`, unless that
 * is NULL; *ret_digest, if it is not NULL, becomes their own, "sha256:...". `what` is their name for a sentence.
 * `watch` may be NULL. */
int place_move(struct image_watch *watch, leat_endpoint *in, leat_endpoint *out, const char *expect, char *ret_digest,
               const char *what, struct leat_error *error);
/* Writes bytes that are in memory to a sink, which is taken, and compares them with the digest, unless that is NULL. */
int place_write(leat_endpoint *sink, const void *bytes, size_t n, const char *digest, struct leat_error *error);

/* The failure of a pipeline, as a sentence about `what`; returns its code. The operation is "verify" if bytes were not
 * those of their digest, else "copy". */
int place_failure(const leat_report *report, int code, const char *what, struct leat_error *error);

#endif
