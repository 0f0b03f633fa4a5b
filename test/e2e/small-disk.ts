import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real file system that is small, which only root can mount: full is then what the kernel calls full. */
export class SmallDisk {
  readonly path: string;

  /** `options`: of mount(8). */
  constructor(path: string, options = "size=256k") {
    this.path = path;
    mkdirSync(path);
    const { status, stderr } = mount(path, options);
    if (status !== 0) throw new Error(`mount: ${stderr}`);
  }

  /** Until nothing more fits. */
  fill(): void {
    for (let bytes = 128 * 1024; bytes >= 1; bytes = Math.floor(bytes / 2)) {
      for (;;) {
        try {
          writeFileSync(this.#ballast, Buffer.alloc(bytes), { flag: "a" });
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
          break;
        }
      }
    }
  }

  get ballastBytes(): number {
    return statSync(this.#ballast).size;
  }

  makeRoom(): void {
    rmSync(this.#ballast);
  }

  unmount(): void {
    const { status, stderr } = spawnSync("umount", [this.path], { encoding: "utf8" });
    if (status !== 0) throw new Error(`umount: ${stderr}`);
  }

  get #ballast(): string {
    return join(this.path, "ballast");
  }
}

function mount(path: string, options: string): { readonly status: number | null; readonly stderr: string } {
  return spawnSync("mount", ["-t", "tmpfs", "-o", `${options},mode=700`, "tmpfs", path], {
    encoding: "utf8",
  });
}

export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "taskmuster-mount-"));
  try {
    const { status } = mount(path, "size=64k");
    if (status === 0) spawnSync("umount", [path]);
    return status === 0;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
