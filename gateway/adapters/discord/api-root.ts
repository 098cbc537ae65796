/** Where the REST API is. */

export const DEFAULT_API_ROOT = "https://discord.com";

export interface ApiAddress {
  /** As it is configured. */
  readonly root: string;
  /** Without the version. */
  readonly api: string;
  readonly version: string;
}

/** The version that the types and the gateway connection are for. */
export const API_VERSION = "10";

/**
 * The addresses to try, in order. A root without a path means Discord's path, or else none; one with a path is used as
 * it is, with or without a version at its end.
 */
export function apiAddresses(root: string): readonly ApiAddress[] {
  const { origin, pathname } = new URL(root);
  const path = pathname.replace(/\/+$/, "");
  const [, version] = /\/v(\d+)$/.exec(path) ?? [];
  if (version !== undefined) {
    return [{ root, api: origin + path.slice(0, -version.length - 2), version }];
  }
  const paths = path === "" ? ["/api", ""] : [path];
  return paths.map((one) => ({ root, api: origin + one, version: API_VERSION }));
}
