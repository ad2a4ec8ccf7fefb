/* Conversions of float16 on RISC-V processors that have no instructions for them. LLVM calls
   them by these names, and keeps a float16 in the lowest bits of a register of floats. The
   compiled code has weak functions of the same names, which look for it in a register of
   integers: these take their place. */

#if defined(__riscv) && !defined(__riscv_zfhmin) && !defined(__riscv_zfh)

float __extendhfsf2(float held);
float __truncsfhf2(float value);

static uint32_t lxc_bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float lxc_float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float __extendhfsf2(float held) {
    const uint32_t bits = lxc_bits_of(held), size = bits & 0x7fff;
    const uint32_t sign = (bits & 0x8000) << 16;
    if (size > 0x7c00) return lxc_float_of(sign | 0x7fc00000 | size << 13);
    if (size == 0x7c00) return lxc_float_of(sign | 0x7f800000);
    if (size >= 0x400) return lxc_float_of(sign | ((size << 13) + (112u << 23)));
    return lxc_float_of(sign | lxc_bits_of((float)size * 0x1p-24f));
}

/* Round to nearest, ties to even. */
static uint32_t lxc_half_of(uint32_t size) {
    if (size > 0x7f800000) return 0x7e00 | (size >> 13 & 0x3ff);
    if (size >= 0x477ff000) return 0x7c00;
    if (size >= 0x38800000) return (size - (112u << 23) + 0xfff + (size >> 13 & 1)) >> 13;
    /* The last digit of one half is the last one of the smallest float16. */
    return lxc_bits_of(lxc_float_of(size) + 0.5f) - lxc_bits_of(0.5f);
}

float __truncsfhf2(float value) {
    const uint32_t bits = lxc_bits_of(value), sign = bits >> 16 & 0x8000;
    return lxc_float_of(0xffff0000u | sign | lxc_half_of(bits & 0x7fffffff));
}

#endif
