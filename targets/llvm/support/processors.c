/* The number of threads worth starting: the processors this process may run on, and no more
   than its control group pays for. */

static int32_t lxc_read_text(const char *path, char *text, int32_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = read(file, text, (size_t)capacity - 1);
    close(file);
    if (length < 0) return -1;
    text[length] = 0;
    return (int32_t)length;
}

/* Round quota / period up; 0 stands for no limit. */
static int32_t lxc_processors_paid(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return 0;
    long long count = (quota + period - 1) / period;
    return count < INT32_MAX ? (int32_t)count : 0;
}

static int32_t lxc_smaller_limit(int32_t a, int32_t b) {
    if (a == 0 || b == 0) return a + b;
    return a < b ? a : b;
}

/* Version 2: the file cpu.max of the group and of every group above it. */
static int32_t lxc_group_limit(void) {
    char group[512], path[640], text[64];
    int32_t limit = 0;
    if (lxc_read_text("/proc/self/cgroup", group, sizeof group) < 0) return 0;
    char *name = strstr(group, "0::/");
    if (name == NULL) return 0;
    name += 3;
    name[strcspn(name, "\n")] = 0;
    for (;;) {
        long long quota = 0, period = 0;
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", name);
        if (lxc_read_text(path, text, sizeof text) > 0 &&
            sscanf(text, "%lld %lld", &quota, &period) == 2)
            limit = lxc_smaller_limit(limit, lxc_processors_paid(quota, period));
        char *last = strrchr(name, '/');
        if (last == NULL) return limit;
        *last = 0;
    }
}

/* Version 1, as containers mount it. */
static int32_t lxc_old_group_limit(void) {
    char quota[64], period[64];
    if (lxc_read_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof quota) < 0 ||
        lxc_read_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof period) < 0)
        return 0;
    return lxc_processors_paid(atoll(quota), atoll(period));
}

static int32_t lxc_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = CPU_COUNT(&allowed);
#endif
    if (count < 1) count = 1;
    int32_t limit = lxc_smaller_limit(lxc_group_limit(), lxc_old_group_limit());
    if (limit > 0 && limit < count) count = limit;
    return count < LXC_MOST_THREADS ? (int32_t)count : LXC_MOST_THREADS;
}
