import { type KvsAddress, TaskmusterError } from "@taskmuster/kvs";
import * as z from "zod/mini";
import { mostSlots } from "./core/slots.js";

/**
 * What an engine is told, as one line of JSON on its standard input, by whoever starts it. Not in argv or the
 * environment: it holds the secret of the store. Lines after it are orders past the store: `stop` and `kill`. The end of that
 * input means that the one who started the engine is gone.
 */
const engineConfigSchema = z.object({
  runId: z.string(),
  address: z.object({
    addresses: z.array(z.string()),
    username: z.optional(z.string()),
    password: z.optional(z.string()),
    certificate: z.optional(z.string()),
    private: z.boolean(),
  }),
  /** Id under which it joins; chosen by whoever starts it, who can so tell the store of its death. */
  engine: z.string(),
  context: z.string(),
  cores: z.number(),
  slots: z.int().check(z.gte(1), z.lte(mostSlots)),
  coresPerTask: z.int().check(z.gte(0)),
  launcher: z.enum(["auto", "perl", "node", "noop"]),
  logLevel: z.string(),
  /** Inside an allocation of a batch system: the node's cores and GPUs are ours, and its signals are not the tasks' fault. */
  allocation: z.boolean(),
  /** `-E`: variables that hold a comma-separated list, an item for each slot. */
  envResources: z.array(z.string()),
  /** Leaves when it has had nothing to do for so long; null: stays. */
  idleTimeoutMs: z.nullable(z.int()),
  /** Claims at most so many tasks beyond its free slots; for benchmarks. */
  mostAhead: z.optional(z.int()),
  /** A descriptor that only this engine and its guardian hold: whoever holds the other end learns of the death of both. */
  livenessFd: z.optional(z.int()),
});

export interface EngineConfig extends Omit<z.infer<typeof engineConfigSchema>, "address"> {
  readonly address: KvsAddress;
}

/** Throws `TaskmusterError` (E_LAUNCH). */
export function parseEngineConfig(line: string): EngineConfig {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TaskmusterError(
      "E_LAUNCH",
      "an engine is started by a driver, not by hand: no JSON on standard input",
      {
        cause,
      },
    );
  }
  const parsed = engineConfigSchema.safeParse(value);
  if (parsed.success) {
    const { username, password, certificate, ...address } = parsed.data.address;
    return {
      ...parsed.data,
      address: {
        ...address,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(certificate === undefined ? {} : { certificate }),
      },
    };
  }
  const issue = parsed.error.issues[0];
  throw new TaskmusterError(
    "E_LAUNCH",
    `bad engine configuration: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}
