"""The part of replay that runs in the guest. Arguments: work-dir warp|real scenario..."""
import ctypes, fcntl, json, os, select, signal, socket, struct, sys, time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET, MS_REC, MS_SLAVE = 0x20000, 0x40000000, 0x4000, 0x80000
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 8, 23, 3
IFS = ("eth0", "eth1", "eth2")
ms = lambda: time.monotonic_ns() / 1e6


def ck(r, what):
    if r:
        raise OSError(ctypes.get_errno(), what)


def setns(name):
    with open(f"/run/netns/{name}") as f:
        ck(libc.setns(f.fileno(), CLONE_NEWNET), "setns")


def sysctl(path, val):
    try:
        with open("/proc/sys/net/" + path, "w") as f:
            f.write(val)
    except FileNotFoundError:
        pass


def ip(args, batch=None):
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(r, 0)
        os.close(w)
        os.execvp("ip", ["ip", *args.split()])
    os.write(w, (batch or "").encode())
    os.close(w)
    os.close(r)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"ip {args} failed")


def offloads_off():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    val = ctypes.create_string_buffer(8)
    for dev in IFS:     # rx, tx checksums, sg, tso, gso, gro; 0x26: flags (vlan tag offloads, lro, ntuple)
        for cmd in (0x15, 0x17, 0x1f, 0x19, 0x24, 0x2c, 0x26):
            val.raw = struct.pack("II", cmd, 0)
            try:
                fcntl.ioctl(s, 0x8946, struct.pack("16sP", dev.encode(), ctypes.addressof(val)))
            except OSError:
                pass


class Scenario:
    def __init__(self, path, warp, spinner):
        self.path, self.warp, self.spinner, self.out, self.t0, self.idx, self.recording = path, warp, spinner, [], ms(), -1, False
        self.hosts = {}
        if os.path.exists(path + "/wire.json"):
            for h in json.load(open(path + "/wire.json")):
                self.hosts[h["if"], socket.inet_aton(h["ip"])] = bytes.fromhex(h["mac"].replace(":", ""))

    def build(self):
        ip("netns add director")
        ip("netns add wire")
        setns("wire")
        for c in ("all", "default"):
            sysctl(f"ipv6/conf/{c}/disable_ipv6", "1")
        # IPv6 is off unless setup.sh turns it on. When it is on, the kernel sends no IPv6 packets by itself.
        setns("director")
        for c in ("all", "default"):
            for k, v in (("disable_ipv6", "1"), ("accept_dad", "0"), ("dad_transmits", "0"), ("router_solicitations", "0"),
                         ("accept_ra", "0"), ("addr_gen_mode", "1")):
                sysctl(f"ipv6/conf/{c}/{k}", v)
        b = ["link set lo up"]
        for i, d in enumerate(IFS):
            b.append(f"link add {d} address 02:00:00:00:0d:0{i} type veth peer name {d} address 02:00:00:00:0e:0{i} mtu 65535 netns wire")
        ip("-batch -", "\n".join(b + [f"link set {d} up" for d in IFS]) + "\n")
        offloads_off()
        setns("wire")
        ip("-batch -", "".join(f"link set {d} arp off up\n" for d in IFS))
        offloads_off()
        self.rx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETH_P_ALL))
        self.rx.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.rx.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.rx.setsockopt(socket.SOL_SOCKET, 33, 256 << 20)      # SO_RCVBUFFORCE
        self.tx = {}
        for d in IFS:
            self.tx[d] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.tx[d].bind((d, 0))

    def destroy(self):
        for s in (self.rx, *self.tx.values()):
            s.close()
        setns("wire")
        ip("-batch -", "".join(f"link del {d}\n" for d in IFS))
        ip("netns del director")
        ip("netns del wire")

    def add(self, **row):
        self.out.append({"t": round(ms() - self.t0, 3), **row, "after": self.idx})

    def drain(self):
        while True:
            try:
                f, anc, _, addr = self.rx.recvmsg(70000, 64)
            except BlockingIOError:
                return
            row = {}
            for lvl, typ, data in anc:
                if lvl == SOL_PACKET and typ == PACKET_AUXDATA:
                    st, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                    if st & 0x10:
                        f = f[:12] + struct.pack(">HH", tpid or 0x8100, tci) + f[12:]
                    if st & 0x08:
                        row["csum"] = "partial"
            if self.recording:
                self.add(**{"if": addr[0]}, hex=f.hex(), **row)
            o = 16 if f[12:14] == b"\x81\0" else 12       # offset of the EtherType; ARP may be in a VLAN
            if self.hosts and f[o:o + 2] == b"\x08\x06" and f[o + 8:o + 10] == b"\0\1":
                who = f[o + 26:o + 30]
                mac = self.hosts.get((addr[0], who))
                if mac:
                    self.tx[addr[0]].send(f[6:12] + mac + f[12:o + 8] + b"\0\2" + mac + who + f[o + 10:o + 20])

    def wait(self, t):
        """Waits until t (ms on the scenario's clock) and records the frames that leave."""
        while (left := self.t0 + t - ms()) > 0:
            if select.select([self.rx], [], [], left / 1e3)[0]:
                self.drain()

    def command(self, argv, limit=120e3):
        """Runs a command in the netns director; returns (exit status, stdout and stderr together). limit: ms."""
        # The spinner keeps the guest busy at idle priority for the first 0.5 s of the command. Virtual time jumps only in an
        # idle guest, so it does not jump while the command waits for the disk.
        if self.warp:
            os.kill(self.spinner, signal.SIGCONT)
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                setns("director")
                ck(libc.unshare(CLONE_NEWNS), "unshare")
                libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None)
                libc.mount(b"sys", b"/sys", b"sysfs", 0, None)
                os.chdir(self.path)
                os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
                os.dup2(w, 1)
                os.dup2(w, 2)
                os.execvp(argv[0], argv)
            finally:
                os._exit(127)
        os.close(w)
        data, end, spun = b"", ms() + limit, not self.warp
        while ms() < end:
            ready = select.select([r, self.rx], [], [], (end - ms()) / 1e3 if spun else 0.5)[0]
            if not ready and not spun:
                os.kill(self.spinner, signal.SIGSTOP)
                spun = True
            if self.rx in ready:
                self.drain()
            if r in ready:
                chunk = os.read(r, 65536)
                if not chunk:
                    break
                data += chunk
        else:
            os.kill(pid, signal.SIGKILL)
            data += b"\n(killed: took too long)\n"
        os.close(r)
        st = os.waitpid(pid, 0)[1]
        if not spun:
            os.kill(self.spinner, signal.SIGSTOP)
        self.drain()
        return os.waitstatus_to_exitcode(st), data.decode(errors="replace")

    def run(self):
        events = [json.loads(line) for line in open(self.path + "/frames.jsonl") if line.strip()]
        for i, e in enumerate(events):
            e["n"] = i
            if "hex" in e:
                e["raw"] = bytes.fromhex(e["hex"])
            if "cmd" not in e and "end" not in e and e["if"] not in IFS:
                raise ValueError(f"line {i}: no interface {e['if']}")
        events.sort(key=lambda e: e["t"])
        self.build()
        rc, text = self.command(["sh", "-e", "setup.sh"])
        self.drain()
        self.recording, self.t0 = True, ms()
        if rc or text.strip():
            self.add(cmd="setup.sh", rc=rc, out=text)
        if rc:
            return
        sent, busy = 0, 0
        for e in events:
            if e["t"] > ms() - self.t0:
                self.wait(e["t"])
            self.idx = e["n"]
            if "raw" in e:
                a = time.monotonic_ns()
                try:
                    self.tx[e["if"]].send(e["raw"])
                except OSError as x:        # ENOBUFS: the frame is longer than the director's MTU
                    self.add(undelivered=f"{e['if']}: {x}")
                self.drain()
                sent += 1
                busy += time.monotonic_ns() - a
            elif "cmd" in e:
                rc, text = self.command(["sh", "-c", e["cmd"]])
                self.add(cmd=e["cmd"], rc=rc, out=text)
        last = events[-1] if events else {"t": 0}
        self.wait(max(last["t"], ms() - self.t0) + (0 if "end" in last else 100))
        self.drain()
        return sent, busy / 1e3

    def save(self):
        with open(self.path + "/out.jsonl.tmp", "w") as f:
            f.write("".join(json.dumps(r) + "\n" for r in self.out))
        os.rename(self.path + "/out.jsonl.tmp", self.path + "/out.jsonl")


def main():
    work, warp, names = sys.argv[1], sys.argv[2] == "warp", sys.argv[3:]
    spinner = os.fork()
    if not spinner:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            pass
    for n in names:
        s = Scenario(f"{work}/{n}", warp, spinner)
        try:
            r = s.run()
            if r and os.environ.get("ORACLE_TIMES"):
                print(f"{n}: {r[0]} frames, {r[1] / max(r[0], 1):.0f} us of guest time each; uptime {ms() / 1e3:.1f} s", flush=True)
        except Exception as x:
            s.add(error=repr(x))
        s.save()
        try:
            s.destroy()
        except Exception as x:
            print(f"{n}: cleaning up: {x!r}", flush=True)
    os.kill(spinner, signal.SIGKILL)


main()
