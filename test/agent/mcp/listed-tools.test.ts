/** Lists of tools as servers send them, and the names that the tools get. */
import assert from "node:assert/strict";
import test from "node:test";
import { nameTools, readToolList, type ListedTool } from "#agent/mcp/listed-tools";

const SCHEMA = { type: "object" };
const tool = (name: string): ListedTool => ({ name, description: "", parameters: SCHEMA });
const namesOf = (lists: Readonly<Record<string, readonly string[]>>) =>
  nameTools(new Map(Object.entries(lists).map(([server, names]) => [server, names.map(tool)])));

test("a bad tool is left out with a warning, and the others are offered", () => {
  const { tools, warnings, unsupported } = readToolList("s", [
    {
      name: "good",
      description: "d",
      inputSchema: { ...SCHEMA, required: ["a"] },
      annotations: { readOnlyHint: true },
    },
    { name: "plain", inputSchema: {} },
    { name: "task", inputSchema: SCHEMA, execution: { taskSupport: "required" } },
    null,
    "text",
    {},
    { name: "" },
    { name: 7, inputSchema: SCHEMA },
    { name: "none" },
    { name: "list", inputSchema: { type: "array" } },
    { name: "x".repeat(201), inputSchema: SCHEMA },
    { name: "good", description: "another", inputSchema: SCHEMA },
  ]);
  assert.deepEqual(tools, [
    { name: "good", description: "d", parameters: { type: "object", properties: {}, required: ["a"] } },
    { name: "plain", description: "", parameters: { type: "object", properties: {} } },
  ]);
  assert.deepEqual(unsupported, ["task"]);
  assert.equal(warnings.length, 9);
  assert.match(warnings.at(-1) ?? "", /lists the tool "good" twice; the first one is used/);
});

test("include wins over exclude, and a name that the server does not have is a warning", () => {
  const listed = ["read", "write", "drop"].map((name) => ({ name, inputSchema: SCHEMA }));
  const offered = (choice: Parameters<typeof readToolList>[2]) => {
    const { tools, warnings } = readToolList("s", listed, choice);
    return [tools.map(({ name }) => name), warnings];
  };
  assert.deepEqual(offered({ include: ["read", "drop"], exclude: ["drop", "nothing"] }), [["read", "drop"], []]);
  assert.deepEqual(offered({ exclude: ["drop"] }), [["read", "write"], []]);
  assert.deepEqual(offered({ include: [] }), [[], []]);
  assert.deepEqual(offered({ exclude: ["drp"] }), [
    ["read", "write", "drop"],
    ['mcp_servers.s.tools.exclude: the server has no tool "drp". Did you mean "drop"?'],
  ]);
});

test("too many tools are cut, with a warning that says what to do", () => {
  const listed = Array.from({ length: 1001 }, (_, index) => ({ name: `t${index}`, inputSchema: SCHEMA }));
  const { tools, warnings } = readToolList("s", listed);
  assert.equal(tools.length, 1000);
  assert.match(warnings.join(), /lists 1001 tools; only the first 1000 are used\. Choose some with tools\.include/);
});

test("of tools with one name the same one is offered, in whatever order they are listed", () => {
  for (const names of [
    ["get-x", "get.x", "get_x"],
    ["get_x", "get.x", "get-x"],
    ["get.x", "get_x", "get-x"],
  ]) {
    const { tools, warnings } = namesOf({ s: names });
    assert.deepEqual(
      tools.map(({ name, tool: { name: own } }) => [name, own]),
      [["mcp_s_get_x", "get_x"]],
    );
    assert.equal(warnings.length, 2);
    assert.match(
      warnings[0] ?? "",
      /"get_x" of "s" and "get-x" of "s" are both mcp_s_get_x; only the first is offered/,
    );
  }
  const { tools } = namesOf({ a_b: ["c"], a: ["b_c", "d"] });
  assert.deepEqual(
    tools.map(({ server, name }) => `${server} ${name}`),
    ["a_b mcp_a_b_c", "a mcp_a_d"],
  );
});
