/** Where the kernel cannot forward, the director says so in one line and has no offload. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { DeviceSetup } from '../../../src/control/engine/messages.js';
import { openFlows } from '../../../src/control/engine/open-flows.js';
import type { DeviceKind } from '../../../src/device/kinds.js';
import { isRoot } from '../../support/netns.js';

const INHERITED = { state: undefined, connections: false };

function open(kind: DeviceKind): { lines: string[]; isOpen: boolean } {
  const lines: string[] = [];
  const flows = openFlows({ offload: 'auto', workers: 1 }, [{ kind } as DeviceSetup], INHERITED, (line) =>
    lines.push(line),
  );
  flows?.close();
  return { lines, isOpen: flows !== undefined };
}

/** The same in a process without these capabilities. */
function openWithout(capabilities: readonly string[], kind: DeviceKind): { lines: string[]; isOpen: boolean } {
  const dropped = capabilities.map((name) => `-${name}`).join();
  const script = `
    import { openFlows } from './dist/control/engine/open-flows.js';
    const lines = [];
    const flows = openFlows({ offload: 'auto', workers: 1 }, [{ kind: '${kind}' }], ${JSON.stringify(INHERITED)}, (line) => lines.push(line));
    console.log(JSON.stringify({ lines, isOpen: flows !== undefined }));`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  return JSON.parse(
    execFileSync('setpriv', [`--bounding-set=${dropped}`, `--inh-caps=${dropped}`, ...node], { encoding: 'utf8' }),
  );
}

describe.skipIf(!isRoot)('the flow table', () => {
  it.each(['xdp', 'packet'] as const)('is opened for devices of kind %s', (kind) => {
    expect(open(kind)).toEqual({ lines: [], isOpen: true });
  });

  it('is not opened for devices of other kinds', () => {
    expect(open('tap')).toEqual({ lines: [], isOpen: false });
  });

  it('is not opened where the verifier refuses the program', () => {
    const { lines, isOpen } = openWithout(['sys_admin', 'perfmon'], 'xdp');
    expect(lines).toEqual([expect.stringMatching(/^no offload: this kernel refuses the XDP program \(EACCES\)$/)]);
    expect(isOpen).toBe(false);
  });

  it('is not opened where maps are refused', () => {
    const { lines, isOpen } = openWithout(['sys_admin', 'perfmon', 'bpf', 'net_admin'], 'packet');
    expect(lines).toEqual([expect.stringMatching(/^no offload/)]);
    expect(isOpen).toBe(false);
  });
});
