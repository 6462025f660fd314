/**
 * Every reason for which a frame ends in the director: name, text, and what an administrator does
 * about it (docs/drops.md). The index of a row is the number that the packet path returns; 0 is
 * "not dropped". A new reason is a new row.
 */
const REASONS = [
  ['none', 'not dropped', ''],
  [
    'truncated',
    'the frame ends before its headers do',
    'The sender or the wire is broken. `ulvs trace --drops` shows the MAC address of the sender.',
  ],
  [
    'otherHost',
    'the frame is addressed to another MAC',
    'Behind a hub, or a switch that floods, this is normal. If your own traffic ends here, a neighbour has an old MAC address for the VIP: look at `ip neigh` there.',
  ],
  [
    'badVersion',
    'the IP version is not the one the EtherType says',
    'The sender is broken. `ulvs trace --drops` shows its MAC address.',
  ],
  [
    'badHeaderLength',
    'the IP header length is below 20 or beyond the packet',
    'The sender is broken, or somebody tests you. `ulvs trace --drops` shows its MAC address.',
  ],
  [
    'badTotalLength',
    'the IP total length is below the header or beyond the frame',
    'The sender is broken, or a device on the way cuts frames. Compare the MTUs along the path.',
  ],
  [
    'badHeaderChecksum',
    'the IPv4 header checksum is wrong',
    'The packet was damaged on the way: look at the error counters of the interfaces and switches (`ethtool -S`).',
  ],
  [
    'badFragment',
    'the fragment is empty, unaligned or reaches beyond 65,535 bytes',
    'A correct sender makes no such fragment. It is also counted when the ECN marks of the fragments of a packet contradict each other.',
  ],
  [
    'badExtension',
    'an IPv6 extension header is broken or there are too many',
    'A correct sender makes no such packet. `ulvs trace --drops` shows who it is.',
  ],
  [
    'badTransport',
    'the transport header is truncated or inconsistent',
    'A correct sender makes no such packet. Neighbour discovery from beyond the link (hop limit below 255) is counted here, too.',
  ],
  [
    'badChecksum',
    'the ICMP checksum is wrong, or the TCP checksum of a segment that a helper reads',
    'The packet was damaged, or its sender leaves checksums to a device that does not fill them in. `ulvs doctor` looks for the second; `ethtool -K DEV tx off` at the sender mends it.',
  ],
  [
    'badSource',
    'the source address is a broadcast, multicast or loopback address',
    'Somebody forges addresses. It is also counted when a packet comes from a VIP of this director: if realservers of LVS-DR send their replies through the director, name the device in `accept.forwardShared`.',
  ],
  ['badArp', 'the ARP packet is malformed', 'The sender is broken. `ulvs trace --drops` shows its MAC address.'],
  [
    'fragmentLimit',
    'too much memory is in use for unfinished fragments',
    'Either fragments are lost on the way, or somebody sends incomplete packets on purpose. The oldest packet gives way. Let the senders use a smaller MTU or MSS.',
  ],
  [
    'fragmentTimeout',
    'the other fragments of the packet did not come in time',
    'Fragments are lost on the way, after 30 s (IPv6: 60 s) the rest is dropped. Look for a firewall that drops later fragments.',
  ],
  [
    'fragmentOverlap',
    'the fragment overlaps another one',
    'A correct sender makes no such fragment; it is a known attack. All fragments of the packet are dropped.',
  ],
  [
    'fragmentDuplicate',
    'the fragment was received twice',
    'Harmless in small numbers. Many of them mean that frames are doubled on the way: look for a loop or a mirror port.',
  ],
  [
    'ttlExceeded',
    'the TTL expired at the director (ICMP time exceeded sent)',
    'A traceroute through the director ends so. Many of them mean a routing loop: compare the routes of director and router.',
  ],
  [
    'noDestination',
    'the service has no available destination (ICMP port unreachable sent)',
    'All real servers have weight 0, are over their upper threshold, or are not there. `ulvsadm -Ln --thresholds` shows which.',
  ],
  [
    'destinationRemoved',
    'the connection belongs to a removed destination',
    'The client keeps sending to a real server that was taken away. `ulvs sysctl expire_nodest_conn=1` gives such clients another one.',
  ],
  [
    'strayReply',
    'a masq destination sent it outside any connection (ICMP port unreachable sent: sysctl nat_icmp_send)',
    'The connection has ended at the director before it ended at the real server: raise the timeout (`ulvsadm --set`), or let the application send keep-alives. Real servers that open connections themselves need `snat`.',
  ],
  [
    'portClosed',
    'an address of the director without a service or connection for the port (RST or ICMP sent)',
    'Somebody asks for a port of the VIP that no service has, or goes on with a connection that the director does not know. `ulvsadm -Ln` shows the services.',
  ],
  [
    'noRoute',
    'no route to the next hop (ICMP host unreachable sent)',
    '`ip route get ADDRESS` (or `routes:` of director.yaml) shows where it fails. A tunnel is also counted here while the outgoing device has no address to send from.',
  ],
  [
    'mtuExceeded',
    'longer than the MTU with DF set (ICMP fragmentation needed sent)',
    'A few belong to path MTU discovery. If one client hangs, something on its side filters ICMP: lower the MTU or MSS at the real servers.',
  ],
  [
    'tunnelMtu',
    'the tunnel leaves less than the smallest MTU of IP',
    'The MTU of the route to the real server is too small for any tunnel (below 68 bytes inside, IPv6 1280). Raise it.',
  ],
  [
    'neighbourFailed',
    'the next hop did not answer ARP or neighbour discovery',
    'The real server or router is down, or on another network than its address says. `ulvs doctor` asks each real server.',
  ],
  [
    'neighbourQueue',
    'too many frames already wait for the MAC address of a next hop',
    'It comes with neighbourFailed, or with a burst to a host that was not used before; then it stops by itself.',
  ],
  [
    'noSourcePort',
    'full NAT or snat: every source address and port is in use towards this destination',
    'Full NAT: add addresses to `accept.sources`. snat: spread the real servers over several `to` addresses.',
  ],
  [
    'privateSource',
    'snat: the packet would leave with a private source address and cannot be translated',
    'It is a RST of a connection that is over, or a protocol without ports. No action is needed.',
  ],
  [
    'noDialogue',
    'the persistence engine found no key in the packet (sip: no Call-ID over UDP)',
    'A client sends something else than SIP over UDP to a service with `--pe sip`. Give other protocols a service of their own.',
  ],
  [
    'tableFull',
    'the connection table is full',
    'Raise `connections.max` in director.yaml, lower the timeouts (`ulvsadm --set`), or let the director defend itself: `ulvs sysctl drop_entry=1 drop_packet=1`.',
  ],
  [
    'defence',
    'dropped by a defence strategy (drop_packet)',
    'Wanted: `drop_packet` is on and the connection table is nearly full, or it is 3. Raise `connections.max` or `am_droprate`, or set `drop_packet=0`.',
  ],
  [
    'noFrame',
    'no free frame for a packet that the director had to make',
    'All buffers are in use, most of them by frames that wait for a neighbour or for their other fragments: look at these reasons first.',
  ],
  [
    'workerBusy',
    'the hand-off ring to the worker that owns the client is full',
    'One worker has more to do than the others, or all of them have too much. `ulvs status` shows the frames of each; give the director more `workers`.',
  ],
  [
    'txFull',
    'the transmit queue of the device is full',
    'More than 512 frames wanted to leave by one device in one turn: fragments of large packets, for example. What a device cannot send is counted with the device (`txDropped` of `ulvs stats`).',
  ],
  [
    'rebuilding',
    'the connection table is being rebuilt after a restart, and the connection was not found yet',
    'Wanted, for the first moments of a director that goes on with the connections of the one before it. The sender repeats the packet.',
  ],
  [
    'synProxyWaits',
    'the SYN proxy waits for the real server to accept the connection',
    'The client sends it again. Many of them mean that a real server is slow to accept connections, or does not answer: look at its backlog and at its health.',
  ],
] as const satisfies readonly (readonly [string, string, string])[];

export type DropReason = (typeof REASONS)[number][0];

export const DROP_NAMES: readonly DropReason[] = REASONS.map(([name]) => name);
export const DROP_TEXTS: readonly string[] = REASONS.map(([, text]) => text);
export const DROP_REMEDIES: readonly string[] = REASONS.map(([, , remedy]) => remedy);

type Drops = { readonly [name in DropReason]: number };
/** Numbers by name: `Drop.noRoute`. */
export const Drop = Object.fromEntries(DROP_NAMES.map((name, i) => [name, i])) as Drops;
