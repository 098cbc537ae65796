/** The one argument that says what a tool call is about. */

/** By tool: the argument, or arguments of which the first that is there is shown. */
const MAIN_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  terminal: ["command", "stop"],
  read_file: ["path"],
  write_file: ["path"],
  patch: ["path"],
  search_files: ["pattern"],
  delegate_task: ["goal", "tasks"],
  schedule: ["prompt"],
  run_in_background: ["prompt"],
  use_skill: ["name"],
};

/** The argument's text; of tools that are not in the table the first one that is a text; empty when there is none. */
export function mainArgument(tool: string, params: Readonly<Record<string, unknown>>): string {
  const names = MAIN_ARGUMENTS[tool] ?? [];
  const found = names.map((name) => params[name]).find((value) => value !== undefined);
  const value = found ?? Object.values(params).find((each) => typeof each === "string");
  if (value === undefined) return Object.keys(params).length === 0 ? "" : JSON.stringify(params);
  const text = typeof value === "string" ? value : goalsOf(value);
  return `${text}${placeOf(tool, params)}`;
}

/** Where a search looks, when it is not the working folder. */
function placeOf(tool: string, { path }: Readonly<Record<string, unknown>>): string {
  return tool === "search_files" && typeof path === "string" ? ` in ${path}` : "";
}

/** What several child agents are to do. */
function goalsOf(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value
    .map((each) => (each as { readonly goal?: unknown } | null)?.goal)
    .filter((goal) => typeof goal === "string")
    .join(" · ");
}
