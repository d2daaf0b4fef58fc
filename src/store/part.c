/* SPDX-License-Identifier: MIT */
#include "store/part.h"
#include "base/fd.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_BYTES 65536u
#define PIECE_BYTES 262144u /* bytes of a file that are read at once */

/* ---- digests ---- */

static EVP_MD *fetch_md5(void)
{
    crypto.set_mark(); /* a failed lookup leaves no entry in the program's error queue */
    EVP_MD *md5 = crypto.md_fetch(NULL, "MD5", NULL);
    crypto.pop_to_mark();
    return md5;
}

/* Returns 1, 0 if there is no MD5, or -ENOMEM. */
static int begin_md5(struct part *part)
{
    part->md5_ctx = part->md5_ctx ? part->md5_ctx : crypto.ctx_new();
    if (!part->md5_ctx)
        return -ENOMEM;
    EVP_MD *md5 = fetch_md5();
    int r = md5 && crypto.init(part->md5_ctx, md5, NULL) == 1;
    if (md5)
        crypto.md_free(md5);
    return r;
}

static int begin_digests(struct part *part, bool md5)
{
    part->sha256_ctx = part->sha256_ctx ? part->sha256_ctx : crypto.ctx_new();
    if (!part->sha256_ctx || crypto.init(part->sha256_ctx, crypto.sha256(), NULL) != 1)
        return -ENOMEM;
    int r = md5 ? begin_md5(part) : 0;
    part->has_md5 = r == 1;
    part->md5[0] = '\0';
    return MIN(r, 0);
}

static void to_base64(const unsigned char *bytes, size_t n, char *ret)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < n ? bytes[i + 2] : 0;
        *ret++ = digits[group >> 18];
        *ret++ = digits[group >> 12 & 63];
        *ret++ = i + 1 < n ? digits[group >> 6 & 63] : '=';
        *ret++ = i + 2 < n ? digits[group & 63] : '=';
    }
    *ret = '\0';
}

int part_end(struct part *part)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n;
    if (crypto.final(part->sha256_ctx, bytes, &n) != 1)
        return -ENOMEM;
    text_hex(bytes, n, part->sha256);
    to_base64(bytes, n, part->sha256_base64);
    return 0;
}

/* Reads the bytes again and hashes them. */
static int hash_body(struct part *part)
{
    struct http_body body = part_body(part);
    unsigned char *piece = body.bytes ? NULL : malloc(PIECE_BYTES);
    int r = body.bytes || piece ? 0 : -ENOMEM;
    for (uint64_t at = 0; at < body.length && r == 0;) {
        const void *bytes = body.bytes ? body.bytes : piece;
        ssize_t n = body.bytes ? (ssize_t)body.length : body_read(&body, at, piece, PIECE_BYTES);
        r = n < 0 ? (int)n : crypto.update(part->md5_ctx, bytes, (size_t)n) == 1 ? 0 : -ENOMEM;
        at += n > 0 ? (uint64_t)n : 0;
    }
    free(piece);
    return r;
}

int part_md5(struct part *part)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n;
    if (part->md5[0])
        return 1;
    int r = part->has_md5 ? 1 : begin_md5(part);
    if (r <= 0)
        return r;
    r = part->has_md5 ? 0 : hash_body(part);
    part->has_md5 = false;
    if (r < 0)
        return r;
    if (crypto.final(part->md5_ctx, bytes, &n) != 1)
        return -ENOMEM;
    text_hex(bytes, n, part->md5);
    return 1;
}

static int add_hex(EVP_MD_CTX *ctx, const char *hex)
{
    unsigned char bytes[16];
    if (strlen(hex) != 32 || strspn(hex, "0123456789abcdef") != 32)
        return -EINVAL;
    for (size_t i = 0; i < 16; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return crypto.update(ctx, bytes, sizeof(bytes)) == 1 ? 0 : -ENOMEM;
}

int part_md5_of(const char *const *md5, size_t count, char *ret, size_t capacity)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char hex[33];
    unsigned n;
    EVP_MD_CTX *ctx = crypto.ctx_new();
    EVP_MD *algorithm = fetch_md5();
    int r = !ctx ? -ENOMEM : !algorithm ? -ENOSYS : crypto.init(ctx, algorithm, NULL) == 1 ? 0 : -ENOSYS;
    for (size_t i = 0; i < count && r == 0; i++)
        r = add_hex(ctx, md5[i]);
    if (r == 0)
        r = crypto.final(ctx, bytes, &n) == 1 ? 0 : -ENOMEM;
    if (algorithm)
        crypto.md_free(algorithm);
    if (ctx)
        crypto.ctx_free(ctx);
    if (r < 0)
        return r;
    text_hex(bytes, 16, hex);
    snprintf(ret, capacity, "%s-%zu", hex, count);
    return 0;
}

/* ---- bytes ---- */

int part_begin(struct part *part, unsigned number, uint64_t limit, bool md5)
{
    part_forget(part);
    part->number = number;
    part->limit = limit;
    part->length = 0;
    part->is_elsewhere = false;
    part->crc = 0;
    return begin_digests(part, md5);
}

void part_is_in(struct part *part, int fd, uint64_t position)
{
    part->is_elsewhere = true;
    part->elsewhere = fd;
    part->position = position;
}

/* Makes room for n bytes in all, at most PART_MEMORY. */
static int grow(struct part *part, size_t n)
{
    size_t capacity = MAX(part->capacity, FIRST_BYTES);
    while (capacity < n)
        capacity *= 2;
    if (capacity == part->capacity)
        return 0;
    unsigned char *memory = realloc(part->memory, capacity);
    if (!memory)
        return -ENOMEM;
    part->memory = memory;
    part->capacity = capacity;
    return 0;
}

static int write_file(const struct part *part, const void *bytes, size_t n, uint64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = pwrite(part->file, (const char *)bytes + done, n - done, (off_t)(at + done));
        if (r < 0 && errno != EINTR)
            return -errno;
        done += r > 0 ? (size_t)r : 0;
    }
    return 0;
}

static int move_to_file(struct part *part)
{
    part->file = fd_unnamed();
    if (part->file < 0) {
        int r = part->file;
        part->file = -1;
        return r;
    }
    return write_file(part, part->memory, (size_t)part->length, 0);
}

static int keep(struct part *part, const void *bytes, size_t n)
{
    int r = 0;
    if (part->is_elsewhere)
        return 0;
    if (part->file < 0 && part->length + n <= PART_MEMORY) {
        r = grow(part, (size_t)part->length + n);
        if (r == 0)
            memcpy(part->memory + part->length, bytes, n);
        return r;
    }
    if (part->file < 0)
        r = move_to_file(part);
    return r < 0 ? r : write_file(part, bytes, n, part->length);
}

int part_add(struct part *part, const void *bytes, size_t n, size_t *ret)
{
    n = (size_t)MIN((uint64_t)n, part->limit - part->length);
    int r = n ? keep(part, bytes, n) : 0;
    if (r < 0)
        return r;
    if (n && (crypto.update(part->sha256_ctx, bytes, n) != 1 ||
              (part->has_md5 && crypto.update(part->md5_ctx, bytes, n) != 1)))
        return -ENOMEM;
    if (part->crc_kind)
        part->crc = crc_add(part->crc_kind, part->crc, bytes, n);
    part->length += n;
    *ret = n;
    return 0;
}

struct http_body part_body(const struct part *part)
{
    if (part->is_elsewhere && part->length)
        return (struct http_body){
            .fd = part->elsewhere, .offset = part->position, .length = part->length, .sha256 = part->sha256};
    const void *bytes = part->memory ? (const void *)part->memory : "";
    return (struct http_body){.bytes = part->file < 0 ? bytes : NULL, .fd = part->file, .length = part->length};
}

void part_forget(struct part *part)
{
    part->file = fd_close(part->file);
}

void part_free(struct part *part)
{
    part_forget(part);
    free(part->memory);
    if (part->sha256_ctx)
        crypto.ctx_free(part->sha256_ctx);
    if (part->md5_ctx)
        crypto.ctx_free(part->md5_ctx);
    *part = (struct part){.file = -1};
}
