// The last kernel of every model copies bytes, sixteen at a time where both places allow it.
extern "C" __global__ void __launch_bounds__(128)
    lxc_copies(char *to, const char *from, int64_t bytes, int64_t blocks) {
    int64_t first = (int64_t)blockIdx.x * 128 + threadIdx.x;
    int64_t wide = (((uint64_t)to | (uint64_t)from) & 15) == 0 ? bytes / 16 : 0;
    for (int64_t i = first; i < wide; i += blocks * 128) ((uint4 *)to)[i] = ((uint4 *)from)[i];
    for (int64_t i = wide * 16 + first; i < bytes; i += blocks * 128) to[i] = from[i];
}
