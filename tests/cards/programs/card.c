/* A program that knows nothing of CUDA computes on the card, in many threads, and with
   mistakes. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "toy.h"

enum { ROWS = 5, MOST = 63, THREADS = 4, CALLS = 40 };

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            printf("line %d: %s (%s)\n", __LINE__, #condition, toy_last_error());     \
            return (void *)1;                                                         \
        }                                                                             \
    } while (0)

static void *w, *mean, *prepared;

static void *new_array(const void *contents, int64_t bytes) {
    void *made = NULL;
    if (toy_card()->allocate(bytes, &made) != LXC_OK) return NULL;
    if (contents != NULL && toy_card()->upload(made, contents, bytes, NULL) != LXC_OK)
        return NULL;
    return made;
}

static void *compute(void *stream) {
    const lxc_card *card = toy_card();
    float x[4 * MOST], y[4 * MOST];
    int32_t count = 7;
    int64_t n = ROWS;
    for (int i = 0; i < 4 * MOST; ++i) x[i] = (float)i;
    void *there = new_array(x, sizeof x), *result = new_array(NULL, sizeof y);
    void *number = new_array(&count, sizeof count), *arena = new_array(NULL, TOY_ARENA_BYTES);
    void *event = NULL;
    CHECK(there && result && number && arena && card->wait(NULL) == LXC_OK);
    const void *in[] = {there}, *params[] = {w, w, w}, *state[] = {mean, number};
    void *out[] = {result}, *state_out[] = {NULL, number};
    toy_call call = {sizeof call, 0,     in, params, state, state_out, out,
                     prepared,    arena, &n, NULL,   0,     0};
    for (int turn = 0; turn < CALLS; ++turn) CHECK(toy_enqueue(&call, stream) == LXC_OK);
    toy_call bad = call;
    bad.threads = 2;
    CHECK(toy_enqueue(&bad, stream) == LXC_EARGUMENT);
    bad = call;
    bad.outputs = (void *const *)in;
    CHECK(toy_run(&bad) == LXC_EOVERLAP);
    CHECK(toy_run(NULL) == LXC_ENULL);
    int64_t most = MOST;
    bad = call;
    bad.dims = &most;
    CHECK(toy_run(&bad) == LXC_EKERNEL);
    CHECK(card->mark(stream, &event) == LXC_OK && card->follow(NULL, event) == LXC_OK);
    CHECK(card->download(y, result, sizeof y, NULL) == LXC_OK);
    CHECK(card->download(&count, number, sizeof count, NULL) == LXC_OK);
    CHECK(card->wait(NULL) == LXC_OK && count == 7 + CALLS * ROWS);
    for (int i = 0; i < 4 * ROWS; ++i) CHECK(y[i] == 2 * x[i] + 1);
    int32_t passed = 0;
    CHECK(card->has_passed(event, &passed) == LXC_OK && passed);
    CHECK(card->forget(event) == LXC_OK && card->release(there) == LXC_OK);
    CHECK(card->release(result) == LXC_OK && card->release(number) == LXC_OK);
    CHECK(card->release(arena) == LXC_OK);
    return NULL;
}

static void *one_after_the_other(void) {
    const float ones[4] = {1, 1, 1, 1}, zeros[4] = {0};
    int64_t n = ROWS;
    void *host = NULL;
    CHECK(toy_card()->size == sizeof(lxc_card) && toy_card()->use(-1) == LXC_EDEVICE);
    CHECK(toy_card()->use(0) == LXC_OK && toy_card()->use(1) == LXC_EDEVICE);
    w = new_array(ones, sizeof ones);
    mean = new_array(zeros, sizeof zeros);
    prepared = new_array(NULL, TOY_PREPARED_BYTES);
    CHECK(w && mean && prepared);
    const void *params[] = {w, w, w}, *state[] = {mean, NULL};
    toy_prepare_call call = {sizeof call, 0, params, state, prepared, &n, NULL, 0, 0};
    CHECK(toy_prepare(&call) == LXC_OK);
    toy_prepare_call bad = call;
    bad.prepared = (char *)prepared + 4;
    CHECK(toy_prepare(&bad) == LXC_EALIGNMENT);
    CHECK(toy_card()->allocate_host(64, &host) == LXC_OK);
    CHECK(toy_card()->upload(host, ones, 0, NULL) == LXC_OK);
    CHECK(toy_card()->release_host(host) == LXC_OK);
    CHECK(toy_card()->allocate(INT64_C(1) << 50, &host) == LXC_EMEMORY);
    CHECK(strcmp(toy_last_error(), "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2)") == 0);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    void *wrong = one_after_the_other(), *one;
    for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, compute, NULL);
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(threads[i], &one);
        if (one != NULL) wrong = one;
    }
    if (toy_card()->close() != LXC_OK || compute(NULL) != NULL) wrong = &one;
    if (toy_card()->close() != LXC_OK) wrong = &one;
    toy_card()->release(w);
    toy_card()->release(mean);
    toy_card()->release(prepared);
    return wrong != NULL;
}
