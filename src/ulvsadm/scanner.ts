/**
 * Reads options as popt 1.19 does, on which ipvsadm's grammar rests. Long names must be complete.
 * Short options may be combined (`-Lnc`); their argument is attached (`-p360`, `-p=360`) or the
 * next word. An optional argument is the next word unless that begins with a dash. Words that are
 * not options are kept for later; after `--` all words are.
 */
export interface Option {
  readonly id: string;
  readonly long: string;
  readonly short?: string;
  readonly argument: 'none' | 'required' | 'optional';
}

export interface Found {
  readonly option: Option;
  /** Undefined if the option has none. */
  readonly argument: string | undefined;
}

export type ScanError = 'unknown option' | 'missing argument' | 'option does not take an argument';

/** Options by their names. Of two of one name the first counts. */
export class Spellings {
  readonly long = new Map<string, Option>();
  readonly short = new Map<string, Option>();

  constructor(options: readonly Option[]) {
    for (const option of [...options].reverse()) {
      this.long.set(option.long, option);
      if (option.short !== undefined) this.short.set(option.short, option);
    }
  }
}

export class Scanner {
  readonly leftovers: string[] = [];
  error: ScanError | undefined;
  private next = 0;
  /** The short options of the current word that are still to be read. */
  private shorts = '';
  private onlyWords = false;

  constructor(
    private readonly argv: readonly string[],
    private readonly options: Spellings,
  ) {}

  /** The last word that was read, unchanged; error messages name it. */
  get word(): string {
    return this.argv[this.next - 1] ?? '';
  }

  /** Returns the next option; undefined at the end or if `error` is set. */
  read(): Found | undefined {
    while (this.shorts === '') {
      const word = this.argv[this.next++];
      if (word === undefined) return undefined;
      if (this.onlyWords || !word.startsWith('-') || word === '-') this.leftovers.push(word);
      else if (word === '--') this.onlyWords = true;
      else if (word.startsWith('--')) return this.readLong(word.slice(2));
      else this.shorts = word.slice(1);
    }
    return this.readShort();
  }

  private readLong(text: string): Found | undefined {
    const cut = text.indexOf('=');
    const name = cut < 0 ? text : text.slice(0, cut);
    const attached = cut < 0 ? undefined : text.slice(cut + 1);
    return this.finish(this.options.long.get(name), attached);
  }

  private readShort(): Found | undefined {
    const option = this.options.short.get(this.shorts[0]!);
    const rest = this.shorts.slice(1);
    this.shorts = '';
    if (option?.argument === 'none') {
      if (rest.startsWith('=')) return this.fail('option does not take an argument');
      this.shorts = rest;
      return { option, argument: undefined };
    }
    const attached = rest.startsWith('=') ? rest.slice(1) : rest;
    return this.finish(option, rest === '' ? undefined : attached);
  }

  private finish(option: Option | undefined, attached: string | undefined): Found | undefined {
    if (!option) return this.fail('unknown option');
    if (option.argument === 'none') {
      return attached === undefined ? { option, argument: undefined } : this.fail('option does not take an argument');
    }
    const argument = attached ?? this.nextWord(option.argument === 'optional');
    if (argument === undefined && option.argument === 'required') return this.fail('missing argument');
    return { option, argument };
  }

  private nextWord(optional: boolean): string | undefined {
    const word = this.argv[this.next];
    if (word === undefined || (optional && word.startsWith('-'))) return undefined;
    this.next++;
    return word;
  }

  private fail(error: ScanError): undefined {
    this.error = error;
    return undefined;
  }
}
