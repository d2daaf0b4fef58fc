/* SPDX-License-Identifier: MIT */
/* Helpers for the text form of a pipeline: facts about specs. */
#ifndef REGISTRY_SCHEMES_H
#define REGISTRY_SCHEMES_H

#include <stdbool.h>

/* Does the spec start with a scheme of the list and a colon? */
bool scheme_known(const char *spec);

#endif
