/* A model for cards by hand: y = x * (2 * weight + mean) * one + bias, and count grows by the
   rows of x. Params: bias[4], weight[4], then the constant one[4]. State: mean[4] (frozen),
   count. The doubled weight is what prepare computes. A batch of 63 makes run fail. */

#include <stdint.h>

int32_t lxc_launch(int64_t *cell, int64_t kernel, int64_t blocks, const int64_t *arguments,
                   int64_t count);

enum { DOUBLE, SCALE, FINISH };

int32_t toy_entry_prepare(const int64_t *params, const int64_t *state, int64_t prepared,
                          const int64_t *dims, int32_t *status, int64_t *work) {
    const int64_t arguments[] = {params[1], state[0], prepared};
    (void)dims, (void)status;
    return lxc_launch(work, DOUBLE, 1, arguments, 3);
}

int32_t toy_entry_run(const int64_t *inputs, const int64_t *params, const int64_t *state_in,
                      const int64_t *state_out, const int64_t *outputs, int64_t prepared,
                      int64_t arena, const int64_t *dims, int32_t *status, int64_t *work) {
    const int64_t scale[] = {inputs[0], params[0], params[2], prepared, arena, dims[0]};
    const int64_t finish[] = {arena, outputs[0], state_in[1], state_out[1], dims[0]};
    int64_t blocks = (dims[0] + 31) / 32;
    if (dims[0] == 63) *status = 3;
    return lxc_launch(work, SCALE, blocks, scale, 6) |
           lxc_launch(work, FINISH, blocks, finish, 5);
}
