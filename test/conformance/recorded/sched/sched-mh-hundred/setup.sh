# mh: 100 destinations, 400 clients, one destination is removed, then another one quiesced.
sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 192.168.1.254/24 dev eth1
addr add 10.0.0.100/32 dev eth0
neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 192.168.1.13 lladdr 02:00:00:00:a0:13 dev eth1 nud permanent
neigh add 192.168.1.14 lladdr 02:00:00:00:a0:14 dev eth1 nud permanent
neigh add 192.168.1.15 lladdr 02:00:00:00:a0:15 dev eth1 nud permanent
neigh add 192.168.1.16 lladdr 02:00:00:00:a0:16 dev eth1 nud permanent
neigh add 192.168.1.17 lladdr 02:00:00:00:a0:17 dev eth1 nud permanent
neigh add 192.168.1.18 lladdr 02:00:00:00:a0:18 dev eth1 nud permanent
neigh add 192.168.1.19 lladdr 02:00:00:00:a0:19 dev eth1 nud permanent
neigh add 192.168.1.20 lladdr 02:00:00:00:a0:20 dev eth1 nud permanent
neigh add 192.168.1.21 lladdr 02:00:00:00:a0:21 dev eth1 nud permanent
neigh add 192.168.1.22 lladdr 02:00:00:00:a0:22 dev eth1 nud permanent
neigh add 192.168.1.23 lladdr 02:00:00:00:a0:23 dev eth1 nud permanent
neigh add 192.168.1.24 lladdr 02:00:00:00:a0:24 dev eth1 nud permanent
neigh add 192.168.1.25 lladdr 02:00:00:00:a0:25 dev eth1 nud permanent
neigh add 192.168.1.26 lladdr 02:00:00:00:a0:26 dev eth1 nud permanent
neigh add 192.168.1.27 lladdr 02:00:00:00:a0:27 dev eth1 nud permanent
neigh add 192.168.1.28 lladdr 02:00:00:00:a0:28 dev eth1 nud permanent
neigh add 192.168.1.29 lladdr 02:00:00:00:a0:29 dev eth1 nud permanent
neigh add 192.168.1.30 lladdr 02:00:00:00:a0:30 dev eth1 nud permanent
neigh add 192.168.1.31 lladdr 02:00:00:00:a0:31 dev eth1 nud permanent
neigh add 192.168.1.32 lladdr 02:00:00:00:a0:32 dev eth1 nud permanent
neigh add 192.168.1.33 lladdr 02:00:00:00:a0:33 dev eth1 nud permanent
neigh add 192.168.1.34 lladdr 02:00:00:00:a0:34 dev eth1 nud permanent
neigh add 192.168.1.35 lladdr 02:00:00:00:a0:35 dev eth1 nud permanent
neigh add 192.168.1.36 lladdr 02:00:00:00:a0:36 dev eth1 nud permanent
neigh add 192.168.1.37 lladdr 02:00:00:00:a0:37 dev eth1 nud permanent
neigh add 192.168.1.38 lladdr 02:00:00:00:a0:38 dev eth1 nud permanent
neigh add 192.168.1.39 lladdr 02:00:00:00:a0:39 dev eth1 nud permanent
neigh add 192.168.1.40 lladdr 02:00:00:00:a0:40 dev eth1 nud permanent
neigh add 192.168.1.41 lladdr 02:00:00:00:a0:41 dev eth1 nud permanent
neigh add 192.168.1.42 lladdr 02:00:00:00:a0:42 dev eth1 nud permanent
neigh add 192.168.1.43 lladdr 02:00:00:00:a0:43 dev eth1 nud permanent
neigh add 192.168.1.44 lladdr 02:00:00:00:a0:44 dev eth1 nud permanent
neigh add 192.168.1.45 lladdr 02:00:00:00:a0:45 dev eth1 nud permanent
neigh add 192.168.1.46 lladdr 02:00:00:00:a0:46 dev eth1 nud permanent
neigh add 192.168.1.47 lladdr 02:00:00:00:a0:47 dev eth1 nud permanent
neigh add 192.168.1.48 lladdr 02:00:00:00:a0:48 dev eth1 nud permanent
neigh add 192.168.1.49 lladdr 02:00:00:00:a0:49 dev eth1 nud permanent
neigh add 192.168.1.50 lladdr 02:00:00:00:a0:50 dev eth1 nud permanent
neigh add 192.168.1.51 lladdr 02:00:00:00:a0:51 dev eth1 nud permanent
neigh add 192.168.1.52 lladdr 02:00:00:00:a0:52 dev eth1 nud permanent
neigh add 192.168.1.53 lladdr 02:00:00:00:a0:53 dev eth1 nud permanent
neigh add 192.168.1.54 lladdr 02:00:00:00:a0:54 dev eth1 nud permanent
neigh add 192.168.1.55 lladdr 02:00:00:00:a0:55 dev eth1 nud permanent
neigh add 192.168.1.56 lladdr 02:00:00:00:a0:56 dev eth1 nud permanent
neigh add 192.168.1.57 lladdr 02:00:00:00:a0:57 dev eth1 nud permanent
neigh add 192.168.1.58 lladdr 02:00:00:00:a0:58 dev eth1 nud permanent
neigh add 192.168.1.59 lladdr 02:00:00:00:a0:59 dev eth1 nud permanent
neigh add 192.168.1.60 lladdr 02:00:00:00:a0:60 dev eth1 nud permanent
neigh add 192.168.1.61 lladdr 02:00:00:00:a0:61 dev eth1 nud permanent
neigh add 192.168.1.62 lladdr 02:00:00:00:a0:62 dev eth1 nud permanent
neigh add 192.168.1.63 lladdr 02:00:00:00:a0:63 dev eth1 nud permanent
neigh add 192.168.1.64 lladdr 02:00:00:00:a0:64 dev eth1 nud permanent
neigh add 192.168.1.65 lladdr 02:00:00:00:a0:65 dev eth1 nud permanent
neigh add 192.168.1.66 lladdr 02:00:00:00:a0:66 dev eth1 nud permanent
neigh add 192.168.1.67 lladdr 02:00:00:00:a0:67 dev eth1 nud permanent
neigh add 192.168.1.68 lladdr 02:00:00:00:a0:68 dev eth1 nud permanent
neigh add 192.168.1.69 lladdr 02:00:00:00:a0:69 dev eth1 nud permanent
neigh add 192.168.1.70 lladdr 02:00:00:00:a0:70 dev eth1 nud permanent
neigh add 192.168.1.71 lladdr 02:00:00:00:a0:71 dev eth1 nud permanent
neigh add 192.168.1.72 lladdr 02:00:00:00:a0:72 dev eth1 nud permanent
neigh add 192.168.1.73 lladdr 02:00:00:00:a0:73 dev eth1 nud permanent
neigh add 192.168.1.74 lladdr 02:00:00:00:a0:74 dev eth1 nud permanent
neigh add 192.168.1.75 lladdr 02:00:00:00:a0:75 dev eth1 nud permanent
neigh add 192.168.1.76 lladdr 02:00:00:00:a0:76 dev eth1 nud permanent
neigh add 192.168.1.77 lladdr 02:00:00:00:a0:77 dev eth1 nud permanent
neigh add 192.168.1.78 lladdr 02:00:00:00:a0:78 dev eth1 nud permanent
neigh add 192.168.1.79 lladdr 02:00:00:00:a0:79 dev eth1 nud permanent
neigh add 192.168.1.80 lladdr 02:00:00:00:a0:80 dev eth1 nud permanent
neigh add 192.168.1.81 lladdr 02:00:00:00:a0:81 dev eth1 nud permanent
neigh add 192.168.1.82 lladdr 02:00:00:00:a0:82 dev eth1 nud permanent
neigh add 192.168.1.83 lladdr 02:00:00:00:a0:83 dev eth1 nud permanent
neigh add 192.168.1.84 lladdr 02:00:00:00:a0:84 dev eth1 nud permanent
neigh add 192.168.1.85 lladdr 02:00:00:00:a0:85 dev eth1 nud permanent
neigh add 192.168.1.86 lladdr 02:00:00:00:a0:86 dev eth1 nud permanent
neigh add 192.168.1.87 lladdr 02:00:00:00:a0:87 dev eth1 nud permanent
neigh add 192.168.1.88 lladdr 02:00:00:00:a0:88 dev eth1 nud permanent
neigh add 192.168.1.89 lladdr 02:00:00:00:a0:89 dev eth1 nud permanent
neigh add 192.168.1.90 lladdr 02:00:00:00:a0:90 dev eth1 nud permanent
neigh add 192.168.1.91 lladdr 02:00:00:00:a0:91 dev eth1 nud permanent
neigh add 192.168.1.92 lladdr 02:00:00:00:a0:92 dev eth1 nud permanent
neigh add 192.168.1.93 lladdr 02:00:00:00:a0:93 dev eth1 nud permanent
neigh add 192.168.1.94 lladdr 02:00:00:00:a0:94 dev eth1 nud permanent
neigh add 192.168.1.95 lladdr 02:00:00:00:a0:95 dev eth1 nud permanent
neigh add 192.168.1.96 lladdr 02:00:00:00:a0:96 dev eth1 nud permanent
neigh add 192.168.1.97 lladdr 02:00:00:00:a0:97 dev eth1 nud permanent
neigh add 192.168.1.98 lladdr 02:00:00:00:a0:98 dev eth1 nud permanent
neigh add 192.168.1.99 lladdr 02:00:00:00:a0:99 dev eth1 nud permanent
neigh add 192.168.1.100 lladdr 02:00:00:00:a1:00 dev eth1 nud permanent
neigh add 192.168.1.101 lladdr 02:00:00:00:a1:01 dev eth1 nud permanent
neigh add 192.168.1.102 lladdr 02:00:00:00:a1:02 dev eth1 nud permanent
neigh add 192.168.1.103 lladdr 02:00:00:00:a1:03 dev eth1 nud permanent
neigh add 192.168.1.104 lladdr 02:00:00:00:a1:04 dev eth1 nud permanent
neigh add 192.168.1.105 lladdr 02:00:00:00:a1:05 dev eth1 nud permanent
neigh add 192.168.1.106 lladdr 02:00:00:00:a1:06 dev eth1 nud permanent
neigh add 192.168.1.107 lladdr 02:00:00:00:a1:07 dev eth1 nud permanent
neigh add 192.168.1.108 lladdr 02:00:00:00:a1:08 dev eth1 nud permanent
neigh add 192.168.1.109 lladdr 02:00:00:00:a1:09 dev eth1 nud permanent
neigh add 192.168.1.110 lladdr 02:00:00:00:a1:10 dev eth1 nud permanent
neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
route add 10.9.0.0/16 via 10.0.0.1
I
ipvsadm -R <<'R'
-A -t 10.0.0.100:80 -s mh -b mh-fallback
-a -t 10.0.0.100:80 -r 192.168.1.11:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.12:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.13:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.14:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.15:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.16:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.17:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.18:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.19:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.20:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.21:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.22:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.23:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.24:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.25:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.26:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.27:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.28:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.29:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.30:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.31:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.32:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.33:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.34:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.35:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.36:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.37:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.38:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.39:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.40:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.41:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.42:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.43:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.44:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.45:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.46:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.47:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.48:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.49:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.50:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.51:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.52:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.53:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.54:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.55:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.56:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.57:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.58:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.59:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.60:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.61:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.62:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.63:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.64:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.65:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.66:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.67:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.68:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.69:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.70:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.71:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.72:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.73:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.74:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.75:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.76:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.77:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.78:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.79:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.80:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.81:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.82:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.83:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.84:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.85:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.86:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.87:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.88:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.89:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.90:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.91:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.92:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.93:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.94:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.95:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.96:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.97:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.98:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.99:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.100:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.101:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.102:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.103:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.104:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.105:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.106:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.107:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.108:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.109:80 -g -w 1
-a -t 10.0.0.100:80 -r 192.168.1.110:80 -g -w 1
R
