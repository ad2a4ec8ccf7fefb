/* Threads that wait for a number to change: the futex of Linux. A mutex and a condition would
   do the same, but every thread that wakes would first wait for the mutex. */

enum { LXC_FUTEX_WAIT = 128, LXC_FUTEX_WAKE = 129 }; /* of this process only */

/* Sleep unless *number is another one already; may return early. */
static void lxc_sleep_while(const void *number, unsigned value) {
    syscall(SYS_futex, number, LXC_FUTEX_WAIT, value, NULL, NULL, 0);
}

static void lxc_wake_sleepers(const void *number, int32_t count) {
    syscall(SYS_futex, number, LXC_FUTEX_WAKE, count, NULL, NULL, 0);
}
