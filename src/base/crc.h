/* Cyclic redundancy checks, of the kinds that stores keep with objects. Two of them can be joined: that of a whole
 * follows from those of its parts, without its bytes. They detect accidents and not attacks. */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include "base/base.h"

struct crc_kind {
    const char *name; /* "crc32", "crc32c", "crc64nvme" */
    size_t bytes;     /* of a value: 4 or 8 */
    /* Its bits in reversed order, without the highest power. */
    uint64_t polynomial;
};

/* The kind of this name, or NULL. */
const struct crc_kind *crc_find(const char *name);

/* The value of what gave `crc` (0: nothing) followed by n bytes. By carry-less multiplication where the CPU has it. */
uint64_t crc_add(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n);

/* The same from tables, on any machine. */
uint64_t crc_add_portable(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n);

/* The value of what gave `first` followed by the n bytes that gave `second`. */
uint64_t crc_join(const struct crc_kind *kind, uint64_t first, uint64_t second, uint64_t n);

/* The bytes of a value, the highest first, as it is written: kind->bytes of them. */
void crc_bytes(const struct crc_kind *kind, uint64_t crc, uint8_t *ret);

#endif
