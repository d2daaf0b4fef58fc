/* The bytes of one request: gathered as they come, hashed on the way, and kept until the store has them. The first
 * PART_MEMORY bytes rest in memory; a longer part rests in a file without a name. Of bytes that a file of the user has
 * already nothing is kept: they are read there again.
 *
 * SHA-256 is taken of each part. MD5 takes three times as long and is wanted only where the store says no other digest,
 * so it is taken of the kept bytes when it is asked for. */
#ifndef STORE_PART_H
#define STORE_PART_H

#include "base/crc.h"
#include "base/libcrypto.h"
#include "store/request.h"

#define PART_MEMORY (8u * 1024 * 1024)

struct part {
    unsigned number; /* from 1 on */
    uint64_t length, limit;
    const struct crc_kind *crc_kind; /* set by the owner: what is computed besides; NULL: nothing */
    uint64_t crc;
    char sha256[65];        /* hex, once it is ended */
    char sha256_base64[45]; /* the same, as x-amz-checksum-sha256 has it */
    char md5[33];           /* hex, once part_md5 has said 1 */

    unsigned char *memory; /* of `capacity` bytes; kept for the next part */
    size_t capacity;
    int file;          /* -1: none */
    bool is_elsewhere; /* nothing is kept: */
    int elsewhere;     /* this file has the bytes, */
    uint64_t position; /* from here on */
    EVP_MD_CTX *sha256_ctx, *md5_ctx;
    bool has_md5; /* it is taken on the way */
};

/* An empty part of at most `limit` bytes. `part` is zero but for `file` (-1), or was used before. `md5`: that will be
 * asked for, and is taken on the way. -ENOMEM. Needs libcrypto. */
int part_begin(struct part *part, unsigned number, uint64_t limit, bool md5);

/* Of an empty part: its bytes will be those of a file from `position` on, which is borrowed until the part begins anew,
 * so they are not kept. Its body says the SHA-256, by which it is seen if they have changed. */
void part_is_in(struct part *part, int fd, uint64_t position);

/* Takes up to n bytes and stores their number; 0: the part is full. -ENOMEM, or what the file system says. */
int part_add(struct part *part, const void *bytes, size_t n, size_t *ret);

/* No more bytes come: the SHA-256 is there. */
int part_end(struct part *part);

/* Fills `md5` of a part that is ended: 1. If it was not taken on the way, it takes some milliseconds for each MiB. 0:
 * this libcrypto has no MD5, and `md5` is "". -ENOMEM, or what the file system says. */
int part_md5(struct part *part);

/* Valid until the part begins anew. */
struct http_body part_body(const struct part *part);

/* The bytes are not needed any more; the memory is kept. */
void part_forget(struct part *part);
void part_free(struct part *part);

/* The MD5 of MD5 values in hex, as stores give it to an object of many parts: "<hex>-<count>". -EINVAL: one is none;
 * -ENOMEM; -ENOSYS without MD5. */
int part_md5_of(const char *const *md5, size_t count, char *ret, size_t capacity);

#endif
