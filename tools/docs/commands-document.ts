/** docs/commands.md and the manual pages ulvs(8) and ulvsadm(8). */
import { type CommandPage, commandPages, commonBlocks } from './commands.js';
import { type Block, bullets, code, type Document, heading, paragraph } from './text/blocks.js';
import { manual } from './text/man.js';
import { markdown } from './text/markdown.js';
import { ULVSADM_EXAMPLES, ULVSADM_INTRODUCTION, type UlvsadmPages, ulvsadmPages } from './ulvsadm.js';

const ULVS_SOURCES = ['src/cli/program.ts', 'src/cli/commands/*.ts', 'src/cli/manual/*.ts'];
const ULVSADM_SOURCES = ['src/ulvsadm/help.ts', 'src/ulvsadm/options.ts'];

export async function commandDocuments(version: string): Promise<Document[]> {
  const pages = await commandPages(version);
  return [commandsDocument(pages), ulvsPage(pages, version), ulvsadmPage(version)];
}

function commandsDocument(pages: readonly CommandPage[]): Document {
  const list = pages.map(({ name, description }) => `[\`${name}\`](#${anchor(name)}): ${description}`);
  return markdown(
    'docs/commands.md',
    'Commands',
    [...ULVS_SOURCES, ...ULVSADM_SOURCES],
    [
      paragraph(
        '`ulvs` is one command with subcommands; `ulvsadm` has the grammar of ipvsadm. Each says the same with `--help`; `man ulvs` and `man ulvsadm` do, too.',
      ),
      bullets([...list, '[`ulvsadm`](#ulvsadm): Change and list the rules of a running director.']),
      ...commonBlocks(),
      ...pages.flatMap((page) => [heading(2, page.name), ...pageBlocks(page)]),
      heading(2, 'ulvsadm'),
      ...ULVSADM_INTRODUCTION,
      ...ulvsadmBlocks(ulvsadmPages(3), 3),
    ],
  );
}

/** The anchor that GitHub gives to a heading. */
function anchor(name: string): string {
  return name.replaceAll(' ', '-');
}

function pageBlocks({ description, usage, blocks }: CommandPage): Block[] {
  return [paragraph(description), code('sh', usage), ...blocks];
}

function ulvsadmBlocks(pages: UlvsadmPages, level: 2 | 3): Block[] {
  return [
    code('sh', pages.usage),
    ...pages.options,
    heading(level, 'Which option goes with which command'),
    pages.legal,
    heading(level, 'Exit codes of ulvsadm'),
    pages.exit,
    heading(level, 'Files of ulvsadm'),
    pages.files,
    heading(level, 'Examples of ulvsadm'),
    ULVSADM_EXAMPLES,
  ];
}

function ulvsPage(pages: readonly CommandPage[], version: string): Document {
  return manual({
    name: 'ulvs',
    section: 8,
    purpose: 'a Linux Virtual Server director in user space',
    version,
    sources: ULVS_SOURCES,
    blocks: [
      heading(2, 'Synopsis'),
      code('', pages.map(({ usage }) => usage).join('\n')),
      heading(2, 'Description'),
      paragraph(
        'ulvs forwards connections to real servers as the IPVS of the Linux kernel does: by LVS-NAT, LVS-DR, LVS-Tun and full NAT, for addresses and for fwmarks. It is an ordinary process that takes frames from network devices.',
      ),
      paragraph(
        '`ulvs run` is the director. The other commands ask a running director, replay captures, build labs and measure.',
      ),
      ...pages.flatMap((page) => [heading(3, page.name), ...pageBlocks(page)]),
      ...commonBlocks(),
      heading(2, 'See also'),
      paragraph('**ulvsadm**(8), **director.yaml**(5), **ipvsadm**(8), **nft**(8), **ip**(8)'),
    ],
  });
}

function ulvsadmPage(version: string): Document {
  const pages = ulvsadmPages(3);
  return manual({
    name: 'ulvsadm',
    section: 8,
    purpose: 'change and list the rules of a running ulvs director',
    version,
    sources: ULVSADM_SOURCES,
    blocks: [
      heading(2, 'Synopsis'),
      code('', pages.usage),
      heading(2, 'Description'),
      ...ULVSADM_INTRODUCTION,
      ...pages.options,
      heading(3, 'Which option goes with which command'),
      pages.legal,
      heading(2, 'Exit status'),
      pages.exit,
      heading(2, 'Environment'),
      paragraph('`ULVS_SOCKET` names the control socket. `--socket` goes before it.'),
      heading(2, 'Files'),
      pages.files,
      heading(2, 'Examples'),
      ULVSADM_EXAMPLES,
      heading(2, 'See also'),
      paragraph('**ulvs**(8), **director.yaml**(5), **ipvsadm**(8)'),
    ],
  });
}
