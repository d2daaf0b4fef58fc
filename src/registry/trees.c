/* SPDX-License-Identifier: MIT */
/* The ends of trees. The lists end with NULL. */
#include "tree/ends.h"

const struct tree_source *const registry_tree_sources[] = {
    &source_folder,
    &source_tar,
    NULL,
};

const struct tree_sink *const registry_tree_sinks[] = {
    &sink_folder,
    NULL,
};
