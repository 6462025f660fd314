/**
 * nftables by libnftables, in this process. A table with `flags owner` belongs to the netlink
 * socket that made it: no other process can change or flush it, and the kernel removes it when the
 * socket is closed, also when the process is killed. The command nft cannot do this, because it
 * ends.
 */
import koffi from 'koffi';
import { capabilitiesAmong } from './privileges.js';

interface Library {
  readonly open: (flags: number) => unknown;
  readonly free: (context: unknown) => void;
  readonly bufferErrors: (context: unknown) => number;
  readonly bufferOutput: (context: unknown) => number;
  readonly errors: (context: unknown) => string | null;
  readonly run: (context: unknown, commands: string) => number;
}

let loaded: Library | null | undefined;

/** The library; undefined: this machine does not have it. */
function library(): Library | undefined {
  loaded ??= load();
  return loaded ?? undefined;
}

function load(): Library | null {
  try {
    const lib = koffi.load('libnftables.so.1');
    return {
      open: lib.func('void* nft_ctx_new(uint32)'),
      free: lib.func('void nft_ctx_free(void*)'),
      bufferErrors: lib.func('int nft_ctx_buffer_error(void*)'),
      bufferOutput: lib.func('int nft_ctx_buffer_output(void*)'),
      errors: lib.func('str nft_ctx_get_error_buffer(void*)'),
      run: lib.func('int nft_run_cmd_from_buffer(void*, str)'),
    };
  } catch {
    return null; // the caller uses the command
  }
}

/**
 * A netlink socket that runs commands of nft(8). It belongs to the namespace of its first command.
 */
export class NftSocket {
  private context: unknown;

  /** This machine has libnftables. */
  static get isAvailable(): boolean {
    return library() !== undefined;
  }

  /** Runs lines as one transaction. Returns '', or nft's error in one line. */
  run(lines: readonly string[]): string {
    // The library writes on stderr itself when it may not open its netlink socket.
    if (capabilitiesAmong(['CAP_NET_ADMIN']).length === 0) return 'Operation not permitted';
    const lib = library()!;
    this.context ??= opened(lib);
    if (lib.run(this.context, `${lines.join('\n')}\n`) === 0) return '';
    const text = lib.errors(this.context)?.split('\n')[0] ?? '';
    return text.replace(/^.*?Error: /, '') || 'failed';
  }

  /** Closes the socket: the tables that it owns are gone. */
  close(): void {
    if (this.context !== undefined) library()!.free(this.context);
    this.context = undefined;
  }
}

function opened(lib: Library): unknown {
  const context = lib.open(0);
  lib.bufferErrors(context);
  lib.bufferOutput(context);
  return context;
}
