/**
 * Kernel map: the schedulers (ip_vs_rr.c, ip_vs_wrr.c …). `X_init`, `X_cleanup` and their like are
 * in the last row of each.
 */
import { type MapFile, mapFile } from './parse.js';

const SETUP = 'Module set-up. A scheduler is a row of schedulers/index.ts.';

export const SCHEDULERS: readonly MapFile[] = [
  mapFile(
    'net/netfilter/ipvs/ip_vs_rr.c',
    'Round robin.',
    `
ip_vs_rr_schedule | schedulers/rr.ts: schedule |
ip_vs_rr_del_dest | schedulers/rr.ts: destRemoved |
ip_vs_rr_init_svc | schedulers/rr.ts: RoundRobin |
ip_vs_rr_init, ip_vs_rr_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_wrr.c',
    'Weighted round robin.',
    `
ip_vs_wrr_schedule | schedulers/wrr.ts: schedule, nextTurn |
ip_vs_wrr_gcd_weight | schedulers/wrr.ts: gcd |
ip_vs_wrr_max_weight | schedulers/wrr.ts: heaviestWeight |
ip_vs_wrr_dest_changed | schedulers/wrr.ts: destAdded, destRemoved, destUpdated |
ip_vs_wrr_init_svc, ip_vs_wrr_done_svc | schedulers/wrr.ts: WeightedRoundRobin |
ip_vs_wrr_init, ip_vs_wrr_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_lc.c',
    'Least connection.',
    `
ip_vs_lc_schedule | schedulers/lc.ts: least; service/service.ts: overhead |
ip_vs_lc_init, ip_vs_lc_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_wlc.c',
    'Weighted least connection.',
    `
ip_vs_wlc_schedule | schedulers/least.ts: leastWeighted; schedulers/wlc.ts: wlc |
ip_vs_wlc_init, ip_vs_wlc_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_sed.c',
    'Shortest expected delay.',
    `
ip_vs_sed_schedule | schedulers/least.ts: leastWeighted; schedulers/sed.ts: sed |
ip_vs_sed_dest_overhead | schedulers/sed.ts: expectedDelay |
ip_vs_sed_init, ip_vs_sed_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_nq.c',
    'Never queue.',
    `
ip_vs_nq_schedule | schedulers/nq.ts: firstIdle, nq |
ip_vs_nq_dest_overhead | schedulers/sed.ts: expectedDelay |
ip_vs_nq_init, ip_vs_nq_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_fo.c',
    'Failover.',
    `
ip_vs_fo_schedule | schedulers/fo.ts: fo; schedulers/heaviest.ts: heaviest |
ip_vs_fo_init, ip_vs_fo_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_ovf.c',
    'Overflow.',
    `
ip_vs_ovf_schedule | schedulers/ovf.ts: hasRoom; schedulers/heaviest.ts: heaviest |
ip_vs_ovf_init, ip_vs_ovf_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_dh.c',
    'Destination hashing.',
    `
ip_vs_dh_schedule, ip_vs_dh_get | schedulers/dh.ts: schedule |
is_overloaded | service/service.ts: eligible |
ip_vs_dh_hashkey | schedulers/hash.ts: hash32, destinationWord |
ip_vs_dh_reassign, ip_vs_dh_flush | schedulers/dh.ts: assign |
ip_vs_dh_dest_changed | schedulers/dh.ts: destAdded, destRemoved |
ip_vs_dh_init_svc, ip_vs_dh_done_svc | schedulers/dh.ts: DestinationHashing |
ip_vs_dh_init, ip_vs_dh_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_sh.c',
    'Source hashing.',
    `
ip_vs_sh_schedule, ip_vs_sh_get, ip_vs_sh_get_port | schedulers/sh.ts: schedule |
ip_vs_sh_get_fallback | schedulers/sh.ts: fallback |
is_unavailable | service/service.ts: eligible |
ip_vs_sh_hashkey | schedulers/sh.ts: hashBucket; schedulers/hash.ts: sourceWord |
ip_vs_sh_reassign, ip_vs_sh_flush | schedulers/sh.ts: assign |
ip_vs_sh_dest_changed | schedulers/sh.ts: destAdded, destRemoved, destUpdated |
ip_vs_sh_init_svc, ip_vs_sh_done_svc | schedulers/sh.ts: SourceHashing |
ip_vs_sh_init, ip_vs_sh_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_mh.c',
    'Maglev hashing.',
    `
ip_vs_mh_schedule, ip_vs_mh_get, ip_vs_mh_get_port | schedulers/mh.ts: schedule |
ip_vs_mh_get_fallback | schedulers/mh.ts: fallback |
is_unavailable | service/service.ts: eligible |
ip_vs_mh_hashkey | schedulers/hsiphash.ts: hsiphash |
generate_hash_secret | schedulers/mh.ts: KEY1, KEY2 |
ip_vs_mh_permutate | schedulers/mh.ts: walkOf |
ip_vs_mh_populate | schedulers/mh.ts: round, takeNext |
ip_vs_mh_gcd_weight, ip_vs_mh_shift_weight | schedulers/mh.ts: walkersOf |
ip_vs_mh_reassign, ip_vs_mh_reset | schedulers/mh.ts: assign |
ip_vs_mh_dest_changed | schedulers/mh.ts: destAdded, destRemoved, destUpdated |
ip_vs_mh_init_svc, ip_vs_mh_done_svc, ip_vs_mh_state_free | schedulers/mh.ts: MaglevHashing |
ip_vs_mh_init, ip_vs_mh_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_twos.c',
    'The power of two random choices.',
    `
ip_vs_twos_schedule | schedulers/twos.ts: schedule, draw, drawn |
ip_vs_twos_init, ip_vs_twos_cleanup | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_lblc.c',
    'Locality-based least connection.',
    `
ip_vs_lblc_schedule | schedulers/lblc.ts: schedule |
__ip_vs_lblc_schedule | schedulers/least.ts: leastWeighted |
is_overloaded | schedulers/lblc.ts: isStrained |
ip_vs_lblc_get | schedulers/address-cache.ts: find |
ip_vs_lblc_new, ip_vs_lblc_hash | schedulers/address-cache.ts: add; schedulers/lblc.ts: remember |
ip_vs_lblc_hashkey | schedulers/address-cache.ts: bucketOf; schedulers/hash.ts: hash32 |
ip_vs_lblc_check_expire, ip_vs_lblc_full_check, sysctl_lblc_expiration | schedulers/address-cache.ts: sweep, removeIdle; schedulers/lblc.ts: sweep |
ip_vs_lblc_del, ip_vs_lblc_rcu_free | schedulers/address-cache.ts: release |
ip_vs_lblc_init_svc, ip_vs_lblc_done_svc, ip_vs_lblc_flush | schedulers/lblc.ts: LocalityLeastConnection |
ip_vs_lblc_init, ip_vs_lblc_cleanup, __ip_vs_lblc_init, __ip_vs_lblc_exit | - | ${SETUP}
`,
  ),
  mapFile(
    'net/netfilter/ipvs/ip_vs_lblcr.c',
    'Locality-based least connection with replication.',
    `
ip_vs_lblcr_schedule | schedulers/lblcr.ts: schedule, first, again |
__ip_vs_lblcr_schedule | schedulers/least.ts: leastWeighted |
is_overloaded | schedulers/lblc.ts: isStrained |
ip_vs_lblcr_get | schedulers/address-cache.ts: find |
ip_vs_lblcr_new, ip_vs_lblcr_hash | schedulers/address-cache.ts: add |
ip_vs_lblcr_hashkey | schedulers/address-cache.ts: bucketOf; schedulers/hash.ts: hash32 |
ip_vs_dest_set_insert | schedulers/destination-set.ts: insert |
ip_vs_dest_set_erase | schedulers/destination-set.ts: shrink |
ip_vs_dest_set_eraseall | schedulers/destination-set.ts: clear |
ip_vs_dest_set_min | schedulers/destination-set.ts: leastLoaded |
ip_vs_dest_set_max | schedulers/destination-set.ts: mostLoaded |
ip_vs_lblcr_check_expire, ip_vs_lblcr_full_check, sysctl_lblcr_expiration | schedulers/address-cache.ts: sweep, removeIdle; schedulers/lblcr.ts: expiry |
ip_vs_lblcr_free, ip_vs_lblcr_elem_rcu_free | schedulers/address-cache.ts: release |
ip_vs_lblcr_init_svc, ip_vs_lblcr_done_svc, ip_vs_lblcr_flush | schedulers/lblcr.ts: ReplicatedLocality |
ip_vs_lblcr_init, ip_vs_lblcr_cleanup, __ip_vs_lblcr_init, __ip_vs_lblcr_exit | - | ${SETUP}
`,
  ),
];
