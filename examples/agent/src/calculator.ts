const LONGEST = 200; // bounds the recursion, too

const names: Record<string, number> = { pi: Math.PI, e: Math.E };
const functions: Record<string, (...values: number[]) => number> = {
  abs: Math.abs, ceil: Math.ceil, cos: Math.cos, exp: Math.exp, floor: Math.floor, ln: Math.log, log10: Math.log10,
  max: Math.max, min: Math.min, round: Math.round, sin: Math.sin, sqrt: Math.sqrt, tan: Math.tan,
};

/** The value of an expression such as `2 * (3 + 4) ^ 2`. Workers refuse eval, and a model's text should not reach it anyway. */
export function calculate(expression: string): number {
  if (expression.length > LONGEST) {
    throw new Error(`An expression has at most ${LONGEST} characters.`);
  }
  const tokens = expression.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]\w*|\S/gi) ?? [];
  let at = 0;

  const value = sum();
  if (at < tokens.length) {
    throw new Error(`Did not expect "${tokens[at]}".`);
  }
  if (!Number.isFinite(value)) {
    throw new Error("The result is not a finite number.");
  }
  return value;

  function sum(): number {
    let left = product();
    for (;;) {
      if (take("+")) left += product();
      else if (take("-")) left -= product();
      else return left;
    }
  }

  function product(): number {
    let left = signed();
    for (;;) {
      if (take("*")) left *= signed();
      else if (take("/")) left /= signed();
      else if (take("%")) left %= signed();
      else return left;
    }
  }

  // -2 ^ 2 is -(2 ^ 2), and 2 ^ -1 is fine.
  function signed(): number {
    if (take("-")) return -signed();
    if (take("+")) return signed();
    const base = single();
    return take("^") ? base ** signed() : base;
  }

  function single(): number {
    const token = tokens[at++];
    if (token === undefined) {
      throw new Error("The expression ends too early.");
    }
    if (token === "(") {
      const inner = sum();
      expect(")");
      return inner;
    }
    if (/^[\d.]/.test(token)) {
      return Number(token);
    }
    const name = token.toLowerCase();
    if (Object.hasOwn(functions, name)) {
      expect("(");
      const values = [sum()];
      while (take(",")) values.push(sum());
      expect(")");
      return functions[name]!(...values);
    }
    if (Object.hasOwn(names, name)) {
      return names[name]!;
    }
    throw new Error(`Did not expect "${token}".`);
  }

  function take(token: string): boolean {
    const found = tokens[at] === token;
    if (found) at++;
    return found;
  }

  function expect(token: string): void {
    if (!take(token)) {
      throw new Error(`Expected "${token}", found "${tokens[at] ?? "the end"}".`);
    }
  }
}
