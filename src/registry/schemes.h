/* What the text form of a pipeline asks about specs. */
#ifndef REGISTRY_SCHEMES_H
#define REGISTRY_SCHEMES_H

#include <stdbool.h>

/* Does it begin with a scheme of the list, and its colon? */
bool scheme_known(const char *spec);

#endif
