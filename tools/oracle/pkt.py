#!/usr/bin/python3
"""Functions that build frames for scenarios, and a printer of recorded scenarios.

tools/oracle/pkt.py DIR... prints the sent and the recorded frames of each scenario and checks their checksums.
"""
import json, socket, struct, sys


def csum(b):
    b += b"\0" * (len(b) % 2)
    s = sum(struct.unpack(f">{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def mac(m):
    return bytes.fromhex(m.replace(":", ""))


def eth(dst, src, payload, proto=0x0800):
    return mac(dst) + mac(src) + struct.pack(">H", proto) + payload


def ipv4(src, dst, proto, payload, ttl=64, ident=1, frag=0x4000, tos=0):
    h = struct.pack(">BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), ident, frag, ttl, proto, 0, socket.inet_aton(src), socket.inet_aton(dst))
    return h[:10] + struct.pack(">H", csum(h)) + h[12:] + payload


def _l4sum(src, dst, proto, seg):
    return csum(socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack(">BBH", 0, proto, len(seg)) + seg)


def tcp(src, sport, dst, dport, flags, seq=0, ack=0, data=b"", opts=b"", win=64240, **ipkw):
    fl = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}[c] for c in flags)
    s = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (5 + len(opts) // 4) << 4, fl, win, 0, 0) + opts + data
    return ipv4(src, dst, 6, s[:16] + struct.pack(">H", _l4sum(src, dst, 6, s)) + s[18:], **ipkw)


def udp(src, sport, dst, dport, data=b"", nocsum=False, **ipkw):
    s = struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data
    c = 0 if nocsum else _l4sum(src, dst, 17, s) or 0xffff
    return ipv4(src, dst, 17, s[:6] + struct.pack(">H", c) + s[8:], **ipkw)


def icmp(src, dst, typ, code, rest=b"\0\0\0\0", data=b"", **ipkw):
    s = struct.pack(">BBH", typ, code, 0) + rest + data
    return ipv4(src, dst, 1, s[:2] + struct.pack(">H", csum(s)) + s[4:], **ipkw)


def _ip(p, inner=False):
    if len(p) < 20 or p[0] >> 4 != 4:
        return p.hex()[:60]
    hl, tl, idn, fr, ttl, pr = (p[0] & 15) * 4, *struct.unpack(">HHH", p[2:8]), p[8], p[9]
    s, d, b = socket.inet_ntoa(p[12:16]), socket.inet_ntoa(p[16:20]), p[hl:tl]
    bad = [] if csum(p[:hl]) == 0 else ["IP-CSUM-BAD"]
    whole = tl <= len(p) and not fr & 0x3fff
    note = f"ttl {ttl} id {idn}" + (f" tos {p[1]:#x}" if p[1] else "") + (" DF" if fr & 0x4000 else "") + (f" frag {(fr & 0x1fff) * 8}{'+' if fr & 0x2000 else ''}" if fr & 0x3fff else "")
    if pr == 6 and len(b) >= 20 and not fr & 0x1fff:
        sp, dp, seq, ack, off, fl = struct.unpack(">HHIIBB", b[:14])
        if whole and not inner and _l4sum(s, d, 6, b):
            bad.append("TCP-CSUM-BAD")
        x = f"tcp {s}:{sp} > {d}:{dp} {''.join(c for i, c in enumerate('FSRPAUEC') if fl >> i & 1)} seq {seq} ack {ack} len {len(b) - (off >> 4) * 4}"
    elif pr == 17 and len(b) >= 8 and not fr & 0x1fff:
        sp, dp, ul, uc = struct.unpack(">HHHH", b[:8])
        if whole and not inner and uc and _l4sum(s, d, 17, b):
            bad.append("UDP-CSUM-BAD")
        x = f"udp {s}:{sp} > {d}:{dp} len {ul - 8}" + ("" if uc else " nocsum")
    elif pr == 1 and len(b) >= 8 and not fr & 0x1fff:
        if whole and not inner and csum(b):
            bad.append("ICMP-CSUM-BAD")
        x = f"icmp {s} > {d} type {b[0]} code {b[1]} rest {b[4:8].hex()}" + (f" [{_ip(b[8:], True)}]" if b[0] in (3, 4, 5, 11, 12) else "")
    elif pr == 4:
        x = f"ipip {s} > {d} [{_ip(b)}]"
    else:
        x = f"proto {pr} {s} > {d} len {len(b)}"
    return " ".join([x, note, *bad])


def show(f):
    m = lambda b: b.hex(":")
    p, b, tag = struct.unpack(">H", f[12:14])[0], f[14:], ""
    if p == 0x8100:
        tag, p, b = f" vlan {struct.unpack('>H', b[:2])[0] & 0xfff}", struct.unpack(">H", b[2:4])[0], b[4:]
    if p == 0x0806:
        body = f"arp op {b[7]} {socket.inet_ntoa(b[14:18])} asks/tells {socket.inet_ntoa(b[24:28])}"
    else:
        body = _ip(b) if p == 0x0800 else f"{p:#06x} {b.hex()[:80]}"
    return f"{m(f[6:12])} > {m(f[:6])}{tag} {body}"


def main():
    for d in sys.argv[1:]:
        print(f"== {d}")
        ins = [json.loads(x) for x in open(f"{d}/frames.jsonl") if x.strip()]
        outs = [json.loads(x) for x in open(f"{d}/out.jsonl")]
        for i in [-1] + sorted(range(len(ins)), key=lambda i: ins[i]["t"]):
            if i >= 0 and "hex" in ins[i]:
                print(f"#{i} {ins[i]['t']:>8} in  {ins[i]['if']} {show(bytes.fromhex(ins[i]['hex']))}")
            for o in outs:
                if o["after"] == i:
                    if "hex" in o:
                        print(f"   {o['t']:>10.3f} OUT {o['if']} {show(bytes.fromhex(o['hex']))}")
                    else:
                        print(f"   {o['t']:>10.3f} {o.get('error') or o.get('undelivered') or '$ ' + o['cmd'] + (' -> ' + str(o['rc']) if o['rc'] else '')}")
                        print("".join(f"      {x}\n" for x in o.get("out", "").splitlines()), end="")


if __name__ == "__main__":
    main()
