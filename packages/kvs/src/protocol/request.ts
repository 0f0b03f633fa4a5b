import * as z from "zod/mini";
import { MalformedMessageError } from "../errors.js";
import { lineSchema, pack, unpackAs } from "./codec.js";
import { isEngineId } from "./ids.js";
import { protocolVersion } from "./version.js";

const requestSchema = z.discriminatedUnion("kind", [
  /** A person wants the run, a context or an engine to drain or to stop. */
  z.object({
    kind: z.literal("order"),
    version: z.literal(protocolVersion),
    scope: z.enum(["run", "context", "engine"]),
    /** Of the context, or id of the engine; empty for the run. */
    name: lineSchema,
    wanted: z.enum(["drain", "stop"]),
    /** Who asks, for the log: `user@host`. */
    by: lineSchema,
  }),
  /** The context that started this engine has proof that it and all that it ran are dead. */
  z.object({
    kind: z.literal("dead"),
    version: z.literal(protocolVersion),
    engine: z.string(),
    why: z.string(),
  }),
]);

/** What others ask of the driver (`KvsStore.ask`): the one process that gives orders. */
export type Request = z.infer<typeof requestSchema>;

const mostBytes = 64 * 1024;

export function encodeRequest(request: Request): Buffer {
  return pack(request);
}

/** Throws `MalformedMessageError`. */
export function decodeRequest(bytes: Uint8Array): Request {
  const request = unpackAs("request", requestSchema, bytes, mostBytes);
  const engine = request.kind === "dead" ? request.engine : request.scope === "engine" ? request.name : null;
  if (engine !== null && !isEngineId(engine))
    throw new MalformedMessageError("request", `no engine's id: ${engine.slice(0, 50)}`);
  return request;
}
