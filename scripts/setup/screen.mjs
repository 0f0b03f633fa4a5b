// What the scripts say, and where: stderr, so that `npm pack --json` and the like keep their stdout.

const started = performance.now();

/**
 * Announces a step, with the seconds since the script began.
 * @param {string} title
 */
export function step(title) {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`\n==> ${title}  [${seconds}s]\n`);
}

/**
 * A line for a person.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Something a person must act on: told without a stack trace. */
export class Refusal extends Error {}

/**
 * Runs a script's main function: a Refusal is told as it is, anything else with its stack; both exit with 1.
 * @param {() => Promise<void>} main
 */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    say(
      error instanceof Refusal ? `\n${error.message}` : String(error instanceof Error ? error.stack : error),
    );
    process.exitCode = 1;
  }
}
