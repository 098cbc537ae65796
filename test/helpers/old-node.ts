/** The Node.js of the machine, where it is too old to run hermes: what most new users have. */
import { spawnSync } from "node:child_process";
import { delimiter, dirname, join } from "node:path";

/** Its path; undefined where there is none on the path, or it is new. */
export const oldNode: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => folder !== "" && !folder.includes("node_modules"))
  .map((folder) => join(folder, "node"))
  .find((file) => isOld(spawnSync(file, ["-p", "process.versions.node"], { encoding: "utf8" }).stdout));

/** A reason to skip tests that need an old Node.js, or false where there is one. */
export const noOldNode: string | false =
  oldNode === undefined ? "there is no Node.js older than 24.15 on the path" : false;

/** The path for programs that find the old Node.js first; that of this process where there is none. */
export const oldPath: string = [...(oldNode === undefined ? [] : [dirname(oldNode)]), process.env["PATH"]].join(
  delimiter,
);

function isOld(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return major > 0 && (major < 24 || (major === 24 && minor < 15));
}
