/* Names in JSON: they may be any bytes, and JSON is Unicode. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

/* A string; bytes that are no UTF-8 become U+FFFD. NULL becomes null. Gives a reference. */
json_t *json_name(const char *name);

#endif
