/* SPDX-License-Identifier: MIT */
/* What of a tree is copied: the rules and names that options and files give. */
#ifndef CLI_TREES_SELECTION_H
#define CLI_TREES_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

/* Texts, ended by NULL. */
struct tree_texts {
    char **text;
    size_t count, room;
};

struct tree_selection {
    struct tree_texts given; /* of options, in their order: '+' or '-', then ' ' and a pattern or '<' and a file */
    struct tree_texts rules; /* as leat_tree_copy takes them */
    struct tree_texts names; /* of the file `files_from` */
    const char *files_from;  /* NULL: none */
    bool ends_with_nul;      /* lines of files end with NUL */
};

/* Adds what the option --exclude (`sign` '-') or --include ('+') says: a pattern, or a file with patterns (`is_file`).
 * Returns 0, or an exit code after a message. */
int tree_selection_add(struct tree_selection *s, char sign, const char *text, bool is_file);
/* Reads the files; all options are known. Returns 0, or an exit code after a message. */
int tree_selection_read(struct tree_selection *s);
void tree_selection_free(struct tree_selection *s);

#endif
