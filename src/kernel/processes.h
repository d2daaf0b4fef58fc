/* SPDX-License-Identifier: MIT */
/* The platform's functions for processes, which use procfs and pidfds. */
#ifndef KERNEL_PROCESSES_H
#define KERNEL_PROCESSES_H

#include "base/platform.h"

extern const struct platform_processes linux_processes;

#endif
