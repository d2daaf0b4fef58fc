/* What Linux knows of files beyond POSIX: a file held without opening it, directories that can't be read, flags of
 * chattr(1), attributes. See struct platform for each contract. */
#ifndef KERNEL_FILES_H
#define KERNEL_FILES_H

#include <stdbool.h>
#include <stddef.h>

bool linux_is_mount_point(const char *path);
int linux_pin(const char *path);
int linux_open_directory(int at, const char *path);
int linux_path_of_fd(int fd, char *text, size_t size);
int linux_check_flags(const char *path, bool *ret_appendable);
bool linux_takes_no_files(const char *path);
int linux_open_unnamed(int at, const char *path, unsigned mode);

/* attributes.c */
int linux_copy_attributes(const char *from, int to, bool tries, char *lost, size_t size);

#endif
