/** What loosens a guard: every row of the table, with changes that do and changes that do not. */
import test from "node:test";
import assert from "node:assert/strict";
import { findLoosenings, LOOSENINGS } from "#cli/guards/loosenings";
import type { GuardState, HookBounds, PluginGuard, ShellGuard } from "#core/ports/guards";

const SHELL: ShellGuard = {
  event: "pre_tool_call",
  label: "the gate",
  command: "guard.sh",
  matcher: "terminal",
  timeoutSeconds: 60,
  failClosed: true,
  terms: { protocol: "hermes", env: ["A"] },
  missingScript: null,
};
const PLUGIN: PluginGuard = {
  directory: "p",
  name: "plug",
  event: "pre_tool_call",
  blocks: true,
  timeoutSeconds: 30,
};
const HOOK: HookBounds = {
  directory: "h",
  name: "hook",
  isolation: "isolate",
  allow: { fetch: ["a.example"], env: ["LANG"], kv: false },
};
const STATE: GuardState = {
  consent: "pinned",
  autoAccept: false,
  walls: { tools: "guard", hooks: "off", inbound: { write: ["/tmp"] } },
  shell: [SHELL],
  plugins: [PLUGIN],
  gatewayHooks: [HOOK],
  untrusted: ["u", "none"],
  grants: { u: { fetch: ["a.example"], env: [], kv: false } },
};

type Change = Partial<GuardState>;
const shell = (...guards: readonly Partial<ShellGuard>[]): Change => ({
  shell: guards.map((one) => ({ ...SHELL, ...one })),
});
const plugins = (...guards: readonly Partial<PluginGuard>[]): Change => ({
  plugins: guards.map((one) => ({ ...PLUGIN, ...one })),
});
const hooks = (...bounds: readonly Partial<HookBounds>[]): Change => ({
  gatewayHooks: bounds.map((one) => ({ ...HOOK, ...one })),
});
const walls = (changed: Partial<GuardState["walls"]>): Change => ({ walls: { ...STATE.walls, ...changed } });
const allow = (changed: Partial<HookBounds["allow"]>) => hooks({ allow: { ...HOOK.allow, ...changed } });

interface Cases {
  /** What is said, by change. */
  readonly loosens: readonly (readonly [Change, RegExp])[];
  readonly keeps: readonly Change[];
}

const grants = (changed: Partial<HookBounds["allow"]>): Change => ({
  grants: { u: { ...STATE.grants["u"]!, ...changed } },
});

const CASES: Readonly<Record<keyof typeof LOOSENINGS, Cases>> = {
  consent: {
    loosens: [[{ consent: "command" }, /^hooks_consent is no longer pinned$/]],
    keeps: [{ consent: "pinned" }],
  },
  autoAccept: {
    loosens: [[{ autoAccept: true }, /^hooks_auto_accept is switched on$/]],
    keeps: [{ autoAccept: false }],
  },
  walls: {
    loosens: [
      [walls({ tools: "off" }), /^sandbox\.tools becomes off$/],
      [walls({ tools: "auto" }), /^sandbox\.tools becomes auto$/],
      [walls({ inbound: { write: ["/"] } }), /^sandbox\.inbound becomes another mapping$/],
      [walls({ inbound: "guard" }), /^sandbox\.inbound becomes guard$/],
    ],
    keeps: [walls({ tools: "read-only" }), walls({ hooks: "guard" }), walls({ inbound: "read-only" })],
  },
  shell: {
    loosens: [
      [shell(), /^the gate is removed, disabled or replaced$/],
      [shell({ command: "other.sh" }), /replaced$/],
      [shell({ event: "pre_gateway_dispatch" }), /replaced$/],
      [shell({ terms: { protocol: "claude", env: ["A"] } }), /replaced$/],
      [shell({ matcher: "write_file" }), /^the gate has another matcher$/],
      [shell({ matcher: null }), /another matcher$/],
      [shell({ timeoutSeconds: 59 }), /^the gate gets less time \(59 s\)$/],
      [shell({ failClosed: false }), /^the gate is no longer fail_closed$/],
      [shell({ missingScript: "/x/guard.sh" }), /^the gate has lost its script \(\/x\/guard\.sh\)$/],
      [shell({ failClosed: false, timeoutSeconds: 1 }), /less time.*no longer fail_closed/],
      // The nearest of several entries is the one it is compared with.
      [shell({ matcher: "x", failClosed: false }, { timeoutSeconds: 9 }), /^the gate gets less time \(9 s\)$/],
    ],
    keeps: [
      shell({ timeoutSeconds: 300 }),
      shell({ label: "another label" }),
      shell({ command: "more.sh" }, {}),
      shell({ failClosed: false }, {}),
    ],
  },
  plugins: {
    loosens: [
      [plugins(), /^plugin "plug" no longer guards pre_tool_call$/],
      [plugins({ directory: "other" }), /no longer guards/],
      [plugins({ event: "pre_gateway_dispatch" }), /no longer guards/],
      [plugins({ blocks: false }), /^plugin "plug" is no longer "on_error: block"$/],
      [plugins({ timeoutSeconds: 1 }), /^plugin "plug" gets less time \(1 s\)$/],
    ],
    keeps: [plugins({ name: "renamed" }), plugins({ timeoutSeconds: 31 }), plugins({ blocks: false }, {})],
  },
  gatewayHooks: {
    loosens: [
      [hooks({ isolation: "worker" }), /^the isolated gateway hook "hook" asks for isolation: worker$/],
      [hooks({ isolation: "worker", directory: "a" }), /isolation: worker$/],
      [
        allow({ fetch: ["a.example", "b.example"] }),
        /^the isolated gateway hook "hook" asks for more: fetch b\.example$/,
      ],
      [allow({ env: ["LANG", "HOME"], kv: true }), /asks for more: env HOME, kv$/],
    ],
    keeps: [
      hooks(),
      allow({ fetch: [], env: [] }),
      hooks({}, { directory: "new", name: "new", isolation: "worker" }),
      hooks({ name: "renamed" }),
    ],
  },
  untrusted: {
    loosens: [
      [{ untrusted: ["none"] }, /^gateway\.hooks\.untrusted no longer names u$/],
      [
        grants({ fetch: ["a.example", "b.example"], kv: true }),
        /^gateway\.hooks\.grants\.u grants more: fetch b\.example, kv$/,
      ],
      [
        { grants: { ...STATE.grants, none: { fetch: [], env: ["A"], kv: false } } },
        /^gateway\.hooks\.grants\.none grants more: env A$/,
      ],
    ],
    keeps: [
      { untrusted: ["u", "none", "more"] },
      grants({ fetch: [] }),
      { grants: {} },
      { grants: { ...STATE.grants, trusted: { fetch: [], env: [], kv: true } } },
    ],
  },
};

for (const [kind, { loosens, keeps }] of Object.entries(CASES)) {
  test(`${kind}: what loosens it is named`, () => {
    for (const [change, expected] of loosens) {
      const found = findLoosenings(STATE, { ...STATE, ...change });
      assert.match(found.join("; "), expected, JSON.stringify(change));
    }
  });

  test(`${kind}: what keeps or tightens it is no loosening`, () => {
    for (const change of keeps) {
      assert.deepEqual(findLoosenings(STATE, { ...STATE, ...change }), [], JSON.stringify(change));
    }
  });
}

test("every row of the table has its cases, and the same state loosens nothing", () => {
  assert.deepEqual(Object.keys(CASES).toSorted(), Object.keys(LOOSENINGS).toSorted());
  assert.deepEqual(findLoosenings(STATE, STATE), []);
  // What has nothing to lose loses nothing.
  const open: GuardState = {
    ...STATE,
    consent: "command",
    autoAccept: true,
    walls: { tools: "off", hooks: "off", inbound: "off" },
    shell: [],
    plugins: [],
    gatewayHooks: [{ ...HOOK, isolation: "worker" }],
    untrusted: [],
  };
  assert.deepEqual(findLoosenings(open, { ...open, gatewayHooks: [] }), []);
});

test("several loosenings are all named", () => {
  const after = { ...STATE, consent: "command" as const, shell: [], plugins: [] };
  assert.equal(findLoosenings(STATE, after).length, 3);
});
