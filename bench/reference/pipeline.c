/*
 * The reference of bench/questions/pipeline.ts: plain C code for the work that ulvs does on each
 * packet. It has the same checks, look-ups, states, timers, counters and rewriting, the same
 * 64-byte entries and as many buckets. It has none of the options of ulvs.
 *
 * There are two variants of it. The plain one, by gcc -O2, processes one packet at a time, so it
 * waits for the cache misses of each. The other one does what ulvs does: it loads the buckets and
 * entries of a whole batch first (-DBATCHES, by gcc -O3 -march=native). In both the timer lists are
 * linked through the entries; ulvs keeps its timers in separate blocks.
 *
 *     pipeline natin|natout|dr|tun|flood 4|6 FLOWS PACKETS     prints million packets a second
 *
 * It measures processor time, so that a busy machine disturbs less. Frames are made outside the
 * measured time, 960 at once, and are processed in batches of 64.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "director.h"

enum { FRAMES = 960, FRAME = 2048, BATCH = 64 };
static const uint8_t FLAG_SYN = 2, FLAG_ACK = 16;
static struct { uint32_t offset[512], len[512], n; } output[2];
static uint32_t free_frames[FRAMES], n_free;

static uint32_t seed = 1;
static uint32_t next_flow(uint32_t flows) {
    seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
    return seed % flows;
}

static void put16(uint8_t *at, uint32_t v) { v = __builtin_bswap16(v); memcpy(at, &v, 2); }
static void put32(uint8_t *at, uint32_t v) { v = __builtin_bswap32(v); memcpy(at, &v, 4); }

static void client_of(uint32_t flow, int family, uint32_t words[4], uint32_t *port) {
    uint32_t scrambled = (flow * 0x9e3779b1u) & 0xffffff;
    words[0] = 0x20010db8, words[1] = 0xb0000, words[2] = flow, words[3] = 0x0b000000 | scrambled;
    *port = 1024 + flow % 60000;
    (void)family;
}

/*
 * Builds a TCP segment without payload: from a client to the VIP, or from a destination to a
 * client.
 */
static uint32_t build(uint8_t *f, const char *path, int family, uint32_t flow, uint8_t flags) {
    int reply = strcmp(path, "natout") == 0 && flags == FLAG_ACK, ip_len = family == 4 ? 20 : 40;
    uint32_t client[4], port, peer[4] = {0x20010db8, reply, 0, reply ? 0x11 : 0x100};
    client_of(flow, family, client, &port);
    uint32_t peer4 = reply ? 0xc0a8010b + (flow & 1) : VIP, peer_port = reply ? 8080 : 80;
    memset(f, 0, 14 + ip_len + 20);
    put16(f, 0x0200), put32(f + 2, reply ? 0x0d01 : 0x0d00);
    put16(f + 6, 0x0200), put32(f + 8, 0xc001), put16(f + 12, family == 4 ? 0x800 : 0x86dd);
    uint8_t *ip = f + 14, *l4 = ip + ip_len;
    if (family == 4) {
        ip[0] = 0x45, ip[8] = 64, ip[9] = 6, put16(ip + 2, 40), put16(ip + 6, 0x4000);
        put32(ip + 12, reply ? peer4 : client[3]), put32(ip + 16, reply ? client[3] : peer4);
        uint32_t sum = 0;
        for (int i = 0; i < 20; i += 2) sum += ip[i] << 8 | ip[i + 1];
        put16(ip + 10, ~fold16(sum));
    } else {
        if (reply) peer[3] += flow & 1;
        put32(ip, 0x60000000), put16(ip + 4, 20), ip[6] = 6, ip[7] = 64;
        for (int i = 0; i < 4; i++) put32(ip + 8 + 4 * i, (reply ? peer : client)[i]), put32(ip + 24 + 4 * i, (reply ? client : peer)[i]);
    }
    put16(l4, reply ? peer_port : port), put16(l4 + 2, reply ? port : peer_port);
    l4[12] = 0x50, l4[13] = flags, put16(l4 + 14, 65535), put16(l4 + 16, 0x1234);
    return 14 + ip_len + 20;
}

void emit(int device, uint32_t offset, uint32_t len) {
    uint32_t n = output[device].n++;
    output[device].offset[n] = offset, output[device].len[n] = len;
    fates[OUT]++, fates[OUT_BYTES] += len, fates[FORWARDED]++;
}
void give_back(uint32_t offset) { free_frames[n_free++] = offset & ~(FRAME - 1); }

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * Makes FRAMES frames and measures their processing. `flood` moves the clock so that a million
 * connections are alive.
 */
static double turn(const char *path, int family, uint32_t flows, uint32_t *sequence, uint8_t flags, double *clock) {
    uint32_t offsets[FRAMES], lens[FRAMES];
    int flood = strcmp(path, "flood") == 0, device = strcmp(path, "natout") == 0 && flags == FLAG_ACK;
    for (int i = 0; i < FRAMES; i++) {
        offsets[i] = free_frames[--n_free] + HEADROOM;
        uint32_t flow = flood || flags == FLAG_SYN ? (*sequence)++ : next_flow(flows);
        lens[i] = build(umem + offsets[i], path, family, flow, flags);
    }
    double before = seconds();
    for (int i = 0; i < FRAMES; i += BATCH) {
        if (flood) *clock += BATCH * 6000.0 / flows;
        tick((uint32_t)*clock);
#ifdef BATCHES
        prefetch(device, offsets + i, BATCH);
#endif
        for (int j = i; j < i + BATCH; j++) process(device, offsets[j], lens[j]);
        for (int k = 0; k < 2; k++) {
            for (uint32_t j = 0; j < output[k].n; j++) give_back(output[k].offset[j]);
            output[k].n = 0;
        }
    }
    return seconds() - before;
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: pipeline natin|natout|dr|tun|flood 4|6 FLOWS PACKETS\n"), 2;
    const char *path = argv[1];
    int family = atoi(argv[2]), method = strcmp(path, "dr") == 0 ? DR : strcmp(path, "tun") == 0 ? TUN : MASQ;
    uint32_t flows = atoi(argv[3]), packets = atoi(argv[4]), sequence = 0;
    int flood = strcmp(path, "flood") == 0;
    double clock = 0, spent = 0;
    umem = mmap(0, FRAMES * FRAME, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint32_t i = 0; i < FRAMES; i++) free_frames[n_free++] = (FRAMES - 1 - i) * FRAME;
    setup(flood ? 2 * flows : flows + FRAMES, 2 * flows, family, method);
    while (sequence < (flood ? 2 * flows : flows)) turn(path, family, flows, &sequence, FLAG_SYN, &clock);
    for (uint32_t done = 0; done < packets; done += FRAMES)
        spent += turn(path, family, flows, &sequence, flood ? FLAG_SYN : FLAG_ACK, &clock);
    printf("%.3f\n", (packets + FRAMES - 1) / FRAMES * FRAMES / spent / 1e6);
    return fates[DROPPED] == 0 ? 0 : 1;
}
