/* SPDX-License-Identifier: MIT */
/* Cyclic redundancy checks of the kinds that stores keep with objects. They can be joined: the CRC of a whole follows
 * from the CRCs of its parts, without the bytes. A CRC detects accidents, not attacks. */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include "base/base.h"

struct crc_kind {
    const char *name; /* "crc32", "crc32c", "crc64nvme" */
    size_t bytes;     /* size of a value: 4 or 8 */
    /* The bits in reversed order, without the highest power. */
    uint64_t polynomial;
};

/* Returns the kind with this name, or NULL. Static. */
const struct crc_kind *crc_find(const char *name);

/* Returns the CRC of the bytes that gave `crc` (0: no bytes) followed by these n bytes. Uses carry-less multiplication
 * if the CPU has it. Any thread. */
uint64_t crc_add(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n);

/* Same as crc_add, but computes with tables on every machine. */
uint64_t crc_add_portable(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n);

/* Returns the CRC of the bytes that gave `first` followed by the n bytes that gave `second`. */
uint64_t crc_join(const struct crc_kind *kind, uint64_t first, uint64_t second, uint64_t n);

/* Writes the value to `ret` as kind->bytes bytes, the highest one first. */
void crc_bytes(const struct crc_kind *kind, uint64_t crc, uint8_t *ret);

#endif
