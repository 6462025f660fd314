/** Ends a program of this folder with one line that says what is wrong. */
export function refuse(line: string): never {
  console.error(line);
  process.exit(2);
}
