/* What run and prepare say of calls that are wrong: a line for each. A struct that is too
   small lies at the end of memory that can be read. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "digits.h"

static void say(int32_t code) { printf("%d %s\n", (int)code, digits_last_error()); }

static void *end_of_memory(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE)) return NULL;
    return two + page;
}

int main(int argc, char **argv) {
    static _Alignas(64) char arena[DIGITS_ARENA_BYTES + 64];
    const uint32_t size = sizeof size;
    char *small = end_of_memory();
    if (small == NULL) return 1;
    small -= sizeof size;
    memcpy(small, &size, sizeof size);
    say(digits_run((const void *)small));
    say(digits_prepare((const void *)small));
    say(digits_init((void *)small, NULL));

    float x[65], y[20];
    int64_t dims[] = {1};
    const void *inputs[] = {x};
    void *outputs[] = {y}, *state_out[DIGITS_STATE_COUNT] = {NULL};
    digits_values values = {.size = sizeof values};
    digits_call call = {.size = sizeof call, .inputs = inputs, .outputs = outputs,
        .state_out = state_out, .arena = arena, .dims = dims};
    memset(x, 0, sizeof x);
    say(digits_run(&call));
    if (digits_init(&values, argc > 1 ? argv[1] : NULL)) return 2;
    say(argc > 1 ? digits_init(&values, argv[1]) : LXC_EARGUMENT);
    call.params = values.params, call.prepared = values.prepared, call.state_in = values.state;
    if (digits_run(&call)) return 3;

    digits_call wrong = call;
    wrong.arena = arena + 4, say(digits_run(&wrong)), wrong = call;
    wrong.threads = -1, say(digits_run(&wrong)), wrong = call;
    wrong.inputs = NULL, say(digits_run(&wrong)), wrong = call;
    wrong.prepared = NULL, say(digits_run(&wrong)), wrong = call;
    lxc_pool pool = *digits_pool();
    pool.launch = NULL;
    wrong.pool = &pool, say(digits_run(&wrong));
    inputs[0] = (char *)x + 1, say(digits_run(&call)), inputs[0] = x;
    outputs[0] = x + 63, say(digits_run(&call)), outputs[0] = y;
    outputs[0] = NULL, say(digits_run(&call)), outputs[0] = y;
    dims[0] = 65, say(digits_run(&call)), dims[0] = 1;
    if (digits_run(&call)) return 4;
    digits_release(&values);
    call.params = values.params, call.prepared = values.prepared, call.state_in = values.state;
    say(digits_run(&call));
    return 0;
}
