/* SPDX-License-Identifier: MIT */
/* Claims in a bucket: each record is an object that is put if none has its key. */
#ifndef STORE_S3_CLAIM_H
#define STORE_S3_CLAIM_H

#include "base/claim_place.h"

extern const struct claim_place claim_s3;

#endif
