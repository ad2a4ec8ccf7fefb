#include <stdio.h>
#include "toy.h"

int main(void) {
    static _Alignas(64) char prepared[TOY_PREPARED_BYTES], arena[TOY_ARENA_BYTES];
    float x[4] = {1, 1, 1, 1}, w[4] = {1, 1, 1, 1}, mean[4] = {-0.5f}, y[4];
    int count = 0;
    int64_t n = 1;
    const void *in[] = {x}, *params[] = {w, w, w}, *state[] = {mean, &count};
    void *out[] = {y}, *state_out[] = {NULL, &count};
    toy_prepare_call p = {sizeof p, 0, params, state, prepared, &n, NULL, 0, 0};
    toy_call c = {sizeof c, 0, in, params, state, state_out, out, prepared, arena, &n, NULL, 0, 0};
    int made = toy_prepare(&p), ran = toy_run(&c);
    printf("%d %d %g\n", made, ran, y[0]);
    return 0;
}
