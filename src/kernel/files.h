/* SPDX-License-Identifier: MIT */
/* File functions of Linux beyond POSIX: pinning a file without opening it, directories without read permission, flags
 * of chattr(1), attributes, growing pipes. struct platform has the contracts. */
#ifndef KERNEL_FILES_H
#define KERNEL_FILES_H

#include "base/platform.h"

int linux_sync_file_system(int fd);
int linux_lock_file(int fd);
unsigned linux_path_flags(const char *path);
int linux_pin(int at, const char *path, bool follows);
int linux_open_directory(int at, const char *path);
int linux_path_of_fd(int fd, char *text, size_t size);
int linux_file_system(const char *path, struct platform_file_system *ret);
int linux_open_unnamed(int at, const char *path, unsigned mode);

/* pipe_grow.c */
int linux_pipe_grow(int fd, size_t want, size_t *ret_was, size_t *ret_is);

/* attributes.c */
mode_t linux_entry_kind(const struct dirent *entry);
int linux_copy_attributes(const struct platform_file *from, const struct platform_file *to,
                          const struct platform_losses *losses);
int linux_differing_attributes(const int folder[2], const char *name, mode_t kind, char *ret, size_t size);
/* What attributes.c knows of attributes and flags, for its comparison. */
extern const int linux_kept_flags;
bool linux_keeps_attribute(const char *name);
int linux_attribute_set(const struct platform_file *file, const char *name, const void *value, size_t n);
int linux_attributes_each(const struct platform_file *file,
                          int (*add)(void *user, const char *name, const void *value, size_t n), void *user);
int linux_flags_get(int fd, unsigned *ret);
int linux_flags_set(int fd, unsigned flags);

#endif
