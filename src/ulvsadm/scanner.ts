/**
 * Reads options the way popt 1.19 does, on which ipvsadm's grammar rests: long names whole and exact, short ones
 * combined (`-Lnc`) with their argument attached (`-p360`, `-p=360`) or next; an optional argument is the next word unless
 * that starts with a dash; words that are no options are kept for later; after `--` all are.
 */
export interface Option {
  readonly id: string;
  readonly long: string;
  readonly short?: string;
  readonly argument: 'none' | 'required' | 'optional';
}

export interface Found {
  readonly option: Option;
  /** Undefined where there is none. */
  readonly argument: string | undefined;
}

export type ScanError = 'unknown option' | 'missing argument' | 'option does not take an argument';

export class Scanner {
  readonly leftovers: string[] = [];
  error: ScanError | undefined;
  private next = 0;
  /** Short options of the current word not read yet. */
  private shorts = '';
  private onlyWords = false;

  constructor(
    private readonly argv: readonly string[],
    private readonly options: readonly Option[],
  ) {}

  /** The word last read, as it was given: what error messages name. */
  get word(): string {
    return this.argv[this.next - 1] ?? '';
  }

  /** The next option; undefined at the end or when `error` is set. */
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
    return this.finish(
      this.options.find((option) => option.long === name),
      attached,
    );
  }

  private readShort(): Found | undefined {
    const letter = this.shorts[0];
    const option = this.options.find((one) => one.short === letter);
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
