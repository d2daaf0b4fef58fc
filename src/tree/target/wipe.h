/* SPDX-License-Identifier: MIT */
/* Removing a folder with all that is in it, which is not a part of the tree that is copied (see remove.h). No link is
 * followed, no other file system is entered, and the way up leads to the folder that the way down came from, also if
 * another process moves folders meanwhile. */
#ifndef TREE_WIPE_H
#define TREE_WIPE_H

/* Removes the folder `name` in the open folder `at`. Returns 0; -ENOENT: there is none; -EXDEV: a file system is
 * mounted in it; or a negative errno, then some of it is left. Blocks until it is done. */
int wipe_folder(int at, const char *name);

#endif
