/** The terminal of `ulvs top`: terminal-kit's screen buffer, which sends only what has changed. */
import termkit from 'terminal-kit';
import type { Place } from './mouse.js';
import type { Line, Style } from './view.js';

/** What the user does. */
export interface Input {
  key(name: string): void;
  click(place: Place): void;
  wheel(up: boolean): void;
  resized(): void;
}

type Attributes = termkit.ScreenBuffer.Attributes;

const ATTRIBUTES: Readonly<Record<Style, Attributes>> = {
  plain: {},
  head: { bold: true },
  good: { color: 'green' },
  bad: { color: 'red', bold: true },
  warn: { color: 'yellow' },
  dim: { color: 'gray' },
  title: { color: 'cyan', bold: true },
  heading: { color: 'black', bgColor: 'green' },
  selected: { color: 'black', bgColor: 'cyan' },
  tab: { color: 'white', bgColor: 'blue' },
  current: { color: 'black', bgColor: 'white' },
};

/** The whole terminal, from `new` to `close`. */
export class Terminal {
  private readonly term = termkit.terminal;
  private buffer = this.newBuffer();

  constructor(input: Input) {
    const { term } = this;
    term.fullscreen(true);
    term.hideCursor();
    term.grabInput({ mouse: 'button' });
    term.on('key', (name: string) => input.key(name));
    term.on('mouse', (name: string, { x, y }: { x: number; y: number }) => {
      if (name === 'MOUSE_LEFT_BUTTON_PRESSED') input.click({ x: x - 1, y: y - 1 });
      else if (name.startsWith('MOUSE_WHEEL')) input.wheel(name === 'MOUSE_WHEEL_UP');
    });
    term.on('resize', () => {
      this.buffer = this.newBuffer();
      input.resized();
    });
  }

  get size(): { width: number; height: number } {
    return { width: this.term.width, height: this.term.height };
  }

  draw(lines: readonly Line[]): void {
    const { buffer } = this;
    buffer.fill({ char: ' ', attr: {} });
    for (const [y, line] of lines.entries()) {
      let x = 0;
      for (const { text, style } of line) {
        buffer.put({ x, y, attr: ATTRIBUTES[style], wrap: false, dx: 1, dy: 0 }, '%s', text);
        x += text.length;
      }
    }
    buffer.draw({ delta: true });
  }

  /** The terminal is as it was before. */
  close(): void {
    const { term } = this;
    term.grabInput(false);
    term.hideCursor(false);
    term.styleReset();
    term.fullscreen(false);
  }

  private newBuffer(): termkit.ScreenBuffer {
    return new termkit.ScreenBuffer({ dst: this.term, noFill: true });
  }
}
