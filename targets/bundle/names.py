"""Names that a bundle cannot have: those of the files and functions of the C library."""

from lxc.errors import LxcError
from lxc.runtime.signature import identifier

HEADERS = """
aio aliases alloca ar argp argz assert byteswap complex cpio crypt ctype dirent dlfcn
elf endian envz err errno error execinfo fcntl features fenv float fmtmsg fnmatch fstab
fts ftw gconv getopt glob grp gshadow iconv ifaddrs inttypes iso646 langinfo lastlog
libgen libintl limits link locale malloc math mcheck memory mntent monetary mqueue ndbm
netdb nl_types nss obstack paths poll printf proc_service pthread pty pwd re_comp regex
regexp resolv sched search semaphore setjmp sgtty shadow signal spawn stab stdalign
stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdio_ext stdlib
stdnoreturn string strings stropts syscall sysexits syslog tar termio termios tgmath
thread_db threads time ttyent uchar ucontext ulimit unistd utime utmp utmpx values
varargs wait wchar wctype wordexp
"""
LIBRARIES = """
anl asan atomic c crypt dl g gcc gcc_eh gcc_s itm lsan m mvec nsl pthread quadmath
resolv rt ssp stdc tsan ubsan util
"""
STARTS = """
aio cnd fanotify inet6_opt inet6_option inet6_rth inotify mtx posix_spawn_file_actions
posix_spawnattr pthread_attr pthread_barrier pthread_barrierattr pthread_cond
pthread_condattr pthread_mutex pthread_mutexattr pthread_rwlock pthread_rwlockattr
pthread_spin res sem
"""
RESERVED = {
    "the header {name}.h": frozenset(HEADERS.split()),
    "the library lib{name}": frozenset(LIBRARIES.split()),
    "the function {name}_init": frozenset(STARTS.split()),
}
"""What a compiler, a linker or the loader would take in place of the system's."""


def check_name(name: str) -> None:
    """Refuse a name that would hide a part of the C library from a program."""
    prefix = identifier(name)
    hidden = [what for what, names in RESERVED.items() if prefix.lower() in names]
    if hidden:
        raise LxcError(
            "LXC-E0001",
            f"a bundle named {prefix} would hide a part of the C library",
            actual=", ".join(hidden).format(name=prefix),
            hint=f"another name: --name {prefix}_model",
        )
