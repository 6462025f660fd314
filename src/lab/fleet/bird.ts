/**
 * BIRD 2 on a director and on its router, as docs/fleet.md shows it. The director's BIRD learns the
 * routes that ulvs keeps in table 1085 and announces them; the router makes one multipath route of
 * those of all directors.
 */
const BFD = 'interval 100 ms; multiplier 3;';

export interface DirectorBird {
  /** The director's address on the router's network. */
  readonly id: string;
  readonly device: string;
  readonly router: string;
}

export function directorBird({ id, device, router }: DirectorBird): string {
  return `log stderr all;
router id ${id};
protocol device { }

# The VIPs that this director serves: ulvs keeps their routes in table 1085 ("announce:" in director.yaml).
ipv4 table vips;
protocol kernel learned {
  kernel table 1085;
  learn;
  scan time 10;
  ipv4 { table vips; import all; export none; };
}

protocol bfd {
  interface "${device}" { ${BFD} };
}
protocol bgp router1 {
  local ${id} as 65001;
  neighbor ${router} as 65000;
  bfd on;
  hold time 9;
  connect delay time 1;
  error wait time 1, 5;
  ipv4 { table vips; import none; export all; next hop self; };
}
`;
}

export interface RouterBird {
  readonly id: string;
  /** The device towards the directors, and their network. */
  readonly device: string;
  readonly directors: string;
  /** Network of the VIPs: no other route is taken from a director. */
  readonly vips: string;
}

export function routerBird({ id, device, directors, vips }: RouterBird): string {
  return `log stderr all;
router id ${id};
protocol device { }
protocol bfd {
  interface "${device}" { ${BFD} };
}
protocol bgp director {
  local ${id} as 65000;
  neighbor range ${directors} as 65001;
  dynamic name "director";
  bfd on;
  hold time 9;
  ipv4 { import where net ~ [ ${vips}+ ]; export none; };
}
# One route with a next hop for each director. sysctl net.ipv4.fib_multipath_hash_policy=1 spreads by address and port.
protocol kernel {
  merge paths on limit 64;
  ipv4 { import none; export where source = RTS_BGP; };
}
`;
}
