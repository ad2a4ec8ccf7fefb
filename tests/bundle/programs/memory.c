/* Leaves init and the check more and more memory, page by page, and a call no thread: how
   often there was too little, how often enough, and whether later calls are right. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "digits.h"

enum { PAGES = 600 };
static _Alignas(64) char arena[DIGITS_ARENA_BYTES];
static float x[64 * 64], alone[64 * 10], together[64 * 10];

static int limit(int what, rlim_t most) {
    struct rlimit both;
    if (getrlimit(what, &both)) return 1;
    both.rlim_cur = most < both.rlim_max ? most : both.rlim_max;
    return setrlimit(what, &both);
}

static rlim_t used_pages(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) return 0;
    fclose(file);
    return pages;
}

static int call(const digits_values *values, float *y, int32_t threads) {
    int64_t dims[] = {64};
    const void *inputs[] = {x};
    void *outputs[] = {y}, *state_out[DIGITS_STATE_COUNT] = {NULL};
    digits_call one = {.size = sizeof one, .inputs = inputs, .params = values->params,
        .state_in = values->state, .state_out = state_out, .outputs = outputs,
        .prepared = values->prepared, .arena = arena, .dims = dims, .threads = threads};
    return digits_run(&one);
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : NULL;
    int refused = 0, fine = 0, wrong = 0;
    rlim_t page = (rlim_t)sysconf(_SC_PAGESIZE), used = used_pages();
    for (unsigned i = 0; i < PAGES; i++) {
        digits_values values = {.size = sizeof values};
        if (limit(RLIMIT_AS, (used + i) * page)) return 1;
        int32_t code = digits_init(&values, path);
        if (code == LXC_OK) code = digits_selftest(path);
        if (limit(RLIMIT_AS, RLIM_INFINITY)) return 1;
        digits_release(&values);
        refused += code == LXC_EMEMORY, fine += code == LXC_OK;
        wrong += code != LXC_EMEMORY && code != LXC_OK;
    }
    digits_values values = {.size = sizeof values};
    if (digits_init(&values, path) || call(&values, alone, 1)) return 2;
    if (limit(RLIMIT_AS, used_pages() * page) || call(&values, together, 4)) return 3;
    wrong += memcmp(alone, together, sizeof alone) != 0;
    printf("%d %d %d\n", refused > 9, fine > 9, wrong);
    return 0;
}
