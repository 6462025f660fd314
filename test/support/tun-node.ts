/**
 * Words of a command line that run the rest of it with a /dev/net/tun of this mode, in a mount
 * namespace of their own: udev makes it 666, a container may leave it 600. Needs root.
 */
export function withTunNode(mode: '600' | '666'): string[] {
  const mount = `f=$(mktemp -u) && mknod -m ${mode} $f c 10 200 && mount --bind $f /dev/net/tun && rm $f && exec "$@"`;
  return ['unshare', '-m', 'sh', '-c', mount, 'sh'];
}
