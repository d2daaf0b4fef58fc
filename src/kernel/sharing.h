/* What the platform offers for memory that processes share. */
#ifndef KERNEL_SHARING_H
#define KERNEL_SHARING_H

#include "base/platform.h"

extern const struct platform_sharing linux_sharing;

#endif
