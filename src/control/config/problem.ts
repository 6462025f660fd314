/** Mistakes in a configuration: collected, sorted by place, one line each. */
import { ConfigError } from './config-error.js';
import { type KeyPath, keyText, type Positions } from './position.js';

/** The mistakes of one file. */
export class Problems {
  private readonly found: { offset: number; text: string }[] = [];

  constructor(
    private readonly file: string,
    private readonly positions: Positions,
  ) {}

  /** Adds a mistake in the value at `path`, which may be missing. */
  add(path: KeyPath, text: string): void {
    this.put(this.positions.offset(path), path, text);
  }

  /** Adds a mistake about the key at `path`. */
  addKey(path: KeyPath, text: string): void {
    this.put(this.positions.keyOffset(path), path, text);
  }

  /** Adds a mistake at an offset of the text. */
  put(offset: number, path: KeyPath, text: string): void {
    const key = path.length === 0 ? '' : ` ${keyText(path)}:`;
    this.found.push({ offset, text: `${this.file}:${this.positions.lineAt(offset)}:${key} ${oneLine(text)}` });
  }

  get any(): boolean {
    return this.found.length > 0;
  }

  /** All mistakes as one error. */
  error(): ConfigError {
    return new ConfigError([...this.found].sort((a, b) => a.offset - b.offset).map(({ text }) => text));
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ');
}
