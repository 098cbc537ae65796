import { readFileSync } from "node:fs";

/** The program's version, from its own package.json: one folder up in the repository, two in the package. */
export function programVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (found.name === "hermes-hooks" && found.version !== undefined) return found.version;
    } catch {
      // Try the other location next.
    }
  }
  return "unknown";
}
