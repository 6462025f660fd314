/* The packet path of a director in C. Addresses and ports are in host order after the parser. */
#include <stdint.h>

enum { HEADROOM = 258, MASQ = 0, TUN = 2, DR = 3 };
enum { IN, IN_BYTES, FORWARDED, DELIVERED, PASSED, DROPPED, ORIGINATED, OUT, OUT_BYTES, FATES };
static const uint32_t VIP = 0x0a000064, VPORT = 80;

extern uint8_t *umem;
extern uint64_t fates[FATES];

/*
 * Allocates memory for `entries` connections and a power of two of buckets. Adds one service with
 * two destinations.
 */
void setup(uint32_t entries, uint32_t least_buckets, int family, int method);
/* Sets the time, in ticks of 10 ms, and ends the connections that are due. */
void tick(uint32_t now);
/* Loads into the cache what `process` of these frames reads first. At most 512 frames. */
void prefetch(int device, const uint32_t *offsets, uint32_t n);
/* Processes a frame that was received by device 0 (clients) or 1 (destinations). */
void process(int device, uint32_t offset, uint32_t len);
/*
 * Callbacks of pipeline.c: `emit` sends a frame, `give_back` frees the memory of a dropped frame.
 */
void emit(int device, uint32_t offset, uint32_t len);
void give_back(uint32_t offset);

static inline uint32_t fold16(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}
