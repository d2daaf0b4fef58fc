/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), as iSCSI, ext4 and btrfs use it. */
#ifndef FILTER_CRC32C_H
#define FILTER_CRC32C_H

#include "base/base.h"

/* Returns the CRC-32C of the bytes that gave `crc` (0: no bytes) followed by these n bytes. Uses the CPU's instruction
 * if there is one. Any thread. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* Same as crc32c, but computes with tables on every machine. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n);

#endif
