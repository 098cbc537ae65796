/** A registry of npm packages on loopback, as far as `npm pack` and `npm install` need one. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

interface Release {
  readonly version: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly tarball: Buffer;
  readonly integrity: string;
}

export interface PackageRegistry {
  /** For programs that ask this registry, with a cache of their own. */
  readonly env: NodeJS.ProcessEnv;
  /** Publishes a version, which is the latest then. `files` are by path; package.json is made of `manifest`. */
  publish(manifest: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>>): void;
  /** From now on a version's package is another one than was published. */
  tamper(name: string, version: string): void;
  /** Resolves when somebody asks for the package `silent`, which is never answered. */
  readonly asked: Promise<void>;
}

export async function startPackageRegistry(t: TestContext): Promise<PackageRegistry> {
  const packages = new Map<string, Release[]>();
  const folder = mkdtempSync(join(tmpdir(), "hermes-registry-"));
  const asked = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const [name = "", file] = decodeURIComponent(request.url ?? "/")
      .slice(1)
      .split("/-/");
    if (name === "silent") return asked.resolve();
    const releases = packages.get(name);
    const release = releases?.find(({ version }) => file === `${version}.tgz`);
    if (release !== undefined) return void response.end(release.tarball);
    if (releases === undefined || file !== undefined) return void response.writeHead(404).end("{}");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(describe(name, releases)));
  });

  function url(): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  function describe(name: string, releases: readonly Release[]) {
    const versions = releases.map(({ version, manifest, integrity }) => [
      version,
      { ...manifest, dist: { tarball: `${url()}${encodeURIComponent(name)}/-/${version}.tgz`, integrity } },
    ]);
    return { name, "dist-tags": { latest: releases.at(-1)?.version }, versions: Object.fromEntries(versions) };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    env: {
      npm_config_registry: url(),
      npm_config_cache: join(folder, "cache"),
      npm_config_update_notifier: "false",
      npm_config_fetch_retries: "0",
    },
    publish(manifest, files) {
      const { name, version } = manifest as { name: string; version: string };
      const tarball = pack(join(folder, `${name.replaceAll("/", "-")}-${version}`), {
        ...files,
        "package.json": JSON.stringify(manifest),
      });
      const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
      packages.set(name, [...(packages.get(name) ?? []), { version, manifest, tarball, integrity }]);
    },
    tamper(name, version) {
      const other = pack(join(folder, "tampered"), { "package.json": JSON.stringify({ name, version }) });
      const change = (release: Release) => (release.version === version ? { ...release, tarball: other } : release);
      packages.set(name, (packages.get(name) ?? []).map(change));
    },
    asked: asked.promise,
  };
}

function pack(folder: string, files: Readonly<Record<string, string>>): Buffer {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, "package", path)), { recursive: true });
    writeFileSync(join(folder, "package", path), text);
  }
  execFileSync("tar", ["-czf", `${folder}.tgz`, "-C", folder, "package"]);
  return readFileSync(`${folder}.tgz`);
}
