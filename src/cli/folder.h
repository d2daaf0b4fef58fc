/* SPDX-License-Identifier: MIT */
/* A sink that is a folder means the file in it that has the name of the source, as for cp. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include <stdbool.h>

/* Is there a folder at the path? Links are followed. */
bool folder_exists(const char *path);

/* spec[0] is the source, the others are sinks. Replaces each spec of a sink that names a folder by the spec of the file
 * in it. What it allocates stays until the command ends. Returns 0, or an exit code after a message: the source has no
 * name that a file could get. */
int folder_resolve(const char *command, int count, char **spec);

#endif
