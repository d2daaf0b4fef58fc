/* SPDX-License-Identifier: MIT */
#include "base/errno_name.h"
#include <errno.h>
#include <stddef.h>

const char *errno_name_posix(int code)
{
#define NAME(e)                                                                                                        \
    case e:                                                                                                            \
        return #e
    switch (code) {
        NAME(E2BIG);
        NAME(EACCES);
        NAME(EADDRINUSE);
        NAME(EAFNOSUPPORT);
        NAME(EAGAIN);
        NAME(EBADF);
        NAME(EBADMSG);
        NAME(EBUSY);
        NAME(ECANCELED);
        NAME(ECHILD);
        NAME(ECONNABORTED);
        NAME(ECONNREFUSED);
        NAME(ECONNRESET);
        NAME(EDQUOT);
        NAME(EEXIST);
        NAME(EFAULT);
        NAME(EFBIG);
        NAME(EINTR);
        NAME(EINVAL);
        NAME(EIO);
        NAME(EISDIR);
        NAME(ELOOP);
        NAME(EMFILE);
        NAME(EMLINK);
        NAME(EMSGSIZE);
        NAME(ENAMETOOLONG);
        NAME(ENFILE);
        NAME(ENOBUFS);
        NAME(ENODATA);
        NAME(ENODEV);
        NAME(ENOENT);
        NAME(ENOMEM);
        NAME(ENOSPC);
        NAME(ENOSYS);
        NAME(ENOTDIR);
        NAME(ENXIO);
        NAME(EOPNOTSUPP);
        NAME(EPERM);
        NAME(EPIPE);
        NAME(EPROTO);
        NAME(ERANGE);
        NAME(EROFS);
        NAME(ESPIPE);
        NAME(ESTALE);
        NAME(ETIMEDOUT);
        NAME(ETXTBSY);
        NAME(EXDEV);
    default:
        return NULL;
    }
#undef NAME
}
