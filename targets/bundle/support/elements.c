/* Elements of every type as numbers, and numbers that are made up. */

/* A number that depends on its arguments only, and looks random. */
static uint64_t lxc_drawn(int32_t input, int64_t element) {
    uint64_t z = ((uint64_t)input << 48) + (uint64_t)element + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A multiple of 1/64 from -2 to below 2, which all types of floats have. */
static float lxc_drawn_float(uint64_t drawn) { return ((float)(drawn >> 56) - 128.0f) / 64.0f; }

static uint32_t lxc_float_bits(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* For numbers that float16 has, none of them denormal. */
static uint16_t lxc_half_bits(float number) {
    uint32_t bits = lxc_float_bits(number);
    uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
    return (uint16_t)(rest == 0 ? sign : sign | ((rest >> 13) - (112u << 10)));
}

static void lxc_put_drawn(void *where, int64_t i, lxc_draw draw, uint64_t drawn) {
    uint64_t whole = draw.below > 0 ? drawn % (uint64_t)draw.below : drawn >> 61;
    float number = lxc_drawn_float(drawn);
    switch (draw.kind) {
    case LXC_BOOL: ((uint8_t *)where)[i] = (uint8_t)(drawn >> 63); break;
    case LXC_INT8:
    case LXC_UINT8: ((uint8_t *)where)[i] = (uint8_t)whole; break;
    case LXC_INT16:
    case LXC_UINT16: ((uint16_t *)where)[i] = (uint16_t)whole; break;
    case LXC_INT32:
    case LXC_UINT32: ((uint32_t *)where)[i] = (uint32_t)whole; break;
    case LXC_INT64:
    case LXC_UINT64: ((uint64_t *)where)[i] = whole; break;
    case LXC_FLOAT16: ((uint16_t *)where)[i] = lxc_half_bits(number); break;
    case LXC_BFLOAT16: ((uint16_t *)where)[i] = (uint16_t)(lxc_float_bits(number) >> 16); break;
    case LXC_FLOAT32: ((float *)where)[i] = number; break;
    case LXC_FLOAT64: ((double *)where)[i] = number; break;
    }
}

static double lxc_half(uint16_t bits) {
    int exponent = bits >> 10 & 31, digits = bits & 1023;
    double size = exponent == 0 ? ldexp(digits, -24) : ldexp(digits + 1024, exponent - 25);
    if (exponent == 31) size = digits == 0 ? (double)INFINITY : (double)NAN;
    return bits >> 15 ? -size : size;
}

static double lxc_brain_float(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float number;
    memcpy(&number, &wide, sizeof number);
    return number;
}

static double lxc_element(const void *where, int64_t i, lxc_kind kind) {
    switch (kind) {
    case LXC_BOOL: return ((const uint8_t *)where)[i] != 0;
    case LXC_INT8: return ((const int8_t *)where)[i];
    case LXC_INT16: return ((const int16_t *)where)[i];
    case LXC_INT32: return ((const int32_t *)where)[i];
    case LXC_INT64: return (double)((const int64_t *)where)[i];
    case LXC_UINT8: return ((const uint8_t *)where)[i];
    case LXC_UINT16: return ((const uint16_t *)where)[i];
    case LXC_UINT32: return ((const uint32_t *)where)[i];
    case LXC_UINT64: return (double)((const uint64_t *)where)[i];
    case LXC_FLOAT16: return lxc_half(((const uint16_t *)where)[i]);
    case LXC_BFLOAT16: return lxc_brain_float(((const uint16_t *)where)[i]);
    case LXC_FLOAT32: return ((const float *)where)[i];
    default: return ((const double *)where)[i];
    }
}
