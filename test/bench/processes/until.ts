import { setTimeout as delay } from "node:timers/promises";

/** Looks every few ms until it is so. Throws when it takes too long, or when what it needs (`meanwhile`) has ended before. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  meanwhile: Promise<unknown> | null = null,
  mostSeconds = 60,
): Promise<void> {
  const since = performance.now();
  const end: { error?: Error } = {};
  meanwhile?.then(
    () => (end.error = new Error(`it had ended before ${what}`)),
    (cause: unknown) => (end.error = new Error(`it failed before ${what}`, { cause })),
  );
  while (!(await isSo())) {
    if (end.error !== undefined) throw end.error;
    if (performance.now() - since > mostSeconds * 1000)
      throw new Error(`waited for ${mostSeconds} s, and it is not so that ${what}`);
    await delay(2);
  }
}
