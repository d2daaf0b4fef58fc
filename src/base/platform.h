/* What POSIX does not offer, behind one constant table. Exactly one file defines it, chosen when the library is
 * linked: kernel/linux.c, or base/posix.c where there is no Linux. Nothing above has an #ifdef for that. */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include "base/op.h"
#include <leat/endpoint.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* Memory that processes share, and what they need to wait for each other and to know who is still there. All of it is
 * futexes, locks and descriptors of Linux's own, so it is there as a whole or not at all. Results are 0 or -errno. */
struct platform_sharing {
    /* A memory file of `size` zero bytes, which are there for good: it can't grow, shrink or lose its seals. Gives it.
     */
    int (*make)(const char *name, uint64_t size);

    /* Is it such a file? -EINVAL if it is not. */
    int (*check)(int fd);

    /* Maps `size` bytes of it twice, one behind the other, so that what wraps at the end needs no second look. */
    int (*map_twice)(int fd, uint64_t offset, size_t size, void **ret);

    /* A lock on `index`, which the kernel drops when the last copy of this descriptor is gone, however its owner went.
     * It belongs to the open file, not to the process: who wants one of his own reopens the file. -EAGAIN: somebody
     * else has it. */
    int (*lock)(int fd, uint32_t index);
    int (*unlock)(int fd, uint32_t index);
    /* 1: somebody else has it; 0: nobody has. */
    int (*locked)(int fd, uint32_t index);

    /* Sleeps while *word is `value`, for at most so long; returns early at will. */
    void (*wait)(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns);
    /* Tells the processor that this is a loop that waits. */
    void (*pause)(void);
    /* May this thread run on one processor only? */
    bool (*alone)(void);
    /* Wakes up to n sleepers; gives how many there were. */
    int (*wake)(_Atomic uint32_t *word, int n);

    /* An event, which pollers hear of. Gives it. Its open file belongs to every peer, so event_set never sleeps,
     * whatever another peer makes of the flags or of the count; where that can't be had, nothing is set. */
    int (*event)(void);
    bool (*is_event)(int fd);
    void (*event_set)(int fd);

    /* A descriptor that becomes readable when one of the events is set, until poller_clear. Gives it. */
    int (*poller)(const int *events, size_t n);
    void (*poller_clear)(int poller);
    /* Makes the poller readable every `interval_ms` besides. Gives the timer, which poller_clear_timer keeps going. */
    int (*poller_tick)(int poller, int interval_ms);
    void (*poller_clear_timer)(int timer);

    /* Tells when open files of other files are closed, by whomever, be it the kernel after a kill. Gives a descriptor
     * that is readable when it has something to tell. */
    int (*closings)(void);
    /* From now on of the file that `fd` is open on. Gives a number for it, the same for the same file. */
    int (*closings_add)(int closings, int fd);
    void (*closings_remove)(int closings, int number);
    /* The numbers of up to n files that were closed, or -1 for any of them. Gives how many; -EAGAIN: none. */
    int (*closings_next)(int closings, int *numbers, size_t n);

    /* The position of a descriptor, without the lock on it that another process may keep for ever. Or -errno. */
    int64_t (*position)(int fd);
    /* Receives a byte and the descriptors that came with it: all are given, close-on-exec, and *n of them, of which the
     * room was `*n`. What else came is closed. -EPROTO: there were more, or not all could be had; -ENODATA: the end. */
    int (*receive)(int socket, int *fds, size_t *n);
};

struct platform_process {
    pid_t pid, parent, session;
    uint64_t start; /* when it began: together with pid it names one process for good */
    bool ended;     /* it waits for its parent to take its status */
};

/* Processes that are not our children. */
struct platform_processes {
    /* Can other processes be seen? */
    bool (*can_list)(void);
    /* -ESRCH: it can't be seen, or is no more. */
    int (*look)(pid_t pid, struct platform_process *ret);
    /* Calls `visit` for each process that can be seen. -errno: none can. */
    int (*each)(void (*visit)(void *user, const struct platform_process *process), void *user);
    /* Does the environment that its program was started with have this entry ("NAME=VALUE")? False if that can't be
     * told. */
    bool (*has_environment)(pid_t pid, const char *entry);

    /* A descriptor that stands for this process alone, and is readable once it has ended. Gives it, or -errno (ESRCH:
     * there is no such process). */
    int (*open)(pid_t pid);
    /* Sends it a signal. */
    int (*signal)(int process, int number);
};

/* What is known of a file system from a path in it. */
struct platform_file_system {
    const char *name; /* "ext4"; NULL: unknown. Static */
    bool network;     /* data may be moved at a distance */
    bool is_fixed;    /* it is the kernel's own and takes no new files: procfs, sysfs and their like */
};

/* What statx(2) tells of a path. */
enum {
    PATH_MOUNTED = 1 << 0,     /* something is mounted right on it */
    PATH_APPEND_ONLY = 1 << 1, /* chattr +a */
    PATH_IMMUTABLE = 1 << 2,   /* chattr +i */
};

struct platform {
    const char *name;

    /* NULL: a process knows its own children alone. */
    const struct platform_processes *processes;

    /* NULL: processes share no memory here. */
    const struct platform_sharing *sharing;

    /* OP_SPLICE to OP_PUNCH, READ and WRITE with OP_NOWAIT or OP_DONTCACHE, LINK of a file without a name. -1 with
     * errno; ENOSYS for what is not there, EOPNOTSUPP if such a flag can't be had on this descriptor. */
    ssize_t (*execute)(struct op *op);

    /* A descriptor of its own on what `fd` is open on, with other flags; blocks never. Gives it, or -errno. */
    int (*reopen)(int fd, int flags);

    /* Was it opened for O_DIRECT? */
    bool (*is_direct)(int fd);

    /* A descriptor of its own on the same file or block device that goes past the page cache, and what offsets, lengths
     * and memory must be multiples of. Gives it, or -errno (EINVAL, EOPNOTSUPP: the file system has no such thing). */
    int (*open_direct)(int fd, enum leat_direction direction, size_t *ret_alignment);

    /* Gives a new file its length and its blocks, so that writes to it need not wait for each other. */
    int (*allocate)(int fd, uint64_t length);

    /* What was written to this range (length 0: to the end) goes to the disk; `wait`: until it is there. What a failed
     * write-back says is said once, so it is to be believed. */
    int (*write_back)(int fd, int64_t offset, uint64_t length, bool wait);

    /* All of the file system of an open file goes to its disk. 0 or -errno. */
    int (*sync_file_system)(int fd);

    /* PATH_ bits; none of what is not known. */
    unsigned (*path_flags)(const char *path);

    /* Takes hold of what a path leads to (`follows`), or of the link that it is, without opening it: never blocks, has
     * no effect on a device, needs no right on it, and stays with it when its names change. Gives a descriptor for
     * fstat and path_of_fd alone, or -errno; -ENOSYS: there is no such thing here. */
    int (*pin)(const char *path, bool follows);

    /* A directory, to look names up in, which needs no right to read it. `path` begins at `at`. Gives it, or -errno. */
    int (*open_directory)(int at, const char *path);

    /* A path to what `fd` is open on, whatever names that has, as long as fd is open. -ENOSYS: there is none. That the
     * path can be used shows when file_system is asked for it: procfs may not be mounted. */
    int (*path_of_fd)(int fd, char *text, size_t size);

    /* Gives `to` what the file at `from` carries besides bytes, owner, mode and times: its access control list,
     * extended attributes, security label, capabilities and the flags of chattr(1). What it has already is left alone.
     * 1: something was given or taken away; 0: nothing had to be.
     * -errno and what can't be given in `lost` ("its ..."); with `tries` it goes on with the rest, the result is 1, and
     * `lost` is filled only if it is the access control list. */
    int (*copy_attributes)(const char *from, int to, bool tries, char *lost, size_t size);

    /* A file without a name in a directory, for reading and writing; `path` begins at `at`. Gives it, or -errno
     * (EOPNOTSUPP, EISDIR, ...). It may be of no use: whether OP_LINK can name it shows when it is tried. */
    int (*open_unnamed)(int at, const char *path, unsigned mode);

    /* See fd_pipe. */
    int (*pipe)(int ret[2]);

    /* A private pipe for splicing, of at most `size` bytes (at least a page, a power of two of pages), and its real
     * size. Both ends are non-blocking. Gives both, or -errno. */
    int (*pipe_make)(int ret[2], size_t size, size_t *ret_size);

    /* The size of somebody's pipe, 0 if unknown. It is never changed. */
    size_t (*pipe_size)(int fd);

    /* How many bytes a pipe holds that nobody has read; asked of either end. 0 if unknown. */
    size_t (*pipe_unread)(int fd);

    /* socket(2) and accept(2), close-on-exec and non-blocking, on Linux from the start. Each gives the descriptor, or
     * -errno. */
    int (*socket)(int family, int type, int protocol);
    int (*accept)(int listener);

    /* The next data and the hole after it, from `offset` on. -ENXIO: no data until the end. Moves the position of `fd`,
     * so it is one that nobody shares. */
    int (*find_data)(int fd, uint64_t offset, uint64_t *ret_start, uint64_t *ret_end);

    /* That of what a path leads to. -errno: the path can't be used, and *ret is empty. */
    int (*file_system)(const char *path, struct platform_file_system *ret);

    /* "ENOSPC" for ENOSPC. NULL for none. Static. */
    const char *(*errno_name)(int code);

    /* The number that such a path stands for, as /proc/self/fd/3 does for 3; -1 for any other path. */
    int (*path_to_fd)(const char *path);

    /* Do two descriptors share one open file? 1, 0, or -EOPNOTSUPP where the kernel does not tell. */
    int (*is_same_open_file)(int a, int b);

    /* Takes one pending SIGPIPE of this thread away. */
    void (*consume_sigpipe)(void);
};

extern const struct platform platform;

#endif
