# The director in a container, from the Debian package: make deb && docker build -t ulvs:local .
# It needs these capabilities and no more:
#
#   docker run --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW \
#     --cap-add BPF --cap-add PERFMON --cap-add IPC_LOCK --device /dev/net/tun \
#     --network host -v /etc/ulvs:/etc/ulvs:ro -v /run/ulvs:/run/ulvs ulvs:local
#
# NET_ADMIN: nft rules, TAPs, neighbours, XDP attachment; NET_RAW: packet and raw sockets. For devices of kind xdp only:
# BPF and PERFMON: loading the XDP program; IPC_LOCK: the memory that AF_XDP shares with the kernel.
# --network host directs for the host; with `--network container:NAME` it directs inside that container's namespace.
# /run/ulvs of the host must belong to root then: root without CAP_DAC_OVERRIDE may not write in another user's directory.
# With SETUID, SETGID, SETPCAP and CHOWN added, `run --user ulvs -c /etc/ulvs/director.yaml` gives up root at its start.

ARG BASE=docker.io/library/debian:bookworm-slim
FROM ${BASE}
COPY build/deb/ulvs_*.deb /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends /tmp/ulvs_*.deb \
 && rm -rf /tmp/ulvs_*.deb /var/lib/apt/lists/* /run/ulvs
# `docker stop` sends SIGTERM: the director then removes its rings, nft rules and TAPs.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/ulvs"]
CMD ["run", "-c", "/etc/ulvs/director.yaml"]
