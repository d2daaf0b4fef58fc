/* SPDX-License-Identifier: MIT */
/* A sink that is a folder means the file in it that has the name of the source, as for cp. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include <stdbool.h>

/* Is there a folder at the path? Links are followed. */
bool folder_exists(const char *path);

/* Is the spec a path? */
bool folder_is_path(const char *spec);
/* The path that a spec names; NULL: it names none. */
const char *folder_path(const char *spec);

/* *spec names a sink that is a folder, which opening it has told; it becomes the spec of the file in it that has the
 * name of the source. What is allocated stays until the command ends. Returns 0, or an exit code after a message: the
 * source has no name that a file could get. */
int folder_enter(const char *command, const char *source, char **spec);

#endif
