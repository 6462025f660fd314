/**
 * The kernel map names files and functions that exist, and has all kernel functions in comments of
 * src.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { allRows, IPVS, KERNEL_MAP } from '../../tools/docs/kernel-map/index.js';

const SRC = path.resolve(import.meta.dirname, '../../src');

/**
 * Kernel names that are not functions of Linux 6.1: modules, /proc files, structures, an older
 * name.
 */
const OTHER_NAMES = [
  ...['ip_vs', 'ip_vs_conn', 'ip_vs_conn_sync', 'ip_vs_stats', 'ip_vs_stats_percpu', 'ip_vs_app'],
  ...['ip_vs_dest_set', 'ip_vs_in'],
  ...['ip_vs_service_user', 'ip_vs_dest_user', 'ip_vs_stats_user', 'ip_vs_daemon_user', 'ip_vs_flags'],
  ...['ip_vs_get_services', 'ip_vs_get_dests', 'ip_vs_service_entry', 'ip_vs_dest_entry'],
];

/**
 * Whether `text` defines `name`: a function, class, constant, or a member of a class or interface.
 */
function defines(text: string, name: string): boolean {
  const declared = new RegExp(`^(export )?(async )?(function|class|const|let|interface) ${name}\\b`, 'm');
  const member = new RegExp(
    `^ {2,}((private|protected|static|override|readonly|async|get|set) )*${name}(\\(|<| = |: |\\?: )`,
    'm',
  );
  return declared.test(text) || member.test(text);
}

function missing(): string[] {
  return allRows().flatMap(({ kernel, ours }) =>
    ours.flatMap(({ file, names }) => {
      const whole = path.join(SRC, file);
      if (!existsSync(whole)) return [`${kernel[0]}: src/${file} does not exist`];
      const text = readFileSync(whole, 'utf8');
      return names.filter((name) => !defines(text, name)).map((name) => `${kernel[0]}: src/${file} has no ${name}`);
    }),
  );
}

/** Comments of a file, as one text. */
function commentsOf(text: string): string {
  return [...text.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)].map((match) => match[0]).join('\n');
}

function unmapped(): string[] {
  const known = new Set([
    ...allRows().flatMap(({ kernel }) => kernel),
    ...KERNEL_MAP.map(({ file }) => path.basename(file, '.c')),
    ...OTHER_NAMES,
  ]);
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const comments = commentsOf(readFileSync(path.join(SRC, file), 'utf8'));
      const names = comments.match(/\b_*ip_vs\w*/g) ?? [];
      return [...new Set(names)].filter((name) => !known.has(name)).map((name) => `src/${file}: ${name}`);
    });
}

describe('the kernel map', () => {
  it('names files and functions of ours that exist (tools/docs/kernel-map)', () => {
    expect(missing()).toEqual([]);
  });

  it('has every kernel function that a comment of src names', () => {
    expect(unmapped()).toEqual([]);
  });

  it('names a kernel function once in a file', () => {
    for (const { file, rows } of IPVS) {
      const names = rows.flatMap(({ kernel }) => kernel);
      expect(
        names.filter((name, i) => names.indexOf(name) !== i),
        file,
      ).toEqual([]);
    }
  });

  it('has the functions that matter most', () => {
    const names = allRows().flatMap(({ kernel }) => kernel);
    expect(names).toEqual(
      expect.arrayContaining(['ip_vs_in_hook', 'ip_vs_schedule', 'ip_vs_conn_new', 'ip_vs_nat_xmit']),
    );
    expect(names.length).toBeGreaterThan(500);
  });
});
