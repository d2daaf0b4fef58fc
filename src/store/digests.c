/* SPDX-License-Identifier: MIT */
#include "store/digests.h"
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* ---- values ---- */

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes exactly `want` bytes; the padding must be correct. */
static bool read_base64(const char *text, size_t n, uint8_t *ret, size_t want)
{
    size_t got = 0;
    unsigned bits = 0, held = 0;
    if (n != (want + 2) / 3 * 4)
        return false;
    for (size_t i = 0; i < n && text[i] != '='; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = (bits << 6 | (unsigned)digit) & 0xffff;
        held += 6;
        if (held >= 8 && got < want) {
            held -= 8;
            ret[got++] = (uint8_t)(bits >> held);
        }
    }
    return got == want;
}

static void add(struct sent_digests *d, const char *algorithm, const char *header, const char *text, size_t n,
                size_t want)
{
    if (d->n == DIGESTS_MAX)
        return;
    struct sent_digest *one = &d->one[d->n];
    if (!read_base64(text, n, one->bytes, want))
        return;
    snprintf(one->algorithm, sizeof(one->algorithm), "%s", algorithm);
    one->header = header;
    one->n = want;
    d->n++;
}

static void skip(struct sent_digests *d, const char *why)
{
    if (!d->skipped[0])
        snprintf(d->skipped, sizeof(d->skipped), "%s", why);
}

/* ---- headers ---- */

/* "sha-256=:BASE64:, sha-512=:BASE64:" (RFC 9530). */
static void read_dictionary(struct sent_digests *d, const char *header, const char *value)
{
    static const struct {
        const char *name, *algorithm;
        size_t n;
    } known[] = {{"sha-256", "sha256", 32}, {"sha-512", "sha512", 64}};
    while (*value) {
        value += strspn(value, " \t,");
        size_t name = strcspn(value, "=,"), all = strcspn(value, ",");
        const char *text = value + name + 2;
        bool is_bytes = all > name + 3 && value[name + 1] == ':' && value[all - 1] == ':';
        for (size_t i = 0; is_bytes && i < COUNT(known); i++)
            if (strlen(known[i].name) == name && strncasecmp(value, known[i].name, name) == 0)
                add(d, known[i].algorithm, header, text, all - name - 3, known[i].n);
        value += all;
    }
}

static void read_md5(struct sent_digests *d, const char *header, const char *value)
{
    add(d, "md5", header, value, strlen(value), 16);
}

/* "BASE64-3" is computed from the checksums of three parts. */
static void read_checksum(struct sent_digests *d, const char *header, const char *value)
{
    static const struct {
        const char *header, *algorithm;
        size_t n;
    } known[] = {{"x-amz-checksum-sha256", "sha256", 32},
                 {"x-amz-checksum-sha1", "sha1", 20},
                 {"x-amz-checksum-crc32c", "crc32c", 4},
                 {"x-amz-checksum-crc32", "crc32", 4},
                 {"x-amz-checksum-crc64nvme", "crc64nvme", 8}};
    if (strchr(value, '-')) {
        skip(d, "the checksum is one of the checksums of the parts");
        return;
    }
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(header, known[i].header) == 0)
            add(d, known[i].algorithm, known[i].header, value, strlen(value), known[i].n);
}

static void read_type(struct sent_digests *d, const char *header UNUSED, const char *value)
{
    d->is_composite = strcasecmp(value, "COMPOSITE") == 0;
}

/* If the object is encrypted with a customer-provided key or a key of the key service, its ETag is not an MD5. */
static void read_encryption(struct sent_digests *d, const char *header UNUSED, const char *value)
{
    d->is_encrypted |= strcasecmp(value, "AES256") != 0;
}

static void read_customer_key(struct sent_digests *d, const char *header UNUSED, const char *value UNUSED)
{
    d->is_encrypted = true;
}

void digests_read_header(struct sent_digests *d, const char *name, const char *value)
{
    static const struct {
        const char *name;
        void (*read)(struct sent_digests *digests, const char *header, const char *value);
    } headers[] = {
        {"Repr-Digest", read_dictionary},
        {"Content-Digest", read_dictionary},
        {"Content-MD5", read_md5},
        {"x-amz-checksum-sha256", read_checksum},
        {"x-amz-checksum-sha1", read_checksum},
        {"x-amz-checksum-crc32c", read_checksum},
        {"x-amz-checksum-crc32", read_checksum},
        {"x-amz-checksum-crc64nvme", read_checksum},
        {"x-amz-checksum-type", read_type},
        {"x-amz-server-side-encryption", read_encryption},
        {"x-amz-server-side-encryption-customer-algorithm", read_customer_key},
    };
    for (size_t i = 0; i < COUNT(headers); i++)
        if (strcasecmp(name, headers[i].name) == 0)
            headers[i].read(d, headers[i].name, value);
}

const struct sent_digest *digests_find(const struct sent_digests *d, const char *header)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcasecmp(d->one[i].header, header) == 0)
            return &d->one[i];
    return NULL;
}

/* 32 hexadecimal digits between quotes. */
static bool read_etag(const char *etag, uint8_t ret[16])
{
    char hex[3] = "";
    if (strlen(etag) != 34 || etag[0] != '"' || etag[33] != '"' || strspn(etag + 1, "0123456789abcdefABCDEF") != 32)
        return false;
    for (size_t i = 0; i < 16; i++) {
        memcpy(hex, etag + 1 + 2 * i, 2);
        ret[i] = (uint8_t)strtoul(hex, NULL, 16);
    }
    return true;
}

static bool is_amazon(const struct sent_digest *digest)
{
    return strncmp(digest->header, "x-amz-", 6) == 0;
}

void digests_end(struct sent_digests *d, const char *etag)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->n; i++)
        if (!d->is_composite || !is_amazon(&d->one[i]))
            d->one[kept++] = d->one[i];
    if (kept < d->n)
        skip(d, "the checksum is one of the checksums of the parts");
    d->n = kept;
    struct sent_digest *one = &d->one[d->n];
    if (!etag || d->n || d->is_encrypted ||
        !read_etag(etag, one->bytes)) /* MD5 is slow, so it is used only if there is no other digest */
        return;
    snprintf(one->algorithm, sizeof(one->algorithm), "md5");
    one->header = "ETag";
    one->n = 16;
    d->n = 1;
}
