/** The log's output never waits and never throws, whatever becomes of the descriptor. */
import { expect, it } from 'vitest';
import { type LogOutput, LogSink } from '../../src/cli/log-sink.js';

/** An output that takes lines, has no room, or fails; `all`: what was written. */
function output() {
  const state = { all: '', room: true, error: '', most: Number.POSITIVE_INFINITY };
  const it: LogOutput = {
    hasRoom: () => state.room,
    write: (bytes) => {
      if (state.error !== '') throw new Error(state.error);
      const part = bytes.subarray(0, state.most);
      state.all += part.toString();
      return part.length;
    },
  };
  return { state, sink: new LogSink(it, (count) => `lost ${count}\n`) };
}

it('writes lines in order, and those that found no room when there is room again', () => {
  const { state, sink } = output();
  sink.write('a\n');
  state.room = false;
  sink.write('b\n');
  sink.write('c\n');
  expect(state.all).toBe('a\n');
  state.room = true;
  sink.write('d\n');
  expect(state.all).toBe('a\nb\nc\nd\n');
});

it.each(['ENOSPC', 'EPIPE', 'EAGAIN', 'EIO'])('%s: counts what is lost and says it once', (error) => {
  const { state, sink } = output();
  state.error = error;
  for (let i = 0; i < 5; i++) sink.write(`${i}\n`);
  expect(state.all).toBe('');
  state.error = '';
  sink.write('x\n');
  expect(state.all).toBe('lost 5\nx\n');
});

it('a reader that stands still costs 64 KiB, and the rest is counted', () => {
  const { state, sink } = output();
  state.room = false;
  const line = `${'y'.repeat(99)}\n`;
  for (let i = 0; i < 10_000; i++) sink.write(line);
  state.room = true;
  sink.drain();
  sink.write('x\n');
  expect(state.all).toBe(`${line.repeat(655)}lost ${10_000 - 655}\nx\n`);
});

it('ends a line of which the disk took a part, and cuts a line of more than 4096 bytes', () => {
  const { state, sink } = output();
  state.most = 3;
  sink.write('abcdef\n');
  state.most = Number.POSITIVE_INFINITY;
  sink.write('x\n');
  expect(state.all).toBe('abc\nlost 1\nx\n');
  sink.write(`${'z'.repeat(10_000)}\n`);
  expect(state.all.split('\n').at(-2)).toHaveLength(4095);
});
