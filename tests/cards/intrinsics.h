// The functions that kernels call by name, for a processor. Copies that a card does later are
// done at once here.

static inline void lxc_barrier() { lxc_meet(&lxc_here->all, "a barrier of the block"); }
static inline void lxc_warp_barrier() { lxc_meet(lxc_warp(), "a barrier of the warp"); }


// Another block is a thread of its own here. One that waits in vain is stopped some day.
static inline void lxc_grid_barrier(void *counter, uint32_t count) {
    static const uint64_t most_turns = (uint64_t)1 << 28;
    uint32_t *at = (uint32_t *)counter;
    lxc_meet(&lxc_here->all, "a barrier of the grid");
    if (threadIdx.x == 0) {
        __atomic_fetch_add(at, 1, __ATOMIC_RELEASE);
        for (uint64_t turn = 0; (int32_t)(__atomic_load_n(at, __ATOMIC_ACQUIRE) - count) < 0;
             ++turn) {
            if (turn == most_turns) lxc_stop("other blocks do not come", "a barrier of the grid");
            sched_yield();
        }
    }
    lxc_meet(&lxc_here->all, "a barrier of the grid");
}

// Tell a warp what this lane knows, and return what a lane told.
template <typename T>
static inline T lxc_told(lxc_team *warp, int lane) {
    T value;
    memcpy(&value, warp->told[lane], sizeof value);
    return value;
}
template <typename T>
static inline lxc_team *lxc_tell(const T &value, const char *place) {
    static_assert(sizeof(T) <= sizeof lxc_here->all.told[0], "no room to tell it");
    lxc_team *warp = lxc_warp();
    memcpy(warp->told[lxc_lane()], &value, sizeof value);
    lxc_meet(warp, place);
    return warp;
}
static inline void lxc_heard(const char *place) { lxc_meet(lxc_warp(), place); }

template <typename T>
static inline T lxc_shuffle(T value, int lane, const char *place) {
    lxc_team *warp = lxc_tell(value, place);
    if (lane >= 0 && lane < 32) value = lxc_told<T>(warp, lane);
    lxc_heard(place);
    return value;
}
template <typename T>
static inline T lxc_shuffle_xor(T value, int lanes) {
    return lxc_shuffle(value, lxc_lane() ^ lanes, __func__);
}
static inline int32_t lxc_any_lane(int32_t condition) {
    lxc_team *warp = lxc_tell((int32_t)(condition != 0), __func__);
    int first = lxc_here->now - lxc_lane();
    int32_t found = 0;
    for (int lane = 0; lane < 32 && first + lane < lxc_here->threads; ++lane)
        if (!lxc_here->fibers[first + lane].is_done) found |= lxc_told<int32_t>(warp, lane);
    lxc_heard(__func__);
    return found;
}

static inline void lxc_aligned(const void *memory, size_t bytes, const char *place) {
    if ((uintptr_t)memory % bytes) lxc_stop("memory is not aligned", place);
}
static inline void lxc_load_16(void *registers, const void *memory) {
    lxc_aligned(memory, 16, __func__);
    memcpy(registers, memory, 16);
}
static inline void lxc_store_16(void *memory, const void *registers) {
    lxc_aligned(memory, 16, __func__);
    memcpy(memory, registers, 16);
}
static inline void lxc_copy_now(void *to, const void *from, int32_t condition, size_t bytes) {
    lxc_aligned(to, bytes, "a copy to shared memory");
    if (condition) {
        lxc_aligned(from, bytes, "a copy from memory");
        memcpy(to, from, bytes);
    } else {
        memset(to, 0, bytes);
    }
}
static inline void lxc_copy_16_later(void *to, const void *from, int32_t condition) {
    lxc_copy_now(to, from, condition, 16);
}
static inline void lxc_copy_8_later(void *to, const void *from, int32_t condition) {
    lxc_copy_now(to, from, condition, 8);
}
static inline void lxc_copy_4_later(void *to, const void *from, int32_t condition) {
    lxc_copy_now(to, from, condition, 4);
}
static inline void lxc_close_copies() {}
static inline void lxc_wait_copies(int32_t) {}

static inline uint16_t lxc_half_at(const void *row, int column) {
    uint16_t found;
    memcpy(&found, (const char *)row + 2 * column, 2);
    return found;
}
static inline void lxc_load_four(uint32_t *to, const void *row, bool turned, const char *place) {
    lxc_aligned(row, 16, place);
    lxc_team *warp = lxc_tell(row, place);
    int first = lxc_lane() / 4, second = lxc_lane() % 4 * 2;
    for (int matrix = 0; matrix < 4; ++matrix) {
        uint32_t pair[2];
        for (int i = 0; i < 2; ++i) {
            int line = turned ? second + i : first, column = turned ? first : second + i;
            pair[i] = lxc_half_at(lxc_told<const void *>(warp, matrix * 8 + line), column);
        }
        to[matrix] = pair[0] | pair[1] << 16;
    }
    lxc_heard(place);
}
static inline void lxc_load_matrices(uint32_t *to, const void *row) {
    lxc_load_four(to, row, false, __func__);
}
static inline void lxc_load_matrices_turned(uint32_t *to, const void *row) {
    lxc_load_four(to, row, true, __func__);
}

template <typename T>
static inline T lxc_settled(T value) {
    return value;
}
template <typename T>
static inline T lxc_multiply_add(T x, T y, T z) {
    return sizeof(T) == 4 ? (T)fmaf((float)x, (float)y, (float)z) : (T)fma(x, y, z);
}
static inline uint32_t lxc_bits(float value) { return lxc_same_bits<uint32_t>(value); }
static inline uint32_t lxc_to_tf32(float x) {
    uint32_t bits = lxc_bits(x);
    if (isnan(x)) return 0x7fffe000u;
    return isinf(x) ? bits : (bits + 0x1000u) & 0xffffe000u;
}

// Cut a float32 that is not negative to the digits of a half type; return its bits there.
static inline uint32_t lxc_cut_bf16(float x, float *cut) {
    *cut = __uint_as_float(lxc_bits(x) & 0xffff0000u);
    return lxc_bits(*cut) >> 16;
}
static inline uint32_t lxc_cut_f16(float x, float *cut) {
    half found = (half)x;
    uint16_t bits = lxc_same_bits<uint16_t>(found);
    if ((float)found > x) --bits;
    *cut = (float)lxc_same_bits<half>(bits);
    return bits;
}
static inline void lxc_split(uint32_t *high, uint32_t *low, float x, float y, float least,
                             uint32_t (*cut)(float, float *)) {
    const float numbers[2] = {x, y};
    *high = *low = 0;
    for (int i = 0; i < 2; ++i) {
        float upper, rest = numbers[i] > 0 ? fmaxf(numbers[i], least) : numbers[i];
        *high |= cut(rest, &upper) << 16 * i;
        rest -= upper;
        *low |= cut(numbers[i] > 0 ? fmaxf(rest, least) : rest, &upper) << 16 * i;
    }
}
static inline void lxc_split_bf16(uint32_t *high, uint32_t *low, float x, float y) {
    lxc_split(high, low, x, y, 1.17549435e-38f, lxc_cut_bf16);
}
static inline void lxc_split_f16(uint32_t *high, uint32_t *low, float x, float y) {
    lxc_split(high, low, x * 32768.0f, y * 32768.0f, 5.9604645e-8f, lxc_cut_f16);
}

// What a lane holds of the two matrices of a product.
struct lxc_fragments {
    uint32_t x[4], y[2];
};
typedef float (*lxc_number_of)(const uint32_t *registers, int number);
static inline float lxc_number_bf16(const uint32_t *registers, int number) {
    return __uint_as_float(registers[number / 2] >> number % 2 * 16 << 16);
}
static inline float lxc_number_f16(const uint32_t *registers, int number) {
    return (float)lxc_same_bits<half>((uint16_t)(registers[number / 2] >> number % 2 * 16));
}
static inline float lxc_number_tf32(const uint32_t *registers, int number) {
    return __uint_as_float(registers[number] & 0xffffe000u);
}

// Add a product of 16 rows and 8 columns over 8 * `each` terms: of every four bytes of a row
// a lane holds `each` numbers.
static inline void lxc_multiply(float *sums, const uint32_t *x, const uint32_t *y, int each,
                                lxc_number_of number_of, const char *place) {
    lxc_fragments mine = {{x[0], x[1], x[2], x[3]}, {y[0], y[1]}};
    lxc_team *warp = lxc_tell(mine, place);
    for (int sum = 0; sum < 4; ++sum) {
        int row = lxc_lane() / 4 + sum / 2 * 8, column = lxc_lane() % 4 * 2 + sum % 2;
        float total = sums[sum];
        for (int deep = 0; deep < 8 * each; ++deep) {
            int inner = deep % (4 * each), lane = inner / each, upper = deep / (4 * each);
            lxc_fragments left = lxc_told<lxc_fragments>(warp, row % 8 * 4 + lane);
            lxc_fragments right = lxc_told<lxc_fragments>(warp, column * 4 + lane);
            int at = (upper * 2 + row / 8) * each + inner % each;
            total = fmaf(number_of(left.x, at), number_of(right.y, upper * each + inner % each),
                         total);
        }
        sums[sum] = total;
    }
    lxc_heard(place);
}
static inline void lxc_multiply_bf16(float *sums, const uint32_t *x, const uint32_t *y) {
    lxc_multiply(sums, x, y, 2, lxc_number_bf16, __func__);
}
static inline void lxc_multiply_f16(float *sums, const uint32_t *x, const uint32_t *y) {
    lxc_multiply(sums, x, y, 2, lxc_number_f16, __func__);
}
static inline void lxc_multiply_tf32(float *sums, const uint32_t *x, const uint32_t *y) {
    lxc_multiply(sums, x, y, 1, lxc_number_tf32, __func__);
}
