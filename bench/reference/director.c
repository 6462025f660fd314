/*
 * The packet path of a director in C: parser, connection table, timers, TCP states, NAT, DR and
 * IPIP. It is the reference of bench/questions/pipeline.ts; the head of pipeline.c says what it
 * leaves out.
 */
#include "director.h"
#include <string.h>
#include <sys/mman.h>

/* The layout of src/conntrack/entry.ts. An IPv6 connection has its addresses in a second entry. */
typedef struct {
    uint32_t caddr, ports, vaddr, daddr, rest, flags, next, dest;
    uint32_t expires, newer, older, due, timeout, packets, control, controlled;
} Entry;
typedef struct { uint32_t caddr[4], vaddr[4], daddr[4], spare[4]; } Wide;
typedef struct { uint32_t a[4], key, slot; } Row;
typedef struct { uint64_t conns, inpkts, outpkts, inbytes, outbytes; } Stats;
typedef struct { uint32_t addr[4], port, available, weight, method; int32_t active, inactive, references; Stats stats; } Dest;
typedef struct { int family, len, device; uint32_t l3, l3len, l4, l4len, src[4], dst[4], sport, dport, flags, ttl, df, frame, protocol; } Packet;
typedef struct { uint16_t mac_hi; uint32_t mac_lo; int device, usable, used; } Neighbour;
typedef struct { uint32_t dst, src, generation, hop, mtu; } Cached;

enum { HASHED = 0x40, NOOUTPUT = 0x80, INACTIVE = 0x100, IPV6 = 0x100000 };
enum { ROUTES = 4096, SLOTS = 256, WHEELS = 4, MTU = 1500 };
uint8_t *umem;
uint64_t fates[FATES];
static Entry *entries;
static uint32_t *buckets, mask, max_entries, high_water, free_head, now, hand, heads[WHEELS * SLOTS];
static const uint32_t k0 = 0x5bd1e995, k1 = 0x1b873593, k2 = 0xcc9e2d51;
static Row services[64];
static Dest dests[2];
static Stats service_stats, total_stats;
static Neighbour neighbours[3];
static Cached cache[ROUTES];
static uint32_t turn_of = 1, ident;
static const uint16_t own_hi = 0x0200;
static const uint32_t own_lo[2] = {0x0d00, 0x0d01}, own4 = 0xc0a801fe, own6[4] = {0x20010db8, 1, 0, 0xfe};

/* NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK */
static const uint8_t states[3][4][11] = {
    {{3, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3}, {6, 7, 2, 5, 5, 5, 6, 7, 8, 9, 5}, {1, 1, 2, 1, 4, 5, 6, 7, 6, 9, 1}, {6, 6, 6, 3, 6, 6, 6, 6, 8, 9, 3}},
    {{2, 1, 2, 3, 2, 2, 2, 2, 2, 9, 3}, {5, 4, 2, 5, 4, 5, 6, 5, 8, 9, 5}, {1, 1, 2, 1, 4, 5, 6, 7, 8, 1, 1}, {6, 6, 2, 6, 6, 5, 6, 6, 6, 6, 6}},
    {{3, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3}, {6, 4, 2, 5, 4, 5, 6, 7, 8, 9, 5}, {1, 1, 2, 1, 4, 5, 6, 7, 6, 9, 1}, {6, 6, 6, 3, 6, 6, 6, 6, 8, 9, 6}}};
static const uint32_t timeouts[11] = {200, 90000, 12000, 6000, 12000, 12000, 1000, 6000, 3000, 12000, 12000};
static const uint8_t is_active[11] = {0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1};

static inline uint32_t get16(const uint8_t *at) { uint16_t v; memcpy(&v, at, 2); return __builtin_bswap16(v); }
static inline uint32_t get32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return __builtin_bswap32(v); }
static inline void put16(uint8_t *at, uint32_t v) { uint16_t w = __builtin_bswap16(v); memcpy(at, &w, 2); }
static inline void put32(uint8_t *at, uint32_t v) { v = __builtin_bswap32(v); memcpy(at, &v, 4); }
static inline uint32_t sum32(uint32_t v) { return (v >> 16) + (v & 0xffff); }
static inline void fix(uint8_t *at, uint32_t delta) { put16(at, ~fold16((~get16(at) & 0xffff) + delta)); }
static inline uint32_t fold_address(const uint32_t *a) { return a[0] * 0x9e3779b1 ^ a[1] * 0x85ebca77 ^ a[2] * 0xc2b2ae3d ^ a[3]; }

static inline uint32_t hash(uint32_t caddr, uint32_t rest) {
    uint32_t h = (caddr ^ k0) * k1;
    h ^= h >> 15;
    h = (h + rest * k2) * ((0x2c1b3c6d ^ k0) | 1) ^ (h >> 7);
    h ^= h >> 16;
    h *= k1;
    return h ^ (h >> 13);
}
static inline uint32_t mix(const uint32_t *a, uint32_t key) {
    uint32_t h = a[3] * 0x9e3779b1 ^ key * 0x85ebca77 ^ a[2] * 0xc2b2ae3d ^ a[1] * 0x27d4eb2f ^ a[0];
    h ^= h >> 15;
    h *= 0x2c1b3c6d;
    return h ^ (h >> 13);
}
static inline Wide *wide(const Entry *e) { return (Wide *)&entries[e->daddr]; }
static inline int same(const uint32_t *a, const uint32_t *b) { return a[3] == b[3] && a[2] == b[2] && a[1] == b[1] && a[0] == b[0]; }

static void drop(Packet *p) { fates[DROPPED]++, give_back(p->frame); }

/* ---- timers: four wheels; a packet only writes `expires` ---- */
static void link_timer(uint32_t entry) {
    Entry *e = &entries[entry];
    int32_t ahead = e->due - hand;
    uint32_t slot = 3 * SLOTS + (e->due >> 24);
    if (ahead <= 0) slot = hand & 255;
    else if (ahead < 1 << 8) slot = e->due & 255;
    else if (ahead < 1 << 16) slot = SLOTS + (e->due >> 8 & 255);
    else if (ahead < 1 << 24) slot = 2 * SLOTS + (e->due >> 16 & 255);
    uint32_t older = heads[slot];
    e->newer = ~slot, e->older = older;
    if (older) entries[older].newer = entry;
    heads[slot] = entry;
}
static void start_timer(uint32_t entry) { entries[entry].due = entries[entry].expires, link_timer(entry); }
static void stop_timer(uint32_t entry) {
    Entry *e = &entries[entry];
    if (e->older) entries[e->older].newer = e->newer;
    if ((int32_t)e->newer < 0) heads[~e->newer] = e->older;
    else entries[e->newer].older = e->older;
}
static inline void touch(uint32_t entry) {
    Entry *e = &entries[entry];
    e->expires = now + e->timeout;
    if ((int32_t)(e->expires - e->due) < 0) stop_timer(entry), start_timer(entry);
}
static inline uint32_t bucket_of(const Entry *e) { return hash(e->caddr, (e->rest & 0xff00) << 8 | e->ports >> 16) & mask; }
static void release(uint32_t entry) { entries[entry].flags = 0, entries[entry].next = free_head, free_head = entry; }
static void end(uint32_t entry) {
    Entry *e = &entries[entry];
    uint32_t *link = &buckets[bucket_of(e)];
    while (*link != entry) link = &entries[*link].next;
    *link = e->next;
    Dest *dest = &dests[e->dest - 1];
    dest->references--;
    if (e->flags & INACTIVE) dest->inactive--;
    else dest->active--;
    if (e->flags & IPV6) release(e->daddr);
    release(entry);
}
static int drain(uint32_t slot, int budget, int due) {
    while (budget > 0 && heads[slot]) {
        uint32_t entry = heads[slot];
        budget--;
        stop_timer(entry);
        if (!due) link_timer(entry);
        else if ((int32_t)(entries[entry].expires - hand) <= 0) end(entry);
        else start_timer(entry);
    }
    return budget;
}
void tick(uint32_t time) {
    int budget = 256;
    now = time;
    while ((int32_t)(now - hand) >= 0) {
        for (int w = WHEELS - 1; w >= 1; w--)
            if ((hand & ((1u << 8 * w) - 1)) == 0) budget = drain(w * SLOTS + (hand >> 8 * w & 255), budget, 0);
        budget = drain(hand & 255, budget, 1);
        if (budget <= 0) break;
        hand++;
    }
}

/* ---- connections ---- */
static uint32_t find_in(const Packet *p) {
    uint32_t key = p->family == 4 ? p->src[3] : fold_address(p->src), ports = p->sport << 16 | p->dport;
    uint32_t entry = buckets[hash(key, p->protocol << 16 | p->sport) & mask];
    for (; entry; entry = entries[entry].next) {
        Entry *e = &entries[entry];
        if (e->caddr != key || e->ports != ports || (e->rest >> 8 & 0xff) != p->protocol) continue;
        if (p->family == 4 ? e->vaddr == p->dst[3] && !(e->flags & IPV6) : (e->flags & IPV6) && same(wide(e)->caddr, p->src) && same(wide(e)->vaddr, p->dst)) return entry;
    }
    return 0;
}
static uint32_t find_out(const Packet *p) {
    uint32_t key = p->family == 4 ? p->dst[3] : fold_address(p->dst);
    uint32_t entry = buckets[hash(key, p->protocol << 16 | p->dport) & mask];
    for (; entry; entry = entries[entry].next) {
        Entry *e = &entries[entry];
        if (e->caddr != key || e->ports >> 16 != p->dport || e->rest >> 16 != p->sport || (e->rest >> 8 & 0xff) != p->protocol) continue;
        if (p->family == 4 ? e->daddr == p->src[3] && !(e->flags & IPV6) : (e->flags & IPV6) && same(wide(e)->caddr, p->dst) && same(wide(e)->daddr, p->src)) return entry;
    }
    return 0;
}
static uint32_t alloc(void) {
    uint32_t entry = free_head;
    if (entry) free_head = entries[entry].next;
    else if (high_water < max_entries) entry = ++high_water;
    else return 0;
    memset(&entries[entry], 0, sizeof(Entry));
    return entry;
}
static int find_service(const uint32_t *a, uint32_t protocol, uint32_t port) {
    uint32_t key = protocol << 16 | port;
    for (uint32_t i = mix(a, key) & 63;; i = (i + 1) & 63) {
        if (!services[i].slot) return -1;
        if (services[i].key == key && same(services[i].a, a)) return services[i].slot - 1;
    }
}
static uint32_t schedule(const Packet *p) {
    if ((p->flags & 4) || !(p->flags & 2)) return 0;
    if (find_service(p->dst, p->protocol, p->dport) < 0 && find_service(p->dst, p->protocol, 0) < 0) return 0;
    uint32_t slot = turn_of = (turn_of + 1) & 1, entry = alloc(), line = p->family == 6 ? alloc() : 0;
    if (!dests[slot].weight || !entry || (p->family == 6 && !line)) return 0;
    Entry *e = &entries[entry];
    Dest *dest = &dests[slot];
    e->ports = p->sport << 16 | p->dport, e->rest = dest->port << 16 | p->protocol << 8, e->dest = slot + 1;
    e->flags = dest->method | INACTIVE | HASHED | (dest->method == MASQ ? 0 : NOOUTPUT) | (line ? IPV6 : 0);
    if (p->family == 4) e->caddr = p->src[3], e->vaddr = p->dst[3], e->daddr = dest->addr[3];
    else {
        e->caddr = fold_address(p->src), e->vaddr = fold_address(p->dst), e->daddr = line;
        memcpy(wide(e)->caddr, p->src, 16), memcpy(wide(e)->vaddr, p->dst, 16), memcpy(wide(e)->daddr, dest->addr, 16);
    }
    dest->references++, dest->inactive++;
    e->timeout = 300, e->expires = now + 300;
    uint32_t *bucket = &buckets[bucket_of(e)];
    e->next = *bucket, *bucket = entry;
    start_timer(entry);
    dest->stats.conns++, service_stats.conns++, total_stats.conns++;
    return entry;
}
static void set_state(Entry *e, int direction, uint32_t flags) {
    uint32_t old = e->rest & 0xff, state = 6;
    if (e->flags & NOOUTPUT) {
        if (direction == 0) direction = 2;
        else e->flags &= ~NOOUTPUT;
    }
    if (flags & 23) state = states[direction][flags & 4 ? 3 : flags & 2 ? 0 : flags & 1 ? 1 : 2][old];
    if (state != old) {
        e->rest = (e->rest & ~0xffu) | state;
        if (is_active[state] == !!(e->flags & INACTIVE)) {
            int step = is_active[state] ? 1 : -1;
            e->flags ^= INACTIVE, dests[e->dest - 1].active += step, dests[e->dest - 1].inactive -= step;
        }
    }
    e->timeout = timeouts[state];
}

/* ---- routes: a cache for destinations, the default route for clients ---- */
static uint32_t route(const uint32_t *dst, uint32_t src, int family) {
    uint32_t key = family == 4 ? dst[3] : fold_address(dst);
    if (family == 6 ? dst[1] == 0xb0000 : dst[3] >> 24 == 0x0b) return 2;
    Cached *c = &cache[((key * 0x9e3779b1) ^ src) >> 20];
    if (c->dst != key || c->src != src || c->generation != 1) *c = (Cached){key, src, 1, dst[3] == dests[1].addr[3], MTU};
    return c->hop;
}

/* ---- frames ---- */
static int parse(Packet *p, uint32_t len) {
    const uint8_t *f = umem + p->frame;
    if (len < 14) return 0;
    uint32_t type = get16(f + 12);
    const uint8_t *ip = f + 14;
    p->l3 = p->frame + 14, p->l3len = len - 14;
    if (type == 0x800) {
        if (p->l3len < 20 || ip[0] >> 4 != 4) return 0;
        uint32_t header = (ip[0] & 15) << 2, total = get16(ip + 2), sum = 0;
        if (header < 20 || header > p->l3len || total < header || total > p->l3len) return 0;
        for (uint32_t i = 0; i < header; i += 4) sum += sum32(get32(ip + i));
        if (fold16(sum) != 0xffff) return 0;
        p->family = 4, p->l3len = total, p->ttl = ip[8], p->protocol = ip[9], p->df = ip[6] & 0x40;
        p->src[0] = p->src[1] = p->src[2] = p->dst[0] = p->dst[1] = p->dst[2] = 0;
        p->src[3] = get32(ip + 12), p->dst[3] = get32(ip + 16);
        uint32_t first = p->src[3] >> 24;
        if (first == 127 || first >= 224 || (first == 0 && p->src[3])) return 0;
        if (get16(ip + 6) & 0x3fff) return 0;
        p->l4 = p->l3 + header, p->l4len = total - header;
    } else if (type == 0x86dd) {
        if (p->l3len < 40 || ip[0] >> 4 != 6) return 0;
        uint32_t total = 40 + get16(ip + 4);
        if (total > p->l3len) return 0;
        p->family = 6, p->l3len = total, p->ttl = ip[7], p->protocol = ip[6], p->df = 1;
        for (int i = 0; i < 4; i++) p->src[i] = get32(ip + 8 + 4 * i), p->dst[i] = get32(ip + 24 + 4 * i);
        if (p->src[0] >> 24 == 0xff) return 0;
        p->l4 = p->l3 + 40, p->l4len = total - 40;
    } else return 0;
    if (p->protocol != 6 || p->l4len < 20) return 0;
    const uint8_t *l4 = umem + p->l4;
    p->sport = get16(l4), p->dport = get16(l4 + 2), p->flags = l4[13];
    return 1;
}
static void count(Stats *s, int out, uint32_t bytes) {
    if (out) s->outpkts++, s->outbytes += bytes;
    else s->inpkts++, s->inbytes += bytes;
}
static void count_all(Dest *dest, int out, uint32_t bytes) { count(&dest->stats, out, bytes), count(&service_stats, out, bytes), count(&total_stats, out, bytes); }

static int hop_checks(Packet *p) {
    if (p->ttl <= 1 || (p->l3len > MTU && p->df)) return 0;
    uint8_t *ip = umem + p->l3;
    p->ttl--;
    if (p->family == 4) ip[8]--, fix(ip + 10, 0xfeff);
    else ip[7]--;
    return 1;
}
/*
 * Rewrites address and port. `at`: offset of the address in the IP header. `port_at`: offset of the
 * port in the TCP header.
 */
static void translate(Packet *p, const uint32_t *address, uint32_t port, int at, int port_at) {
    uint8_t *ip = umem + p->l3, *l4 = umem + p->l4;
    uint32_t delta = 0;
    for (int i = p->family == 4 ? 3 : 0, o = at; i < 4; i++, o += 4) {
        delta += sum32(~get32(ip + o)) + sum32(address[i]);
        put32(ip + o, address[i]);
    }
    if (p->family == 4) fix(ip + 10, delta);
    fix(l4 + 16, delta + (~get16(l4 + port_at) & 0xffff) + port);
    put16(l4 + port_at, port);
}
static void encapsulate(Packet *p, const Dest *dest) {
    int header = p->family == 4 ? 20 : 40;
    p->l3 -= header, p->l3len += header;
    uint8_t *ip = umem + p->l3;
    if (p->family == 4) {
        put16(ip, 0x4500), put16(ip + 2, p->l3len), put16(ip + 4, p->df ? 0 : ++ident), put16(ip + 6, p->df ? 0x4000 : 0);
        ip[8] = p->ttl, ip[9] = 4, put16(ip + 10, 0), put32(ip + 12, own4), put32(ip + 16, dest->addr[3]);
        uint32_t sum = 0;
        for (int i = 0; i < 20; i += 4) sum += sum32(get32(ip + i));
        put16(ip + 10, ~fold16(sum));
        return;
    }
    put32(ip, 0x60000000), put16(ip + 4, p->l3len - 40), ip[6] = 41, ip[7] = p->ttl;
    for (int i = 0; i < 4; i++) put32(ip + 8 + 4 * i, own6[i]), put32(ip + 24 + 4 * i, dest->addr[i]);
}
static void transmit(Packet *p, uint32_t hop) {
    Neighbour *n = &neighbours[hop];
    uint32_t frame = p->l3 - 14;
    uint8_t *f = umem + frame;
    if (!n->usable) return drop(p);
    n->used = 1;
    put16(f, n->mac_hi), put32(f + 2, n->mac_lo), put16(f + 6, own_hi), put32(f + 8, own_lo[n->device]);
    put16(f + 12, umem[p->l3] >> 4 == 6 ? 0x86dd : 0x800);
    emit(n->device, frame, p->l3len + 14);
}

static void inbound(Packet *p, uint32_t entry) {
    Entry *e = &entries[entry];
    Dest *dest = &dests[e->dest - 1];
    if (!dest->available) return drop(p);
    count_all(dest, 0, p->l3len);
    set_state(e, 0, p->flags);
    e->packets++;
    touch(entry);
    uint32_t address4[4] = {0, 0, 0, e->daddr}, *address = p->family == 4 ? address4 : wide(e)->daddr, hop = route(address, 0, p->family);
    if (!hop_checks(p)) return drop(p);
    if ((e->flags & 7) == MASQ) translate(p, address, e->rest >> 16, p->family == 4 ? 16 : 24, 2);
    else if ((e->flags & 7) == TUN) encapsulate(p, dest);
    transmit(p, hop);
}
static void outbound(Packet *p, uint32_t entry) {
    Entry *e = &entries[entry];
    Dest *dest = &dests[e->dest - 1];
    uint32_t caddr4[4] = {0, 0, 0, e->caddr}, vaddr4[4] = {0, 0, 0, e->vaddr};
    uint32_t *caddr = p->family == 4 ? caddr4 : wide(e)->caddr, *vaddr = p->family == 4 ? vaddr4 : wide(e)->vaddr;
    uint32_t hop = route(caddr, vaddr[3], p->family);
    if (!hop_checks(p)) return drop(p);
    if (dest->available) count_all(dest, 1, p->l3len);
    set_state(e, 1, p->flags);
    touch(entry);
    translate(p, vaddr, e->ports & 0xffff, p->family == 4 ? 12 : 8, 0);
    transmit(p, hop);
}
/*
 * Loads buckets, then entries, then second lines of the packets of a batch: each loop is short, so
 * that its cache misses overlap. Frames of device 1 are replies: their destination is the client.
 */
void prefetch(int device, const uint32_t *offsets, uint32_t n) {
    static uint32_t at[512];
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *ip = umem + offsets[i] + 14, *client = ip + (ip[0] >> 4 == 4 ? 12 + 4 * device : 8 + 16 * device);
        int six = ip[0] >> 4 == 6;
        uint32_t a[4] = {0, 0, 0, 0}, key = get32(client);
        for (int k = 0; six && k < 4; k++) a[k] = get32(client + 4 * k);
        if (six) key = fold_address(a);
        const uint8_t *l4 = ip + (six ? 40 : 20);
        at[i] = hash(key, (uint32_t)(six ? ip[6] : ip[9]) << 16 | get16(l4 + 2 * device)) & mask;
        __builtin_prefetch(&buckets[at[i]]);
    }
    for (uint32_t i = 0; i < n; i++) at[i] = buckets[at[i]], __builtin_prefetch(&entries[at[i]]);
    for (uint32_t i = 0; i < n; i++) if (entries[at[i]].flags & IPV6) __builtin_prefetch(wide(&entries[at[i]]));
}
void process(int device, uint32_t offset, uint32_t len) {
    Packet p = {.frame = offset, .device = device};
    fates[IN]++, fates[IN_BYTES] += len;
    if (!parse(&p, len)) return drop(&p);
    if (get16(umem + offset) != own_hi || get32(umem + offset + 2) != own_lo[device]) return drop(&p);
    uint32_t entry = find_in(&p);
    if (entry && (int32_t)(entries[entry].expires - now) <= 0) end(entry), entry = 0;
    if (!entry) entry = schedule(&p);
    if (entry) return inbound(&p, entry);
    entry = find_out(&p);
    if (entry && (entries[entry].flags & 7) == MASQ) return outbound(&p, entry);
    drop(&p);
}

/* Memory in pages of 2 MB if the kernel has them. ulvs asks for such pages, too. */
static void *memory(uint64_t bytes) {
    void *at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}
void setup(uint32_t n, uint32_t least_buckets, int family, int method) {
    max_entries = n * (family == 6 ? 2 : 1);
    for (mask = 4096; mask < least_buckets; mask *= 2);
    entries = memory((max_entries + 1) * 64ull), buckets = memory(mask-- * 4ull);
    uint32_t vip[4] = {family == 6 ? 0x20010db8 : 0, 0, 0, family == 6 ? 0x100 : VIP};
    Row *row = &services[mix(vip, 6 << 16 | VPORT) & 63];
    memcpy(row->a, vip, 16), row->key = 6 << 16 | VPORT, row->slot = 1;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t a6[4] = {0x20010db8, 1, 0, 0x11 + i}, a4[4] = {0, 0, 0, 0xc0a8010b + i};
        memcpy(dests[i].addr, family == 6 ? a6 : a4, 16);
        dests[i].port = method == MASQ ? 8080 : 80, dests[i].available = dests[i].weight = 1, dests[i].method = method;
    }
    for (int i = 0; i < 3; i++) neighbours[i] = (Neighbour){0x0200, 0xa011 + i, i < 2, 1, 0};
}
