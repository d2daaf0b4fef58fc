#include "base/text.h"
#include <errno.h>
#include <stdlib.h>

int text_close(FILE *to, char **text)
{
    if (fclose(to) == 0 && *text)
        return 0;
    free(*text);
    *text = NULL;
    return -ENOMEM;
}
