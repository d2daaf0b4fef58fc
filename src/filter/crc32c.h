/* CRC-32C (Castagnoli), as iSCSI, ext4 and btrfs use it. */
#ifndef FILTER_CRC32C_H
#define FILTER_CRC32C_H

#include "base/base.h"

/* The value of what gave `crc` (0: nothing) followed by these bytes, by the CPU's instruction where it has one. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* The same from tables, on any machine. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n);

#endif
