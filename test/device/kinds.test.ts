/**
 * The table of device kinds. All other files read it, none names a kind, and a row alone makes a
 * kind known everywhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AUTO,
  type DeviceKind,
  deviceChoices,
  findKind,
  forWorkers,
  isShared,
  KINDS,
  type KindRow,
  kindOf,
  kindsWith,
  mayHaveWorkers,
  PLAIN_KIND,
} from '../../src/device/kinds.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SRC = path.join(ROOT, 'src');
/** The commands import nearly all of src. */
const IMPORT_MS = 120_000;

describe('the table', () => {
  const rows: readonly KindRow[] = KINDS;

  it('has each name once, and none is auto', () => {
    expect(new Set([...rows.map(({ name }) => name), AUTO]).size).toBe(rows.length + 1);
  });

  it('lets auto choose among kinds of one sort, from the fastest down', () => {
    expect(kindsWith(({ auto }) => auto)).toEqual(['xdp', 'packet', 'cap']);
    expect(rows.filter(({ auto, shared }) => auto && !shared)).toEqual([]);
    expect([isShared(AUTO), isShared('cap'), isShared('tap')]).toEqual([true, true, false]);
  });

  it('has nothing exclusive that is not shared, and no worker where the main thread is needed', () => {
    expect(rows.filter(({ shared, exclusive }) => exclusive && !shared)).toEqual([]);
    expect(rows.filter(({ thread, workers }) => thread === 'main' && workers !== 'none')).toEqual([]);
  });

  it('says who can have several workers', () => {
    expect(forWorkers()).toEqual(['xdp', 'packet']);
    expect([AUTO, ...kindsWith()].filter((choice) => !mayHaveWorkers(choice as DeviceKind))).toEqual(['tap', 'cap']);
  });

  it('knows a plain kind that a user namespace can have', () => {
    expect(kindOf(PLAIN_KIND)).toMatchObject({ shared: true, needs: 'nothing', thread: 'worker' });
  });

  it('finds a row by any name', () => {
    expect(findKind('tap')).toBe(kindOf('tap'));
    expect(findKind('dpdk')).toBeUndefined();
  });
});

describe('other files', () => {
  /** Where the word means something else. */
  const OTHER_MEANINGS: Readonly<Record<string, string>> = {
    'device/intercept/rule.ts': 'a kind of intercept rule',
    'device/intercept/nft-text.ts': 'a kind of intercept rule',
    'device/xdp/reply-key.ts': 'a kind of intercept rule',
    'device/intercept/nft-sets.ts': 'a kind of intercept rule',
    'control/host/intercept-rules.ts': 'a kind of intercept rule',
    'control/host/rule-counts.ts': 'a kind of intercept rule',
    'control/mark/to-intercept.ts': 'a kind of intercept rule',
    'device/cap.ts': "the name of libpcap's package, and its event",
  };
  /** The table, and what the compiler holds against it. */
  const OWN = ['device/kinds.ts', 'device/open.ts', 'device/handle.ts'];

  it('name no kind', () => {
    const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const named = files
      .filter((file) => !OWN.includes(file) && !(file in OTHER_MEANINGS))
      .flatMap((file) => kindsIn(readFileSync(path.join(SRC, file), 'utf8')).map((line) => `${file}: ${line}`));
    expect(named).toEqual([]);
  });

  it('are seen when they do', () => {
    expect(kindsIn("if (device.kind === 'xdp') go();")).toHaveLength(1);
    expect(kindsIn("const KINDS = ['tap', 'cap'];")).toHaveLength(1);
    expect(kindsIn("// 'xdp'\n/* 'tap' */ const remedy = \"use kind 'packet'\"; readonly kind = 'xdp';")).toEqual([]);
  });

  /**
   * Lines of code with a kind's name as a literal; not comments, words for users, or a device that
   * says what it is.
   */
  function kindsIn(text: string): string[] {
    const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '');
    const others = code.replace(/(readonly kind = |use kind |counted\([\w.]+, )'\w+'/g, '');
    const literal = new RegExp(`'(${kindsWith().join('|')})'`);
    return others.split('\n').filter((line) => literal.test(line));
  }
});

describe('a made-up row', () => {
  const row = { ...kindOf('packet'), name: 'rocket', summary: 'frames by rocket' };

  beforeAll(() => void (KINDS as unknown as KindRow[]).push(row));
  afterAll(() => void (KINDS as unknown as KindRow[]).pop());

  it('is in the configuration', async () => {
    const { parseConfig } = await import('../../src/control/config/config.js');
    const text = 'devices: [{ name: eth0, kind: rocket }]\nrules: ""\n';
    expect(parseConfig(text, 'director.yaml').devices[0]!.kind).toBe('rocket');
    expect(() => parseConfig(text.replace('rocket', 'raket'), 'director.yaml')).toThrow(
      '"raket" is not one of xdp, packet, tap, cap, rocket, auto',
    );
  });

  it(
    'is a choice of each command, and in the help',
    async () => {
      const { runCommand } = await import('../../src/cli/commands/run.js');
      const { labCommand } = await import('../../src/cli/commands/lab.js');
      const { benchCommand } = await import('../../src/cli/commands/bench.js');
      expect(choicesOf(runCommand('0'))).toEqual(deviceChoices());
      expect(deviceChoices()).toContain('rocket');
      expect(choicesOf(sub(labCommand(), 'up'))).toContain('rocket');
      expect(choicesOf(sub(benchCommand(), 'flood'))).toContain('rocket');
      expect(helpOf(runCommand('0'))).toContain('rocket  frames by rocket');
    },
    IMPORT_MS,
  );
});

function sub(command: Command, name: string): Command {
  return command.commands.find((one) => one.name() === name)!;
}

function choicesOf(command: Command): readonly string[] | undefined {
  return command.options.find(({ long }) => long === '--device')?.argChoices;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
  return text;
}
