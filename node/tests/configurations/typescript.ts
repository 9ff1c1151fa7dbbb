import { match, strictEqual } from "node:assert";
import { kind, type Kind } from "kinds.ts";

interface Answer {
  kind: Kind;
  times?: number;
}

const answer = (times?: number): Answer => ({ kind, times }) as Answer;

export const types = {
  test(): void {
    strictEqual(answer(2).kind, "b");
    strictEqual(answer(2).times! + 1, 3);
  },
};

export const names = {
  test(): void {
    strictEqual(import.meta.url, "file:///bundle/main.ts");
  },
};

export const places = {
  test(): void {
    match(new Error("here").stack!, /main\.ts:26:11/);
  },
};
