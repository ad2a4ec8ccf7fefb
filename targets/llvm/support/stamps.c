
/* What ends when, for the thread that asked for it: each event has the number of what ended,
   and the time. Events that there is no room for are counted. */

#include <time.h>

#define LXC_SEEN __attribute__((visibility("default")))

static _Thread_local struct {
    int64_t (*events)[2];
    int64_t room;
    int64_t count;
} lxc_trace;

int32_t lxc_stamp(int64_t what) {
    if (lxc_trace.count < lxc_trace.room) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t *event = lxc_trace.events[lxc_trace.count];
        event[0] = what;
        event[1] = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
    ++lxc_trace.count;
    return 0;
}

/* Write the next events of this thread to `events`, which has room for some. */
LXC_SEEN void NAME_trace(int64_t (*events)[2], int64_t room) {
    lxc_trace.events = events;
    lxc_trace.room = room;
    lxc_trace.count = 0;
}

/* How many events there were since then. */
LXC_SEEN int64_t NAME_traced(void) { return lxc_trace.count; }
