extern "C" __global__ void __launch_bounds__(128) toy_0(const float *weight, const float *mean, float *scale) {
    if (threadIdx.x < 4) scale[threadIdx.x] = 2 * weight[threadIdx.x] + mean[threadIdx.x];
}

extern "C" __global__ void __launch_bounds__(128) toy_1(const float *x, const float *bias, const float *one, const float *scale, float *made, int64_t rows) {
    int64_t i = (int64_t)blockIdx.x * 128 + threadIdx.x;
    if (i < 4 * rows) made[i] = x[i] * scale[i % 4] * one[i % 4] + bias[i % 4];
}

extern "C" __global__ void __launch_bounds__(128) toy_2(const float *made, float *y, const int32_t *count, int32_t *after, int64_t rows) {
    int64_t i = (int64_t)blockIdx.x * 128 + threadIdx.x;
    if (i < 4 * rows) y[i] = made[i];
    if (i == 0) *after = *count + (int32_t)rows;
}

extern "C" __global__ void __launch_bounds__(128) lxc_copies(char *to, const char *from, int64_t bytes, int64_t blocks) {
    int64_t step = blocks * 128;
    for (int64_t i = (int64_t)blockIdx.x * 128 + threadIdx.x; i < bytes; i += step) to[i] = from[i];
}
