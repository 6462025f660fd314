/**
 * Tests the files of the recorded scenarios. They must be what the scenes write, and the text of
 * each frame must match its bytes.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { printFrame } from '../../src/wire/print.js';
import { schedulerScenes } from '../schedulers/scenarios/scenes.js';
import { save as saveSchedulerScene } from '../schedulers/scenarios/stage.js';
import { annotate, scenarioFiles } from '../support/annotate.js';
import { recordedScenarios, subjectOf } from '../support/recorded.js';
import { sceneOf } from './scenarios/random/wide.js';
import { scenes } from './scenarios/scenes.js';
import { save } from './scenarios/stage.js';

const TESTS = join(import.meta.dirname, '..');
const RECORDED = join(import.meta.dirname, 'recorded');
const dir = mkdtempSync(join(tmpdir(), 'ulvs-scenes-'));
afterAll(() => rmSync(dir, { recursive: true }));

const seeds = readdirSync(join(RECORDED, 'random')).map((name) => Number(name.slice('random-'.length)));
/** Scenarios that the script recorded/basic/mk.py writes. */
const SCRIPTED = ['dr-basic', 'fwmark-vipless', 'nat-basic'];

describe('scenes', () => {
  const writers = new Map<string, () => void>([
    ...scenes.map((scene) => [scene.name, () => save(dir, scene)] as const),
    ...schedulerScenes.map((scene) => [scene.name, () => saveSchedulerScene(dir, scene)] as const),
    ...seeds.map((seed) => [`random-${seed}`, () => save(dir, sceneOf(seed))] as const),
  ]);

  it('are all recorded, and nothing else is', () => {
    expect([...writers.keys(), ...SCRIPTED].sort()).toEqual([...recordedScenarios().keys()].sort());
  });

  it.each([...writers])('%s writes what is kept', (name, write) => {
    write();
    for (const file of ['frames.jsonl', 'setup.sh', 'director.yaml']) {
      const text = (root: string) => readFileSync(join(root, subjectOf(name), name, file), 'utf8');
      expect(text(dir), file).toBe(text(RECORDED));
    }
  });

  it('of random seeds are of both kinds', () => {
    expect(seeds.filter((seed) => seed >= 1000)).toHaveLength(7);
    expect(seeds.filter((seed) => seed < 1000)).toHaveLength(6);
  });
});

describe('recorded frames', () => {
  it('have words beside them that are right', () => {
    let frames = 0;
    for (const file of scenarioFiles(TESTS))
      for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
        const row = line === '' ? {} : (JSON.parse(line) as { hex?: string; is?: string });
        if (row.hex === undefined) continue;
        frames++;
        const place = `${relative(TESTS, file)}:${i + 1} (test/conformance/tools/run annotate mends it)`;
        expect(row.is, place).toBe(printFrame(Buffer.from(row.hex, 'hex')));
      }
    expect(frames).toBeGreaterThan(35_000);
  });

  it.each([
    [
      '{"t": 0, "if": "e", "hex": "02", "after": 3}',
      '{"t": 0, "if": "e", "hex": "02", "is": "[Ethernet header needs 14 bytes, has 1]", "after": 3}',
    ],
    ['{"t":2.5,"if":"e","hex":"02"}', '{"t":2.5,"if":"e","hex":"02","is":"[Ethernet header needs 14 bytes, has 1]"}'],
    [
      '{"t":0,"if":"e","hex":"02","is":"a \\"SYN\\"","after":3}',
      '{"t":0,"if":"e","hex":"02","is":"[Ethernet header needs 14 bytes, has 1]","after":3}',
    ],
    ['{"t":0,"cmd":"echo \'\\"hex\\":\\"02\\"\'"}', '{"t":0,"cmd":"echo \'\\"hex\\":\\"02\\"\'"}'],
    ['{"t":9,"end":1}\n\nwhatever', '{"t":9,"end":1}\n\nwhatever'],
  ])('get words: %s', (before, after) => {
    expect(annotate(before)).toBe(after);
    expect(annotate(after)).toBe(after);
  });
});
