# The director in a container. It needs these capabilities and no more:
#
#   docker run --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW \
#     --cap-add BPF --cap-add PERFMON --cap-add IPC_LOCK \
#     --network host -v /etc/ulvs:/etc/ulvs:ro -v /run/ulvs:/run/ulvs ulvs
#
# NET_ADMIN: nft rules, TAPs, neighbours, XDP attachment; NET_RAW: packet and raw sockets. For devices of kind xdp only:
# BPF and PERFMON: loading the XDP program; IPC_LOCK: the memory that AF_XDP shares with the kernel.
# --network host directs for the host; with `--network container:NAME` it directs inside that container's namespace.

FROM node:20-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 make g++ libpcap-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /ulvs
# The image brings Node's headers in /usr/local/include: node-gyp need not fetch any.
ENV npm_config_nodedir=/usr/local
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY scripts ./scripts
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends nftables iproute2 libpcap0.8 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /ulvs
ENV NODE_ENV=production
COPY --from=build /ulvs/package.json ./
COPY --from=build /ulvs/node_modules ./node_modules
COPY --from=build /ulvs/dist ./dist
COPY LICENSE ./
RUN ln -s /ulvs/dist/cli/main.js /usr/local/bin/ulvs \
 && ln -s /ulvs/dist/cli/ulvsadm.js /usr/local/bin/ulvsadm \
 && chmod +x dist/cli/main.js dist/cli/ulvsadm.js
# `docker stop` sends SIGTERM: the director then removes its rings, nft rules and TAPs.
ENTRYPOINT ["node", "/ulvs/dist/cli/main.js"]
CMD ["run", "-c", "/etc/ulvs/director.yaml"]
