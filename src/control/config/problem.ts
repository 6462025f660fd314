/** What is wrong with a configuration: collected, sorted by place, told one line each. */
import { type KeyPath, keyText, type Positions } from './position.js';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  /** `problems`: `director.yaml:12: routes[0].via: …`, one a line, in file order. */
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

export class Problems {
  private readonly found: { offset: number; text: string }[] = [];

  constructor(
    private readonly file: string,
    private readonly positions: Positions,
  ) {}

  /** A value at `path` that is wrong, or missing there. */
  add(path: KeyPath, text: string): void {
    this.put(this.positions.offset(path), path, text);
  }

  /** A key that should not be there. */
  addKey(path: KeyPath, text: string): void {
    this.put(this.positions.keyOffset(path), path, text);
  }

  /** At an offset into the text. */
  put(offset: number, path: KeyPath, text: string): void {
    const key = path.length === 0 ? '' : ` ${keyText(path)}:`;
    this.found.push({ offset, text: `${this.file}:${this.positions.lineAt(offset)}:${key} ${oneLine(text)}` });
  }

  get any(): boolean {
    return this.found.length > 0;
  }

  error(): ConfigError {
    return new ConfigError([...this.found].sort((a, b) => a.offset - b.offset).map(({ text }) => text));
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ');
}
