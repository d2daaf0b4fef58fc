/* SPDX-License-Identifier: MIT */
/* The bytes of one request. They are collected and hashed as they arrive, and are kept until the store has them. The
 * first PART_MEMORY bytes are in memory; a longer part is in a file without a name. Nothing is kept of bytes that are
 * in a file of the user: they are read again from there.
 *
 * Each part gets a SHA-256. MD5 takes three times as long, and is needed only if the store sends no other digest. So by
 * default it is computed from the kept bytes when it is needed. */
#ifndef STORE_PART_H
#define STORE_PART_H

#include "base/crc.h"
#include "base/libcrypto.h"
#include "store/request.h"

#define PART_MEMORY (8u * 1024 * 1024)

struct part {
    unsigned number; /* starts at 1 */
    uint64_t length, limit;
    const struct crc_kind *crc_kind; /* set by the owner: a checksum to compute as well; NULL: none */
    uint64_t crc;
    char sha256[65];        /* in hex; set by part_end */
    char sha256_base64[45]; /* the same in base64, as in x-amz-checksum-sha256 */
    char md5[33];           /* in hex; set when part_md5 has returned 1 */

    unsigned char *memory; /* `capacity` bytes; reused by the next part */
    size_t capacity;
    int file;          /* -1: none */
    bool is_elsewhere; /* the bytes are not kept: */
    int elsewhere;     /* this file has them, */
    uint64_t position; /* from here on */
    EVP_MD_CTX *sha256_ctx, *md5_ctx;
    bool has_md5; /* MD5 is computed while the bytes arrive */
};

/* Starts an empty part of at most `limit` bytes. `part` is zero except `file` (-1), or was used before. `md5`: part_md5
 * will be called, so MD5 is computed while the bytes arrive. Returns 0 or -ENOMEM. Needs libcrypto. */
int part_begin(struct part *part, unsigned number, uint64_t limit, bool md5);

/* For an empty part: its bytes will be those of a file from `position` on, so they are not kept. The file is borrowed
 * until the next part_begin. The body has the SHA-256, which shows whether the bytes have changed. */
void part_is_in(struct part *part, int fd, uint64_t position);

/* Adds up to n bytes and sets *ret to their number; 0: the part is full. Returns 0, -ENOMEM, or an error of the file
 * system. */
int part_add(struct part *part, const void *bytes, size_t n, size_t *ret);

/* Ends the part and sets its SHA-256. Returns 0 or a negative errno. */
int part_end(struct part *part);

/* Sets `md5` of a part that has ended, and returns 1. If MD5 was not computed while the bytes arrived, the call takes
 * some milliseconds for each MiB. Returns 0 if libcrypto has no MD5, with `md5` ""; -ENOMEM; or an error of the file
 * system. */
int part_md5(struct part *part);

/* Returns the body of a request; valid until the next part_begin. */
struct http_body part_body(const struct part *part);

/* Drops the bytes, and keeps the memory for the next part. */
void part_forget(struct part *part);
void part_free(struct part *part);

/* Computes the MD5 of MD5 values in hex, as stores do for an object of many parts: "<hex>-<count>". Returns 0; -EINVAL
 * if a value is not an MD5; -ENOMEM; or -ENOSYS without MD5. */
int part_md5_of(const char *const *md5, size_t count, char *ret, size_t capacity);

#endif
