/* SPDX-License-Identifier: MIT */
/* Manifests and indexes. They are untrusted. */
#ifndef IMAGE_DOCUMENT_H
#define IMAGE_DOCUMENT_H

#include "base/base.h"
#include <jansson.h>
#include <leat/image.h>
#include <stdbool.h>

#define DOCUMENT_MAX      (4u * 1024 * 1024) /* bytes of one */
#define DOCUMENT_TYPE_MAX 128

/* What an index or a manifest says about a blob. */
struct descriptor {
    char digest[LEAT_IMAGE_DIGEST_MAX]; /* valid, see store/oci/reference.h */
    uint64_t size;
    char type[DOCUMENT_TYPE_MAX]; /* "": not given */
};

/* Reads a descriptor. Returns 0, or -EBADMSG if it is not one or its digest is not supported. */
int descriptor_read(struct descriptor *ret, json_t *json);

/* Makes the descriptor of a blob. NULL: no memory. */
json_t *descriptor_json(const char *type, const char *digest, uint64_t size);

struct document {
    char *bytes;
    size_t length;
    json_t *json;
    struct descriptor self;
    bool is_index;
};

/* Reads a document from `bytes`, which it takes, also after a failure. `self` is what is known about it; an empty type
 * is filled in. Returns 0; -EBADMSG if it is neither a manifest nor an index, and then *ret_why is a static sentence;
 * or -ENOMEM. */
int document_read(struct document *ret, char *bytes, size_t n, const struct descriptor *self, const char **ret_why);
void document_clear(struct document *document);

/* Gets part number `index`, counted from 0. The parts of an index are its manifests; those of a manifest are the
 * configuration, then the layers. Returns 0, -ENOENT after the last part, or -EBADMSG. */
int document_part(const struct document *document, size_t index, struct descriptor *ret);

/* A platform as text, "linux/arm/v7". */
struct platform_name {
    char os[64], architecture[64], variant[64]; /* variant "": any */
};
/* Parses a platform; `text` NULL: that of this machine. Returns 0 or -EINVAL. */
int platform_parse(struct platform_name *ret, const char *text);
/* Finds the first manifest of an index for this platform. Returns 0, -ENOENT or -EBADMSG. */
int document_choose(const struct document *index, const struct platform_name *platform, struct descriptor *ret);

#endif
