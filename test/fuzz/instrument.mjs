// The fuzz build: bundles build/test/fuzz/run.js into one module in which each block of src marks its first execution.
// A block is a function's body, a branch, a loop's body, a case, an arm of ?: or the right side of && and ||.
// rollup -c test/fuzz/instrument.mjs
import path from 'node:path';

const ROOM = 1 << 17;
const BANNER = `const ulvsBlocks = globalThis.ulvsBlocks = { reached: new Uint8Array(${ROOM}), count: 0, files: {} };
const reachedBlock = (n) => { ulvsBlocks.reached[n] = 1; ulvsBlocks.count++; return 1; };
const blockMap = ulvsBlocks.reached;`;
let blocks = 0;

const mark = () => {
  const n = blocks++;
  if (n >= ROOM) throw new Error(`more than ${ROOM} blocks: raise ROOM in test/fuzz/instrument.mjs`);
  return `blockMap[${n}]||reachedBlock(${n})`;
};

class Marks {
  opens = [];
  closes = [];
  statement(at) { this.opens.push([at, `${mark()};`]); }
  wrap(node, open, close) { this.opens.push([node.start, open]); this.closes.unshift([node.end, close]); }
  expression(node) { this.wrap(node, `(${mark()},`, ')'); }
  body(node) {
    if (node.type === 'BlockStatement') this.statement(node.start + 1);
    else this.wrap(node, `{${mark()};`, '}');
  }
  visit(node) {
    switch (node.type) {
      case 'FunctionDeclaration': case 'FunctionExpression': this.body(node.body); break;
      case 'ArrowFunctionExpression':
        if (node.body.type === 'BlockStatement') this.body(node.body); else this.expression(node.body);
        break;
      case 'IfStatement': this.body(node.consequent); if (node.alternate) this.body(node.alternate); break;
      case 'ForStatement': case 'ForOfStatement': case 'ForInStatement': case 'WhileStatement': case 'DoWhileStatement':
        this.body(node.body); break;
      case 'SwitchCase': if (node.consequent[0]) this.statement(node.consequent[0].start); break;
      case 'ConditionalExpression': this.expression(node.consequent); this.expression(node.alternate); break;
      case 'LogicalExpression': this.expression(node.right); break;
      case 'CatchClause': this.statement(node.body.start + 1); break;
    }
    for (const [key, child] of Object.entries(node))
      if (key !== 'type') for (const one of Array.isArray(child) ? child : [child]) if (one?.type) this.visit(one);
  }
  apply(code) {
    // At one place: what ends there before what begins there; inner ends first, outer begins first.
    const sorted = [...this.closes.map(([at, text]) => [at, 0, text]), ...this.opens.map(([at, text]) => [at, 1, text])];
    sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let [out, from] = ['', 0];
    for (const [at, , text] of sorted) { out += code.slice(from, at) + text; from = at; }
    return out + code.slice(from);
  }
}

const instrument = {
  name: 'blocks',
  transform(code, id) {
    const file = path.relative('build/src', id);
    if (file.startsWith('..') || !id.endsWith('.js')) return null;
    const marks = new Marks();
    const first = blocks;
    marks.visit(this.parse(code));
    if (blocks === first) return null;
    const name = JSON.stringify(file.replace(/\.js$/, '.ts'));
    return { code: `${marks.apply(code)}\nulvsBlocks.files[${name}] = [${first}, ${blocks - first}];\n`, map: null };
  },
};

export default {
  input: 'build/test/fuzz/run.js',
  output: { file: 'build/test/fuzz/run.js', banner: BANNER, inlineDynamicImports: true },
  plugins: [instrument],
  treeshake: false,
  external: (id) => !id.startsWith('.') && !path.isAbsolute(id),
  onwarn() {},
};
