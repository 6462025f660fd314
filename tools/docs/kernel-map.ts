/** docs/kernel-map.md: the kernel's functions and our counterparts. The data is in kernel-map/. */
import { AROUND } from './kernel-map/around.js';
import { IPVS, KERNEL_MAP } from './kernel-map/index.js';
import type { MapFile, MapRow, Place } from './kernel-map/parse.js';
import { type Block, code, type Document, heading, paragraph, type Row, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

export function kernelMapDocument(): Document {
  return markdown(
    'docs/kernel-map.md',
    'Kernel map',
    ['tools/docs/kernel-map/*.ts'],
    [
      paragraph(
        `This page is for readers who know the IPVS of the Linux kernel. It says which function of ulvs does the work of which
      kernel function. The kernel is Linux 6.1 (Debian 12). The map has all ${functionsOf(IPVS)} functions of
      \`net/netfilter/ipvs\`, and some around it. \`file: names\` is below [src](../src). A dash means that there is no
      counterpart; the note says why.`,
      ),
      paragraph(
        '`make test` checks that our files and names exist, and that the kernel names in comments of `src` are in this map. This compares the map with a kernel tree:',
      ),
      code('sh', 'make docs && node build/tools/docs/kernel-map/compare.js /usr/src/linux-source-6.1'),
      ...KERNEL_MAP.flatMap(fileBlocks),
    ],
  );
}

function functionsOf(files: readonly MapFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows.reduce((more, { kernel }) => more + kernel.length, 0), 0);
}

function fileBlocks(file: MapFile): Block[] {
  return [
    ...(file === AROUND[0] ? [heading(2, 'Around IPVS')] : []),
    heading(3, title(file)),
    paragraph(file.about),
    table(['kernel', 'ulvs', 'note'], file.rows.map(rowText)),
  ];
}

/** The name of a kernel file: for IPVS without its folder, for other files the whole path. */
function title({ file }: MapFile): string {
  return file.replace(/^net\/netfilter\/ipvs\//, '');
}

function rowText({ kernel, ours, note }: MapRow): Row {
  return [kernel.map((name) => `\`${name}\``).join(', '), ours.map(placeText).join('; ') || '–', note];
}

function placeText({ file, names }: Place): string {
  return `[${file}](../src/${file}): ${names.map((name) => `\`${name}\``).join(', ')}`;
}
