/* Manifests and indexes, which come from outside. */
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
    char type[DOCUMENT_TYPE_MAX]; /* "": not said */
};

/* 0, or -EBADMSG: it is none, or its digest is one that can't be taken. */
int descriptor_read(struct descriptor *ret, json_t *json);

struct document {
    char *bytes;
    size_t length;
    json_t *json;
    struct descriptor self;
    bool is_index;
};

/* Takes the bytes, on failure too. `self` is what is known about it; its type is filled in if it is "". -EBADMSG: it is
 * neither a manifest nor an index; *ret_why is then a static sentence. -ENOMEM. */
int document_read(struct document *ret, char *bytes, size_t n, const struct descriptor *self, const char **ret_why);
void document_clear(struct document *document);

/* What it leads to, counted from 0: of an index the manifests; of a manifest the configuration, then the layers.
 * -ENOENT past the last; -EBADMSG. */
int document_part(const struct document *document, size_t index, struct descriptor *ret);

/* A platform as text, "linux/arm/v7". */
struct platform_name {
    char os[64], architecture[64], variant[64]; /* variant "": any */
};
/* NULL: that of this machine. -EINVAL. */
int platform_parse(struct platform_name *ret, const char *text);
/* The first manifest of an index that is for this platform. -ENOENT, -EBADMSG. */
int document_choose(const struct document *index, const struct platform_name *platform, struct descriptor *ret);

#endif
