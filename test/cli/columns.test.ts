/** Lists in columns, at the width of a terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { columns, fittedColumns } from "#cli/columns";

const ROWS = [
  ["/compact [TEXT]", "summarize the older messages of this session"],
  ["/help", "show this help"],
];

test("the last column is broken between words and stays in its place; with little room it is below", () => {
  assert.deepEqual(fittedColumns(ROWS, 80), columns(ROWS));
  assert.deepEqual(fittedColumns(ROWS, Number.POSITIVE_INFINITY), columns(ROWS));
  assert.deepEqual(fittedColumns(ROWS, 45), [
    "/compact [TEXT]  summarize the older messages",
    "                 of this session",
    "/help            show this help",
  ]);
  assert.deepEqual(fittedColumns(ROWS, 30), [
    "/compact [TEXT]",
    "    summarize the older",
    "    messages of this session",
    "/help",
    "    show this help",
  ]);
});
